// Python's two ways to format text: `'%05.2f' % x` and `'{:>10}'.format(x)`.
import {textOf} from './compare.ts';
import {Misuse} from './fault.ts';
import {hasKey, isMapping, valueOf} from './mapping.ts';
import {floatText, integerOf, isFloat, isInt, isNumeric, toNumber, type Int} from './number.ts';
import {repr, str, typeName} from './print.ts';
import {Tuple, type Named} from './values.ts';

const MAX_WIDTH = 100_000;

function plainText(text: unknown): string {
  return textOf(text) ?? String(text);
}

function size(text: string | undefined): number {
  const width = Number(text ?? '0');
  if (width > MAX_WIDTH)
    throw new Misuse(`a field of ${String(width)} characters is wider than ${MAX_WIDTH}`, 'template-budget');
  return width;
}

function exponential(value: number, digits: number): string {
  const size = Math.min(digits, 100);
  const [exact = '', power = ''] = value.toExponential(Math.min(100, size + 40)).split('e');
  const cut = exact.slice(0, exact.indexOf('.') + 1 + size).replace(/\.$/, '');
  // A tie goes to the even digit, as in C's printf.
  const tie = size < 60 && /^50*$/.test(exact.slice(exact.indexOf('.') + 1 + size)) && Number(cut.at(-1)) % 2 === 0;
  return (tie ? `${cut}e${power}` : value.toExponential(size)).replace(/e([+-])(\d)$/, 'e$10$2');
}

function general(value: number, precision: number, keepZeros: boolean): string {
  const digits = precision === 0 ? 1 : precision;
  if (value === 0) return keepZeros ? (0).toFixed(digits - 1) : '0';
  const exponent = Number(value.toExponential(Math.min(digits - 1, 100)).split('e')[1]);
  const strip = (text: string): string => (keepZeros || !text.includes('.') ? text : text.replace(/\.?0+$/, ''));
  if (exponent < -4 || exponent >= digits) {
    const [mantissa = '', power = ''] = exponential(value, digits - 1).split('e');
    return `${strip(mantissa)}e${power}`;
  }
  return strip(value.toFixed(Math.max(0, digits - 1 - exponent)));
}

function floating(kind: string, value: number, precision: number, alternate: boolean): string {
  if (!Number.isFinite(value)) return kind === kind.toUpperCase() ? floatText(value).toUpperCase() : floatText(value);
  const lower = kind.toLowerCase();
  const text =
    lower === 'e'
      ? exponential(value, precision)
      : lower === 'g'
        ? general(value, precision, alternate)
        : Math.abs(value) >= 1e21
          ? BigInt(value).toString() + (precision > 0 ? `.${'0'.repeat(precision)}` : '')
          : fixed(value, precision);
  return kind === lower ? text : text.toUpperCase();
}

/** toFixed, with ties (which exist only exactly in binary) going to the even digit as C's printf does. */
function fixed(value: number, precision: number): string {
  const digits = Math.min(precision, 100);
  const exactText = Math.abs(value).toFixed(Math.min(100, digits + 60));
  const rest = exactText.slice(exactText.indexOf('.') + 1 + digits);
  if (/^50*$/.test(rest)) {
    const cut =
      digits === 0
        ? exactText.slice(0, exactText.indexOf('.'))
        : exactText.slice(0, exactText.indexOf('.') + 1 + digits);
    if (Number(cut.at(-1)) % 2 === 0) return value < 0 ? `-${cut}` : cut;
  }
  return value.toFixed(digits);
}

function integerIn(kind: string, value: Int, alternate: boolean): string {
  const negative = value < 0;
  const magnitude = BigInt(value) < 0n ? -BigInt(value) : BigInt(value);
  const radix = {b: 2, o: 8, x: 16, X: 16}[kind] ?? 10;
  let digits = magnitude.toString(radix);
  if (kind === 'X') digits = digits.toUpperCase();
  if (alternate && radix !== 10) digits = `0${kind}${digits}`;
  return (negative ? '-' : '') + digits;
}

function toInteger(value: unknown, kind: string): Int {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (isInt(value)) return value;
  if (isFloat(value) && kind === 'd') return integerOf(toNumber(value));
  throw new Misuse(`%${kind} format: a number is required, not ${typeName(value)}`, 'template-type');
}

