import {refuse, type Plan} from './plan.ts';
import {all, nothing, type Probe} from './probe.ts';
import {accountExists, groupExists} from './exists.ts';
import {file, type FileState} from './reads.ts';
import type {Attributes} from './attributes.ts';

/** What has to be there before something can stand at a path: the folder, and whom it shall belong to. `folder`: undefined = the root. */
export type Place = {
  readonly folder: FileState | undefined;
  readonly owner: boolean;
  readonly group: boolean;
};

/** Reads the folder of a path and the wanted owners; root and numbers are always there. */
export function probePlace(path: string, wanted: Pick<Attributes, 'owner' | 'group'>): Probe<Place> {
  const folder = folderOf(path);
  const {owner, group} = wanted;
  return all({
    folder: folder === undefined ? nothing(undefined) : file(folder),
    owner: owner === undefined || isAlwaysThere(owner) ? nothing(true) : accountExists(owner),
    group: group === undefined || isAlwaysThere(group) ? nothing(true) : groupExists(group),
  });
}

/**
 * Why nothing can be put there, or cannot be given to these owners; undefined where all is well. `isNew`: nothing stands at the path yet, so the
 * folder counts.
 */
export function misplaced(
  path: string,
  wanted: Pick<Attributes, 'owner' | 'group'>,
  place: Place,
  isNew: boolean,
): Plan | undefined {
  const folder = place.folder?.type === 'link' ? place.folder.followed : place.folder;
  if (isNew && folder !== undefined && folder.type !== 'directory')
    return folder.type === 'absent'
      ? refuse('no-folder', `${folderOf(path)!} does not exist`, {
          help: 'make it first: `file` with `state: directory`',
        })
      : refuse('not-a-directory', `${folderOf(path)!} is not a directory`);
  if (!place.owner)
    return refuse('no-account', `there is no account ${wanted.owner!}`, {
      help: 'make it first: `user`',
      param: '/owner',
    });
  if (!place.group)
    return refuse('no-group', `there is no group ${wanted.group!}`, {help: 'make it first: `group`', param: '/group'});
  return undefined;
}

function folderOf(path: string): string | undefined {
  const folder = path.replace(/\/[^/]*$/, '');
  return folder === '' ? undefined : folder;
}

function isAlwaysThere(name: string): boolean {
  return name === 'root' || /^\d+$/.test(name);
}
