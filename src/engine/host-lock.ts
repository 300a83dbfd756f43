import type {Fragment, Outcome} from '../remote/session.ts';
import type {RunContext} from './context.ts';
import type {HostState} from './host.ts';

export function lockFragments(_run: RunContext): readonly Fragment[] {
  return [];
}
export function acquireLock(_run: RunContext, _host: HostState, _outcomes: readonly Outcome[]): void {
  return;
}
export function lockCheck(_host: HostState): readonly Fragment[] {
  return [];
}
