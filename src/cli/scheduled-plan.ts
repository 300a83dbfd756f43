// The plan that a scheduled check saves where somebody has to approve it: `tsplay plan` as by hand, in a process of its own, since a plan takes down every file that its process reads.
import {execFile} from 'node:child_process';
import {existsSync, mkdirSync} from 'node:fs';
import {join, resolve} from 'node:path';
import type {Schedule} from '../converge/schedule.ts';
import {SiteUnusable} from '../converge/site-runner.ts';
import {CREDENTIAL} from './scheduled-vault.ts';

/** Saves a plan of what differs on some hosts; gives its path. *errors*: SiteUnusable with what the command said. */
export function savePlanOf(
  schedule: Schedule,
  hosts: readonly string[],
  id: string,
  state: string,
  signal: AbortSignal,
): Promise<string> {
  const folder = join(state, 'plans');
  mkdirSync(folder, {recursive: true, mode: 0o700});
  const path = join(folder, `${schedule.name}-${id}.tsplan`);
  const credential = join(process.env['CREDENTIALS_DIRECTORY'] ?? '/run/credentials/none', CREDENTIAL);
  const words = [
    'plan',
    ...schedule.command.words.slice(1),
    ...(existsSync(credential) ? ['--vault-password-file', credential] : []),
    '--out',
    path,
    '--limit',
    hosts.join(','),
  ];
  const env = {...process.env, TSPLAY_STATE: state};
  return new Promise((done, fail) => {
    const program = resolve(process.argv[1] ?? '');
    execFile(process.execPath, [program, ...words], {cwd: schedule.site, env, signal}, (_error, _stdout, stderr) => {
      if (existsSync(path)) done(path);
      else fail(new SiteUnusable(`the plan could not be saved: ${stderr.trim().slice(0, 2000)}`));
    });
  });
}
