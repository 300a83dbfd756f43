// All that inventories, group_vars and host_vars say about one host, put together once per host and folder of playbooks.
import type {Diagnostic} from '../base/diagnostic.ts';
import type {Inventory, Variable} from './inventory.ts';
import type {VarsFiles} from './vars-files.ts';
import {strengthOf} from './vars-precedence.ts';
import type {Level} from './vars-precedence.ts';

/** One place that gives a variable a value; `owner` is the group or host that it is given to. */
export type Origin = {readonly level: Level; readonly owner: string; readonly variable: Variable};

/** The variables of a host by name: each with every place that gives it, the strongest first. */
export type HostVariables = {
  readonly origins: ReadonlyMap<string, readonly [Origin, ...Origin[]]>;
  readonly problems: readonly Diagnostic[];
};

/** Puts the variables of hosts together, and keeps the result as long as the inventory stays as it is. */
export class InventoryVariables {
  readonly #inventory: Inventory;
  readonly #files: VarsFiles;
  #version = -1;
  #cache = new Map<string, HostVariables>();

  constructor(inventory: Inventory, files: VarsFiles) {
    this.#inventory = inventory;
    this.#files = files;
  }

  /** Everything about a host that is written down; `playbookFolder` is where the playbook lies. */
  of(host: string, playbookFolder: string | undefined): HostVariables {
    if (this.#version !== this.#inventory.version) {
      this.#version = this.#inventory.version;
      this.#cache = new Map();
    }
    const key = `${host}\0${playbookFolder ?? ''}`;
    let known = this.#cache.get(key);
    if (known === undefined) {
      known = this.#gather(host, playbookFolder);
      this.#cache.set(key, known);
    }
    return known;
  }

  #gather(host: string, playbookFolder: string | undefined): HostVariables {
    const origins = new Map<string, [Origin, ...Origin[]]>();
    const problems = new Set<Diagnostic>();
    const add = (level: Level, owner: string, variables: ReadonlyMap<string, Variable>): void => {
      for (const [name, variable] of variables) {
        const origin: Origin = {level, owner, variable};
        const list = origins.get(name);
        if (list === undefined) origins.set(name, [origin]);
        else list.unshift(origin);
      }
    };
    const addFiles = (level: Level, folder: string, kind: 'group_vars' | 'host_vars', owner: string): void => {
      const read = this.#files.named(folder, kind, owner);
      for (const problem of read.problems) problems.add(problem);
      add(level, owner, read.variables);
    };
    const beside = [...new Set(this.#inventory.folders.map(({folder}) => folder))];
    const groups = this.#inventory.groupsOf(host);
    const others = groups.filter((name) => name !== 'all');
    const own = playbookFolder === undefined ? [] : [playbookFolder];

    add('inventory-all', 'all', this.#inventory.group('all')?.variables ?? new Map<string, Variable>());
    for (const name of others)
      add('inventory-group', name, this.#inventory.group(name)?.variables ?? new Map<string, Variable>());
    for (const folder of beside) addFiles('inventory-group_vars-all', folder, 'group_vars', 'all');
    for (const folder of own) addFiles('playbook-group_vars-all', folder, 'group_vars', 'all');
    for (const name of others)
      for (const folder of beside) addFiles('inventory-group_vars', folder, 'group_vars', name);
    for (const name of others) for (const folder of own) addFiles('playbook-group_vars', folder, 'group_vars', name);
    add('inventory-host', host, this.#inventory.host(host)?.variables ?? new Map<string, Variable>());
    for (const folder of beside) addFiles('inventory-host_vars', folder, 'host_vars', host);
    for (const folder of own) addFiles('playbook-host_vars', folder, 'host_vars', host);
    return {origins, problems: [...problems]};
  }
}

/** Whether a level is one of those that are written in an inventory or beside it. */
export function isWrittenLevel(level: Level): boolean {
  return strengthOf(level) >= strengthOf('inventory-all') && strengthOf(level) <= strengthOf('playbook-host_vars');
}
