/** What is done when a schedule is due: the whole command as it was resolved when the schedule was added. Paths are relative to the site. */
export type ScheduledCommand = {
  readonly mode: 'check' | 'run';
  readonly playbooks: readonly string[];
  /** options of the command line, by commander's names, with the settings of that time filled in */
  readonly options: Readonly<Record<string, unknown>>;
  /** the words after `--`, to be shown */
  readonly words: readonly string[];
};

/** Who is told when a host's state changes. Several of each are possible. */
export type NotifyTarget =
  | {readonly to: 'webhook'; readonly url: string; readonly secretFile: string | undefined}
  | {readonly to: 'command'; readonly argv: readonly string[]}
  | {readonly to: 'mail'; readonly address: string};

/** A time of day, and the days of the week on which it begins. *units*: minutes of the day; `to` before `from` ends on the next day. Days: 0 = Sunday. */
export type DailyWindow = {readonly from: number; readonly to: number; readonly days: readonly number[]};

/** A schedule as it was declared. *units*: ms. */
export type Schedule = {
  readonly name: string;
  readonly cron: string;
  readonly timezone: string;
  /** each host starts so much later, by its name: the same delay every time */
  readonly jitterMs: number;
  /** a pass starts only inside; undefined = at any time */
  readonly window: DailyWindow | undefined;
  /** `manual`: what differs is saved as a plan, and applied when somebody approves it */
  readonly approve: 'no' | 'manual';
  /** further tries for hosts that failed, were busy or unreachable */
  readonly retries: number;
  /** all hosts in one run of one controller */
  readonly together: boolean;
  /** absolute path of the site's folder, the same on every controller */
  readonly site: string;
  readonly command: ScheduledCommand;
  readonly notify: readonly NotifyTarget[];
};

/** Whether a word can be a schedule's name. */
export function isScheduleName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(text);
}
