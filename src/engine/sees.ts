import type {Op} from '../kit/op.ts';
import type {Fragment} from '../remote/session.ts';
import {compileGuard} from '../remote/witness.ts';
import type {HostState} from './host.ts';

/**
 * Fragments that repeat, just before an op, the reads that it must not act against, and stop it where they answer otherwise now.
 * Keys that were never read, or that this run's own ops change before, are not guarded.
 */
export function compileSees(
  host: HostState,
  account: string,
  op: Op,
  group: number,
  onFailure: Fragment['onFailure'],
): readonly Fragment[] {
  const fragments: Fragment[] = [];
  for (const key of op.sees ?? []) {
    for (const {read, witness} of host.world.witnessesOf(account, key)) {
      const guard = compileGuard(read, witness);
      fragments.push({
        ...guard,
        group,
        onFailure,
        label: `what ${op.op} saw of ${key.startsWith('raw:') ? 'the host' : key}`,
        secret: true,
        timeoutMs: 60_000,
      });
    }
  }
  return fragments;
}
