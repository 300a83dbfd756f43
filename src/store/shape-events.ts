// Turns the engine's events into records. A result that says only "ok" or "skipped" needs few words: a task is described once, and what one host answers in one go
// makes one line, so that a fleet in which nothing has drifted costs a line a host and not one a task.
import type {RunEvent, TaskResult, TaskStatus} from '../engine/event.ts';
import {noHosts} from './no-hosts.ts';
import type {BriefResult, HistoryRecord, HostCounts, RecordedResult} from './records.ts';

/** How what is written is made fit for it; the store itself knows no secrets and no diffs. */
export type Shaping = {
  /** hides every secret that the process knows of */
  readonly hide: <T>(data: T) => T;
  /** a result in the shape of `--output json`, secrets hidden */
  readonly taskJson: (result: TaskResult) => unknown;
};

/** Takes events, gives records to `write`. `flush` writes what still waits for the end of this turn of the event loop. */
export function shapeEvents(
  write: (record: HistoryRecord) => void,
  {hide, taskJson}: Shaping,
): {
  readonly on: (event: RunEvent) => void;
  readonly flush: () => void;
  readonly hosts: () => HostCounts;
  readonly tasks: () => Readonly<Partial<Record<TaskStatus, number>>>;
} {
  const ids = new Map<string, number>();
  const tasks: Partial<Record<TaskStatus, number>> = {};
  let hosts: HostCounts = noHosts;
  const waiting = new Map<string, BriefResult[]>();
  const flushHost = (host: string): void => {
    const results = waiting.get(host);
    waiting.delete(host);
    if (results !== undefined) write({record: 'results', host, results});
  };
  const flush = (): void => {
    for (const host of [...waiting.keys()]) flushHost(host);
  };
  /** the order of what is said of one host is kept */
  const put = (record: HistoryRecord & {readonly host: string}): void => {
    flushHost(record.host);
    write(record);
  };
  const idOf = (result: TaskResult): number => {
    const control = result.control === undefined ? undefined : jsonOf(result.control);
    const key = `${result.at}\n${result.task}\n${result.play}\n${result.module}\n${String(result.handler)}\n${control === undefined ? '' : JSON.stringify(control)}`;
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = ids.size;
    ids.set(key, id);
    const {play, module, at} = result;
    // may overtake results that wait: those name tasks that have been described
    write({
      record: 'task',
      id,
      play,
      task: hide(result.task),
      module,
      at,
      ...(result.handler ? {handler: true} : {}),
      ...(control === undefined ? {} : {control: hide(control)}),
    });
    return id;
  };
  const take = (result: TaskResult): void => {
    tasks[result.status] = (tasks[result.status] ?? 0) + 1;
    const id = idOf(result);
    if (!isBrief(result)) {
      const {
        play: _p,
        task: _t,
        module: _m,
        at: _a,
        handler: _h,
        control: _c,
        ...shown
      } = taskJson(result) as RecordedResult;
      put({record: 'result', id, ...shown, changes: shown.changes.map(short)});
      return;
    }
    const brief = briefly(id, result, hide);
    const others = waiting.get(result.host);
    if (others !== undefined) {
      others.push(brief);
      return;
    }
    if (waiting.size === 0) setImmediate(flush);
    waiting.set(result.host, [brief]);
  };
  const on = (event: RunEvent): void => {
    switch (event.event) {
      case 'play-started':
        write({record: 'play', play: hide(event.play), hosts: event.hosts, at: event.at});
        return;
      case 'host-connected':
        put({record: 'connected', host: event.host, via: event.via, durationMs: Math.round(event.durationMs)});
        return;
      case 'host-unreachable':
        put({
          record: 'unreachable',
          host: event.host,
          message: hide(event.message),
          ...optional('help', hide(event.help)),
        });
        return;
      case 'task-finished':
        take(event.result);
        return;
      case 'message':
        write({record: 'message', host: event.host ?? null, text: hide(event.text)});
        return;
      case 'problem': {
        const {severity, code, message, help} = event.diagnostic;
        write({
          record: 'problem',
          severity,
          code,
          message: hide(message),
          ...optional('at', event.at),
          ...optional('help', hide(help)),
        });
        return;
      }
      case 'pending-done':
        put({record: 'pending-done', host: event.host, text: hide(event.text)});
        return;
      case 'host-finished':
        put({record: 'host-finished', host: event.host, summary: hide(event.summary)});
        return;
      case 'run-finished':
        hosts = countHosts(Object.values(event.outcome.hosts).map(({status}) => status));
        return;
      default:
        return;
    }
  };
  return {on, flush, hosts: () => hosts, tasks: () => tasks};
}

/** How many hosts ended in each state. */
export function countHosts(states: readonly (keyof HostCounts)[]): HostCounts {
  const counts = {...noHosts};
  for (const state of states) counts[state]++;
  return counts;
}

/** Whether a result says no more than its status, an element and a reason. */
function isBrief(result: TaskResult): boolean {
  return (
    (result.status === 'ok' || result.status === 'skipped') &&
    result.changes.length === 0 &&
    result.findings.length === 0 &&
    result.pending.length === 0 &&
    result.notified.length === 0 &&
    result.help === undefined &&
    result.command === undefined &&
    !result.everyRun
  );
}

function briefly(id: number, {durationMs, status, message, item}: TaskResult, hide: Shaping['hide']): BriefResult {
  const hasItem = item !== null && item !== undefined;
  if (status === 'ok' && message === undefined && !hasItem) return [id, durationMs];
  if (!hasItem) return message === undefined ? [id, durationMs, status] : [id, durationMs, status, hide(message)];
  return [id, durationMs, status, hide(message ?? ''), hide(jsonOf(item))];
}

/** Long contents are in the diff already. */
function short(change: {readonly what: string; readonly before: unknown; readonly after: unknown}): typeof change {
  const isLong = (value: unknown): boolean => typeof value === 'string' && (value.length > 200 || value.includes('\n'));
  return isLong(change.before) || isLong(change.after) ? {what: change.what, before: inDiff, after: inDiff} : change;
}

const inDiff = {seeDiff: true};

/** As it will be in JSON: secrets and unknowns show themselves there, maps become objects. */
function jsonOf(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown): unknown =>
      part instanceof Map ? Object.fromEntries(part as Map<string, unknown>) : part,
    ),
  ) as unknown;
}

function optional<Name extends string>(name: Name, value: string | undefined): {readonly [N in Name]?: string} {
  return value === undefined ? {} : ({[name]: value} as {readonly [N in Name]?: string});
}
