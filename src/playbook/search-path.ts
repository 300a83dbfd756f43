// Relative names of files are sought where Ansible seeks them: in the role, beside the task's file, beside the playbook.
import {statSync} from './disk.ts';
import {dirname, isAbsolute, join, resolve} from 'node:path';
import type {ScopePlace} from './scope-layers.ts';

/** The folders of a place, the nearest first: role, folder of the task's file (of its parent where that is `tasks/`), playbook, site. */
export function searchFolders({role, folder, play, run}: ScopePlace): readonly string[] {
  const folders = new Set<string>();
  if (role !== undefined) folders.add(role.path);
  if (folder !== undefined) {
    if (/[/\\](?:tasks|handlers)$/.test(folder)) folders.add(dirname(folder));
    folders.add(folder);
  }
  folders.add(play?.folder ?? run.cwd);
  // the site's own folder: what belongs to all playbooks (the CA below pki/) lies there
  folders.add(run.cwd);
  return [...folders];
}

/** All paths that a name may mean, in the order in which they are tried; `inside` are folders such as `files` or `templates`. */
export function candidatePaths(name: string, folders: readonly string[], inside: readonly string[]): readonly string[] {
  if (isAbsolute(name)) return [name];
  return [
    ...new Set(folders.flatMap((folder) => [...inside.map((sub) => join(folder, sub, name)), resolve(folder, name)])),
  ];
}

/** The first of {@link candidatePaths} that exists. */
export function findPath(name: string, folders: readonly string[], inside: readonly string[]): string | undefined {
  return candidatePaths(name, folders, inside).find((path) => statSync(path, {throwIfNoEntry: false}) !== undefined);
}
