// What the system's ssh says when it fails, as an error of ours.
import {Unreachable} from './errors.ts';
import {fingerprint, type KnownKeys} from './known-hosts.ts';
import {visible} from './visible.ts';

/** Understands ssh's messages (C locale). `known` gives the old fingerprint of a changed key. */
export function explainOpenSsh(stderr: string, name: string, known: KnownKeys): Unreachable {
  const lines = stderr
    .split(/\r?\n/)
    .filter((line) => line !== '' && !/^debug\d:|^OpenSSH_|^Authenticated to|^@{5,}/.test(line));
  const text = visible(lines.join('\n'), 500);
  if (/REMOTE HOST IDENTIFICATION HAS CHANGED/.test(stderr)) {
    const shown = /(SHA256:[\w+/]+)/.exec(stderr.slice(stderr.indexOf('HAS CHANGED')))?.[1] ?? 'another key';
    const old = known.keys
      .map((line) => `${line.keyType} ${fingerprint(line.key)} (${line.file}:${line.line})`)
      .join(', ');
    return new Unreachable(
      'host-key-changed',
      `${name}: THE HOST KEY HAS CHANGED: it shows ${shown}, but known is ${old}`,
      'somebody may be in between. If the host really has a new key: ssh-keygen -R',
    );
  }
  if (/revoked/i.test(text)) return new Unreachable('host-key-revoked', `${name}: its host key is revoked: ${text}`);
  if (/host key is known for|Host key verification failed/.test(text)) {
    return new Unreachable(
      'host-key-unknown',
      `${name}: its host key is not known yet`,
      'compare its fingerprint on the host, then accept it',
    );
  }
  if (/Could not resolve hostname/.test(text))
    return new Unreachable('no-such-host', `${name}: the name cannot be resolved`);
  if (/Too many authentication failures|Permission denied|passphrase/.test(text)) {
    const tried = [...stderr.matchAll(/^debug1: Offering public key: (\S+)/gm)].map(([, key]) =>
      visible(key ?? '', 200),
    );
    return new Unreachable(
      'auth',
      `${name}: login refused${tried.length === 0 ? '' : ` (tried ${tried.join(', ')})`}: ${text}`,
    );
  }
  if (/timed out/i.test(text)) return new Unreachable('timeout', `${name}: no answer: ${text}`);
  if (/Connection refused/.test(text))
    return new Unreachable('refused', `${name}: connection refused`, 'is sshd running there, and is the port right?');
  return new Unreachable('protocol', `${name}: ssh: ${text === '' ? 'it ended without a word' : text}`);
}
