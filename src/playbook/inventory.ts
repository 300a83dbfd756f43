// Hosts and groups of all sources together. It may grow during a run (add_host, group_by); what it knows of variables is only what stands
// in the inventory sources themselves: files below group_vars and host_vars are read per host, when that host is worked on.
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import type {Node} from './node.ts';

/** A variable as somebody wrote it: its value and both places. */
export type Variable = {readonly name: string; readonly nameSpan: Span; readonly value: Node};

/** A managed host. `groups` are those that list it themselves. */
export type Host = {
  readonly name: string;
  /** the first place that names it; undefined for one that was added during the run, or localhost that nobody wrote down */
  readonly span: Span | undefined;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly groups: readonly string[];
  /** `localhost` used without any inventory naming it: part of no group, not even of `all` as a pattern */
  readonly implicit: boolean;
  /** path of the inventory source that named it first; undefined for hosts added in the run */
  readonly inventoryFile: string | undefined;
};

/** A group of hosts. */
export type Group = {
  readonly name: string;
  readonly span: Span | undefined;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly hosts: readonly string[];
  readonly children: readonly string[];
  readonly parents: readonly string[];
  /** `ansible_group_priority`; 1 if not given */
  readonly priority: number;
};

type MutableHost = {
  name: string;
  span: Span | undefined;
  variables: Map<string, Variable>;
  groups: string[];
  implicit: boolean;
  inventoryFile: string | undefined;
};
type MutableGroup = {
  name: string;
  span: Span | undefined;
  variables: Map<string, Variable>;
  hosts: Set<string>;
  hostList: string[] | undefined;
  children: string[];
  parents: string[];
  priority: number;
};

/** Where an inventory lies on the controller. */
export type InventoryFolder = {readonly source: string; readonly folder: string};

/** All hosts and groups, in Ansible's order. */
export class Inventory {
  readonly #hosts = new Map<string, MutableHost>();
  readonly #groups = new Map<string, MutableGroup>();
  #depths: Map<string, number> | undefined;
  #ancestors = new Map<string, readonly string[]>();
  #members = new Map<string, readonly string[]>();
  /** folders that may hold group_vars and host_vars, one for each source in the order given */
  readonly folders: InventoryFolder[] = [];
  /** changes whenever hosts or groups do: for caches */
  version = 0;

  constructor() {
    this.addGroup('all');
    this.addGroup('ungrouped');
    this.addChild('all', 'ungrouped');
  }

  host(name: string): Host | undefined {
    return this.#hosts.get(name);
  }

  group(name: string): Group | undefined {
    const group = this.#groups.get(name);
    return group === undefined ? undefined : view(group);
  }

  hostNames(): Iterable<string> {
    return this.#hosts.keys();
  }

  groupNames(): Iterable<string> {
    return this.#groups.keys();
  }

