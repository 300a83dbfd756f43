import {
  decodeGuards,
  forgetGuardsFragment,
  restoreFragment,
  surveyGuardsFragment,
  type GuardLeft,
} from '../remote/guard.ts';
import type {Become, Fragment, Outcome} from '../remote/session.ts';
import type {RunContext} from './context.ts';
import type {HostState} from './host.ts';

/** Asks for guards that earlier runs have left on the host. */
export function guardFragments(): readonly Fragment[] {
  return [surveyGuardsFragment()];
}

/** What the host answered. */
export function guardsLeft(outcomes: readonly Outcome[]): readonly GuardLeft[] {
  const [outcome] = outcomes;
  return outcome?.ran === true ? decodeGuards(outcome.reply) : [];
}

/**
 * Tells of guards whose time was up: the host has put the old state back since the last run, or (where it was restarted meanwhile) that is done now.
 * Check mode only tells.
 */
export async function settleGuards(
  run: RunContext,
  host: HostState,
  become: Become | undefined,
  left: readonly GuardLeft[],
): Promise<void> {
  const over = left.filter((guard) => guard.state !== 'armed');
  for (const guard of over) {
    const how =
      guard.state === 'overdue'
        ? 'was armed when the host went down'
        : guard.failed
          ? 'could not put everything back'
          : 'put the old state back';
    const message = `${host.name}: a guarded change of an earlier run was never confirmed; its guard ${how}${guard.report.length === 0 ? '' : `: ${guard.report.join('; ')}`}`;
    run.emit({
      event: 'problem',
      diagnostic: {
        severity: 'warning',
        code: 'guard-expired',
        message: run.redactor.redact(message),
        help: 'the change is not in force; see why the login failed before running again',
      },
      at: undefined,
    });
  }
  if (run.check || over.length === 0) return;
  const restores = over.filter((guard) => guard.state === 'overdue').map((guard) => restoreFragment(guard.id));
  await host.exchange(become, [...restores, forgetGuardsFragment(over.map((guard) => guard.id))], run.signal);
  if (restores.length > 0) host.world.forgetAll();
}
