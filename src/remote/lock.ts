// One run at a time changes a host. The lock is a directory (making it is atomic) that says who holds it; its holder is the session's
// shell on the host, so a controller that has gone away frees it by its shell's end, and a shell that was killed is seen to be gone.
import type {Reply} from '../kit/reads.ts';
import {stdoutText} from '../kit/reads.ts';
import {exitStatus} from './exit-status.ts';
import {singleQuoted} from './script.ts';
import type {Fragment} from './session.ts';
import {checkedId, stateDirectories} from './state-dir.ts';

/** Who holds a lock. *shape*: `since` ISO 8601. */
export type Holder = {readonly pid: number; readonly run: string; readonly since: string; readonly owner: string};

/** What came of trying to lock. `path` is for {@link lockCheckFragment}; `tookOver`: whose lock it was, dead or stolen. */
export type LockOutcome =
  | {readonly lock: 'held'; readonly path: string; readonly tookOver?: Holder}
  | {readonly lock: 'busy'; readonly holder: Holder | undefined}
  | {readonly lock: 'failed'; readonly message: string};

/** Shell that reads a holder's line into `pid start boot run since owner`; false where there is none. */
const readHolder = `{ read -r pid start boot run since owner; } 2>/dev/null <"$L/holder"`;

/** Sets `s` to the start time of a process (clock ticks since boot), '' where it is gone. *source*: proc(5), field 22 of stat. */
const startOf = `started() { s=; { read -r s; } 2>/dev/null </proc/$1/stat || return 0; s=\${s##*) }; set -- $s; s=\${20}; }
`;

/**
 * How long a holder may be silent and idle. A controller that lives gives a sign at least every {@link BEAT_MS}; one whose network is gone leaves a shell that
 * waits for it for hours. *units*: seconds of the host's uptime, so that a clock that is set means nothing.
 */
const SILENT_S = 300;

/** How often a controller gives a sign while it has nothing else to say. *units*: ms. */
export const BEAT_MS = 60_000;

/** Gives a sign that the holder's controller lives. Costs no program. */
const beat = `{ read -r up _; } 2>/dev/null </proc/uptime && echo "\${up%%.*}" 2>/dev/null >"$L/beat"
`;

/** Shell: whether the holder `$pid`, whose process lives, has given no sign for too long, and does nothing: a batch that is at work has programs. */
const silent = `silent() {
{ read -r t; } 2>/dev/null <"$L/beat" && { read -r up _; } 2>/dev/null </proc/uptime || return 1
[ $((\${up%%.*} - t)) -gt ${SILENT_S} ] || return 1
for f in /proc/[0-9]*/stat; do
{ read -r x; } 2>/dev/null <"$f" || continue
x=\${x##*) }; set -- $x
[ "$2" != "$pid" ] || return 1
done
}
`;

/**
 * Takes the lock for this session's shell, or says who has it (status `exitStatus.locked`). A holder whose process is gone, or whose
 * controller has been silent for too long, is replaced;
 * `steal` replaces a living one too. `owner` is who runs this, in words.
 */
