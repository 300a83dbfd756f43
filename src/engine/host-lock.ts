import {decodeLock, lockCheckFragment, lockFragment} from '../remote/lock.ts';
import type {Fragment, Outcome} from '../remote/session.ts';
import type {RunContext} from './context.ts';
import type {HostState} from './host.ts';

/** Another run works on this host. */
export class HostLocked extends Error {
  override readonly name = 'HostLocked';
}

/** Takes the lock on the host, in the first exchange of a run. */
export function lockFragments(run: RunContext): readonly Fragment[] {
  return [lockFragment({run: run.info.id, owner: run.owner, steal: run.steal})];
}

/** Notes that the lock is held. *errors*: throws {@link HostLocked} with who holds it, and an Error where it could not be made. */
export function acquireLock(run: RunContext, host: HostState, outcomes: readonly Outcome[]): void {
  const [outcome] = outcomes;
  if (outcome === undefined) return;
  if (!outcome.ran) throw new HostLocked('the lock on the host was not tried');
  const lock = decodeLock(outcome.reply);
  if (lock.lock === 'busy') {
    const {holder} = lock;
    throw new HostLocked(
      holder === undefined
        ? 'another run holds the lock of this host'
        : `${holder.owner} works on this host since ${holder.since} (run ${holder.run})`,
    );
  }
  if (lock.lock === 'failed') throw new HostLocked(`the lock on the host could not be taken: ${lock.message}`);
  host.lockPath = lock.path;
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
