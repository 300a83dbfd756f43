// Filters that choose, convert or describe a value.
import {ansibleBoolean, isFlagged} from '../boolean.ts';
import {textOf, truth} from '../compare.ts';
import type {Filter, Site} from '../environment.ts';
import {Fault, Misuse} from '../fault.ts';
import {isMapping} from '../mapping.ts';
import {DICT_METHODS} from '../method-dict.ts';
import {arithmetic, int, integerOf, isFloat, isInt, isNumeric, roundEven, toNumber, type Int} from '../number.ts';
import {typeName} from '../print.ts';
import {Float, float, Undefined} from '../values.ts';
import {plain} from './text.ts';

function fallback(_site: Site, value: unknown, other: unknown = '', boolean?: unknown): unknown {
  if (value instanceof Undefined) return other;
  return isFlagged(boolean) && !truth(value) ? other : value;
}

function toInt(value: unknown, otherwise: unknown, base: unknown): unknown {
  const other = otherwise ?? 0;
  if (isInt(value)) return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (isFloat(value)) return Number.isFinite(toNumber(value)) ? integerOf(toNumber(value)) : other;
  const text = textOf(value)
    ?.trim()
    .toLowerCase()
    .replaceAll(/(?<=[\da-z])_(?=[\da-z])/g, '');
  if (text === undefined) return other;
  const radix = base === undefined ? 10 : Number(base);
  const [, sign = '', body = ''] = /^([-+]?)(.*)$/s.exec(text) ?? [];
  const prefix = {2: '0b', 8: '0o', 16: '0x'}[radix];
  const digits = prefix !== undefined && body.startsWith(prefix) ? body.slice(2) : body;
  if (digits.length > 4300) return other;
  const allowed = '0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, radix);
  if (digits !== '' && Array.from(digits).every((digit) => allowed.includes(digit))) {
    let number = 0n;
    for (const digit of digits) number = number * BigInt(radix) + BigInt(allowed.indexOf(digit));
    return int(sign === '-' ? -number : number);
  }
  const real = parseFloatStrictly(text);
  return real === undefined || !Number.isFinite(real) ? other : integerOf(real);
}

function parseFloatStrictly(text: string): number | undefined {
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text)) return Number(text);
  const special = /^([-+]?)(?:(inf(?:inity)?)|nan)$/i.exec(text);
  if (special === null) return undefined;
  return special[2] === undefined ? NaN : special[1] === '-' ? -Infinity : Infinity;
}

function toFloat(value: unknown, otherwise: unknown): unknown {
  if (isNumeric(value)) return float(toNumber(value));
  const number = parseFloatStrictly((textOf(value) ?? 'x').trim().replaceAll(/(?<=\d)_(?=\d)/g, ''));
  return number === undefined ? (otherwise ?? float(0)) : float(number);
}

function number(value: unknown): Int | Float | boolean {
  if (!isNumeric(value)) throw new Misuse(`a number is needed, not ${typeName(value)}`, 'template-type');
  return value;
}

function round(value: unknown, precision: unknown, method: unknown): unknown {
  const digits = precision === undefined ? 0 : Number(precision);
  const way = method === undefined ? 'common' : plain(method);
  if (!['common', 'ceil', 'floor'].includes(way))
    throw new Misuse('method must be common, ceil or floor', 'bad-argument');
  const x = toNumber(number(value));
  // Python rounds an integer to an integer.
  if (way === 'common')
    return isFloat(value) ? float(roundEven(x, digits)) : digits >= 0 ? value : integerOf(roundEven(x, digits));
  const unit = 10 ** digits;
  return float((way === 'ceil' ? Math.ceil(x * unit) : Math.floor(x * unit)) / unit);
}

function logarithm(value: unknown, base: unknown): unknown {
  const x = toNumber(number(value));
  if (x <= 0) throw new Misuse('the logarithm of a number that is not positive');
  const b = base === undefined ? Math.E : toNumber(number(base));
  return float(
    b === 10 ? Math.log10(x) : b === 2 ? Math.log2(x) : b === Math.E ? Math.log(x) : Math.log(x) / Math.log(b),
  );
}

function root(value: unknown, base: unknown): unknown {
  const x = toNumber(number(value));
  const b = base === undefined ? 2 : toNumber(number(base));
  if (x < 0) throw new Misuse('the root of a negative number');
  return float(b === 2 ? Math.sqrt(x) : x ** (1 / b));
}

const SIZES = ['', 'K', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];

