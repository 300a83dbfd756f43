// Unix password hashes `$5$` and `$6$` (SHA-crypt). source: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.6.
import {createHash} from 'node:crypto';

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The characters of salts and of encoded hashes. */
export const SALT_ALPHABET = ALPHABET;

const DEFAULT_ROUNDS = 5000;
const MIN_ROUNDS = 1000;

/** The order in which bytes of the digest are written: groups of three. */
function byteOrder(size: number): number[][] {
  if (size === 64) {
    const groups: number[][] = [];
    let [a, b, c] = [0, 21, 42];
    for (let i = 0; i < 21; i++) {
      groups.push([a, b, c]);
      [a, b, c] = [b + 1, c + 1, a + 1];
    }
    return [...groups, [63]];
  }
  const groups: number[][] = [];
  let [a, b, c] = [0, 10, 20];
  for (let i = 0; i < 10; i++) {
    groups.push([a, b, c]);
    [a, b, c] = [c + 1, a + 1, b + 1];
  }
  return [...groups, [31, 30]];
}

function encoded(digest: Buffer): string {
  let out = '';
  for (const group of byteOrder(digest.length)) {
    let bits = 0;
    for (const index of group) bits = bits * 256 + (digest[index] ?? 0);
    for (let i = 0; i < group.length + 1; i++) {
      out += ALPHABET[bits % 64] ?? '';
      bits = Math.floor(bits / 64);
    }
  }
  return out;
}

/** `length` bytes of a digest, repeated as often as needed. */
function stretched(digest: Buffer, length: number): Buffer {
  return Buffer.alloc(length, digest);
}

/** Hashes made so far, by digest of what went in: a run asks for the same one several times, and each costs up to seconds. */
const made = new Map<string, string>();

/**
 * Hashes a password. `salt`: up to 16 characters of {@link SALT_ALPHABET}. *units*: rounds 1000 to 999,999,999;
 * the text says `rounds=` unless they are undefined (5000).
 */
export function shaCrypt(kind: 'sha256' | 'sha512', password: string, salt: string, rounds?: number): string {
  const key = createHash('sha256')
    .update(JSON.stringify([kind, password, salt, rounds]))
    .digest('base64');
  let hash = made.get(key);
  if (hash === undefined) made.set(key, (hash = computeShaCrypt(kind, password, salt, rounds)));
  return hash;
}

function computeShaCrypt(kind: 'sha256' | 'sha512', password: string, salt: string, rounds?: number): string {
  const key = Buffer.from(password);
  const saltBytes = Buffer.from(salt.slice(0, 16));
  const digest = (...parts: Buffer[]): Buffer => {
    const hash = createHash(kind);
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const b = digest(key, saltBytes, key);
  const parts = [key, saltBytes, stretched(b, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? b : key);
  let a = digest(...parts);
  const p = stretched(digest(...Array.from({length: key.length}, () => key)), key.length);
  const s = stretched(digest(...Array.from({length: 16 + (a[0] ?? 0)}, () => saltBytes)), saltBytes.length);
  const count = rounds === undefined ? DEFAULT_ROUNDS : Math.max(MIN_ROUNDS, Math.min(999_999_999, rounds));
  for (let i = 0; i < count; i++) {
    const round: Buffer[] = [i % 2 === 1 ? p : a];
    if (i % 3 !== 0) round.push(s);
    if (i % 7 !== 0) round.push(p);
    round.push(i % 2 === 1 ? a : p);
    a = digest(...round);
  }
  const prefix = kind === 'sha512' ? '$6$' : '$5$';
  return `${prefix}${rounds === undefined ? '' : `rounds=${count}$`}${saltBytes.toString()}$${encoded(a)}`;
}
