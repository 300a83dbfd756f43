// Python's seeded random numbers: the Mersenne Twister, so that `60 | random(seed=inventory_hostname)` gives the same
// minute as in Ansible. source: Matsumoto and Nishimura, MT19937; Python's random.seed version 2.
import {createHash} from 'node:crypto';

const N = 624;
const M = 397;

/** A generator that gives the numbers of Python's `random.Random(seed)`. */
export class PythonRandom {
  readonly #state = new Uint32Array(N);
  #index = N;

  constructor(seed: string | bigint) {
    let number: bigint;
    if (typeof seed === 'string') {
      const bytes = Buffer.from(seed);
      number = BigInt(`0x${Buffer.concat([bytes, createHash('sha512').update(bytes).digest()]).toString('hex')}`);
    } else number = seed < 0n ? -seed : seed;
    const key: number[] = [];
    for (let rest = number; rest > 0n; rest >>= 32n) key.push(Number(rest & 0xffffffffn));
    this.#byArray(key.length === 0 ? [0] : key);
  }

  #seed(seed: number): void {
    this.#state[0] = seed;
    for (let i = 1; i < N; i++) {
      const last = this.#state[i - 1] ?? 0;
      this.#state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
  }

  #byArray(key: readonly number[]): void {
    const state = this.#state;
    this.#seed(19650218);
    let [i, j] = [1, 0];
    for (let k = Math.max(N, key.length); k > 0; k--) {
      const last = state[i - 1] ?? 0;
      state[i] = ((state[i] ?? 0) ^ Math.imul(last ^ (last >>> 30), 1664525)) + (key[j] ?? 0) + j;
      i++;
      j++;
      if (i >= N) {
        state[0] = state[N - 1] ?? 0;
        i = 1;
      }
      if (j >= key.length) j = 0;
    }
    for (let k = N - 1; k > 0; k--) {
      const last = state[i - 1] ?? 0;
      state[i] = ((state[i] ?? 0) ^ Math.imul(last ^ (last >>> 30), 1566083941)) - i;
      i++;
      if (i >= N) {
        state[0] = state[N - 1] ?? 0;
        i = 1;
      }
    }
    state[0] = 0x80000000;
  }

  #word(): number {
    const state = this.#state;
    if (this.#index >= N) {
      for (let k = 0; k < N; k++) {
        const y = ((state[k] ?? 0) & 0x80000000) | ((state[(k + 1) % N] ?? 0) & 0x7fffffff);
        state[k] = (state[(k + M) % N] ?? 0) ^ (y >>> 1) ^ ((y & 1) === 1 ? 0x9908b0df : 0);
      }
      this.#index = 0;
    }
    let y = state[this.#index++] ?? 0;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /** *units*: 1 to 53 bits. */
  bits(count: number): number {
    if (count <= 32) return this.#word() >>> (32 - count);
    const low = this.#word();
    return (this.#word() >>> (64 - count)) * 2 ** 32 + low;
  }

  /** A number from 0 to `limit` - 1. */
  below(limit: number): number {
    const bits = Math.floor(Math.log2(limit)) + 1;
    let value = this.bits(bits);
    while (value >= limit) value = this.bits(bits);
    return value;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }
}
