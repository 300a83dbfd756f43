import {createHash} from 'node:crypto';
import {accessSync, constants, mkdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {FactCache} from '../engine/context.ts';

/** Where the controller keeps what outlives a run. *source*: XDG Base Directory specification. */
export function stateFolder(
  configured: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  return configured ?? join(env['XDG_STATE_HOME'] ?? join(home, '.local', 'state'), 'tsplay');
}

/** Facts of earlier runs, a file a host. A file that cannot be read counts as none: it only saves a round trip. */
export function factCache(state: string): FactCache {
  const folder = join(state, 'facts');
  const fileOf = (host: string): string =>
    join(folder, `${createHash('sha256').update(host).digest('hex').slice(0, 32)}.json`);
  return {
    get: (host) => {
      try {
        return JSON.parse(readFileSync(fileOf(host), 'utf8')) as Record<string, unknown>;
      } catch {
        return undefined;
      }
    },
    put: (host, facts) => {
      try {
        mkdirSync(folder, {recursive: true, mode: 0o700});
        const candidate = `${fileOf(host)}.${process.pid}`;
        writeFileSync(candidate, JSON.stringify(facts), {mode: 0o600});
        renameSync(candidate, fileOf(host));
      } catch {
        // the next run asks the host again
      }
    },
  };
}

/** The state folder cannot be made or written. */
export class StateUnusable extends Error {
  override readonly name = 'StateUnusable';
  readonly help = 'name another one: TSPLAY_STATE=…, or `state_dir:` in tsplay.yml';
}

/** Makes the state folder where there is none. *errors*: StateUnusable. */
export function makeStateFolder(folder: string): void {
  try {
    mkdirSync(folder, {recursive: true, mode: 0o700});
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StateUnusable(
      `the state folder cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
