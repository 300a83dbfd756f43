// The variables of one task on one host: found by precedence, evaluated on use in this very place, each at most once.
import {readFileSync, statSync} from './disk.ts';
import {dirname, isAbsolute, join, resolve} from 'node:path';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Source} from '../base/diagnostic.ts';
import {isNonEmpty} from '../base/nonempty.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {decrypt, isVault} from '../secrets/vault.ts';
import {Fault} from '../template/fault.ts';
import type {TemplateProblem} from '../template/fault.ts';
import type {Context, Environment} from '../template/environment.ts';
import {mappingOf} from '../template/mapping.ts';
import {toPlain} from '../template/plain.ts';
import {closed} from '../template/secrecy.ts';
import {looksLikeTemplate, parseExpression, parseTemplate} from '../template/template.ts';
import type {Expression, ParseOptions, Parsed, Template} from '../template/template.ts';
import {float, Func, Undefined} from '../template/values.ts';
import {lazyMapping} from './lazy-mapping.ts';
import {callLookup} from './lookups.ts';
import type {LookupSite} from './lookup-site.ts';
import {magicNames, magicValue} from './magic.ts';
import {isVaultValue} from './node.ts';
import type {Node, ScalarNode, VaultValue} from './node.ts';
import {withoutOmitted} from './omit.ts';
import {openVault} from './open-vault.ts';
import {spanWithin} from './scalar-place.ts';
import {findVariable, mayBeFact, variableNames} from './scope-layers.ts';
import type {Found, ScopePlace} from './scope-layers.ts';
import type {Scope} from './scope.ts';
import {searchFolders} from './search-path.ts';
import {playFileVars} from './vars-play.ts';
import {isFloatText} from './yaml-core.ts';

/** Makes the scope of a task on a host. Making one costs next to nothing: everything is computed on use. */
export function makeScope(place: ScopePlace): TaskScope {
  return new TaskScope(place, {}, []);
}

const templates = new WeakMap<ScalarNode, Parsed<Template>>();
const expressions = new WeakMap<ScalarNode, Parsed<Expression>>();
const opened = new WeakMap<VaultValue, Result<Secret>>();

/** Carries the problems of a value out of the template that uses it. */
class Problems extends Error {
  readonly list: readonly [Diagnostic, ...Diagnostic[]];

  constructor(list: readonly [Diagnostic, ...Diagnostic[]]) {
    super(list[0].message);
    this.list = list;
  }
}

/** See {@link Scope}. */
export class TaskScope implements Scope {
  readonly place: ScopePlace;
  readonly #local: Readonly<Record<string, unknown>>;
  /** variables being evaluated, of all scopes that this evaluation has come through: `host\0name` */
  readonly #busy: string[];
  readonly #values = new Map<string, unknown>();
  readonly #others = new Map<string, TaskScope>();
  #folders: readonly string[] | undefined;
  readonly #context: Context = {get: (name) => this.value(name), names: () => this.names()};

  constructor(place: ScopePlace, local: Readonly<Record<string, unknown>>, busy: string[]) {
    this.place = place;
    this.#local = local;
    this.#busy = busy;
  }

  evaluate(node: Node): Result<unknown> {
    const problems: Diagnostic[] = [];
    const value = this.#rich(node, problems);
    return isNonEmpty(problems) ? {ok: false, problems} : ok(withoutOmitted(toPlain(value)));
  }

  evaluateExpression(node: Node): Result<unknown> {
    if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.tag === '!unsafe') return this.evaluate(node);
    // words that stand for a boolean wherever one is declared; Ansible's YAML reads them so everywhere
    if (node.style === 'plain' && /^(?:yes|on|no|off)$/i.test(node.value)) return ok(/^(?:yes|on)$/i.test(node.value));
    if (/^\s*\{\{/.test(node.value) && /\}\}\s*$/.test(node.value)) return this.evaluate(node);
    let parsed = expressions.get(node);
    if (parsed === undefined) expressions.set(node, (parsed = parseExpression(node.value)));
    if (!parsed.ok) return failed(parsed.errors.map((problem) => diagnosticAt(node, problem)));
    const rendered = parsed.value.evaluate(this.#context, this.place.run.environment);
    return rendered.ok ? ok(withoutOmitted(toPlain(rendered.value))) : bad(diagnosticAt(node, rendered.error));
  }

