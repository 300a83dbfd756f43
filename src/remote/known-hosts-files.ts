// The known_hosts files of this machine: read once as long as they do not change, added to without ever being cut short.
import {randomBytes} from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import {dirname} from 'node:path';
import {knownHostsLine, lookUp, parseKnownHosts, type KnownHostLine, type KnownKeys} from './known-hosts.ts';

/** A key to be trusted from now on. `hashed` hides the name in the file. */
export type NewHostKey = {readonly host: string; readonly port: number; readonly key: Buffer; readonly hashed: boolean};

const NO_LINES: readonly KnownHostLine[] = [];

/** Reads known_hosts files; files that do not exist are empty. */
export class KnownHostsFiles {
  readonly #read = new Map<string, {readonly stamp: string; readonly lines: readonly KnownHostLine[]}>();

  readonly #known = new Map<
    string,
    {readonly lines: readonly (readonly KnownHostLine[])[]; readonly keys: KnownKeys}
  >();

  /** What the files know of a host; remembered, because hashed names make the search costly. */
  knownKeys(files: readonly string[], host: string, port: number): KnownKeys {
    const lines = files.map((file) => this.#linesOf(file));
    const key = JSON.stringify([files, host, port]);
    const known = this.#known.get(key);
    if (known?.lines.every((of, i) => of === lines[i]) === true) return known.keys;
    const keys = lookUp(lines.flat(), host, port);
    this.#known.set(key, {lines, keys});
    return keys;
  }

  /** The lines of several files, one after the other. *errors*: throws when a file exists and cannot be read. */
  lines(files: readonly string[]): readonly KnownHostLine[] {
    return files.flatMap((file) => this.#linesOf(file));
  }

  #linesOf(file: string): readonly KnownHostLine[] {
    const stat = statSync(file, {throwIfNoEntry: false});
    if (stat === undefined) return NO_LINES;
    const stamp = `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
    const known = this.#read.get(file);
    if (known?.stamp === stamp) return known.lines;
    const lines = parseKnownHosts(readFileSync(file, 'utf8'), file);
    this.#read.set(file, {stamp, lines});
    return lines;
  }
}

/** Adds keys to a known_hosts file (0600; made with its directory, 0700, where missing): all of them or, on any failure, none. */
export function appendKnownHosts(file: string, entries: readonly NewHostKey[]): void {
  if (entries.length === 0) return;
  mkdirSync(dirname(file), {recursive: true, mode: 0o700});
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const text = entries
    .map(({host, port, key, hashed}) => `${knownHostsLine(host, port, key, hashed ? randomBytes(20) : undefined)}\n`)
    .join('');
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, before + (before === '' || before.endsWith('\n') ? '' : '\n') + text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}
