// What the tests of the ssh transport share.
import {connect as connectSocket, createServer, type AddressInfo, type Socket} from 'node:net';
import type {ExecutionContext} from 'ava';
import {makeConnector, sshSettings, type ConnectorOptions} from '../../src/remote/connector.ts';
import {Unreachable} from '../../src/remote/errors.ts';
import type {Fragment, Outcome, Target} from '../../src/remote/session.ts';
import type {PrivateSshd} from './private-sshd.ts';

/** Options with nothing of the account that runs the tests: no home, no agent. */
export function optionsFor(
  sshd: Pick<PrivateSshd, 'folder' | 'knownHosts'>,
  more: Partial<ConnectorOptions> = {},
): ConnectorOptions {
  return {
    env: {HOME: sshd.folder, USER: 'root', PATH: process.env.PATH},
    knownHostsFiles: [sshd.knownHosts],
    ...more,
  };
}

/** A target that logs in with the key that the sshd accepts, without any ssh_config. */
export function targetFor(sshd: Pick<PrivateSshd, 'port' | 'key'>, more: Partial<Target> = {}): Target {
  return {
    host: 'box',
    transport: 'ssh',
    address: '127.0.0.1',
    port: sshd.port,
    user: 'root',
    privateKeyFile: sshd.key,
    sshArgs: ['-F', 'none'],
    timeoutMs: 10_000,
    ...more,
  };
}

/** The same without a key of its own. */
export function withoutKey(sshd: Pick<PrivateSshd, 'port' | 'key'>, more: Partial<Target> = {}): Target {
  const target: {-readonly [K in keyof Target]: Target[K]} = targetFor(sshd, more);
  delete target.privateKeyFile;
  return target;
}

/** A fragment with the usual settings. */
export function fragment(shell: string, more: Partial<Fragment> = {}): Fragment {
  return {shell, group: 0, onFailure: 'go-on', label: shell.slice(0, 30), secret: false, timeoutMs: 60_000, ...more};
}

/** `exit|stdout|stderr`. */
export function short(outcome: Outcome | undefined): string {
  if (outcome === undefined || !outcome.ran) return '-';
  const {exit, stdout, stderr} = outcome.reply;
  return [exit, Buffer.from(stdout).toString(), Buffer.from(stderr).toString()].join('|');
}

/** Logs in, runs one fragment, gives its reply. */
export async function runOnce(options: ConnectorOptions, target: Target, shell: string): Promise<string> {
  await using connection = await makeConnector(options).connect(target);
  const session = await connection.session();
  return short((await session.exchange([fragment(shell)]))[0]);
}

/** Expects a login to fail with this kind; gives the error. */
export async function refused(
  t: ExecutionContext,
  options: ConnectorOptions,
  target: Target,
  kind: Unreachable['kind'],
): Promise<Unreachable> {
  const problem = await t.throwsAsync(makeConnector(options).connect(target), {instanceOf: Unreachable});
  t.is(problem.kind, kind, problem.message);
  return problem;
}

export {makeConnector, sshSettings};

/** A TCP relay on loopback that can be cut or frozen, as networks are. */
export type Relay = AsyncDisposable & {readonly port: number; readonly cut: () => void; readonly freeze: () => void};

/** Relays to a port on loopback. */
export async function relayTo(port: number): Promise<Relay> {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connectSocket({host: '127.0.0.1', port});
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far);
    far.pipe(near);
    sockets.push(near, far);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => sockets.forEach((socket) => socket.resetAndDestroy()),
    freeze: () => sockets.forEach((socket) => socket.unpipe().pause()),
    async [Symbol.asyncDispose]() {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
