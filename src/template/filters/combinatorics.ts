// Filters that combine lists: zip, product, permutations, combinations.
import {elementsOf} from '../compare.ts';
import type {Filter, Site} from '../environment.ts';
import {Misuse} from '../fault.ts';
import {MAX_LIST} from '../operate.ts';
import {Tuple, type Named} from '../values.ts';

function lists(value: unknown, others: readonly unknown[]): (readonly unknown[])[] {
  return [value, ...others].map(elementsOf);
}

function zipped(all: readonly (readonly unknown[])[], count: number, fill: unknown): unknown[] {
  return Array.from({length: count}, (_, i) =>
    Tuple.from_(all.map((list) => (list[i] === undefined ? fill : list[i]))),
  );
}

function bounded(count: number): void {
  if (count > MAX_LIST)
    throw new Misuse(`the list would have ${String(count)} elements; the limit is ${MAX_LIST}`, 'template-budget');
}

function product(all: readonly (readonly unknown[])[]): unknown[] {
  bounded(all.reduce((count, list) => count * list.length, 1));
  let out: unknown[][] = [[]];
  for (const list of all) out = out.flatMap((head) => list.map((element) => [...head, element]));
  return out.map((tuple) => Tuple.from_(tuple));
}

/** All ways to pick `size` positions, in order (`ordered` false) or in every order. */
function picks(count: number, size: number, ordered: boolean): number[][] {
  let total = 1;
  for (let i = 0; i < size; i++) total *= ordered ? count - i : (count - i) / (i + 1);
  bounded(Math.max(0, total));
  if (size > count) return [];
  const out: number[][] = [];
  const go = (chosen: number[]): void => {
    if (chosen.length === size) {
      out.push([...chosen]);
      return;
    }
    for (let i = ordered ? 0 : (chosen.at(-1) ?? -1) + 1; i < count; i++) {
      if (ordered && chosen.includes(i)) continue;
      chosen.push(i);
      go(chosen);
      chosen.pop();
    }
  };
  go([]);
  return out;
}

function picked(_site: Site, value: unknown, size: unknown, ordered: boolean): unknown[] {
  const list = elementsOf(value);
  const count = size === undefined || size === null ? list.length : Number(size);
  return picks(list.length, count, ordered).map((pick) => Tuple.from_(pick.map((i) => list[i])));
}

export const combinatoricFilters: readonly (readonly [string, Filter])[] = [
  [
    'zip',
    {
      params: ['*'],
      mode: 'moves',
      apply: (_site, value, others: unknown[]) => {
        const all = lists(value, others);
        return zipped(all, Math.min(...all.map((list) => list.length)), null);
      },
    },
  ],
  [
    'zip_longest',
    {
      params: ['*', '**'],
      mode: 'moves',
      apply: (_site, value, others: unknown[], named: Named) => {
        const all = lists(value, others);
        return zipped(all, Math.max(...all.map((list) => list.length)), named.get('fillvalue') ?? null);
      },
    },
  ],
  [
    'product',
    {
      params: ['*', '**'],
      mode: 'moves',
      apply: (_site, value, others: unknown[], named: Named) => {
        const all = lists(value, others);
        const repeat = Number(named.get('repeat') ?? 1);
        bounded(repeat);
        return product(Array.from({length: repeat}, () => all).flat());
      },
    },
  ],
  [
    'permutations',
    {params: ['size'], mode: 'moves', apply: (site, value, size?: unknown) => picked(site, value, size, true)},
  ],
  [
    'combinations',
    {params: ['size'], mode: 'moves', apply: (site, value, size: unknown) => picked(site, value, size, false)},
  ],
];
