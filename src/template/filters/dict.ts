// Ansible's filters on mappings.
import {isFlagged} from '../boolean.ts';
import {elementsOf, equal, known} from '../compare.ts';
import type {Filter, Site} from '../environment.ts';
import {Misuse} from '../fault.ts';
import {entriesOf, hasKey, isMapping, mappingOf, valueOf, type Mapping} from '../mapping.ts';
import {typeName} from '../print.ts';
import {pairsOf} from '../method-dict.ts';
import {Tuple, Undefined, type Named} from '../values.ts';
import {plain} from './text.ts';

function mappingArgument(value: unknown, filter: string): Mapping {
  known(value);
  if (isMapping(value)) return value;
  throw new Misuse(`${filter} needs mappings, not ${typeName(value)}`, 'template-type');
}

function without(list: readonly unknown[], other: readonly unknown[]): unknown[] {
  return list.filter((element) => !other.some((one) => equal(one, element)));
}

function mergedLists(mode: string, below: unknown[], above: unknown[]): unknown[] {
  switch (mode) {
    case 'append':
      return [...below, ...above];
    case 'prepend':
      return [...above, ...below];
    case 'append_rp':
      return [...without(below, above), ...above];
    case 'prepend_rp':
      return [...above, ...without(below, above)];
    case 'keep':
      return below;
    default:
      return above;
  }
}

/** Merges two mappings as Ansible's `combine` does; `above` wins. */
export function combined(below: Mapping, above: Mapping, recursive: boolean, lists: string): Mapping {
  const entries = entriesOf(below);
  for (const [key, value] of entriesOf(above)) {
    const old = valueOf(below, key);
    let merged = value;
    if (hasKey(below, key)) {
      if (recursive && isMapping(old) && isMapping(value)) merged = combined(old, value, true, lists);
      else if (Array.isArray(old) && Array.isArray(value))
        merged = mergedLists(lists, old as unknown[], value as unknown[]);
    }
    entries.push([key, merged]);
  }
  return mappingOf(entries);
}

function combine(_site: Site, value: unknown, others: readonly unknown[], named: Named): unknown {
  const lists = named.has('list_merge') ? plain(named.get('list_merge')) : 'replace';
  for (const name of named.keys())
    if (name !== 'recursive' && name !== 'list_merge')
      throw new Misuse(`combine has no argument "${name}"`, 'bad-argument', 'recursive or list_merge');
  if (!['replace', 'keep', 'append', 'prepend', 'append_rp', 'prepend_rp'].includes(lists))
    throw new Misuse(
      `list_merge cannot be "${lists}"`,
      'bad-argument',
      'one of replace, keep, append, prepend, append_rp, prepend_rp',
    );
  const recursive = isFlagged(named.get('recursive'));
  const flat = (list: readonly unknown[]): unknown[] => list.flatMap((one) => (Array.isArray(one) ? flat(one) : [one]));
  return flat([value, ...others])
    .map((one) => mappingArgument(one, 'combine'))
    .reduce((below, above) => combined(below, above, recursive, lists));
}

function subelements(site: Site, value: unknown, path: unknown, skip?: unknown): unknown[] {
  const elements = isMapping(value) ? entriesOf(value).map(([, element]) => element) : elementsOf(value);
  const parts = Array.isArray(path) ? path : plain(path).split('.');
  const out: unknown[] = [];
  for (const element of elements) {
    let found: unknown = element;
    for (const part of parts) found = isMapping(found) ? site.item(found, part) : found;
    if (found instanceof Undefined) {
      if (isFlagged(skip)) continue;
      throw new Misuse(
        `could not find "${plain(parts.join('.'))}" key in iterated item`,
        'undefined-attribute',
        'skip_missing=True leaves such items out',
      );
    }
    if (!Array.isArray(found))
      throw new Misuse(
        `the key ${plain(parts.join('.'))} should point to a list, not ${typeName(found)}`,
        'template-type',
      );
    for (const one of found as unknown[]) out.push(Tuple.from_([element, one]));
  }
  return out;
}

function dictToItems(value: unknown, keyName: unknown, valueName: unknown): unknown[] {
  const [key, name] = [
    keyName === undefined ? 'key' : plain(keyName),
    valueName === undefined ? 'value' : plain(valueName),
  ];
  return entriesOf(mappingArgument(value, 'dict2items')).map(([k, v]) =>
    mappingOf([
      [key, k],
      [name, v],
    ]),
  );
}

function itemsToDict(site: Site, value: unknown, keyName: unknown, valueName: unknown): unknown {
  const [key, name] = [
    keyName === undefined ? 'key' : plain(keyName),
    valueName === undefined ? 'value' : plain(valueName),
  ];
  if (!Array.isArray(value)) throw new Misuse(`items2dict needs a list, not ${typeName(value)}`, 'template-type');
  return mappingOf(
    value.map((item: unknown): [unknown, unknown] => [known(site.item(item, key)), known(site.item(item, name))]),
  );
}

export const dictFilters: readonly (readonly [string, Filter])[] = [
  ['combine', {params: ['*', '**'], mode: 'moves', apply: combine}],
  [
    'dict2items',
    {
      params: ['key_name', 'value_name'],
      mode: 'moves',
      apply: (_site, value, key?: unknown, name?: unknown) => dictToItems(value, key, name),
    },
  ],
  [
    'items2dict',
    {
      params: ['key_name', 'value_name'],
      mode: 'moves',
      apply: (site, value, key?: unknown, name?: unknown) => itemsToDict(site, value, key, name),
    },
  ],
  ['subelements', {params: ['subelements', 'skip_missing'], mode: 'moves', apply: subelements}],
  ['dict', {params: [], mode: 'moves', apply: (_site, value) => mappingOf(pairsOf(value))}],
  ['dict_kv', {params: ['key'], mode: 'moves', apply: (_site, value, key: unknown) => mappingOf([[key, value]])}],
];
