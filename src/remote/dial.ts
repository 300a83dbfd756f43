// The stream to a host's sshd: a socket, a chain of jump hosts, or a ProxyCommand.
import {spawn} from 'node:child_process';
import {connect as connectSocket, type Socket} from 'node:net';
import {Duplex} from 'node:stream';
import {Unreachable} from './errors.ts';
import {expandTokens, type Env, type HostSettings} from './host-settings.ts';
import {visible} from './visible.ts';

/** Opens a TCP socket; connecting may still be under way. Tests put something in between. */
export type OpenSocket = (
  settings: Pick<HostSettings, 'hostname' | 'port' | 'addressFamily' | 'bindAddress'>,
) => Socket;

/** The usual socket. */
export const openTcp: OpenSocket = ({hostname, port, addressFamily, bindAddress}) =>
  connectSocket({
    host: hostname,
    port,
    ...(addressFamily === 0 ? {} : {family: addressFamily}),
    ...(bindAddress === undefined ? {} : {localAddress: bindAddress}),
  });

/** Runs `ProxyCommand` and speaks through its standard streams. What it prints to stderr explains a failure. */
export function openProxyCommand(settings: HostSettings, env: Env, address: string, name: string): Duplex {
  const command = expandTokens(settings.proxyCommand ?? '', {...settings, env, original: address});
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], {stdio: 'pipe', detached: true, env: {...env}});
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-2000)));
  const duplex = new Duplex({
    read: () => void child.stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      // What became of a program that takes nothing more is told by its end.
      child.stdin.write(chunk, () => done());
    },
    final: (done) => {
      child.stdin.end();
      done();
    },
    destroy: (problem, done) => {
      child.kill();
      child.stdin.destroy();
      child.stdout.destroy();
      done(problem);
    },
  });
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (chunk: Buffer) => {
    if (!duplex.push(chunk)) child.stdout.pause();
  });
  const fail = (why: string): void => {
    const text = visible(said, 300);
    duplex.destroy(
      new Unreachable('jump', `${name}: the ProxyCommand failed: ${why}${text === '' ? '' : `: ${text}`}`),
    );
  };
  child.on('error', (problem) => fail(problem.message));
  child.on('close', (exit) => {
    if (exit === 0) {
      duplex.push(null);
      duplex.end();
    } else fail(exit === null ? 'it was killed' : `exit ${exit}`);
  });
  return duplex;
}
