// What a template may use besides its variables: filters, tests, functions, other templates. Nothing ambient is reached
// from inside the engine: clock, randomness and files come in here.
import type {Unknown} from '../base/unknown.ts';
import type {Range} from './fault.ts';
import type {Named, Undefined} from './values.ts';

/** Where a filter is called: it gives access to the rest of the environment and accounts for work. */
export type Site = {
  readonly environment: Environment;
  readonly range: Range;
  /** Counts steps; throws when the template has used up its budget. */
  spend(steps: number): void;
  filter(name: string, value: unknown, args?: readonly unknown[], named?: Named): unknown;
  /** The answer of a test. *errors*: throws Waits when it hangs on something unknown. */
  test(name: string, value: unknown, args?: readonly unknown[], named?: Named): boolean;
  attribute(value: unknown, name: string): unknown;
  item(value: unknown, key: unknown): unknown;
  /** An undefined value that says `message` when it is used. */
  undefined(message: string): Undefined;
  /** The list or mapping was made by this template, which may therefore change it. */
  own<T extends object>(value: T): T;
};

/**
 * A filter. `params` names the arguments after the value; `'*'` last takes all further positional ones as an array,
 * `'**'` takes all named ones as a Map. Arguments that were not given are undefined.
 * Mistakes are thrown as Misuse; the place is added by the caller.
 */
export type Filter = {
  readonly params: readonly string[];
  readonly apply: (site: Site, value: unknown, ...args: never[]) => unknown;
  /**
   * How secrets and unknowns pass. `closes` (the default): they are opened, and all text of the result becomes secret;
   * anything unknown within makes the result unknown. `moves`: the filter only moves elements, or deals with both itself.
   */
  readonly mode?: 'closes' | 'moves';
  /** May look at an undefined value. */
  readonly takesUndefined?: true;
};

/** A test; like a filter that gives a boolean. It sees secrets as they are. */
export type Test = {
  readonly params: readonly string[];
  readonly apply: (site: Site, value: unknown, ...args: never[]) => boolean;
  readonly takesUndefined?: true;
};

/** What filters and tests may learn of the controller's own file system. */
export type ControllerFiles = {
  readonly home: (user?: string) => string | undefined;
  readonly realpath: (path: string) => string;
  readonly kind: (path: string) => 'file' | 'directory' | 'other' | undefined;
  readonly isLink: (path: string) => boolean;
  readonly cwd: () => string;
};

export type LoadedTemplate = {readonly text: string; readonly path: string};

export type Environment = {
  readonly filters: ReadonlyMap<string, Filter>;
  readonly tests: ReadonlyMap<string, Test>;
  /** Functions and values that variables of the same name hide. */
  readonly globals: ReadonlyMap<string, unknown>;
  /** Finds the template that `include`, `import` and `extends` name. */
  readonly load?: (name: string) => LoadedTemplate | undefined;
  readonly files?: ControllerFiles;
  readonly now?: () => Date;
  /** Cryptographically strong random bytes. */
  readonly randomBytes?: (count: number) => Uint8Array;
  /** *units*: loop iterations and elements made by filters, per rendering. */
  readonly budget?: number;
};

/** The variables of a template, resolved on use: a value of theirs may itself have been a template. */
export type Context = {
  /**
   * The value, `undefined` where there is no such variable, or an Undefined where its own template uses something
   * undefined. *errors*: a Fault (with `origin`) where the variable cannot be resolved at all, such as a cycle.
   */
  get(name: string): unknown;
  /** All names there are, for "did you mean". */
  names(): Iterable<string>;
};

const COLLECTIONS =
  /^(?:ansible\.(?:builtin|legacy|utils|netcommon|posix)|community\.(?:general|crypto|hashi_vault)|kubernetes\.core)\./;

/** Finds a filter or test by its name, with or without the name of its collection. */
export function findNamed<T>(table: ReadonlyMap<string, T>, name: string): T | undefined {
  return table.get(name) ?? (name.includes('.') ? table.get(name.replace(COLLECTIONS, '')) : undefined);
}

/** A fixed set of variables; no name of Object's prototype is ever seen. */
export function contextOf(variables: Readonly<Record<string, unknown>>): Context {
  return {
    get: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
    names: () => Object.keys(variables),
  };
}

/** The outcome of a condition: an Unknown when it cannot be decided yet. */
export type Verdict = boolean | Unknown;
