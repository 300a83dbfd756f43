// Puts back what a run has replaced, from the copies that `backup.ts` has made of it.
import {octal} from '../kit/mode.ts';
import {stdoutText, type Reply} from '../kit/reads.ts';
import {backupPlace, leftOf, look, MANIFEST, storedName, treeMadeOf, treeName, type BackedUp} from './backup.ts';
import {exitStatus} from './exit-status.ts';
import type {Lowering} from './lower.ts';
import {enterParent, placeOf} from './lower-place.ts';
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
    /^(absent|file|inode|link|tree|lost) ([0-7]+) (\d+) (\d+) (\d+) (".*")$/.exec(line) ?? [];
  const path = pathOf(json);
  if (path === undefined) return undefined;
  const inode = {mode: parseInt(mode, 8), uid: Number(uid), gid: Number(gid)};
  if (was === 'absent') return {path, was};
  if (was === 'file') return {path, was, ...inode, mtimeS: Number(mtime), stored: storedName(path)};
  if (was === 'inode') return {path, was, ...inode};
  if (was === 'tree') return {path, was, stored: treeName(path)};
  if (was === 'lost') return {path, was};
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
    case 'tree':
      return [
        `${backupPlace(directory)}k=$b/${singleQuoted(entry.stored)}
${enterParent(placeOf(path))}if [ -e "$n" ] || [ -L "$n" ]; then die ${exitStatus.unsafe} "refused: $p is there again"; fi
cp -a -- "$k" "$n" || die ${exitStatus.notWritten} "$p: its copy could not be read or written"
${treeMadeOf(context.backupDir)}`,
      ];
    case 'lost':
      return [`echo ${singleQuoted(`${path} was too big to be kept`)} >&2; exit ${exitStatus.missing}`];
    case 'file': {
      const owner = {mode: octal(entry.mode), owner: String(entry.uid), group: String(entry.gid)};
      return [
        `${backupPlace(directory)}k=$b/${singleQuoted(entry.stored)}
${writeHead({path, follow: true}, context.backupDir)}cat <"$k" >"$t" || die ${exitStatus.notWritten} "$p: its copy could not be read or written"
${writeTail(owner).replace('settle\n', `touch -d @${entry.mtimeS} -- "$t"\nsettle\n`)}
${leftOf(path, context.backupDir)}`,
      ];
    }
  }
}

/** How a unit stood before the run, in systemctl's words (`is-enabled`, `is-active`). */
export type UnitBefore = {readonly unit: string; readonly enabled: string; readonly active: string};

/** Everything that a host has kept of a run. `left`: what the run left at each path, as {@link lookFragment} tells it; `ran`: commands that nothing can undo. */
export type Kept = {
  readonly entries: readonly BackedUp[];
  readonly left: ReadonlyMap<string, string>;
  readonly units: readonly UnitBefore[];
  readonly ran: readonly string[];
};

/** Reads a whole manifest. */
export function decodeKept(reply: Reply): Kept {
  const left = new Map<string, string>();
  const units = new Map<string, UnitBefore>();
  const ran = new Set<string>();
  for (const line of stdoutText(reply).split('\n')) {
    const [, kind, first = '', second = '', json = ''] =
      /^(left|unit|ran) (\S+) (\S+ \S+ \S+|\S+ \S+ \S+ \S+) (".*")$/.exec(line) ?? [];
    if (kind === undefined) continue;
    const name = textOf(json);
    if (name === undefined) continue;
    if (kind === 'left') left.set(name, `${first} ${second}`);
    else if (kind === 'ran') ran.add(name);
    else if (!units.has(name)) units.set(name, {unit: name, enabled: first, active: second.split(' ')[0]!});
  }
  return {entries: decodeManifest(reply), left, units: [...units.values()], ran: [...ran]};
}

function textOf(json: string): string | undefined {
  try {
    const text: unknown = JSON.parse(json);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

/** What is at a path now: a line for what is there, `before` and what was kept of it, and whether it is the same. Both sides' texts follow where everybody on the host may read them. */
export function lookFragment(entry: BackedUp, directory: string): Fragment {
  const path = singleQuoted(entry.path);
  const stored = entry.was === 'file' ? singleQuoted(entry.stored) : '';
  const before =
    entry.was === 'file'
      ? `x=$(sha256sum <"$b"/${stored}) && echo "before file \${x%% *} ${entry.mode.toString(8)} ${entry.uid} ${entry.gid}"`
      : entry.was === 'inode'
        ? `echo "before inode - ${entry.mode.toString(8)} ${entry.uid} ${entry.gid}"`
        : entry.was === 'link'
          ? 'echo before link'
          : `echo "before ${entry.was}"`;
  const shell = `${backupPlace(directory)}${look}look ${path}
${before}
if [ -L ${path} ]; then echo "target $(readlink -- ${path}; echo .)"; fi`;
  return {shell, group: 0, onFailure: 'go-on', label: `looking at ${entry.path}`, secret: false, timeoutMs: 60_000};
}

/** What is at a path, and whether it is as it was before the run already. *shape*: `now` a line `TYPE SHA256 MODE UID GID`. */
export function decodeLook(entry: BackedUp, reply: Reply): {readonly now: string; readonly isBefore: boolean} {
  const [now = '', before = '', ...rest] = stdoutText(reply).trimEnd().split('\n');
  const [type = '', sha = '', mode = '', uid = '', gid = ''] = now.split(' ');
  switch (entry.was) {
    case 'absent':
      return {now, isBefore: type === 'absent'};
    case 'tree':
    case 'lost':
      return {now, isBefore: type === 'directory'};
    case 'link':
      return {now, isBefore: type === 'link' && rest.join('\n') === `target ${entry.target}\n.`};
    case 'inode':
      return {now, isBefore: `${mode} ${uid} ${gid}` === before.split(' ').slice(3).join(' ')};
    case 'file':
      return {now, isBefore: before === `before ${type} ${sha} ${mode} ${uid} ${gid}`};
  }
}

/** Both texts of a file that was kept, one fragment each; bytes only where everybody on the host may read the file, so that no secret is shown. */
export function textFragments(entry: Extract<BackedUp, {was: 'file'}>, directory: string): readonly Fragment[] {
  const path = singleQuoted(entry.path);
  const head = `${backupPlace(directory)}k=$b/${singleQuoted(entry.stored)}
case ${entry.mode.toString(8)} in *[4567]) ;; *) exit 0 ;; esac
if [ -f ${path} ]; then case $(stat -L -c %a -- ${path}) in *[4567]) ;; *) exit 0 ;; esac; fi
for f in "$k" ${path}; do if [ -f "$f" ] && [ "$(wc -c <"$f")" -gt 262144 ]; then exit 0; fi; done
`;
  return [`cat <"$k"`, `[ ! -f ${path} ] || cat <${path}`].map((show) => ({
    shell: `${head}echo shown
${show}`,
    group: 0,
    onFailure: 'go-on' as const,
    label: `reading ${entry.path}`,
    secret: true,
    timeoutMs: 60_000,
  }));
}
