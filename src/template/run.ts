// The state of one rendering: scopes, budget, what the template owns.
import {nearestName} from '../base/nearest.ts';
import {Fault, Misuse, type Range} from './fault.ts';
import type {Context, Environment} from './environment.ts';
import {Undefined} from './values.ts';

const DEFAULT_BUDGET = 2_000_000;
const MAX_CALLS = 200;

/** One rendering. */
export class Run {
  readonly environment: Environment;
  readonly context: Context;
  /** Lists and mappings that the template itself made: the only ones it may change. */
  readonly owned = new WeakSet();
  #left: number;
  #calls = 0;

  constructor(environment: Environment, context: Context) {
    this.environment = environment;
    this.context = context;
    this.#left = environment.budget ?? DEFAULT_BUDGET;
  }

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) {
      const limit = this.environment.budget ?? DEFAULT_BUDGET;
      throw new Misuse(`the template takes more than ${String(limit)} steps`, 'template-budget');
    }
  }

  /** Runs a macro or another template within the limit of nested calls. */
  nested<T>(body: () => T): T {
    if (++this.#calls > MAX_CALLS) throw new Misuse(`more than ${MAX_CALLS} nested calls`, 'template-budget');
    try {
      return body();
    } finally {
      this.#calls--;
    }
  }
}

/** Names that statements have set; a name is sought outwards, then among the variables, then among the globals. */
export class Scope {
  readonly run: Run;
  readonly parent: Scope | undefined;
  readonly names = new Map<string, unknown>();
  /** False in templates that are included or imported without context: they see no variables. */
  readonly variables: boolean;

  constructor(run: Run, parent?: Scope, variables = parent?.variables ?? true) {
    this.run = run;
    this.parent = parent;
    this.variables = variables;
  }

  get(name: string, range: Range): unknown {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- walks outwards
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const value = scope.names.get(name);
      if (value !== undefined) return value;
    }
    const {context, environment} = this.run;
    let value = this.variables ? context.get(name) : undefined;
    if (value === undefined) value = environment.globals.get(name);
    if (value !== undefined) return value;
    return new Undefined(() => this.#missing(name, range));
  }

  #missing(name: string, range: Range): ReturnType<() => Fault['problem']> {
    const problem = {code: 'undefined-variable', message: `"${name}" is undefined`, start: range.start, end: range.end};
    const known = new Set([
      ...(this.variables ? this.run.context.names() : []),
      ...this.run.environment.globals.keys(),
    ]);
    for (let scope: Scope | undefined = this.parent; scope !== undefined; scope = scope.parent)
      for (const local of scope.names.keys()) known.add(local);
    for (const local of this.names.keys()) known.add(local);
    const near = nearestName(name, known);
    if (near !== undefined) return {...problem, help: `did you mean "${near}"?`};
    if (this.run.environment.filters.has(name))
      return {...problem, help: `"${name}" is a filter: write VALUE | ${name}`};
    return problem;
  }
}
