import type {Key} from './key.ts';
import type {PlainOp} from './op.ts';

/** Asks a guest to shut down and waits; turns it off only with `force`. Fails when it still runs then. *units*: `timeout` seconds. */
export function shutDownOp(
  guest: {readonly uri: string; readonly name: string; readonly timeout: number; readonly force: boolean},
  affects: readonly Key[],
): PlainOp {
  const script = `v() { virsh -q -c "$1" "$2" "$3"; }
off() { case $(v "$1" domstate "$2") in 'shut off'|crashed) return 0 ;; esac; return 1; }
v "$1" shutdown "$2" || [ "$4" = force ] || exit 1
i=0; while [ "$i" -lt "$3" ]; do off "$1" "$2" && exit 0; sleep 1; i=$((i+1)); done
off "$1" "$2" && exit 0
[ "$4" = force ] && v "$1" destroy "$2" && exit 0
echo "guest $2 has not shut down within $3 s" >&2; exit 1`;
  return {
    op: 'run',
    argv: ['/bin/sh', '-c', script, 'sh', guest.uri, guest.name, String(guest.timeout), guest.force ? 'force' : 'wait'],
    affects,
    timeoutMs: (guest.timeout + 60) * 1000,
  };
}
