// The methods of lists. Those that change a list work only on one that the template itself made.
import {bind} from './arguments.ts';
import {elementsOf, equal, order, truth} from './compare.ts';
import {Misuse} from './fault.ts';
import {boundedList} from './operate.ts';
import type {Run} from './run.ts';
import {Func, RangeList, Tuple} from './values.ts';

type Method = {
  params: readonly string[];
  changes?: true;
  apply: (run: Run, list: unknown[], ...args: unknown[]) => unknown;
};

function indexOf(list: readonly unknown[], wanted: unknown): number {
  const index = list.findIndex((element) => equal(element, wanted));
  if (index < 0) throw new Misuse('the value is not in the list');
  return index;
}

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['index', {params: ['value'], apply: (_run, list, value) => indexOf(list, value)}],
  ['count', {params: ['value'], apply: (_run, list, value) => list.filter((element) => equal(element, value)).length}],
  [
    'copy',
    {
      params: [],
      apply: (run, list) => {
        const copy = [...list];
        run.owned.add(copy);
        return copy;
      },
    },
  ],
  ['append', {params: ['value'], changes: true, apply: (run, list, value) => extend(run, list, [value])}],
  ['extend', {params: ['values'], changes: true, apply: (run, list, values) => extend(run, list, elementsOf(values))}],
  [
    'insert',
    {
      params: ['index', 'value'],
      changes: true,
      apply: (run, list, index, value) => {
        run.spend(1);
        list.splice(Number(index), 0, value);
        return null;
      },
    },
  ],
  [
    'pop',
    {
      params: ['index'],
      changes: true,
      apply: (_run, list, index = -1) => {
        const at = Number(index) < 0 ? Number(index) + list.length : Number(index);
        if (at < 0 || at >= list.length) throw new Misuse('pop index out of range');
        return list.splice(at, 1)[0];
      },
    },
  ],
  [
    'remove',
    {
      params: ['value'],
      changes: true,
      apply: (_run, list, value) => {
        list.splice(indexOf(list, value), 1);
        return null;
      },
    },
  ],
  [
    'reverse',
    {
      params: [],
      changes: true,
      apply: (_run, list) => {
        list.reverse();
        return null;
      },
    },
  ],
  [
    'sort',
    {
      params: ['key', 'reverse'],
      changes: true,
      apply: (_run, list, _key, reverse = false) => {
        const sign = truth(reverse) ? -1 : 1;
        list.sort((a, b) => sign * order(a, b));
        return null;
      },
    },
  ],
]);

function extend(run: Run, list: unknown[], values: readonly unknown[]): null {
  run.spend(values.length);
  boundedList(list.length + values.length);
  for (const value of [...values]) list.push(value);
  return null;
}

export const LIST_METHODS: readonly string[] = [...METHODS.keys()];

/** The bound method of a list; undefined if there is none of that name. */
export function listMethod(run: Run, list: unknown[], name: string): Func | undefined {
  const method = METHODS.get(name);
  if (method === undefined) return undefined;
  if (method.changes && (list instanceof Tuple || list instanceof RangeList)) return undefined;
  return new Func(
    name,
    (args, named) => {
      if (method.changes && !run.owned.has(list))
        throw new Misuse(`${name}() would change a variable`, 'template-mutation', 'use list + [element]');
      return method.apply(run, list, ...bind(method.params, args, named, `${name}()`));
    },
    {raw: true},
  );
}
