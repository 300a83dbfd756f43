// What goes into the history comes out of it: lists, filters, whole runs, and runs that are followed while they are written.
import {readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {History} from '../../../src/store/history.ts';
import {eventsOf, record, result, shaping, startOf, stateFolder} from './sample.ts';

const change = {what: 'mode', before: '0644', after: '0600'};

test('a run comes out as it went in', (t) => {
  const state = stateFolder();
  const history = new History(state);
  const long = {what: 'content', before: 'a\nb\n', after: 'a\nc\n'};
  record(history, 'run-1', [
    result('web1', 'one'),
    result('web1', 'two', {status: 'skipped', message: 'condition is false'}),
    result('web1', 'two', {item: {name: 'x'}}),
    result('web1', 'three', {status: 'changed', changes: [change, long], notified: ['restart']}),
    result('web2', 'one', {
      status: 'failed',
      message: 'no',
      command: {label: 'x', exit: 1, stderr: 'bad', durationMs: 1},
    }),
  ]);
  const run = history.read('run-1');
  t.deepEqual(
    run.results.map(({host, task, status, item, message}) => [host, task, status, item, message]),
    [
      ['web1', 'one', 'ok', null, ''],
      ['web1', 'two', 'skipped', null, 'condition is false'],
      ['web1', 'two', 'ok', {name: 'x'}, ''],
      ['web1', 'three', 'changed', null, ''],
      ['web2', 'one', 'failed', null, 'no'],
    ],
  );
  const three = run.results[3]!;
  t.deepEqual(three.changes, [change, {what: 'content', before: {seeDiff: true}, after: {seeDiff: true}}]);
  t.true(three.diff.includes('-b\n+c\n'));
  t.is(run.results[4]!.command?.stderr, 'bad');
  t.deepEqual(Object.keys(run.hosts), ['web1', 'web2']);
  t.is(run.brief.status, 'failed');
  t.deepEqual(run.brief.end?.hosts, {ok: 0, changed: 1, failed: 1, unreachable: 0});
  t.deepEqual(run.brief.end?.tasks, {ok: 2, skipped: 1, changed: 1, failed: 1});
  for (const path of ['history', 'history/runs']) t.is(statSync(join(state, path)).mode & 0o777, 0o700);
  for (const path of ['history/index.jsonl', 'history/runs/run-1.jsonl'])
    t.is(statSync(join(state, path)).mode & 0o777, 0o600);
});

test('what a host answers in one go without a difference is one line', (t) => {
  const history = new History(stateFolder());
  const recorder = history.begin(startOf('calm'), shaping, t.fail);
  for (const host of ['web1', 'web2', 'web3'])
    for (const event of eventsOf(
      'calm',
      [...Array(40).keys()].map((i) => result(host, `task ${String(i)}`)),
    ))
      if (event.event === 'task-finished') recorder.on(event);
  recorder.close(0);
  t.is(history.records('calm').filter((each) => each.record === 'results').length, 3);
  t.is(history.read('calm').results.length, 120);
});

test('filters', (t) => {
  const history = new History(stateFolder());
  record(history, 'aaa-1', [result('web1', 'one')]);
  record(history, 'bbb-2', [result('db1', 'one', {status: 'changed', changes: [change]})], {
    mode: 'check',
    playbooks: ['playbooks/db.yml'],
    started: '2026-03-02T10:00:00.000Z',
  });
  record(history, 'ccc-3', [result('web1', 'one', {status: 'failed'})], {started: '2026-03-03T10:00:00.000Z'});
  const ids = (filter: Parameters<History['list']>[0]): readonly string[] => history.list(filter).map(({id}) => id);
  t.deepEqual(ids({}), ['ccc-3', 'bbb-2', 'aaa-1']);
  t.deepEqual(ids({host: 'web1'}), ['ccc-3', 'aaa-1']);
  t.deepEqual(ids({host: 'web1', limit: 1}), ['ccc-3']);
  t.deepEqual(ids({playbook: 'db.yml'}), ['bbb-2']);
  t.deepEqual(ids({since: new Date('2026-03-02')}), ['ccc-3', 'bbb-2']);
  t.deepEqual(ids({status: 'failed'}), ['ccc-3']);
  t.deepEqual(ids({mode: ['check', 'plan']}), ['bbb-2']);
});

test('a word finds a run by its beginning, its end, or how long ago it was', (t) => {
  const history = new History(stateFolder());
  for (const id of ['20260301T100000Z-aaaaaa', '20260301T110000Z-bbbbbb']) record(history, id, [result('web1', 'one')]);
  const found = (word: string): readonly string[] => history.find(word).map(({id}) => id);
  t.deepEqual(found('last'), ['20260301T110000Z-bbbbbb']);
  t.deepEqual(found('last~1'), ['20260301T100000Z-aaaaaa']);
  t.deepEqual(found('last~2'), []);
  t.deepEqual(found('aaaaaa'), ['20260301T100000Z-aaaaaa']);
  t.is(found('20260301').length, 2);
  t.deepEqual(found('zzz'), []);
});

test('a run is followed while it is written', async (t) => {
  const history = new History(stateFolder());
  const recorder = history.begin(startOf('live'), shaping, t.fail);
  const seen: string[] = [];
  const following = (async () => {
    for await (const each of history.follow('live', {signal: AbortSignal.timeout(20_000)})) seen.push(each.record);
  })();
  for (const event of eventsOf('live', [
    result('web1', 'one'),
    result('web1', 'two', {status: 'changed', changes: [change]}),
  ])) {
    recorder.on(event);
    await new Promise(setImmediate);
  }
  t.is(history.list()[0]!.status, 'running');
  recorder.close(0);
  await following;
  t.deepEqual(seen, ['run-started', 'play', 'task', 'results', 'task', 'result', 'host-finished', 'run-finished']);
});

test('notes stay with the end of a run', (t) => {
  const history = new History(stateFolder());
  const recorder = history.begin(startOf('noted'), shaping, t.fail);
  recorder.note('score', {passed: 3, judged: 4});
  recorder.close(0);
  t.deepEqual(history.list()[0]!.end?.notes, {score: {passed: 3, judged: 4}});
});

test('every line is JSON', (t) => {
  const state = stateFolder();
  record(new History(state), 'plain', [result('web1', 'one', {message: 'bad \ud800 \u2028 text\n'})]);
  for (const path of ['history/index.jsonl', 'history/runs/plain.jsonl'])
    for (const line of readFileSync(join(state, path), 'utf8').trimEnd().split('\n'))
      t.notThrows(() => void JSON.parse(line));
});
