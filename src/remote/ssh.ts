// The usual transport: one SSH connection a host, one shell channel an account on it.
import type {Duplex} from 'node:stream';
import {becomeCommand, passBecome} from './become.ts';
import {execLink} from './channel-link.ts';
import {openProxyCommand, type OpenSocket} from './dial.ts';
import {Unreachable} from './errors.ts';
import {knownKeysOf, refuseKey, type HostKeyPolicy} from './host-key-check.ts';
import {parseJump, type HostSettings} from './host-settings.ts';
import {Limit} from './limit.ts';
import {collectOffers} from './offers.ts';
import type {Become, Connection, Target} from './session.ts';
import {SessionPool, type OpenLink} from './session-pool.ts';
import type {Settings} from './settings.ts';
import type {SshConfig} from './ssh-config.ts';
import {loadSsh2, logIn, type LoggedIn} from './ssh-login.ts';
import {visible} from './visible.ts';

/** What the ssh transport of a run shares. `jumpLimits`: handshakes under way, by jump host. */
export type SshSettings = Settings & {
  readonly config: SshConfig;
  readonly hostKeys: HostKeyPolicy;
  readonly openSocket: OpenSocket;
  readonly jumpLimits: Map<string, Limit>;
};

/** *units*: handshakes in flight through one jump host; sshd drops more (MaxStartups 10). */
const HANDSHAKES_A_JUMP = 8;
const MAX_JUMPS = 8;

/** A login chain: the last is the host, the ones before are its jump hosts. */
type Chain = {readonly end: LoggedIn; readonly close: () => void};

/** *errors*: throws {@link Unreachable}. */
export async function connectSsh(
  target: Target,
  shared: SshSettings,
  hostSettings: HostSettings,
  signal?: AbortSignal,
): Promise<Connection> {
  const name = `${hostSettings.user}@${target.host}`;
  const chain = await openChain(target, hostSettings, shared, signal, 0);
  const {client, closed, keySha256} = chain.end;
  let from = '';
  const onFrom = (address: string): void => {
    from = visible(address, 100);
  };
  const open: OpenLink = async (become?: Become) => {
    if (become === undefined) return execLink(client, 'exec /bin/sh', closed, name);
    const nonce = shared.ambient.nonce();
    const command = `exec /bin/sh -c '${becomeCommand(become, nonce)}'`;
    const link = await execLink(client, command, closed, name);
    return passBecome(link, become, nonce, name, onFrom);
  };
  const pool = new SessionPool(shared, open, name, Math.max(target.timeoutMs, 10_000), onFrom);
  return {
    session: (become) => pool.session(become),
    openStream: (host, port) => forward(chain.end, host, port, name),
    get login() {
      return {user: hostSettings.user, from, ...(keySha256 === undefined ? {} : {keySha256})};
    },
    via: hostSettings.jumps.length === 0 ? 'ssh' : `ssh through ${hostSettings.jumps.join(', ')}`,
    closed,
    closeShells: () => pool[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      chain.close();
    },
  };
}

async function openChain(
  target: Target,
  settings: HostSettings,
  shared: SshSettings,
  signal: AbortSignal | undefined,
  depth: number,
): Promise<Chain> {
  const name = `${target.host} (${settings.hostname}:${settings.port})`;
  const offers = loadSsh2().then((ssh2) => collectOffers(ssh2, target, settings, shared.env, name));
  offers.catch(() => undefined);
  const known = knownKeysOf(settings, shared.hostKeys);
  // A key that cannot be used is said before anything is dialled.
  await offers;
  const {value: end, close} = await reach(target, settings, shared, signal, depth, (socket) =>
    logIn({
      socket,
      settings,
      offers,
      known,
      refuse: (key) => refuseKey(key, known, settings, shared.hostKeys, name),
      name,
      timeoutMs: target.timeoutMs,
      signal,
      trace: shared.trace,
      log: shared.log,
    }),
  );
  return {
    end,
    close: () => {
      end.end();
      close();
    },
  };
}

/**
 * Opens the way to a host's sshd (socket, ProxyCommand, jump hosts) and does something with the stream, at most
 * {@link HANDSHAKES_A_JUMP} at once through one jump host. `close` ends the logins on the jump hosts.
 */