  lookup(name: string): Result<unknown> | undefined {
    try {
      const value = this.value(name);
      if (value === undefined) return undefined;
      if (value instanceof Undefined) {
        const {problem} = value;
        return bad(
          problem.origin ??
            error(problem.code, problem.message, problem.help === undefined ? {} : {help: problem.help}),
        );
      }
      return ok(withoutOmitted(toPlain(value)));
    } catch (cause) {
      if (cause instanceof Fault) return bad(cause.problem.origin ?? error(cause.problem.code, cause.problem.message));
      throw cause;
    }
  }

  renderFile(
    path: string,
    options: ParseOptions & {readonly values?: Readonly<Record<string, unknown>>} = {},
  ): Result<string | Secret> {
    const rendered = this.renderTemplateFile(path, options);
    // an unknown text travels as what it is; whoever takes it judges it with findUnknown
    return rendered as Result<string | Secret>;
  }

  forget(): void {
    this.#values.clear();
    this.#others.clear();
  }

  with(values: Readonly<Record<string, unknown>>): TaskScope {
    return new TaskScope(this.place, {...this.#local, ...values}, []);
  }

  /** The same host and play without any task: neither roles' nor blocks' nor loop variables. */
  atPlay(): TaskScope {
    const {run, host, play} = this.place;
    return new TaskScope({run, host, play}, {}, []);
  }

  /** Everything wrong with the files of variables that concern this host and play. */
  fileProblems(): readonly Diagnostic[] {
    const {run, host, play} = this.place;
    return [...run.inventoryVariables.of(host, play?.folder).problems, ...playFileVars(this).problems];
  }

  /** All names that can be used here. */
  names(): Iterable<string> {
    return new Set([
      ...Object.keys(this.#local),
      ...variableNames(this.place, playFileVars(this).variables),
      ...magicNames,
      'hostvars',
      'vars',
      'ansible_facts',
    ]);
  }

  /**
   * The value of a variable as templates see it: undefined = no such variable, an Undefined where its own text uses something undefined.
   * *errors*: throws a Fault with the diagnostic in it.
   */
  value(name: string): unknown {
    if (Object.hasOwn(this.#local, name)) return this.#local[name];
    if (this.#values.has(name)) return this.#values.get(name);
    const value = this.#special(name) ?? this.#found(name);
    if (value !== undefined) this.#values.set(name, value);
    return value;
  }

  /** The folders in which relative names of files, templates and the like are sought, the nearest first. */
  get folders(): readonly string[] {
    return (this.#folders ??= searchFolders(this.place));
  }

  /** Renders a template file; an Unknown stands for a text that cannot be known yet. */
  renderTemplateFile(
    path: string,
    options: ParseOptions & {readonly values?: Readonly<Record<string, unknown>>} = {},
  ): Result<string | Secret | Unknown> {
    const {values, ...syntax} = options;
    const read = this.#readTemplate(path);
    if (!read.ok) return read;
    const source = read.value;
    const parsed = parseTemplate(source.text, {file: true, keepTrailingNewline: false, ...syntax});
    const located = (problem: TemplateProblem): Diagnostic => diagnosticIn(source, problem);
    if (!parsed.ok) return failed(parsed.errors.map(located));
    const scope = this.with({template_path: path, template_fullpath: path, template_host: 'localhost', ...values});
    const rendered = parsed.value.renderText(scope.#context, this.#environmentFor(path));
    if (!rendered.ok) return bad(located(rendered.error));
    const text = withLineEnds(rendered.value, source.text);
    return ok(source.secret === true ? (closed(text) as Secret) : text);
  }

  /** What lookups may use of this place. */
  lookupSite(): LookupSite {
    const {run, play} = this.place;
    return {
      value: (name) => this.value(name),
      names: () => this.names(),
      renderFile: (path, options) => this.renderTemplateFile(path, options),
      folders: this.folders,
      cwd: play?.folder ?? run.cwd,
      run,
    };
  }

  #special(name: string): unknown {
    switch (name) {
      case 'hostvars':
        return this.#hostvars();
      case 'vars':
        return lazyMapping(
          () => [...this.names()].filter((each) => each !== 'vars' && each !== 'hostvars'),
          (each) => this.value(each),
          (each) => this.value(each) !== undefined,
        );
      case 'ansible_facts':
        return this.#facts();
      case 'lookup':
        return (
          this.#found(name) ??
          new Func(name, (args, named) => callLookup(args, named, false, this.lookupSite()), {raw: true})
        );
      case 'query':
      case 'q':
        return (
          this.#found(name) ??
          new Func(name, (args, named) => callLookup(args, named, true, this.lookupSite()), {raw: true})
        );
      default: {
        const {run, host, play, role} = this.place;
        return magicValue(name, {
          inventory: run.inventory,
          settings: run.settings,
          cwd: run.cwd,
          host,
          play,
          role,
          searchPath: this.folders,
        });
      }
    }
  }

  #hostvars(): unknown {
    const {inventory} = this.place.run;
    return lazyMapping(
      () => [...inventory.hostNames()].filter((host) => inventory.host(host)?.implicit !== true),
      (host) => this.#variablesOf(host),
      (host) => inventory.host(host) !== undefined,
    );
  }

  /** Another host's variables: what is written down for it and what it has learnt, without any play. */
  #variablesOf(host: string): unknown {
    const {run, play} = this.place;
    let scope = this.#others.get(host);
    if (scope === undefined) {
      const bare =
        play === undefined
          ? undefined
          : {...play, vars: new Map<string, Node>(), prompted: new Map<string, unknown>(), varsFiles: []};
      scope = new TaskScope({run, host, play: bare}, {}, this.#busy);
      this.#others.set(host, scope);
    }
    const other = scope;
    const own = (name: string): boolean => name !== 'hostvars' && name !== 'vars' && name !== 'omit';
    return lazyMapping(
      () => [...other.names()].filter((name) => own(name) && other.value(name) !== undefined),
      (name) => other.value(name),
      (name) => own(name) && name !== 'lookup' && name !== 'query' && name !== 'q' && other.value(name) !== undefined,
    );
  }

  #facts(): unknown {
    const {run, host} = this.place;
    const facts = run.memoryOf(host)?.facts ?? {};
    if (run.factsPending?.(host) !== true) return facts;
    return lazyMapping(
      () => Object.keys(facts),
      (name) => (Object.hasOwn(facts, name) ? facts[name] : new Unknown(`fact ansible_${name}`)),
      () => true,
    );
  }

  #found(name: string): unknown {
    const {run, host} = this.place;
    const fileVars = playFileVars(this);
    const found = findVariable(name, this.place, fileVars.variables);
    if (found === undefined) {
      if (run.factsPending?.(host) === true && mayBeFact(name)) return new Unknown(`fact ${name}`);
      return fileVars.waits;
    }
    return 'data' in found ? found.data : this.#evaluated(name, found);
  }

  #evaluated(name: string, {node}: Extract<Found, {node: Node}>): unknown {
    const key = `${this.place.host}\0${name}`;
    const from = this.#busy.indexOf(key);
    if (from >= 0)
      throw new Fault({
        code: 'variable-cycle',
        message: 'a variable needs itself',
        start: 0,
        end: 0,
        origin: this.#cycle(from, name, node),
      });
    this.#busy.push(key);
    try {
      const problems: Diagnostic[] = [];
      const value = this.#rich(node, problems);
      if (!isNonEmpty(problems)) return value;
      const [origin] = problems;
      const problem: TemplateProblem = {code: origin.code, message: origin.message, start: 0, end: 0, origin};
      if (problems.every(({code}) => code.startsWith('undefined-'))) return new Undefined(() => problem);
      throw new Fault(problem);
    } finally {
      this.#busy.pop();
    }
  }

  #cycle(from: number, name: string, node: Node): Diagnostic {
    const names = [...this.#busy.slice(from).map((key) => key.split('\0')[1] ?? key), name];
    return error('variable-cycle', `the variable ${name} needs itself: ${names.join(' → ')}`, {span: node.span});
  }

  /** The value of a node with the engine's own types; what is wrong goes to `problems`. */
  #rich(node: Node, problems: Diagnostic[]): unknown {
    switch (node.kind) {
      case 'list':
        return node.items.map((item) => this.#rich(item, problems));
      case 'map':
        return mappingOf(node.entries.map(({key, value}): [unknown, unknown] => [key, this.#rich(value, problems)]));
      case 'scalar':
        try {
          return this.#scalar(node);
        } catch (cause) {
          if (!(cause instanceof Problems)) throw cause;
          problems.push(...cause.list);
          return null;
        }
    }
  }

  #scalar(node: ScalarNode): unknown {
    const {value} = node;
    if (typeof value === 'number') {
      if (isFloatText(node.raw)) return float(value);
      return Number.isSafeInteger(value) || !/^[-+]?\d+$/.test(node.raw) ? value : BigInt(node.raw);
    }
    if (isVaultValue(value)) return this.#vault(value, node);
    if (typeof value !== 'string') return value;
    const result = node.tag === '!unsafe' || !looksLikeTemplate(value) ? value : this.#template(node, value);
    return node.span.source.secret === true ? closed(result) : result;
  }

  #template(node: ScalarNode, text: string): unknown {
    let parsed = templates.get(node);
    if (parsed === undefined) templates.set(node, (parsed = parseTemplate(text)));
    if (!parsed.ok) {
      const [first, ...more] = parsed.errors.map((problem) => diagnosticAt(node, problem));
      throw new Problems([first ?? error('template-syntax', 'not a template'), ...more]);
    }
    const rendered = parsed.value.render(this.#context, this.place.run.environment);
    if (rendered.ok) return rendered.value;
    throw new Problems([diagnosticAt(node, rendered.error)]);
  }

  #vault(value: VaultValue, node: ScalarNode): Secret {
    let result = opened.get(value);
    if (result === undefined) {
      const read = decrypt(value.vault, this.place.run.vaultPasswords, node.span);
      result = read.ok ? ok(read.value.text) : read;
      opened.set(value, result);
    }
    if (result.ok) return result.value;
    throw new Problems([...result.problems]);
  }

  #readTemplate(path: string): Result<Source> {
    try {
      const text = readFileSync(path, 'utf8');
      const source: Source = {path: shown(this.place.run.cwd, path), text};
      return isVault(text) ? openVault(source, this.place.run.vaultPasswords) : ok(source);
    } catch (cause) {
      return bad(error('unreadable-file', `the template ${path} cannot be read: ${(cause as Error).message}`));
    }
  }

  /** The environment in which `include` and `import` find files: beside the template first, then where templates are sought. */
  #environmentFor(path: string): Environment {
    const {environment, cwd} = this.place.run;
    const folders = [dirname(path), ...this.folders.flatMap((folder) => [join(folder, 'templates'), folder])];
    const load = (name: string): {text: string; path: string} | undefined => {
      for (const folder of isAbsolute(name) ? [''] : folders) {
        const candidate = isAbsolute(name) ? name : resolve(folder, name);
        if (statSync(candidate, {throwIfNoEntry: false})?.isFile() === true)
          return {text: readFileSync(candidate, 'utf8'), path: shown(cwd, candidate)};
      }
      return undefined;
    };
    return {...environment, load};
  }
}

function shown(cwd: string, path: string): string {
  return path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}

function failed<T>(problems: readonly Diagnostic[]): Result<T> {
  const [first, ...more] = problems;
  return bad(first ?? error('template-syntax', 'not a template'), ...more);
}

/** A template's problem at its place in the YAML file. */
export function diagnosticAt(node: ScalarNode, problem: TemplateProblem): Diagnostic {
  if (problem.origin !== undefined) return problem.origin;
  return error(problem.code, problem.message, {
    span: spanWithin(node, problem.start, problem.end),
    ...(problem.help === undefined ? {} : {help: problem.help}),
  });
}

function diagnosticIn(source: Source, problem: TemplateProblem): Diagnostic {
  if (problem.origin !== undefined) return problem.origin;
  return error(problem.code, problem.message, {
    span: {source, start: problem.start, end: problem.end},
    ...(problem.help === undefined ? {} : {help: problem.help}),
  });
}

/** Line breaks at the end as Ansible has them: the template's last one is not part of it, and no fewer come out than it ends with. */
function withLineEnds(rendered: string | Secret | Unknown, template: string): string | Secret | Unknown {
  if (rendered instanceof Unknown) return rendered;
  const count = (text: string): number => /\n*$/.exec(text)?.[0].length ?? 0;
  const missing = count(template) - count(rendered instanceof Secret ? rendered.reveal() : rendered);
  if (missing <= 0) return rendered;
  const ends = '\n'.repeat(missing);
  return rendered instanceof Secret ? Secret.join([rendered, ends]) : rendered + ends;
}
