import type {Secret} from '../base/secret.ts';
import {sha256} from './content.ts';
import {fileKey, unitKey, unitName, type Key} from './key.ts';
import type {ShellText} from './shell.ts';
import type {Probe} from './probe.ts';

/** What a fragment answered. `exit` is the shell's: 126/127 not runnable, 128+n killed by signal n. */
export type Reply = {readonly exit: number; readonly stdout: Uint8Array; readonly stderr: Uint8Array};

/** When the bytes of a file travel: always, never, or unless its digest is this one (hex SHA-256). */
export type WantContent = 'always' | 'never' | {readonly unless: string};

/** One file, by lstat; all file reads of a batch share one `stat` and one checksum. */
export type FileRead = {
  readonly read: 'file';
  readonly key: Key;
  readonly path: string;
  readonly content: WantContent;
  readonly maxBytes: number;
  readonly secret: boolean;
};
/** One systemd unit; all of a batch share one `systemctl show`. */
export type UnitRead = {readonly read: 'unit'; readonly key: Key; readonly unit: string};
/** One package by its name in the distribution's database; all of a batch share one query. */
export type PackageRead = {readonly read: 'package'; readonly key: Key; readonly name: string};
/** One account by `getent passwd`, with its groups and (as root) its shadow entry. */
export type AccountRead = {readonly read: 'account'; readonly key: Key; readonly name: string};
/** One group by `getent group`. */
export type GroupRead = {readonly read: 'group'; readonly key: Key; readonly name: string};
/** A fragment of shell that only reads. `dependsOn` says which changes make its reply stale. */
export type RawRead = {
  readonly read: 'raw';
  readonly key: Key;
  readonly dependsOn: readonly Key[];
  readonly fragment: ShellText;
  readonly stdin?: string | Secret;
  readonly secret: boolean;
  readonly timeoutMs: number;
  readonly parse: (reply: Reply) => unknown;
};
export type Read = FileRead | UnitRead | PackageRead | AccountRead | GroupRead | RawRead;

/**
 * State of a path. *units*: `mode` is the permission bits (07777) as a number, `mtimeS` seconds since the epoch.
 * `sha256` (hex) is there for readable regular files, `content` where it was wanted (see {@link WantContent}) and the file is not larger
 * than `maxBytes`. `target` is a link's text, `followed` what the whole chain leads to. `denied`: there, but not readable by this user.
 */
export type FileState =
  | {readonly type: 'absent'}
  | ({readonly type: 'file'; readonly sha256?: string; readonly content?: Uint8Array; readonly denied?: true} & Inode)
  | ({readonly type: 'directory'} & Inode)
  | ({readonly type: 'link'; readonly target: string; readonly followed: FileState} & Inode)
  | ({readonly type: 'other'; readonly kind: string} & Inode);
export type Inode = {
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeS: number;
};

/**
 * State of a unit, by `systemctl show`. `load`: `loaded`, `not-found`, `masked`, …; `active`: `active`, `inactive`, `failed`, …;
 * `enabled`: the UnitFileState (`enabled`, `disabled`, `static`, `generated`, `masked`, …, '' when there is none).
 * `startedS`: seconds since the epoch of the last start, 0 = never. `type: 'none'` where the host has no systemd.
 */
export type UnitState =
  | {readonly type: 'none'}
  | {
      readonly type: 'unit';
      readonly load: string;
      readonly active: string;
      readonly sub: string;
      readonly enabled: string;
      readonly startedS: number;
      readonly mainPid: number;
      readonly needsReload: boolean;
      readonly fragmentPath: string;
    };

/** State of a package. `candidate`: the version that the package lists on the host would install, '' = unknown or none. */
export type PackageState = {
  readonly installed: boolean;
  readonly version: string;
  readonly candidate: string;
  readonly held: boolean;
};

/** State of an account. `password` is the shadow field, read only as root: `undefined` = not readable; `expires` in days since the epoch. */
export type AccountState =
  | {readonly type: 'absent'}
  | {
      readonly type: 'account';
      readonly uid: number;
      readonly gid: number;
      readonly gecos: string;
      readonly home: string;
      readonly shell: string;
      readonly primaryGroup: string;
      readonly groups: readonly string[];
      readonly password?: Secret;
      readonly expires?: number;
    };
export type GroupState =
  {readonly type: 'absent'} | {readonly type: 'group'; readonly gid: number; readonly members: readonly string[]};

/**
 * Reads one path (lstat; a link also gives what it leads to).
 * `content` defaults to `never`; `secret` keeps content out of every log and diff. *units*: `maxBytes` bytes, default 1 MiB.
 */
export function file(
  path: string,
  options: {content?: WantContent; maxBytes?: number; secret?: boolean} = {},
): Probe<FileState> {
  const read: FileRead = {
    read: 'file',
    key: fileKey(path),
    path,
    content: options.content ?? 'never',
    maxBytes: options.maxBytes ?? 1024 * 1024,
    secret: options.secret ?? false,
  };
  return one(read);
}

/** Reads a systemd unit (`ssh` = `ssh.service`). */
export function unit(name: string): Probe<UnitState> {
  return one({read: 'unit', key: unitKey(name), unit: unitName(name)});
}

/** Reads an installed package by its distribution name (dpkg, rpm or apk database). */
export function packageState(name: string): Probe<PackageState> {
  return one({read: 'package', key: `package:${name}`, name});
}

/** Reads an account through NSS. */
export function account(name: string): Probe<AccountState> {
  return one({read: 'account', key: `account:${name}`, name});
}

/** Reads a group through NSS. */
export function group(name: string): Probe<GroupState> {
  return one({read: 'group', key: `group:${name}`, name});
}

/**
 * Reads with a fragment of the author's. It must not change a byte on the host (the laws check that) and gets `stdin`
 * from there or from /dev/null. `parse` is pure. *units*: `timeoutMs` milliseconds, default 60 s.
 */
export function read<T>(
  fragment: ShellText,
  parse: (reply: Reply) => T,
  options: {dependsOn: readonly Key[]; stdin?: string | Secret; secret?: boolean; timeoutMs?: number},
): Probe<T> {
  return one({
    read: 'raw',
    key: `raw:${fragment.shell}${options.stdin === undefined ? '' : `\n#${sha256(options.stdin)}`}`,
    dependsOn: options.dependsOn,
    fragment,
    ...(options.stdin === undefined ? {} : {stdin: options.stdin}),
    secret: options.secret ?? false,
    timeoutMs: options.timeoutMs ?? 60_000,
    parse,
  });
}

/** A reply's stdout as UTF-8 text (invalid bytes become U+FFFD). */
export function stdoutText(reply: Reply): string {
  return new TextDecoder().decode(reply.stdout);
}

function one<T>(read: Read): Probe<T> {
  return {reads: [read], join: ([value]) => value as T};
}
