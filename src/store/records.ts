// What the history holds: the shapes of its lines.
import type {HostSummary, RunMode, TaskStatus} from '../engine/event.ts';
import type {ProcessIdentity} from './process-identity.ts';

/** What a recorded run was: a run of playbooks, or a command on hosts. */
export type RecordedMode = RunMode | 'exec' | 'rollback';

/** Who started a run, and from where. `from`: address of the SSH client, null where it was started at the controller itself. */
export type StartedBy = {
  readonly user: string;
  readonly controller: string;
  readonly from: string | null;
  /** the account behind sudo */
  readonly sudoUser?: string;
};

/** What a run was given. Extra variables are redacted. Paths as they were given; `cwd` is where they start. */
export type RunInputs = {
  readonly cwd: string;
  readonly inventories: readonly string[];
  readonly limit: readonly string[];
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  readonly extraVars: readonly string[];
  readonly startAtTask?: string;
  /** the run that this one resumes, puts back, or the schedule that started it */
  readonly resumes?: string;
  readonly rollsBack?: string;
  readonly schedule?: string;
};

/** Versions of what did the work. `modules`: of the site's own modules that the playbooks use, `sha256:` of the file; the built-in ones have tsplay's version. */
export type RunVersions = {
  readonly tsplay: string;
  readonly node: string;
  readonly modules: Readonly<Record<string, string>>;
};

/** The first record of a run. */
export type RunStart = {
  readonly id: string;
  readonly mode: RecordedMode;
  readonly playbooks: readonly string[];
  /** ISO 8601 */
  readonly started: string;
  readonly by: StartedBy;
  readonly inputs: RunInputs;
  readonly versions: RunVersions;
};

/** The site's place in git: the commit, and whether files below the site differ from it. */
export type SiteCommit = {readonly commit: string | null; readonly dirty: boolean; readonly branch?: string};

/** What became of one task on one host, as the history keeps it: `--output json`'s task, without long contents in `changes` (they are in `diff`). */
export type RecordedResult = {
  readonly host: string;
  readonly play: string;
  readonly task: string;
  readonly module: string;
  /** `file:line:column` */
  readonly at: string;
  readonly status: TaskStatus;
  readonly item: unknown;
  readonly changes: readonly {readonly what: string; readonly before: unknown; readonly after: unknown}[];
  readonly findings: readonly {
    readonly severity: 'error' | 'warning';
    readonly code: string;
    readonly message: string;
    readonly help?: string;
  }[];
  readonly diff: string;
  readonly message: string;
  readonly help?: string;
  readonly command?: {
    readonly label: string;
    readonly exit: number;
    readonly stderr: string;
    readonly durationMs: number;
  };
  readonly everyRun?: true;
  readonly handler?: true;
  readonly notified?: readonly string[];
  readonly control?: unknown;
  readonly pending: readonly string[];
  readonly durationMs: number;
};

/** What is the same for all results of a task: written once, named by number afterwards. */
export type RecordedTask = Pick<RecordedResult, 'play' | 'task' | 'module' | 'at' | 'handler' | 'control'>;

/** A result that says no more than its status: number of the task, milliseconds, status (left out for ok), message, element of a loop. */
export type BriefResult = readonly [
  task: number,
  durationMs: number,
  status?: TaskStatus,
  message?: string,
  item?: unknown,
];

/** A line of a run's file, without `hash`, `n` (its number) and `t` (milliseconds since the run began). */
export type HistoryRecord =
  | ({readonly record: 'run-started'; readonly writer: ProcessIdentity} & RunStart)
  | ({readonly record: 'site'} & SiteCommit)
  | {readonly record: 'play'; readonly play: string; readonly hosts: readonly string[]; readonly at: string}
  | ({readonly record: 'task'; readonly id: number} & RecordedTask)
  | {readonly record: 'connected'; readonly host: string; readonly via: string; readonly durationMs: number}
  | {readonly record: 'unreachable'; readonly host: string; readonly message: string; readonly help?: string}
  | ({readonly record: 'result'; readonly id: number} & Omit<RecordedResult, keyof RecordedTask>)
  /** what one host answered in one go, where it is not worth more words */
  | {readonly record: 'results'; readonly host: string; readonly results: readonly BriefResult[]}
  | {readonly record: 'message'; readonly host: string | null; readonly text: string}
  | {
      readonly record: 'problem';
      readonly severity: 'error' | 'warning';
      readonly code: string;
      readonly message: string;
      readonly at?: string;
      readonly help?: string;
    }
  | {readonly record: 'pending-done'; readonly host: string; readonly text: string}
  | {readonly record: 'host-finished'; readonly host: string; readonly summary: HostSummary}
  /** so many records could not be written (a full disk) */
  | {readonly record: 'lost'; readonly records: number}
  | ({readonly record: 'run-finished'} & RunEnd)
  /** the writer was gone without a word; written by whoever noticed */
  | {readonly record: 'cut-off'; readonly at: string};

/** How a run ended. */
export type RunEnd = {
  readonly durationMs: number;
  readonly exit: number;
  readonly hosts: HostCounts;
  readonly tasks: Readonly<Partial<Record<TaskStatus, number>>>;
  /** whatever else is worth keeping beside each run, such as a score: small, for lists and plots */
  readonly notes: Readonly<Record<string, unknown>>;
};

/** How many hosts ended so. */
export type HostCounts = {
  readonly ok: number;
  readonly changed: number;
  readonly failed: number;
  readonly unreachable: number;
};

/** How a run stands: `failed` before `unreachable` before `changed`; `changed` in check and plan = something differs. `cut-off`: its controller died. */
export type RecordedStatus =
  'running' | 'ok' | 'changed' | 'failed' | 'unreachable' | 'interrupted' | 'cut-off' | 'refused';

/** A run in the list. */
export type RunBrief = {
  readonly id: string;
  readonly mode: RecordedMode;
  readonly playbooks: readonly string[];
  readonly started: string;
  readonly by: StartedBy;
  readonly schedule?: string;
  readonly status: RecordedStatus;
  /** undefined while it runs and where it was cut off */
  readonly end: RunEnd | undefined;
};