/** `format % args` for text without secrets. *errors*: Misuse for missing or left-over arguments and wrong types. */
export function formatPercent(format: string, args: unknown): string {
  const list = args instanceof Tuple ? args : [args];
  let next = 0;
  const used = {named: false};
  const take = (): unknown => {
    if (next >= list.length) throw new Misuse('not enough arguments for format string');
    return list[next++];
  };
  const out = format.replaceAll(
    /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+))?[hlL]?([\s\S]?)/g,
    (_all, name: string | undefined, flags: string, widthText?: string, precisionText?: string, kind?: string) => {
      if (kind === '%') return '%';
      const width = widthText === '*' ? size(String(take())) : size(widthText);
      const precision =
        precisionText === undefined ? undefined : size(precisionText === '*' ? String(take()) : precisionText);
      let value: unknown;
      if (name === undefined) value = take();
      else {
        used.named = true;
        if (!isMapping(args)) throw new Misuse('format requires a mapping', 'template-type');
        if (!hasKey(args, name)) throw new Misuse(`the format's key "${name}" is missing`);
        value = valueOf(args, name);
      }
      let body = percentBody(value, kind ?? '', precision, flags.includes('#'));
      const numeric = 'diouxXeEfFgG'.includes(kind ?? '');
      if (numeric && !body.startsWith('-')) body = (flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + body;
      if (flags.includes('-')) return body.padEnd(width);
      if (!flags.includes('0') || !numeric) return body.padStart(width);
      const sign = /^[-+ ]?(?:0[xXo])?/.exec(body)?.[0] ?? '';
      return sign + body.slice(sign.length).padStart(width - sign.length, '0');
    },
  );
  if (!used.named && next < list.length && !isMapping(args))
    throw new Misuse('not all arguments converted during string formatting');
  return out;
}

function percentBody(value: unknown, kind: string, precision: number | undefined, alternate: boolean): string {
  switch (kind) {
    case 's':
      return plainText(str(value)).slice(0, precision);
    case 'r':
    case 'a':
      return plainText(repr(value)).slice(0, precision);
    case 'c':
      return isInt(value) ? String.fromCodePoint(Number(value)) : plainText(value);
    case 'd':
    case 'i':
    case 'u':
      return integerIn('d', toInteger(value, 'd'), false).replace(/\d+/, (digits) =>
        digits.padStart(precision ?? 0, '0'),
      );
    case 'o':
    case 'x':
    case 'X':
      return integerIn(kind, toInteger(value, kind), alternate).replace(/(?<=^-?(?:0[xXo])?)[\da-fA-F]+$/, (digits) =>
        digits.padStart(precision ?? 0, '0'),
      );
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      if (!isNumeric(value)) throw new Misuse(`must be real number, not ${typeName(value)}`, 'template-type');
      return floating(kind, toNumber(value), precision ?? 6, alternate);
    default:
      throw new Misuse(kind === '' ? 'incomplete format' : `unsupported format character '${kind}'`);
  }
}

