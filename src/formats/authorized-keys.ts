/*
 * authorized_keys (sshd(8), AUTHORIZED_KEYS FILE FORMAT): `[options] type blob [comment]`. Foreign keys, comments, blank and
 * broken lines keep their bytes and their places. A key is its type and blob; the comment means nothing to sshd.
 */
import {insertRaw, lineBody, lineEnd, splitLines} from './text-lines.ts';

/** One option as written, the name in lower case, the value without its quotes. */
export type KeyOption = {readonly name: string; readonly value?: string};

export type AuthorizedKey = {
  readonly options: readonly KeyOption[];
  /** `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256`, `sk-…@openssh.com`, … */
  readonly type: string;
  /** base64, as in the file */
  readonly blob: string;
  readonly comment: string;
};

/** One line. `other`: comments, blank lines and lines that sshd cannot read. */
export type AuthorizedKeysLine =
  | {readonly kind: 'key'; readonly raw: string; readonly key: AuthorizedKey}
  | {readonly kind: 'other'; readonly raw: string};

export type AuthorizedKeys = {readonly lines: readonly AuthorizedKeysLine[]};

const keyPattern =
  /^((?:ssh-(?:ed25519|ed448|rsa|dss)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256))(?:-cert-v01)?(?:@openssh\.com)?)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t]+(.*))?$/s;

/** Reads a file. Never fails: what is not a key is kept as `other`. */
export function parseAuthorizedKeys(text: string): AuthorizedKeys {
  return {
    lines: splitLines(text).map((raw): AuthorizedKeysLine => {
      const key = parseKey(lineBody(raw));
      return key === undefined ? {kind: 'other', raw} : {kind: 'key', raw, key};
    }),
  };
}

/** The exact text again: `printAuthorizedKeys(parseAuthorizedKeys(t)) === t`. */
export function printAuthorizedKeys(file: AuthorizedKeys): string {
  return file.lines.map((line) => line.raw).join('');
}

/** Reads one line (or a public key file); undefined for a comment, a blank or broken line, or an unknown key type. */
export function parseKey(line: string): AuthorizedKey | undefined {
  const text = line.trim();
  if (text.startsWith('#')) return undefined;
  const plain = keyPattern.exec(text);
  if (plain !== null) return keyFrom([], plain);
  const end = optionsEnd(text);
  const options = end === undefined ? undefined : parseKeyOptions(text.slice(0, end));
  const match = keyPattern.exec(text.slice(end).trimStart());
  return options === undefined || match === null ? undefined : keyFrom(options, match);
}

function keyFrom(options: readonly KeyOption[], match: RegExpExecArray): AuthorizedKey {
  return {options, type: match[1] ?? '', blob: match[2] ?? '', comment: (match[3] ?? '').trim()};
}

/** Offset of the first blank outside quotes; undefined where there is none. */
function optionsEnd(text: string): number | undefined {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\' && text.charAt(at + 1) === '"') at++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && (char === ' ' || char === '\t')) return at;
  }
  return undefined;
}

