// The methods of mappings. Those that change a mapping work only on one that the template itself made.
import {textOf} from './compare.ts';
import {Misuse} from './fault.ts';
import {bind} from './arguments.ts';
import {deleteKey, entriesOf, hasKey, isMapping, keysOf, mappingOf, setKey, valueOf, type Mapping} from './mapping.ts';
import {str} from './print.ts';
import type {Run} from './run.ts';
import {Func, Tuple, type Named} from './values.ts';

type Method = {params: readonly string[]; apply: (run: Run, dict: Mapping, ...args: unknown[]) => unknown};

function changeable(run: Run, dict: Mapping, method: string): void {
  if (run.owned.has(dict)) return;
  throw new Misuse(`${method}() would change a variable`, 'template-mutation', 'use value | combine(other)');
}

/** The entries of a mapping or of a list of pairs. */
export function pairsOf(value: unknown): [unknown, unknown][] {
  if (isMapping(value)) return entriesOf(value);
  if (!Array.isArray(value)) throw new Misuse('expected a mapping or a list of pairs', 'template-type');
  return value.map((pair: unknown): [unknown, unknown] => {
    if (!Array.isArray(pair) || pair.length !== 2) throw new Misuse('expected a list of pairs', 'template-type');
    return [pair[0], pair[1]];
  });
}

function pop(run: Run, dict: Mapping, key: unknown, fallback: unknown): unknown {
  changeable(run, dict, 'pop');
  if (!hasKey(dict, key)) {
    if (fallback !== undefined) return fallback;
    throw new Misuse(`the mapping has no key ${String(str(key))}`);
  }
  const value = valueOf(dict, key);
  deleteKey(dict, key);
  return value;
}

function update(run: Run, dict: Mapping, other: unknown, named: unknown): unknown {
  changeable(run, dict, 'update');
  if (other !== undefined) for (const [key, value] of pairsOf(other)) setKey(dict, key, value);
  for (const [key, value] of named as Named) setKey(dict, key, value);
  return null;
}

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['items', {params: [], apply: (_run, dict) => entriesOf(dict).map((entry) => Tuple.from_(entry))}],
  ['keys', {params: [], apply: (_run, dict) => keysOf(dict)}],
  ['values', {params: [], apply: (_run, dict) => entriesOf(dict).map(([, value]) => value)}],
  [
    'get',
    {
      params: ['key', 'default'],
      apply: (_run, dict, key, fallback) =>
        hasKey(dict, textOf(key) ?? key) ? valueOf(dict, textOf(key) ?? key) : (fallback ?? null),
    },
  ],
  ['copy', {params: [], apply: (run, dict) => own(run, mappingOf(entriesOf(dict)))}],
  ['pop', {params: ['key', 'default'], apply: (run, dict, key, fallback) => pop(run, dict, key, fallback)}],
  ['update', {params: ['other', '**'], apply: (run, dict, other, named) => update(run, dict, other, named)}],
  [
    'setdefault',
    {
      params: ['key', 'default'],
      apply: (run, dict, key, fallback = null) => {
        if (hasKey(dict, key)) return valueOf(dict, key);
        changeable(run, dict, 'setdefault');
        setKey(dict, key, fallback);
        return fallback;
      },
    },
  ],
]);

function own(run: Run, value: Mapping): Mapping {
  run.owned.add(value);
  return value;
}

export const DICT_METHODS: readonly string[] = [...METHODS.keys()];

/** The bound method of a mapping; undefined if there is none of that name. */
export function dictMethod(run: Run, dict: Mapping, name: string): Func | undefined {
  const method = METHODS.get(name);
  if (method === undefined) return undefined;
  return new Func(name, (args, named) => method.apply(run, dict, ...bind(method.params, args, named, `${name}()`)), {
    raw: true,
  });
}
