import type {Probe} from './probe.ts';
import {read, stdoutText, type Reply} from './reads.ts';
import {rawShell} from './shell.ts';

/**
 * A QEMU guest of libvirt's system instance that runs now, as its process shows it: what it was started with, whatever its definition says since.
 * *units*: `startedS` seconds since the epoch.
 */
export type RunningGuest = {
  readonly name: string;
  readonly startedS: number;
  /** has a SPICE console */
  readonly spice: boolean;
  /** the SPICE console asks for a SASL login */
  readonly sasl: boolean;
  /** where it has its TLS certificate from, '' = no TLS */
  readonly tlsDir: string;
  /** primary and supplementary groups of the process */
  readonly gids: readonly number[];
};

// libvirt writes NAME.pid when it starts the guest and takes it away when the guest ends; a reboot empties /run.
const fragment = rawShell(`nl='
'
for f in /run/libvirt/qemu/*.pid; do
[ -r "$f" ] || continue
pid=; read -r pid <"$f" || :
case $pid in ''|*[!0-9]*) continue ;; esac
[ -r "/proc/$pid/cmdline" ] || continue
name=\${f##*/}; name=\${name%.pid}
args=$nl$(tr '\\n\\0' ' \\n' <"/proc/$pid/cmdline")$nl
case $args in *"\${nl}guest=$name,"*|*"\${nl}guest=$name$nl"*|*"$nl-name$nl$name$nl"*) ;; *) continue ;; esac
opts=-; case $args in *"$nl-spice$nl"*) opts=\${args#*"$nl-spice$nl"}; opts=\${opts%%"$nl"*} ;; esac
gids=; while read -r key rest; do case $key in Gid:|Groups:) gids="$gids $rest" ;; esac; done <"/proc/$pid/status"
printf '%s\\n%s\\n%s\\n%s\\n' "$name" "$(stat -c %Y "$f")" "$opts" "$gids"
done 2>/dev/null
:`);

/** Reads the running guests with what their processes were started with. Without libvirt there are none. Needs root to see other accounts' processes. */
export function runningGuests(): Probe<readonly RunningGuest[]> {
  return read(fragment, parseGuests, {dependsOn: ['domain:*']});
}

/** *shape*: four lines a guest: name, start, the argument of -spice or `-`, group numbers. */
export function parseGuests(reply: Reply): readonly RunningGuest[] {
  const lines = stdoutText(reply).split('\n');
  const guests: RunningGuest[] = [];
  for (let at = 0; at + 3 < lines.length; at += 4) {
    const [name = '', started = '', options = '-', gids = ''] = lines.slice(at, at + 4);
    const words = options.split(',');
    guests.push({
      name,
      startedS: Number(started) || 0,
      spice: options !== '-',
      sasl: words.includes('sasl') || words.includes('sasl=on'),
      tlsDir: words.find((word) => word.startsWith('x509-dir='))?.slice('x509-dir='.length) ?? '',
      gids: [
        ...new Set(
          gids
            .split(/\s+/)
            .filter((word) => word !== '')
            .map(Number),
        ),
      ],
    });
  }
  return guests;
}

/** What has to be done by hand for guests that run with older settings, as `pending` says it. */
export function powerCycle(guests: readonly RunningGuest[], reason: string): readonly string[] {
  return guests.map((guest) => `power-cycle guest ${guest.name}: ${reason}`);
}
