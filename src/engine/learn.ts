import type {ReadValues} from '../remote/batch.ts';
import {ReadFailed} from '../remote/read-fragment.ts';
import type {HostState} from './host.ts';

/** Keeps what a batch of reads answered. *errors*: throws what decoding found wrong with the replies. */
export function learnAll(host: HostState, account: string, decoded: ReadValues | ReadFailed): void {
  if (decoded instanceof ReadFailed) throw decoded;
  for (const [read, value] of decoded) host.world.learn(account, read, value, decoded.witness(read));
}
