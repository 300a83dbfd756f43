import {performance} from 'node:perf_hooks';
import {visible} from '../base/visible.ts';
import type {RunEvent, TaskResult} from '../engine/event.ts';

/** Where the time of a run went. *units*: milliseconds. */
export type Profile = {
  readonly hosts: Readonly<
    Record<
      string,
      {readonly connectMs: number; readonly exchangesMs: number; readonly planningMs: number; readonly totalMs: number}
    >
  >;
  /** the slowest first */
  readonly tasks: readonly SlowTask[];
};

type SlowTask = {
  readonly task: string;
  readonly module: string;
  readonly at: string;
  readonly hosts: number;
  readonly longestMs: number;
  readonly longestOn: string;
  readonly totalMs: number;
};

type HostTimes = {connectMs: number; exchangesMs: number; first: number; last: number};

/** So many tasks are shown. */
const shownTasks = 20;

/** Adds up where the time goes, from the events. `planningMs` comes from the engine at the end, since planning says nothing. */
export class Profiler {
  readonly #hosts = new Map<string, HostTimes>();
  readonly #tasks = new Map<string, {result: TaskResult; byHost: Map<string, number>}>();

  on(event: RunEvent): void {
    switch (event.event) {
      case 'task-started':
        this.#host(event.host);
        return;
      case 'host-connected': {
        const times = this.#host(event.host, event.durationMs);
        times.connectMs += event.durationMs;
        return;
      }
      case 'exchange': {
        const times = this.#host(event.host, event.durationMs);
        times.exchangesMs += event.durationMs;
        return;
      }
      case 'task-finished':
        this.#host(event.result.host);
        this.#task(event.result);
        return;
      default:
        return;
    }
  }

  /** `planningMs` by host. */
  profile(planningMs: ReadonlyMap<string, number>): Profile {
    const hosts = [...this.#hosts].map(([name, times]): [string, Profile['hosts'][string]] => [
      name,
      {
        connectMs: Math.round(times.connectMs),
        exchangesMs: Math.round(times.exchangesMs),
        planningMs: Math.round(planningMs.get(name) ?? 0),
        totalMs: Math.round(times.last - times.first),
      },
    ]);
    const tasks = [...this.#tasks.values()].map(({result, byHost}): SlowTask => {
      const [longestOn, longestMs] = [...byHost].reduce((one, other) => (other[1] > one[1] ? other : one));
      const totalMs = [...byHost.values()].reduce((sum, ms) => sum + ms, 0);
      const {task, module, at} = result;
      return {task, module, at, hosts: byHost.size, longestMs, longestOn, totalMs};
    });
    return {
      hosts: Object.fromEntries(hosts),
      tasks: tasks.toSorted((a, b) => b.longestMs - a.longestMs).slice(0, shownTasks),
    };
  }

  #task(result: TaskResult): void {
    const key = `${result.at} ${result.task}`;
    const known = this.#tasks.get(key) ?? {result, byHost: new Map<string, number>()};
    this.#tasks.set(key, known);
    known.byHost.set(result.host, (known.byHost.get(result.host) ?? 0) + result.durationMs);
  }

  /** The times of a host, of which something was heard that began so long ago. */
  #host(name: string, agoMs = 0): HostTimes {
    const now = performance.now();
    const known = this.#hosts.get(name) ?? {connectMs: 0, exchangesMs: 0, first: now - agoMs, last: now};
    this.#hosts.set(name, known);
    known.first = Math.min(known.first, now - agoMs);
    known.last = now;
    return known;
  }
}

/** The profile for people: the slowest tasks, then the hosts. */
export function profileTable({hosts, tasks}: Profile): string {
  const slow = tasks.filter(({longestMs}) => longestMs > 0);
  const taskRows = slow.map(({task, module, at, longestMs, longestOn, hosts: count}) => [
    seconds(longestMs),
    `${visible(task)} (${module})`,
    count > 1 ? `${longestOn}, ${count} hosts` : longestOn,
    at,
  ]);
  const hostRows = Object.entries(hosts)
    .toSorted(([, a], [, b]) => b.totalMs - a.totalMs)
    .map(([name, {connectMs, exchangesMs, planningMs, totalMs}]) => [
      name,
      ...[connectMs, exchangesMs, planningMs, totalMs].map(seconds),
    ]);
  return `\nSLOWEST TASKS\n${table(['longest', 'task', 'on', 'at'], taskRows)}\nTIME BY HOST\n${table(['host', 'connect', 'exchanges', 'planning', 'total'], hostRows)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all
    .map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd() + '\n')
    .join('');
}
