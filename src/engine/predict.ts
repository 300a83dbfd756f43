import {Unknown} from '../base/unknown.ts';
import type {Key} from '../kit/key.ts';
import type {Op} from '../kit/op.ts';
import {predictOp} from './predict-op.ts';
import type {Prediction} from './world.ts';

/**
 * What a plan's ops will change, in order: the values that later reads will see, or Unknown with the task that they wait for.
 * `before` gives what is known of a key now. *units*: `nowS` seconds since the epoch, which changed files will bear.
 */
export function predictOps(
  ops: readonly Op[],
  before: (key: Key) => unknown,
  cause: string,
  nowS: number,
): readonly Prediction[] {
  const predictions: Prediction[] = [];
  const now = (key: Key): unknown => predictions.findLast((p) => p.key === key)?.value ?? before(key);
  const add = (key: Key, value: unknown): void => void predictions.push({key, value, cause});
  for (const op of ops) {
    if (op.op === 'guarded') predictions.push(...predictOps(op.ops, now, cause, nowS));
    else
      for (const {key, value} of predictOp(op, now, nowS))
        add(key, value instanceof Unknown ? new Unknown(cause) : value);
    for (const key of op.creates ?? [])
      predictions.push({key, value: new Unknown(cause), cause, onlyWhatIsAbsent: true});
    const told = new Set((op.predicts ?? []).map((p) => p.key));
    for (const key of op.affects ?? []) if (!told.has(key)) add(key, new Unknown(cause));
    for (const {key, value} of op.predicts ?? []) add(key, value instanceof Unknown ? new Unknown(cause) : value);
  }
  return predictions;
}
