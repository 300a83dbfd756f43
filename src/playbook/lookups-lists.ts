// Lookups that only rearrange what they are given; most are known as with_items, with_dict, with_nested, ….
import {Misuse} from '../template/fault.ts';
import {entriesOf, isMapping, valueOf} from '../template/mapping.ts';
import {Float} from '../template/values.ts';
import {flagOption, flattenedOnce, itemsOf, splitTerm, textOf} from './lookup-arguments.ts';
import type {Lookup, Options} from './lookup-site.ts';

/** Lists inside a term, as with_nested and with_together take them. */
function listOf(term: unknown): unknown[] {
  if (Array.isArray(term)) return flattenedOnce(term);
  return [term];
}

const nested: Lookup = (terms) => {
  if (terms.length === 0) throw new Misuse('at least one list is needed', 'lookup-argument');
  let rows: unknown[][] = [[]];
  for (const term of terms) {
    const elements = listOf(term);
    if (rows.length * elements.length > 1_000_000)
      throw new Misuse('more than a million combinations', 'lookup-argument');
    rows = rows.flatMap((row) => elements.map((element) => [...row, element]));
  }
  return rows;
};

const together: Lookup = (terms) => {
  const lists = terms.map(listOf);
  const length = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({length}, (_, i) => lists.map((list) => list[i] ?? null));
};

const dict: Lookup = (terms) => flattenedOnce(terms).flatMap(itemsOf);

function deepFlattened(value: unknown): unknown[] {
  if (value === null || value === 'None' || value === 'null') return [];
  return Array.isArray(value) ? value.flatMap(deepFlattened) : [value];
}

const subelements: Lookup = (terms, options) => {
  const [source, path, flags] = terms;
  if (terms.length < 2) throw new Misuse('a list and the name of a key are needed', 'lookup-argument');
  const skip =
    (isMapping(flags) &&
      flagOption(new Map([['skip_missing', valueOf(flags, 'skip_missing')]]), 'skip_missing', false)) ||
    flagOption(options, 'skip_missing', false);
  const elements: unknown[] = isMapping(source)
    ? entriesOf(source).map(([, value]) => value)
    : Array.isArray(source)
      ? source
      : [];
  const keys = textOf(path, 'the key').split('.');
  return elements.flatMap((element) => {
    if (isMapping(element) && valueOf(element, 'skipped') === true) return [];
    let inner: unknown = element;
    for (const key of keys) {
      const next: unknown = isMapping(inner) ? valueOf(inner, key) : undefined;
      if (next === undefined || next === null) {
        if (skip) return [];
        throw new Misuse(
          `an element has no key "${key}"`,
          'lookup-argument',
          'give skip_missing: true to leave such elements out',
        );
      }
      inner = next;
    }
    if (!Array.isArray(inner)) throw new Misuse(`"${keys.join('.')}" is not a list`, 'lookup-argument');
    return inner.map((one: unknown) => [element, one]);
  });
};

/** `start=1 end=10 stride=2 format=web%02d`, `count=5`, or `1-10/2:web%02d`. */
const sequence: Lookup = (terms, options) =>
  terms.length === 0 ? sequenceOf(options) : terms.flatMap((term) => sequenceOf(sequenceTerm(term, options)));

function sequenceTerm(term: unknown, options: Options): Options {
  const short = /^(?:(\d+|0x[\da-f]+)-)?(\d+|0x[\da-f]+)(?:\/(\d+|0x[\da-f]+))?(?::(.+))?$/i.exec(
    textOf(term, 'the sequence').trim(),
  );
  if (short === null) {
    const {raw, options: named} = splitTerm(term, options);
    if (raw !== '')
      throw new Misuse(
        `"${raw}" is no part of a sequence`,
        'lookup-argument',
        'start=1 end=10 stride=2 format=web%02d',
      );
    return named;
  }
  const [, start, end, stride, format] = short;
  const given = {start, end, stride, format};
  return new Map<string, unknown>([...options, ...Object.entries(given).filter(([, value]) => value !== undefined)]);
}

function sequenceOf(options: Options): string[] {
  const number = (name: string): number | undefined => {
    const value = options.get(name);
    if (value === undefined || value === null) return undefined;
    const parsed = value instanceof Float ? value.value : Number(textOf(value, name));
    if (!Number.isInteger(parsed)) throw new Misuse(`${name} of a sequence must be a whole number`, 'lookup-argument');
    return parsed;
  };
  const start = number('start') ?? 1;
  const count = number('count');
  let stride = number('stride') ?? 1;
  let end = number('end');
  if (count === undefined && end === undefined) throw new Misuse('a sequence needs end or count', 'lookup-argument');
  if (count !== undefined && end !== undefined)
    throw new Misuse('a sequence has end or count, not both', 'lookup-argument');
  if (count !== undefined) {
    if (count === 0) return [];
    end = start + (count - 1) * stride;
  }
  const last = end ?? start;
  if (stride === 0) return [];
  if (stride > 0 && last < start) throw new Misuse('to count backwards make stride negative', 'lookup-argument');
  if (stride < 0 && last > start) throw new Misuse('to count forward make stride positive', 'lookup-argument');
  stride = Math.trunc(stride);
  const length = Math.floor((last - start) / stride) + 1;
  if (length > 1_000_000) throw new Misuse('more than a million elements', 'lookup-argument');
  const format = options.has('format') ? textOf(options.get('format'), 'format') : '%d';
  return Array.from({length}, (_, i) => formatted(format, start + i * stride));
}

/** printf with the one number: `%d`, `%02x`, `%o`, `%%`. */
function formatted(format: string, value: number): string {
  return format.replace(/%(?:%|([-+ 0#]*)(\d*)([diouxX]))/g, (all, flags?: string, width?: string, kind?: string) => {
    if (kind === undefined) return '%';
    const base = kind === 'x' || kind === 'X' ? 16 : kind === 'o' ? 8 : 10;
    const digits = Math.abs(value).toString(base);
    const prefix = (flags?.includes('#') === true && base === 16 ? '0x' : '') || '';
    const sign = value < 0 ? '-' : flags?.includes('+') === true ? '+' : '';
    const room = Number(width ?? '') - sign.length - prefix.length;
    const left = flags?.includes('-') === true;
    const body = flags?.includes('0') === true && !left ? digits.padStart(room, '0') : digits;
    const text = sign + prefix + (kind === 'X' ? body.toUpperCase() : body);
    return left ? text.padEnd(Number(width ?? '')) : text.padStart(Number(width ?? ''));
  });
}

const randomChoice: Lookup = (terms, _options, site) => {
  const bytes = site.run.environment.randomBytes?.(6);
  if (bytes === undefined) throw new Misuse('there is no source of randomness here', 'lookup-unavailable');
  const elements = flattenedOnce(terms);
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return elements.length === 0 ? [] : [elements[number % elements.length]];
};

/** Lookups on given values, by name. */
export const listLookups: ReadonlyMap<string, Lookup> = new Map<string, Lookup>([
  ['list', (terms) => terms],
  ['items', (terms) => flattenedOnce(terms)],
  ['flattened', (terms) => terms.flatMap(deepFlattened)],
  ['indexed_items', (terms) => flattenedOnce(terms).map((element, i) => [i, element])],
  ['dict', dict],
  ['nested', nested],
  ['cartesian', nested],
  ['together', together],
  ['subelements', subelements],
  ['sequence', sequence],
  ['random_choice', randomChoice],
]);
