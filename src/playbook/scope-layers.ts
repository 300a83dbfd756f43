// Where the value of a variable is found: one walk from the strongest level to the weakest (vars-precedence.ts).
import type {Node} from './node.ts';
import type {Inventory, Variable} from './inventory.ts';
import type {RunSettings} from './magic.ts';
import type {RoleContext, VarsLayer} from './program.ts';
import type {HostMemory} from './scope.ts';
import type {InventoryVariables} from './vars-inventory.ts';
import type {VarsFiles} from './vars-files.ts';
import type {Level} from './vars-precedence.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import type {Environment} from '../template/environment.ts';
import type {Lookup} from './lookup-site.ts';

/** What all scopes of a run share. */
export type RunVariables = {
  readonly inventory: Inventory;
  readonly inventoryVariables: InventoryVariables;
  readonly varsFiles: VarsFiles;
  readonly extraVars: ReadonlyMap<string, Variable>;
  readonly vaultPasswords: readonly VaultPassword[];
  /** filters, tests and functions of templates; lookups are added by the scope */
  readonly environment: Environment;
  readonly settings: RunSettings;
  /** folder that paths are shown relative to */
  readonly cwd: string;
  /** environment for the lookups `env` and `pipe` */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** what a host has learnt; undefined for one that the run has not met */
  readonly memoryOf: (host: string) => HostMemory | undefined;
  /** values that the connection has where nobody wrote them down, such as `ansible_user` */
  readonly connectionValues?: (host: string) => Readonly<Record<string, unknown>>;
  /** the host has not been asked yet, so any `ansible_X` that nothing defines may be a fact */
  readonly factsPending?: (host: string) => boolean;
  /** lookups of the site's own; they hide built-in ones of the same name */
  readonly lookups?: ReadonlyMap<string, Lookup>;
  /** true: lookups change nothing on the controller (`password` makes no file) */
  readonly readOnly?: boolean;
  /** results of lookups that run programs: the same in the whole run, so that planning stays repeatable */
  readonly lookupResults: Map<string, unknown>;
};

/** A play, as far as variables see it. */
export type PlayVariables = {
  readonly name: string;
  /** folder of the playbook */
  readonly folder: string;
  readonly vars: ReadonlyMap<string, Node>;
  readonly prompted: ReadonlyMap<string, unknown>;
  readonly varsFiles: readonly Node[];
  /** all hosts of the play, those still working, those of the current batch */
  readonly hosts: readonly string[];
  readonly active: () => readonly string[];
  readonly batch: readonly string[];
  readonly roleNames: readonly string[];
};

/** The place of one task on one host. */
export type ScopePlace = {
  readonly run: RunVariables;
  readonly host: string;
  readonly play?: PlayVariables | undefined;
  /** variables of role, blocks, includes and the task, outermost first */
  readonly layers?: readonly VarsLayer[];
  readonly role?: RoleContext | undefined;
  /** folder of the file that the task stands in */
  readonly folder?: string;
};

/** A value that was found: text of the user's, which may be a template, or data, which never is. */
export type Found = {readonly level: Level; readonly node: Node} | {readonly level: Level; readonly data: unknown};

type Sorted = Readonly<
  Record<'role-defaults' | 'role-vars' | 'task' | 'include' | 'role-params', readonly ReadonlyMap<string, Node>[]>
>;

const sortedLayers = new WeakMap<readonly VarsLayer[], Sorted>();
const noLayers: readonly VarsLayer[] = [];

/** Layers by level, the innermost first. */
function sorted(layers: readonly VarsLayer[]): Sorted {
  let known = sortedLayers.get(layers);
  if (known === undefined) {
    const inner = layers.toReversed();
    const of = (...kinds: VarsLayer['kind'][]): ReadonlyMap<string, Node>[] =>
      inner.filter((l) => kinds.includes(l.kind)).map((l) => l.values);
    known = {
      'role-defaults': of('role-defaults'),
      'role-vars': of('role-vars'),
      task: of('block', 'task'),
      include: of('include'),
      'role-params': of('role-params'),
    };
    sortedLayers.set(layers, known);
  }
  return known;
}

