import {performance} from 'node:perf_hooks';
import type {Module} from '../kit/module.ts';
import type {Plan} from '../kit/plan.ts';
import type {Become} from '../remote/session.ts';
import type {RunContext} from './context.ts';
import type {HostState} from './host.ts';

/** Asks a module for its plan, with what it may know of the host. */
export function planFor(
  run: RunContext,
  host: HostState,
  as: {readonly become: Become | undefined},
  module: Module,
  values: unknown,
  state: unknown,
): Plan {
  const began = performance.now();
  const plan = module.plan(values as never, state as never, {
    name: host.name,
    facts: host.memory.facts,
    now: run.now(),
    connection: {...host.login, ...(as.become === undefined ? {} : {become: as.become.user})},
  });
  host.planningMs += performance.now() - began;
  return plan;
}
