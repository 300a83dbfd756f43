// Retention. What is removed is said in the index, with who did it and why, so that the chain still holds; the index itself is cut where all runs before a place are gone.
import {closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync} from 'node:fs';
import {chained, type Hash} from './hash-chain.ts';
import {readJournal} from './journal-file.ts';
import {openMark, runFile} from './places.ts';
import {alone, INDEX_ROOT, indexFile, readIndex, type IndexEntry, type NumberedEntry} from './run-index.ts';
import {settleLeft} from './settle-left.ts';

/** What is kept; every limit holds. The newest run is always kept, and so is every run that goes on. *units*: days, bytes. */
export type Retention = {readonly runs?: number; readonly days?: number; readonly bytes?: number};

/** What was removed, or would be. */
export type Pruned = {readonly runs: readonly string[]; readonly bytes: number};

/** Removes what is beyond the limits, the oldest first. `by`: who does it. Nothing is changed where `isDry`. *errors*: those of reading and writing. */
export function pruneHistory(
  folder: string,
  retention: Retention,
  what: {readonly by: string; readonly reason: string; readonly now: Date; readonly isDry: boolean},
): Pruned {
  if (!existsSync(indexFile(folder))) return {runs: [], bytes: 0};
  return alone(folder, () => {
    if (!what.isDry) settleLeft(folder);
    const {entries} = readIndex(folder);
    const {ids, bytes} = beyond(folder, entries, retention, what.now);
    if (what.isDry || ids.length === 0) return {runs: ids, bytes};
    // what a pruning that was killed has left goes first, while the index still says that it was pruned
    const left = entries.flatMap(({entry}) => (entry.entry === 'pruned' ? entry.runs : []));
    for (const id of left) rmSync(runFile(folder, id), {force: true});
    rewriteIndex(folder, entries, ids, what);
    for (const id of ids) rmSync(runFile(folder, id), {force: true});
    return {runs: ids, bytes};
  });
}

/** The runs that are beyond the limits, oldest first. */
function beyond(
  folder: string,
  entries: readonly NumberedEntry[],
  {runs, days, bytes}: Retention,
  now: Date,
): {ids: readonly string[]; bytes: number} {
  const gone = new Set(entries.flatMap(({entry}) => (entry.entry === 'pruned' ? entry.runs : [])));
  const kept = entries.flatMap(({entry}) => (entry.entry === 'opened' && !gone.has(entry.id) ? [entry] : []));
  const sizes = new Map(kept.map(({id}) => [id, statSync(runFile(folder, id), {throwIfNoEntry: false})?.size ?? 0]));
  let total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  let count = kept.length;
  const ids: string[] = [];
  let freed = 0;
  for (const {id, started} of kept.slice(0, -1)) {
    const isOld = days !== undefined && now.getTime() - new Date(started).getTime() > days * 86_400_000;
    if (!isOld && !(runs !== undefined && count > runs) && !(bytes !== undefined && total > bytes)) continue;
    if (existsSync(openMark(folder, id))) continue;
    const size = sizes.get(id) ?? 0;
    ids.push(id);
    count--;
    total -= size;
    freed += size;
  }
  return {ids, bytes: freed};
}

/** Writes the index anew: without its beginning where that speaks of nothing but removed runs, and with an entry about the pruning at its end. */
function rewriteIndex(
  folder: string,
  entries: readonly NumberedEntry[],
  ids: readonly string[],
  what: {readonly by: string; readonly reason: string; readonly now: Date},
): void {
  const path = indexFile(folder);
  const {lines} = readJournal(path);
  const removed = new Set([...ids, ...entries.flatMap(({entry}) => (entry.entry === 'pruned' ? entry.runs : []))]);
  const keep = entries.findIndex(({entry}) => 'id' in entry && !removed.has(entry.id));
  const from = keep < 0 ? entries.length - 1 : keep;
  const last = entries.at(-1)!;
  const at = what.now.toISOString();
  // an index with a line that cannot be read stays as it is, for whoever wants to know why
  const isWhole = entries.length === lines.length;
  const isCut = isWhole && from > 0 && entries[from]!.n > 0;
  const entry: IndexEntry = {
    entry: 'pruned',
    at,
    by: what.by,
    reason: what.reason,
    runs: ids,
    keepsFrom: isCut ? entries[from]!.n : (entries[0]?.n ?? 0) + (entries[0]?.entry.entry === 'cut' ? 1 : 0),
  };
  const kept = isCut ? [cutLine(entries[from - 1]!, at), ...lines.slice(from)] : lines;
  const end = chained(headOf(last), {n: last.n + 1, ...entry});
  const draft = `${path}.new`;
  rmSync(draft, {force: true});
  const file = openSync(draft, 'wx', 0o600);
  try {
    const bytes = Buffer.from(`${[...kept, end.line].join('\n')}\n`);
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}

/** The hash that the next entry is chained to. */
function headOf({entry, hash}: NumberedEntry): Hash {
  return entry.entry === 'cut' ? entry.head : hash;
}

function cutLine(before: NumberedEntry, at: string): string {
  return chained(INDEX_ROOT, {n: before.n, entry: 'cut', at, head: headOf(before)}).line;
}
