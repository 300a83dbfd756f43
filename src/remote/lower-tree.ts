// Ops on names in directories: each enters the parent directory safely and works by relative name there.
import type {PlainOp} from '../kit/op.ts';
import {backupOf, inodeBackupOf, leftOf, linkBackupOf, madeBackupOf, treeBackupOf} from './backup.ts';
import {exitStatus} from './exit-status.ts';
import type {Lowered, Lowering} from './lower.ts';
import {die, enter, enterParent, followTarget, placeOf} from './lower-place.ts';
import {modeWord, NEW_FILE_MODE} from './lower-write.ts';
import {isSystemPath} from './system-paths.ts';
import {singleQuoted} from './script.ts';

type OpOf<K extends PlainOp['op']> = Extract<PlainOp, {op: K}>;
type Kept = Pick<Lowering, 'backupDir'>;

/** Owner and mode of what `$f` names; owner first, because a change of owner may clear set-id bits. */
function dress(op: {readonly mode?: string; readonly owner?: string; readonly group?: string}): string {
  const who = ownerWord(op);
  return [
    ...(who === ''
      ? []
      : [`chown -- ${singleQuoted(who)} "$f" || die ${exitStatus.notWritten} "$p: owner and group cannot be set"`]),
    ...(op.mode === undefined
      ? []
      : [`chmod -- ${modeWord(op.mode)} "$f" || die ${exitStatus.notWritten} "$p: mode cannot be set"`]),
    ':',
  ].join('\n');
}

/** As chown takes it: `user`, `user:group` or `:group`; '' for neither. */
function ownerWord({owner, group}: {readonly owner?: string; readonly group?: string}): string {
  return `${owner ?? ''}${group === undefined ? '' : `:${group}`}`;
}

/**
 * Lowers a `mkdir`. With `parents` the directories above come into being with the same owner and mode (as Ansible's `file` does it);
 * those that are there stay as they are. The directory itself gets what the op says, new or not.
 */
