// A change that could shut the administrator out is put back by the host itself, unless a fresh login confirms it in time. The state is
// kept in one directory; the timer and the confirmation both try to rename it, and the first one wins.
import {reveal, Secret} from '../base/secret.ts';
import type {RunOp} from '../kit/op.ts';
import {stdoutText, type Reply} from '../kit/reads.ts';
import {exitStatus} from './exit-status.ts';
import {restoreScript} from './guard-restore.ts';
import {singleQuoted} from './script.ts';
import type {Fragment} from './session.ts';
import {checkedId, stateDirectories} from './state-dir.ts';

/** What a guard brings back. *units*: `withinMs` ms from arming until it expires. */
export type Guard = {
  /** letters, digits, `-`, `_`; new for each guard */
  readonly id: string;
  /** paths: content, owner, mode (of directories: owner and mode only), or that there was nothing */
  readonly restores: readonly string[];
  /** units that shall be running or stopped as they are now */
  readonly units: readonly string[];
  /** commands that run once the files are back */
  readonly undo: readonly RunOp[];
  readonly withinMs: number;
};

type Options = Pick<Fragment, 'group' | 'onFailure'>;

function place(id: string): string {
  if (id.includes('.')) throw new TypeError(`"${id}" cannot be a guard's id: what is behind a dot is its state`);
  return `${stateDirectories}D=$S/guard/${checkedId(id)}
`;
}

/**
 * Arms a guard: copies what is there now and starts the timer. It must run before the guarded ops, in the same batch, and keep them from
 * running when it fails. Ends with status `exitStatus.notWritten` when the state could not be kept.
 */
export function armFragments(guard: Guard, options: Options): readonly Fragment[] {
  const seconds = Math.max(1, Math.ceil(guard.withinMs / 1000));
  const script = restoreScript(guard);
  const units = guard.units.map(singleQuoted).join(' ');
  const shell = `${place(guard.id)}die() { echo "the guard could not be armed: $1" >&2; rm -rf -- "$D"; exit ${exitStatus.notWritten}; }
umask 077
mkdir -p -- "$S/guard" && mkdir -- "$D" || { echo "the guard could not be armed: $D cannot be made, or is there already" >&2; exit ${exitStatus.notWritten}; }
cat >"$D/restore" || die "$D could not be written"
[ "$(wc -c <"$D/restore")" -eq ${Buffer.byteLength(reveal(script))} ] || die "only a part of it has arrived"
i=0
for p in ${guard.restores.map(singleQuoted).join(' ')}; do
i=$((i+1))
if [ -L "$p" ] || [ -f "$p" ]; then cp -pP -- "$p" "$D/file$i" || die "$p could not be copied"
elif [ -d "$p" ]; then stat -c '%a %u %g' -- "$p" >"$D/inode$i" || die "$p could not be looked at"
elif [ -e "$p" ]; then die "$p is neither a file nor a directory"
else : >"$D/absent$i"; fi
done
: >"$D/units"
${
  units === ''
    ? ''
    : `if [ -d /run/systemd/system ]; then
for u in ${units}; do echo "$(systemctl is-active -- "$u") $u" >>"$D/units"; done
fi
`
}echo $(($(date +%s)+${seconds})) >"$D/deadline" || die "$D could not be written"
sync 2>/dev/null
goes='mv -- "$1" "$1.expired" 2>/dev/null && exec /bin/sh "$1.expired/restore" "$1.expired"'
# A file, because systemd would read the dollar signs of a command itself.
printf '%s\\n' "$goes" >"$D/expire" || die "$D could not be written"
if [ -O / ] && [ -d /run/systemd/system ] && command -v systemd-run >/dev/null &&
systemd-run --quiet --unit=tsplay-guard-${guard.id} --on-active=${seconds}s --timer-property=AccuracySec=100ms /bin/sh "$D/expire" "$D" >/dev/null 2>&1
then echo systemd
else
waits='echo $$ >"$1/pid"; sleep ${seconds}; '$goes
if command -v setsid >/dev/null; then leads=setsid; else leads=; fi
( trap '' HUP; exec $leads /bin/sh -c "$waits" tsplay-guard "$D" ) >/dev/null 2>&1 </dev/null &
i=0
while ! [ -s "$D/pid" ]; do i=$((i+1)); [ $i -lt 50 ] || die "no timer could be started"; sleep 0.1; done
echo shell
fi`;
  return [
    {
      shell,
      stdin: script,
      ...options,
      label: `arming a guard for ${seconds} s`,
      secret: script instanceof Secret,
      timeoutMs: 60_000,
    },
  ];
}

