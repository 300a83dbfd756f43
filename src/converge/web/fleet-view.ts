// What the pages know of a fleet. The history alone can answer it for runs by hand; the service answers with its schedules and the states that it keeps.
import type {PlacedRecord, RecordedRun} from '../../store/history.ts';
import type {RunBrief} from '../../store/records.ts';

/** `fixed`: it had drifted, and is as declared again. */
export type Standing = 'in sync' | 'drifted' | 'fixed' | 'failed' | 'unreachable';

export const standings: readonly Standing[] = ['failed', 'unreachable', 'drifted', 'fixed', 'in sync'];

/** How a host stands by one schedule, or by the last run by hand (`schedule` undefined). Times: ISO 8601. */
export type HostStanding = {
  readonly host: string;
  readonly schedule: string | undefined;
  readonly state: Standing;
  readonly since: string | undefined;
  readonly checked: string;
  readonly run: string | undefined;
  /** why, in a line; a host's own words, secrets hidden */
  readonly message: string | undefined;
};

/** A schedule and when it is due next (undefined: never again, or paused). */
export type ScheduleView = {
  readonly name: string;
  readonly cron: string;
  readonly timezone: string;
  readonly words: readonly string[];
  readonly paused: boolean;
  readonly next: string | undefined;
};

/** A change of a host's state. `before` undefined: it was seen for the first time. */
export type StandingChange = {
  readonly schedule: string | undefined;
  readonly before: Standing | undefined;
  readonly after: Standing;
  readonly at: string;
  readonly run: string | undefined;
};

/** Read-only: nothing here changes anything. */
export type FleetView = {
  readonly hosts: () => Promise<readonly HostStanding[]>;
  readonly schedules: () => Promise<readonly ScheduleView[]>;
  /** of a host, the newest first */
  readonly changes: (host: string) => Promise<readonly StandingChange[]>;
  /** the newest first; `host`: only runs that came to it */
  readonly runs: (filter: {readonly host?: string; readonly limit: number}) => Promise<readonly RunBrief[]>;
  /** with the number of the first record that it does not hold */
  readonly run: (id: string) => Promise<(RecordedRun & {readonly nextRecord: number}) | undefined>;
  /** a run's records from a number on, and each as it is written, until the run is over */
  readonly follow: (id: string, from: number, signal: AbortSignal) => AsyncIterable<PlacedRecord>;
};
