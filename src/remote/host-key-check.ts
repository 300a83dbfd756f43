// What is done about the key that a host shows.
import {Unreachable} from './errors.ts';
import type {HostSettings} from './host-settings.ts';
import {appendKnownHosts, type KnownHostsFiles} from './known-hosts-files.ts';
import {fingerprint, judgeKey, keyTypeOf, knownName, type KnownKeys} from './known-hosts.ts';

/**
 * How host keys are dealt with. `files`: read instead of those of ssh_config. `unknown`: what becomes of a host that no
 * file knows; `accept` adds it to the first file.
 */
export type HostKeyPolicy = {
  readonly files: readonly string[] | undefined;
  readonly unknown: 'refuse' | 'accept';
  readonly store: KnownHostsFiles;
};

/** The files that count for this host, the user's first. */
export function knownHostsFilesOf(settings: HostSettings, policy: HostKeyPolicy): readonly string[] {
  return [...(policy.files ?? settings.knownHostsFiles), ...settings.globalKnownHostsFiles];
}

/** The name and port under which this host's key is looked up: its `HostKeyAlias`, or where it is dialled. */
export function keyNameOf(settings: HostSettings): {readonly host: string; readonly port: number} {
  const {hostKeyAlias, hostname, port} = settings;
  return hostKeyAlias === undefined ? {host: hostname, port} : {host: hostKeyAlias, port: 22};
}

/** What the files know of this host. */
export function knownKeysOf(settings: HostSettings, policy: HostKeyPolicy): KnownKeys {
  const {host, port} = keyNameOf(settings);
  return policy.store.knownKeys(knownHostsFilesOf(settings, policy), host, port);
}

/** Undefined when the key is good; otherwise why it is not. A key that may be accepted unseen is written down here. */
export function refuseKey(
  key: Buffer,
  known: KnownKeys,
  settings: HostSettings,
  policy: HostKeyPolicy,
  name: string,
): Unreachable | undefined {
  const shown = `${keyTypeOf(key)} ${fingerprint(key)}`;
  const {host, port} = keyNameOf(settings);
  const verdict = judgeKey(known, key);
  switch (verdict.verdict) {
    case 'known':
      return undefined;
    case 'revoked':
      return new Unreachable(
        'host-key-revoked',
        `${name}: its host key ${shown} is marked as revoked in ${placesOf(verdict.lines)}`,
        'the key must not be trusted any more: give the host a new one',
      );
    case 'changed':
      return new Unreachable(
        'host-key-changed',
        `${name}: THE HOST KEY HAS CHANGED: it shows ${shown}, but known is ${verdict.lines
          .map((line) => `${line.keyType} ${fingerprint(line.key)} (${line.file}:${line.line})`)
          .join(', ')}`,
        `somebody may be in between. If the host really has a new key: ssh-keygen -R '${knownName(host, port)}' -f ${verdict.lines[0]?.file ?? ''}`,
      );
    case 'unknown': {
      const file = (policy.files ?? settings.knownHostsFiles)[0];
      if (policy.unknown === 'accept' && !settings.strictHostKeyChecking && file !== undefined) {
        appendKnownHosts(file, [{host, port, key, hashed: settings.hashKnownHosts}]);
        return undefined;
      }
      return new Unreachable(
        'host-key-unknown',
        `${name}: its host key is not known yet: ${shown}`,
        `compare the fingerprint on the host (ssh-keygen -lf /etc/ssh/ssh_host_${keyTypeOf(key).includes('ed25519') ? 'ed25519' : keyTypeOf(key).includes('ecdsa') ? 'ecdsa' : 'rsa'}_key.pub), then accept it`,
      );
    }
  }
}

function placesOf(lines: readonly {file: string; line: number}[]): string {
  return lines.map(({file, line}) => `${file}:${line}`).join(', ');
}
