import test from 'ava';
import type {TaskResult} from '../../../src/engine/event.ts';
import {scoreOf} from '../../../src/report/audit.ts';
import type {JudgementVerdict} from '../../../src/report/judgement.ts';
import {complaintsOf} from '../../../src/report/remedy.ts';
import {auditOf, result, summary} from './sample-run.ts';

const control = {id: 'C-1', title: 'a control', severity: 'HIGH', refs: 'CIS 5.2'};
const weak = {code: 'weak', message: 'weak'};

const table: readonly [string, Partial<TaskResult>[], 'run' | 'check', JudgementVerdict][] = [
  ['as declared', [{status: 'ok'}], 'check', 'pass'],
  ['differs', [{status: 'changed'}], 'check', 'fail'],
  ['changed by a run', [{status: 'changed'}], 'run', 'pass'],
  ['skipped alone is no pass', [{status: 'skipped', control}], 'check', 'not-applicable'],
  [
    'one of two skipped',
    [
      {status: 'skipped', control},
      {status: 'ok', control},
    ],
    'check',
    'pass',
  ],
  ['an error finding', [{status: 'ok', findings: [weak]}], 'check', 'fail'],
  ['a warning', [{status: 'ok', findings: [{...weak, severity: 'warning'}]}], 'check', 'pass'],
  ['an error finding that a run leaves', [{status: 'changed', findings: [weak]}], 'run', 'fail'],
  ['could not be judged', [{status: 'failed'}], 'check', 'error'],
  ['refused', [{status: 'refused'}], 'check', 'error'],
  ['an assertion', [{status: 'failed', module: 'assert'}], 'check', 'fail'],
  ['unknown', [{status: 'unknown'}], 'check', 'unknown'],
  [
    'unknown beside a pass',
    [
      {status: 'ok', control},
      {status: 'unknown', control},
    ],
    'check',
    'unknown',
  ],
  ['fail is the gravest', [{status: 'failed', control}, {status: 'changed', control}, {control}], 'check', 'fail'],
  ['an ignored failure is no pass', [{status: 'ignored'}], 'check', 'unknown'],
  ['an ignored failure of a control', [{status: 'ignored', control}], 'check', 'error'],
];
for (const [name, results, mode, verdict] of table) {
  test(`judgement: ${name}`, (t) => {
    const audit = auditOf({web1: summary('ok')}, results.map(result), {mode});
    t.deepEqual(
      audit.judgements.map((j) => j.verdict),
      [verdict],
    );
    t.is(complaintsOf(audit.judgements[0]!, audit).length > 0, !['pass', 'not-applicable'].includes(verdict));
  });
}

test('hosts without a result: an error where unreachable, unknown after a failure, else not applicable', (t) => {
  const audit = auditOf(
    {web1: summary('ok'), gone: summary('unreachable'), broken: summary('failed'), other: summary('ok')},
    [result({control})],
  );
  t.deepEqual(
    audit.judgements.filter((j) => j.rule.id === 'C-1').map((j) => [j.host, j.verdict]),
    [
      ['web1', 'pass'],
      ['gone', 'error'],
      ['broken', 'unknown'],
      ['other', 'not-applicable'],
    ],
  );
  t.deepEqual(scoreOf(audit), {passed: 1, judged: 3, of: 'controls'});
});

test('a run in which nobody could be reached still has a complaint', (t) => {
  const audit = auditOf({gone: summary('unreachable')}, [], {exit: 4});
  t.deepEqual(
    audit.judgements.map((j) => complaintsOf(j, audit)[0]?.help),
    ['switch it on'],
  );
});

test('a debug says nothing of a host, though it stands under a control; when it fails, it does', (t) => {
  const rulesOf = (of: Partial<TaskResult>): number =>
    auditOf({web1: summary('ok')}, [result({module: 'debug', ...of})]).rules.length;
  t.deepEqual([rulesOf({}), rulesOf({control}), rulesOf({status: 'failed'})], [0, 0, 1]);
  t.deepEqual([rulesOf({module: 'stat', control}), rulesOf({module: 'fail', status: 'unknown', control})], [0, 1]);
});

test('controls may come as maps, and secrets are hidden everywhere', (t) => {
  const hide = <T>(data: T): T => (typeof data === 'string' ? data.replaceAll('hunter2', '***') : data) as T;
  const audit = auditOf(
    {web1: summary('changed')},
    [
      result({
        status: 'changed',
        control: new Map(Object.entries({id: 'M-1', title: 'from a map'})),
        item: 'hunter2',
        task: 'set hunter2',
        message: 'hunter2',
        help: 'hunter2',
        changes: [{what: 'password', before: 'a', after: 'hunter2'}],
        findings: [{code: 'x', message: 'hunter2', help: 'hunter2'}],
      }),
    ],
    {hide},
  );
  t.is(audit.rules[0]?.title, 'from a map');
  t.notRegex(JSON.stringify(audit), /hunter2/);
});
