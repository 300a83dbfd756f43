// A site put together: inventory, playbooks, variables, modules, and what is wrong with any of them. The one door through which commands get it.
import {dirname, join, resolve} from 'node:path';
import {homedir} from 'node:os';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import type {ActionSpec} from '../catalog/action-spec.ts';
import {bindAction, bindModule} from '../catalog/bind.ts';
import type {Bound} from '../catalog/bind.ts';
import {Catalog} from '../catalog/catalog.ts';
import type {Module} from '../kit/module.ts';
import type {Resolver} from '../kit/wrap.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import type {Filter, Test} from '../template/environment.ts';
import {nodeOf} from './data-node.ts';
import {resolverOf} from './controller-files.ts';
import type {Inventory} from './inventory.ts';
import type {CacheOptions} from './inventory-cache.ts';
import {loadInventory} from './inventory-load.ts';
import type {InventoryPlugin} from './inventory-load.ts';
import {textOf} from './keywords.ts';
import {readLimit} from './limit.ts';
import {loadPlaybooks} from './load.ts';
import type {RunSettings} from './magic.ts';
import type {Node} from './node.ts';
import {matchHosts} from './patterns.ts';
import type {Item, Play, Program, Task} from './program.ts';
import {readVarsTask} from './read-vars.ts';
import {runVariables} from './run-variables.ts';
import type {PlayVariables, RunVariables} from './scope-layers.ts';
import type {HostMemory, Scope} from './scope.ts';
import {makeScope, TaskScope} from './scope-task.ts';
import {isSelected, oddTags, startAt, strangeTags} from './select.ts';
import {readExtraVars} from './vars-extra.ts';
import type {VarsFile} from './vars-files.ts';
import type {Lookup} from './lookup-site.ts';

export type SiteOptions = {
  readonly playbooks: readonly string[];
  readonly inventories: readonly string[];
  /** where answers of inventories that are programs are kept, and for how long */
  readonly inventoryCache?: CacheOptions;
  /** what inventory files with a key `plugin` may name; without it such files are left out */
  readonly inventoryPlugins?: ReadonlyMap<string, InventoryPlugin>;
  readonly actions: ReadonlyMap<string, ActionSpec>;
  /** relative paths start here, and paths are shown relative to it */
  readonly cwd: string;
  /** `-e`, as given */
  readonly extraVars?: readonly string[];
  /** `--limit`, as given */
  readonly limit?: readonly string[];
  readonly tags?: readonly string[];
  readonly skipTags?: readonly string[];
  readonly startAtTask?: string;
  readonly vaultPasswords?: readonly VaultPassword[];
  /** folders with the site's own modules and roles, besides those beside the playbook */
  readonly modulePaths?: readonly string[];
  readonly rolePaths?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly home?: string;
  readonly settings?: Partial<RunSettings>;
  /** the lowest level of variables: what the command line says of connections */
  readonly connectionValues?: (host: string) => Readonly<Record<string, unknown>>;
  readonly filters?: ReadonlyMap<string, Filter>;
  readonly tests?: ReadonlyMap<string, Test>;
  readonly lookups?: ReadonlyMap<string, Lookup>;
  /** true (check, validate): lookups change nothing on the controller */
  readonly readOnly?: boolean;
  readonly now?: () => Date;
};

/** Loads a site. *errors*: everything that keeps it from being used; warnings are in the site's `problems`. */
export async function loadSite(options: SiteOptions): Promise<Result<Site>> {
  const {site, problems} = await openSite(options);
  const errors = problems.filter((problem) => problem.severity === 'error');
  const [first, ...more] = errors;
  if (first === undefined) return ok(site);
  return bad(first, ...more, ...problems.filter((problem) => problem.severity === 'warning'));
}

