import type {Fragment, Outcome} from '../remote/session.ts';
import type {Queued} from './batch.ts';
import type {HostState} from './host.ts';

export function recallFragments(): readonly Fragment[] {
  return [];
}
export function recallNotified(_host: HostState, _outcomes: readonly Outcome[]): void {
  return;
}
export function noteNotified(_task: Queued, _group: number): readonly Fragment[] {
  return [];
}
