// The environment that Ansible's users expect: all filters, tests and functions.
import {combinatoricFilters} from './filters/combinatorics.ts';
import {dictFilters} from './filters/dict.ts';
import {hashFilters} from './filters/hash.ts';
import {listFilters} from './filters/list.ts';
import {netFilters} from './filters/net.ts';
import {pathFilters} from './filters/path.ts';
import {randomFilters} from './filters/random.ts';
import {regexFilters} from './filters/regex.ts';
import {serialFilters} from './filters/serial.ts';
import {textFilters} from './filters/text.ts';
import {timeFilters} from './filters/time.ts';
import {valueFilters} from './filters/value.ts';
import type {Environment, Filter, Test} from './environment.ts';
import {standardGlobals} from './globals.ts';
import {standardTests} from './tests.ts';

export const standardFilters: ReadonlyMap<string, Filter> = new Map([
  ...textFilters,
  ...valueFilters,
  ...listFilters,
  ...dictFilters,
  ...combinatoricFilters,
  ...regexFilters,
  ...serialFilters,
  ...hashFilters,
  ...randomFilters,
  ...pathFilters,
  ...timeFilters,
  ...netFilters,
]);

/** What a caller adds: filters, tests and functions beside (or instead of) the standard ones, and access to the world. */
export type Additions = Omit<Partial<Environment>, 'filters' | 'tests' | 'globals'> & {
  readonly filters?: Iterable<readonly [string, Filter]>;
  readonly tests?: Iterable<readonly [string, Test]>;
  readonly globals?: Iterable<readonly [string, unknown]>;
};

/** The standard environment with additions. Without `now`, `randomBytes`, `files` or `load` what needs them is refused. */
export function standardEnvironment(additions: Additions = {}): Environment {
  const environment: Environment = {
    ...additions,
    filters: new Map([...standardFilters, ...(additions.filters ?? [])]),
    tests: new Map([...standardTests, ...(additions.tests ?? [])]),
    globals: new Map([...standardGlobals(() => environment), ...(additions.globals ?? [])]),
  };
  return environment;
}
