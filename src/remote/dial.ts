// The stream to a host's sshd: a socket, a chain of jump hosts, or a ProxyCommand.
import {spawn} from 'node:child_process';
import {connect as connectSocket, type Socket} from 'node:net';
import type {Duplex} from 'node:stream';
import {childStream} from './child-stream.ts';
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
  return childStream(child, (why, stderr) => {
    const text = visible(stderr, 300);
    return new Unreachable('jump', `${name}: the ProxyCommand failed: ${why}${text === '' ? '' : `: ${text}`}`);
  });
}
