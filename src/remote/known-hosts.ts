// What known_hosts files say about a host's key: the pure part.
// *source*: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"; ssh_config(5), HostKeyAlgorithms.
import {createHash, createHmac} from 'node:crypto';

/** One line of a known_hosts file. `names`: hashed as salt and HMAC-SHA1, or patterns in lower case. */
export type KnownHostLine = {
  readonly file: string;
  readonly line: number;
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  readonly names: {readonly salt: Buffer; readonly hash: Buffer} | readonly string[];
  readonly keyType: string;
  readonly key: Buffer;
};

/** What is known of one host. `elsewhere`: keys known for it on port 22, which count only as a match. */
export type KnownKeys = {
  readonly keys: readonly KnownHostLine[];
  readonly elsewhere: readonly KnownHostLine[];
  readonly revoked: readonly KnownHostLine[];
  readonly authorities: readonly KnownHostLine[];
};

/** The judgement on a key that a host has shown. `lines` are what it was judged by. */
export type Verdict =
  | {readonly verdict: 'known'}
  | {readonly verdict: 'unknown'}
  | {readonly verdict: 'revoked' | 'changed'; readonly lines: readonly KnownHostLine[]};

/** Reads a known_hosts file; comments, empty lines and lines that OpenSSH would not understand are left out, as it does. */
export function parseKnownHosts(text: string, file: string): readonly KnownHostLine[] {
  return text.split(/\r?\n/).flatMap((raw, i) => {
    const words = raw.trim().split(/[ \t]+/);
    const first = words[0] ?? '';
    if (first === '' || first.startsWith('#')) return [];
    let marker: KnownHostLine['marker'] = 'none';
    if (first.startsWith('@')) {
      if (first !== '@revoked' && first !== '@cert-authority') return [];
      marker = first === '@revoked' ? 'revoked' : 'cert-authority';
      words.shift();
    }
    const [names = '', keyType = '', encoded = ''] = words;
    const key = Buffer.from(encoded, 'base64');
    if (names === '' || keyTypeOf(key) !== keyType) return [];
    return [{file, line: i + 1, marker, names: parseNames(names), keyType, key}];
  });
}

function parseNames(names: string): KnownHostLine['names'] {
  const hashed = /^\|1\|([^|]+)\|([^|]+)$/.exec(names);
  if (hashed === null) return names.toLowerCase().split(',');
  return {salt: Buffer.from(hashed[1]!, 'base64'), hash: Buffer.from(hashed[2]!, 'base64')};
}

/** A host's name as known_hosts writes it: `[host]:port` unless the port is 22. */
export function knownName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** Collects what the lines say about one host. */
export function lookUp(lines: readonly KnownHostLine[], host: string, port: number): KnownKeys {
  const name = knownName(host, port);
  const about = lines.filter((line) => covers(line, name));
  const plain = port === 22 ? [] : lines.filter((line) => line.marker === 'none' && covers(line, knownName(host, 22)));
  return {
    keys: about.filter((line) => line.marker === 'none'),
    elsewhere: plain,
    revoked: about.filter((line) => line.marker === 'revoked'),
    authorities: about.filter((line) => line.marker === 'cert-authority'),
  };
}

/** Whether this host would be accepted or refused without asking anybody. */
export function isKnown(known: KnownKeys): boolean {
  return known.keys.length > 0 || known.authorities.length > 0;
}

/**
 * Judges a shown key. A host known by other keys only (of whatever type: its own type is asked for first) has changed.
 */
export function judgeKey(known: KnownKeys, key: Buffer): Verdict {
  const revoked = known.revoked.filter((line) => line.key.equals(key));
  if (revoked.length > 0) return {verdict: 'revoked', lines: revoked};
  if ([...known.keys, ...known.elsewhere].some((line) => line.key.equals(key))) return {verdict: 'known'};
  if (known.keys.length === 0) return {verdict: 'unknown'};
  const sameType = known.keys.filter((line) => line.keyType === keyTypeOf(key));
  return {verdict: 'changed', lines: sameType.length > 0 ? sameType : known.keys};
}

/** The signature algorithms of a key type, best first. */
function algorithmsOf(keyType: string): readonly string[] {
  return keyType === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : [keyType];
}

/** Orders host key algorithms so that the types already known of this host are asked for first. */
export function preferKnown(known: KnownKeys, algorithms: readonly string[]): readonly string[] {
  const lines = known.keys.length > 0 ? known.keys : known.elsewhere;
  const wanted = new Set(lines.flatMap((line) => algorithmsOf(line.keyType)));
  return [...algorithms.filter((name) => wanted.has(name)), ...algorithms.filter((name) => !wanted.has(name))];
}

/** `SHA256:…` as `ssh-keygen -l` prints it. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type that a public key in wire format names (RFC 4253, 6.6); '' when it is none. */
export function keyTypeOf(key: Buffer): string {
  if (key.length < 4) return '';
  const length = key.readUInt32BE(0);
  return length > 64 || key.length < 4 + length ? '' : key.toString('latin1', 4, 4 + length);
}

/** A line for a known_hosts file. `salt` (20 random bytes) hides the name, as `HashKnownHosts` wants. */
export function knownHostsLine(host: string, port: number, key: Buffer, salt?: Buffer): string {
  const name = knownName(host, port);
  const shown = salt === undefined ? name : `|1|${salt.toString('base64')}|${hashName(name, salt).toString('base64')}`;
  return `${shown} ${keyTypeOf(key)} ${key.toString('base64')}`;
}

function hashName(name: string, salt: Buffer): Buffer {
  return createHmac('sha1', salt).update(name).digest();
}

function covers(line: KnownHostLine, name: string): boolean {
  if ('salt' in line.names) return hashName(name, line.names.salt).equals(line.names.hash);
  let found = false;
  for (const pattern of line.names) {
    const negated = pattern.startsWith('!');
    if (!matchesPattern(name, negated ? pattern.slice(1) : pattern)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

/** `*` and `?` as ssh_config(5) PATTERNS has them, without ever going back more than one star. */
function matchesPattern(text: string, pattern: string): boolean {
  let t = 0;
  let p = 0;
  let star = -1;
  let retry = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      retry = t;
    } else if (pattern[p] === '?' || (p < pattern.length && pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++retry;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
