// The system's own ssh with a control master: for what ssh2 cannot do (certificates, security keys, post-quantum key
// exchange, GSSAPI). It costs a process a session.
import {spawn, type ChildProcessWithoutNullStreams} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {prepareAskpass} from './askpass.ts';
import {becomeCommand, passBecome} from './become.ts';
import {childLink} from './child-link.ts';
import {childStream} from './child-stream.ts';
import {Unreachable} from './errors.ts';
import {knownHostsFilesOf, knownKeysOf} from './host-key-check.ts';
import {expandTokens, type HostSettings} from './host-settings.ts';
import {explainOpenSsh} from './openssh-errors.ts';
import type {Become, Connection, Target} from './session.ts';
import {SessionPool, type OpenLink} from './session-pool.ts';
import type {SshSettings} from './ssh.ts';
import {visible} from './visible.ts';

const STDERR_KEPT = 64 * 1024;

/** *errors*: throws {@link Unreachable}. `via` is what the connection says of itself. */
export async function connectOpenSsh(
  target: Target,
  shared: SshSettings,
  settings: HostSettings,
  via: string,
  signal?: AbortSignal,
): Promise<Connection> {
  const name = `${settings.user}@${target.host}`;
  const folder = await mkdtemp(join(tmpdir(), 'tsplay-'));
  const control = join(folder, 'c');
  const config = join(folder, 'config');
  let master: Master | undefined;
  const cleanUp = async (): Promise<void> => {
    await master?.stop();
    await rm(folder, {recursive: true, force: true});
  };
  try {
    await writeFile(config, configText(target, shared, settings), {mode: 0o600});
    master = await startMaster(target, shared, settings, {folder, control, config, name}, signal);
  } catch (problem) {
    await cleanUp();
    throw problem;
  }
  // What ssh has said may still be on its way when its socket is there: asked for as late as possible.
  const {keySha256: lastAccepted} = master;
  const run = (extra: readonly string[], command: readonly string[]): ChildProcessWithoutNullStreams =>
    spawn('ssh', ['-F', config, '-S', control, '-o', 'ControlMaster=no', ...extra, '--', target.address, ...command], {
      stdio: 'pipe',
      detached: true,
      env: {...shared.env, LC_ALL: 'C'},
    });
  const noWay = (why: string, stderr: string): Unreachable =>
    new Unreachable('refused', `${name}: no way from there: ${visible(stderr, 300) || why}`);
  let from = '';
  const onFrom = (address: string): void => {
    from = visible(address, 100);
  };
  const open: OpenLink = (become?: Become) => {
    if (become === undefined) return Promise.resolve(childLink(run(['-T'], ['exec /bin/sh']), 'ssh', 255));
    const nonce = shared.ambient.nonce();
    const link = childLink(run(['-T'], [`exec /bin/sh -c '${becomeCommand(become, nonce)}'`]), 'ssh', 255);
    return passBecome(link, become, nonce, name, onFrom);
  };
  const pool = new SessionPool(shared, open, name, Math.max(target.timeoutMs, 10_000), onFrom);
  return {
    session: (become) => pool.session(become),
    openStream: (host, port) =>
      Promise.resolve(
        childStream(run(['-W', host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`], []), noWay),
      ),
    get login() {
      const keySha256 = lastAccepted();
      return {user: settings.user, from, ...(keySha256 === undefined ? {} : {keySha256})};
    },
    via,
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      await cleanUp();
    },
  };
}

/**
 * A configuration that ssh also hands to the jump hosts it starts itself: our policy for host keys first (the first value
 * wins), then what the user has.
 */
function configText(target: Target, shared: SshSettings, settings: HostSettings): string {
  const quoted = (paths: readonly string[]): string => paths.map((path) => `"${path}"`).join(' ');
  const files = knownHostsFilesOf({...settings, globalKnownHostsFiles: []}, shared.hostKeys);
  const own = target.sshArgs.flatMap((arg, i) =>
    arg === '-F' ? [target.sshArgs[i + 1] ?? ''] : arg.startsWith('-F') ? [arg.slice(2)] : [],
  )[0];
  const includes = own === undefined ? ['~/.ssh/config', '/etc/ssh/ssh_config'] : own === 'none' ? [] : [own];
  const accept = shared.hostKeys.unknown === 'accept' && !settings.strictHostKeyChecking;
  return [
    ...(files.length === 0 ? [] : [`UserKnownHostsFile ${quoted(files)}`]),
    `StrictHostKeyChecking ${accept ? 'accept-new' : 'yes'}`,
    'UpdateHostKeys no',
    'NumberOfPasswordPrompts 1',
    `ConnectTimeout ${Math.max(1, Math.ceil(target.timeoutMs / 1000))}`,
    `ServerAliveInterval ${Math.max(1, Math.floor(target.timeoutMs / 4000))}`,
    'ServerAliveCountMax 3',
    ...includes.map((path) => `Include "${path}"`),
    '',
  ].join('\n');
}

/** The arguments of the user without a configuration file, which ours includes. */
function otherArgs(sshArgs: readonly string[]): readonly string[] {
  return sshArgs.filter((arg, i) => !arg.startsWith('-F') && sshArgs[i - 1] !== '-F');
}

type Master = {readonly keySha256: () => string | undefined; readonly stop: () => Promise<void>};

async function startMaster(
  target: Target,
  shared: SshSettings,
  settings: HostSettings,
  {folder, control, config, name}: {folder: string; control: string; config: string; name: string},
  signal: AbortSignal | undefined,
): Promise<Master> {
  const askpass = await prepareAskpass(folder, {password: target.password, passphrase: target.passphrase});
  const key = target.privateKeyFile;
  const args = [
    ...['-v', '-N', '-T', '-M', '-S', control, '-F', config, '-o', 'ControlPersist=no'],
    ...(askpass === undefined ? ['-o', 'BatchMode=yes'] : []),
    ...otherArgs(target.sshArgs),
    ...['-p', String(settings.port), '-l', settings.user],
    ...(key === undefined ? [] : ['-i', expandTokens(key, {...settings, env: shared.env})]),
    '--',
    target.address,
  ];
  const child = spawn('ssh', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: {...shared.env, LC_ALL: 'C', ...askpass?.env},
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-STDERR_KEPT);
    if (shared.trace) shared.log(3, `${name}: ${visible(chunk, 2000)}`);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', (problem) => {
      said += problem.message;
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  const deadline = shared.ambient.nowMs() + target.timeoutMs * 4;
  try {
    while (!existsSync(control)) {
      if (signal?.aborted === true) throw new Unreachable('other', `${name}: stopped on request`);
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
        await ended;
        throw explainOpenSsh(said, name, knownKeysOf(settings, shared.hostKeys));
      }
      if (shared.ambient.nowMs() > deadline)
        throw new Unreachable('timeout', `${name}: no login within ${Math.round((target.timeoutMs * 4) / 1000)} s`);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  } catch (problem) {
    await stop();
    throw problem;
  } finally {
    await askpass?.stop();
  }
  const accepted = (): string | undefined =>
    [...said.matchAll(/^debug1: Server accepts key: .* (SHA256:\S+)/gm)].at(-1)?.[1];
  shared.log(2, `${name}: logged in by the system's ssh`);
  return {keySha256: accepted, stop};
}
