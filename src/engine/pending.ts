import {decodePending, erasePendingFragment, notePendingFragment, recallPendingFragment} from '../remote/pending.ts';
import type {Fragment, Outcome} from '../remote/session.ts';
import type {Queued} from './batch.ts';
import type {HostState} from './host.ts';

/** Asks for handlers that an earlier run notified and did not come to run. */
export function recallFragments(): readonly Fragment[] {
  return [recallPendingFragment()];
}

/** They are notified again, in whichever play has them; `counting` says which of them count. */
export function recallNotified(
  host: HostState,
  outcomes: readonly Outcome[],
  counting: (names: readonly string[]) => readonly string[],
): void {
  const [outcome] = outcomes;
  if (outcome?.ran !== true) return;
  for (const name of counting([...decodePending(outcome.reply)])) {
    host.recalled.add(name);
    host.noted.add(name);
  }
}

/** Notes on the host which handlers a task notifies, before its ops. */
export function noteNotified(host: HostState, task: Queued, group: number): readonly Fragment[] {
  if (task.notifies.length === 0) return [];
  for (const name of task.notifies) host.noted.add(name);
  return [notePendingFragment(task.notifies, {group, onFailure: 'stop'})];
}

/** Erases the notes of the handlers that a task has just run. */
export function eraseNotes(host: HostState, names: readonly string[], group: number): readonly Fragment[] {
  const noted = names.filter((name) => host.noted.has(name));
  if (noted.length === 0) return [];
  return [erasePendingFragment(noted, {group, onFailure: 'go-on'})];
}
