// From evaluated YAML to what a module gets: lenient reading, judging, wrapping into stronger types, cross-field rules. After this nobody checks again.
import type {Diagnostic} from '../base/diagnostic.ts';
import {findUnknown, Unknown} from '../base/unknown.ts';
import {readParams} from '../kit/lenient.ts';
import type {Module} from '../kit/module.ts';
import type {JsonPointer} from '../kit/problem.ts';
import type {Params} from '../kit/schema.ts';
import {wrapParams} from '../kit/wrap.ts';
import type {Resolver} from '../kit/wrap.ts';
import type {ActionSpec} from './action-spec.ts';
import {escapePointer, judgeParams} from './judge.ts';
import {Unresolved} from './unresolved.ts';

/**
 * What is wrong with a parameter. `pointer` leads to it in the task's parameters as the user spelled them (aliases are not resolved in it);
 * `at: 'key'` when the name is meant. `diagnostic`: the mistake lies in another file (a template), there.
 */
export type BindProblem = {
  readonly pointer: JsonPointer;
  readonly at: 'key' | 'value';
  readonly code: string;
  readonly message: string;
  readonly note?: string;
  readonly help?: string;
  readonly severity?: 'error' | 'warning';
  readonly diagnostic?: Diagnostic;
};

/** Values for the module, mistakes, or what has to be known first. */
export type Bound =
  | {
      readonly bound: 'values';
      readonly values: Readonly<Record<string, unknown>>;
      /** what the module finds odd, though it would do it */
      readonly warnings?: readonly BindProblem[];
    }
  | {readonly bound: 'problems'; readonly problems: readonly BindProblem[]}
  | {readonly bound: 'unknown'; readonly cause: string};

/** Binds a module's parameters. Pure but for what the resolver reads. */
export function bindModule(module: Module, evaluated: Readonly<Record<string, unknown>>, resolver: Resolver): Bound {
  const bound = bindParams(module.name, module.params, evaluated, resolver);
  if (module.check === undefined) return bound;
  if (bound.bound === 'problems') {
    // names that nobody knows do not keep the rest from being looked at
    const strange = new Set(
      bound.problems.map(({code, pointer}) =>
        code === 'unknown-param' || code === 'refused-param' ? pointer.slice(1) : '/',
      ),
    );
    if ([...strange].some((name) => name.includes('/') || !Object.hasOwn(evaluated, name))) return bound;
    const rest = Object.fromEntries(Object.entries(evaluated).filter(([name]) => !strange.has(name)));
    const again = bindModule(module, rest, resolver);
    return again.bound === 'problems' ? {bound: 'problems', problems: [...bound.problems, ...again.problems]} : bound;
  }
  if (bound.bound !== 'values') return bound;
  const problems = module.check(bound.values as never).map((problem): BindProblem => ({
    pointer: problem.param ?? '',
    at: 'value',
    code: problem.code,
    message: `${module.name}: ${problem.message}`,
    ...(problem.help === undefined ? {} : {help: problem.help}),
    ...(problem.severity === undefined ? {} : {severity: problem.severity}),
  }));
  return problems.some((problem) => problem.severity !== 'warning')
    ? {bound: 'problems', problems}
    : problems.length > 0
      ? {...bound, warnings: problems}
      : bound;
}

/** Binds an engine action's parameters. Its own keys (`set_fact: {a: 1}`) pass as they are. */
export function bindAction(action: ActionSpec, evaluated: Readonly<Record<string, unknown>>): Bound {
  const expressions = new Set(action.expressions);
  // expressions are evaluated by the action itself
  const params = Object.fromEntries(Object.entries(action.params).filter(([name]) => !expressions.has(name)));
  const given = Object.fromEntries(Object.entries(evaluated).filter(([name]) => !expressions.has(name)));
  return bindParams(action.name, params, given, noFiles, action.anyKeys === true);
}

const noFiles: Resolver = {
  file: () => {
    throw new Error('actions take no controller files');
  },
  template: () => {
    throw new Error('actions take no templates');
  },
};

/** Binds parameters. `name` is how messages call their owner. */
export function bindParams(
  name: string,
  params: Params,
  evaluated: Readonly<Record<string, unknown>>,
  resolver: Resolver,
  anyKeys = false,
): Bound {
  const known: Record<string, unknown> = {};
  const unknown = new Set<string>();
  let cause: string | undefined;
  for (const [key, value] of Object.entries(evaluated)) {
    const waits = findUnknown(value);
    if (waits === undefined) known[key] = value;
    else {
      cause ??= waits.cause;
      unknown.add(canonicalParam(params, key));
      if (!Object.hasOwn(params, canonicalParam(params, key)) && !anyKeys) known[key] = null;
    }
  }
  const {plain, spelling} = readGiven(params, known);
  const misfits = judgeParams(name, params, plain, {anyKeys, unknown});
  if (misfits.length > 0) {
    const problems = misfits.map((misfit): BindProblem => ({...misfit, pointer: respell(misfit.pointer, spelling)}));
    return {bound: 'problems', problems};
  }
  if (cause !== undefined) return {bound: 'unknown', cause};
  try {
    const values = wrapParams(params, plain, known, resolver);
    if (anyKeys)
      for (const [key, value] of Object.entries(evaluated))
        if (!Object.hasOwn(values, canonicalParam(params, key))) values[key] = value;
    return {bound: 'values', values};
  } catch (thrown) {
    if (!(thrown instanceof Unresolved)) throw thrown;
    if (thrown.reason instanceof Unknown) return {bound: 'unknown', cause: thrown.reason.cause};
    const pointer = fileParam(params, known);
    return {
      bound: 'problems',
      problems: thrown.reason.map((diagnostic) => ({
        pointer,
        at: 'value',
        code: diagnostic.code,
        message: diagnostic.message,
        ...(diagnostic.note === undefined ? {} : {note: diagnostic.note}),
        ...(diagnostic.help === undefined ? {} : {help: diagnostic.help}),
        ...(diagnostic.span === undefined ? {} : {diagnostic}),
      })),
    };
  }
}

/** Where the file stands that could not be read: the one parameter that names one. */
function fileParam(params: Params, given: Readonly<Record<string, unknown>>): JsonPointer {
  const key = Object.keys(given).find((name) => {
    const kind = params[canonicalParam(params, name)]?.kind.kind;
    return kind === 'template' || kind === 'controllerFile';
  });
  return key === undefined ? '' : `/${escapePointer(key)}`;
}

/** The parameter that a key means: itself, or the one that has it as an alias. */
export function canonicalParam(params: Params, key: string): string {
  if (Object.hasOwn(params, key)) return key;
  return Object.keys(params).find((name) => params[name]?.aliases.includes(key) === true) ?? key;
}

/** Lenient reading, and which spelling each parameter was given in. Null means "not given". */
function readGiven(
  params: Params,
  given: Readonly<Record<string, unknown>>,
): {plain: Record<string, unknown>; spelling: ReadonlyMap<string, string>} {
  const spelling = new Map<string, string>();
  for (const key of Object.keys(given)) spelling.set(canonicalParam(params, key), key);
  const plain = readParams(params, given);
  // a name that nobody knows is a mistake whatever its value
  for (const [key, value] of Object.entries(given))
    if (value === null && !Object.hasOwn(params, canonicalParam(params, key))) plain[key] = null;
  return {plain, spelling};
}

function respell(pointer: JsonPointer, spelling: ReadonlyMap<string, string>): JsonPointer {
  const [, first = '', ...rest] = pointer.split('/');
  if (pointer === '') return pointer;
  return ['', spelling.get(first) ?? first, ...rest].join('/');
}
