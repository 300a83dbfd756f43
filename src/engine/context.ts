import type {Redactor} from '../secrets/redactor.ts';
import type {Resolver} from '../kit/wrap.ts';
import type {Module} from '../kit/module.ts';
import type {Play, Program, Task} from '../playbook/program.ts';
import type {HostMemory, Scope} from '../playbook/scope.ts';
import type {Become, Connector, Target} from '../remote/session.ts';
import type {Content} from '../kit/op.ts';
import type {Secret} from '../base/secret.ts';
import type {Result} from '../base/result.ts';
import type {Node} from '../playbook/node.ts';
import type {Action} from './action.ts';
import type {Emit, RunInfo} from './event.ts';
import type {HostState} from './host.ts';
import type {PlanPart} from './plan-part.ts';

/** What binding a task's parameters gives: values for the module, mistakes, or what has to be known first. */
export type Bound =
  | {readonly bound: 'values'; readonly values: Readonly<Record<string, unknown>>}
  | {
      readonly bound: 'problems';
      readonly problems: readonly {readonly code: string; readonly message: string; readonly help?: string}[];
    }
  | {readonly bound: 'unknown'; readonly cause: string};

/** The site as the engine needs it; `src/playbook` provides it, the CLI puts the two together. */
export type SiteView = {
  readonly program: Program;
  /** hosts of the batch that runs now, for `ansible_play_hosts` */
  enterBatch(play: Play, batch: readonly string[], active: () => readonly string[]): void;
  /** hosts of a play, in order, after `--limit` */
  hostsOf(play: Play): readonly string[];
  scopeFor(host: string, play: Play, task: Task | undefined, memory: HostMemory): Scope;
  bind(module: Module, params: Readonly<Record<string, unknown>>, resolver: Resolver): Bound;
  bindAction(action: Action, params: Readonly<Record<string, unknown>>): Bound;
  resolverFor(scope: Scope, task: Task): Resolver;
  /** by `--tags` and `--skip-tags` */
  isSelected(task: {keywords: {tags: readonly string[]}}): boolean;
  /** variables of the files that `include_vars` names */
  readVars(values: Readonly<Record<string, unknown>>, scope: Scope, task: Task): Result<ReadonlyMap<string, Node>>;
  /** `add_host`: false where nothing new was added */
  addHost(name: string, groups: readonly string[], variables: Readonly<Record<string, unknown>>): boolean;
  addToGroup(host: string, group: string, parents: readonly string[]): boolean;
};

/** Everything a run works with, handed in: no ambient clock, randomness or environment below this point. */
export type RunContext = {
  readonly info: RunInfo;
  readonly site: SiteView;
  readonly actions: ReadonlyMap<string, Action>;
  readonly connector: Connector;
  readonly redactor: Redactor;
  readonly emit: Emit;
  readonly now: () => Date;
  readonly random: (bytes: number) => Uint8Array;
  readonly signal: AbortSignal;
  /** true for check and plan */
  readonly check: boolean;
  readonly forks: number;
  readonly targetOf: (host: HostState, scope: Scope) => Target;
  readonly becomeOf: (
    task: Task | undefined,
    play: Play,
    scope: Scope,
  ) => Become | undefined | {readonly problem: string};
  readonly facts: FactCache;
  readonly hosts: Map<string, HostState>;
  /** the state of a host, made at the first call */
  readonly stateOf: (name: string) => HostState;
  /** bytes for content that is made or read only when it is applied */
  readonly contentOf: (content: Content) => Promise<Uint8Array | string | Secret>;
  readonly steal: boolean;
  /** how long to wait for a host that another run works on */
  readonly lockTimeoutMs: number;
  /** who runs this, for the lock: user@controller */
  readonly owner: string;
  readonly pause: (ms: number) => Promise<void>;
  /** number of -v */
  readonly verbosity: number;
  /** there where a plan is made to be kept, or applied */
  readonly plan?: PlanPart;
  /** `--force-handlers`: what was notified is done also on hosts that failed */
  readonly forceHandlers?: boolean;
  /** hosts on which something was done that may have changed any other host, in order */
  readonly disturbances: string[];
  /** `--step`: asked before each task; false = it is left out */
  readonly confirm?: (task: string, host: string) => Promise<boolean>;
  /** hosts that count for the exit status, gathered from the events */
  readonly signs: {
    /** with a finding of severity error */
    readonly errorFindings: ReadonlySet<string>;
    /** not as declared, in check and plan */
    readonly differing: ReadonlySet<string>;
    /** with a control that could not be judged */
    readonly unjudged: ReadonlySet<string>;
  };
};

/** Facts of earlier runs: a guess that lets dependent reads travel in the first exchange. */
export type FactCache = {
  get(host: string): Readonly<Record<string, unknown>> | undefined;
  put(host: string, facts: Readonly<Record<string, unknown>>): void;
};
