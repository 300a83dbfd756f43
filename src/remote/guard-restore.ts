// The program that a guard leaves on the host for as long as it waits. It does all it can, whatever fails on the way, and says what it did.
import {Secret} from '../base/secret.ts';
import type {Guard} from './guard.ts';
import {lowerRun} from './lower-run.ts';
import {printBytes, REMOTE_PATH, singleQuoted, stdinBytes} from './script.ts';

/** *units*: s for one command of the undo. */
const UNDO_S = 120;

/** `sh restore DIRECTORY`: files first, then the undo commands, then whether units run. Secret where an undo has a secret in it. */
export function restoreScript(guard: Pick<Guard, 'restores' | 'undo'>): string | Secret {
  const steps = guard.undo.map((op) => lowerRun(op));
  const isSecret = steps.some((step) => step.secret === true || step.stdin instanceof Secret);
  const cases = steps.map(({shell, stdin}, i) => {
    const bytes = stdinBytes(stdin);
    const body = `( eval ${singleQuoted(shell)} )`;
    return `${i + 1}) ${bytes === undefined ? `${body} </dev/null` : `{ ${printBytes(bytes)}\n} | ${body}`} ;;`;
  });
  const files = guard.restores.map((path, i) => `back ${i + 1} ${singleQuoted(path)}`);
  const text = `export LC_ALL=C PATH=${REMOTE_PATH}
umask 022
cd /
if [ "$2" = undo ]; then
case $3 in
${cases.join('\n')}
esac
exit
fi
D=$1
trap '' HUP
say() { printf '%s\\n' "$*" >>"$D/result"; }
put() {
t=$(mktemp -d "\${2%/*}/.tsplay-XXXXXX") || return 1
cp -pP -- "$1" "$t/x" && if [ -d "$2" ] && [ ! -L "$2" ]; then false; else mv -f -- "$t/x" "$2"; fi
x=$?
rm -rf -- "$t"
[ $x = 0 ] || return 1
if [ -e /sys/fs/selinux/enforce ] && command -v restorecon >/dev/null; then restorecon -- "$2"; fi
:
}
back() {
if [ -e "$D/absent$1" ]; then
if [ -d "$2" ] && [ ! -L "$2" ]; then rmdir -- "$2"; else rm -f -- "$2"; fi
elif [ -e "$D/inode$1" ]; then
read -r m u g <"$D/inode$1" && { [ -d "$2" ] || mkdir -- "$2"; } && chown -- "$u:$g" "$2" && chmod -- "$m" "$2"
else
d=\${2%/*}; { [ -d "\${d:-/}" ] || mkdir -p -- "$d"; } && put "$D/file$1" "$2"
fi 2>>"$D/errors" && say "put back $2" || say "FAILED to put back $2"
}
${files.join('\n')}
sync 2>/dev/null
i=0
while [ $i -lt ${steps.length} ]; do
i=$((i+1))
if timeout ${UNDO_S} /bin/sh "$D/restore" "$D" undo $i >>"$D/output" 2>&1 </dev/null; then say "ran undo command $i"; else say "FAILED undo command $i (exit status $?)"; fi
done
while read -r state unit; do
now=$(systemctl is-active -- "$unit" 2>/dev/null)
case $state in
active|activating|reloading) [ "$now" = active ] || timeout 90 systemctl start -- "$unit" >>"$D/output" 2>&1 && say "$unit is running" || say "FAILED to start $unit" ;;
*) case $now in active|activating|reloading) timeout 90 systemctl stop -- "$unit" >>"$D/output" 2>&1 && say "$unit is stopped" || say "FAILED to stop $unit" ;; esac ;;
esac
done <"$D/units"
rm -f -- "$D"/file* "$D"/inode* "$D"/absent* "$D/restore"
say "done at $(date -u +%Y-%m-%dT%H:%M:%SZ)"
`;
  return isSecret ? Secret.of(text) : text;
}
