// A run put together again from its records.
import type {HostSummary} from '../engine/event.ts';
import type {HistoryRecord, RecordedResult, RecordedTask, RunBrief, RunStart, SiteCommit} from './records.ts';

/** A record with its place: its number in the file, and milliseconds since the run began. */
export type PlacedRecord = HistoryRecord & {readonly n: number; readonly t: number};

/** A run as a whole. */
export type RecordedRun = {
  readonly brief: RunBrief;
  readonly start: RunStart;
  readonly site: SiteCommit | undefined;
  readonly plays: readonly {readonly play: string; readonly hosts: readonly string[]; readonly at: string}[];
  /** in the order in which they came */
  readonly results: readonly RecordedResult[];
  readonly problems: readonly Omit<Extract<HistoryRecord, {record: 'problem'}>, 'record'>[];
  readonly unreachable: Readonly<Record<string, {readonly message: string; readonly help?: string}>>;
  /** of the hosts that the run has ended with; of a run that was cut off there are none */
  readonly hosts: Readonly<Record<string, HostSummary>>;
  /** records that the disk had no room for */
  readonly lostRecords: number;
};

/** Puts the records of a run together. */
export function assemble(brief: RunBrief, start: RunStart, records: readonly PlacedRecord[]): RecordedRun {
  const tasks = new Map<number, RecordedTask>();
  const plays: {play: string; hosts: readonly string[]; at: string}[] = [];
  const results: RecordedResult[] = [];
  const problems: RecordedRun['problems'][number][] = [];
  const unreachable: Record<string, {message: string; help?: string}> = {};
  const hosts: Record<string, HostSummary> = {};
  let site: SiteCommit | undefined;
  let lostRecords = 0;
  for (const {n: _n, t: _t, ...record} of records) {
    switch (record.record) {
      case 'site': {
        const {record: _r, ...commit} = record;
        site = commit;
        break;
      }
      case 'play': {
        const {record: _r, ...play} = record;
        plays.push(play);
        break;
      }
      case 'task': {
        const {record: _r, id, ...task} = record;
        tasks.set(id, task);
        break;
      }
      case 'result': {
        const {record: _r, id, ...result} = record;
        const task = tasks.get(id);
        if (task !== undefined) results.push({...task, ...result});
        break;
      }
      case 'results':
        for (const [id, durationMs, status = 'ok', message = '', item = null] of record.results) {
          const task = tasks.get(id);
          if (task === undefined) continue;
          results.push({
            ...task,
            host: record.host,
            status,
            item,
            changes: [],
            findings: [],
            diff: '',
            message,
            pending: [],
            durationMs,
          });
        }
        break;
      case 'problem': {
        const {record: _r, ...problem} = record;
        problems.push(problem);
        break;
      }
      case 'unreachable':
        unreachable[record.host] = {message: record.message, ...(record.help === undefined ? {} : {help: record.help})};
        break;
      case 'host-finished':
        hosts[record.host] = record.summary;
        break;
      case 'lost':
        lostRecords += record.records;
        break;
      default:
        break;
    }
  }
  return {brief, start, site, plays, results, problems, unreachable, hosts, lostRecords};
}
