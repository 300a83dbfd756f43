// Where an op works: inside the parent directory, by a name relative to it. Entered once and known to be the right one, a directory
// cannot be swapped for a link to /etc between two programs.
import path from 'node:path';
import {exitStatus} from './exit-status.ts';
import {singleQuoted} from './script.ts';

/** A path cut into the directory to enter and the name in it. `/` is `.` in `/`. */
export type Place = {readonly path: string; readonly directory: string; readonly name: string};

/** *errors*: throws on a path that is not absolute: parameters are checked long before. */
export function placeOf(given: string): Place {
  if (!given.startsWith('/')) throw new TypeError(`an op needs an absolute path, not "${given}"`);
  const whole = path.posix.normalize(given).replace(/(?<=.)\/$/, '');
  return {path: whole, directory: path.posix.dirname(whole), name: whole === '/' ? '.' : path.posix.basename(whole)};
}

/** `die STATUS WORDS…` says what is wrong and ends the fragment. */
export const die = `die() { x=$1; shift; printf '%s\\n' "$*" >&2; exit $x; }
`;

/**
 * Defines `enter DIRECTORY`: goes there, and requires that the directory it has reached is the one that was meant. Symbolic links on the
 * way are a distribution's own business (`/var/run`, `/lib`) when root owns them and nobody else may write the directory that they
 * lie in; without root, one's own are good as well. Each such link is followed by hand, and the outcome has to be exactly where `cd`
 * has arrived: a link that somebody slips in meanwhile leads to a mismatch. A usual path costs no program at all.
 */
export const enter = `enter() {
cd -P -- "$1" 2>/dev/null || { [ -e "$1" ] && die ${exitStatus.unsafe} "$1 cannot be entered: no directory, or not permitted"; die ${exitStatus.missing} "$1: no such directory"; }
[ "$PWD" = "$1" ] || follow "$1"
}
follow() {
todo=$1 done= hops=0
while [ -n "$todo" ]; do
todo=\${todo#/}
part=\${todo%%/*}
case $todo in */*) todo=/\${todo#*/} ;; *) todo= ;; esac
case $part in ''|.) continue ;; ..) done=\${done%/*}; continue ;; esac
if [ -L "$done/$part" ]; then
hops=$((hops+1))
[ $hops -le 40 ] || die ${exitStatus.unsafe} "$1: too many symbolic links"
safe "$done/$part" "\${done:-/}"
text=$(readlink -- "$done/$part") || die ${exitStatus.unsafe} "$1: has just changed"
case $text in /*) done= ;; esac
todo=/\${text#/}$todo
else done=$done/$part; fi
done
[ "$PWD" = "\${done:-/}" ] || die ${exitStatus.unsafe} "$1 leads to $PWD, not to $done: a symbolic link on the way has just changed"
}
safe() {
set -- "$1" "$2" $(stat -c '%u %a' -- "$1" "$2")
[ "$3" = 0 ] || [ "$3" = "$(id -u)" ] || die ${exitStatus.unsafe} "refused: $1 is a symbolic link that belongs to uid $3, not to root"
case $6 in *[2367]) die ${exitStatus.unsafe} "refused: $1 is a symbolic link in a directory that everybody may write" ;; esac
[ "$5" = 0 ] || [ "$5" = "$(id -u)" ] || die ${exitStatus.unsafe} "refused: $1 is a symbolic link in a directory of uid $5, who may change it at any time"
case $6 in *[2367]?) [ "$(id -u)" != 0 ] || die ${exitStatus.unsafe} "refused: $1 is a symbolic link in a directory that a group may write" ;; esac
}
`;

/** Shell that has entered the parent directory; `n` is the name in it, as `./NAME`, `p` the whole path. */
export function enterParent({path: whole, directory, name}: Place): string {
  return `${die}${enter}p=${singleQuoted(whole)}
enter ${singleQuoted(directory)}
n=./${singleQuoted(name)}
`;
}

/** Follows a link at the end of the path: goes to the directory of what it leads to, by the same rules. */
export const followTarget = `if [ -L "$n" ]; then
safe "$PWD/\${n#./}" "$PWD"
q=$(readlink -f -- "$n"; echo .); q=\${q%?.}
[ -n "$q" ] || die ${exitStatus.missing} "$p: the symbolic link leads nowhere"
d=\${q%/*}
enter "\${d:-/}"
n=./\${q##*/}
[ ! -L "$n" ] || die ${exitStatus.unsafe} "$p: the symbolic link has just changed"
fi
`;
