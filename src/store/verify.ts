// Whether the history is what was written: every line against the one before it, every run's first and last line against the index.
import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {unchained, type Hash} from './hash-chain.ts';
import {readJournal} from './journal-file.ts';
import {indexFile, readIndex, type IndexEntry, type NumberedEntry} from './run-index.ts';
import {runFile} from './places.ts';
import {leftRuns} from './settle-left.ts';

/** Something that is not as it was written. `run` is missing for the index; `record` is the number of the line (from 0) where there is one. */
export type Tampering = {
  readonly run?: string;
  readonly record?: number;
  readonly code:
    'edited' | 'removed' | 'added' | 'moved' | 'unreadable' | 'missing' | 'cut-short' | 'unknown-run' | 'not-closed';
  readonly message: string;
};

/** What was looked at, and what is wrong with it. `head` is the index's last hash: noted elsewhere, it tells later that nothing before it was rewritten. */
export type Verified = {
  readonly runs: number;
  readonly records: number;
  readonly head: Hash | undefined;
  /** runs that are written just now, or were left by a killed controller and will be closed by the next run */
  readonly open: readonly string[];
  readonly problems: readonly Tampering[];
};

/** Looks at everything, and changes nothing. `expectedHead`: a hash that the index once ended with. *errors*: those of reading. */
export function verifyHistory(folder: string, expectedHead?: Hash): Verified {
  const problems: Tampering[] = [];
  const {entries, broken} = readIndex(folder);
  for (const line of broken)
    problems.push({code: 'unreadable', message: `index.jsonl:${line} is no entry of the index`});
  problems.push(
    ...orderOf(
      entries.map(({n, isIntact}) => ({n, isIntact})),
      'the index',
      entries[0]?.entry.entry === 'cut' ? entries[0].n : 0,
    ),
  );
  problems.push(...cutProblems(entries));
  if (
    expectedHead !== undefined &&
    !entries.some(({hash, entry}) => hash === expectedHead || (entry.entry === 'cut' && entry.head === expectedHead))
  )
    problems.push({
      code: 'missing',
      message: `no entry of the index has the hash ${expectedHead}: what was written before it has been rewritten or removed`,
    });

  const opened = new Map<string, Extract<IndexEntry, {entry: 'opened'}>>();
  const closed = new Map<string, Extract<IndexEntry, {entry: 'closed' | 'cut-off'}>>();
  const pruned = new Set<string>();
  for (const {entry} of entries) {
    if (entry.entry === 'opened') opened.set(entry.id, entry);
    else if (entry.entry === 'closed' || entry.entry === 'cut-off') closed.set(entry.id, entry);
    else if (entry.entry === 'pruned') for (const id of entry.runs) pruned.add(id);
  }
  const marked = new Set(existsSync(join(folder, 'open')) ? readdirSync(join(folder, 'open')) : []);
  let records = 0;
  for (const [id, first] of opened) {
    if (pruned.has(id)) continue;
    const last = closed.get(id);
    if (last === undefined && !marked.has(id))
      problems.push({run: id, code: 'not-closed', message: `run ${id} has no end in the index, and nobody writes it`});
    const found = verifyRun(folder, id, first.first, last);
    records += found.records;
    problems.push(...found.problems);
  }
  for (const id of existingRuns(folder)) {
    if (opened.has(id) || marked.has(id)) continue;
    if (pruned.has(id)) continue;
    problems.push({run: id, code: 'unknown-run', message: `run ${id} is not in the index`});
  }
  const open = [...marked].filter((id) => !closed.has(id));
  return {
    runs: [...opened.keys()].filter((id) => !pruned.has(id)).length,
    records,
    head: entries.at(-1)?.hash,
    open: [...new Set([...open, ...leftRuns(folder).filter((id) => !closed.has(id))])],
    problems,
  };
}

