// A history with a fleet in it: a check of many hosts, a hostile one among them, and a run that goes on.
import type {HostSummary, RunEvent, RunMode} from '../../src/engine/event.ts';
import {taskJson} from '../../src/report/json.ts';
import type {History, RunRecorder} from '../../src/store/history.ts';
import {result} from '../unit/report/sample-run.ts';

/** A host's name and words that would do harm in a page. */
export const hostile = `"><script>document.title='owned'</script><img src=x onerror="document.title='owned'">`;

const hide = <T>(data: T): T => data;
const counts = {ok: 1, changed: 0, failed: 0, skipped: 0, refused: 0, unknown: 0, ignored: 0, roundTrips: 1};

/** How a host of the sample ends. */
export function statusOf(i: number): HostSummary['status'] {
  return i % 50 === 7 ? 'failed' : i % 10 === 3 ? 'changed' : 'ok';
}

/** Begins a run's record. */
export function begin(history: History, id: string, started: string, mode: RunMode = 'check'): RunRecorder {
  return history.begin(
    {
      id,
      mode,
      playbooks: ['site.yml'],
      started,
      by: {user: 'ann', controller: 'ctl', from: null},
      inputs: {cwd: '/srv', inventories: [], limit: [], tags: [], skipTags: [], extraVars: []},
      versions: {tsplay: '1.0.0', node: '24', modules: {}},
    },
    {hide, taskJson: (each) => taskJson(each, hide)},
    (message) => {
      throw new Error(message);
    },
  );
}

/** A check of these hosts, over and done. `end` says how a host ends. */
export function recordCheck(
  history: History,
  id: string,
  started: string,
  hosts: readonly string[],
  end: (i: number) => HostSummary['status'],
): void {
  const recorder = begin(history, id, started);
  const on = (event: RunEvent): void => recorder.on(event);
  on({event: 'play-started', play: 'site', hosts, at: 'site.yml:1:3'});
  const summaries: Record<string, HostSummary> = {};
  for (const [i, host] of hosts.entries()) {
    const status = end(i);
    const more =
      status === 'changed'
        ? ({
            status: 'changed',
            changes: [{what: `/etc/x ${hostile}`, before: `a\n${hostile}\n`, after: 'b\n'}],
          } as const)
        : status === 'failed'
          ? ({status: 'failed', message: hostile} as const)
          : ({status: 'ok'} as const);
    on({event: 'task-finished', result: result({host, ...more})});
    const summary: HostSummary = {...counts, status};
    summaries[host] = summary;
    on({event: 'host-finished', host, summary});
  }
  const run = {id, mode: 'check' as const, playbooks: ['site.yml'], started, durationMs: 1234, exit: 10};
  on({event: 'run-finished', outcome: {run, hosts: summaries}});
  recorder.close(10);
}
