import type {History, RecordedRun} from '../../store/history.ts';
import type {HostSummary, RunMode} from '../../engine/event.ts';
import type {RecordedMode, RunBrief} from '../../store/records.ts';
import type {FleetView, HostStanding, Standing, StandingChange} from './fleet-view.ts';

/** *units*: runs, the newest, that say how hosts stand. */
const lookBack = 200;

/** A fleet as its history shows it. `known` says it better where somebody keeps states and schedules. */
export function historyFleet(
  history: History,
  known: Partial<Pick<FleetView, 'hosts' | 'schedules' | 'changes'>> = {},
): FleetView {
  const runs = new PastRuns(history);
  return {
    hosts: known.hosts ?? (() => Promise.resolve(runs.standings())),
    schedules: known.schedules ?? (() => Promise.resolve([])),
    changes: known.changes ?? ((host) => Promise.resolve(runs.changes(host))),
    runs: ({host, limit}) =>
      Promise.resolve(host === undefined ? history.list({limit}) : runs.of(host).slice(0, limit)),
    run: (id) => {
      if (!history.list().some((brief) => brief.id === id)) return Promise.resolve(undefined);
      // what is written in between is followed, not lost: the number is taken first
      const nextRecord = (history.records(id).at(-1)?.n ?? -1) + 1;
      return Promise.resolve({...history.read(id), nextRecord});
    },
    follow: (id, from, signal) => history.follow(id, {from, signal}),
  };
}

/** What is kept of a run that is over: how its hosts ended. Its file is opened once. */
class PastRuns {
  readonly #history: History;
  readonly #ended = new Map<string, Readonly<Record<string, HostSummary>>>();

  constructor(history: History) {
    this.#history = history;
  }

  standings(): readonly HostStanding[] {
    const found = new Map<string, HostStanding>();
    // whose state was another one before is done with: `since` is known
    const settled = new Set<string>();
    for (const [brief, hosts] of this.#recent()) {
      for (const [host, summary] of Object.entries(hosts)) {
        const state = standingOf(brief.mode, summary);
        const newest = found.get(host);
        if (newest === undefined)
          found.set(host, {
            host,
            schedule: brief.schedule,
            state,
            since: brief.started,
            checked: brief.started,
            run: brief.id,
            message: summary.unreachable?.message,
          });
        else if (newest.state !== state) settled.add(host);
        else if (!settled.has(host)) found.set(host, {...newest, since: brief.started});
      }
    }
    return [...found.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
  }

  changes(host: string): readonly StandingChange[] {
    const seen = this.#recent().flatMap(([brief, hosts]) => {
      const summary = Object.hasOwn(hosts, host) ? hosts[host] : undefined;
      return summary === undefined ? [] : [{brief, state: standingOf(brief.mode, summary)}];
    });
    return seen.flatMap(({brief, state}, i): StandingChange[] => {
      const before = seen[i + 1]?.state;
      if (before === state) return [];
      return [{schedule: brief.schedule, before, after: state, at: brief.started, run: brief.id}];
    });
  }

  of(host: string): readonly RunBrief[] {
    return this.#recent().flatMap(([brief, hosts]) => (Object.hasOwn(hosts, host) ? [brief] : []));
  }

  #recent(): readonly (readonly [RunBrief, Readonly<Record<string, HostSummary>>])[] {
    return this.#history
      .list({limit: lookBack, mode: ['run', 'check', 'plan', 'apply']})
      .filter(({end}) => end !== undefined)
      .map((brief) => {
        let hosts = this.#ended.get(brief.id);
        if (hosts === undefined) this.#ended.set(brief.id, (hosts = hostsOf(this.#history, brief.id)));
        return [brief, hosts] as const;
      });
  }
}

function hostsOf(history: History, id: string): Readonly<Record<string, HostSummary>> {
  const hosts: [string, HostSummary][] = [];
  for (const record of history.records(id))
    if (record.record === 'host-finished') hosts.push([record.host, record.summary]);
  return Object.fromEntries(hosts);
}

/** How a host stands after a run of this kind. */
export function standingOf(mode: RecordedMode | RunMode, summary: Pick<HostSummary, 'status'>): Standing {
  switch (summary.status) {
    case 'ok':
      return 'in sync';
    case 'changed':
      return mode === 'check' || mode === 'plan' ? 'drifted' : 'fixed';
    case 'failed':
    case 'unreachable':
      return summary.status;
  }
}

/** Hosts of a run that is not over yet have no summary: what their results say until now. */
export function summaryOf(run: RecordedRun, host: string): HostSummary {
  const known = Object.hasOwn(run.hosts, host) ? run.hosts[host] : undefined;
  if (known !== undefined) return known;
  const counts = {ok: 0, changed: 0, failed: 0, skipped: 0, refused: 0, unknown: 0, ignored: 0};
  for (const result of run.results) if (result.host === host) counts[result.status]++;
  const gone = Object.hasOwn(run.unreachable, host);
  const bad = counts.failed + counts.refused > 0;
  return {
    status: gone ? 'unreachable' : bad ? 'failed' : counts.changed > 0 ? 'changed' : 'ok',
    ...counts,
    roundTrips: 0,
  };
}
