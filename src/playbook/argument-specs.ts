// A role's argument_specs: what its variables must be. Judged without a host where the values are known, and at the role's start otherwise.
import {isMapping} from '../base/json.ts';
import {Secret} from '../base/secret.ts';
import {child, isVaultValue} from './node.ts';
import type {Node} from './node.ts';

/** The specification of an entry point of a role, as a task of it carries it. `options`: from the name of a variable to its specification. */
export type ArgumentSpec = {
  readonly entryPoint: string;
  readonly summary: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
};

/** The specification of an entry point, from the text of `argument_specs`; undefined where it has none. */
export function argumentSpecOf(specs: Node | undefined, entryPoint: string): ArgumentSpec | undefined {
  const spec = child(specs, entryPoint);
  if (spec === undefined) return undefined;
  const data = dataOf(spec);
  if (!isMapping(data)) return undefined;
  const {options, short_description: summary} = data;
  return {
    entryPoint,
    summary: typeof summary === 'string' ? summary : undefined,
    options: isMapping(options) ? options : {},
  };
}

/** YAML as plain data; templates in it stay as they are written. */
function dataOf(node: Node): unknown {
  if (node.kind === 'list') return node.items.map(dataOf);
  if (node.kind === 'map') return Object.fromEntries(node.entries.map(({key, value}) => [key, dataOf(value)]));
  return isVaultValue(node.value) ? null : node.value;
}

/**
 * What is wrong with arguments, a sentence each. Arguments that are not among `given` were not given. Only those that are named are looked at;
 * inside of mappings with `options` other keys are wrong. *source*: Ansible's ArgumentSpecValidator.
 */
export function judgeArguments(
  options: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): readonly string[] {
  return judge(options, given, []);
}

function judge(
  options: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
  path: readonly string[],
): string[] {
  const within = path.length === 0 ? '' : ` found in ${path.join(' -> ')}`;
  const missing = Object.entries(options).filter(
    ([name, spec]) => isTrue(field(spec, 'required')) && valueOf(name, spec, given) === undefined,
  );
  const problems =
    missing.length === 0
      ? []
      : [
          `missing required arguments: ${missing
            .map(([name]) => name)
            .sort()
            .join(', ')}${within}`,
        ];
  for (const [name, spec] of Object.entries(options)) {
    const value = valueOf(name, spec, given);
    if (value !== undefined && value !== null) problems.push(...judgeOne(name, spec, value, path));
  }
  return problems;
}

/** A value under its name or one of its aliases. */
function valueOf(name: string, spec: unknown, given: Readonly<Record<string, unknown>>): unknown {
  const aliases = field(spec, 'aliases');
  for (const each of [name, ...(Array.isArray(aliases) ? aliases.map(String) : [])])
    if (Object.hasOwn(given, each)) return given[each];
  return undefined;
}

function judgeOne(name: string, spec: unknown, value: unknown, path: readonly string[]): string[] {
  const plain = value instanceof Secret ? value.reveal() : value;
  const type = String(field(spec, 'type') ?? 'str');
  const read = readAs(type, plain);
  const within = path.length === 0 ? '' : ` found in '${path.join(' -> ')}'`;
  const shown = value instanceof Secret || isTrue(field(spec, 'no_log')) ? 'its value' : `'${textOf(plain)}'`;
  if (read === undefined)
    return [
      `argument '${name}' is of type ${typeName(plain)}${within} and we were unable to convert to ${type}: ${shown} is no ${type}`,
    ];
  const problems: string[] = [];
  const elements = field(spec, 'elements');
  let list = Array.isArray(read.value) ? (read.value as unknown[]) : [read.value];
  if (type === 'list' && typeof elements === 'string') {
    const readable = list.map((element) => readAs(elements, element));
    const bad = readable.findIndex((element) => element === undefined);
    if (bad >= 0)
      return [
        `Elements value for option '${name}'${within} is of type ${typeName(list[bad])} and we were unable to convert to ${elements}: '${textOf(list[bad])}' is no ${elements}`,
      ];
    list = readable.map((element) => element!.value);
  }
  const choices = field(spec, 'choices');
  if (Array.isArray(choices)) {
    const wrong = list.filter((one) => !choices.some((choice) => textOf(choice) === textOf(one)));
    if (wrong.length > 0)
      problems.push(
        `value of ${name} must be one ${type === 'list' ? 'or more ' : ''}of: ${choices.map(textOf).join(', ')}, got: ${value instanceof Secret ? '********' : wrong.map(textOf).join(', ')}${within}`,
      );
  }
  const inner = field(spec, 'options');
  if (isMapping(inner) && (type === 'dict' || (type === 'list' && elements === 'dict'))) {
    for (const element of list) {
      if (!isMapping(element)) continue;
      const known = new Set(
        Object.entries(inner).flatMap(([key, each]) => {
          const aliases = field(each, 'aliases');
          return [key, ...(Array.isArray(aliases) ? aliases.map(String) : [])];
        }),
      );
      const strange = Object.keys(element).filter((key) => !known.has(key));
      problems.push(...judge(inner, element, [...path, name]), ...together(spec, element, name));
      if (strange.length > 0)
        problems.push(
          `${[...path, name, strange.sort().join(', ')].join('.')}. Supported parameters include: ${[...known].sort().join(', ')}.`,
        );
    }
  }
  return problems;
}

