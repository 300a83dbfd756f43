// Which transport serves a host: ssh2 wherever it can, the system's ssh where it cannot, with the reason.
import {existsSync} from 'node:fs';
import {knownKeysOf} from './host-key-check.ts';
import {expandTokens, type HostSettings} from './host-settings.ts';
import {readKeyFile} from './identity.ts';
import type {Target} from './session.ts';
import {HOST_KEY_TYPES, loadSsh2} from './ssh-login.ts';
import type {SshSettings} from './ssh.ts';

/** Why this host needs the system's ssh; undefined where ssh2 does. */
export async function needsOpenSsh(
  target: Target,
  settings: HostSettings,
  shared: SshSettings,
): Promise<string | undefined> {
  const known = knownKeysOf(settings, shared.hostKeys);
  if (known.keys.length === 0 && known.authorities.length > 0) return 'the host is known by a certificate authority';
  if (known.keys.length > 0 && known.keys.every(({keyType}) => !HOST_KEY_TYPES.has(keyType))) {
    return `the host is known by a key of type ${known.keys[0]?.keyType ?? ''}`;
  }
  const named =
    target.privateKeyFile === undefined ? [] : [expandTokens(target.privateKeyFile, {...settings, env: shared.env})];
  const certificate = [
    ...settings.certificateFiles,
    ...[...named, ...settings.identityFiles].map((path) => `${path}-cert.pub`),
  ].find((path) => existsSync(path));
  if (certificate !== undefined) return `the key has a certificate (${certificate})`;
  for (const path of named) {
    const file = await readKeyFile(await loadSsh2(), path, target.passphrase?.reveal());
    if (file.state === 'unusable' && file.why.includes('security key')) return 'the key lives on a security key';
  }
  return undefined;
}