  addGroup(name: string, span?: Span): void {
    const known = this.#groups.get(name);
    if (known !== undefined) {
      known.span ??= span;
      return;
    }
    this.#groups.set(name, {
      name,
      span,
      variables: new Map(),
      hosts: new Set(),
      hostList: undefined,
      children: [],
      parents: [],
      priority: 1,
    });
    this.#changed();
  }

  addHost(name: string, place: {span?: Span | undefined; implicit?: boolean; inventoryFile?: string} = {}): void {
    const known = this.#hosts.get(name);
    if (known !== undefined) {
      if (place.implicit !== true) known.implicit = false;
      return;
    }
    const {span, implicit = false, inventoryFile} = place;
    this.#hosts.set(name, {name, span, variables: new Map(), groups: [], implicit, inventoryFile});
    this.#changed();
  }

  /** Puts a host that exists into a group that exists. */
  addToGroup(group: string, host: string): void {
    const into = this.#groups.get(group);
    const member = this.#hosts.get(host);
    if (into === undefined || member === undefined || into.hosts.has(host)) return;
    into.hosts.add(host);
    into.hostList = undefined;
    member.groups.push(group);
    if (group !== 'all' && group !== 'ungrouped' && this.#groups.get('ungrouped')?.hosts.delete(host) === true) {
      const ungrouped = this.#groups.get('ungrouped');
      if (ungrouped !== undefined) ungrouped.hostList = undefined;
      member.groups = member.groups.filter((name) => name !== 'ungrouped');
    }
    this.#changed();
  }

  /** Makes a group a child of another one. *errors*: `group-cycle`, when the child contains the parent. */
  addChild(parent: string, child: string, span?: Span): Diagnostic | undefined {
    const above = this.#groups.get(parent);
    const below = this.#groups.get(child);
    if (above === undefined || below === undefined || above.children.includes(child)) return undefined;
    if (parent === child || this.#contains(child, parent)) {
      const help = 'a group may not contain itself, not even by way of others';
      return error('group-cycle', `the group ${child} contains ${parent}, so it cannot be its child`, {
        ...(span && {span}),
        help,
      });
    }
    above.children.push(child);
    below.parents.push(parent);
    this.#changed();
    return undefined;
  }

  setHostVariable(host: string, variable: Variable): void {
    this.#hosts.get(host)?.variables.set(variable.name, variable);
  }

  setGroupVariable(name: string, variable: Variable): void {
    const group = this.#groups.get(name);
    if (group === undefined) return;
    if (variable.name === 'ansible_group_priority') {
      const {value} = variable;
      const priority = value.kind === 'scalar' ? Number(value.value) : NaN;
      if (Number.isInteger(priority)) group.priority = priority;
      this.#changed();
      return;
    }
    group.variables.set(variable.name, variable);
  }

  /** Brings the rules about `all` and `ungrouped` into force, once all sources are read or a host was added. */
  settle(): void {
    for (const group of this.#groups.values())
      if (group.name !== 'all' && group.parents.length === 0) this.addChild('all', group.name);
    for (const host of this.#hosts.values()) {
      if (host.implicit) continue;
      const own = host.groups.filter((name) => name !== 'all' && name !== 'ungrouped');
      if (own.length === 0) this.addToGroup('ungrouped', host.name);
      else if (host.groups.includes('ungrouped')) {
        const ungrouped = this.#groups.get('ungrouped');
        ungrouped?.hosts.delete(host.name);
        if (ungrouped !== undefined) ungrouped.hostList = undefined;
        host.groups = host.groups.filter((name) => name !== 'ungrouped');
        this.#changed();
      }
    }
  }

  /** `localhost` when a play names it and no inventory does. */
  addImplicitLocalhost(name = 'localhost'): void {
    this.addHost(name, {implicit: true});
  }

  /** Levels below `all`: the longest way counts. */
  depthOf(name: string): number {
    this.#depths ??= new Map([['all', 0]]);
    const known = this.#depths.get(name);
    if (known !== undefined) return known;
    const parents = this.#groups.get(name)?.parents ?? [];
    const depth =
      parents.length === 0 ? (name === 'all' ? 0 : 1) : 1 + Math.max(...parents.map((parent) => this.depthOf(parent)));
    this.#depths.set(name, depth);
    return depth;
  }

  /** The groups of a host, those above them included, `all` too; the least specific first: by depth, priority, name. */
  groupsOf(hostName: string): readonly string[] {
    const host = this.#hosts.get(hostName);
    if (host === undefined || host.implicit) return ['all'];
    const names = new Set(['all']);
    for (const direct of host.groups) {
      names.add(direct);
      for (const above of this.#ancestorsOf(direct)) names.add(above);
    }
    const weight = (name: string): [number, number] => [this.depthOf(name), this.#groups.get(name)?.priority ?? 1];
    return [...names].sort((a, b) => {
      const [depthA, priorityA] = weight(a);
      const [depthB, priorityB] = weight(b);
      return depthA - depthB || priorityA - priorityB || (a < b ? -1 : 1);
    });
  }

  /** All hosts of a group and of the groups below it, in Ansible's order. */
  hostsOf(groupName: string): readonly string[] {
    const cached = this.#members.get(groupName);
    if (cached !== undefined) return cached;
    const hosts = new Set<string>();
    for (const name of this.#withDescendants(groupName)) {
      for (const host of this.#groups.get(name)?.hosts ?? []) hosts.add(host);
    }
    const members = [...hosts];
    this.#members.set(groupName, members);
    return members;
  }

  /** The magic variable `groups`. */
  groupMembers(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries([...this.#groups.keys()].map((name) => [name, this.hostsOf(name)]));
  }

  #changed(): void {
    this.version++;
    this.#depths = undefined;
    if (this.#ancestors.size > 0) this.#ancestors = new Map();
    if (this.#members.size > 0) this.#members = new Map();
  }

  #ancestorsOf(name: string): readonly string[] {
    const cached = this.#ancestors.get(name);
    if (cached !== undefined) return cached;
    const found = new Set<string>();
    for (const parent of this.#groups.get(name)?.parents ?? []) {
      found.add(parent);
      for (const above of this.#ancestorsOf(parent)) found.add(above);
    }
    const ancestors = [...found];
    this.#ancestors.set(name, ancestors);
    return ancestors;
  }

  #contains(group: string, wanted: string): boolean {
    return this.#withDescendants(group).includes(wanted);
  }

  /** A group and the ones below it, level by level. */
  #withDescendants(name: string): string[] {
    const ordered = new Set([name]);
    for (const current of ordered) for (const below of this.#groups.get(current)?.children ?? []) ordered.add(below);
    return [...ordered];
  }
}

function view(group: MutableGroup): Group {
  group.hostList ??= [...group.hosts];
  const {name, span, variables, hostList, children, parents, priority} = group;
  return {name, span, variables, hosts: hostList, children, parents, priority};
}
