// The engine's front: parse once, ask what a template needs, render often.
import type {NonEmpty} from '../base/nonempty.ts';
import type {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {analyseExpression, analyseTemplate, type Analysis, type FreeVariable, type Use} from './analysis.ts';
import type {Expression as Tree, Statement} from './ast.ts';
import {undefinedIn} from './compare.ts';
import {compileCondition, compileExpression, type Decide, type Evaluate} from './compile-expression.ts';
import {compileBody, type Execute} from './compile-statement.ts';
import {findNamed, type Context, type Environment, type Verdict} from './environment.ts';
import {Fault, withPlace, type TemplateProblem} from './fault.ts';
import {readHeader} from './header.ts';
import {Blocks, compileLoadedWith, executeLoaded} from './inherit.ts';
import {DEFAULT_SYNTAX, expressionTokens, templateTokens, type Syntax} from './lexer.ts';
import {Output} from './output.ts';
import {ExpressionParser} from './parse-expression.ts';
import {TemplateParser} from './parse-statement.ts';
import {Run, Scope} from './run.ts';
import {unknownName} from './site.ts';
import {Undefined, Waits} from './values.ts';

/** What evaluating gives: a value (perhaps an Unknown), or the mistake that stands in its way. */
export type Rendered<T = unknown> =
  {readonly ok: true; readonly value: T} | {readonly ok: false; readonly error: TemplateProblem};

export type Parsed<T> =
  {readonly ok: true; readonly value: T} | {readonly ok: false; readonly errors: NonEmpty<TemplateProblem>};

function attempt<T>(length: number, body: () => T): Rendered<T | Unknown> {
  try {
    return {ok: true, value: body()};
  } catch (cause) {
    if (cause instanceof Waits) return {ok: true, value: cause.unknown};
    const placed = cause instanceof RangeError ? tooDeep(length) : withPlace(cause, {start: 0, end: length});
    if (placed instanceof Fault) return {ok: false, error: placed.problem};
    throw cause;
  }
}

function tooDeep(end: number): Fault {
  return new Fault({code: 'template-budget', message: 'the template is nested too deeply', start: 0, end});
}

/** What template and expression have in common: static knowledge. */
abstract class Analysed {
  readonly text: string;
  readonly #analyse: () => Analysis;
  #analysis: Analysis | undefined;

  constructor(text: string, analyse: () => Analysis) {
    this.text = text;
    this.#analyse = analyse;
  }

  get analysis(): Analysis {
    return (this.#analysis ??= this.#analyse());
  }

  /** The variables it takes from outside, each use with its offsets; names that it sets itself are not among them. */
  get freeVariables(): readonly FreeVariable[] {
    return this.analysis.variables;
  }

  get filtersUsed(): readonly Use[] {
    return this.analysis.filters;
  }

  get testsUsed(): readonly Use[] {
    return this.analysis.tests;
  }

  /** `lookup('NAME', …)`, `query` and `q` with a constant name. */
  get lookupsUsed(): readonly Use[] {
    return this.analysis.lookups;
  }

  /** Filters and tests that the environment does not have: mistakes that can be reported before anything runs. */
  check(environment: Environment): TemplateProblem[] {
    const out: TemplateProblem[] = [];
    const look = (kind: 'filter' | 'test', uses: readonly Use[], table: ReadonlyMap<string, unknown>): void => {
      for (const {name, start, end} of uses) {
        if (findNamed(table, name) !== undefined) continue;
        const {code, message, help} = unknownName(kind, name, table);
        out.push(help === undefined ? {code, message, start, end} : {code, message, start, end, help});
      }
    };
    look('filter', this.filtersUsed, environment.filters);
    look('test', this.testsUsed, environment.tests);
    return out;
  }
}

/** A parsed template. */
export class Template extends Analysed {
  readonly #body: readonly Statement[];
  readonly #blocks = new Blocks();
  readonly #constant: string | undefined;
  #execute: Execute | undefined;
  #sole: Evaluate | undefined;

  constructor(text: string, body: readonly Statement[]) {
    super(text, () => analyseTemplate(body));
    this.#body = body;
    if (body.every((statement) => statement.node === 'text'))
      this.#constant = body.map((statement) => statement.text).join('');
  }

  /** Whether it is plain text without anything to evaluate. */
  get isConstant(): boolean {
    return this.#constant !== undefined;
  }

  /** The expression if the whole template is one `{{ expression }}`. */
  get soleExpression(): Tree | undefined {
    const [only, more] = this.#body;
    return only?.node === 'output' && more === undefined ? only.value : undefined;
  }

  /** Runs it into an output; `children` are the blocks of the template that extends this one. */
  execute(scope: Scope, out: Output, children?: Blocks): void {
    this.#execute ??= compileBody(this.#body, this.#blocks);
    const blocks = this.#blocks;
    blocks.inherit(children);
    const own = new Output();
    const extending = this.#body.some((statement) => statement.node === 'extends');
    this.#execute(scope, extending ? own : out);
    if (blocks.parent !== undefined)
      executeLoaded(blocks.parent, {start: 0, end: this.text.length}, scope, out, blocks);
  }

  #run(context: Context, environment: Environment): Output {
    const out = new Output();
    this.execute(new Scope(new Run(environment, context)), out);
    return out;
  }

  /**
   * The value: that of the expression if the template prints exactly one, with its type; otherwise text (a Secret if
   * a secret is in it). An Unknown that is printed makes all of it that Unknown. The result is never evaluated again.
   */
  render(context: Context, environment: Environment): Rendered {
    if (this.#constant !== undefined) return {ok: true, value: this.#constant};
    this.#sole ??= this.soleExpression && compileExpression(this.soleExpression);
    const sole = this.#sole;
    return attempt(this.text.length, () =>
      complete(
        sole === undefined ? this.#run(context, environment).result() : sole(new Scope(new Run(environment, context))),
      ),
    );
  }

  /** Like {@link render}, but always text: what a template file becomes. */
  renderText(context: Context, environment: Environment): Rendered<string | Secret | Unknown> {
    if (this.#constant !== undefined) return {ok: true, value: this.#constant};
    return attempt(this.text.length, () => this.#run(context, environment).joined());
  }
}

function complete(value: unknown): unknown {
  if (value instanceof Undefined && value.blank) return '';
  const missing = undefinedIn(value);
  if (missing !== undefined) throw new Fault(missing.problem);
  return value;
}

/** An expression without braces, as in `when`. */
export class Expression extends Analysed {
  readonly #evaluate: Evaluate;
  readonly #decide: Decide;
  /** Whether it uses no variables, functions or filters. */
  readonly isConstant: boolean;

  constructor(text: string, tree: Tree) {
    super(text, () => analyseExpression(tree));
    this.#evaluate = compileExpression(tree);
    this.#decide = compileCondition(tree);
    this.isConstant = tree.node === 'constant';
  }

  evaluate(context: Context, environment: Environment): Rendered {
    return attempt(this.text.length, () => complete(this.#evaluate(new Scope(new Run(environment, context)))));
  }

  /** Its truth; an Unknown only where nothing known decides (`false and unknown` is false). */
  condition(context: Context, environment: Environment): Rendered<Verdict> {
    return attempt(this.text.length, () => this.#decide(new Scope(new Run(environment, context))));
  }
}

export type ParseOptions = Partial<Syntax> & {
  /** The text is a template file: a `#jinja2:` line counts, and backslashes in strings are escapes. */
  readonly file?: boolean;
};

function parse<T>(length: number, body: () => T): Parsed<T> {
  const outcome = attempt(length, body);
  return outcome.ok ? {ok: true, value: outcome.value as T} : {ok: false, errors: [outcome.error]};
}

/** Parses a template: a value in YAML, or with `file: true` a template file. Offsets in errors count in `text`. */
export function parseTemplate(text: string, options: ParseOptions = {}): Parsed<Template> {
  const {file = false, ...chosen} = options;
  const syntax: Syntax = {...DEFAULT_SYNTAX, ...(file ? {backslashes: 'escape' as const} : {}), ...chosen};
  return parse(text.length, () => {
    const header = file ? readHeader(text, syntax) : {syntax, start: 0};
    return new Template(text, new TemplateParser(templateTokens(text, header.start, header.syntax)).template());
  });
}

/** Parses an expression without braces. */
export function parseExpression(text: string): Parsed<Expression> {
  return parse(text.length, () => new Expression(text, new ExpressionParser(expressionTokens(text)).only()));
}

/** Whether a text has anything for the engine in it; most values have not. */
export function looksLikeTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%') || text.includes('{#');
}

compileLoadedWith((loaded) => {
  const parsed = parseTemplate(loaded.text, {file: true});
  if (!parsed.ok) throw new Fault(parsed.errors[0]);
  return parsed.value;
});
