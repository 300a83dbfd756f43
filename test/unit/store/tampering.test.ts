// A history that was cut or edited anywhere is noticed, or nothing of it is lost; torn ends are repaired.
import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {History} from '../../../src/store/history.ts';
import {pruneHistory} from '../../../src/store/prune.ts';
import {verifyHistory} from '../../../src/store/verify.ts';
import {record, result, shaping, startOf, stateFolder, eventsOf} from './sample.ts';

const change = {what: 'mode', before: '0644', after: '0600'};
const original = stateFolder();
const folderOf = (state: string): string => join(state, 'history');
{
  const history = new History(original);
  record(history, 'first', [result('web1', 'one'), result('web1', 'two', {status: 'changed', changes: [change]})]);
  record(history, 'second', [result('web1', 'one', {status: 'failed', message: 'naïve ✓'}), result('web2', 'one')]);
  record(history, 'third', [result('web2', 'one')]);
}

function copied(): string {
  const state = stateFolder();
  cpSync(original, state, {recursive: true});
  return state;
}

test('an untouched history verifies', (t) => {
  const {problems, runs, head, open} = verifyHistory(folderOf(original));
  t.deepEqual(problems, []);
  t.is(runs, 3);
  t.deepEqual(open, []);
  t.deepEqual(verifyHistory(folderOf(original), head).problems, []);
  t.is(verifyHistory(folderOf(original), 'x'.repeat(43)).problems.length, 1);
});

test('any edit of any byte is noticed', (t) => {
  const files = ['index.jsonl', ...readdirSync(join(folderOf(original), 'runs')).map((name) => `runs/${name}`)];
  const state = copied();
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.double({min: 0, max: 1, maxExcluded: true, noNaN: true}),
      fc.integer({min: 1, max: 255}),
      (name, where, xor) => {
        const path = join(folderOf(state), name);
        const bytes = readFileSync(path);
        const at = Math.floor(where * bytes.length);
        const edited = Buffer.from(bytes);
        edited[at]! ^= xor;
        writeFileSync(path, edited);
        const {problems} = verifyHistory(folderOf(state));
        writeFileSync(path, bytes);
        // the line break at the end of the index: its last entry is torn, which is the end of a run that nobody closed
        return problems.length > 0;
      },
    ),
    {numRuns: 400},
  );
  t.deepEqual(verifyHistory(folderOf(state)).problems, []);
});

test('a run whose file is cut short anywhere is noticed, and what is whole can still be read', (t) => {
  const state = copied();
  const path = join(folderOf(state), 'runs', 'second.jsonl');
  const bytes = readFileSync(path);
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(path, bytes.subarray(0, length));
    const {problems} = verifyHistory(folderOf(state));
    t.true(problems.length > 0 && problems.every(({run}) => run === 'second'), String(length));
    const whole = bytes.subarray(0, length).toString('latin1').split('\n').length - 1;
    t.is(new History(state).records('second').length, whole);
  }
});

test('removed, moved and added records are named', (t) => {
  const state = copied();
  const path = join(folderOf(state), 'runs', 'first.jsonl');
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const told = (changed: readonly string[]): readonly string[] => {
    writeFileSync(path, `${changed.join('\n')}\n`);
    return verifyHistory(folderOf(state)).problems.map(
      ({code, run, record: n}) => `${code} ${run ?? 'index'} ${String(n)}`,
    );
  };
  t.deepEqual(told(lines.toSpliced(2, 1)), ['removed first 2', `cut-short first ${String(lines.length - 1)}`]);
  t.true(told(lines.with(2, lines[3]!).with(3, lines[2]!)).includes('moved first 2'));
  t.true(told([...lines, lines[2]!]).includes('moved first 2'));
  t.deepEqual(told(lines.with(2, lines[2]!.replace('"t":', '"t": '))), ['edited first 2']);
  rmSync(path);
  t.deepEqual(
    verifyHistory(folderOf(state)).problems.map(({code, run}) => `${code} ${run ?? ''}`),
    ['missing first'],
  );
});

/** A run that nobody ended: its writer is no process of this boot any more. */
function leaveOpen(state: string, id: string): string {
  const history = new History(state);
  const recorder = history.begin(startOf(id), shaping, (message) => {
    throw new Error(message);
  });
  for (const event of eventsOf(id, [
    result('web9', 'one'),
    result('web9', 'two', {status: 'changed', changes: [change]}),
  ]))
    recorder.on(event);
  recorder.write({record: 'message', host: null, text: 'the last words'});
  const mark = join(folderOf(state), 'open', id);
  writeFileSync(mark, JSON.stringify({controller: hostname(), pid: 1, boot: 'an earlier one', start: '1'}));
  return join(folderOf(state), 'runs', `${id}.jsonl`);
}

