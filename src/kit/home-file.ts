import {sha256} from './content.ts';
import type {Key} from './key.ts';
import type {Probe} from './probe.ts';
import {read, type FileState, type Inode, type Reply} from './reads.ts';
import {rawShell, sh} from './shell.ts';

/**
 * A file whose place follows from an account (`~uvmb/.ssh/authorized_keys`), with the folders that lead to it. `path` is undefined where
 * there is no such account. The states of folders have no content.
 */
export type HomeFile = {
  readonly path: string | undefined;
  readonly home: string;
  readonly homeState: FileState;
  readonly folder: FileState;
  readonly file: FileState;
};

/**
 * Reads a file below an account's home, or at `path` where that is given: home and content are read together on the host, since no read
 * may depend on another. Without `user` the account is the one that reads. *units*: content up to 1 MiB; a larger file counts as not readable.
 */
export function homeFile(user: string | undefined, relative: string, path?: string): Probe<HomeFile> {
  const who = user === undefined ? rawShell('"$(id -un)"') : sh`${user}`;
  const line = user === undefined ? rawShell('"^$(id -un):"') : sh`${`^${user}:`}`;
  const place = path === undefined ? sh`"$h"/${relative}` : sh`${path}`;
  const fragment = sh`e=$(getent passwd ${who} 2>/dev/null || grep ${line} /etc/passwd) || exit 3
h=$(printf '%s\n' "$e" | cut -d: -f6); f=${place}; d=$(dirname -- "$f")
printf '%s\n' "$f" "$h"
for x in "$h" "$d" "$f"; do stat -c '%F|%a|%U|%G|%u|%g|%s|%Y' -- "$x" 2>/dev/null || echo absent; done
if [ -f "$f" ] && [ ! -L "$f" ]; then head -c 1048577 -- "$f" || exit 4; fi`;
  const dependsOn: Key[] = [
    user === undefined ? 'account:*' : `account:${user}`,
    ...(path === undefined ? (['tree:/home', 'tree:/root'] as const) : [`file:${path}` as const]),
  ];
  return read(fragment, parse, {dependsOn});
}

function parse(reply: Reply): HomeFile {
  const absent: FileState = {type: 'absent'};
  if (reply.exit === 3) return {path: undefined, home: '', homeState: absent, folder: absent, file: absent};
  const heads: string[] = [];
  let at = 0;
  while (heads.length < 5) {
    const end = reply.stdout.indexOf(10, at);
    heads.push(new TextDecoder().decode(reply.stdout.subarray(at, end < 0 ? undefined : end)));
    at = end < 0 ? reply.stdout.length : end + 1;
  }
  const [path = '', home = '', homeState = 'absent', folder = 'absent', file = 'absent'] = heads;
  const content = reply.stdout.subarray(at);
  const state = stateOf(file);
  return {
    path,
    home,
    homeState: stateOf(homeState),
    folder: stateOf(folder),
    file:
      state.type !== 'file'
        ? state
        : reply.exit !== 0 || content.length > 1024 * 1024
          ? {...state, denied: true}
          : {...state, content, sha256: sha256(content)},
  };
}

/** A line of `stat -c '%F|%a|%U|%G|%u|%g|%s|%Y'`. */
function stateOf(line: string): FileState {
  const [kind = '', mode = '0', owner = '', group = '', uid = '0', gid = '0', size = '0', mtime = '0'] =
    line.split('|');
  const inode: Inode = {
    mode: parseInt(mode, 8),
    owner,
    group,
    uid: Number(uid),
    gid: Number(gid),
    sizeBytes: Number(size),
    mtimeS: Number(mtime),
  };
  if (kind === 'absent' || kind === '') return {type: 'absent'};
  if (kind === 'directory') return {type: 'directory', ...inode};
  if (kind.startsWith('regular')) return {type: 'file', ...inode};
  if (kind === 'symbolic link') return {type: 'link', target: '', followed: {type: 'absent'}, ...inode};
  return {type: 'other', kind, ...inode};
}