/** Reads the options field; undefined where quotes or commas are wrong. The empty text has no options. */
export function parseKeyOptions(text: string): readonly KeyOption[] | undefined {
  const options: KeyOption[] = [];
  const option = /([A-Za-z0-9-]+)(?:="((?:\\"|[^"])*)")?(,|$)/y;
  let more = text !== '';
  while (more) {
    const match = option.exec(text);
    if (match === null) return undefined;
    const [, name = '', value, comma] = match;
    options.push({name: name.toLowerCase(), ...(value === undefined ? {} : {value: value.replaceAll('\\"', '"')})});
    more = comma === ',';
  }
  return options;
}

/** The options field: `restrict,permitopen="localhost:20001"`. */
export function renderKeyOptions(options: readonly KeyOption[]): string {
  return options
    .map(({name, value}) => (value === undefined ? name : `${name}="${value.replaceAll('"', '\\"')}"`))
    .join(',');
}

/** One line without terminator. */
export function renderKey(key: AuthorizedKey): string {
  return [renderKeyOptions(key.options), key.type, key.blob, key.comment].filter((part) => part !== '').join(' ');
}

/** Whether two lines carry the same key, whatever their options and comments say. */
export function sameKey(a: Pick<AuthorizedKey, 'type' | 'blob'>, b: Pick<AuthorizedKey, 'type' | 'blob'>): boolean {
  return a.type === b.type && a.blob.replace(/=+$/, '') === b.blob.replace(/=+$/, '');
}

/** What sshd makes of the options: switches read in sequence (`restrict` turns off what stands before it), lists as sorted sets. */
export type EffectiveOptions = {
  readonly restricted: boolean;
  readonly portForwarding: boolean;
  readonly agentForwarding: boolean;
  readonly x11Forwarding: boolean;
  readonly pty: boolean;
  readonly userRc: boolean;
  /** every other option: name to its values; `''` for an option without one */
  readonly others: Readonly<Record<string, readonly string[]>>;
};

const switches = {
  'port-forwarding': 'portForwarding',
  'agent-forwarding': 'agentForwarding',
  'x11-forwarding': 'x11Forwarding',
  pty: 'pty',
  'user-rc': 'userRc',
} as const;

/** What the options mean in effect. */
export function effectiveOptions(options: readonly KeyOption[]): EffectiveOptions {
  const open = {portForwarding: true, agentForwarding: true, x11Forwarding: true, pty: true, userRc: true};
  const state = {...open, restricted: false};
  const others = new Map<string, Set<string>>();
  for (const {name, value} of options) {
    const positive = name.replace(/^no-/, '');
    if (name === 'restrict') {
      for (const key of Object.keys(open) as (keyof typeof open)[]) state[key] = false;
      state.restricted = true;
    } else if (positive in switches) {
      state[switches[positive as keyof typeof switches]] = positive === name;
    } else {
      const values = name === 'from' ? (value ?? '').split(',').map((part) => part.trim()) : [value ?? ''];
      const known = others.get(name) ?? new Set<string>();
      for (const one of values) known.add(one);
      others.set(name, known);
    }
  }
  const sorted = [...others].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, values]) => [name, [...values].sort()]);
  return {...state, others: Object.fromEntries(sorted) as Record<string, readonly string[]>};
}

/** Whether two lists of options mean the same to sshd. */
export function sameOptions(a: readonly KeyOption[], b: readonly KeyOption[]): boolean {
  return JSON.stringify(effectiveOptions(a)) === JSON.stringify(effectiveOptions(b));
}

/** All keys in order. */
export function keysOf(file: AuthorizedKeys): readonly AuthorizedKey[] {
  return file.lines.flatMap((line) => (line.kind === 'key' ? [line.key] : []));
}

/**
 * The file with this key and these options. A line that has the key already is rewritten only if its options mean something else, or
 * its comment differs from a given (non-empty) one; further lines with the same key go away, because sshd would try their options too.
 * A new key stands at the end.
 */
export function setKey(file: AuthorizedKeys, key: AuthorizedKey): AuthorizedKeys {
  const first = file.lines.findIndex((line) => line.kind === 'key' && sameKey(line.key, key));
  if (first < 0) {
    const line: AuthorizedKeysLine = {kind: 'key', raw: `${renderKey(key)}\n`, key};
    return {lines: insertRaw(file.lines, file.lines.length, [line])};
  }
  const lines = file.lines.flatMap((line, index): AuthorizedKeysLine[] => {
    if (line.kind !== 'key' || !sameKey(line.key, key)) return [line];
    if (index !== first) return [];
    const comment = key.comment === '' ? line.key.comment : key.comment;
    const optionsAgree = sameOptions(line.key.options, key.options);
    if (optionsAgree && comment === line.key.comment) return [line];
    const now = {...line.key, comment, options: optionsAgree ? line.key.options : key.options};
    return [{kind: 'key', raw: renderKey(now) + lineEnd(line.raw), key: now}];
  });
  return {lines};
}

/** The file without any line of this key. */
export function removeKey(file: AuthorizedKeys, key: Pick<AuthorizedKey, 'type' | 'blob'>): AuthorizedKeys {
  return {lines: file.lines.filter((line) => line.kind !== 'key' || !sameKey(line.key, key))};
}

/** The file without any key that is not in `keys`; comments and broken lines, which let nobody in, stay. */
export function keepOnlyKeys(
  file: AuthorizedKeys,
  keys: readonly Pick<AuthorizedKey, 'type' | 'blob'>[],
): AuthorizedKeys {
  return {lines: file.lines.filter((line) => line.kind !== 'key' || keys.some((key) => sameKey(line.key, key)))};
}

/** `SHA256:…` as `ssh-keygen -l` shows it. `sha256` hashes bytes to 32 bytes. Throws on a blob that is not base64 (parsed keys always are). */
export function sha256Fingerprint(key: Pick<AuthorizedKey, 'blob'>, sha256: (bytes: Uint8Array) => Uint8Array): string {
  const bytes = Uint8Array.from(atob(key.blob), (char) => char.charCodeAt(0));
  return `SHA256:${btoa(String.fromCharCode(...sha256(bytes))).replace(/=+$/, '')}`;
}
