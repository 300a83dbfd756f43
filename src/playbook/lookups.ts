// `lookup('NAME', …)`, `query('NAME', …)` and `with_NAME:`: three ways to call the same thing.
import {error} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {Secret} from '../base/secret.ts';
import {findUnknown, Unknown} from '../base/unknown.ts';
import {Fault, Misuse} from '../template/fault.ts';
import {toPlain} from '../template/plain.ts';
import {Undefined} from '../template/values.ts';
import {textOf} from './lookup-arguments.ts';
import type {Lookup, LookupSite} from './lookup-site.ts';
import {fileLookups} from './lookups-files.ts';
import {forgives, hostLookups} from './lookups-host.ts';
import {listLookups} from './lookups-lists.ts';
import type {Loop} from './program.ts';
import type {TaskScope} from './scope-task.ts';

const builtIn: ReadonlyMap<string, Lookup> = new Map([...listLookups, ...fileLookups, ...hostLookups]);

/** Names of all lookups that every site has, for validation. */
export const lookupNames: ReadonlySet<string> = new Set(builtIn.keys());

/** Finds a lookup by its name, with or without the name of its collection. */
export function findLookup(name: string, own?: ReadonlyMap<string, Lookup>): Lookup | undefined {
  const short = name.replace(/^(?:ansible\.(?:builtin|legacy|utils)|community\.general)\./, '');
  return own?.get(name) ?? own?.get(short) ?? builtIn.get(short);
}

function noLookup(name: string, site: LookupSite): Misuse {
  const near = nearestName(name, [...lookupNames, ...(site.run.lookups?.keys() ?? [])]);
  return new Misuse(
    `there is no lookup "${name}"`,
    'unknown-lookup',
    near === undefined ? undefined : `did you mean "${near}"?`,
  );
}

/**
 * Calls a lookup as templates do: the first argument is its name. `asList`: query, which always gives a list; otherwise texts are joined
 * with commas, a single other value is given as it is, and several as a list. *errors*: throws Misuse, unless `errors='ignore'`.
 */
export function callLookup(
  args: readonly unknown[],
  named: ReadonlyMap<string, unknown>,
  asList: boolean,
  site: LookupSite,
): unknown {
  for (const value of [...args, ...named.values()]) if (value instanceof Undefined) throw new Fault(value.problem);
  const [nameArgument, ...terms] = args;
  if (nameArgument === undefined)
    throw new Misuse('a lookup needs a name', 'lookup-argument', "lookup('file', 'motd')");
  const name = textOf(nameArgument, 'the name of a lookup');
  const wantList = asList || named.get('wantlist') === true;
  const lookup = findLookup(name, site.run.lookups);
  if (lookup === undefined) throw noLookup(name, site);
  const waits = findUnknown(terms) ?? findUnknown([...named.values()]);
  if (waits !== undefined) return waits;
  const options = new Map([...named].filter(([key]) => key !== 'wantlist'));
  let results: readonly unknown[];
  try {
    results = lookup(terms, options, site);
  } catch (cause) {
    if (!(cause instanceof Misuse || cause instanceof Fault) || !forgives(options)) throw cause;
    return wantList ? [] : null;
  }
  if (wantList) return [...results];
  return joined(results);
}

function joined(results: readonly unknown[]): unknown {
  if (results.length > 0 && results.every((result) => typeof result === 'string' || result instanceof Secret)) {
    return Secret.join(results.flatMap((result, i) => (i === 0 ? [result] : [',', result])));
  }
  const unknown = results.find((result) => result instanceof Unknown);
  if (unknown !== undefined) return unknown;
  return results.length === 1 ? results[0] : [...results];
}

/** What `with_NAME` loops over for an evaluated value; an Unknown where it cannot be known yet. *errors*: those of the lookup, at `at`. */
export function withItems(form: string, values: unknown, site: LookupSite): Result<readonly unknown[] | Unknown> {
  try {
    if (values instanceof Unknown) return ok(values);
    if (form === 'loop') {
      if (Array.isArray(values)) return ok(values);
      return bad(
        error('loop-type', `loop needs a list, and this is ${kindOf(values)}`, {
          help:
            kindOf(values) === 'a mapping'
              ? 'use VALUE | dict2items'
              : typeof values === 'string' && /^[A-Za-z_]\w*$/.test(values) && [...site.names()].includes(values)
                ? `loop: "{{ ${values} }}"`
                : 'use [VALUE], or with_items',
        }),
      );
    }
    const lookup = findLookup(form, site.run.lookups);
    if (lookup === undefined) throw noLookup(form, site);
    const terms: readonly unknown[] = Array.isArray(values) ? values : [values];
    const waits = form === 'items' || form === 'list' ? undefined : findUnknown(terms);
    if (waits !== undefined) return ok(waits);
    return ok(lookup(terms, new Map(), site).map(toPlain));
  } catch (cause) {
    if (cause instanceof Misuse)
      return bad(error(cause.code, cause.message, cause.help === undefined ? {} : {help: cause.help}));
    if (cause instanceof Fault) return bad(cause.problem.origin ?? error(cause.problem.code, cause.problem.message));
    throw cause;
  }
}

/** The elements of a task's loop in its scope, evaluated; an Unknown where they cannot be known yet. *errors*: located at the loop's value. */
export function loopItems(scope: TaskScope, loop: Loop): Result<readonly unknown[] | Unknown> {
  const evaluated = scope.evaluate(loop.source);
  if (!evaluated.ok) return evaluated;
  const items = withItems(loop.form, evaluated.value, scope.lookupSite());
  if (items.ok) return items;
  const [first, ...more] = items.problems.map((problem): Diagnostic =>
    problem.span === undefined ? {...problem, span: loop.source.span} : problem,
  );
  return first === undefined ? items : bad(first, ...more);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (typeof value === 'string' || value instanceof Secret) return 'a text';
  return typeof value === 'object' ? 'a mapping' : `a ${typeof value}`;
}
