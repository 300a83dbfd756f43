import {closeSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, fsyncSync, writeSync} from 'node:fs';
import {join} from 'node:path';

/**
 * The controller's own key (32 bytes) in its state folder, which seals plans where no vault password is in use. `random` makes it at the first use;
 * without it undefined where there is none. Two runs that make it at once agree on one.
 */
export function controllerKey(state: string, random?: (bytes: number) => Uint8Array): Uint8Array | undefined {
  const path = join(state, 'plan-key');
  const known = read(path);
  if (known !== undefined || random === undefined) return known;
  mkdirSync(state, {recursive: true, mode: 0o700});
  const candidate = `${path}.${process.pid}`;
  const file = openSync(candidate, 'wx', 0o600);
  try {
    writeSync(file, `${Buffer.from(random(32)).toString('hex')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(candidate, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(candidate, {force: true});
  }
  const made = read(path);
  if (made === undefined) throw new Error(`${path} holds no key`);
  return made;
}

function read(path: string): Uint8Array | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return /^[0-9a-f]{64}$/.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : undefined;
}
