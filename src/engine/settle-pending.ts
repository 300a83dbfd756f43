import {compileReads} from '../remote/batch.ts';
import {ReadFailed} from '../remote/read-fragment.ts';
import type {RunContext} from './context.ts';
import type {HostState} from './host.ts';
import {planFor} from './plan-for.ts';

/**
 * At the end of a run, asks tasks that left something pending again: a later task may have done it (power-cycled the guest, say). What is no longer
 * pending is taken back, so that the recap tells only what still has to happen. An exchange for each account that has such tasks, none where there are none.
 */
export async function settlePending(run: RunContext, host: HostState): Promise<void> {
  if (run.check || host.stopped !== undefined || host.tally.changed === 0) return;
  const accounts = new Map(host.pendings.map((task) => [task.account, task.become]));
  for (const [account, become] of accounts) {
    const tasks = host.pendings.filter((task) => task.account === account);
    const batch = compileReads(tasks.flatMap((task) => task.probe.reads));
    const values = batch.decode(await host.exchange(become, batch.fragments, run.signal));
    if (values instanceof ReadFailed) return;
    const still = new Set<string>();
    for (const {module, values: params, probe} of tasks) {
      const state = probe.join(probe.reads.map((read) => values.get(read)));
      for (const text of planFor(run, host, {become}, module, params, state).pending ?? []) still.add(text);
    }
    const done = [...new Set(tasks.flatMap((task) => task.texts))].filter((text) => !still.has(text));
    for (const text of done) run.emit({event: 'pending-done', host: host.name, text});
  }
}