/** Loads a site as far as it can be loaded, with all that is wrong with its files: for `validate`, which goes on and finds the rest. */
export async function openSite(options: SiteOptions): Promise<{site: Site; problems: readonly Diagnostic[]}> {
  const {cwd, vaultPasswords = [], env = {}} = options;
  const problems: Diagnostic[] = [];
  const loaded = await loadInventory(options.inventories, {
    cwd,
    env,
    vaultPasswords,
    ...(options.inventoryCache && {cache: options.inventoryCache}),
    ...(options.inventoryPlugins && {plugins: options.inventoryPlugins}),
  });
  problems.push(...loaded.problems);
  const extra = readExtraVars(options.extraVars ?? [], {cwd, vaultPasswords});
  problems.push(...extra.problems);
  const folders = options.playbooks.map((path) => join(dirname(resolve(cwd, path)), 'modules'));
  const catalog = new Catalog({actions: options.actions, cwd, folders: [...folders, ...(options.modulePaths ?? [])]});
  const read = loadPlaybooks(options.playbooks, {
    catalog,
    cwd,
    vaultPasswords,
    rolePaths: options.rolePaths ?? [],
    home: options.home ?? homedir(),
  });
  problems.push(...read.problems);
  let {program} = read;
  if (options.startAtTask !== undefined) {
    const cut = startAt(program, options.startAtTask);
    program = cut.program;
    if (cut.problem !== undefined) problems.push(cut.problem);
  }
  const limit = readLimit(loaded.inventory, options.limit ?? [], cwd);
  problems.push(...limit.problems);
  const site = new Site({options, program, inventory: loaded.inventory, catalog, extra, limit: limit.hosts, problems});
  problems.push(...strangeTags(program, site.selection), ...oddTags(program));
  return {site, problems};
}

type Parts = {
  readonly options: SiteOptions;
  readonly program: Program;
  readonly inventory: Inventory;
  readonly catalog: Catalog;
  readonly extra: VarsFile;
  readonly limit: ReadonlySet<string> | undefined;
  readonly problems: readonly Diagnostic[];
};

/** Everything about a site that a run works with. Grows during the run (`add_host`, `group_by`). */
export class Site {
  readonly program: Program;
  readonly inventory: Inventory;
  readonly catalog: Catalog;
  /** warnings, and errors if it was opened in spite of them */
  readonly problems: readonly Diagnostic[];
  readonly selection: {readonly tags: readonly string[]; readonly skipTags: readonly string[]};
  readonly variables: RunVariables;
  readonly #limit: ReadonlySet<string> | undefined;
  readonly #memories = new Map<string, HostMemory>();
  readonly #plays = new Map<Play, PlayVariables>();
  readonly #answers = new Map<Play, Map<string, unknown>>();
  readonly #matched = new Map<Play, {version: number; hosts: readonly string[]; problems: readonly Diagnostic[]}>();

