// The controller's own file system, for `exists`, `realpath`, `expanduser` and their like.
import {lstatSync, readFileSync, realpathSync, statSync} from 'node:fs';
import {homedir} from 'node:os';
import {resolve} from 'node:path';
import type {ControllerFiles} from './environment.ts';

function homeOf(user: string): string | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${user}:`));
  return line?.split(':')[5];
}

/** Access to real files; relative paths are taken from `directory`. Missing paths stay as they are in `realpath`. */
export function controllerFiles(directory: string): ControllerFiles {
  const at = (path: string): string => resolve(directory, path);
  return {
    cwd: () => directory,
    home: (user) => (user === undefined ? homedir() : homeOf(user)),
    isLink: (path) => lstatSync(at(path), {throwIfNoEntry: false})?.isSymbolicLink() ?? false,
    kind: (path) => {
      const stat = statSync(at(path), {throwIfNoEntry: false});
      if (stat === undefined) return undefined;
      return stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other';
    },
    realpath: (path) => {
      const absolute = at(path);
      return lstatSync(absolute, {throwIfNoEntry: false}) === undefined ? absolute : realpathSync(absolute);
    },
  };
}
