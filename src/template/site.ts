// Calling filters, tests and functions: binding of arguments, secrets, unknowns and undefined values are dealt with here
// once, so that each filter is only its own idea.
import {nearestName} from '../base/nearest.ts';
import {Unknown} from '../base/unknown.ts';
import {readAttribute, readItem} from './attribute.ts';
import {bind} from './arguments.ts';
import {undefinedIn, unknownIn} from './compare.ts';
import {findNamed, type Environment, type Filter, type Site} from './environment.ts';
import {Fault, located, Misuse, withPlace, type Range} from './fault.ts';
import {isMapping, sizeOf} from './mapping.ts';
import {typeName} from './print.ts';
import type {Run} from './run.ts';
import {closed, discreet, hasSecret, opened} from './secrecy.ts';
import {Func, Thing, Undefined, Waits, type Named} from './values.ts';

const NOTHING: Named = new Map();

/** The message for a name that no filter or test has. */
export function unknownName(kind: 'filter' | 'test', name: string, table: ReadonlyMap<string, unknown>): Misuse {
  const near = nearestName(name, table.keys());
  return new Misuse(`there is no ${kind} "${name}"`, `unknown-${kind}`, near && `did you mean "${near}"?`);
}

class CallSite implements Site {
  readonly #run: Run;
  readonly range: Range;

  constructor(run: Run, range: Range) {
    this.#run = run;
    this.range = range;
  }

  get environment(): Environment {
    return this.#run.environment;
  }

  spend(steps: number): void {
    this.#run.spend(steps);
  }

  filter(name: string, value: unknown, args: readonly unknown[] = [], named: Named = NOTHING): unknown {
    const filter = findNamed(this.#run.environment.filters, name);
    if (filter === undefined) throw unknownName('filter', name, this.#run.environment.filters);
    return applyFilter(this.#run, this, filter, name, value, args, named);
  }

  test(name: string, value: unknown, args: readonly unknown[] = [], named: Named = NOTHING): boolean {
    const answer = applyTest(this.#run, this.range, name, value, args, named);
    if (answer instanceof Unknown) throw new Waits(answer);
    return answer;
  }

  attribute(value: unknown, name: string): unknown {
    return readAttribute(this.#run, value, name, this.range);
  }

  item(value: unknown, key: unknown): unknown {
    return readItem(this.#run, value, key, this.range);
  }

  undefined(message: string): Undefined {
    const {start, end} = this.range;
    return new Undefined(() => ({code: 'undefined-value', message, start, end}));
  }

  own<T extends object>(value: T): T {
    this.#run.owned.add(value);
    return value;
  }
}

function refuseUndefined(values: readonly unknown[]): void {
  for (const value of values) if (value instanceof Undefined) throw new Fault(value.problem);
}

function applyFilter(
  run: Run,
  site: Site,
  filter: Filter,
  name: string,
  value: unknown,
  args: readonly unknown[],
  named: Named,
): unknown {
  if (!filter.takesUndefined && value instanceof Undefined && value.blank) value = '';
  const all = [value, ...args, ...named.values()];
  if (!filter.takesUndefined) refuseUndefined(all);
  const apply = filter.apply as (site: Site, value: unknown, ...args: unknown[]) => unknown;
  let result: unknown;
  if (filter.mode === 'moves') {
    if (value instanceof Unknown) return value;
    result = discreet(
      name,
      () => apply(site, value, ...bind(filter.params, args, named, name)),
      () => hasSecret(all),
    );
  } else {
    const waiting = unknownIn(all);
    if (waiting !== undefined) return waiting;
    if (!filter.takesUndefined) {
      const missing = undefinedIn(all);
      if (missing !== undefined) throw new Fault(missing.problem);
    }
    if (!hasSecret(all)) result = apply(site, value, ...bind(filter.params, args, named, name));
    else {
      const open = new Map([...named].map(([key, element]) => [key, opened(element)]));
      result = closed(
        discreet(name, () => apply(site, opened(value), ...bind(filter.params, opened(args) as unknown[], open, name))),
      );
    }
  }
  run.spend(Array.isArray(result) ? result.length + 1 : isMapping(result) ? sizeOf(result) + 1 : 1);
  return result;
}

/** `value | name(args)`. */
export function callFilter(
  run: Run,
  range: Range,
  nameAt: Range,
  name: string,
  value: unknown,
  args: readonly unknown[],
  named: Named,
): unknown {
  const filter = findNamed(run.environment.filters, name);
  if (filter === undefined) throw withPlace(unknownName('filter', name, run.environment.filters), nameAt);
  try {
    return located(range, () => applyFilter(run, new CallSite(run, range), filter, name, value, args, named));
  } catch (cause) {
    if (cause instanceof Waits) return cause.unknown;
    throw cause;
  }
}

/** `value is name(args)`. */
export function applyTest(
  run: Run,
  range: Range,
  name: string,
  value: unknown,
  args: readonly unknown[],
  named: Named,
): boolean | Unknown {
  return located(range, () => {
    const test = findNamed(run.environment.tests, name);
    if (test === undefined) throw unknownName('test', name, run.environment.tests);
    if (!test.takesUndefined) refuseUndefined([value, ...args]);
    for (const one of [value, ...args]) if (one instanceof Unknown && !test.takesUndefined) return one;
    const apply = test.apply as (site: Site, value: unknown, ...args: unknown[]) => boolean;
    try {
      const decide = (): boolean => apply(new CallSite(run, range), value, ...bind(test.params, args, named, name));
      return hasSecret([value, ...args]) ? discreet(name, decide) : decide();
    } catch (cause) {
      if (cause instanceof Waits) return cause.unknown;
      throw cause;
    }
  });
}

/** `callee(args)`. */
export function callValue(run: Run, range: Range, callee: unknown, args: readonly unknown[], named: Named): unknown {
  if (callee instanceof Unknown) return callee;
  if (callee instanceof Undefined) throw new Fault(callee.problem);
  return located(range, () => {
    const func = callee instanceof Thing ? callee.attribute('__call__') : callee;
    if (!(func instanceof Func)) throw new Misuse(`'${typeName(callee)}' object is not callable`, 'template-type');
    run.spend(1);
    try {
      if (func.raw) return func.call(args, named);
      const all = [...args, ...named.values()];
      const waiting = unknownIn(all);
      if (waiting !== undefined) return waiting;
      const missing = undefinedIn(all);
      if (missing !== undefined) throw new Fault(missing.problem);
      if (!hasSecret(all)) return func.call(args, named);
      const open = new Map([...named].map(([key, value]) => [key, opened(value)]));
      return closed(discreet(func.name, () => func.call(opened(args) as unknown[], open)));
    } catch (cause) {
      if (cause instanceof Waits) return cause.unknown;
      throw cause;
    }
  });
}
