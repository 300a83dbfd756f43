// The variables that tsplay itself provides, under Ansible's names.
import {dirname, isAbsolute, resolve} from 'node:path';
import type {Inventory} from './inventory.ts';
import {omit} from './omit.ts';
import type {RoleContext} from './program.ts';

/** What the command line says to a run. */
export type RunSettings = {
  readonly checkMode: boolean;
  readonly diffMode: boolean;
  readonly limit: string | undefined;
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  readonly forks: number;
  readonly verbosity: number;
};

/** Where a task stands, as far as variables tell it. */
export type MagicContext = {
  readonly inventory: Inventory;
  readonly settings: RunSettings;
  readonly cwd: string;
  readonly host: string;
  readonly play:
    | {
        readonly name: string;
        readonly folder: string;
        readonly hosts: readonly string[];
        readonly active: () => readonly string[];
        readonly batch: readonly string[];
        readonly roleNames: readonly string[];
      }
    | undefined;
  readonly role: RoleContext | undefined;
  readonly searchPath: readonly string[];
};

type Give = (context: MagicContext) => unknown;

const groups = new WeakMap<Inventory, {version: number; members: unknown}>();

/** The version of Ansible that playbooks may believe to run under: whose language this is. */
const ansibleVersion = {full: '2.16.0', string: '2.16.0', major: 2, minor: 16, revision: 0};

const givers: Readonly<Record<string, Give>> = {
  omit: () => omit,
  inventory_hostname: ({host}) => host,
  inventory_hostname_short: ({host}) => (/^[\d.]+$|:/.test(host) ? host : host.split('.')[0]),
  group_names: ({inventory, host}) =>
    inventory
      .groupsOf(host)
      .filter((name) => name !== 'all')
      .sort(),
  groups: ({inventory}) => {
    const cached = groups.get(inventory);
    if (cached?.version === inventory.version) return cached.members;
    const members = inventory.groupMembers();
    groups.set(inventory, {version: inventory.version, members});
    return members;
  },
  inventory_file: (context) => inventoryFile(context),
  inventory_dir: (context) => {
    const file = inventoryFile(context);
    return file === undefined ? context.inventory.folders[0]?.folder : dirname(file);
  },
  ansible_inventory_sources: ({inventory}) => inventory.folders.map(({source}) => source),
  playbook_dir: ({play, cwd}) => play?.folder ?? cwd,
  ansible_play_name: ({play}) => play?.name,
  ansible_play_hosts: ({play}) => play?.active(),
  ansible_play_hosts_all: ({play}) => play?.hosts,
  ansible_play_batch: ({play}) => activeBatch(play),
  play_hosts: ({play}) => activeBatch(play),
  ansible_play_role_names: ({play}) => play?.roleNames,
  ansible_role_names: ({play}) => play?.roleNames,
  role_names: ({play}) => play?.roleNames,
  role_name: ({role}) => role?.name.split('.').at(-1),
  ansible_role_name: ({role}) => role?.name,
  role_path: ({role}) => role?.path,
  ansible_parent_role_names: ({role}) => (role === undefined || role.parents.length === 0 ? undefined : role.parents),
  ansible_search_path: ({searchPath}) => searchPath,
  ansible_check_mode: ({settings}) => settings.checkMode,
  ansible_diff_mode: ({settings}) => settings.diffMode,
  ansible_limit: ({settings}) => settings.limit,
  ansible_run_tags: ({settings}) => (settings.tags.length === 0 ? ['all'] : settings.tags),
  ansible_skip_tags: ({settings}) => settings.skipTags,
  ansible_forks: ({settings}) => settings.forks,
  ansible_verbosity: ({settings}) => settings.verbosity,
  ansible_version: () => ansibleVersion,
  ansible_managed: () => 'Ansible managed',
};

/** All names that {@link magicValue} may know. */
export const magicNames: readonly string[] = Object.keys(givers);

/** Whether a name is one of tsplay's own in any place at all. */
export function isMagicName(name: string): boolean {
  return Object.hasOwn(givers, name) || name === 'hostvars' || name === 'vars' || name === 'ansible_facts';
}

/** The value of a magic variable; undefined where there is none at this place (`role_path` outside of roles). `hostvars`, `vars` and facts are the scope's own. */
export function magicValue(name: string, context: MagicContext): unknown {
  return Object.hasOwn(givers, name) ? givers[name]?.(context) : undefined;
}

/** Hosts of the batch that still work. */
function activeBatch(play: MagicContext['play']): readonly string[] | undefined {
  const active = new Set(play?.active());
  return play?.batch.filter((host) => active.has(host));
}

function inventoryFile({inventory, host, cwd}: MagicContext): string | undefined {
  const file = inventory.host(host)?.inventoryFile;
  return file === undefined || isAbsolute(file) ? file : resolve(cwd, file);
}
