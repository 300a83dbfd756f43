// Metrics are OpenMetrics text, and the alert rules and the dashboard speak of metrics that there are; promtool is the judge where it is installed.
import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {collectNumbers, type RunNumbers} from '../../../src/converge/metrics/collect.ts';
import {renderMetrics} from '../../../src/converge/metrics/render.ts';
import {PassTally} from '../../../src/converge/metrics/tally.ts';
import {eventsOf, result} from '../store/sample.ts';

const docs = path.resolve(import.meta.dirname, '../../../docs/monitoring');
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const service = {
  queueDepth: 2,
  lagMs: 1500,
  runs: [{mode: 'check', status: 'ok', count: 3}],
  hosts: {'in sync': 4},
  schedules: {nightly: {'in sync': 4}},
  controllers: 2,
  connections: {warm: 7, cold: 1, idle: 3},
};

const run: RunNumbers = {
  mode: 'check',
  playbooks: 'site.yml',
  finishedMs: 0,
  durationMs: 1,
  exit: 0,
  hosts: {ok: 1, changed: 0, failed: 0, unreachable: 0},
  tasks: {},
  roundTrips: 1,
  drift: {},
};

async function sample(): Promise<string> {
  const {on, numbers} = collectNumbers();
  const control = {id: 'C"1\\\n'};
  const events = eventsOf('r', [
    result('web1', 'one', {status: 'changed', changes: [{what: 'x', before: 'a', after: 'b'}], control}),
    result('web2', 'one', {control}),
    result('web2', 'two', {findings: [{code: 'x', message: 'bad'}]}),
  ]);
  for (const event of events) on(event);
  return renderMetrics({runs: [numbers(8, 1_700_000_000_000)!], service});
}

test('a run and a service in numbers', async (t) => {
  const text = await sample();
  t.true(text.endsWith('# EOF\n'));
  const value = (start: string): string | undefined =>
    text
      .split('\n')
      .find((line) => line.startsWith(start))
      ?.split(' ')
      .at(-1);
  t.is(value('tsplay_last_run_exit_status{'), '8');
  t.is(value('tsplay_last_run_round_trips{'), '2');
  t.is(value('tsplay_runs_total{'), '3');
  t.is(value('tsplay_lag_seconds'), '1.5');
  t.is(value('tsplay_schedule_hosts{schedule="nightly"'), '4');
  t.is(value('tsplay_connections_total{kind="warm"'), '7');
  t.true(text.includes(String.raw`control="C\"1\\\n"} 1`), text);
  t.true(text.includes('control=""} 1'), text);
});

test('the last run of each schedule, and how many ended how', (t) => {
  const tally = new PassTally();
  const numbers = {...run, finishedMs: 1};
  for (const [exit, schedule] of [
    [0, 'a'],
    [0, 'a'],
    [6, 'a'],
    [4, 'b'],
    [8, 'b'],
  ] as const)
    tally.add({...numbers, exit, schedule});
  t.deepEqual(
    tally.last.map(({schedule, exit}) => [schedule, exit]),
    [
      ['a', 6],
      ['b', 8],
    ],
  );
  t.deepEqual(
    tally.ended.map(({status, count}) => [status, count]),
    [
      ['ok', 2],
      ['failed', 1],
      ['unreachable', 1],
      ['differs', 1],
    ],
  );
});

test('a run that has not ended has no numbers', (t) => {
  t.is(collectNumbers().numbers(0, 0), undefined);
});

test('alerts and dashboard speak of metrics that there are', async (t) => {
  const text = await sample();
  const known = new Set([...text.matchAll(/^(tsplay_\w+)/gm)].map(([, name]) => name));
  for (const file of ['alerts.yml', 'grafana-dashboard.json'])
    for (const [name] of readFileSync(path.join(docs, file), 'utf8').matchAll(/tsplay_\w+(?=[ ){>]|")/g))
      if (name !== 'tsplay_last_run_') t.true(known.has(name), `${file}: ${name}`);
  t.notThrows(() => void JSON.parse(readFileSync(path.join(docs, 'grafana-dashboard.json'), 'utf8')));
});

if (hasPromtool) {
  test('promtool: the rules are valid', (t) => {
    const done = spawnSync('promtool', ['check', 'rules', path.join(docs, 'alerts.yml')], {encoding: 'utf8'});
    t.is(done.status, 0, done.stdout + done.stderr);
  });
  test('promtool: the metrics can be read', async (t) => {
    const done = spawnSync('promtool', ['check', 'metrics'], {input: await sample(), encoding: 'utf8'});
    // 3 = it would name something otherwise; 1 = it cannot read it
    t.not(done.status, 1, done.stdout + done.stderr);
  });
} else test.skip('promtool: rules and metrics (promtool is not installed: Debian package prometheus)', () => undefined);
