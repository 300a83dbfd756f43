// Everything that can be known before the first connection, all of it in one go. Facts and results are unknown here and spread through the evaluation:
// what hangs on them is never reported.
import {join} from 'node:path';
import {error, warning} from '../base/diagnostic.ts';
import type {Diagnostic, Source, Span} from '../base/diagnostic.ts';
import {findUnknown, Unknown} from '../base/unknown.ts';
import {candidateFiles} from './candidate-files.ts';
import {isTemplate, listOf, textOf} from './keywords.ts';
import type {Include, Item, Play, Task} from './program.ts';
import {child} from './node.ts';
import type {Node} from './node.ts';
import {Representatives} from './representatives.ts';
import type {HostMemory} from './scope.ts';
import type {RunVariables} from './scope-layers.ts';
import type {TaskScope} from './scope-task.ts';
import {everyItem, isImplicit} from './select.ts';
import type {Site} from './site.ts';
import {HandlerCheck} from './validate-handlers.ts';
import {plainHostProblem, strangeDelegate, strangeVarsFiles} from './validate-hosts.ts';
import {quickEnvironment} from './validate-environment.ts';
import {StaticCheck} from './validate-static.ts';
import {YamlSurprises} from './yaml-surprises.ts';
import {checkTask, outlookOf, roundsOf} from './validate-task.ts';

/** Includes within includes are followed this deep. */
const deepest = 12;

/**
 * All mistakes and oddities of a site, sorted by place; those found while it was loaded are among them. `whole`: also files of variables that no play's hosts
 * use, which a run does not read.
 */
export function validateSite(site: Site, {whole = false}: {readonly whole?: boolean} = {}): readonly Diagnostic[] {
  const validation = new Validation(site, whole);
  for (const problem of site.problems) validation.report(problem);
  validation.run();
  site.forgetAll();
  return sorted(validation.problems);
}

type Locals = Readonly<Record<string, unknown>>;

class Validation {
  readonly problems: Diagnostic[] = [];
  readonly #seen = new Map<string, Diagnostic[]>();
  readonly #site: Site;
  readonly #static: StaticCheck;
  readonly #memory: HostMemory;
  /** variables may come from files whose names are not known yet */
  #open = false;
  /** hosts and groups may be added during the run */
  #growing = false;
  readonly #surprises = new YamlSurprises();
  readonly #whole: boolean;