export function lowerMkdir(op: OpOf<'mkdir'>, context: Kept): Lowered {
  const {path} = placeOf(op.path);
  const dressing = `f=.\n${dress(op)}`;
  const isDressed = op.mode !== undefined || ownerWord(op) !== '';
  return {
    shell: `${die}${enter}p=${singleQuoted(path)}
set --
d=$p
while ! [ -d "$d" ] && [ -n "$d" ]; do
if [ -e "$d" ] || [ -L "$d" ]; then die ${exitStatus.unsafe} "$d is there and is not a directory"; fi
set -- "\${d##*/}" "$@"
d=\${d%/*}
done
${op.parents === true ? '' : `[ $# -le 1 ] || die ${exitStatus.missing} "$d does not have the directories above $p"\n`}enter "\${d:-/}"
i=$((${path.split('/').length - 1}-$#))
${madeBackupOf(path, context.backupDir)}${
      isDressed
        ? `if [ $# -eq 0 ]; then
n=.
${inodeBackupOf(path, context.backupDir)}:
fi
`
        : ''
    }for c do
i=$((i+1))
made $i || die ${exitStatus.notWritten} "$p: the note that it was not there could not be written"
mkdir -m 0755 -- "./$c" || die ${exitStatus.notWritten} "$p: $c could not be made"
cd -P -- "./$c" || die ${exitStatus.unsafe} "$p: $c has just changed"
${dressing}
done
${dressing}
if [ $# -gt 0 ] && [ -e /sys/fs/selinux/enforce ] && command -v restorecon >/dev/null; then restorecon -- "$p"; fi
${leftOf(path, context.backupDir)}
:`,
  };
}

/** Makes a private directory `$t`, in which a new name can be made before it is put in place. */
const workshop = `t=
trap '[ -z "$t" ] || rm -rf -- "$t"' EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM
for o in ./.tsplay-??????.tmp ./.tsplay-??????; do
if [ -d "$o" ] && [ ! -L "$o" ] && [ -O "$o" ]; then rm -rf -- "$o"; fi
done
t=$(mktemp -d ./.tsplay-XXXXXX.tmp 2>/dev/null || mktemp -d ./.tsplay-XXXXXX) || die ${exitStatus.notWritten} "$p: nothing can be made in $PWD"
`;

/** Lowers a `link`. `replace` puts it in the place of a file or another link in one step; never of a directory. */
export function lowerLink(op: OpOf<'link'>, context: Kept): Lowered {
  const place = placeOf(op.path);
  const target = singleQuoted(op.target);
  const present =
    op.hard === true
      ? `[ "$(stat -c %d:%i -- "$n")" != "$(stat -L -c %d:%i -- ${target})" ] || exit 0`
      : `if [ -L "$n" ] && [ "$(readlink -- "$n"; echo .)" = ${target}"
." ]; then exit 0; fi`;
  return {
    shell: `${enterParent(place)}if [ -d "$n" ] && [ ! -L "$n" ]; then die ${exitStatus.unsafe} "refused: $p is a directory"; fi
old=
if [ -e "$n" ] || [ -L "$n" ]; then
${present}
${op.replace === true ? '' : `die ${exitStatus.unsafe} "$p is there already"\n`}if [ -L "$n" ]; then
:
${linkBackupOf(place.path, context.backupDir)}elif [ -f "$n" ]; then
old=$(stat -c '%a %u %g %Y' -- "$n") || die ${exitStatus.moved} "$p: has just gone"
${backupOf(place.path, context.backupDir)}fi
else
:
${backupOf(place.path, context.backupDir)}fi
${workshop}ln ${op.hard === true ? '' : '-s '}-- ${target} "$t/new" || die ${exitStatus.notWritten} "$p: the link could not be made"
mv -fT -- "$t/new" "$n" 2>/dev/null || {
if [ -d "$n" ]; then rm -f -- "$n" || die ${exitStatus.notWritten} "$p: could not be replaced"; fi
mv -f -- "$t/new" "$n" || die ${exitStatus.notWritten} "$p: could not be put in place"
}
${leftOf(place.path, context.backupDir)}
:`,
  };
}

/** Lowers a `chmod`. A symbolic link has no mode of its own: it is refused, or followed when the op says so. */
export function lowerChmod(op: OpOf<'chmod'>, context: Kept): Lowered {
  const place = placeOf(op.path);
  return {
    shell: `${enterParent(place)}${op.follow === true ? followTarget : ''}${present}[ ! -L "$n" ] || die ${exitStatus.unsafe} "refused: $p is a symbolic link"
${inodeBackupOf(place.path, context.backupDir)}f=$n
${dress({mode: op.mode})}
${leftOf(place.path, context.backupDir)}`,
  };
}

/** Lowers a `chown`. Without `follow` a symbolic link itself changes its owner. */
export function lowerChown(op: OpOf<'chown'>, context: Kept): Lowered {
  const place = placeOf(op.path);
  const who = ownerWord(op);
  if (who === '') throw new TypeError('a chown needs an owner or a group');
  // Set-id bits that the change of owner clears belong to the old owner's trust; who wants them sets the mode behind it.
  return {
    shell: `${enterParent(place)}${op.follow === true ? followTarget : ''}${present}${inodeBackupOf(place.path, context.backupDir)}chown -h -- ${singleQuoted(who)} "$n" || die ${exitStatus.notWritten} "$p: owner and group cannot be set"
${leftOf(place.path, context.backupDir)}`,
  };
}

const present = `if ! [ -e "$n" ] && ! [ -L "$n" ]; then die ${exitStatus.missing} "$p is not there"; fi
`;

/**
 * Lowers a `remove`. What is not there is fine. A directory needs `recurse` unless it is empty; what a system cannot live without is
 * refused, and so is a tree that something is mounted in.
 */
export function lowerRemove(op: OpOf<'remove'>, context: Kept): Lowered {
  const place = placeOf(op.path);
  if (isSystemPath(place.path)) {
    return {shell: `${die}die ${exitStatus.unsafe} ${singleQuoted(`refused: ${place.path} belongs to the system`)}`};
  }
  const escaped = '$(printf %s "$PWD/${n#./}" | sed \'s/\\\\/\\\\134/g; s/ /\\\\040/g; s/\t/\\\\011/g\')';
  return {
    shell: `[ -d ${singleQuoted(place.directory)} ] || exit 0
${enterParent(place)}if ! [ -e "$n" ] && ! [ -L "$n" ]; then exit 0; fi
if [ -d "$n" ] && [ ! -L "$n" ]; then
case "$PWD/\${n#./}" in "$p") ;; *) case "$PWD" in /|/etc|/usr|/boot|/dev|/proc|/sys) die ${exitStatus.unsafe} "refused: $p is in truth $PWD/\${n#./}" ;; esac ;; esac
${
  op.recurse === true
    ? `case $PWD$n in *' '*|*\\\\*|*'	'*) q=${escaped} ;; *) q=\${PWD%/}/\${n#./} ;; esac
while read -r _ _ _ _ m _; do
case $m in "$q"|"$q"/*) die ${exitStatus.unsafe} "refused: $m is a mount point; unmount it first" ;; esac
done </proc/self/mountinfo
${treeBackupOf(place.path, context.backupDir)}rm -rf -- "$n" || die ${exitStatus.notWritten} "$p: could not be removed"`
    : `[ -z "$(ls -A -- "$n")" ] || die ${exitStatus.unsafe} "refused: $p is a directory with something in it, and the task did not ask for a recursive removal"
${treeBackupOf(place.path, context.backupDir)}rmdir -- "$n" || die ${exitStatus.unsafe} "refused: $p is a directory with something in it, and the task did not ask for a recursive removal"`
}
else
if [ -L "$n" ]; then
:
${linkBackupOf(place.path, context.backupDir)}elif [ -f "$n" ]; then
old=$(stat -c '%a %u %g %Y' -- "$n") || exit 0
${backupOf(place.path, context.backupDir)}fi
rm -f -- "$n" || die ${exitStatus.notWritten} "$p: could not be removed"
fi
${leftOf(place.path, context.backupDir)}`,
  };
}

/** Lowers a `touch`: makes an empty file, or gives the one that is there the time of now. */
export function lowerTouch(op: OpOf<'touch'>, context: Kept): Lowered {
  const {mode, ...rest} = op;
  const place = placeOf(op.path);
  const isDressed = mode !== undefined || ownerWord(op) !== '';
  return {
    shell: `${enterParent(place)}[ ! -L "$n" ] || die ${exitStatus.unsafe} "refused: $p is a symbolic link"
f=$n
if [ -e "$n" ]; then
${isDressed ? inodeBackupOf(place.path, context.backupDir) : ''}touch -- "$n" || die ${exitStatus.notWritten} "$p: its time cannot be set"
${dress(op)}
else
old=
${backupOf(place.path, context.backupDir)}( umask 077; set -C; : >"$n" ) || die ${exitStatus.notWritten} "$p: could not be made"
${dress({...rest, mode: mode ?? NEW_FILE_MODE})}
fi
${leftOf(place.path, context.backupDir)}`,
  };
}
