// What a run replaces is kept, so that `tsplay rollback` can put it back: below one directory for the run, never beside the file (a
// copy in pam.d or cron.d would be in force). A manifest says, a line per path, what was there.
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
  | {readonly path: string; readonly was: 'link'; readonly target: string};

/** Where the copy of a path lies below the run's directory. */
export function storedName(path: string): string {
  return `files${path}`;
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
