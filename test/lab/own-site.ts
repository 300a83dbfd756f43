// A site of a test's own: an inventory of the lab's plain Debian and busybox hosts, playbooks written on the spot, its own state directory.
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {Ajv} from 'ajv';
import {labFolder, runIn} from '../../lab/proof/lab-host.ts';
import {outputSchema} from '../../src/report/output-schema.ts';
import {tsplay, type Finished} from './run-tsplay.ts';

/** Why the lab's hosts cannot be used; undefined where they can. */
export const labMissing: string | undefined = existsSync(path.join(labFolder, 'id'))
  ? undefined
  : 'the lab is not up (npm run lab -- up)';

const inventory = `all:
  vars:
    ansible_user: admin
  hosts:
    bare1: {ansible_host: 10.77.0.51, ansible_become: true}
    bare2: {ansible_host: 10.77.0.52, ansible_become: true, ansible_become_password: admin-lab-only}
    busybox1: {ansible_host: 10.77.0.41, ansible_become: true}
    as-admin: {ansible_host: 10.77.0.51}
    nowhere: {ansible_host: 10.77.0.51, ansible_port: 2}
`;

const conforms = new Ajv({strict: true, allErrors: true}).compile(outputSchema);

export type OwnSite = {
  readonly folder: string;
  /** Writes a file of the site. */
  readonly write: (name: string, text: string) => Promise<string>;
  /** Runs a playbook (its text) with \`--output json\`; the text goes to a file of that name. */
  readonly play: (
    mode: 'run' | 'check',
    playbook: string,
    options?: {
      readonly args?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
      readonly plain?: true;
    },
  ) => Promise<Finished>;
  readonly remove: () => Promise<void>;
};

/** Makes a site in a temporary folder. */
export async function ownSite(): Promise<OwnSite> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tsplay-laws-'));
  const write = async (name: string, text: string): Promise<string> => {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), {recursive: true});
    await writeFile(file, text, {mode: 0o600});
    return file;
  };
  await write('hosts.yml', inventory);
  const known = await readFile(path.join(labFolder, 'known_hosts'), 'utf8');
  const key = /^10\.77\.0\.51\S* (.*)$/m.exec(known)?.[1] ?? '';
  const knownHosts = await write('known_hosts', `${known}[10.77.0.51]:2 ${key}\n`);
  let serial = 0;
  return {
    folder,
    write,
    play: async (mode, playbook, options = {}) => {
      const file = await write(`play${serial++}.yml`, playbook);
      const form = options.plain === true ? ['--output', 'plain'] : ['--output', 'json'];
      const finished = await tsplay(
        [mode, file, '-i', path.join(folder, 'hosts.yml'), ...form, ...(options.args ?? [])],
        {TSPLAY_STATE: path.join(folder, 'state'), TSPLAY_KNOWN_HOSTS: knownHosts, ...options.env},
      );
      if (options.plain !== true && !conforms(finished.report))
        throw new Error(`the document does not conform: ${JSON.stringify(conforms.errors).slice(0, 2000)}`);
      return finished;
    },
    remove: () => rm(folder, {recursive: true, force: true}),
  };
}

/** A play of some tasks (YAML, a list) on a host. */
export function playOf(host: string, tasks: string, more = ''): string {
  const body = tasks.trimEnd().replaceAll(/^(?=.)/gm, '    ');
  return `- name: laws\n  hosts: ${host}\n${more}  tasks:\n${body}\n`;
}

/**
 * Everything that a file system can tell of a host, with the times of content and inode, so that no change of a byte, a mode, an owner or a name
 * goes unseen. Without what lives by itself: /proc, /sys, /dev, /run, logs, systemd's own state and the logins' records.
 */
export async function everyInode(host: string): Promise<ReadonlyMap<string, string>> {
  const volatile = [
    '/proc',
    '/sys',
    '/dev',
    '/run',
    '/tmp/.X11-unix',
    '/var/log',
    '/var/lib/systemd',
    '/var/lib/sudo',
    '/var/cache/ldconfig',
  ];
  const prune = volatile.flatMap((folder, i) => [...(i === 0 ? [] : ['-o']), '-path', folder]);
  const {stdout, stderr, exit} = await runIn(host, [
    'find',
    '/',
    '(',
    ...prune,
    ')',
    '-prune',
    '-o',
    '-printf',
    '%p\\t%y %m %U:%G %s %T@ %C@ %l\\n',
  ]);
  if (stdout === '') throw new Error(`${host}: find ended with ${exit}: ${stderr}`);
  return new Map(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t', 2) as [string, string]),
  );
}

/** The paths that differ between two looks at a host. */
export function differing(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => `${name}: ${before.get(name) ?? 'absent'} -> ${after.get(name) ?? 'absent'}`);
}