/** Confirms: exit 0 when the change stays; `exitStatus.expired` when the timer was faster and the old state is back (or on its way). */
export function confirmFragment(id: string, options: Options = {group: 0, onFailure: 'go-on'}): Fragment {
  const shell = `${place(id)}if ! mv -- "$D" "$D.confirmed" 2>/dev/null; then
echo "the guard had already expired: the host has put the old state back" >&2
[ ! -e "$D.expired/result" ] || cat "$D.expired/result" >&2
exit ${exitStatus.expired}
fi
${stopTimer(id, '"$D.confirmed/pid"')}rm -rf -- "$D.confirmed"
:`;
  return {shell, ...options, label: 'confirming the guarded change', secret: false, timeoutMs: 60_000};
}

/** Puts the old state back at once, where a guarded op has failed: as if the time were up. Exit 0 also when it was up already. */
export function restoreFragment(id: string, options: Options = {group: 0, onFailure: 'go-on'}): Fragment {
  const shell = `${place(id)}if mv -- "$D" "$D.expired" 2>/dev/null; then
${stopTimer(id, '"$D.expired/pid"')}/bin/sh "$D.expired/restore" "$D.expired"
fi
[ ! -e "$D.expired/result" ] || cat "$D.expired/result"`;
  return {shell, ...options, label: 'putting the old state back', secret: false, timeoutMs: 600_000};
}

/** The waiting shell leads a session of its own, so that its `sleep` ends with it. */
function stopTimer(id: string, pidFile: string): string {
  return `if [ -e ${pidFile} ]; then
read -r p <${pidFile}
case $(tr '\\0' ' ' 2>/dev/null </proc/$p/cmdline) in *tsplay-guard*${id}*) kill -- -$p 2>/dev/null || kill $p 2>/dev/null ;; esac
else
systemctl stop tsplay-guard-${id}.timer >/dev/null 2>&1
fi
`;
}

/**
 * A guard that is still on the host. `restored`: its time was up and the old state is back (`report` says what was done; `failed`, whether all
 * of it went well). `armed`: its timer runs. `overdue`: its time is up and nothing has happened (the host was restarted meanwhile).
 */
export type GuardLeft = {
  readonly id: string;
  readonly state: 'restored' | 'armed' | 'overdue';
  readonly report: readonly string[];
  readonly failed: boolean;
};

/** Asks for guards that are left; without any it costs no program. */
export function surveyGuardsFragment(): Fragment {
  const shell = `${stateDirectories}for D in "$S"/guard/*; do
[ -d "$D" ] || continue
n=\${D##*/}
case $n in
*.confirmed) continue ;;
*.expired) echo "guard \${n%.expired} expired"; if [ -e "$D/result" ]; then cat "$D/result"; fi ;;
*) read -r t <"$D/deadline" 2>/dev/null || t=0; if [ "$t" -lt "$(date +%s)" ]; then echo "guard $n overdue"; else echo "guard $n armed"; fi ;;
esac
done
:`;
  return {shell, group: 0, onFailure: 'go-on', label: 'guards of earlier runs', secret: false, timeoutMs: 60_000};
}

/** What {@link surveyGuardsFragment} answered. A restore that is still at work is `restored` without its last line. */
export function decodeGuards(reply: Reply): readonly GuardLeft[] {
  return stdoutText(reply)
    .split(/^guard /m)
    .slice(1)
    .map((part) => {
      const [first = '', ...rest] = part.trimEnd().split('\n');
      const [id = '', state] = first.split(' ');
      return {
        id,
        state: state === 'expired' ? 'restored' : state === 'armed' ? 'armed' : 'overdue',
        report: rest,
        failed: rest.some((line) => line.startsWith('FAILED ')),
      };
    });
}

/** Removes what is kept of guards that have been reported. */
export function forgetGuardsFragment(
  ids: readonly string[],
  options: Options = {group: 0, onFailure: 'go-on'},
): Fragment {
  const names = ids.map((id) => `"$S/guard/${checkedId(id)}.expired"`).join(' ');
  return {
    shell: `${stateDirectories}rm -rf -- ${names}`,
    ...options,
    label: 'clearing old guards',
    secret: false,
    timeoutMs: 60_000,
  };
}