test('a run that was killed anywhere loses its last event at most, and is closed by the next run', (t) => {
  fc.assert(
    fc.property(fc.double({min: 0, max: 1, noNaN: true}), fc.boolean(), (where, isZeroed) => {
      const state = copied();
      const path = leaveOpen(state, 'killed');
      const bytes = readFileSync(path);
      const length = Math.floor(where * bytes.length);
      writeFileSync(
        path,
        isZeroed ? Buffer.concat([bytes.subarray(0, length), Buffer.alloc(100)]) : bytes.subarray(0, length),
      );
      const whole = bytes.subarray(0, length).toString('latin1').split('\n').length - 1;
      const history = new History(state);
      if (whole > 0) {
        const before = verifyHistory(folderOf(state));
        if (before.problems.length > 0 || !before.open.includes('killed')) return false;
        if (history.list()[0]?.status !== 'cut-off') return false;
      }
      record(history, 'fourth', [result('web1', 'one')]);
      const after = verifyHistory(folderOf(state));
      const kept = history.records('killed');
      rmSync(state, {recursive: true});
      if (whole === 0) return kept.length === 0;
      return (
        after.problems.length === 0 &&
        after.open.length === 0 &&
        kept.length === whole + 1 &&
        kept.at(-1)?.record === 'cut-off'
      );
    }),
    {numRuns: 60},
  );
  t.pass();
});

test('the index is mended: killed before the run was entered, and before its end was', (t) => {
  for (const lost of [1, 2]) {
    const state = copied();
    const history = new History(state);
    record(history, 'fourth', [result('web1', 'one')]);
    const index = join(folderOf(state), 'index.jsonl');
    const lines = readFileSync(index, 'utf8').trimEnd().split('\n');
    writeFileSync(index, `${lines.slice(0, -lost).join('\n')}\n${lines.at(-lost)!.slice(0, 30)}`);
    mkdirSync(join(folderOf(state), 'open'), {recursive: true});
    writeFileSync(
      join(folderOf(state), 'open', 'fourth'),
      JSON.stringify({controller: hostname(), pid: 1, boot: 'x', start: '1'}),
    );
    record(history, 'fifth', [result('web1', 'one')]);
    t.deepEqual(verifyHistory(folderOf(state)).problems, []);
    t.deepEqual(
      history.list().map(({id, status}) => `${id} ${status}`),
      ['fifth ok', 'fourth ok', 'third ok', 'second failed', 'first changed'],
    );
  }
});

test('pruning keeps the chain, again and again; what is removed without it is noticed', (t) => {
  const state = copied();
  const folder = folderOf(state);
  const history = new History(state);
  const how = {by: 'ada@desk', reason: 'runs: 2', now: new Date('2026-03-01T11:00:00Z'), isDry: false};
  t.deepEqual(pruneHistory(folder, {runs: 2}, {...how, isDry: true}).runs, ['first']);
  t.true(existsSync(join(folder, 'runs', 'first.jsonl')));
  t.deepEqual(pruneHistory(folder, {runs: 2}, how).runs, ['first']);
  t.false(existsSync(join(folder, 'runs', 'first.jsonl')));
  t.deepEqual(verifyHistory(folder).problems, []);
  t.deepEqual(
    history.list().map(({id}) => id),
    ['third', 'second'],
  );
  for (let i = 0; i < 6; i++) {
    record(history, `more-${String(i)}`, [result('web1', 'one')]);
    pruneHistory(folder, {runs: 2}, how);
    t.deepEqual(verifyHistory(folder).problems, [], String(i));
    t.is(history.list().length, 2);
  }
  t.true(readFileSync(join(folder, 'index.jsonl'), 'utf8').split('\n').length < 12);
  t.deepEqual(pruneHistory(folder, {days: 1}, {...how, now: new Date('2026-03-09')}).runs, ['more-4']);
  t.deepEqual(pruneHistory(folder, {bytes: 1}, how).runs, []);
  const index = join(folder, 'index.jsonl');
  const lines = readFileSync(index, 'utf8').trimEnd().split('\n');
  writeFileSync(index, `${lines.slice(2).join('\n')}\n`);
  t.true(verifyHistory(folder).problems.length > 0);
});

test('pruning that was killed between its steps is completed by the next one', (t) => {
  const state = copied();
  const folder = folderOf(state);
  const path = join(folder, 'runs', 'first.jsonl');
  const bytes = readFileSync(path);
  pruneHistory(folder, {runs: 1}, {by: 'ada', reason: 'x', now: new Date(), isDry: false});
  writeFileSync(path, bytes);
  t.deepEqual(verifyHistory(folder).problems, []);
  t.deepEqual(
    new History(state).list().map(({id}) => id),
    ['third'],
  );
  record(new History(state), 'fourth', [result('web1', 'one')]);
  pruneHistory(folder, {runs: 1}, {by: 'ada', reason: 'x', now: new Date(), isDry: false});
  t.false(existsSync(path));
});
