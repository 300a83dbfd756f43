import {appendFileSync, mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

/** The hosts that a plan was applied to before, to its end; `note` adds one. */
export type AppliedLog = {readonly hosts: ReadonlySet<string>; readonly note: (host: string) => void};

/** What this controller knows of earlier applies of a plan. A command has no state by which it could be seen that it has run, so it is written down. */
export function appliedBefore(state: string, plan: string): AppliedLog {
  const folder = join(state, 'plans');
  const path = join(folder, `${plan.replaceAll(/[^\w-]/g, '_')}.applied`);
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return {
    hosts: new Set(text.split('\n').filter((line) => line !== '')),
    note: (host) => {
      mkdirSync(folder, {recursive: true, mode: 0o700});
      appendFileSync(path, `${host}\n`, {mode: 0o600});
    },
  };
}
