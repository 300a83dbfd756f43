/* A known_hosts file line by line: other hosts' lines, comments and order stay. *source*: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
import {insertRaw, lineBody, splitLines} from './text-lines.ts';

/** Names may be patterns, or one hashed name (`|1|salt|hash`). */
export type HostKeyLine = {
  readonly raw: string;
  readonly entry?: {
    readonly marker: string;
    readonly names: readonly string[];
    readonly type: string;
    readonly blob: string;
    readonly comment: string;
  };
};
export type HostKeys = {readonly lines: readonly HostKeyLine[]};

/** HMAC-SHA1 of a name under a salt, both and the result base64; the formats compute nothing themselves. */
export type HashName = (saltBase64: string, name: string) => string;

export function parseHostKeys(text: string): HostKeys {
  return {lines: splitLines(text).map(parseLine)};
}

export function printHostKeys(file: HostKeys): string {
  return file.lines.map(({raw}) => raw).join('');
}

/** What `ssh-keyscan` and the file have in a line: type, key and perhaps names in front. Undefined where there is no key. */
export function parseHostKey(line: string): {readonly type: string; readonly blob: string} | undefined {
  const words = line.trim().split(/\s+/);
  const at = words.findIndex((word) => keyType.test(word));
  const [type, blob] = words.slice(at, at + 2);
  return at < 0 || type === undefined || blob === undefined || !base64.test(blob) ? undefined : {type, blob};
}

/** Whether a line speaks of a host by its exact name, plain or hashed. Patterns do not count: they are about others too. */
export function namesHost(line: HostKeyLine, host: string, hash: HashName): boolean {
  return line.entry?.marker === '' && line.entry.names.some((name) => isHost(name, host, hash));
}

/**
 * The host with this key, and without any other key of the same type. The line that has the place of an old key keeps its place. A hashed entry
 * stays hashed; `salt` (base64, 20 bytes) hashes the name of a new one.
 */
export function setHostKey(
  file: HostKeys,
  host: string,
  key: {readonly type: string; readonly blob: string},
  hash: HashName,
  salt?: string,
): HostKeys {
  const about = file.lines.filter((line) => namesHost(line, host, hash) && line.entry?.type === key.type);
  const right = about.find((line) => line.entry?.blob === key.blob);
  if (right !== undefined)
    return without(
      file,
      host,
      hash,
      (line) => line.entry?.type === key.type && line !== right && line.entry.blob !== key.blob,
    );
  const name = salt === undefined ? host : `|1|${salt}|${hash(salt, host)}`;
  const line = parseLine(`${name} ${key.type} ${key.blob}\n`);
  const at = about.length === 0 ? file.lines.length : file.lines.indexOf(about[0]!);
  const cleaned = without(file, host, hash, (other) => other.entry?.type === key.type);
  const kept = file.lines.slice(0, at).filter((before) => cleaned.lines.some((c) => c === before)).length;
  return {lines: insertRaw(cleaned.lines, about.length === 0 ? cleaned.lines.length : Math.max(kept, 0), [line])};
}

/** The host without keys; with `key`, without this one only. A line that names others too loses only the name. */
export function removeHostKey(
  file: HostKeys,
  host: string,
  hash: HashName,
  key?: {readonly type: string; readonly blob: string},
): HostKeys {
  return without(
    file,
    host,
    hash,
    (line) => key === undefined || (line.entry?.type === key.type && line.entry.blob === key.blob),
  );
}

function without(file: HostKeys, host: string, hash: HashName, which: (line: HostKeyLine) => boolean): HostKeys {
  const lines = file.lines.flatMap((line): readonly HostKeyLine[] => {
    if (!namesHost(line, host, hash) || !which(line)) return [line];
    const names = line.entry!.names.filter((name) => !isHost(name, host, hash));
    if (names.length === 0) return [];
    return [parseLine(line.raw.replace(/\S+/, names.join(',')))];
  });
  return lines.length === file.lines.length && lines.every((line, i) => line === file.lines[i]) ? file : {lines};
}

function isHost(name: string, host: string, hash: HashName): boolean {
  const hashed = /^\|1\|([^|]+)\|([^|]+)$/.exec(name);
  return hashed === null
    ? name.toLowerCase() === host.toLowerCase()
    : hash(hashed[1]!, host.toLowerCase()) === hashed[2];
}

const keyType = /^(?:sk-)?(?:ssh|ecdsa)-[A-Za-z0-9@.-]+$/;
const base64 = /^[A-Za-z0-9+/]{20,}={0,2}$/;

function parseLine(raw: string): HostKeyLine {
  const words = lineBody(raw).trim().split(/\s+/);
  const marker = words[0]?.startsWith('@') === true ? words.shift()! : '';
  const [names = '', type = '', blob = '', ...comment] = words;
  if (names.startsWith('#') || !keyType.test(type) || !base64.test(blob)) return {raw};
  return {raw, entry: {marker, names: names.split(','), type, blob, comment: comment.join(' ')}};
}
