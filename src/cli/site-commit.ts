import {execFile} from 'node:child_process';
import type {SiteCommit} from '../store/records.ts';

/**
 * The git commit of a folder, and whether files below it differ from it. One program, which changes nothing (not even git's own index) and starts none that
 * the repository names. undefined = it is in no repository, or git cannot tell.
 */
export function commitOf(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<SiteCommit | undefined> {
  return new Promise((resolve) => {
    const child = execFile(
      'git',
      ['--no-optional-locks', '-c', 'core.fsmonitor=false', 'status', '--porcelain=v2', '--branch', '--', '.'],
      {cwd: folder, env: {...env, LC_ALL: 'C'}, timeout: 10_000, maxBuffer: 1 << 20},
      (error, stdout) => {
        const commit = /^# branch\.oid (\S+)$/m.exec(stdout)?.[1];
        // a list of changes too long to take is an answer too
        if (
          commit === undefined ||
          (error !== null && !('code' in error && error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'))
        ) {
          resolve(undefined);
          return;
        }
        const branch = /^# branch\.head (\S+)$/m.exec(stdout)?.[1];
        resolve({
          commit: commit === '(initial)' ? null : commit,
          dirty: /^[12u?] /m.test(stdout),
          ...(branch === undefined || branch === '(detached)' ? {} : {branch}),
        });
      },
    );
    child.unref();
  });
}
