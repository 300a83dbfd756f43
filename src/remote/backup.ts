// What a run replaces is kept, so that `tsplay rollback` can put it back: below one directory for the run, never beside the file (a
// copy in pam.d or cron.d would be in force). A manifest says, a line per path, what was there.
import {createHash} from 'node:crypto';
import {exitStatus} from './exit-status.ts';
import {singleQuoted} from './script.ts';

/** One line of the manifest. *units*: `mode` permission bits, `mtimeS` seconds since the epoch. */
export type BackedUp =
  | {readonly path: string; readonly was: 'absent'}
  | {
      readonly path: string;
      readonly was: 'file';
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly mtimeS: number;
      /** name of the copy below the run's directory */
      readonly stored: string;
    }
  | {
      /** only its mode and owner were changed */
      readonly path: string;
      readonly was: 'inode';
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | {readonly path: string; readonly was: 'link'; readonly target: string}
  | {
      /** a folder that was removed with all that was in it */
      readonly path: string;
      readonly was: 'tree';
      readonly stored: string;
    }
  /** a folder that was removed and too big to be kept */
  | {readonly path: string; readonly was: 'lost'};

/** A folder that a run removes is kept up to this size. *units*: KiB. */
const TREE_KIB = 65_536;

/** Where the copy of a path lies below the run's directory. */
export function storedName(path: string): string {
  return `files${path}`;
}

/** Where a removed folder lies below the run's directory: a flat name, since one removed folder may have held another. */
export function treeName(path: string): string {
  return `trees/${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
}

/** The manifest's place below the run's directory. */
export const MANIFEST = 'manifest';

/** Shell that sets `b`: what is named below root's state directory lies below an account's own where it is not root that works. */
export function backupPlace(directory: string): string {
  return `b=${singleQuoted(directory)}
[ -O / ] || case $b in /var/lib/tsplay/*) b=\${HOME:?}/.local/state/tsplay/\${b#/var/lib/tsplay/} ;; esac
`;
}

/** Root always has room for a copy; an account that may not write its home (daemons have none) works without. */
const homeless = `{ [ -O / ] && exit 1; echo "no copy of $p is kept: this account has no directory of its own" >&2; exit 0; }`;

/**
 * Shell that keeps what `$n` is now: `$old` is `MODE UID GID MTIME`, or empty where there is nothing. Nothing at all where `directory` is
 * undefined. The first copy of a run counts: a second change keeps it.
 */
export function backupOf(path: string, directory: string | undefined): string {
  if (directory === undefined) return '';
  const name = singleQuoted(path);
  const store = singleQuoted(storedName(path));
  const parent = singleQuoted(storedName(path).replace(/\/[^/]*$/, ''));
  return `keep() (
umask 077
${backupPlace(directory)}mkdir -p -- "$b"/${parent} 2>/dev/null || ${homeless}
if [ -z "$old" ]; then line="absent 0 0 0 0"
else
line="file $old"
[ -e "$b"/${store} ] || { cat <"$n" >"$b/part" && mv -f -- "$b/part" "$b"/${store}; } || exit 1
fi
printf '%s %s\\n' "$line" ${singleQuoted(JSON.stringify(path))} >>"$b/${MANIFEST}"
)
keep || die ${exitStatus.notWritten} ${name}": its copy below "${singleQuoted(directory)}" could not be written"
`;
}

/** Shell that notes mode and owner of `$n` before they change; `$n` exists. */
export function inodeBackupOf(path: string, directory: string | undefined): string {
  if (directory === undefined) return '';
  return `keep() (
umask 077
${backupPlace(directory)}mkdir -p -- "$b" 2>/dev/null || ${homeless}
line=$(stat -c 'inode %a %u %g 0' -- "$n") || exit 1
printf '%s %s\\n' "$line" ${singleQuoted(JSON.stringify(path))} >>"$b/${MANIFEST}"
)
keep || die ${exitStatus.notWritten} ${singleQuoted(path)}": its mode and owner could not be noted below "${singleQuoted(directory)}
`;
}

/** Shell that notes where the symbolic link `$n` leads. */
export function linkBackupOf(path: string, directory: string | undefined): string {
  if (directory === undefined) return '';
  return `keep() (
umask 077
${backupPlace(directory)}mkdir -p -- "$b"/${singleQuoted(storedName(path).replace(/\/[^/]*$/, ''))} 2>/dev/null || ${homeless}
[ -e "$b"/${singleQuoted(storedName(path))} ] || readlink -- "$n" >"$b"/${singleQuoted(storedName(path))} || exit 1
printf '%s %s\\n' 'link 0 0 0 0' ${singleQuoted(JSON.stringify(path))} >>"$b/${MANIFEST}"
)
keep || die ${exitStatus.notWritten} ${singleQuoted(path)}": where it leads could not be noted below "${singleQuoted(directory)}
`;
}

/** Shell that keeps the folder `$n`, which is about to be removed: as a whole, or only the word that it is lost where it is too big. */
export function treeBackupOf(path: string, directory: string | undefined): string {
  if (directory === undefined) return '';
  const store = singleQuoted(treeName(path));
  return `keep() (
umask 077
${backupPlace(directory)}mkdir -p -- "$b/trees" 2>/dev/null || ${homeless}
size=$(du -sk -- "$n" 2>/dev/null) || size=0
if [ "\${size%%[!0-9]*}" -gt ${TREE_KIB} ]; then line='lost 0 0 0 0'
else
line=$(stat -c 'tree %a %u %g %Y' -- "$n") || exit 1
[ -e "$b"/${store} ] || cp -a -- "$n" "$b"/${store} || exit 1
fi
printf '%s %s\\n' "$line" ${singleQuoted(JSON.stringify(path))} >>"$b/${MANIFEST}"
)
keep || die ${exitStatus.notWritten} ${singleQuoted(path)}": its copy below "${singleQuoted(directory)}" could not be written"
`;
}

/** Shell that notes, as `made N`, that the N-th folder on the way to a path (1 = the one below `/`) was not there. */
export function madeBackupOf(path: string, directory: string | undefined): string {
  if (directory === undefined) return 'made() { :; }\n';
  const parts = path.split('/').slice(1);
  const cases = parts.map(
    (_, i) => `${i + 1}) j=${singleQuoted(JSON.stringify(`/${parts.slice(0, i + 1).join('/')}`))} ;;`,
  );
  return `made() (
case $1 in
${cases.join('\n')}
esac
umask 077
${backupPlace(directory)}mkdir -p -- "$b" 2>/dev/null || ${homeless}
printf 'absent 0 0 0 0 %s\\n' "$j" >>"$b/${MANIFEST}"
)
`;
}

/** Shell that defines `look PATH`: what is there, in a line `TYPE SHA256 MODE UID GID`. A symbolic link is judged together with what it leads to. */
export const look = `look() {
if [ -L "$1" ]; then
x=$({ readlink -- "$1"; if [ -f "$1" ]; then cat <"$1"; fi; } | sha256sum)
echo "link \${x%% *} 0 $(stat -c '%u %g' -- "$1")"
elif [ -f "$1" ]; then x=$(sha256sum <"$1"); echo "file \${x%% *} $(stat -c '%a %u %g' -- "$1")"
elif [ -d "$1" ]; then echo "directory - $(stat -c '%a %u %g' -- "$1")"
elif [ -e "$1" ]; then echo 'other - 0 0 0'
else echo 'absent - 0 0 0'; fi
}
`;

/** Shell that notes how an op has left `$p`, so that a rollback can tell what others have changed since. A note that cannot be written is no failure of the op. */
export function leftOf(path: string, directory: string | undefined): string {
  if (directory === undefined) return '';
  return `(
umask 077
${backupPlace(directory)}${look}[ -e "$b/${MANIFEST}" ] || exit 0
line=$(look "$p") && printf 'left %s %s\\n' "$line" ${singleQuoted(JSON.stringify(path))} >>"$b/${MANIFEST}"
) 2>/dev/null
:`;
}

/** Shell that notes everything below the folder `$p`, which has just come into being as a whole: it was not there, and how it is now. */
export function treeMadeOf(directory: string | undefined): string {
  if (directory === undefined) return ':';
  return `(
umask 077
${backupPlace(directory)}${look}mkdir -p -- "$b" || exit 0
find "$p" | while IFS= read -r f; do
q=$(printf '%s' "$f" | sed 's/[\\\\"]/\\\\&/g')
printf 'absent 0 0 0 0 "%s"\\nleft %s "%s"\\n' "$q" "$(look "$f")" "$q"
done >>"$b/${MANIFEST}"
) 2>/dev/null
:`;
}

/** Shell that notes how units stand before a command changes them; without systemd nothing. */
export function unitBackupOf(units: readonly string[], directory: string): string {
  return `[ -d /run/systemd/system ] || exit 0
umask 077
${backupPlace(directory)}[ -d "$b" ] || mkdir -p -- "$b" 2>/dev/null || exit 0
${units
  .map(
    (unit) =>
      `e=$(systemctl is-enabled -- ${singleQuoted(unit)} 2>/dev/null); a=$(systemctl is-active -- ${singleQuoted(unit)})
printf 'unit %s %s 0 0 %s\\n' "\${e:-none}" "\${a:-unknown}" ${singleQuoted(JSON.stringify(unit))} >>"$b/${MANIFEST}"
`,
  )
  .join('')}:`;
}

/** Shell that notes that a command ran which no rollback can undo. `label` holds no secret. */
export function ranBackupOf(label: string, directory: string): string {
  return `umask 077
${backupPlace(directory)}[ -d "$b" ] || mkdir -p -- "$b" 2>/dev/null || exit 0
printf 'ran 0 0 0 0 %s\\n' ${singleQuoted(JSON.stringify(label))} >>"$b/${MANIFEST}"`;
}