function verifyRun(
  folder: string,
  id: string,
  first: Hash,
  last: Extract<IndexEntry, {entry: 'closed' | 'cut-off'}> | undefined,
): {readonly records: number; readonly problems: readonly Tampering[]} {
  const path = runFile(folder, id);
  if (!existsSync(path))
    return {records: 0, problems: [{run: id, code: 'missing', message: `the records of run ${id} have been removed`}]};
  const {lines, tornBytes} = readJournal(path);
  const problems: Tampering[] = [];
  const seen: {n: number; isIntact: boolean; hash: Hash}[] = [];
  let previous: Hash = id;
  for (const [at, line] of lines.entries()) {
    const found = unchained(previous, line);
    if (found === undefined || typeof found.record['n'] !== 'number') {
      problems.push({run: id, record: at, code: 'unreadable', message: `run ${id}: line ${at + 1} is no record`});
      continue;
    }
    seen.push({n: found.record['n'], isIntact: found.isIntact, hash: found.hash});
    previous = found.hash;
  }
  problems.push(...orderOf(seen, `run ${id}`, 0).map((problem) => ({...problem, run: id})));
  const isEdited = problems.length > 0;
  if (!isEdited && seen[0]?.hash !== first)
    problems.push({
      run: id,
      record: 0,
      code: 'edited',
      message: `run ${id}: its first record is not the one that the index knows`,
    });
  if (last === undefined) return {records: seen.length, problems};
  if (tornBytes > 0) problems.push({run: id, code: 'added', message: `run ${id}: half a line stands behind its end`});
  if (seen.length < last.records)
    problems.push({
      run: id,
      record: seen.length,
      code: 'cut-short',
      message: `run ${id}: ${last.records - seen.length} of ${last.records} records are gone`,
    });
  else if (seen.length > last.records)
    problems.push({
      run: id,
      record: last.records,
      code: 'added',
      message: `run ${id}: there are records behind its end`,
    });
  else if (!isEdited && seen.at(-1)?.hash !== last.last)
    problems.push({
      run: id,
      record: last.records - 1,
      code: 'edited',
      message: `run ${id}: its last record is not the one that the index knows`,
    });
  return {records: seen.length, problems};
}

/** What is wrong with lines that should be numbered without a gap, each intact behind the one before. */
function orderOf(
  lines: readonly {readonly n: number; readonly isIntact: boolean}[],
  of: string,
  begin: number,
): readonly Tampering[] {
  const problems: Tampering[] = [];
  const numbers = new Set(lines.map(({n}) => n));
  let expected = begin;
  for (const {n, isIntact} of lines) {
    if (n > expected) {
      const missing = Array.from({length: Math.min(n - expected, 1000)}, (_, i) => expected + i).filter(
        (each) => !numbers.has(each),
      );
      for (const gone of missing)
        problems.push({record: gone, code: 'removed', message: `${of}: record ${gone} has been removed`});
      if (missing.length < n - expected)
        problems.push({record: n, code: 'moved', message: `${of}: record ${n} stands where record ${expected} was`});
    } else if (n < expected)
      problems.push({record: n, code: 'moved', message: `${of}: record ${n} stands behind record ${expected - 1}`});
    else if (!isIntact) problems.push({record: n, code: 'edited', message: `${of}: record ${n} has been edited`});
    expected = Math.max(expected, n) + 1;
  }
  return problems;
}

/** A cut must have been said: by the entry about the pruning, which stands further on. */
function cutProblems(entries: readonly NumberedEntry[]): readonly Tampering[] {
  const [first] = entries;
  const cuts = entries.filter(({entry}, at) => entry.entry === 'cut' && at > 0);
  const problems: Tampering[] = cuts.map(({n}) => ({
    record: n,
    code: 'added',
    message: `the index: entry ${n} is a cut that does not stand at its beginning`,
  }));
  if (
    first?.entry.entry === 'cut' &&
    !entries.some(({entry}) => entry.entry === 'pruned' && entry.keepsFrom === first.n + 1)
  )
    problems.push({
      record: first.n,
      code: 'removed',
      message: `the index: what stood before entry ${first.n + 1} has been removed, and no pruning says so`,
    });
  return problems;
}

/** Runs of which there is a file. */
function existingRuns(folder: string): readonly string[] {
  const runs = join(folder, 'runs');
  if (!existsSync(indexFile(folder)) && !existsSync(runs)) return [];
  return existsSync(runs)
    ? readdirSync(runs).flatMap((name) => (name.endsWith('.jsonl') ? [name.slice(0, -6)] : []))
    : [];
}
