// One process at a time works with a state folder's service part. The lock is SQLite's on a file that stays empty: the kernel takes it back from a
// process that was killed, which a file with a process id in it could not promise.
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';

/** Who holds a state folder. `service` stays, `command` is gone in a moment. *shape*: `since` ISO 8601. */
export type StateHolder = {
  readonly kind: 'service' | 'worker' | 'command';
  readonly pid: number;
  readonly since: string;
};

/** Another process holds the state folder. */
export class StateHeld extends Error {
  override readonly name = 'StateHeld';
  readonly holder: StateHolder | undefined;

  constructor(folder: string, holder: StateHolder | undefined) {
    super(
      holder === undefined
        ? `another process works with ${folder}`
        : `${folder} belongs to a running ${holder.kind === 'command' ? 'command' : `tsplay ${holder.kind}`} (process ${holder.pid}, since ${holder.since})`,
    );
    this.holder = holder;
  }
}

/** The folder's lock, held until it is released or the process ends. */
export type StateLock = {readonly release: () => void};

/** Where the service keeps its things in a state folder. */
export function serviceFolder(state: string): string {
  return join(state, 'service');
}

/**
 * Takes the lock. A command that holds it is waited for, 20 seconds at most; a service is not. *errors*: StateHeld.
 */
export function takeStateLock(folder: string, kind: StateHolder['kind'], now: Date): StateLock {
  mkdirSync(folder, {recursive: true, mode: 0o700});
  const holderFile = join(folder, 'holder.json');
  const take = (timeoutMs: number): DatabaseSync | undefined => {
    const lock = new DatabaseSync(join(folder, 'lock'), {timeout: timeoutMs});
    try {
      lock.exec('BEGIN EXCLUSIVE');
      return lock;
    } catch {
      lock.close();
      return undefined;
    }
  };
  const lock = take(0) ?? (holderOf(holderFile)?.kind === 'command' ? take(20_000) : take(100));
  if (lock === undefined) throw new StateHeld(folder, holderOf(holderFile));
  const holder: StateHolder = {kind, pid: process.pid, since: now.toISOString()};
  writeFileSync(holderFile, `${JSON.stringify(holder)}\n`, {mode: 0o600});
  return {
    release: () => {
      rmSync(holderFile, {force: true});
      lock.close();
    },
  };
}

function holderOf(path: string): StateHolder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as StateHolder;
  } catch {
    return undefined;
  }
}
