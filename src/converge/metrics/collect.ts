import type {RunEvent, TaskStatus} from '../../engine/event.ts';
import {countHosts} from '../../store/shape-events.ts';
import type {HostCounts} from '../../store/records.ts';

/** The numbers of one run. *units*: `finishedMs` ms since the epoch. */
export type RunNumbers = {
  readonly mode: string;
  readonly playbooks: string;
  readonly schedule?: string;
  readonly finishedMs: number;
  readonly durationMs: number;
  readonly exit: number;
  readonly hosts: HostCounts;
  readonly tasks: Readonly<Partial<Record<TaskStatus, number>>>;
  readonly roundTrips: number;
  /** hosts with a difference, a failure or an error finding, by control; '' = tasks that belong to none */
  readonly drift: Readonly<Record<string, number>>;
};

/** Counts while a run goes on; `numbers` is what is known now, undefined before the run has ended. */
export function collectNumbers(): {
  readonly on: (event: RunEvent) => void;
  readonly numbers: (exit: number, nowMs: number) => RunNumbers | undefined;
} {
  const tasks: Partial<Record<TaskStatus, number>> = {};
  const drifting = new Map<string, Set<string>>();
  let outcome: Extract<RunEvent, {event: 'run-finished'}>['outcome'] | undefined;
  return {
    on: (event) => {
      if (event.event === 'run-finished') outcome = event.outcome;
      if (event.event !== 'task-finished') return;
      const {result} = event;
      tasks[result.status] = (tasks[result.status] ?? 0) + 1;
      const control = controlId(result.control);
      const hosts = drifting.get(control) ?? new Set();
      drifting.set(control, hosts);
      const differs =
        result.status === 'changed' ||
        result.status === 'failed' ||
        result.status === 'refused' ||
        result.findings.some((finding) => (finding.severity ?? 'error') === 'error');
      if (differs) hosts.add(result.host);
    },
    numbers: (exit, nowMs) => {
      if (outcome === undefined) return undefined;
      const hosts = Object.values(outcome.hosts);
      return {
        mode: outcome.run.mode,
        playbooks: outcome.run.playbooks.join(' '),
        finishedMs: nowMs,
        durationMs: outcome.run.durationMs,
        exit,
        hosts: countHosts(hosts.map(({status}) => status)),
        tasks,
        roundTrips: hosts.reduce((sum, host) => sum + host.roundTrips, 0),
        drift: Object.fromEntries([...drifting].map(([control, names]) => [control, names.size])),
      };
    },
  };
}

function controlId(control: unknown): string {
  const id: unknown =
    control instanceof Map
      ? (control as Map<unknown, unknown>).get('id')
      : typeof control === 'object' && control !== null
        ? (control as {readonly id?: unknown}).id
        : undefined;
  return typeof id === 'string' ? id : '';
}
