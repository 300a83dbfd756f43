// What can be said of templates and conditions without any host: do they parse, do their filters, tests and lookups exist, does a condition decide anything.
import {error, warning} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {looksLikeTemplate, parseExpression, parseTemplate} from '../template/template.ts';
import type {FreeVariable} from '../template/analysis.ts';
import type {Expression, Template} from '../template/template.ts';
import type {TemplateProblem} from '../template/fault.ts';
import {quoteHelp} from './yaml-mistakes.ts';
import {misspeltFact} from './fact-names.ts';
import {findLookup, lookupNames} from './lookups.ts';
import type {Node, ScalarNode} from './node.ts';
import {mayBeFact} from './scope-layers.ts';
import type {RunVariables} from './scope-layers.ts';
import {diagnosticAt} from './scope-task.ts';

type Report = (problem: Diagnostic) => void;

/** Looks at values, each once however often it is used. */
export class StaticCheck {
  readonly #run: RunVariables;
  readonly #report: Report;
  readonly #isGiven: (name: string) => boolean;
  readonly #seen = new WeakSet<Node>();

  /** `isGiven`: names that the site itself gives, whatever they look like. */
  constructor(run: RunVariables, report: Report, isGiven: (name: string) => boolean) {
    this.#isGiven = isGiven;
    this.#run = run;
    this.#report = report;
  }

  /** A value with templates anywhere in it. */
  value(node: Node | undefined): void {
    if (node === undefined || this.#seen.has(node)) return;
    this.#seen.add(node);
    if (node.kind === 'list') for (const item of node.items) this.value(item);
    else if (node.kind === 'map') for (const entry of node.entries) this.value(entry.value);
    else if (typeof node.value === 'string' && node.tag !== '!unsafe' && looksLikeTemplate(node.value)) {
      const parsed = parseTemplate(node.value);
      if (parsed.ok) this.#names(node, parsed.value);
      else for (const problem of parsed.errors) this.#report(diagnosticAt(node, problem));
    }
  }

  /** A condition: an expression without braces. `what`: the keyword it belongs to. */
  condition(node: Node, what: string): void {
    if (this.#seen.has(node)) return;
    this.#seen.add(node);
    if (node.kind !== 'scalar') return;
    const {value} = node;
    if (typeof value === 'boolean' || value === null) return;
    if (typeof value === 'number') return this.#report(constant(node, what, value !== 0));
    if (typeof value !== 'string' || node.tag === '!unsafe') return;
    if (looksLikeTemplate(value)) return this.#braces(node, value, what);
    const parsed = parseExpression(value);
    if (!parsed.ok) {
      for (const problem of parsed.errors) this.#report(diagnosticAt(node, problem));
      return;
    }
    this.#names(node, parsed.value);
    const tree = constantIn(parsed.value, this.#run);
    if (tree !== undefined && typeof tree.value !== 'boolean') this.#report(constant(node, what, truth(tree.value)));
  }

  #braces(node: ScalarNode, text: string, what: string): void {
    const inner = /^\s*\{\{([^{}]*)\}\}\s*$/.exec(text)?.[1]?.trim();
    if (inner === undefined && !text.trim().startsWith('{%') && !/\{[%#]/.test(text)) {
      const bare = text.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, '$1');
      this.#report(
        error('condition-braces', `${what}: braces inside a condition, which is an expression already`, {
          span: node.span,
          help: `${what}: ${node.style === 'double' ? quoteHelp(bare) : bare}`,
        }),
      );
      return;
    }
    this.#report(
      warning('condition-braces', `${what}: conditions are expressions already, without braces`, {
        span: node.span,
        ...(inner === undefined ? {} : {help: `${what}: ${node.style === 'double' ? quoteHelp(inner) : inner}`}),
      }),
    );
    const parsed = parseTemplate(text);
    if (parsed.ok) this.#names(node, parsed.value);
    else for (const problem of parsed.errors) this.#report(diagnosticAt(node, problem));
  }

  /** A name that is nearly that of a fact: hosts may tell facts that nobody knows here, but seldom such. */
  #fact(node: ScalarNode, {name, path, guarded, start, end}: FreeVariable): void {
    const [attribute] = path;
    const inFacts = name === 'ansible_facts';
    const fact = inFacts ? attribute : mayBeFact(name) ? name.slice('ansible_'.length) : undefined;
    if (guarded || typeof fact !== 'string') return;
    const meant = misspeltFact(fact);
    if (meant === undefined || this.#isGiven(name)) return;
    const help = `did you mean ${inFacts ? 'ansible_facts.' : 'ansible_'}${meant}?`;
    const found = diagnosticAt(node, {code: 'unknown-fact', message: `no host tells a fact ${fact}`, start, end, help});
    this.#report({...found, severity: 'warning'});
  }

  #names(node: ScalarNode, parsed: Template | Expression): void {
    for (const problem of parsed.check(this.#run.environment)) this.#report(diagnosticAt(node, problem));
    for (const variable of parsed.freeVariables) this.#fact(node, variable);
    for (const {name, start, end} of parsed.lookupsUsed) {
      if (findLookup(name, this.#run.lookups) !== undefined) continue;
      const near = nearestName(name, [...lookupNames, ...(this.#run.lookups?.keys() ?? [])]);
      const problem: TemplateProblem = {code: 'unknown-lookup', message: `there is no lookup "${name}"`, start, end};
      this.#report(diagnosticAt(node, near === undefined ? problem : {...problem, help: `did you mean "${near}"?`}));
    }
  }
}

function constantIn(expression: Expression, run: RunVariables): {value: unknown} | undefined {
  if (!expression.isConstant) return undefined;
  const result = expression.evaluate({get: () => undefined, names: () => []}, run.environment);
  return result.ok ? {value: result.value} : undefined;
}

function truth(value: unknown): boolean {
  return value !== null && value !== '' && value !== 0;
}

function constant(node: ScalarNode, what: string, always: boolean): Diagnostic {
  return warning('constant-condition', `${what}: this is no condition, so it is always ${always ? 'true' : 'false'}`, {
    span: node.span,
  });
}
