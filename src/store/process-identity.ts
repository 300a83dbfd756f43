// Which process writes a record, told so that it can be known later whether it still lives: a process id alone is given again.
import {readFileSync} from 'node:fs';
import {hostname} from 'node:os';

/** A process of one controller, of one boot. *shape*: `start` clock ticks since boot, '' where the system does not tell. */
export type ProcessIdentity = {
  readonly controller: string;
  readonly pid: number;
  readonly boot: string;
  readonly start: string;
};

/** This process. */
export function thisProcess(): ProcessIdentity {
  return {controller: hostname(), pid: process.pid, boot: bootId(), start: startOf(process.pid) ?? ''};
}

/** Whether it still runs; undefined where that cannot be known from here (it is another controller's). */
export function isAlive(identity: ProcessIdentity): boolean | undefined {
  if (identity.controller !== hostname()) return undefined;
  if (identity.boot !== bootId()) return false;
  const start = startOf(identity.pid);
  if (start !== undefined) return start === identity.start;
  if (identity.start !== '') return false;
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** *source*: proc(5), random/boot_id. '' on systems without. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** *source*: proc(5), field 22 of stat; the name before it may hold anything, but ends with the last parenthesis. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
