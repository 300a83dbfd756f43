// The chain over all runs, `index.jsonl`: an entry when a run begins (with the hash of its first record), one when it ends (with the hash of its last one), one when
// runs are pruned. So a run's file that was edited, cut short or removed is noticed, and lists need not open the files. One writer at a time: the file lock.
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {withFileLock} from './file-lock.ts';
import {chained, unchained, type Hash} from './hash-chain.ts';
import {JournalFile, lastLine, readJournal} from './journal-file.ts';
import type {RunEnd, RunStart} from './records.ts';

/** A line of the index, without `hash` and `n`. */
export type IndexEntry =
  | ({readonly entry: 'opened'; readonly first: Hash} & Pick<
      RunStart,
      'id' | 'mode' | 'playbooks' | 'started' | 'by'
    > & {
        readonly schedule?: string;
      })
  | ({readonly entry: 'closed'; readonly id: string; readonly last: Hash; readonly records: number} & RunEnd)
  | {readonly entry: 'cut-off'; readonly id: string; readonly last: Hash; readonly records: number}
  /** these runs were removed; entries before the number `keepsFrom` went with them */
  | {
      readonly entry: 'pruned';
      readonly at: string;
      readonly by: string;
      readonly reason: string;
      readonly runs: readonly string[];
      readonly keepsFrom: number;
    }
  /** the first line after pruning: the chain goes on from the entry `n` with this hash, which is gone */
  | {readonly entry: 'cut'; readonly at: string; readonly head: Hash};

/** An entry with its place. `isIntact` false: it is not what was written there. */
export type NumberedEntry = {
  readonly n: number;
  readonly hash: Hash;
  readonly isIntact: boolean;
  readonly entry: IndexEntry;
};

/** What the first line of every index is chained to. */
export const INDEX_ROOT = 'tsplay history';

/** Where the index lies. `folder` is the history's. */
export function indexFile(folder: string): string {
  return join(folder, 'index.jsonl');
}

/** Runs `work` as the only one who changes what all runs share. */
export function alone<T>(folder: string, work: () => T): T {
  return withFileLock(join(folder, 'lock'), work);
}

/** Appends an entry; only within {@link alone}. *errors*: those of reading and writing. */
export function appendToIndex(folder: string, ...entries: readonly IndexEntry[]): void {
  const path = indexFile(folder);
  const file = new JournalFile(path);
  try {
    const last = lastLine(path);
    const before = last === undefined ? undefined : unchained('', last);
    let previous = before?.hash ?? INDEX_ROOT;
    if (before?.record['entry'] === 'cut') previous = String(before.record['head']);
    let n = before === undefined ? 0 : Number(before.record['n']) + 1;
    for (const entry of entries) {
      const {line, hash} = chained(previous, {n, ...entry});
      file.append(line);
      previous = hash;
      n++;
    }
    file.sync();
  } finally {
    file.close();
  }
}

/** All entries that can be read, oldest first, and the lines that are none. An index that is not there is empty. */
export function readIndex(folder: string): {
  readonly entries: readonly NumberedEntry[];
  readonly broken: readonly number[];
} {
  const path = indexFile(folder);
  if (!existsSync(path)) return {entries: [], broken: []};
  const entries: NumberedEntry[] = [];
  const broken: number[] = [];
  let previous = INDEX_ROOT;
  for (const [at, line] of readJournal(path).lines.entries()) {
    const found = unchained(previous, line);
    if (found === undefined || typeof found.record['n'] !== 'number' || typeof found.record['entry'] !== 'string') {
      broken.push(at + 1);
      continue;
    }
    const {n, ...entry} = found.record as {n: number} & IndexEntry;
    entries.push({n, hash: found.hash, isIntact: found.isIntact, entry});
    previous = at === 0 && entry.entry === 'cut' ? entry.head : found.hash;
  }
  return {entries, broken};
}
