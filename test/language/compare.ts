// The same playbook by Debian's ansible-playbook and by us: the same words from the same hosts in the same order, the same end.
// What counts is what ran, not how it is reported. All hosts are this machine over `local`, and nearly all tasks only speak.
import {execFile, execFileSync, spawn} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {setTimeout} from 'node:timers/promises';

const here = import.meta.dirname;
const checkout = dirname(dirname(here));

/**
 * A site and how it is called. In its texts `SAY "…"` stands for a task's `debug: {msg: "…"}`.
 * `site.yml` is what runs; `tasks` is the short form of a site with one play over all hosts.
 */
export type Case = {
  readonly what: string;
  readonly tasks?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** further keys of the short form's play */
  readonly play?: string;
  readonly args?: readonly string[];
  /** the order among hosts counts too; otherwise each host's own words are compared */
  readonly ordered?: true;
  /** the words of the trace where we mean to differ from Ansible, and why */
  readonly ours?: {readonly why: string; readonly trace: readonly string[]};
};

/** What a run said, and how it ended. */
export type Ended = {readonly exit: number; readonly trace: readonly string[]; readonly said: string};

/** Whether the real thing is here to compare with. */
export function hasAnsible(): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import ansible.cli.playbook'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}

const inventory = `all:
  vars: {ansible_connection: local, ansible_python_interpreter: /usr/bin/python3}
  hosts: {a: , b: , c: }
  children:
    two: {hosts: {a: , b: }}
    one: {hosts: {c: }}
`;

/** Writes the site of a case into a folder. */
export function writeCase(folder: string, one: Case): void {
  const play = (tasks: string): string =>
    `- hosts: all\n  gather_facts: false\n${one.play ?? ''}  tasks:\n${tasks.replaceAll(/^(?=.)/gm, '    ')}\n`;
  const files = {
    'hosts.yml': inventory,
    ...(one.tasks === undefined ? {} : {'site.yml': play(one.tasks)}),
    ...one.files,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), {recursive: true});
    const spoken = text.replaceAll(/\bSAY ("(?:[^"\\]|\\.)*")/g, 'debug: {msg: $1}');
    writeFileSync(join(folder, path), spoken);
  }
}

const argvOf = (one: Case): string[] => [
  ...(one.args?.includes('-i') === true ? [] : ['-i', 'hosts.yml']),
  // one after the other, so that the order among hosts is the play's
  ...(one.ordered === true ? ['-f', '1'] : []),
  ...(one.args ?? []),
  'site.yml',
];

/** Runs all cases with ansible-playbook; `folders` are theirs, in the same order. */
export async function runTheirs(cases: readonly Case[], folders: readonly string[]): Promise<readonly Ended[]> {
  const jobs = cases.map((one, i) => ({cwd: folders[i], argv: argvOf(one), trace: join(folders[i]!, 'theirs')}));
  const env = {
    ...process.env,
    ANSIBLE_CALLBACK_PLUGINS: join(here, 'callback'),
    ANSIBLE_STDOUT_CALLBACK: 'trace',
    ANSIBLE_HOME: join(folders[0]!, 'ansible'),
    ANSIBLE_LOCAL_TEMP: join(folders[0]!, 'ansible-tmp'),
    ANSIBLE_REMOTE_TEMP: join(folders[0]!, 'ansible-remote'),
    ANSIBLE_RETRY_FILES_ENABLED: 'false',
    ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
  };
  await new Promise<void>((resolve, reject) => {
    const child = spawn('/usr/bin/python3', [join(here, 'many-ansible.py')], {
      env,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.on('error', reject);
    child.on('close', () => resolve());
    child.stdin.end(JSON.stringify(jobs));
  });
  return folders.map((folder) => ({
    exit: Number(read(join(folder, 'theirs.exit')) || '250'),
    trace: read(join(folder, 'theirs'))
      .split('\n')
      .filter((line) => line !== ''),
    said: read(join(folder, 'theirs.out')),
  }));
}

/** Runs a case with tsplay. This machine is one host: whoever else works on it at the moment is waited for. */
export async function runOurs(one: Case, folder: string): Promise<Ended> {
  for (let tries = 1; ; tries++) {
    const ended = await runOnce(one, folder);
    if (tries === 20 || !ended.said.includes('error[locked]')) return ended;
    await setTimeout(500);
  }
}

function runOnce(one: Case, folder: string): Promise<Ended> {
  const argv = [join(checkout, 'bin', 'tsplay.js'), 'run', '--events', 'events', ...argvOf(one)];
  const env = {...process.env, NODE_OPTIONS: '', TSPLAY_STATE: join(folder, 'state'), HOME: folder, NO_COLOR: '1'};
  return new Promise((resolve) => {
    execFile(process.execPath, argv, {cwd: folder, env, maxBuffer: 1e8}, (error, out, err) => {
      const code = error === null ? 0 : Number(error.code);
      // differences found in check mode are no failure
      const exit = code === 8 ? 0 : code;
      resolve({exit, trace: traceOf(read(join(folder, 'events'))), said: `${out}\n${err}`});
    });
  });
}

type Told = {
  event: string;
  host?: string;
  result?: {host: string; module: string; status: string; message?: string};
  summary?: {status: string};
};

function traceOf(events: string): string[] {
  const lines: string[] = [];
  const ends: string[] = [];
  for (const line of events.split('\n')) {
    if (line === '') continue;
    const told = JSON.parse(line) as Told;
    const {result} = told;
    if (told.event === 'task-finished' && result?.module === 'debug' && ['ok', 'changed'].includes(result.status))
      lines.push(...`${result.host}: ${asPython(result.message ?? '')}`.split('\n'));
    if (told.event === 'host-finished') {
      const status = told.summary?.status ?? '';
      ends.push(`END ${told.host ?? ''} ${status === 'changed' ? 'ok' : status}`);
    }
  }
  return [...lines, ...ends.sort()];
}

/** What is data and no text, as Python writes it. */
function asPython(message: string): string {
  if (!/^(?:[[{]|true$|false$|null$)/.test(message)) return message;
  const written = (value: unknown): string => {
    if (value === true) return 'True';
    if (value === false) return 'False';
    if (value === null) return 'None';
    if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
    if (typeof value === 'string') return `'${value}'`;
    return typeof value === 'object'
      ? `{${Object.entries(value)
          .map(([key, inner]) => `'${key}': ${written(inner)}`)
          .join(', ')}}`
      : String(value);
  };
  try {
    return written(JSON.parse(message));
  } catch {
    return message;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A trace as it is compared: by host where the order among hosts does not count. */
export function comparable(one: Case, trace: readonly string[]): string {
  if (one.ordered === true) return trace.filter((line) => !/^END \S+ ok$/.test(line)).join('\n');
  const hostOf = (line: string): string => (line.startsWith('END ') ? '~' : line.slice(0, line.indexOf(':')));
  return trace
    .filter((line) => !/^END \S+ ok$/.test(line))
    .map((line, i) => ({line, i, host: hostOf(line)}))
    .sort((a, b) => (a.host === b.host ? a.i - b.i : a.host < b.host ? -1 : 1))
    .map(({line}) => line)
    .join('\n');
}
