// Filters on lists: choosing, ordering, regrouping.
import {isFlagged} from '../boolean.ts';
import {closed} from '../secrecy.ts';
import {Secret} from '../../base/secret.ts';
import {Unknown} from '../../base/unknown.ts';
import {elementsOf, equal, known, lengthOf, order, textOf, truth} from '../compare.ts';
import type {Filter, Site} from '../environment.ts';
import {Misuse} from '../fault.ts';
import {entriesOf, isMapping, mappingOf} from '../mapping.ts';
import {isInt} from '../number.ts';
import {boundedList, operate} from '../operate.ts';
import {NamedTuple, Tuple, Undefined, Waits, type Named} from '../values.ts';
import {plain} from './text.ts';

/** Lower case unless told otherwise, as Jinja compares texts. */
function folded(value: unknown, caseSensitive: unknown): unknown {
  const text = textOf(value);
  return text === undefined || isFlagged(caseSensitive) ? value : text.toLowerCase();
}

/** Reads `a.b.0` from a value. */
export function readPath(site: Site, value: unknown, attribute: unknown): unknown {
  if (isInt(attribute)) return site.item(value, attribute);
  let found = value;
  for (const part of plain(attribute).split('.')) found = site.item(found, /^\d+$/.test(part) ? Number(part) : part);
  return found;
}

/** The key that `attribute` reads from an element; with commas several, compared one after another. */
function keyOf(
  site: Site,
  attribute: unknown,
  caseSensitive: unknown,
  fallback?: unknown,
): (element: unknown) => unknown {
  const read = (element: unknown, path: unknown): unknown => {
    const found = readPath(site, element, path);
    return found instanceof Undefined && fallback !== undefined ? fallback : found;
  };
  return (element) => {
    if (attribute === undefined || attribute === null) return folded(known(element), caseSensitive);
    const paths = textOf(attribute)?.split(',') ?? [attribute];
    const keys = paths.map((path) => folded(known(read(element, path)), caseSensitive));
    return keys.length === 1 ? keys[0] : keys;
  };
}

function sorted<T>(list: readonly T[], key: (element: T) => unknown, reverse = false): T[] {
  const keyed = list.map((element) => ({element, key: key(element)}));
  keyed.sort((a, b) => (reverse ? order(b.key, a.key) : order(a.key, b.key)));
  return keyed.map(({element}) => element);
}

function sort(site: Site, value: unknown, reverse?: unknown, caseSensitive?: unknown, attribute?: unknown): unknown[] {
  return sorted(elementsOf(value), keyOf(site, attribute, caseSensitive), isFlagged(reverse));
}

/** Keys that were seen, with a fast way for texts and numbers. */
class Seen {
  readonly #plain = new Set<unknown>();
  readonly #other: unknown[] = [];

