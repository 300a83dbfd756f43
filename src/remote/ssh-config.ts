// Asks `ssh -G`, the only exact reader of ssh_config. One call costs 12 ms, so one serves all hosts where the
// configuration makes no difference between hosts, and nothing is asked twice while the files stay as they are.
import {execFile} from 'node:child_process';
import {globSync, readFileSync, statSync} from 'node:fs';
import {isAbsolute, join} from 'node:path';
import {Unreachable} from './errors.ts';
import {DEFAULT_KEYS, parseHostSettings, type Env, type HostSettings} from './host-settings.ts';
import {visible} from './visible.ts';

/** What is asked for: a name, and what the inventory says about it. */
export type Question = {
  readonly address: string;
  readonly port?: number;
  readonly user?: string;
  readonly sshArgs: readonly string[];
};

/** A name that no configuration speaks of and no resolver knows (RFC 2606). */
const ANY_HOST = 'any-host-at-all.invalid';

/** Reads effective settings and remembers them. One reader serves a run. */
export class SshConfig {
  readonly #env: Env;
  readonly #program: string;
  readonly #answers = new Map<string, {readonly stamp: string; readonly output: Promise<string | undefined>}>();

  constructor(env: Env, program = 'ssh') {
    this.#env = env;
    this.#program = program;
  }

  /** *errors*: throws {@link Unreachable} for a name that begins with `-` and for a configuration that ssh refuses. */
  async settings(question: Question): Promise<HostSettings> {
    refuseOptionLike(question);
    const files = configFiles(question.sshArgs, this.#env);
    const shared = files.shared;
    const output = await this.#ask({...question, address: shared ? ANY_HOST : question.address}, files.stamp);
    if (output === undefined) return parseHostSettings(withoutSsh(question, this.#env), this.#env);
    if (!shared) return parseHostSettings(output, this.#env);
    const general = output.replaceAll(ANY_HOST, question.address);
    return parseHostSettings(general, this.#env);
  }

  /** How often `ssh` has been started. */
  get calls(): number {
    return this.#answers.size;
  }

  #ask(question: Question, stamp: string): Promise<string | undefined> {
    const key = JSON.stringify([question.address, question.port, question.user, question.sshArgs]);
    const known = this.#answers.get(key);
    if (known?.stamp === stamp) return known.output;
    const output = this.#run(question);
    output.catch(() => this.#answers.delete(key));
    this.#answers.set(key, {stamp, output});
    return output;
  }

  #run({address, port, user, sshArgs}: Question): Promise<string | undefined> {
    const args = [
      '-G',
      ...sshArgs,
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...(user === undefined ? [] : ['-l', user]),
      '--',
      address,
    ];
    return new Promise((resolve, reject) => {
      execFile(
        this.#program,
        args,
        {env: {...this.#env}, timeout: 20_000, maxBuffer: 1 << 20},
        (problem, stdout, stderr) => {
          if (problem === null) resolve(stdout);
          else if (problem.code === 'ENOENT') resolve(undefined);
          else {
            const said = visible(stderr, 500);
            reject(
              new Unreachable(
                'other',
                `${address}: ssh does not accept its configuration: ${said}`,
                'try it: ssh -G HOST',
              ),
            );
          }
        },
      ).stdin?.end();
    });
  }
}

/** *errors*: throws {@link Unreachable}: such a name would be an option of ssh, and options of ssh run programs. */
function refuseOptionLike({address, user}: Question): void {
  if (address.startsWith('-') || user?.startsWith('-') === true) {
    throw new Unreachable('other', `"${visible(address, 100)}": a host or user name must not begin with "-"`);
  }
  if (address === '' || /[\s\0]/.test(address)) {
    throw new Unreachable('no-such-host', `"${visible(address, 100)}" cannot be the name of a host`);
  }
}

/**
 * The configuration files that count, as a stamp of their names, times and sizes; `shared` when none of them makes a
 * difference between hosts.
 */
function configFiles(sshArgs: readonly string[], env: Env): {readonly stamp: string; readonly shared: boolean} {
  const own = optionValue(sshArgs, 'F');
  const roots =
    own === undefined
      ? [
          {path: join(env.HOME ?? '/', '.ssh/config'), base: join(env.HOME ?? '/', '.ssh')},
          {path: '/etc/ssh/ssh_config', base: '/etc/ssh'},
        ]
      : own === 'none'
        ? []
        : [{path: own, base: join(env.HOME ?? '/', '.ssh')}];
  const stamps: string[] = [];
  let shared = true;
  const seen = new Set<string>();
  const visit = (path: string, base: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    let text: string;
    try {
      const {mtimeMs, size} = statSync(path);
      stamps.push(`${path} ${mtimeMs} ${size}`);
      text = readFileSync(path, 'utf8');
    } catch {
      stamps.push(`${path} -`);
      return;
    }
    for (const line of text.split('\n')) {
      const [, keyword = '', rest = ''] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
      const word = keyword.toLowerCase();
      if (word === 'include') {
        for (const pattern of rest.split(/\s+/)) {
          const expanded = pattern.replace(/^"|"$/g, '').replace(/^~/, env.HOME ?? '/');
          for (const file of globSync(isAbsolute(expanded) ? expanded : join(base, expanded))) visit(file, base);
        }
      }
      const aboutAll = word === 'host' ? rest === '*' : rest.toLowerCase() === 'all';
      if ((word === 'host' || word === 'match') && !aboutAll) shared = false;
      if (word === 'canonicalizehostname' || word === 'hostname') shared = false;
    }
  };
  for (const {path, base} of roots) visit(path, base);
  return {stamp: stamps.join('\n'), shared};
}

/** The value of a one-letter option of ssh, written `-F x` or `-Fx`. */
function optionValue(args: readonly string[], letter: string): string | undefined {
  for (const [i, arg] of args.entries()) {
    if (arg === `-${letter}`) return args[i + 1];
    if (arg.startsWith(`-${letter}`)) return arg.slice(2);
  }
  return undefined;
}

/** Where there is no ssh program: its defaults and what the arguments say, in the form `ssh -G` has. */
function withoutSsh({address, port, user, sshArgs}: Question, env: Env): string {
  const home = env.HOME ?? '/';
  const lines: string[] = [];
  const jump = optionValue(sshArgs, 'J');
  const given = [...sshArgs.entries()].flatMap(([i, arg]) =>
    arg === '-o' ? [sshArgs[i + 1] ?? ''] : arg.startsWith('-o') ? [arg.slice(2)] : [],
  );
  for (const setting of given) {
    const [, key = '', value = ''] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(setting) ?? [];
    lines.push(`${key.toLowerCase()} ${value}`);
  }
  const identity = optionValue(sshArgs, 'i');
  if (identity !== undefined) lines.push(`identityfile ${identity}`);
  if (jump !== undefined) lines.push(`proxyjump ${jump}`);
  lines.push(
    `port ${port ?? optionValue(sshArgs, 'p') ?? 22}`,
    `user ${user ?? optionValue(sshArgs, 'l') ?? env.USER ?? env.LOGNAME ?? 'root'}`,
    `hostname ${address}`,
  );
  const missing = (key: string): boolean => !lines.some((line) => line.startsWith(`${key} `));
  if (missing('identityfile')) lines.push(...DEFAULT_KEYS.map((name) => `identityfile ${home}/.ssh/${name}`));
  if (missing('userknownhostsfile'))
    lines.push(`userknownhostsfile ${home}/.ssh/known_hosts ${home}/.ssh/known_hosts2`);
  if (missing('globalknownhostsfile'))
    lines.push('globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2');
  return lines.join('\n');
}
