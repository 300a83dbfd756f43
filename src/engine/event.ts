import type {Diagnostic} from '../base/diagnostic.ts';
import type {Change} from '../kit/plan.ts';
import type {Problem} from '../kit/problem.ts';

/**
 * Everything that happens in a run, as one union. The engine emits; reporters, the history and the web view only listen.
 * Text that comes from hosts is raw here except that secrets are hidden already; reporters escape control characters.
 */
export type RunEvent =
  | {readonly event: 'run-started'; readonly run: RunInfo}
  | {readonly event: 'play-started'; readonly play: string; readonly hosts: readonly string[]; readonly at: string}
  | {readonly event: 'host-connected'; readonly host: string; readonly via: string; readonly durationMs: number}
  | {
      readonly event: 'host-unreachable';
      readonly host: string;
      readonly message: string;
      readonly help: string | undefined;
    }
  | {
      readonly event: 'exchange';
      readonly host: string;
      readonly user: string | undefined;
      readonly fragments: number;
      readonly durationMs: number;
    }
  | {readonly event: 'script'; readonly host: string; readonly label: string; readonly text: string}
  | {readonly event: 'silence'; readonly host: string; readonly label: string; readonly silentMs: number}
  | {
      readonly event: 'task-started';
      readonly host: string;
      readonly play: string;
      readonly task: string;
      readonly at: string;
    }
  | {readonly event: 'task-finished'; readonly result: TaskResult}
  | {readonly event: 'message'; readonly host: string | undefined; readonly text: string}
  | {readonly event: 'problem'; readonly diagnostic: Diagnostic; readonly at: string | undefined}
  | {readonly event: 'pending-done'; readonly host: string; readonly text: string}
  | {readonly event: 'host-finished'; readonly host: string; readonly summary: HostSummary}
  | {readonly event: 'run-finished'; readonly outcome: RunOutcome};

/** The mode of a run. `check` and `plan` change nothing. */
export type RunMode = 'run' | 'check' | 'plan' | 'apply';

export type RunInfo = {
  readonly id: string;
  readonly mode: RunMode;
  readonly playbooks: readonly string[];
  readonly started: string;
};

export type TaskStatus = 'ok' | 'changed' | 'skipped' | 'failed' | 'refused' | 'unknown' | 'ignored';

/** What became of one task (or one element of its loop) on one host. *units*: milliseconds. */
export type TaskResult = {
  readonly host: string;
  readonly play: string;
  readonly task: string;
  readonly module: string;
  /** `file:line:column` of the task */
  readonly at: string;
  readonly status: TaskStatus;
  /** loop element or its label; null without a loop */
  readonly item: unknown;
  readonly changes: readonly Change[];
  readonly findings: readonly Problem[];
  readonly pending: readonly string[];
  /** why it failed, was refused, skipped or is unknown; what a debug says */
  readonly message: string | undefined;
  readonly help: string | undefined;
  /** for failures of commands */
  readonly command: CommandFailure | undefined;
  /** it has no state to compare: it runs (or would run) every time */
  readonly everyRun: boolean;
  readonly handler: boolean;
  /** the task says `no_log`: nothing of it is shown */
  readonly noLog: boolean;
  readonly durationMs: number;
  /** handlers that this change notified */
  readonly notified: readonly string[];
  readonly control: unknown;
  /** names the step within its host's run, for saved plans; not part of any report */
  readonly place?: string;
};

/** The failing command: its label, exit status and the end of its stderr (or stdout), secrets hidden. */
export type CommandFailure = {
  readonly label: string;
  readonly exit: number;
  readonly stderr: string;
  readonly durationMs: number;
};

export type HostStatus = 'ok' | 'changed' | 'failed' | 'unreachable';

/** The counts of cli.md. `refused` are counted in `failed` only for the exit status. */
export type HostSummary = {
  readonly status: HostStatus;
  readonly ok: number;
  readonly changed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly refused: number;
  readonly unknown: number;
  readonly ignored: number;
  readonly roundTrips: number;
  readonly unreachable?: {readonly message: string; readonly help: string | undefined};
};

export type RunOutcome = {
  readonly run: RunInfo & {readonly durationMs: number; readonly exit: number};
  readonly hosts: Readonly<Record<string, HostSummary>>;
};

export type Emit = (event: RunEvent) => void;