export async function reach<T>(
  target: Target,
  settings: HostSettings,
  shared: SshSettings,
  signal: AbortSignal | undefined,
  depth: number,
  use: (socket: Duplex) => Promise<T>,
): Promise<{readonly value: T; readonly close: () => void}> {
  const name = `${target.host} (${settings.hostname}:${settings.port})`;
  if (depth > MAX_JUMPS) {
    throw new Unreachable('jump', `${name}: more than ${MAX_JUMPS} jump hosts one behind the other: a circle?`);
  }
  if (settings.jumps.length === 0) {
    const socket =
      settings.proxyCommand === undefined
        ? shared.openSocket(settings)
        : openProxyCommand(settings, shared.env, target.address, name);
    return {value: await use(socket), close: () => undefined};
  }
  return jumpLimit(shared, settings.jumps, depth).run(async () => {
    const hop = await openHop(target, settings, shared, signal, depth);
    try {
      return {value: await use(await forward(hop.end, settings.hostname, settings.port, name)), close: hop.close};
    } catch (problem) {
      hop.close();
      throw problem;
    }
  });
}

/** The last jump host, itself reached through those before it (or through what its own configuration says). */
async function openHop(
  target: Target,
  settings: HostSettings,
  shared: SshSettings,
  signal: AbortSignal | undefined,
  depth: number,
): Promise<Chain> {
  const {target: hopTarget, settings: hopSettings} = await hopOf(target, settings, shared.config);
  try {
    return await openChain(hopTarget, hopSettings, shared, signal, depth + 1);
  } catch (problem) {
    if (!(problem instanceof Unreachable)) throw problem;
    const kind = problem.kind.startsWith('host-key') ? problem.kind : 'jump';
    throw new Unreachable(kind, `${target.host}: jump host ${problem.message}`, problem.help);
  }
}

/** A jump host as a target. `lastKeyFile`: the key that the inventory names for the host behind it. */
export type Hop = Target & {readonly lastKeyFile?: string};

/** The last jump host of a host as a target of its own. It never gets the host's password. */
export async function hopOf(
  target: Hop,
  settings: HostSettings,
  config: SshConfig,
): Promise<{readonly target: Hop; readonly settings: HostSettings}> {
  const text = settings.jumps.at(-1) ?? '';
  const hop = parseJump(text);
  if (hop === undefined)
    throw new Unreachable('jump', `${target.host}: "${visible(text, 100)}" is not a jump host`, '[user@]host[:port]');
  const configFile = target.sshArgs.flatMap((arg, i) =>
    arg === '-F' ? [arg, target.sshArgs[i + 1] ?? ''] : arg.startsWith('-F') ? [arg] : [],
  );
  const own = await config.settings({
    address: hop.host,
    sshArgs: configFile,
    ...(hop.port === undefined ? {} : {port: hop.port}),
    ...(hop.user === undefined ? {} : {user: hop.user}),
  });
  const before = settings.jumps.slice(0, -1);
  const key = target.privateKeyFile ?? target.lastKeyFile;
  return {
    target: {
      host: hop.host,
      transport: 'ssh',
      address: hop.host,
      sshArgs: configFile,
      timeoutMs: target.timeoutMs,
      ...(key === undefined ? {} : {lastKeyFile: key}),
      ...(target.passphrase === undefined ? {} : {passphrase: target.passphrase}),
    },
    settings: {
      ...own,
      ...(before.length > 0 ? {jumps: before, proxyCommand: undefined} : {}),
      // ssh itself would not offer the host's key to a jump host; it is offered last, as inventories name one key for all.
      identityFiles: key === undefined ? own.identityFiles : [...own.identityFiles, key],
    },
  };
}

/** Jump hosts behind jump hosts count apart, or a chain could wait for itself. */
function jumpLimit(shared: SshSettings, jumps: readonly string[], depth: number): Limit {
  const key = `${depth} ${jumps.at(-1) ?? ''}`;
  const limit = shared.jumpLimits.get(key) ?? new Limit(HANDSHAKES_A_JUMP);
  shared.jumpLimits.set(key, limit);
  return limit;
}

/** A stream that starts on that host (`direct-tcpip`). */
function forward({client, closed}: LoggedIn, host: string, port: number, name: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    void closed.then((why) => reject(new Unreachable('other', `${name}: ${why}`)));
    try {
      client.forwardOut('127.0.0.1', 0, host, port, (problem, channel) => {
        if (problem === undefined) {
          // As a plain socket does: when the far side has ended, so do we.
          channel.once('end', () => channel.end());
          channel.on('error', () => undefined);
          resolve(channel);
        } else {
          reject(
            new Unreachable(
              'refused',
              `${name}: no way from there to ${visible(host, 100)}:${port}: ${visible(problem.message, 200)}`,
            ),
          );
        }
      });
    } catch (problem) {
      reject(new Unreachable('other', `${name}: ${(problem as Error).message}`));
    }
  });
}