  constructor({options, program, inventory, catalog, extra, limit, problems}: Parts) {
    this.program = program;
    this.inventory = inventory;
    this.catalog = catalog;
    this.problems = problems;
    this.selection = {tags: options.tags ?? [], skipTags: options.skipTags ?? []};
    this.#limit = limit;
    const {filters, tests, lookups, connectionValues, now, readOnly} = options;
    this.variables = runVariables({
      inventory,
      cwd: options.cwd,
      memoryOf: (host) => this.#memories.get(host),
      extraVars: extra.variables,
      vaultPasswords: options.vaultPasswords ?? [],
      env: options.env ?? {},
      settings: {
        ...options.settings,
        tags: options.tags ?? [],
        skipTags: options.skipTags ?? [],
        limit: options.limit?.join(','),
      },
      factsPending: (host) => Object.keys(this.#memories.get(host)?.facts ?? {}).length === 0,
      ...(connectionValues && {connectionValues}),
      ...(filters && {filters}),
      ...(tests && {tests}),
      ...(lookups && {lookups}),
      ...(now && {now}),
      ...(readOnly === undefined ? {} : {readOnly}),
    });
  }

  /** The hosts of a play in order, after `--limit`. */
  hostsOf(play: Play): readonly string[] {
    return this.matchesOf(play).hosts;
  }

  /** The hosts of a play, and what is odd about its pattern. */
  matchesOf(play: Play): {readonly hosts: readonly string[]; readonly problems: readonly Diagnostic[]} {
    const known = this.#matched.get(play);
    if (known?.version === this.inventory.version) return known;
    const matched = this.#match(play);
    const kept = this.#limit;
    const hosts = kept === undefined ? matched.hosts : matched.hosts.filter((host) => kept.has(host));
    const entry = {version: this.inventory.version, hosts: ordered(hosts, play.order), problems: matched.problems};
    this.#matched.set(play, entry);
    return entry;
  }

  /** A scope that belongs to no host, for what is evaluated with extra vars only. */
  bareScope(folder?: string): TaskScope {
    const host = this.inventory.host('localhost') === undefined ? '' : 'localhost';
    return makeScope({run: this.variables, host, ...(folder === undefined ? {} : {folder})});
  }

  /** A host's scope outside of any play: what the inventory alone says. */
  scopeAt(host: string): TaskScope {
    return makeScope({run: this.variables, host});
  }

  scopeFor(host: string, play: Play, task: Task | undefined, memory: HostMemory): TaskScope {
    this.#memories.set(host, memory);
    return this.scopeOf(host, play, task);
  }

  /** The scope of a task on a host with what that host is known to have learnt. */
  scopeOf(
    host: string,
    play: Play,
    task?: Pick<Item, 'vars' | 'role' | 'folder'>,
    run: RunVariables = this.variables,
  ): TaskScope {
    const place = {run, host, play: this.playVariables(play)};
    if (task === undefined) return makeScope(place);
    return makeScope({...place, layers: task.vars, role: task.role, folder: task.folder});
  }

  /** Sets what a host has learnt without making a scope. */
  remember(host: string, memory: HostMemory): void {
    this.#memories.set(host, memory);
  }

  /** Forgets what hosts are said to have learnt: after validation, before the run. */
  forgetAll(): void {
    this.#memories.clear();
    this.#plays.clear();
  }

  /** The hosts of the batch that runs now, and which of them still work: for `ansible_play_batch` and `ansible_play_hosts`. */
  enterBatch(play: Play, batch: readonly string[], active: () => readonly string[]): void {
    this.#plays.set(play, {...this.playVariables(play), batch, active});
  }

  /** The answer to a question of `vars_prompt`. */
  answer(play: Play, name: string, value: unknown): void {
    let answers = this.#answers.get(play);
    if (answers === undefined) this.#answers.set(play, (answers = new Map<string, unknown>()));
    answers.set(name, value);
    this.#plays.delete(play);
  }

  /** A play as its variables see it. */
  playVariables(play: Play): PlayVariables {
    let known = this.#plays.get(play);
    if (known === undefined) {
      const hosts = this.hostsOf(play);
      known = {
        name: play.name,
        folder: play.folder,
        vars: play.vars,
        prompted: this.#answers.get(play) ?? new Map<string, unknown>(),
        varsFiles: play.varsFiles,
        hosts,
        active: () => hosts,
        batch: hosts,
        roleNames: rolesIn(play),
      };
      this.#plays.set(play, known);
    }
    return known;
  }

  bind(module: Module, params: Readonly<Record<string, unknown>>, resolver: Resolver): Bound {
    return bindModule(module, params, resolver);
  }

  bindAction(action: ActionSpec, params: Readonly<Record<string, unknown>>): Bound {
    return bindAction(action, params);
  }

  resolverFor(scope: Scope): Resolver {
    return resolverOf(own(scope));
  }

  isSelected(item: {readonly keywords: {readonly tags: readonly string[]}}): boolean {
    return isSelected(item.keywords.tags, this.selection);
  }

  /** Variables of the files that `include_vars` names. */
  readVars(values: Readonly<Record<string, unknown>>, scope: Scope, task: Task): Result<ReadonlyMap<string, Node>> {
    return readVarsTask(values, own(scope).folders, this.variables.varsFiles, task.span);
  }

  /** `add_host`: false where nothing new was added. */
  addHost(name: string, groups: readonly string[], variables: Readonly<Record<string, unknown>>): boolean {
    const {inventory} = this;
    let isNew = inventory.host(name) === undefined || inventory.host(name)?.implicit === true;
    inventory.addHost(name);
    for (const group of groups) {
      inventory.addGroup(group);
      if (inventory.group(group)?.hosts.includes(name) !== true) isNew = true;
      inventory.addToGroup(group, name);
    }
    const source = {path: '<add_host>', text: ''};
    const span = {source, start: 0, end: 0};
    for (const [key, value] of Object.entries(variables)) {
      if (!inventory.host(name)?.variables.has(key)) isNew = true;
      inventory.setHostVariable(name, {name: key, nameSpan: span, value: literal(nodeOf(value, span))});
    }
    inventory.settle();
    return isNew;
  }

  /** `group_by`: false where the host was in the group already. */
  addToGroup(host: string, group: string, parents: readonly string[]): boolean {
    const {inventory} = this;
    const isNew = inventory.group(group)?.hosts.includes(host) !== true;
    inventory.addGroup(group);
    for (const parent of parents) {
      inventory.addGroup(parent);
      inventory.addChild(parent, group);
    }
    inventory.addToGroup(group, host);
    inventory.settle();
    return isNew;
  }

  #match(play: Play): {hosts: readonly string[]; problems: readonly Diagnostic[]} {
    const nodes = play.hosts.kind === 'list' ? play.hosts.items : [play.hosts];
    const problems: Diagnostic[] = [];
    const patterns: string[] = [];
    for (const node of nodes) {
      const value = this.bareScope(play.folder).evaluate(node);
      if (!value.ok) {
        problems.push(...value.problems);
        continue;
      }
      const list: readonly unknown[] = Array.isArray(value.value) ? value.value : [value.value];
      for (const pattern of list) {
        if (typeof pattern !== 'string' && typeof pattern !== 'number') {
          problems.push(error('bad-keyword', 'hosts: expected a pattern or a list of patterns', {span: node.span}));
          continue;
        }
        patterns.push(String(pattern));
        const exact = node.kind === 'scalar' && textOf(node) === String(pattern);
        const matched = matchHosts(this.inventory, String(pattern), (start, end) =>
          exact && node.style === 'plain'
            ? {...node.span, start: node.span.start + start, end: node.span.start + end}
            : node.span,
        );
        problems.push(...matched.problems);
      }
    }
    return {hosts: matchHosts(this.inventory, patterns).hosts, problems};
  }
}

