// A file is made whole beside its place and then put there in one step: readers see the old one or the new one, and whatever fails
// on the way leaves the old one.
import {Secret} from '../base/secret.ts';
import {bytesOf} from '../kit/content.ts';
import type {Argv, WriteOp} from '../kit/op.ts';
import {backupOf, leftOf} from './backup.ts';
import {exitStatus} from './exit-status.ts';
import type {Lowered, Lowering} from './lower.ts';
import {enterParent, followTarget, placeOf} from './lower-place.ts';
import {singleQuoted} from './script.ts';

/** Permissions of a new file when nothing is said of them. */
export const NEW_FILE_MODE = '0644';

/**
 * Defines `candidate`: makes an empty file of ours (0600) with a name that sudoers.d, cron.d and sshd's `*.conf` ignore, as `$t`, and takes
 * away what a run that was cut off has left here. busybox's mktemp wants the X at the end of the name.
 */
export const candidate = `candidate() {
for o in ./.tsplay-??????.tmp ./.tsplay-??????; do
if [ -f "$o" ] && [ ! -L "$o" ] && { [ -O "$o" ] || [ "$(id -u)" = 0 ]; }; then rm -f -- "$o"; fi
done
t=
trap '[ -z "$t" ] || rm -f -- "$t"' EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 141' PIPE; trap 'exit 143' TERM
t=$(umask 077; mktemp ./.tsplay-XXXXXX.tmp 2>/dev/null || mktemp ./.tsplay-XXXXXX) || die ${exitStatus.notWritten} "$p: no file can be made in $PWD"
}
`;

/** Defines `settle`: puts the candidate `$t` in the place of `$n`, which may not be a directory (`mv` would put it inside). */
export const settle = `settle() {
sync "$t" 2>/dev/null || sync
mv -fT -- "$t" "$n" 2>/dev/null || {
if [ -d "$n" ] && [ ! -L "$n" ]; then die ${exitStatus.unsafe} "$p has just become a directory"; fi
mv -f -- "$t" "$n" || die ${exitStatus.notWritten} "$p: could not be put in place"
}
t=
sync . 2>/dev/null
:
}
`;

/** Lowers a `write`. The old file's owner, group and mode stay where the op says nothing of them. */
export function lowerWrite(op: WriteOp, context: Pick<Lowering, 'backupDir' | 'content'>): Lowered {
  const bytes = bytesOf(context.content);
  const isSecret = context.content instanceof Secret;
  const shell = `${writeHead(op, op.noBackup === true ? undefined : context.backupDir)}cat >"$t" || die ${exitStatus.notWritten} "$p: could not be written"
[ "$(wc -c <"$t")" -eq ${bytes.length} ] || die ${exitStatus.notWritten} "$p: only a part of it has arrived"
${writeTail(op)}
${leftOf(placeOf(op.path).path, op.noBackup === true ? undefined : context.backupDir)}`;
  return {shell, stdin: isSecret ? context.content : bytes, ...(isSecret ? {secret: true} : {})};
}

/** Everything before the bytes: the place, what is there now, its copy, and an empty candidate. */
export function writeHead(op: Pick<WriteOp, 'path' | 'follow'>, backupDir: string | undefined): string {
  const place = placeOf(op.path);
  return `${enterParent(place)}${op.follow === true ? followTarget : ''}[ ! -L "$n" ] || die ${exitStatus.unsafe} "refused: $p is a symbolic link"
old=
if [ -e "$n" ]; then
[ -f "$n" ] || die ${exitStatus.unsafe} "refused: $p is not a regular file"
old=$(stat -c '%a %u %g %Y' -- "$n") || die ${exitStatus.moved} "$p: has just gone"
fi
${backupOf(place.path, backupDir)}${candidate}${settle}candidate
`;
}

/** Everything behind the bytes: owner, then mode (chown may clear set-uid bits), then label; the check; and the exchange. */
export function writeTail(op: Pick<WriteOp, 'mode' | 'owner' | 'group' | 'validate'>): string {
  const {mode, owner, group, validate} = op;
  const user = owner === undefined ? '"$2"' : singleQuoted(owner);
  const team = group === undefined ? '"$3"' : singleQuoted(group);
  return `if [ -n "$old" ]; then set -- $old; else set -- ${NEW_FILE_MODE} "$(id -u)" "$(id -g)" 0; fi
chown -- ${user}:${team} "$t" || die ${exitStatus.notWritten} "$p: owner and group cannot be set"
chmod -- ${mode === undefined ? '"$1"' : modeWord(mode)} "$t" || die ${exitStatus.notWritten} "$p: mode cannot be set"
selinux=
if [ -e /sys/fs/selinux/enforce ]; then
if [ -n "$old" ]; then chcon --reference="$n" -- "$t" || die ${exitStatus.notWritten} "$p: SELinux label cannot be set"
else selinux=1; fi
fi
${validate === undefined ? '' : validation(validate)}settle
if [ -n "$selinux" ] && command -v restorecon >/dev/null; then restorecon -- "$n" || die ${exitStatus.notWritten} "$p: SELinux label cannot be set"; fi
:`;
}

/** A mode for chmod. With fewer than five digits GNU's leaves a directory's set-id bits as they are. *source*: chmod(1). */
export function modeWord(mode: string): string {
  return singleQuoted(/^[0-7]+$/.test(mode) ? mode.padStart(5, '0') : mode);
}

function validation(argv: Argv): string {
  const words = argv.map((word) => (typeof word === 'string' ? singleQuoted(word) : '"$PWD/${t#./}"')).join(' ');
  return `out=$( ( ${words} ) 2>&1 </dev/null ) || {
x=$?
printf '%s\\n' "$out" >&2
die ${exitStatus.invalid} "$p: the new content was refused by ${shown(argv)} (exit status $x); the file is as it was"
}
`;
}

/** The command as words inside a shell's double quotes. */
function shown(argv: Argv): string {
  const text = argv.map((word) => (typeof word === 'string' ? word : 'CANDIDATE')).join(' ');
  return text.replaceAll(/[\\"$`]/g, '\\$&');
}