const SPEC = /^(?:([\s\S])?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/u;

/** One replacement field: `format(value, spec)`. */
export function formatSpec(value: unknown, spec: string): string {
  if (spec === '') return plainText(str(value));
  const match = SPEC.exec(spec);
  if (match === null) throw new Misuse(`invalid format specifier "${spec}"`);
  const [, fillText, alignText, sign, hash, zero, widthText, grouping, precisionText, kindText] = match;
  const numeric = isNumeric(value) && (typeof value !== 'boolean' || kindText !== undefined);
  const precision = precisionText === undefined ? undefined : size(precisionText);
  let body: string;
  if (grouping !== undefined && kindText !== undefined && (grouping === ',' ? 'bcnosxX' : 'cns').includes(kindText))
    throw new Misuse(`cannot specify '${grouping}' with '${kindText}'`);
  if (numeric) body = formatNumber(value, kindText, precision, hash !== undefined, grouping);
  else {
    if (kindText !== undefined && kindText !== 's')
      throw new Misuse(`unknown format code '${kindText}' for object of type '${typeName(value)}'`, 'template-type');
    if (textOf(value) === undefined && typeof value !== 'boolean')
      throw new Misuse(`unsupported format string passed to ${typeName(value)}.__format__`, 'template-type');
    body = Array.from(plainText(str(value)))
      .slice(0, precision)
      .join('');
  }
  if (numeric && !body.startsWith('-') && sign !== undefined && sign !== '-') body = sign + body;
  const fill = fillText ?? (zero === undefined ? ' ' : '0');
  const align = alignText ?? (zero !== undefined && numeric ? '=' : numeric ? '>' : '<');
  const room = size(widthText) - Array.from(body).length;
  if (room <= 0) return body;
  if (align === '<') return body + fill.repeat(room);
  if (align === '>') return fill.repeat(room) + body;
  if (align === '^') return fill.repeat(Math.floor(room / 2)) + body + fill.repeat(Math.ceil(room / 2));
  const head = /^[-+ ]?(?:0[xXbo])?/.exec(body)?.[0] ?? '';
  if (grouping === undefined || fill !== '0') return head + fill.repeat(room) + body.slice(head.length);
  // Zeros that fill up are grouped too.
  let digits = body.slice(head.length).replaceAll(grouping, '');
  const filled = (): string => head + grouped(digits, grouping, groupSize(kindText));
  while (filled().length < size(widthText)) digits = `0${digits}`;
  return filled();
}

function formatNumber(
  value: unknown,
  kind: string | undefined,
  precision: number | undefined,
  alternate: boolean,
  grouping?: string,
): string {
  const number = value as Int;
  let body: string;
  if (isFloat(value) && kind !== undefined && 'bcdoxX'.includes(kind))
    throw new Misuse(`unknown format code '${kind}' for object of type 'float'`, 'template-type');
  const asFloat = isFloat(value) || (kind !== undefined && 'eEfFgG%'.includes(kind));
  if (!asFloat) {
    if (precision !== undefined) throw new Misuse('precision not allowed in integer format specifier');
    if (kind === 'c') return String.fromCodePoint(Number(number));
    const whole = toInteger(value, kind ?? 'd');
    body = integerIn(kind === 'n' ? 'd' : (kind ?? 'd'), whole, alternate);
  } else if (kind === '%') body = `${floating('f', toNumber(value as Int) * 100, precision ?? 6, false)}%`;
  else if (kind === undefined && precision === undefined) body = floatText(toNumber(value as Int));
  else if (kind === undefined) body = shortest(toNumber(value as Int), precision ?? 6);
  else body = floating(kind === 'n' ? 'g' : kind, toNumber(value as Int), precision ?? 6, alternate);
  if (grouping === undefined) return body;
  return grouped(body, grouping, groupSize(kind));
}

function groupSize(kind: string | undefined): number {
  return kind !== undefined && 'boxX'.includes(kind) ? 4 : 3;
}

/** Puts a mark between groups of digits of the whole part. */
function grouped(body: string, mark: string, step: number): string {
  const digit = step === 4 ? '[\\da-fA-F]' : '\\d';
  return body.replace(new RegExp(`${digit}+`), (digits) =>
    digits.replace(new RegExp(`\\B(?=(${digit}{${step}})+$)`, 'g'), mark),
  );
}

/** A float with a precision but no type: like g, but with a digit after the point. */
function shortest(value: number, precision: number): string {
  if (!Number.isFinite(value) || value === 0) return floatText(value);
  const digits = Math.max(1, precision);
  const exponent = Number(value.toExponential(Math.min(digits - 1, 100)).split('e')[1]);
  if (exponent < -4 || exponent >= digits - 1) {
    const [mantissa = '', power = ''] = exponential(value, digits - 1).split('e');
    const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
    return exponent >= -4 && exponent < digits - 1 ? `${short}.0` : `${short}e${power}`;
  }
  const text = general(value, digits, false);
  return text.includes('.') || text.includes('e') ? text : `${text}.0`;
}

/** `format.format(*args, **named)`; `read` fetches attributes (`{0.name}`) and items (`{0[key]}`). */
export function formatBraces(
  format: string,
  args: readonly unknown[],
  named: Named,
  read: (value: unknown, name: string, item: boolean) => unknown,
): string {
  let automatic = 0;
  const field = (name: string): unknown => {
    const first = /^[^.[]*/.exec(name)?.[0] ?? '';
    const index = first === '' ? automatic++ : /^\d+$/.test(first) ? Number(first) : undefined;
    let value: unknown;
    if (index !== undefined) {
      if (index >= args.length)
        throw new Misuse(`replacement index ${index} is out of range for the positional arguments`);
      value = args[index];
    } else {
      if (!named.has(first)) throw new Misuse(`the format's key "${first}" is missing`);
      value = named.get(first);
    }
    for (const step of name.slice(first.length).matchAll(/\.([^.[]+)|\[([^\]]+)\]/g)) {
      value = step[1] === undefined ? read(value, step[2] ?? '', true) : read(value, step[1], false);
    }
    return value;
  };
  return format.replaceAll(
    /\{\{|\}\}|\{([^{}:!]*)(?:!([rsa]))?(?::((?:[^{}]|\{[^{}]*\})*))?\}|[{}]/g,
    (all, name?: string, convert?: string, spec?: string) => {
      if (all === '{{') return '{';
      if (all === '}}') return '}';
      if (name === undefined) throw new Misuse(`a single "${all}" in the format string`);
      let value = field(name);
      if (convert !== undefined) value = plainText(convert === 's' ? str(value) : repr(value));
      const filled = (spec ?? '').replaceAll(/\{([^{}]*)\}/g, (_inner, inner: string) => plainText(str(field(inner))));
      return formatSpec(value, filled);
    },
  );
}
