// Templates that use other templates: include, import, extends.
import {error} from '../base/diagnostic.ts';
import {reveal} from '../base/secret.ts';
import {elementsOf, known, textOf} from './compare.ts';
import type {Execute} from './compile-statement.ts';
import type {LoadedTemplate} from './environment.ts';
import {Fault, located, Misuse, withPlace, type Range} from './fault.ts';
import type {Output} from './output.ts';
import {Output as Collector} from './output.ts';
import {Scope, type Run} from './run.ts';
import {Func, Thing} from './values.ts';

/** A compiled template, as this file needs it. */
export type Compiled = {readonly execute: (scope: Scope, out: Output, children?: Blocks) => void};

/** Compiles the text of another template; injected by template.ts, which depends on this file. */
type Compile = (loaded: LoadedTemplate) => Compiled;
let compile: Compile | undefined;

/** Names the compiler for templates that are loaded. */
export function compileLoadedWith(compiler: Compile): void {
  compile = compiler;
}

/** The blocks of a template and of those that extend it. */
export class Blocks {
  readonly #own = new Map<string, Execute>();
  #chains = new Map<string, Execute[]>();
  parent: LoadedTemplate | undefined;

  define(name: string, body: Execute): void {
    this.#own.set(name, body);
  }

  extend(parent: LoadedTemplate): void {
    this.parent = parent;
  }

  /** Joins the blocks of the templates below, which win. */
  inherit(children: Blocks | undefined): void {
    this.parent = undefined;
    this.#chains = new Map([...this.#own].map(([name, body]) => [name, [body]]));
    for (const [name, chain] of children === undefined ? [] : children.#chains)
      this.#chains.set(name, [...chain, ...(this.#chains.get(name) ?? [])]);
  }

  print(name: string, scope: Scope, out: Output, level = 0): void {
    if (this.parent !== undefined) return;
    const body = this.#chains.get(name)?.[level];
    if (body === undefined) throw new Misuse(`there is no parent block "${name}"`);
    const inner = new Scope(scope.run, scope);
    const above = (): unknown => {
      const nested = new Collector();
      this.print(name, scope, nested, level + 1);
      return nested.joined();
    };
    inner.names.set('super', new Func('super', above, {raw: true}));
    scope.run.nested(() => body(inner, out));
  }
}

function load(run: Run, name: unknown): LoadedTemplate | undefined {
  known(name);
  const names = Array.isArray(name) ? elementsOf(name) : [name];
  for (const one of names) {
    const found = run.environment.load?.(textOf(one) ?? String(one));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The template of that name (or the first that exists of several). *errors*: Misuse. */
export function findTemplate(run: Run, name: unknown): LoadedTemplate {
  const found = load(run, name);
  if (found !== undefined) return found;
  const shown = Array.isArray(name) ? elementsOf(name).join(', ') : reveal(textOf(name) ?? String(name));
  throw new Misuse(`there is no template "${shown}"`, 'template-not-found');
}

/** Runs `body` of another template; its mistakes are reported at `range` here, with their own place as origin. */
function elsewhere<T>(loaded: LoadedTemplate, range: Range, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    const placed = withPlace(cause, {start: 0, end: 0});
    if (!(placed instanceof Fault)) throw placed;
    const {code, message, start, end, help, origin} = placed.problem;
    const span = {source: {path: loaded.path, text: loaded.text}, start, end};
    throw new Fault({
      code,
      message,
      start: range.start,
      end: range.end,
      origin: origin ?? error(code, message, help === undefined ? {span} : {span, help}),
    });
  }
}

/** Compiles and runs a loaded template. */
export function executeLoaded(
  loaded: LoadedTemplate,
  range: Range,
  scope: Scope,
  out: Output,
  children?: Blocks,
): void {
  elsewhere(loaded, range, () => {
    if (compile === undefined) throw new Error('no compiler for loaded templates');
    const compiled = compile(loaded);
    scope.run.nested(() => compiled.execute(scope, out, children));
  });
}

/** The scope of another template: below this one, or without any variables. */
function apart(scope: Scope, withContext: boolean): Scope {
  return withContext ? new Scope(scope.run, scope) : new Scope(scope.run, undefined, false);
}

/** `{% include %}`. */
export function includeTemplate(
  scope: Scope,
  out: Output,
  name: unknown,
  statement: Range & {readonly ignoreMissing: boolean; readonly withContext: boolean},
): void {
  const loaded = statement.ignoreMissing
    ? load(scope.run, name)
    : located(statement, () => findTemplate(scope.run, name));
  if (loaded === undefined) return;
  executeLoaded(loaded, statement, apart(scope, statement.withContext), out);
}

/** What `{% import %}` gives: the macros and variables that a template sets at its top. */
export class Imported extends Thing {
  readonly kind = 'TemplateModule';
  readonly path: string;
  readonly #names: ReadonlyMap<string, unknown>;

  constructor(path: string, names: ReadonlyMap<string, unknown>) {
    super();
    this.path = path;
    this.#names = names;
  }

  attribute(name: string): unknown {
    return name.startsWith('_') ? undefined : this.#names.get(name);
  }

  attributeNames(): Iterable<string> {
    return this.#names.keys();
  }

  text(): string {
    return `<TemplateModule '${this.path}'>`;
  }
}

/** `{% import %}` and `{% from %}`. */
export function importTemplate(
  scope: Scope,
  name: unknown,
  statement: Range & {readonly withContext: boolean},
): Imported {
  const loaded = located(statement, () => findTemplate(scope.run, name));
  const inner = apart(scope, statement.withContext);
  executeLoaded(loaded, statement, inner, new Collector());
  return new Imported(loaded.path, inner.names);
}