/** Scopes go through the engine as an interface; all of them were made here. */
function own(scope: Scope): TaskScope {
  if (scope instanceof TaskScope) return scope;
  throw new Error('a scope that this site did not make');
}

/** Data that never is a template, whatever it looks like. */
function literal(node: Node): Node {
  if (node.kind === 'list') return {...node, items: node.items.map(literal)};
  if (node.kind === 'map')
    return {...node, entries: node.entries.map((entry) => ({...entry, value: literal(entry.value)}))};
  return typeof node.value === 'string' ? {...node, tag: '!unsafe'} : node;
}

function ordered(hosts: readonly string[], order: Play['order']): readonly string[] {
  switch (order) {
    case 'sorted':
      return [...hosts].sort();
    case 'reverse_sorted':
      return [...hosts].sort().reverse();
    case 'reverse_inventory':
      return [...hosts].reverse();
    case 'shuffle':
      return shuffled(hosts);
    case 'inventory':
    case undefined:
      return hosts;
  }
}

/** The play asks for another order in every run. */
function shuffled(hosts: readonly string[]): readonly string[] {
  const weights = crypto.getRandomValues(new Uint32Array(hosts.length));
  return hosts
    .map((host, i) => ({host, weight: weights[i] ?? 0}))
    .sort((a, b) => a.weight - b.weight)
    .map(({host}) => host);
}

function rolesIn(play: Play): readonly string[] {
  const names = new Set<string>();
  const look = (items: readonly Item[]): void => {
    for (const item of items) {
      if (item.role !== undefined) names.add(item.role.name);
      if (item.item === 'block') look([...item.block, ...item.rescue, ...item.always]);
    }
  };
  look(play.items);
  return [...names];
}
