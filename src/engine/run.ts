import {performance} from 'node:perf_hooks';
import type {RunContext} from './context.ts';
import type {HostSummary, RunOutcome} from './event.ts';
import {HostState} from './host.ts';
import {keepLocks} from './host-lock.ts';
import {runPlay} from './play.ts';
import {settlePending} from './settle-pending.ts';

/**
 * Runs a whole program: play after play. Gives the outcome with its exit status (cli.md). *errors*: only for faults of tsplay itself and
 * for the abort signal; everything that happens on hosts is in the outcome and in the events. `begun` is given the whole of the run before anything happens.
 */
export async function runProgram(
  parts: Omit<RunContext, 'stateOf' | 'disturbances'>,
  begun: (run: RunContext) => void = () => undefined,
): Promise<RunOutcome> {
  const began = performance.now();
  const stateOf = (name: string): HostState => {
    const known = parts.hosts.get(name);
    if (known !== undefined) return known;
    const made = new HostState(
      name,
      {facts: {}, setFacts: new Map(), registered: new Map(), includedVars: new Map()},
      parts.connector,
      parts.emit,
    );
    parts.hosts.set(name, made);
    return made;
  };
  const run: RunContext = {...parts, stateOf, disturbances: []};
  begun(run);
  run.emit({event: 'run-started', run: run.info});
  for (const play of run.site.program.plays) for (const name of run.site.hostsOf(play)) stateOf(name);
  const letLocksGo = keepLocks(run);
  try {
    for (const play of run.site.program.plays) if ((await runPlay(run, play)) === 'break') break;
    await Promise.allSettled([...run.hosts.values()].map((host) => settlePending(run, host)));
  } finally {
    letLocksGo();
    await Promise.all([...run.hosts.values()].map((host) => (run.signal.aborted ? host.disconnect() : host.release())));
  }
  const own = new Set(run.site.program.plays.flatMap((play) => run.site.hostsOf(play)));
  const hosts: Record<string, HostSummary> = {};
  for (const host of run.hosts.values()) {
    // a host that tasks were only delegated to has no results of its own
    if (!own.has(host.name)) continue;
    const summary = host.summary();
    hosts[host.name] = summary;
    run.emit({event: 'host-finished', host: host.name, summary});
  }
  const outcome: RunOutcome = {
    run: {...run.info, durationMs: Math.round(performance.now() - began), exit: exitOf(run, Object.values(hosts))},
    hosts,
  };
  run.emit({event: 'run-finished', outcome});
  return outcome;
}

/** The exit status of cli.md: the sum of 2 (failed), 4 (unreachable), 8 (differences). */
function exitOf(run: RunContext, hosts: readonly HostSummary[]): number {
  const {errorFindings, differing, unjudged} = run.signs;
  const failed =
    hosts.some((host) => host.failed > 0 || host.refused > 0 || host.status === 'failed') ||
    unjudged.size > 0 ||
    (!run.check && errorFindings.size > 0);
  const unreachable = hosts.some((host) => host.status === 'unreachable');
  const differs = run.check && (differing.size > 0 || errorFindings.size > 0);
  return (failed ? 2 : 0) + (unreachable ? 4 : 0) + (differs ? 8 : 0);
}
