import {createHash} from 'node:crypto';

/** How much later a host begins than its schedule: the same every time, and spread evenly over hosts. *units*: ms, in [0, jitterMs). */
export function jitterOf(schedule: string, host: string, jitterMs: number): number {
  if (jitterMs <= 0) return 0;
  const digest = createHash('sha256').update(`${schedule}\0${host}`).digest();
  return Math.floor((digest.readUInt32BE(0) / 2 ** 32) * jitterMs);
}
