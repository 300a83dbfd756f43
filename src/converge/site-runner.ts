import type {HostFinding} from './host-states.ts';
import type {Schedule} from './schedule.ts';

/** Where a site stands in git. `commit` undefined: it is in no repository. */
export type SitePlace = {readonly commit: string | undefined; readonly dirty: boolean};

/** The hosts that a schedule comes to. `divisible`: they may be shared out among several runs. */
export type SiteHosts = {readonly hosts: readonly string[]; readonly divisible: boolean};

/** One run of a schedule's command on some hosts. */
export type PassRequest = {
  readonly schedule: Schedule;
  readonly hosts: readonly string[];
  readonly due: Date;
  /** ends what runs on hosts */
  readonly signal: AbortSignal;
  /** asked before each task: true = it is not begun, and its host is given back */
  readonly isStopping: () => boolean;
};

/**
 * What came of a run. `busy`: hosts on which somebody else works. `left`: hosts that were given back before their last task. `plan`: where a plan of what
 * differs was saved.
 */
export type PassResult = {
  readonly findings: readonly HostFinding[];
  readonly busy: readonly string[];
  readonly left: readonly string[];
  readonly plan?: {readonly id: string; readonly path: string; readonly hosts: readonly string[]};
};

/** The site cannot be run: its files have mistakes, a password is missing. Nothing was attempted on any host. */
export class SiteUnusable extends Error {
  override readonly name = 'SiteUnusable';
}

/** What a controller does with sites and hosts; the command line provides it, so that a scheduled run is the same as one by hand. */
export type SiteRunner = {
  readonly placeOf: (site: string) => Promise<SitePlace>;
  /** whether `commit` is a descendant of `of` in the site's repository */
  readonly isNewer: (site: string, commit: string, of: string) => Promise<boolean>;
  /** *errors*: SiteUnusable */
  readonly hostsOf: (schedule: Schedule) => Promise<SiteHosts>;
  /** *errors*: SiteUnusable; AbortError where the signal was raised */
  readonly run: (request: PassRequest) => Promise<PassResult>;
  /** how often a connection was there already, or had to be made */
  readonly connections: () => {readonly warm: number; readonly cold: number; readonly idle: number};
  readonly close: () => Promise<void>;
};