function humanReadable(value: unknown, bits: unknown, unit: unknown): string {
  const size = Number(plain(value));
  if (Number.isNaN(size)) throw new Misuse(`human_readable() can't interpret "${plain(value)}"`);
  const base = isFlagged(bits) ? 'bits' : 'Bytes';
  let power = 8;
  const wanted = unit === undefined || unit === null ? undefined : plain(unit).toUpperCase();
  while (power > 0 && (wanted === undefined ? size < 1024 ** power : wanted !== SIZES[power])) power--;
  const suffix = power === 0 ? base : (SIZES[power] ?? '') + (isFlagged(bits) ? 'b' : 'B');
  return `${(size / 1024 ** power).toFixed(2)} ${suffix}`;
}

function humanToBytes(value: unknown, defaultUnit: unknown, bits: unknown): unknown {
  const match = /^\s*(\d*\.?\d*)\s*([A-Za-z]+)?/.exec(plain(value));
  if (match === null || (match[1] ?? '') === '')
    throw new Misuse(`human_to_bytes() can't interpret following string: ${plain(value)}`);
  const unit = match[2] ?? (defaultUnit === undefined || defaultUnit === null ? '' : plain(defaultUnit));
  const amount = Number(match[1]);
  if (unit === '') return integerOf(roundEven(amount, 0));
  const power = SIZES.indexOf((unit[0] ?? '').toUpperCase());
  const [letter, word] = isFlagged(bits) ? ['b', 'bit'] : ['B', 'byte'];
  if (power < 0 && (unit[0] ?? '').toUpperCase() !== 'B')
    throw new Misuse(`human_to_bytes() failed to convert "${plain(value)}": the unit is not known`);
  if (unit.length > 1 && !unit.toLowerCase().includes(word) && unit[1] !== letter)
    throw new Misuse(`human_to_bytes() failed to convert "${plain(value)}": the unit is not known`);
  return integerOf(roundEven(amount * 1024 ** Math.max(0, power), 0));
}

function mandatory(_site: Site, value: unknown, message?: unknown): unknown {
  if (!(value instanceof Undefined)) return value;
  if (message === undefined) throw new Fault(value.problem);
  throw new Misuse(plain(message), 'undefined-variable');
}

function typeDebug(_site: Site, value: unknown): string {
  return typeName(value);
}

export const valueFilters: readonly (readonly [string, Filter])[] = [
  ['default', {params: ['default_value', 'boolean'], mode: 'moves', takesUndefined: true, apply: fallback}],
  ['d', {params: ['default_value', 'boolean'], mode: 'moves', takesUndefined: true, apply: fallback}],
  ['mandatory', {params: ['msg'], mode: 'moves', takesUndefined: true, apply: mandatory}],
  ['bool', {params: [], apply: (_site, value) => ansibleBoolean(value)}],
  [
    'ternary',
    {
      params: ['true_val', 'false_val', 'none_val'],
      mode: 'moves',
      apply: (_site, value, yes: unknown, no: unknown, none?: unknown) =>
        value === null && none !== undefined && none !== null ? none : truth(value) ? yes : no,
    },
  ],
  ['type_debug', {params: [], mode: 'moves', takesUndefined: true, apply: typeDebug}],
  [
    'int',
    {params: ['default', 'base'], apply: (_site, value, other?: unknown, base?: unknown) => toInt(value, other, base)},
  ],
  ['float', {params: ['default'], apply: (_site, value, other?: unknown) => toFloat(value, other)}],
  [
    'round',
    {
      params: ['precision', 'method'],
      apply: (_site, value, precision?: unknown, method?: unknown) => round(value, precision, method),
    },
  ],
  [
    'abs',
    {
      params: [],
      apply: (_site, value) =>
        toNumber(number(value)) < 0
          ? arithmetic('*', number(value), -1)
          : typeof value === 'boolean'
            ? Number(value)
            : value,
    },
  ],
  ['log', {params: ['base'], apply: (_site, value, base?: unknown) => logarithm(value, base)}],
  [
    'pow',
    {
      params: ['exponent'],
      apply: (_site, value, exponent: unknown) => float(toNumber(number(value)) ** toNumber(number(exponent))),
    },
  ],
  ['root', {params: ['base'], apply: (_site, value, base?: unknown) => root(value, base)}],
  [
    'human_readable',
    {
      params: ['isbits', 'unit'],
      apply: (_site, value, bits?: unknown, unit?: unknown) => humanReadable(value, bits, unit),
    },
  ],
  [
    'human_to_bytes',
    {
      params: ['default_unit', 'isbits'],
      apply: (_site, value, unit?: unknown, bits?: unknown) => humanToBytes(value, unit, bits),
    },
  ],
  [
    'attr',
    {
      params: ['name'],
      mode: 'moves',
      apply: (site, value, name: unknown) =>
        // Unlike a dot, this filter never looks at the keys of a mapping.
        isMapping(value) && !DICT_METHODS.includes(plain(name))
          ? site.undefined(`'dict' object has no attribute '${plain(name)}'`)
          : site.attribute(value, plain(name)),
    },
  ],
];