/** Rules over several keys of a mapping. */
function together(spec: unknown, given: Readonly<Record<string, unknown>>, name: string): string[] {
  const lists = (key: string): unknown[][] => {
    const value = field(spec, key);
    if (!Array.isArray(value)) return [];
    return value.every(Array.isArray) ? (value as unknown[][]) : [value];
  };
  const has = (key: unknown): boolean => given[String(key)] !== undefined && given[String(key)] !== null;
  const found = ` found in ${name}`;
  return [
    ...lists('mutually_exclusive')
      .filter((keys) => keys.filter(has).length > 1)
      .map((keys) => `parameters are mutually exclusive: ${keys.join('|')}${found}`),
    ...lists('required_together')
      .filter((keys) => keys.some(has) && !keys.every(has))
      .map((keys) => `parameters are required together: ${keys.join(', ')}${found}`),
    ...lists('required_one_of')
      .filter((keys) => !keys.some(has))
      .map((keys) => `one of the following is required: ${keys.join(', ')}${found}`),
    ...lists('required_if').flatMap(([key, wanted, needs, oneSuffices]) => {
      if (textOf(given[String(key)]) !== textOf(wanted) || !Array.isArray(needs)) return [];
      const missing = needs.filter((each) => !has(each));
      const fails = oneSuffices === true ? missing.length === needs.length : missing.length > 0;
      return fails
        ? [
            `${String(key)} is ${textOf(wanted)} but ${oneSuffices === true ? 'any' : 'all'} of the following are missing: ${missing.join(', ')}${found}`,
          ]
        : [];
    }),
  ];
}

function field(spec: unknown, key: string): unknown {
  return isMapping(spec) ? spec[key] : undefined;
}

function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && /^(?:true|yes|on|1)$/i.test(value));
}

/** A value read as a type; undefined where it is none. *source*: Ansible's check_type functions. */
function readAs(type: string, value: unknown): {readonly value: unknown} | undefined {
  const text = typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : undefined;
  switch (type) {
    case 'int':
      if (typeof value === 'boolean') return {value: Number(value)};
      return text !== undefined && /^[-+]?\d+$/.test(text) ? {value: Number(text)} : undefined;
    case 'float':
      return text !== undefined && /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text)
        ? {value: Number(text)}
        : undefined;
    case 'bool': {
      const word = typeof value === 'boolean' ? String(value) : (text ?? '').toLowerCase();
      if (/^(?:y|yes|on|1|true|t|1\.0)$/.test(word)) return {value: true};
      return /^(?:n|no|off|0|false|f|0\.0)$/.test(word) ? {value: false} : undefined;
    }
    case 'list':
      if (Array.isArray(value)) return {value};
      return text === undefined ? undefined : {value: text.split(',')};
    case 'dict':
      if (isMapping(value)) return {value};
      return text === undefined ? undefined : readMapping(text);
    case 'bytes':
    case 'bits':
      return text !== undefined && /^\d+(?:\.\d+)?\s*[a-z]*$/i.test(text) ? {value: text} : undefined;
    default:
      return {value};
  }
}

/** `{"a": 1}` or `a=1, b=2`. */
function readMapping(text: string): {readonly value: unknown} | undefined {
  if (text.startsWith('{')) {
    try {
      return {value: JSON.parse(text)};
    } catch {
      return undefined;
    }
  }
  const pairs = text.split(/[,\s]+/).filter((word) => word !== '');
  if (!pairs.every((pair) => pair.includes('='))) return undefined;
  return {
    value: Object.fromEntries(
      pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    ),
  };
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value);
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return 'dict';
}
