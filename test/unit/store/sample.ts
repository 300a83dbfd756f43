// Runs to record, made of the events that the engine would emit.
import {mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {HostStatus, RunEvent, TaskResult} from '../../../src/engine/event.ts';
import {taskJson} from '../../../src/report/json.ts';
import type {History} from '../../../src/store/history.ts';
import type {RunRecorder} from '../../../src/store/run-recorder.ts';
import type {RunStart} from '../../../src/store/records.ts';
import type {Shaping} from '../../../src/store/shape-events.ts';

/** A state folder of its own. */
export function stateFolder(): string {
  return mkdtempSync(join(tmpdir(), 'tsplay-history-'));
}

/** Nothing is hidden. */
export const shaping: Shaping = {hide: (data) => data, taskJson: (result) => taskJson(result, (data) => data)};

/** The start of a run. */
export function startOf(id: string, more: Partial<RunStart> = {}): RunStart {
  return {
    id,
    mode: 'run',
    playbooks: ['site.yml'],
    started: '2026-03-01T10:00:00.000Z',
    by: {user: 'ada', controller: 'desk', from: null},
    inputs: {cwd: '/srv/site', inventories: ['inventory/'], limit: [], tags: [], skipTags: [], extraVars: []},
    versions: {tsplay: '0.1.0', node: 'v24', modules: {}},
    ...more,
  };
}

/** A result; ok, and nothing to say, unless `more` says so. */
export function result(host: string, task: string, more: Partial<TaskResult> = {}): TaskResult {
  return {
    host,
    play: 'web',
    task,
    module: 'file',
    at: `site.yml:${String(task.length)}:5`,
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
    durationMs: 3,
    notified: [],
    control: undefined,
    ...more,
  };
}

/** The events of a whole run whose hosts gave these results. */
export function eventsOf(id: string, results: readonly TaskResult[]): readonly RunEvent[] {
  const run = {id, mode: 'run', playbooks: ['site.yml'], started: '2026-03-01T10:00:00.000Z'} as const;
  const names = [...new Set(results.map(({host}) => host))];
  const statusOf = (host: string): HostStatus => {
    const states = results.filter((each) => each.host === host).map(({status}) => status);
    return states.includes('failed') ? 'failed' : states.includes('changed') ? 'changed' : 'ok';
  };
  const none = {ok: 0, changed: 0, failed: 0, skipped: 0, refused: 0, unknown: 0, ignored: 0, roundTrips: 1};
  const hosts = Object.fromEntries(names.map((name) => [name, {...none, status: statusOf(name)}]));
  return [
    {event: 'run-started', run},
    {event: 'play-started', play: 'web', hosts: names, at: 'site.yml:1:3'},
    ...results.map((each): RunEvent => ({event: 'task-finished', result: each})),
    ...names.map((host): RunEvent => ({event: 'host-finished', host, summary: hosts[host]!})),
    {event: 'run-finished', outcome: {run: {...run, durationMs: 5, exit: 0}, hosts}},
  ];
}

/** Records a run and ends it. */
export function record(
  history: History,
  id: string,
  results: readonly TaskResult[],
  more: Partial<RunStart> = {},
): RunRecorder {
  const recorder = history.begin(startOf(id, more), shaping, (message) => {
    throw new Error(message);
  });
  for (const event of eventsOf(id, results)) recorder.on(event);
  recorder.close(results.some(({status}) => status === 'failed') ? 2 : 0);
  return recorder;
}
