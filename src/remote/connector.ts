// Opens connections for a run: picks the transport for each target.
import {realAmbient} from './ambient.ts';
import {openTcp, type OpenSocket} from './dial.ts';
import {Unreachable} from './errors.ts';
import type {HostKeyPolicy} from './host-key-check.ts';
import type {Env, HostSettings} from './host-settings.ts';
import {KnownHostsFiles} from './known-hosts-files.ts';
import type {Ambient} from './link.ts';
import {connectLocal} from './local.ts';
import type {Connection, Connector, Target} from './session.ts';
import {SshConfig} from './ssh-config.ts';
import {NO_COMMON_ALGORITHM} from './ssh-login.ts';
import {needsOpenSsh} from './transport-choice.ts';
import {connectSsh, type SshSettings} from './ssh.ts';

/**
 * What a run says about its connections.
 * `env`: the variables that count (HOME, USER, PATH, SSH_AUTH_SOCK, …).
 * `knownHostsFiles`: read instead of those of ssh_config; new keys go into the first.
 * `unknownHostKeys`: what becomes of a host that no file knows; `accept` writes its key down and goes on. Default `refuse`.
 * `atExit`: shell text that every session's shell runs when it ends, even when the link is lost.
 * `log`: lines for `-vv` (level 2) and `-vvv` (level 3); they hold no secret.
 * `trace`: whether the level 3 lines are wanted at all.
 */
export type ConnectorOptions = {
  readonly env: Env;
  readonly knownHostsFiles?: readonly string[];
  readonly unknownHostKeys?: 'refuse' | 'accept';
  readonly atExit?: string;
  readonly trace?: boolean;
  readonly log?: (level: 2 | 3, message: string) => void;
  readonly ambient?: Ambient;
  readonly openSocket?: OpenSocket;
};

/** All that the transports of a run share, from its options. */
export function sshSettings(options: ConnectorOptions): SshSettings {
  const hostKeys: HostKeyPolicy = {
    files: options.knownHostsFiles,
    unknown: options.unknownHostKeys ?? 'refuse',
    store: new KnownHostsFiles(),
  };
  return {
    env: options.env,
    ambient: options.ambient ?? realAmbient,
    atExit: options.atExit ?? '',
    trace: options.trace ?? false,
    log: options.log ?? (() => undefined),
    config: new SshConfig(options.env),
    hostKeys,
    openSocket: options.openSocket ?? openTcp,
    jumpLimits: new Map(),
  };
}

/** The effective ssh settings of a target: the inventory's word first, then ssh_config. */
export async function settingsOf(target: Target, {config}: Pick<SshSettings, 'config'>): Promise<HostSettings> {
  const {address, port, user, sshArgs} = target;
  const settings = await config.settings({
    address,
    sshArgs,
    ...(port === undefined ? {} : {port}),
    ...(user === undefined ? {} : {user}),
  });
  return {...settings, port: port ?? settings.port, user: user ?? settings.user};
}

/** Makes the {@link Connector} of a run. */
export function makeConnector(options: ConnectorOptions): Connector {
  const shared = sshSettings(options);
  return {
    async connect(target: Target, signal?: AbortSignal): Promise<Connection> {
      if (target.transport === 'local') return connectLocal(shared);
      const settings = await settingsOf(target, shared);
      const system = async (via: string): Promise<Connection> => {
        const {connectOpenSsh} = await import('./openssh.ts');
        return connectOpenSsh(target, shared, settings, via, signal);
      };
      if (target.transport === 'openssh') return system('openssh');
      const reason = await needsOpenSsh(target, settings, shared);
      if (reason !== undefined) return system(`openssh: ${reason}`);
      try {
        return await connectSsh(target, shared, settings, signal);
      } catch (problem) {
        if (!(problem instanceof Unreachable) || !problem.message.includes(NO_COMMON_ALGORITHM)) throw problem;
        return system('openssh: the host offers only algorithms that ssh2 does not have');
      }
    },
  };
}
