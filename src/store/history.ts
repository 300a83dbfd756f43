// The history as others use it: what was run, by whom, on which hosts, with which results. See docs/history.md and the decision on its format.
import {existsSync, watch} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {readJournal} from './journal-file.ts';
import {unchained, type Hash} from './hash-chain.ts';
import {historyFolder, openMark, runFile} from './places.ts';
import type {RecordedMode, RecordedStatus, RunBrief, RunStart} from './records.ts';
import {assemble, type PlacedRecord, type RecordedRun} from './recorded-run.ts';
import {briefOf, briefsOf} from './briefs.ts';
import {beginRecord, type RunRecorder} from './run-recorder.ts';
import {leftRuns} from './settle-left.ts';
import type {Shaping} from './shape-events.ts';

export type {RunRecorder} from './run-recorder.ts';
export type {PlacedRecord, RecordedRun} from './recorded-run.ts';
export type {Shaping} from './shape-events.ts';

/** Which runs a list shall hold; every condition must hold. */
export type RunFilter = {
  /** a host that the run came to, by name */
  readonly host?: string;
  /** a playbook's path as given, or its file name */
  readonly playbook?: string;
  /** started at or after */
  readonly since?: Date;
  readonly status?: RecordedStatus;
  readonly mode?: readonly RecordedMode[];
  readonly schedule?: string;
  /** at most so many, the newest */
  readonly limit?: number;
};

/**
 * The history of a state folder. Recording: `begin` at the start of a run, `recorder.on(event)` for every event of the engine, `recorder.close(exit)` at its end.
 * Reading is safe at any time, also while others write: half a line at a file's end does not count.
 */
export class History {
  readonly folder: string;

  /** `stateFolder` as `stateFolder()` of the CLI gives it; nothing is made before the first run is recorded. */
  constructor(stateFolder: string) {
    this.folder = historyFolder(stateFolder);
  }

  /** Begins a run's record. Never throws: a history that cannot be written is said through `onTrouble`, once, and the run goes on. */
  begin(start: RunStart, shaping: Shaping, onTrouble: (message: string) => void): RunRecorder {
    return beginRecord(this.folder, start, shaping, onTrouble);
  }

  /** Runs, the newest first. Costs one file, however many runs there are; a filter by host opens the files of the runs that fit otherwise. */
  list(filter: RunFilter = {}): readonly RunBrief[] {
    const fits = (brief: RunBrief): boolean =>
      (filter.playbook === undefined ||
        brief.playbooks.some((path) => path === filter.playbook || path.endsWith(`/${filter.playbook}`))) &&
      (filter.since === undefined || new Date(brief.started) >= filter.since) &&
      (filter.status === undefined || brief.status === filter.status) &&
      (filter.mode === undefined || filter.mode.includes(brief.mode)) &&
      (filter.schedule === undefined || brief.schedule === filter.schedule) &&
      (filter.host === undefined || this.hostsOf(brief.id).includes(filter.host));
    const found: RunBrief[] = [];
    for (const brief of briefsOf(this.folder)) {
      if (found.length >= (filter.limit ?? Infinity)) break;
      if (fits(brief)) found.push(brief);
    }
    return found;
  }

  /** The runs that a word means: a whole id, the beginning or the end of one, or `last` (and `last~N`: N runs before it). One = found; none or several = say so. */
  find(word: string): readonly RunBrief[] {
    const all = briefsOf(this.folder);
    const last = /^last(?:~(\d+))?$/.exec(word);
    if (last !== null) return all.slice(Number(last[1] ?? 0)).slice(0, 1);
    const exact = all.filter(({id}) => id === word);
    if (exact.length > 0) return exact;
    return word.length < 3 ? [] : all.filter(({id}) => id.startsWith(word) || id.endsWith(word));
  }

  /** The records of a run, in order, as far as they are whole. Nothing where there is no such run. */
  records(id: string): readonly PlacedRecord[] {
    return recordsOf(runFile(this.folder, id), id, 0).records;
  }

  /** A whole run. *errors*: throws where there is no run of this id: ask {@link find} first. */
  read(id: string): RecordedRun {
    const brief = briefsOf(this.folder).find((each) => each.id === id);
    const records = this.records(id);
    const [start] = records;
    if (start?.record !== 'run-started') throw new Error(`the history has no run ${id}`);
    return assemble(brief ?? briefOf(start, 'running', undefined), start, records);
  }

  /** The hosts that a run came to, or was meant for. */
  hostsOf(id: string): readonly string[] {
    const names = new Set<string>();
    for (const record of this.records(id)) {
      if (record.record === 'play') for (const host of record.hosts) names.add(host);
      else if (record.record === 'host-finished') names.add(record.host);
    }
    return [...names];
  }

  /**
   * The records of a run from number `from` on, and then each as it is written, until the run is over, its writer is gone, or the signal is raised. For views
   * that follow a run of any process of this machine.
   */
  async *follow(
    id: string,
    options: {readonly signal: AbortSignal; readonly from?: number},
  ): AsyncGenerator<PlacedRecord> {
    const path = runFile(this.folder, id);
    let next = options.from ?? 0;
    for (;;) {
      const isLeft = !existsSync(openMark(this.folder, id)) || leftRuns(this.folder).includes(id);
      for (const record of recordsOf(path, id, next).records) {
        next = record.n + 1;
        yield record;
        if (record.record === 'run-finished' || record.record === 'cut-off') return;
      }
      if (isLeft || options.signal.aborted) return;
      await changeOf(path, options.signal);
    }
  }
}

/** Waits until a file grows, half a second at most: not every file system tells. */
async function changeOf(path: string, signal: AbortSignal): Promise<void> {
  const {promise, resolve} = Promise.withResolvers<undefined>();
  const watcher = existsSync(path) ? watch(path, () => resolve(undefined)) : undefined;
  watcher?.on('error', () => resolve(undefined));
  try {
    await Promise.race([promise, sleep(500, undefined, {signal, ref: false}).catch(() => undefined)]);
  } finally {
    watcher?.close();
  }
}

function recordsOf(
  path: string,
  id: string,
  from: number,
): {readonly records: readonly PlacedRecord[]; readonly last: Hash} {
  if (!existsSync(path)) return {records: [], last: id};
  const records: PlacedRecord[] = [];
  let last: Hash = id;
  for (const line of readJournal(path).lines) {
    const found = unchained(last, line);
    if (found === undefined) continue;
    last = found.hash;
    if (Number(found.record['n']) >= from) records.push(found.record as unknown as PlacedRecord);
  }
  return {records, last};
}
