import {isMapping} from '../base/json.ts';
import {Secret} from '../base/secret.ts';
import type {Kind, Params} from './schema.ts';

/** Words that mean a boolean where one is declared. *source*: YAML 1.1 and Ansible's `boolean` conversion. */
const words: Readonly<Record<string, boolean>> = {
  yes: true,
  on: true,
  true: true,
  y: true,
  t: true,
  '1': true,
  '1.0': true,
  no: false,
  off: false,
  false: false,
  n: false,
  f: false,
  '0': false,
  '0.0': false,
};

/**
 * Reads a value as Ansible users write it: yes/no for booleans, digits in a string for numbers, one element or `a,b` for a list,
 * a number where text is wanted. What does not fit is returned as it is, for the schema to judge. Secrets are revealed:
 * judging works on plain values ({@link wrapKind} makes them secret again).
 */
export function readLeniently(kind: Kind, value: unknown): unknown {
  const plain = value instanceof Secret ? value.reveal() : value;
  switch (kind.kind) {
    case 'boolean': {
      if (typeof plain === 'number' && (plain === 0 || plain === 1)) return plain === 1;
      const word = typeof plain === 'string' ? plain.toLowerCase() : undefined;
      return word !== undefined && Object.hasOwn(words, word) ? words[word] : plain;
    }
    case 'integer':
      return typeof plain === 'string' && /^\s*[-+]?\d+\s*$/.test(plain) ? Number(plain) : plain;
    case 'number':
      return typeof plain === 'string' && /^\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*$/.test(plain) ? Number(plain) : plain;
    case 'string':
    case 'text':
    case 'secret':
    case 'choice':
    case 'path':
    case 'controllerFile':
    case 'template':
      if (typeof plain === 'boolean' && kind.kind === 'choice') return yesNo(kind.values, plain);
      if (typeof plain === 'boolean' && (kind.kind === 'text' || kind.kind === 'string'))
        return plain ? 'True' : 'False';
      return typeof plain === 'number' ? String(plain) : plain;
    case 'list': {
      if (Array.isArray(plain)) return plain.map((element: unknown) => readLeniently(kind.of, element));
      if (plain === undefined) return plain;
      const splits =
        typeof plain === 'string' && kind.of.kind !== 'object' && kind.of.kind !== 'text' && kind.of.kind !== 'secret';
      const elements: unknown[] = splits
        ? plain
            .split(',')
            .map((s) => s.trim())
            .filter((s) => s !== '')
        : [plain];
      return elements.map((element) => readLeniently(kind.of, element));
    }
    case 'object':
      return isMapping(plain) ? readParams(kind.params, plain) : plain;
    case 'map':
      return isMapping(plain)
        ? Object.fromEntries(Object.entries(plain).map(([k, v]) => [k, readLeniently(kind.of, v)]))
        : plain;
    case 'either':
      return readEither(kind.of, plain);
    case 'mode':
    case 'any':
      return plain;
  }
}

/** A mapping of parameters read leniently: aliases become names, null and undefined mean "not given". Unknown names stay, for the schema to name. */
export function readParams(params: Params, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const byAlias = new Map(
    Object.entries(params).flatMap(([name, param]) => param.aliases.map((alias) => [alias, name] as const)),
  );
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined) continue;
    const name = Object.hasOwn(params, key) ? key : (byAlias.get(key) ?? key);
    const param = Object.hasOwn(params, name) ? params[name] : undefined;
    out[name] = param === undefined ? value : readLeniently(param.kind, value);
  }
  return out;
}

/** `no` and `yes` are booleans to YAML 1.1 writers, and choices to some parameters. */
function yesNo(values: readonly string[], plain: boolean): unknown {
  const word = (plain ? ['yes', 'on', 'true'] : ['no', 'off', 'false']).find((w) => values.includes(w));
  return word ?? plain;
}

function readEither(kinds: readonly Kind[], plain: unknown): unknown {
  const fitting = kinds.find((kind) => fits(kind, plain));
  if (fitting !== undefined) return readLeniently(fitting, plain);
  for (const kind of kinds) {
    const read = readLeniently(kind, plain);
    if (fits(kind, read)) return read;
  }
  return plain;
}

/** Whether a plain value has the outer shape of a kind. */
export function fits(kind: Kind, plain: unknown): boolean {
  switch (kind.kind) {
    case 'boolean':
      return typeof plain === 'boolean';
    case 'integer':
      return Number.isInteger(plain);
    case 'number':
      return typeof plain === 'number';
    case 'choice':
      return typeof plain === 'string' && kind.values.includes(plain);
    case 'list':
      return Array.isArray(plain);
    case 'object':
    case 'map':
      return isMapping(plain);
    case 'any':
      return true;
    case 'either':
      return kind.of.some((k) => fits(k, plain));
    default:
      return (
        typeof plain === 'string' &&
        (kind.kind !== 'string' || kind.pattern === undefined || new RegExp(kind.pattern, 'u').test(plain))
      );
  }
}
