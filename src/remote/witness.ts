// "Stop if it is not as it was when the plan was made": a witness is what a read's answer comes down to, as short plain text; the
// host computes it again just before an op. Size and times are left out: what counts is what a plan could have been based on.
import {reveal} from '../base/secret.ts';
import {sha256} from '../kit/content.ts';
import {octal} from '../kit/mode.ts';
import type {AccountState, FileState, GroupState, PackageState, RawRead, Read, UnitState} from '../kit/reads.ts';
import {exitStatus} from './exit-status.ts';
import {singleQuoted} from './script.ts';
import type {Fragment} from './session.ts';

/** The witness of a typed read's value. Raw replies have theirs from `ReadValues.witness`, since only the reply itself tells. */
export function witnessOf(read: Exclude<Read, RawRead>, value: unknown): string {
  switch (read.read) {
    case 'file':
      return fileWitness(value as FileState);
    case 'unit': {
      const state = value as UnitState;
      return state.type === 'none' ? 'none' : `${state.load} ${state.active} ${state.enabled} ${state.fragmentPath}`;
    }
    case 'package': {
      const state = value as PackageState;
      return state.installed ? state.version : 'absent';
    }
    case 'account': {
      const state = value as AccountState;
      if (state.type === 'absent') return 'absent';
      const password = state.password === undefined ? '-' : sha256(reveal(state.password));
      return `${state.uid}:${state.gid}:${state.gecos}:${state.home}:${state.shell} ${password}`;
    }
    case 'group': {
      const state = value as GroupState;
      return state.type === 'absent' ? 'absent' : `${state.gid}:${state.members.join(',')}`;
    }
  }
}

function fileWitness(state: FileState): string {
  switch (state.type) {
    case 'absent':
      return 'absent';
    case 'file':
      return `file ${bits(state.mode)} ${state.uid}:${state.gid} ${state.sha256 ?? '-'}`;
    case 'directory':
      return `directory ${bits(state.mode)} ${state.uid}:${state.gid}`;
    case 'link':
      return `link ${state.target} -> ${fileWitness(state.followed)}`;
    case 'other':
      return `other ${bits(state.mode)} ${state.uid}:${state.gid}`;
  }
}

/** As `stat -c %a` prints it. */
function bits(mode: number): string {
  return octal(mode).replace(/^0+(?=.)/, '');
}

/**
 * A fragment's shell (and stdin) that exits 0 while the read would still give the answer this witness stands for; otherwise it says on
 * stderr what has moved, and exits with `exitStatus.moved`.
 */
export function compileGuard(read: Read, witness: string): Pick<Fragment, 'shell' | 'stdin'> {
  const what = read.read === 'raw' ? 'what a check of this task read' : read.key.replace(':', ' ');
  const moved = `echo ${singleQuoted(`${what} has changed since the plan was made`)} >&2; exit ${exitStatus.moved};`;
  if (read.read === 'raw') {
    const shell = `d=$({ ( ${evaluated(read.fragment.shell)} ); echo ":$?"; } 2>/dev/null | sha256sum)
[ "\${d%% *}" = ${singleQuoted(witness)} ] || { ${moved} }`;
    return {shell, ...(read.stdin === undefined ? {} : {stdin: read.stdin})};
  }
  return {
    shell: `${typedNow(read, witness)}
e=${singleQuoted(witness)}
[ "$w" = "$e" ] || { echo "now: $w; when planned: $e" >&2; ${moved} }`,
  };
}

function evaluated(shell: string): string {
  return `eval ${singleQuoted(shell)}`;
}

/** Shell that sets `w` to the witness of what is there now. */
function typedNow(read: Exclude<Read, RawRead>, witness: string): string {
  switch (read.read) {
    case 'file':
      // The digest is left out where the plan had none: it may be a file that is too large to be hashed for its mode.
      return `now() {
if [ "$2" = 1 ]; then o=-L; else o=; fi
if ! [ -e "$1" ] && ! [ -L "$1" ]; then w="$w"absent
elif [ -z "$o" ] && [ -L "$1" ]; then t=$(readlink -- "$1"); w="link $t -> "; if [ -e "$1" ]; then now "$1" 1; else w="$w"absent; fi
else
s=$(stat $o -c '%a %u:%g' -- "$1")
if [ -f "$1" ]; then w="$w""file $s "
${/ -$/.test(witness) ? 'w="$w"-' : 'h=$(sha256sum <"$1"); w="$w${h%% *}"'}
elif [ -d "$1" ]; then w="$w""directory $s"
else w="$w""other $s"; fi
fi
}
w=
now ${singleQuoted(read.path)} 0`;
    case 'unit':
      return `if [ -d /run/systemd/system ]; then
w=$(systemctl --no-pager show -p LoadState,ActiveState,UnitFileState,FragmentPath -- ${singleQuoted(read.unit)} 2>/dev/null | {
a=not-found b=inactive c= d=
while IFS= read -r l; do v=\${l#*=}
case $l in LoadState=*) a=$v ;; ActiveState=*) b=$v ;; UnitFileState=*) c=$v ;; FragmentPath=*) d=$v ;; esac; done
echo "$a $b $c $d"; })
else w=none; fi`;
    case 'package':
      return `n=${singleQuoted(read.name)}
w=
if [ -e /var/lib/dpkg/status ]; then
w=$(dpkg-query -W -f '\${db:Status-Abbrev}|\${Version}\\n' -- "$n" 2>/dev/null | while IFS= read -r l; do case $l in ?[itW]*) echo "\${l#*|}"; break ;; esac; done)
elif [ -e /lib/apk/db/installed ]; then
w=$(apk info -e -v -- "$n" 2>/dev/null); w=\${w#"$n"-}
else
w=$(rpm -q --qf '%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\n' -- "$n" 2>/dev/null) || w=
w=\${w##*
}
w=\${w#0:}
fi
[ -n "$w" ] || w=absent`;
    case 'account':
      return `w=$(getent passwd ${singleQuoted(read.name)} 2>/dev/null || grep ${singleQuoted(`^${pattern(read.name)}:`)} /etc/passwd)
${only(read.name)}if [ -z "$w" ]; then w=absent
else
f=\${w#*:}; f=\${f%%:*}; w=\${w#*:*:}
s=-
${
  / -$/.test(witness)
    ? ''
    : `s=$(getent shadow ${singleQuoted(read.name)} 2>/dev/null || grep ${singleQuoted(`^${pattern(read.name)}:`)} /etc/shadow)
if [ -n "$s" ]; then s=\${s#*:}; s=\${s%%:*}; else s=$f; fi
s=$(printf %s "$s" | sha256sum); s=\${s%% *}`
}
w="$w $s"
fi`;
    case 'group':
      return `w=$(getent group ${singleQuoted(read.name)} 2>/dev/null || grep ${singleQuoted(`^${pattern(read.name)}:`)} /etc/group)
${only(read.name)}if [ -z "$w" ]; then w=absent; else w=\${w#*:*:}; fi`;
  }
}

/** A number that was asked for as a name may have found somebody else. */
function only(name: string): string {
  return `case $w in ${singleQuoted(name)}:*) ;; *) w= ;; esac\n`;
}

function pattern(name: string): string {
  return name.replaceAll(/[.$*[\]^\\]/g, '\\$&');
}