  constructor(site: Site, whole: boolean) {
    this.#site = site;
    this.#whole = whole;
    const {inventory, variables} = site;
    const [host] = inventory.hostNames();
    this.#static = new StaticCheck(
      variables,
      (problem) => this.report(problem),
      (name) =>
        this.#memory.registered.has(name) ||
        variables.extraVars.has(name) ||
        (host !== undefined && variables.inventoryVariables.of(host, undefined).origins.has(name)),
    );
    this.#memory = {facts: {}, setFacts: new Map(), registered: new Map(), includedVars: new Map()};
  }

  report(found: Diagnostic): void {
    const problem = plainHostProblem(found, this.#site.inventory);
    if (this.#open && problem.code.startsWith('undefined-')) return;
    // `hostvars` and `groups` may have more in them by then
    if (this.#growing && /^(?:undefined-attribute|unknown-host|unknown-group)$/.test(problem.code)) return;
    const {span, code, message} = problem;
    const key = `${code}\n${message}\n${span?.source.path ?? ''}`;
    const others = this.#seen.get(key);
    // found twice: statically at the very word, and again when it was evaluated
    if (others?.some((other) => overlap(other.span, span)) === true) return;
    if (others === undefined) this.#seen.set(key, [problem]);
    else others.push(problem);
    this.problems.push(problem);
  }

  run(): void {
    const {program, inventory} = this.#site;
    for (const host of inventory.hostNames()) this.#site.remember(host, this.#memory);
    this.#site.remember('localhost', this.#memory);
    this.#foresee();
    let matched = false;
    for (const play of program.plays) {
      const {hosts, problems} = this.#site.matchesOf(play);
      if (!this.#growing) for (const problem of problems) this.report(problem);
      else for (const problem of problems) if (problem.severity === 'error') this.report(problem);
      if (hosts.length > 0) matched = true;
      for (const host of hosts) this.#site.remember(host, this.#memory);
      this.#play(play, hosts);
    }
    this.#variablesFiles();
    for (const problem of this.#surprises.problems()) this.report(problem);
    if (!matched && !this.#growing && program.plays.length > 0) {
      const first = program.plays[0];
      const limited = this.#site.variables.settings.limit;
      const why = limited === undefined || limited === '' ? '' : ` within --limit ${limited}`;
      this.report(
        error('no-hosts', `no play matches any host${why}`, first === undefined ? {} : {span: first.hosts.span}),
      );
    }
  }

  /** Names that tasks will set at run time, for every host: from anywhere in the program, in whatever order. */
  #foresee(): void {
    const {registered} = this.#memory;
    const {program} = this.#site;
    for (const name of [
      'ansible_failed_task',
      'ansible_failed_result',
      'ansible_delegated_vars',
      'ansible_loop',
      'ansible_index_var',
      'ansible_parent_role_paths',
    ])
      registered.set(name, new Unknown(name));
    for (const play of program.plays) {
      for (const prompt of play.varsPrompt)
        registered.set(prompt.name, new Unknown(`the answer to "${prompt.prompt}"`));
    }
    for (const {item} of everyItem(program, true)) {
      if (item.item !== 'task') continue;
      const cause = `task "${textOf(item.name) ?? item.spelled}"`;
      const {register} = item.keywords;
      if (register !== undefined) registered.set(register, new Unknown(cause));
      if (item.doing.do === 'module')
        for (const fact of item.doing.module.facts ?? []) registered.set(fact, new Unknown(cause));
      if (item.doing.do !== 'action') continue;
      const {params} = item;
      switch (item.doing.action) {
        case 'set_fact':
        case 'add_host':
          if (params?.kind === 'map' && !params.entries.some(({key}) => key.includes('{{')))
            for (const {key} of params.entries) registered.set(key, new Unknown(cause));
          else if (params !== undefined) this.#open = true;
          if (item.doing.action === 'add_host') this.#growing = true;
          break;
        case 'group_by':
          this.#growing = true;
          this.#foreseeGroups();
          break;
      }
    }
  }

  /** Folders that may hold group_vars and host_vars. */
  #variablesFolders(): ReadonlySet<string> {
    const {inventory, program} = this.#site;
    return new Set([...inventory.folders.map(({folder}) => folder), ...program.plays.map(({folder}) => folder)]);
  }

  /** The variables of groups that do not exist yet. */
  #foreseeGroups(): void {
    const {inventory, variables} = this.#site;
    for (const folder of this.#variablesFolders()) {
      for (const {name} of variables.varsFiles.names(folder, 'group_vars')) {
        if (inventory.group(name) !== undefined) continue;
        for (const key of variables.varsFiles.named(folder, 'group_vars', name).variables.keys())
          this.#memory.registered.set(key, new Unknown(`the group ${name}`));
      }
    }
  }

  /** Files of variables as such: those that nothing reads, and, of the whole site, those of hosts that no play is for. */
  #variablesFiles(): void {
    const {inventory, variables} = this.#site;
    const {varsFiles} = variables;
    const folders = this.#variablesFolders();
    if (!this.#growing)
      for (const problem of strangeVarsFiles(folders, inventory, varsFiles, variables.cwd)) this.report(problem);
    if (!this.#whole) return;
    for (const folder of folders) {
      for (const kind of ['group_vars', 'host_vars'] as const) {
        for (const {name} of varsFiles.names(folder, kind)) {
          if (kind === 'group_vars' ? inventory.group(name) === undefined : inventory.host(name) === undefined)
            continue;
          const {problems, variables: found} = varsFiles.named(folder, kind, name);
          for (const problem of problems) this.report(problem);
          for (const {name: key, value} of found.values()) this.#surprises.look(key, value);
        }
      }
    }
  }

  surprising(key: string, node: Node): void {
    this.#surprises.look(key, node);
  }

  #play(play: Play, hosts: readonly string[]): void {
    this.#playStatics(play);
    const handlers = new HandlerCheck();
    const representatives = new Representatives(hosts, this.#site.variables, play);
    for (const host of representatives.for(play.varsFiles, [], [])) {
      for (const problem of this.#site.scopeOf(host, play).fileProblems()) this.report(problem);
    }
    const groups = new Set<string>();
    for (const host of hosts) {
      const key = this.#site.inventory.groupsOf(host).join();
      const {problems, origins} = this.#site.variables.inventoryVariables.of(host, play.folder);
      for (const all of origins.values())
        for (const {variable} of all) this.#surprises.look(variable.name, variable.value);
      if (problems.length > 0 || !groups.has(key)) for (const problem of problems) this.report(problem);
      groups.add(key);
    }
    const walk = new Walk(this, play, handlers, representatives, this.#site, this.#static, this.#memory);
    walk.items(play.items, {}, 0);
    walk.items([...play.handlers], {}, 0);
    // tasks that could not be read may have notified anything
    const broken = this.#site.problems.some((problem) => problem.severity === 'error');
    if (hosts.length === 0) return;
    const some = hosts.slice(0, 20);
    const namesOf = (handler: Task): readonly string[] | undefined => {
      const names = some.map((host) => handler.name && this.#site.scopeOf(host, play, handler).evaluate(handler.name));
      return names.every((name) => name?.ok === true && typeof name.value === 'string')
        ? [...new Set(names.map((name) => (name?.ok === true ? String(name.value) : '')))]
        : undefined;
    };
    for (const problem of handlers.finish(play, namesOf, broken)) this.report(problem);
  }

  #playStatics(play: Play): void {
    for (const [key, node] of play.vars) {
      this.#static.value(node);
      this.#surprises.look(key, node);
    }
    for (const node of [...play.varsFiles, play.serial, play.maxFailPercentage, play.hosts]) this.#static.value(node);
  }

  /** A file of include_vars that is known: its variables are there from here on. */
  includeVars(task: Task, scope: TaskScope, certain: boolean): void {
    const value = task.params === undefined ? undefined : scope.evaluate(task.params);
    if (
      value?.ok !== true ||
      findUnknown(value.value) !== undefined ||
      typeof value.value !== 'object' ||
      value.value === null
    ) {
      this.#candidates(task, scope);
      return;
    }
    const read = this.#site.readVars(value.value as Record<string, unknown>, scope, task);
    if (read.ok) for (const [name, node] of read.value) this.#memory.includedVars.set(name, node);
    else {
      this.#open = true;
      const at = ['file', 'dir'].map((key) => child(task.params, key)).find((node) => node !== undefined)?.span;
      if (certain)
        for (const problem of read.problems)
          this.report(at === undefined || problem.span !== task.span ? problem : {...problem, span: at});
    }
  }

  /** A file of include_vars whose name hangs on the host: what any of the files gives that it may be. */
  #candidates(task: Task, scope: TaskScope): void {
    const name = child(task.params, 'file');
    const files =
      name === undefined ? undefined : candidateFiles(name, scope, scope.folders, ['vars'], task.keywords.loop);
    const below = child(task.params, 'name');
    if (files === undefined || isTemplate(below)) {
      this.#open = true;
      return;
    }
    const cause = `task "${textOf(task.name) ?? task.spelled}"`;
    const all = textOf(below);
    for (const path of files) {
      const read = this.#site.variables.varsFiles.file(path);
      for (const problem of read.problems) this.report(problem);
      for (const key of all === undefined ? read.variables.keys() : [all])
        this.#memory.registered.set(key, new Unknown(cause));
      for (const {name: key, value} of read.variables.values()) this.#surprises.look(key, value);
    }
  }

  /** From here on any name may be defined. */
  open(): void {
    this.#open = true;
  }
}

/** Goes through the items of one play. */
class Walk {
  readonly #validation: Validation;
  readonly #play: Play;
  readonly #handlers: HandlerCheck;
  readonly #representatives: Representatives;
  readonly #run: RunVariables;
  readonly #site: Site;
  readonly #static: StaticCheck;
  readonly #memory: HostMemory;
  readonly #layers = new WeakSet<ReadonlyMap<string, Node>>();
  readonly #files = new Map<string, number>();

  constructor(
    validation: Validation,
    play: Play,
    handlers: HandlerCheck,
    representatives: Representatives,
    site: Site,
    statics: StaticCheck,
    memory: HostMemory,
  ) {
    this.#validation = validation;
    this.#play = play;
    this.#handlers = handlers;
    this.#representatives = representatives;
    this.#run = {...site.variables, environment: quickEnvironment(site.variables.environment)};
    this.#site = site;
    this.#static = statics;
    this.#memory = memory;
  }

  items(items: readonly Item[], locals: Locals, depth: number): void {
    for (const item of items) {
      this.#statics(item);
      if (item.item === 'task') this.#task(item, locals);
      else if (item.item === 'include') this.#include(item, locals, depth);
      else for (const part of [item.block, item.rescue, item.always]) this.items(part, locals, depth);
    }
  }

  #statics(item: Item): void {
    const check = this.#static;
    for (const {values} of item.vars) {
      if (this.#layers.has(values)) continue;
      this.#layers.add(values);
      for (const [key, node] of values) {
        check.value(node);
        this.#validation.surprising(key, node);
      }
    }
    const {keywords} = item;
    for (const node of keywords.when) check.condition(node, 'when');
    for (const [key, nodes] of [
      ['until', keywords.until],
      ['failed_when', keywords.failedWhen],
      ['changed_when', keywords.changedWhen],
    ] as const) {
      for (const node of nodes ?? []) check.condition(node, key);
    }
    for (const value of Object.values(keywords)) {
      if (isNode(value)) check.value(value);
    }
    for (const node of keywords.environment) check.value(node);
    if (keywords.loop !== undefined) {
      check.value(keywords.loop.source);
      check.value(keywords.loop.label);
    }
    if (item.item === 'task') this.#params(item);
    if (item.item === 'include') {
      check.value(item.file);
      check.value(item.options);
    }
    check.value(item.name);
    // handlers of tasks that do not run here, or were not asked for, are not forgotten
    for (const node of listOf(keywords.notify)) {
      const name = isTemplate(node) ? undefined : textOf(node);
      if (name === undefined) this.#handlers.unsure ||= !this.#site.isSelected(item);
      else this.#handlers.mention(name);
    }
  }

  #params(task: Task): void {
    const spec = task.doing.do === 'action' ? this.#site.catalog.actions.get(task.doing.action) : undefined;
    const expressions = spec?.expressions ?? [];
    if (task.params?.kind !== 'map') return this.#static.value(task.params);
    for (const {key, value} of task.params.entries) {
      if (!expressions.includes(key)) this.#static.value(value);
      else if (value.kind === 'list') for (const item of value.items) this.#static.condition(item, key);
      else this.#static.condition(value, key);
    }
  }

  /** The scopes in which an item is looked at. */
  #scopes(item: Item, values: readonly (Node | undefined)[], locals: Locals): readonly TaskScope[] {
    const {keywords} = item;
    const nodes = [
      ...values,
      keywords.loop?.source,
      ...Object.values(keywords).filter(isNode),
      ...keywords.environment,
    ].filter((n) => n !== undefined);
    const layers = item.vars.map((layer) => layer.values);
    const hosts = this.#representatives.for(nodes, keywords.when, layers);
    return hosts.map((host) => {
      const scope = this.#site.scopeOf(host, this.#play, item, this.#run);
      return Object.keys(locals).length === 0 ? scope : scope.with(locals);
    });
  }

  #task(task: Task, locals: Locals): void {
    if (isImplicit(task)) return;
    const report = (problem: Diagnostic): void => this.#validation.report(problem);
    const isSelected = this.#site.isSelected(task);
    const scopes = isSelected ? this.#scopes(task, [task.params], locals) : [];
    if (task.doing.do === 'missing') report(missingModule(task, task.doing.name, isSelected, scopes));
    if (!isSelected) return;
    for (const scope of scopes) {
      checkTask({
        task,
        scope,
        report,
        action: (name) => this.#site.catalog.actions.get(name),
        delegated: (name, span) => strangeDelegate(name, span, this.#site.inventory),
        notified: (names) => {
          if (names === undefined) this.#handlers.unsure = true;
          else this.#handlers.notified(names);
        },
      });
      if (task.doing.do === 'action' && task.doing.action === 'include_vars') this.#includeVars(task, scope);
    }
    // what no host would evaluate is still notified
    if (scopes.length === 0 && task.keywords.notify !== undefined) this.#handlers.unsure = true;
  }

  #includeVars(task: Task, scope: TaskScope): void {
    const quiet = (): void => undefined;
    for (const locals of roundsOf(task.keywords.loop, task.keywords.when, scope, quiet)) {
      const inner = scope.with(locals);
      const outlook = outlookOf(task.keywords.when, inner, quiet);
      if (outlook !== 'does not run') this.#validation.includeVars(task, inner, outlook === 'runs');
    }
  }

  #include(include: Include, locals: Locals, depth: number): void {
    if (depth >= deepest) return;
    const report = (problem: Diagnostic): void => this.#validation.report(problem);
    const done = new Set<string>();
    for (const scope of this.#scopes(include, [include.file, include.options], locals)) {
      for (const round of roundsOf(include.keywords.loop, include.keywords.when, scope, report)) {
        const inner = scope.with(round);
        const outlook = outlookOf(include.keywords.when, inner, report);
        if (outlook === 'does not run') continue;
        const file = inner.evaluate(include.file);
        if (!file.ok) {
          for (const problem of file.problems) report(problem);
          continue;
        }
        if (typeof file.value !== 'string') {
          this.#candidates(include, inner, {...locals, ...round}, depth);
          continue;
        }
        const visits = this.#files.get(file.value) ?? 0;
        const key = `${file.value}\n${JSON.stringify(round)}`;
        if (done.has(key) || visits > 40) continue;
        done.add(key);
        this.#files.set(file.value, visits + 1);
        const loaded = include.load(file.value);
        if (!loaded.ok) {
          // a name that hangs on a condition may be right where the condition holds
          if (outlook === 'runs' || !isTemplate(include.file)) for (const problem of loaded.problems) report(problem);
          this.#handlers.incomplete = true;
          continue;
        }
        this.#foreseeIn(loaded.value);
        this.items(loaded.value, {...locals, ...round}, depth + 1);
      }
    }
  }

  /** Files of tasks that an include may mean, each as if it were the one. */
  #candidates(include: Include, scope: TaskScope, locals: Locals, depth: number): void {
    const folders = [...new Set([...scope.folders, ...scope.folders.map((folder) => join(folder, 'tasks'))])];
    const files =
      include.what === 'tasks'
        ? candidateFiles(include.file, scope, [include.folder, ...folders], [], include.keywords.loop)
        : undefined;
    if (files === undefined) {
      this.#validation.open();
      this.#handlers.incomplete = true;
      return;
    }
    for (const file of files.slice(0, 40)) {
      const visits = this.#files.get(file) ?? 0;
      if (visits > 2) continue;
      this.#files.set(file, visits + 1);
      const loaded = include.load(file);
      if (!loaded.ok) {
        // a file that fits by its name need not be meant
        for (const problem of loaded.problems) if (problem.code !== 'include-cycle') this.#validation.report(problem);
        continue;
      }
      this.#foreseeIn(loaded.value);
      this.items(loaded.value, locals, depth + 1);
    }
  }

  /** What the tasks of a dynamic include set. */
  #foreseeIn(items: readonly Item[]): void {
    for (const item of items) {
      if (item.item === 'block') this.#foreseeIn([...item.block, ...item.rescue, ...item.always]);
      if (item.item !== 'task') continue;
      const cause = `task "${textOf(item.name) ?? item.spelled}"`;
      if (item.keywords.register !== undefined) this.#memory.registered.set(item.keywords.register, new Unknown(cause));
      if (item.doing.do === 'module')
        for (const fact of item.doing.module.facts ?? []) this.#memory.registered.set(fact, new Unknown(cause));
      if (item.doing.do === 'action' && item.doing.action === 'set_fact' && item.params?.kind === 'map')
        for (const {key} of item.params.entries) this.#memory.registered.set(key, new Unknown(cause));
    }
  }
}

