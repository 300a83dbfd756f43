import test from 'ava';
import type {TaskResult} from '../../../src/engine/event.ts';
import {AuditCollector, type Audit} from '../../../src/report/audit.ts';
import {ExitSigns} from '../../../src/report/exit-signs.ts';
import {htmlReport} from '../../../src/report/html.ts';
import {junitXml} from '../../../src/report/junit.ts';
import {complaintsOf} from '../../../src/report/remedy.ts';
import {sarifDocument} from '../../../src/report/sarif.ts';
import type {Waiver} from '../../../src/report/waiver.ts';
import {result, summary} from './sample-run.ts';

const started = '2026-06-15T23:59:00.000Z';
const control = {id: 'C-1', title: 'a control'};

function waiver(of: Partial<Waiver>): Waiver {
  return {
    controls: ['C-1'],
    hosts: new Set(['web1']),
    pattern: 'web1',
    owner: 'jane@example.org',
    reason: 'replaced soon',
    expires: '2026-12-31',
    at: 'waivers.yml:1:3',
    ...of,
  };
}

function audited(waivers: readonly Waiver[], results: readonly TaskResult[], hosts = ['web1', 'web2']): Audit {
  const info = {id: 'r1', mode: 'check' as const, playbooks: ['site.yml'], started};
  const collector = new AuditCollector(info, (data) => data);
  collector.expect([{id: 'C-1', fields: {title: 'a control'}, at: 'site.yml:3:5', hosts}], waivers);
  for (const each of results) collector.on({event: 'task-finished', result: each});
  const summaries = Object.fromEntries(hosts.map((host) => [host, summary(host === 'gone' ? 'unreachable' : 'ok')]));
  collector.on({event: 'run-finished', outcome: {run: {...info, durationMs: 1, exit: 8}, hosts: summaries}});
  return collector.audit(8, 1);
}

const bad = (host: string): TaskResult => result({host, status: 'changed', control});

const table: readonly [title: string, waivers: readonly Waiver[], TaskResult, verdict: string, counts: boolean][] = [
  ['no waiver', [], bad('web1'), 'fail', true],
  ['a waiver that holds', [waiver({})], bad('web1'), 'waived', false],
  ['it holds through its last day', [waiver({expires: '2026-06-15'})], bad('web1'), 'waived', false],
  ['expired the day before', [waiver({expires: '2026-06-14'})], bad('web1'), 'fail', true],
  ['another host', [waiver({hosts: new Set(['web2'])})], bad('web1'), 'fail', true],
  ['another control', [waiver({controls: ['C-2']})], bad('web1'), 'fail', true],
  ['of two the longer one', [waiver({expires: '2020-01-01'}), waiver({})], bad('web1'), 'waived', false],
  ['nothing to waive', [waiver({})], result({control}), 'pass', false],
  [
    'a finding is waived like a difference',
    [waiver({})],
    result({control, findings: [{code: 'weak', message: 'weak'}]}),
    'waived',
    false,
  ],
  ['an assertion is waived too', [waiver({})], result({control, module: 'assert', status: 'ignored'}), 'waived', false],
  ['an assertion counts', [], result({control, module: 'assert', status: 'ignored'}), 'fail', true],
  ['what could not be judged is not waived', [waiver({})], result({control, status: 'ignored'}), 'error', true],
  ['a task without a control has no waiver', [waiver({})], result({status: 'changed'}), 'not-applicable', true],
];
for (const [title, waivers, each, verdict, counts] of table) {
  test(`waivers: ${title}`, (t) => {
    const audit = audited(waivers, [each], ['web1']);
    const judged = audit.judgements.find((j) => j.rule.id === 'C-1');
    t.is(judged?.verdict, verdict as never);
    const signs = new ExitSigns('check', started);
    signs.waivers = waivers;
    signs.on({event: 'task-finished', result: each});
    t.is(signs.differing.size + signs.errorFindings.size + signs.unjudged.size > 0, counts);
  });
}

test('a waiver of a run counts for nothing: what a run leaves open is said', (t) => {
  const signs = new ExitSigns('run', started);
  signs.waivers = [waiver({})];
  signs.on({event: 'task-finished', result: result({control, findings: [{code: 'weak', message: 'weak'}]})});
  t.deepEqual([...signs.errorFindings], ['web1']);
});

test('an expired waiver is said beside the evidence, with its owner and its place', (t) => {
  const audit = audited([waiver({expires: '2026-06-14'})], [bad('web1')], ['web1']);
  t.deepEqual(
    complaintsOf(audit.judgements[0]!, audit).map((c) => [c.code, c.at]),
    [
      ['differs', 'playbooks/site.yml:4:7'],
      ['waiver-expired', 'waivers.yml:1:3'],
    ],
  );
  t.regex(htmlReport(audit), /the waiver of jane@example\.org expired on 2026-06-14/);
});

test('what is waived keeps its evidence in every report, and says who answers for it', (t) => {
  const audit = audited([waiver({})], [bad('web1')], ['web1']);
  t.regex(htmlReport(audit), /jane@example\.org[^]*replaced soon/);
  t.regex(junitXml(audit), /<skipped message="waived by jane@example\.org until 2026-12-31: replaced soon"/);
  const sarif = sarifDocument(audit, '1') as {runs: {results: Record<string, unknown>[]}[]};
  t.like(sarif.runs[0]?.results[0], {
    suppressions: [
      {kind: 'external', status: 'accepted', justification: 'jane@example.org until 2026-12-31: replaced soon'},
    ],
  });
});

test('a host that is unreachable is an error under each of its controls, and one without a result is no pass', (t) => {
  const audit = audited([], [result({host: 'web1', control})], ['web1', 'gone', 'web3']);
  t.deepEqual(
    audit.judgements.filter((j) => j.rule.id === 'C-1').map((j) => [j.host, j.verdict]),
    [
      ['web1', 'pass'],
      ['gone', 'error'],
      ['web3', 'not-applicable'],
    ],
  );
});