export function lockFragment(options: {
  readonly run: string;
  readonly owner: string;
  readonly steal: boolean;
  readonly group?: number;
}): Fragment {
  const run = singleQuoted(checkedId(options.run));
  const owner = singleQuoted(options.owner.replaceAll(/[\n\r\0]/g, ' '));
  const shell = `${stateDirectories}${startOf}${silent}L=$R/lock
umask 022
[ -d "$R" ] || mkdir -p -- "$R" || { echo "the lock's directory $R could not be made" >&2; exit ${exitStatus.notWritten}; }
read -r now </proc/sys/kernel/random/boot_id
started $$; mine=$s
take() {
mkdir -- "$L" 2>/dev/null || return 1
${beat}printf '%s %s %s %s %s %s\\n' $$ "$mine" "$now" ${run} "$(date -u +%Y-%m-%dT%H:%M:%SZ)" ${owner} >"$L/new" && mv -f -- "$L/new" "$L/holder" || { rm -rf -- "$L"; echo "the lock $L could not be written" >&2; exit ${exitStatus.notWritten}; }
echo "path $L"
}
alive() { [ "$boot" = "$now" ] || return 1; started "$pid"; [ -n "$s" ] && [ "$s" = "$start" ] && ! silent; }
was=
i=0
while ! take; do
i=$((i+1))
if ${readHolder}; then
if [ "$run" = ${run} ] && alive; then echo "path $L"; exit 0; fi
${options.steal ? ':' : `if alive; then printf 'held %s %s %s %s\\n' "$pid" "$run" "$since" "$owner"; echo "locked by $owner (run $run) since $since" >&2; exit ${exitStatus.locked}; fi`}
elif [ $i -lt 20 ] && [ -d "$L" ]; then sleep 0.1; continue
fi
# Only one may replace it: of two who have seen the same dead holder, the second would remove the first one's new lock.
if mkdir -- "$L.take" 2>/dev/null; then
trap 'rmdir -- "$L.take" 2>/dev/null' EXIT
seen="$pid $start $run"
if ${readHolder} && [ "$pid $start $run" != "$seen" ]; then :; else
was="$pid $run $since $owner"
rm -rf -- "$L"
take && { printf 'was %s\\n' "$was"; exit 0; }
fi
rmdir -- "$L.take"
trap - EXIT
elif [ $i -gt 100 ]; then rmdir -- "$L.take" 2>/dev/null
else sleep 0.05
fi
[ $i -lt 200 ] || { echo "the lock $L is being fought over" >&2; exit ${exitStatus.locked}; }
done`;
  return {
    shell,
    group: options.group ?? 0,
    onFailure: 'go-on',
    label: 'taking the lock',
    secret: false,
    timeoutMs: 60_000,
  };
}

/** What {@link lockFragment} answered. */
export function decodeLock(reply: Reply): LockOutcome {
  const text = stdoutText(reply);
  const path = /^path (.*)$/m.exec(text)?.[1];
  const was = holderOf(/^was (.*)$/m.exec(text)?.[1]);
  if (reply.exit === 0 && path !== undefined)
    return {lock: 'held', path, ...(was === undefined ? {} : {tookOver: was})};
  if (reply.exit === exitStatus.locked) return {lock: 'busy', holder: holderOf(/^held (.*)$/m.exec(text)?.[1])};
  return {lock: 'failed', message: new TextDecoder().decode(reply.stderr).trim() || `exit status ${reply.exit}`};
}

function holderOf(line: string | undefined): Holder | undefined {
  const [, pid, run = '', since = '', owner = ''] = /^(\d+) (\S+) (\S+) (.*)$/.exec(line ?? '') ?? [];
  return pid === undefined ? undefined : {pid: Number(pid), run, since, owner};
}

/** Stands before every batch of ops: stops it where somebody has taken the lock over. Costs no program. `path` is from {@link decodeLock}. */
export function lockCheckFragment(path: string, run: string, group = 0): Fragment {
  const shell = `L=${singleQuoted(path)}
if ${readHolder}; then
if [ "$run" = ${singleQuoted(checkedId(run))} ]; then
${beat}exit 0; fi
echo "the lock of this host was taken over by $owner (run $run) at $since" >&2
else echo "the lock of this host has been removed" >&2
fi
exit ${exitStatus.locked}`;
  return {shell, group, onFailure: 'stop', label: 'is the lock still ours', secret: false, timeoutMs: 60_000};
}

/** For the shell's exit trap (`atExit` of the connector): frees the lock if this very shell holds it. Does nothing in any other session. */
export const releaseAtExit = `${stateDirectories}L=$R/lock
if ${readHolder} && [ "$pid" = $$ ]; then rm -rf -- "$L"; fi
`;

/** Frees the lock before the session ends. */
export function unlockFragment(): Fragment {
  return {
    shell: `${releaseAtExit}:`,
    group: 0,
    onFailure: 'go-on',
    label: 'freeing the lock',
    secret: false,
    timeoutMs: 60_000,
  };
}
