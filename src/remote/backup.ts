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
b=${singleQuoted(directory)}
mkdir -p -- "$b"/${parent} || exit 1
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
b=${singleQuoted(directory)}
mkdir -p -- "$b" || exit 1
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
b=${singleQuoted(directory)}
mkdir -p -- "$b"/${singleQuoted(storedName(path).replace(/\/[^/]*$/, ''))} || exit 1
[ -e "$b"/${singleQuoted(storedName(path))} ] || readlink -- "$n" >"$b"/${singleQuoted(storedName(path))} || exit 1
printf '%s %s\\n' 'link 0 0 0 0' ${singleQuoted(JSON.stringify(path))} >>"$b/${MANIFEST}"
)
keep || die ${exitStatus.notWritten} ${singleQuoted(path)}": where it leads could not be noted below "${singleQuoted(directory)}
`;
}
