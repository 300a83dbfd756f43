import type {Batch, Queued} from './batch.ts';
import type {RunContext} from './context.ts';
import type {HostState} from './host.ts';

export function runGuarded(_run: RunContext, _host: HostState, _batch: Batch, _task: Queued): Promise<void> {
  throw new Error('guards come next');
}
