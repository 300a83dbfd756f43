// Puts back what a run has replaced, from the copies that `backup.ts` has made of it.
import {octal} from '../kit/mode.ts';
import {stdoutText, type Reply} from '../kit/reads.ts';
import {backupPlace, MANIFEST, storedName, type BackedUp} from './backup.ts';
import {exitStatus} from './exit-status.ts';
import type {Lowering} from './lower.ts';
import {lowerChmod, lowerChown, lowerLink, lowerRemove} from './lower-tree.ts';
import {writeHead, writeTail} from './lower-write.ts';
import {singleQuoted} from './script.ts';
import type {Fragment} from './session.ts';

/** Asks for the manifest of a run's copies in `directory`. Exit `exitStatus.missing` where the run has kept nothing. */
export function manifestFragment(directory: string): Fragment {
  const shell = `${backupPlace(directory)}cd -- "$b" 2>/dev/null || { echo "this host keeps no copies of that run" >&2; exit ${exitStatus.missing}; }
while IFS= read -r line; do
printf '%s\\n' "$line"
case $line in link*) p=\${line#* * * * * }; p=\${p#\\"}; readlink_of=files\${p%\\"}; if [ -f "$readlink_of" ]; then printf 'target '; od -An -v -tx1 <"$readlink_of" | tr -d ' \\n'; echo; fi ;; esac
done <${MANIFEST}`;
  return {shell, group: 0, onFailure: 'go-on', label: 'copies of an earlier run', secret: false, timeoutMs: 60_000};
}

/** The first state of each path, latest change first: the order in which to put them back. Lines that are none are left out. */
export function decodeManifest(reply: Reply): readonly BackedUp[] {
  const first = new Map<string, BackedUp>();
  const lines = stdoutText(reply).split('\n');
  for (const [at, line] of lines.entries()) {
    const entry = entryOf(line, lines[at + 1] ?? '');
    if (entry === undefined) continue;
    const before = first.get(entry.path);
    // A change of mode comes first, and the content was kept at a later change: both belong to what there was.
    if (before === undefined) first.set(entry.path, entry);
    else if (before.was === 'inode' && entry.was === 'file') {
      first.set(entry.path, {...entry, mode: before.mode, uid: before.uid, gid: before.gid});
    }
  }
  return [...first.values()].reverse();
}

function entryOf(line: string, next: string): BackedUp | undefined {
  const [, was, mode = '', uid, gid, mtime, json = ''] =
    /^(absent|file|inode|link) ([0-7]+) (\d+) (\d+) (\d+) (".*")$/.exec(line) ?? [];
  const path = pathOf(json);
  if (path === undefined) return undefined;
  const inode = {mode: parseInt(mode, 8), uid: Number(uid), gid: Number(gid)};
  if (was === 'absent') return {path, was};
  if (was === 'file') return {path, was, ...inode, mtimeS: Number(mtime), stored: storedName(path)};
  if (was === 'inode') return {path, was, ...inode};
  const hex = /^target ([0-9a-f]+)$/.exec(next)?.[1];
  // readlink has put a line break behind it
  return hex === undefined ? undefined : {path, was: 'link', target: Buffer.from(hex, 'hex').toString().slice(0, -1)};
}

function pathOf(json: string): string | undefined {
  try {
    const path: unknown = JSON.parse(json);
    return typeof path === 'string' && path.startsWith('/') ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Fragments that put one path back as it was. `directory` holds the copies; what is there now is kept in `context.backupDir`, as in any run. */
export function rollbackFragments(
  entry: BackedUp,
  directory: string,
  context: Omit<Lowering, 'content'>,
): readonly Fragment[] {
  return shellsOf(entry, directory, context).map((shell) => ({
    shell,
    group: context.group,
    onFailure: context.onFailure,
    label: context.label,
    secret: false,
    timeoutMs: context.timeoutMs,
  }));
}

function shellsOf(entry: BackedUp, directory: string, context: Pick<Lowering, 'backupDir'>): readonly string[] {
  const {path} = entry;
  switch (entry.was) {
    case 'absent':
      return [lowerRemove({op: 'remove', path}, context).shell];
    case 'link':
      return [lowerLink({op: 'link', path, target: entry.target, replace: true}, context).shell];
    case 'inode':
      return [
        lowerChown({op: 'chown', path, owner: String(entry.uid), group: String(entry.gid)}, context).shell,
        lowerChmod({op: 'chmod', path, mode: octal(entry.mode), follow: true}, {backupDir: undefined}).shell,
      ];
    case 'file': {
      const owner = {mode: octal(entry.mode), owner: String(entry.uid), group: String(entry.gid)};
      return [
        `${backupPlace(directory)}k=$b/${singleQuoted(entry.stored)}
${writeHead({path}, context.backupDir)}cat <"$k" >"$t" || die ${exitStatus.notWritten} "$p: its copy could not be read or written"
${writeTail(owner).replace('settle\n', `touch -d @${entry.mtimeS} -- "$t"\nsettle\n`)}`,
      ];
    }
  }
}
