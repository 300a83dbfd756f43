import type {HostSummary, RunEvent, RunMode, TaskResult} from '../../../src/engine/event.ts';
import {AuditCollector, type Audit} from '../../../src/report/audit.ts';

/** A task result with what a test does not care about filled in. */
export function result(of: Partial<TaskResult>): TaskResult {
  return {
    host: 'web1',
    play: 'site',
    task: 'a task',
    module: 'file',
    at: 'playbooks/site.yml:4:7',
    status: 'ok',
    item: null,
    changes: [],
    findings: [],
    pending: [],
    message: undefined,
    help: undefined,
    command: undefined,
    everyRun: false,
    handler: false,
    noLog: false,
    durationMs: 12,
    notified: [],
    control: undefined,
    ...of,
  };
}

const counts = {ok: 0, changed: 0, failed: 0, skipped: 0, refused: 0, unknown: 0, ignored: 0, roundTrips: 1};

/** The summary of a host. */
export function summary(status: HostSummary['status'], message = 'no route'): HostSummary {
  return {...counts, status, ...(status === 'unreachable' ? {unreachable: {message, help: 'switch it on'}} : {})};
}

/** The audit of a run with these hosts and results. */
export function auditOf(
  hosts: Readonly<Record<string, HostSummary>>,
  results: readonly TaskResult[],
  {mode = 'check', exit = 8, hide = (data) => data}: {mode?: RunMode; exit?: number; hide?: <T>(data: T) => T} = {},
): Audit {
  const info = {id: 'r1', mode, playbooks: ['playbooks/site.yml'], started: '2026-01-02T03:04:05.678Z'};
  const events: RunEvent[] = [
    {event: 'run-started', run: info},
    {event: 'play-started', play: 'site', hosts: Object.keys(hosts), at: 'playbooks/site.yml:1:3'},
    ...results.map((r): RunEvent => ({event: 'task-finished', result: r})),
    {event: 'run-finished', outcome: {run: {...info, durationMs: 1500, exit}, hosts}},
  ];
  const collector = new AuditCollector(info, hide);
  for (const event of events) collector.on(event);
  return collector.audit(exit, 1500);
}

/** Names and words that a hostile host might send. */
export const hostile =
  '"><script>alert(1)</script><img src=x onerror=alert(2)> \u001b[31m \u0000 \u202e ]]> --> ``` \ud800 \uffff';

/** An audit with one judgement of each kind, and hostile text wherever a host can put some. */
export function hostileAudit(): Audit {
  const control = {
    id: 'SSH-1',
    title: `no root ${hostile}`,
    severity: 'high',
    rationale: hostile,
    refs: ['https://example.org/a b', 'https://example.org/ssh', hostile],
  };
  return auditOf(
    {[`h ${hostile}`]: summary('changed'), web1: summary('failed'), gone: summary('unreachable', hostile)},
    [
      result({
        host: `h ${hostile}`,
        status: 'changed',
        control,
        changes: [{what: hostile, before: `a\n${hostile}\n`, after: 'b\n'}],
        findings: [{code: 'weak', message: hostile, help: hostile}],
      }),
      result({control}),
      result({at: 'playbooks/site.yml:9:5', task: hostile, status: 'skipped', message: hostile, host: `h ${hostile}`}),
      result({
        at: '/srv/a b/site.yml:12:5',
        status: 'failed',
        message: hostile,
        command: {label: 'x', exit: 1, stderr: hostile, durationMs: 3},
      }),
      result({at: 'playbooks/site.yml:15:5', status: 'unknown', item: {name: hostile}}),
    ],
    {exit: 14},
  );
}
