import type {Key} from './key.ts';
import type {Probe} from './probe.ts';
import {read} from './reads.ts';
import {sh} from './shell.ts';

/**
 * Whether there is an account, and nothing else of it: known in check mode already when an earlier task makes the account, though its number and
 * home are not.
 */
export function accountExists(name: string): Probe<boolean> {
  return read(sh`getent passwd ${name} >/dev/null 2>&1 || grep -q ${`^${name}:`} /etc/passwd`, (r) => r.exit === 0, {
    dependsOn: [`account:${name}`],
  });
}

/** Whether there is a group; see {@link accountExists}. */
export function groupExists(name: string): Probe<boolean> {
  return read(sh`getent group ${name} >/dev/null 2>&1 || grep -q ${`^${name}:`} /etc/group`, (r) => r.exit === 0, {
    dependsOn: [`group:${name}`],
  });
}

/** What an op says that makes or removes an account. */
export function predictAccount(name: string, exists: boolean): {readonly key: Key; readonly value: boolean} {
  return {key: accountExists(name).reads[0]!.key, value: exists};
}

/** What an op says that makes or removes a group. */
export function predictGroup(name: string, exists: boolean): {readonly key: Key; readonly value: boolean} {
  return {key: groupExists(name).reads[0]!.key, value: exists};
}
