import {performance} from 'node:perf_hooks';
import {BEAT_MS, decodeLock, lockCheckFragment, lockFragment, type Holder} from '../remote/lock.ts';
import type {Become, Fragment, Outcome} from '../remote/session.ts';
import type {RunContext} from './context.ts';
import type {HostState} from './host.ts';

/** How often a host that is locked is asked again: at first, and at most. *units*: ms. */
const ASK_MS = {first: 300, most: 3000};

/** Another run works on this host. */
export class HostLocked extends Error {
  override readonly name = 'HostLocked';
}

/** Takes the lock on the host, in the first exchange of a run. */
export function lockFragments(run: RunContext): readonly Fragment[] {
  return [lockFragment({run: run.info.id, owner: run.owner, steal: run.steal})];
}

/**
 * Where another run holds the lock: waits until it is ours, as long as the run's patience lasts, and says once for whom. True where the host has to be looked at
 * again, because the other run may have changed it meanwhile; false where nobody was in the way, or still is.
 */
export async function waitForLock(
  run: RunContext,
  host: HostState,
  become: Become | undefined,
  outcomes: readonly Outcome[],
): Promise<boolean> {
  const deadline = performance.now() + run.lockTimeoutMs;
  let holder = busyWith(outcomes);
  if (holder === undefined) return false;
  for (let askMs = ASK_MS.first; performance.now() < deadline; askMs = Math.min(askMs * 1.5, ASK_MS.most)) {
    if (host.waitedFor !== holder.run) {
      host.waitedFor = holder.run;
      const message = `${host.name}: ${wordsOf(holder)}; waiting for it, ${Math.round(run.lockTimeoutMs / 1000)} s at most`;
      run.emit({event: 'problem', diagnostic: {severity: 'warning', code: 'locked', message}, at: undefined});
    }
    // some disorder, so that of many that wait none is always late
    await run.pause(Math.min(askMs * (0.75 + run.random(1)[0]! / 512), Math.max(0, deadline - performance.now())));
    holder = busyWith(await host.exchange(become, lockFragments(run), run.signal));
    if (holder === undefined) return true;
  }
  return false;
}

function busyWith([outcome]: readonly Outcome[]): Holder | undefined {
  const lock = outcome?.ran === true ? decodeLock(outcome.reply) : undefined;
  return lock?.lock === 'busy' ? (lock.holder ?? {pid: 0, run: '', since: '', owner: 'another run'}) : undefined;
}

function wordsOf({owner, since, run}: Holder): string {
  return run === '' ? 'another run holds the lock' : `${owner} works on this host since ${since} (run ${run})`;
}

/** Notes that the lock is held. *errors*: throws {@link HostLocked} with who holds it, and an Error where it could not be made. */
export function acquireLock(
  run: RunContext,
  host: HostState,
  become: Become | undefined,
  outcomes: readonly Outcome[],
): void {
  const [outcome] = outcomes;
  if (outcome === undefined) return;
  if (!outcome.ran) throw new HostLocked('the lock on the host was not tried');
  const lock = decodeLock(outcome.reply);
  if (lock.lock === 'busy') {
    const waited = run.lockTimeoutMs > 0 ? `; waited ${Math.round(run.lockTimeoutMs / 1000)} s for it` : '';
    throw new HostLocked(`${wordsOf(busyWith(outcomes)!)}${waited}`);
  }
  if (lock.lock === 'failed') throw new HostLocked(`the lock on the host could not be taken: ${lock.message}`);
  host.lockPath = lock.path;
  host.lockAccount = become;
  if (lock.tookOver !== undefined) {
    run.emit({
      event: 'message',
      host: host.name,
      text: `took over the lock of ${lock.tookOver.owner} (run ${lock.tookOver.run}, since ${lock.tookOver.since})`,
    });
  }
}

/** Before every batch of ops: is the lock still ours? */
export function lockCheck(run: RunContext, host: HostState): readonly Fragment[] {
  return host.lockPath === undefined ? [] : [lockCheckFragment(host.lockPath, run.info.id)];
}

/** Gives a sign on every locked host that has not heard of us for a while, until the run is over. Gives what ends it. */
export function keepLocks(run: RunContext): () => void {
  const timer = setInterval(() => {
    for (const host of run.hosts.values()) {
      if (host.lockPath === undefined || performance.now() - host.lastExchangeMs < BEAT_MS) continue;
      // a host that cannot be reached any more is found out by whoever has work for it
      host.exchange(host.lockAccount, lockCheck(run, host), run.signal).catch(() => undefined);
    }
  }, BEAT_MS / 2);
  timer.unref();
  return () => clearInterval(timer);
}