/** The strongest value of a variable below the magic ones; `fileVars` are those of the play's vars_files. */
export function findVariable(
  name: string,
  place: ScopePlace,
  fileVars: ReadonlyMap<string, Variable>,
): Found | undefined {
  const {run, host, play} = place;
  const layers = sorted(place.layers ?? noLayers);
  const memory = run.memoryOf(host);

  const extra = run.extraVars.get(name);
  if (extra !== undefined) return {level: 'extra', node: extra.value};
  const fromLayers = (level: keyof Sorted): Found | undefined => {
    for (const values of layers[level]) {
      const node = values.get(name);
      if (node !== undefined) return {level, node};
    }
    return undefined;
  };
  const given = fromLayers('include') ?? fromLayers('role-params');
  if (given !== undefined) return given;
  if (memory?.setFacts.has(name) === true) return {level: 'set', data: memory.setFacts.get(name)};
  if (memory?.registered.has(name) === true) return {level: 'set', data: memory.registered.get(name)};
  const included = memory?.includedVars.get(name);
  if (included !== undefined)
    return 'kind' in included ? {level: 'include_vars', node: included} : {level: 'include_vars', data: included.data};
  const own = fromLayers('task') ?? fromLayers('role-vars');
  if (own !== undefined) return own;
  const fromFile = fileVars.get(name);
  if (fromFile !== undefined) return {level: 'vars_files', node: fromFile.value};
  if (play?.prompted.has(name) === true) return {level: 'prompt', data: play.prompted.get(name)};
  const inPlay = play?.vars.get(name);
  if (inPlay !== undefined) return {level: 'play', node: inPlay};
  const fact = memory === undefined ? undefined : factNamed(memory.facts, name);
  if (fact !== undefined) return fact;
  const [written] = run.inventoryVariables.of(host, play?.folder).origins.get(name) ?? [];
  if (written !== undefined) return {level: written.level, node: written.variable.value};
  return fromLayers('role-defaults') ?? connectionValue(name, place);
}

function factNamed(facts: Readonly<Record<string, unknown>>, name: string): Found | undefined {
  if (!name.startsWith('ansible_')) return undefined;
  const short = name.slice('ansible_'.length);
  if (Object.hasOwn(facts, short)) return {level: 'facts', data: facts[short]};
  return Object.hasOwn(facts, name) ? {level: 'facts', data: facts[name]} : undefined;
}

function connectionValue(name: string, {run, host}: ScopePlace): Found | undefined {
  const values = run.connectionValues?.(host);
  if (values !== undefined && Object.hasOwn(values, name)) return {level: 'connection', data: values[name]};
  if (name === 'ansible_host') return {level: 'connection', data: host};
  const implicit = run.inventory.host(host)?.implicit === true;
  return implicit && name === 'ansible_connection' ? {level: 'connection', data: 'local'} : undefined;
}

/** All names that have a value below the magic ones, for "did you mean" and `vars`. */
export function variableNames(place: ScopePlace, fileVars: ReadonlyMap<string, Variable>): Set<string> {
  const {run, host, play} = place;
  const memory = run.memoryOf(host);
  const names = new Set<string>(['ansible_host', ...Object.keys(run.connectionValues?.(host) ?? {})]);
  const all: Iterable<string>[] = [
    ...(place.layers ?? noLayers).map((layer) => layer.values.keys()),
    run.inventoryVariables.of(host, play?.folder).origins.keys(),
    play?.vars.keys() ?? [],
    play?.prompted.keys() ?? [],
    fileVars.keys(),
    memory?.includedVars.keys() ?? [],
    memory?.setFacts.keys() ?? [],
    memory?.registered.keys() ?? [],
    run.extraVars.keys(),
    Object.keys(memory?.facts ?? {}).map((fact) => (fact.startsWith('ansible_') ? fact : `ansible_${fact}`)),
  ];
  for (const some of all) for (const name of some) names.add(name);
  return names;
}

/** Whether an `ansible_X` could be a fact: the names that steer connections and tsplay itself are none. */
export function mayBeFact(name: string): boolean {
  return (
    name.startsWith('ansible_') &&
    !/^ansible_(?:host|port|user|password|ssh_.*|sftp_.*|scp_.*|connection|become.*|sudo.*|su_.*|python_interpreter|.*_interpreter|shell_.*|winrm_.*|psrp_.*|network_os|remote_tmp|async_dir|group_priority|loop.*|index_var|failed_.*|delegated_vars|facts|version|check_mode|diff_mode|managed|limit|run_tags|skip_tags|forks|verbosity|play_.*|role_name.*|parent_role_.*|search_path|inventory_sources|config_file|playbook_python)$/.test(
      name,
    )
  );
}
