// A controller that was killed leaves a run without an end. The next one to open the history closes it: cuts off half a line, says that the run was cut off, and
// takes what it holds into the chain over all runs.
import {existsSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {chained, unchained, type Hash} from './hash-chain.ts';
import {JournalFile, readJournal} from './journal-file.ts';
import {openMark, runFile} from './places.ts';
import {isAlive, type ProcessIdentity} from './process-identity.ts';
import type {HistoryRecord, RunEnd} from './records.ts';
import {appendToIndex, readIndex, type IndexEntry} from './run-index.ts';

/** How long a run of another controller, of which nothing can be known from here, may be silent before it counts as dead. */
const SILENT_MS = 24 * 3600_000;

/** Closes the runs whose writers are gone. Only while nobody else changes the index. *errors*: those of reading and writing. */
export function settleLeft(folder: string): void {
  for (const id of leftRuns(folder)) {
    const path = runFile(folder, id);
    const {entries} = readIndex(folder);
    const entryOf = (name: 'opened' | 'closed' | 'pruned'): IndexEntry | undefined =>
      entries.find(
        ({entry}) =>
          entry.entry === name &&
          (entry.entry === 'pruned' ? entry.runs.includes(id) : 'id' in entry && entry.id === id),
      )?.entry;
    if (entryOf('pruned') !== undefined) rmSync(path, {force: true});
    else if (entryOf('closed') === undefined && existsSync(path))
      settle(folder, id, path, entryOf('opened') !== undefined);
    rmSync(openMark(folder, id), {force: true});
  }
}

/** Runs that somebody began to write and cannot go on with. */
export function leftRuns(folder: string): readonly string[] {
  const marks = join(folder, 'open');
  if (!existsSync(marks)) return [];
  return readdirSync(marks).filter((id) => {
    const alive = writerIsAlive(join(marks, id));
    if (alive !== undefined) return !alive;
    const newest =
      statSync(runFile(folder, id), {throwIfNoEntry: false}) ?? statSync(join(marks, id), {throwIfNoEntry: false});
    return newest !== undefined && Date.now() - newest.mtimeMs > SILENT_MS;
  });
}

function writerIsAlive(mark: string): boolean | undefined {
  try {
    return isAlive(JSON.parse(readFileSync(mark, 'utf8')) as ProcessIdentity);
  } catch {
    // killed while it wrote the mark, or it is gone meanwhile
    return undefined;
  }
}

function settle(folder: string, id: string, path: string, isOpened: boolean): void {
  const file = new JournalFile(path);
  try {
    const {lines} = readJournal(path);
    let hash: Hash = id;
    const records = lines.flatMap((line) => {
      const found = unchained(hash, line);
      hash = found?.hash ?? hash;
      return found === undefined ? [] : [found];
    });
    const [first] = records;
    // killed before the first line was whole: there is nothing to tell of it
    if (first === undefined) {
      rmSync(path);
      return;
    }
    const start = first.record as unknown as Extract<HistoryRecord, {record: 'run-started'}>;
    const {mode, playbooks, started, by} = start;
    if (!isOpened) appendToIndex(folder, {entry: 'opened', id, mode, playbooks, started, by, first: first.hash});
    const last = records.at(-1)!.record as unknown as HistoryRecord & {n: number};
    if (last.record === 'run-finished') {
      const {durationMs, exit, hosts, tasks, notes}: RunEnd = last;
      appendToIndex(folder, {
        entry: 'closed',
        id,
        last: hash,
        records: last.n + 1,
        durationMs,
        exit,
        hosts,
        tasks,
        notes,
      });
      return;
    }
    const cut = chained(hash, {n: last.n + 1, t: 0, record: 'cut-off', at: new Date().toISOString()});
    file.append(cut.line);
    appendToIndex(folder, {entry: 'cut-off', id, last: cut.hash, records: last.n + 2});
  } finally {
    file.close();
  }
}