/** A module that others have and we do not: a mistake unless conditions keep the task from being reached. */
function missingModule(task: Task, name: string, isSelected: boolean, scopes: readonly TaskScope[]): Diagnostic {
  const {when} = task.keywords;
  const {loop} = task.keywords;
  const always = when.length === 0 && loop === undefined;
  const runs = isSelected && (always || scopes.some((scope) => mustRun(task, scope)));
  const {span} = task;
  return runs
    ? error('unknown-module', `there is no module ${name}`, {span, help: '`tsplay doc` lists the modules'})
    : warning('unknown-module', `there is no module ${name}: this task fails where it is reached`, {span});
}

function mustRun({keywords}: Task, scope: TaskScope): boolean {
  const quiet = (): void => undefined;
  return roundsOf(keywords.loop, keywords.when, scope, quiet).some(
    (locals) => outlookOf(keywords.when, scope.with(locals), quiet) === 'runs',
  );
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    'span' in value &&
    (value.kind === 'scalar' || value.kind === 'list' || value.kind === 'map')
  );
}

function overlap(a: Span | undefined, b: Span | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.start === b.start || (a.start < b.end && b.start < a.end);
}

/** By file in the order in which files come up, then by place. Without a place first. */
function sorted(problems: readonly Diagnostic[]): readonly Diagnostic[] {
  const files = new Map<string, number>();
  for (const {span} of problems)
    if (span !== undefined && !files.has(span.source.path)) files.set(span.source.path, files.size);
  const fileOf = (source: Source | undefined): number => (source === undefined ? -1 : (files.get(source.path) ?? 0));
  return [...problems].sort(
    (a, b) => fileOf(a.span?.source) - fileOf(b.span?.source) || (a.span?.start ?? 0) - (b.span?.start ?? 0),
  );
}
