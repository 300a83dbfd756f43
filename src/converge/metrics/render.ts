// Numbers as OpenMetrics text: for the service's /metrics and for node-exporter's textfile collector, which reads the same lines.
import type {RunNumbers} from './collect.ts';

/** The numbers of a service besides those of runs. *units*: `lagMs` how late the latest of the due runs is. */
export type ServiceNumbers = {
  readonly queueDepth: number;
  readonly lagMs: number;
  /** runs since the service began */
  readonly runs: readonly {readonly mode: string; readonly status: string; readonly count: number}[];
  /** hosts by what the last runs found: in sync, drifted, fixed, failed, unreachable */
  readonly hosts: Readonly<Record<string, number>>;
  /** the same by schedule */
  readonly schedules: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** controllers that live */
  readonly controllers: number;
  /** connections that runs began with, kept ones or new ones, and those that wait for their next run */
  readonly connections: {readonly warm: number; readonly cold: number; readonly idle: number};
};

/** What a server says is the type of {@link renderMetrics}'s text. */
export const METRICS_CONTENT_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** The last run of each playbook and mode (and schedule), and the service's own numbers where there is one. prom-client is loaded when this is first called. */
export async function renderMetrics(numbers: {
  readonly runs: readonly RunNumbers[];
  readonly service?: ServiceNumbers;
}): Promise<string> {
  const {Counter, Gauge, Registry} = await import('prom-client');
  const registry = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  const of = ['mode', 'playbooks', 'schedule'];
  const gauge = (name: string, help: string, labelNames: readonly string[]) =>
    new Gauge({name: `tsplay_${name}`, help, labelNames, registers: [registry]});
  const finished = gauge('last_run_timestamp_seconds', 'When the last run ended', of);
  const duration = gauge('last_run_duration_seconds', 'How long the last run took', of);
  const exit = gauge(
    'last_run_exit_status',
    'Exit status of the last run: 0, or the sum of 2 (failed), 4 (unreachable), 8 (differs)',
    of,
  );
  const hosts = gauge('last_run_hosts', 'Hosts of the last run by state', [...of, 'state']);
  const tasks = gauge('last_run_tasks', 'Results of tasks in the last run by status', [...of, 'status']);
  const trips = gauge('last_run_round_trips', 'Exchanges with hosts in the last run', of);
  const drift = gauge(
    'last_run_drift_hosts',
    'Hosts not as declared, by control; the empty control stands for tasks without one',
    [...of, 'control'],
  );
  for (const run of numbers.runs) {
    const labels = {mode: run.mode, playbooks: run.playbooks, schedule: run.schedule ?? ''};
    finished.set(labels, run.finishedMs / 1000);
    duration.set(labels, run.durationMs / 1000);
    exit.set(labels, run.exit);
    trips.set(labels, run.roundTrips);
    for (const [state, count] of Object.entries(run.hosts)) hosts.set({...labels, state}, count);
    for (const [status, count] of Object.entries(run.tasks)) tasks.set({...labels, status}, count);
    for (const [control, count] of Object.entries(run.drift)) drift.set({...labels, control}, count);
  }
  const {service} = numbers;
  if (service !== undefined) {
    gauge('queue_depth', 'Runs that are due and have not begun', []).set(service.queueDepth);
    gauge('lag_seconds', 'How late the latest of the runs is that are due', []).set(service.lagMs / 1000);
    const states = gauge('hosts', 'Hosts by what their last runs found', ['state']);
    for (const [state, count] of Object.entries(service.hosts)) states.set({state}, count);
    const scheduled = gauge('schedule_hosts', 'Hosts by their state under a schedule', ['schedule', 'state']);
    for (const [schedule, counts] of Object.entries(service.schedules))
      for (const [state, count] of Object.entries(counts)) scheduled.set({schedule, state}, count);
    gauge('controllers', 'Controllers that live', []).set(service.controllers);
    gauge('connections_idle', 'Connections that wait for their next run', []).set(service.connections.idle);
    const counter = (name: string, help: string, labelNames: readonly string[]) =>
      new Counter({name: `tsplay_${name}`, help, labelNames, registers: [registry]});
    const runs = counter('runs', 'Runs since the service began', ['mode', 'status']);
    for (const {mode, status, count} of service.runs) runs.inc({mode, status}, count);
    const connections = counter('connections', 'Connections that runs began with: kept ones, or new ones', ['kind']);
    connections.inc({kind: 'warm'}, service.connections.warm);
    connections.inc({kind: 'cold'}, service.connections.cold);
  }
  return registry.metrics();
}
