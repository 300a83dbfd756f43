import type {Span} from '../base/diagnostic.ts';
import type {Module} from '../kit/module.ts';
import type {ArgumentSpec} from './argument-specs.ts';
import type {Node} from './node.ts';

/**
 * A site, parsed: what the engine interprets. Includes that can be resolved statically are resolved; every text that may hold a template is
 * still a {@link Node}, evaluated per host by a Scope.
 */
export type Program = {readonly plays: readonly Play[]; readonly playbooks: readonly string[]; readonly root: string};

export type Play = {
  readonly name: string;
  readonly span: Span;
  /** templates allowed; evaluated with extra vars only */
  readonly hosts: Node;
  readonly keywords: Keywords;
  readonly gatherFacts: boolean | undefined;
  readonly serial: Node | undefined;
  readonly strategy: 'free' | 'linear' | 'host_pinned' | 'debug' | undefined;
  readonly order: 'inventory' | 'reverse_inventory' | 'sorted' | 'reverse_sorted' | 'shuffle' | undefined;
  readonly forceHandlers: Node | undefined;
  readonly maxFailPercentage: Node | undefined;
  /** `vars:` of the play (a list of mappings is merged) */
  readonly vars: ReadonlyMap<string, Node>;
  readonly varsPrompt: readonly VarsPrompt[];
  /** vars_files, in order; each a path template or a list of alternatives of which the first that exists is read */
  readonly varsFiles: readonly Node[];
  /** pre_tasks, roles, tasks and post_tasks, in this order, with handlers flushed in between (meta items) */
  readonly items: readonly Item[];
  readonly handlers: readonly Item[];
  /** folder of the playbook file, for relative paths */
  readonly folder: string;
};
export type VarsPrompt = {
  readonly name: string;
  readonly prompt: string;
  readonly isPrivate: boolean;
  readonly default: Node | undefined;
  readonly confirm: boolean;
  /** how the answer is hashed, and with which salt */
  readonly encrypt: string | undefined;
  readonly salt: string | undefined;
  readonly saltSize: number | undefined;
  readonly span: Span;
};

export type Item = Task | Block | Include;

/**
 * What a task is to do: a module of the catalog, an action of the engine (set_fact, debug, meta, …), or something that others have and we do not:
 * such a task fails where it is reached, and validation says so before.
 */
export type Doing =
  | {readonly do: 'module'; readonly module: Module}
  | {readonly do: 'action'; readonly action: string}
  | {readonly do: 'missing'; readonly name: string};

/** The name by which reports call what a task does. */
export function nameOfDoing(doing: Doing): string {
  switch (doing.do) {
    case 'module':
      return doing.module.name;
    case 'action':
      return doing.action;
    case 'missing':
      return doing.name;
  }
}

export type Task = {
  readonly item: 'task';
  /** may hold templates */
  readonly name: Node | undefined;
  /** place of the module key: what `at` and messages point to */
  readonly span: Span;
  /** as the user wrote it (`ansible.builtin.copy`) */
  readonly spelled: string;
  readonly doing: Doing;
  /** a mapping, or a scalar for free-form modules; `args:` is merged in */
  readonly params: Node | undefined;
  /** parameters given as free-form `k=v` text or beside a free-form command, merged */
  readonly keywords: Keywords;
  /** enclosing blocks', includes', role's and play's keywords, innermost first; inheritance is resolved already in `keywords` */
  readonly role: RoleContext | undefined;
  /** variables of the enclosing scopes, outermost first: play vars are not here; role vars, block vars, include vars, task vars */
  readonly vars: readonly VarsLayer[];
  /** folder of the file that the task stands in */
  readonly folder: string;
  /** of the task that a role with `argument_specs` begins with */
  readonly argumentSpec?: ArgumentSpec;
};

export type Block = {
  readonly item: 'block';
  readonly name: Node | undefined;
  readonly span: Span;
  readonly keywords: Keywords;
  readonly block: readonly Item[];
  readonly rescue: readonly Item[];
  readonly always: readonly Item[];
  readonly vars: readonly VarsLayer[];
  readonly role: RoleContext | undefined;
  readonly folder: string;
};

/** An include whose file name or loop is known only on the host; `load` parses it then. Static ones are inlined as a Block. */
export type Include = {
  readonly item: 'include';
  readonly span: Span;
  readonly what: 'tasks' | 'role';
  readonly file: Node;
  readonly name: Node | undefined;
  readonly keywords: Keywords;
  /** further keys of include_role: tasks_from, vars_from, apply, … */
  readonly options: Node | undefined;
  readonly vars: readonly VarsLayer[];
  readonly role: RoleContext | undefined;
  readonly folder: string;
  /** parses the file for a rendered name; diagnostics as for static ones */
  readonly load: (file: string) => import('../base/result.ts').Result<readonly Item[]>;
};

export type VarsLayer = {
  readonly kind: 'role-defaults' | 'role-vars' | 'block' | 'task' | 'include' | 'role-params';
  readonly values: ReadonlyMap<string, Node>;
};

export type RoleContext = {readonly name: string; readonly path: string; readonly parents: readonly string[]};

/** Task keywords; `undefined` = not given anywhere (inherited ones are filled in). Lists that Ansible merges (when, tags, environment) are merged, outermost first. */
export type Keywords = {
  readonly when: readonly Node[];
  readonly tags: readonly string[];
  readonly loop: Loop | undefined;
  readonly register: string | undefined;
  readonly notify: Node | undefined;
  readonly listen: readonly string[];
  readonly become: Node | undefined;
  readonly becomeUser: Node | undefined;
  readonly becomeMethod: Node | undefined;
  readonly ignoreErrors: Node | undefined;
  readonly ignoreUnreachable: Node | undefined;
  readonly changedWhen: readonly Node[] | undefined;
  readonly failedWhen: readonly Node[] | undefined;
  readonly noLog: Node | undefined;
  readonly checkMode: Node | undefined;
  readonly diff: Node | undefined;
  readonly delegateTo: Node | undefined;
  readonly delegateFacts: Node | undefined;
  readonly runOnce: Node | undefined;
  readonly environment: readonly Node[];
  readonly until: readonly Node[] | undefined;
  readonly retries: Node | undefined;
  readonly delay: Node | undefined;
  readonly throttle: Node | undefined;
  readonly anyErrorsFatal: Node | undefined;
  readonly timeout: Node | undefined;
  readonly remoteUser: Node | undefined;
  readonly connection: Node | undefined;
  readonly port: Node | undefined;
  readonly control: Node | undefined;
};

/** `loop:` (form 'loop') or `with_NAME:` (form NAME). */
export type Loop = {
  readonly form: string;
  readonly source: Node;
  readonly span: Span;
  readonly loopVar: string;
  readonly indexVar: string | undefined;
  readonly label: Node | undefined;
  readonly pauseS: Node | undefined;
  readonly extended: boolean;
  /** whether `ansible_loop` holds `allitems` */
  readonly allItems: boolean;
};
