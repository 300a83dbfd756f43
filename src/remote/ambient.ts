// The real clock and the real randomness, for where a run begins; everything below takes them as a parameter.
import {randomBytes} from 'node:crypto';
import type {Ambient} from './link.ts';

/** The machine's monotonic clock and its random numbers. */
export const realAmbient: Ambient = {
  nowMs: () => performance.now(),
  nonce: () => randomBytes(16).toString('hex'),
};