  /** Whether the value is new; it is remembered. */
  add(value: unknown): boolean {
    known(value);
    const text = textOf(value);
    if (text !== undefined || isInt(value)) {
      const key = text === undefined ? value : `s${text}`;
      if (this.#plain.has(key) || (text === undefined && this.#other.some((one) => equal(one, value)))) return false;
      this.#plain.add(key);
      return true;
    }
    if (this.#other.some((one) => equal(one, value))) return false;
    if (typeof value === 'boolean' && this.#plain.has(Number(value))) return false;
    this.#other.push(value);
    return true;
  }

  has(value: unknown): boolean {
    known(value);
    const text = textOf(value);
    if (text !== undefined) return this.#plain.has(`s${text}`);
    if (isInt(value) && this.#plain.has(value)) return true;
    if (typeof value === 'boolean' && this.#plain.has(Number(value))) return true;
    return this.#other.some((one) => equal(one, value));
  }
}

function unique(site: Site, value: unknown, caseSensitive?: unknown, attribute?: unknown): unknown[] {
  const seen = new Seen();
  const key = keyOf(site, attribute, caseSensitive ?? false);
  const list = elementsOf(value);
  site.spend(list.length);
  return list.filter((element) => seen.add(key(element)));
}

function seenIn(value: unknown): Seen {
  const seen = new Seen();
  for (const element of elementsOf(value)) seen.add(element);
  return seen;
}

function distinct(list: readonly unknown[]): unknown[] {
  const seen = new Seen();
  return list.filter((element) => seen.add(element));
}

function extreme(site: Site, value: unknown, sign: number, caseSensitive: unknown, attribute: unknown): unknown {
  const list = elementsOf(value);
  if (list.length === 0) return site.undefined('the list is empty: it has no smallest or largest element');
  const key = keyOf(site, attribute, caseSensitive);
  return list.reduce((best, element) => (order(key(element), key(best)) * sign > 0 ? element : best));
}

function groupBy(
  site: Site,
  value: unknown,
  attribute: unknown,
  fallback?: unknown,
  caseSensitive?: unknown,
): unknown[] {
  const shown = keyOf(site, attribute, true, fallback);
  const key = keyOf(site, attribute, caseSensitive, fallback);
  const list = sorted(elementsOf(value), key);
  const groups: {key: unknown; elements: unknown[]}[] = [];
  for (const element of list) {
    const current = groups.at(-1);
    if (current !== undefined && equal(current.key, key(element))) current.elements.push(element);
    else groups.push({key: key(element), elements: [element]});
  }
  return groups.map(({elements}) => NamedTuple.of_(['grouper', 'list'], [shown(elements[0]), elements]));
}

function batch(value: unknown, size: unknown, fill: unknown): unknown[][] {
  const count = Number(size);
  if (!(count >= 1)) throw new Misuse('batch needs a size of at least 1', 'bad-argument');
  const list = elementsOf(value);
  const out: unknown[][] = [];
  for (let i = 0; i < list.length; i += count) out.push(list.slice(i, i + count));
  const last = out.at(-1);
  if (fill !== undefined && fill !== null && last !== undefined) while (last.length < count) last.push(fill);
  return out;
}

function slices(value: unknown, slicesWanted: unknown, fill: unknown): unknown[][] {
  const count = Number(slicesWanted);
  boundedList(count);
  if (!(count >= 1)) throw new Misuse('slice needs a number of columns', 'bad-argument');
  const list = elementsOf(value);
  const size = Math.floor(list.length / count);
  const longer = list.length % count;
  let at = 0;
  return Array.from({length: count}, (_, i) => {
    const end = at + size + (i < longer ? 1 : 0);
    const part = list.slice(at, end);
    at = end;
    if (fill !== undefined && fill !== null && i >= longer) part.push(fill);
    return part;
  });
}

function map(site: Site, value: unknown, args: readonly unknown[], named: Named): unknown[] {
  const list = value instanceof Undefined ? [] : elementsOf(value);
  const [first, ...rest] = args;
  if (first === undefined) {
    const attribute = named.get('attribute');
    if (attribute === undefined) throw new Misuse('map needs the name of a filter or attribute=', 'bad-argument');
    const fallback = named.get('default');
    return list.map((element) => {
      const found = readPath(site, element, attribute);
      return found instanceof Undefined && fallback !== undefined ? fallback : found;
    });
  }
  return list.map((element) => site.filter(plain(first), element, rest, named));
}

function choose(attribute: boolean, keep: boolean): Filter['apply'] {
  return (site: Site, value: unknown, args: readonly unknown[], named: Named): unknown[] => {
    const list = elementsOf(value);
    const [path, test, ...rest] = attribute ? args : [undefined, ...args];
    if (attribute && path === undefined) throw new Misuse('the name of an attribute is missing', 'bad-argument');
    site.spend(list.length);
    return list.filter((element) => {
      const subject = attribute ? readPath(site, element, path) : element;
      const answer = test === undefined ? truth(subject) : site.test(plain(test), subject, rest, named);
      return answer === keep;
    });
  };
}

function flatten(list: readonly unknown[], levels: number, skipNulls: boolean, site: Site): unknown[] {
  const out: unknown[] = [];
  for (const element of list) {
    if (skipNulls && (element === null || element === 'None' || element === 'null')) continue;
    if (Array.isArray(element) && levels !== 0)
      for (const inner of flatten(element, levels - 1, skipNulls, site)) out.push(inner);
    else out.push(element);
    site.spend(1);
  }
  return out;
}

function sum(site: Site, value: unknown, attribute?: unknown, start: unknown = 0): unknown {
  let total = start;
  for (const element of elementsOf(value))
    total = operate(
      '+',
      total,
      attribute === undefined || attribute === null ? element : readPath(site, element, attribute),
    );
  return total;
}

function reverse(value: unknown): unknown {
  if (value instanceof Secret) return closed(Array.from(value.reveal()).reverse().join(''));
  if (typeof value === 'string') return Array.from(value).reverse().join('');
  return [...elementsOf(value)].reverse();
}

function moves(params: readonly string[], apply: Filter['apply'], more: Partial<Filter> = {}): Filter {
  return {params, apply, mode: 'moves', ...more};
}

function length(_site: Site, value: unknown): number {
  return lengthOf(value);
}

function end(which: 'first' | 'last'): Filter {
  return moves([], (site: Site, value: unknown) => {
    const element = elementsOf(value).at(which === 'first' ? 0 : -1);
    return element === undefined ? site.undefined(`the list is empty: it has no ${which} element`) : element;
  });
}

/** Waits for unknown elements where the result depends on what they are. */
function settled(value: unknown): readonly unknown[] {
  const list = elementsOf(value);
  for (const element of list) if (element instanceof Unknown) throw new Waits(element);
  return list;
}

export const listFilters: readonly (readonly [string, Filter])[] = [
  ['first', end('first')],
  ['last', end('last')],
  ['length', moves([], length)],
  ['count', moves([], length)],
  ['list', moves([], (site: Site, value: unknown) => site.own([...elementsOf(value)]))],
  ['reverse', moves([], (_site: Site, value: unknown) => reverse(value))],
  ['sort', moves(['reverse', 'case_sensitive', 'attribute'], sort)],
  ['unique', moves(['case_sensitive', 'attribute'], unique)],
  [
    'min',
    moves(['case_sensitive', 'attribute'], (site: Site, value: unknown, cs?: unknown, attribute?: unknown) =>
      extreme(site, value, -1, cs, attribute),
    ),
  ],
  [
    'max',
    moves(['case_sensitive', 'attribute'], (site: Site, value: unknown, cs?: unknown, attribute?: unknown) =>
      extreme(site, value, 1, cs, attribute),
    ),
  ],
  ['sum', moves(['attribute', 'start'], sum)],
  ['groupby', moves(['attribute', 'default', 'case_sensitive'], groupBy)],
  [
    'batch',
    moves(['linecount', 'fill_with'], (_site: Site, value: unknown, size: unknown, fill?: unknown) =>
      batch(value, size, fill),
    ),
  ],
  [
    'slice',
    moves(['slices', 'fill_with'], (_site: Site, value: unknown, count: unknown, fill?: unknown) =>
      slices(value, count, fill),
    ),
  ],
  ['map', moves(['*', '**'], map)],
  ['select', moves(['*', '**'], choose(false, true))],
  ['reject', moves(['*', '**'], choose(false, false))],
  ['selectattr', moves(['*', '**'], choose(true, true))],
  ['rejectattr', moves(['*', '**'], choose(true, false))],
  [
    'flatten',
    moves(['levels', 'skip_nulls'], (site: Site, value: unknown, levels?: unknown, skip?: unknown) =>
      flatten(
        elementsOf(value),
        levels === undefined || levels === null ? -1 : Number(levels),
        skip === undefined || truth(skip),
        site,
      ),
    ),
  ],
  ['union', moves(['other'], (_site: Site, a: unknown, b: unknown) => distinct([...settled(a), ...settled(b)]))],
  [
    'intersect',
    moves(['other'], (_site: Site, a: unknown, b: unknown) => {
      const other = seenIn(b);
      return distinct(settled(a).filter((element) => other.has(element)));
    }),
  ],
  [
    'difference',
    moves(['other'], (_site: Site, a: unknown, b: unknown) => {
      const other = seenIn(b);
      return distinct(settled(a).filter((element) => !other.has(element)));
    }),
  ],
  [
    'symmetric_difference',
    moves(['other'], (_site: Site, a: unknown, b: unknown) => {
      const left = seenIn(a);
      const right = seenIn(b);
      return distinct([...settled(a), ...settled(b)]).filter((element) => left.has(element) !== right.has(element));
    }),
  ],
  [
    'dictsort',
    moves(
      ['case_sensitive', 'by', 'reverse'],
      (_site: Site, value: unknown, cs?: unknown, by?: unknown, backwards?: unknown) => {
        if (!isMapping(value)) throw new Misuse('dictsort needs a mapping', 'template-type');
        const part = by !== undefined && plain(by) === 'value' ? 1 : 0;
        return sorted(entriesOf(value), (entry) => folded(entry[part], cs), isFlagged(backwards)).map((entry) =>
          Tuple.from_(entry),
        );
      },
    ),
  ],
  [
    'items',
    moves(
      [],
      (_site: Site, value: unknown) => {
        if (value instanceof Undefined) return [];
        if (!isMapping(value)) throw new Misuse('items needs a mapping', 'template-type');
        return entriesOf(value).map((entry) => Tuple.from_(entry));
      },
      {takesUndefined: true},
    ),
  ],
  [
    'extract',
    moves(['container', 'morekeys'], (site: Site, value: unknown, container: unknown, more?: unknown) => {
      let found = site.item(container, value);
      for (const key of more === undefined || more === null ? [] : Array.isArray(more) ? more : [more])
        found = site.item(found, key);
      return found;
    }),
  ],
  [
    'rekey_on_member',
    moves(['key', 'duplicates'], (site: Site, value: unknown, key: unknown, duplicates?: unknown) => {
      const seen = new Seen();
      const elements = isMapping(value) ? entriesOf(value).map(([, element]) => element) : elementsOf(value);
      return mappingOf(
        elements.map((element): [unknown, unknown] => {
          const name = known(site.item(element, key));
          if (!seen.add(name) && plain(duplicates ?? 'error') !== 'overwrite')
            throw new Misuse(`Key ${plain(name)} is not unique, cannot convert to dict`);
          return [name, element];
        }),
      );
    }),
  ],
];
