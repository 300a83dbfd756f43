// A real sshd of one's own for a test: on loopback, with its own keys and configuration, ended by its pid.
import {execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, connect as connectSocket, type AddressInfo} from 'node:net';
import {tmpdir, userInfo} from 'node:os';
import {join} from 'node:path';

const SSHD = '/usr/sbin/sshd';

/** Empty where the tests can run; otherwise the reason why not, for the titles. */
export const whyNot = existsSync(SSHD)
  ? userInfo().uid === 0
    ? ''
    : ' (skipped: needs root)'
  : ` (skipped: there is no ${SSHD})`;

/** A running sshd. `knownHosts` is a file that knows it; `key` is a private key that it accepts for the current user. */
export type PrivateSshd = AsyncDisposable & {
  readonly folder: string;
  readonly port: number;
  readonly key: string;
  readonly knownHosts: string;
  readonly hostKey: string;
  readonly log: () => string;
};

/** Makes an ed25519 (or other) key pair in a file. */
export function makeKey(path: string, options: {type?: string; passphrase?: string; comment?: string} = {}): string {
  const {type = 'ed25519', passphrase = '', comment = 'test'} = options;
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', comment, '-f', path]);
  return readFileSync(`${path}.pub`, 'utf8').trim();
}

/** Starts one. `config` lines come first (sshd takes the first value); `authorized` replaces the line of the key. */
export async function startSshd(
  options: {config?: readonly string[]; authorized?: (publicKey: string) => string; hostKeyType?: string} = {},
): Promise<PrivateSshd> {
  const folder = mkdtempSync(join(tmpdir(), 'tsplay-sshd-'));
  const hostKey = join(folder, 'host_key');
  const hostPublic = makeKey(hostKey, {type: options.hostKeyType ?? 'ed25519'});
  const key = join(folder, 'user_key');
  const userPublic = makeKey(key);
  writeFileSync(join(folder, 'authorized_keys'), `${options.authorized?.(userPublic) ?? userPublic}\n`);
  const port = await freePort();
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${hostPublic}\n`);
  const config = [
    ...(options.config ?? []),
    'ListenAddress 127.0.0.1',
    `Port ${port}`,
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    `PidFile ${folder}/pid`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin yes',
    'PrintMotd no',
    'LogLevel VERBOSE',
  ];
  writeFileSync(join(folder, 'sshd_config'), `${config.join('\n')}\n`);
  execFileSync('mkdir', ['-p', '/run/sshd']);
  const child = spawn(SSHD, ['-D', '-e', '-f', join(folder, 'sshd_config')], {stdio: ['ignore', 'ignore', 'pipe']});
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await answering(
    port,
    () => child.exitCode === null,
    () => log,
  );
  return {
    folder,
    port,
    key,
    knownHosts,
    hostKey,
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      child.stderr.destroy();
      await ended;
      rmSync(folder, {recursive: true, force: true});
    },
  };
}

/** A TCP port on loopback that nobody uses. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answering(port: number, alive: () => boolean, log: () => string): Promise<void> {
  for (;;) {
    if (!alive()) throw new Error(`sshd did not start: ${log()}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connectSocket({host: '127.0.0.1', port});
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
