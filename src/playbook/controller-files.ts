// Files and templates of the controller that parameters name: found as Ansible finds them, read once per change.
import {createHash} from 'node:crypto';
import {closeSync, openSync, readFileSync, readSync, readdirSync, readlinkSync, lstatSync, statSync} from 'node:fs';
import type {Stats} from 'node:fs';
import {join} from 'node:path';
import {error} from '../base/diagnostic.ts';
import {findUnknown} from '../base/unknown.ts';
import {Unresolved} from '../catalog/unresolved.ts';
import {octal} from '../kit/mode.ts';
import type {Blob} from '../kit/op.ts';
import type {ControllerFile} from '../kit/schema.ts';
import type {Resolver} from '../kit/wrap.ts';
import {refuseChanged} from './disk.ts';
import type {TaskScope} from './scope-task.ts';
import {candidatePaths, findPath} from './search-path.ts';
import {soughtHelp} from './sought.ts';

/** *units*: bytes up to which a file's content is kept beside its digest. */
const keptBytes = 1024 * 1024;

type Read = {readonly stamp: string; readonly blob: Blob; readonly bytes?: Uint8Array};
type Directory = Extract<ControllerFile, {type: 'directory'}>;

const reads = new Map<string, Read>();

/** How the controller's files get into the values of a task in this scope. *errors*: throws Unresolved. */
export function resolverOf(scope: TaskScope): Resolver {
  return {
    file: (path, folder) => {
      const trailing = path.endsWith('/') && path.length > 1;
      const bare = trailing ? path.slice(0, -1) : path;
      const found = findPath(bare, scope.folders, [folder]);
      if (found === undefined) {
        const searched = candidatePaths(bare, scope.folders, [folder]);
        return {type: 'missing', path, searched, help: soughtHelp(searched, scope.place.run.cwd)};
      }
      return describe(found, trailing);
    },
    template: (path) => {
      const found = findPath(path, scope.folders, ['templates']);
      if (found === undefined) {
        const searched = candidatePaths(path, scope.folders, ['templates']);
        throw new Unresolved([
          error('missing-file', `there is no template ${path}`, {help: soughtHelp(searched, scope.place.run.cwd)}),
        ]);
      }
      const rendered = scope.renderFile(found);
      if (!rendered.ok) throw new Unresolved(rendered.problems);
      const waits = findUnknown(rendered.value);
      if (waits !== undefined) throw new Unresolved(waits);
      return {path: found, text: rendered.value};
    },
  };
}

/** A trailing slash, as with rsync, means what a folder holds. */
function describe(path: string, contents: boolean): ControllerFile {
  try {
    const stats = statSync(path);
    const shown = contents ? `${path}/` : path;
    if (stats.isDirectory()) return {type: 'directory', path: shown, entries: entriesOf(path, '')};
    const {blob, bytes} = read(path, stats);
    return {type: 'file', path, blob, ...(bytes === undefined ? {} : {bytes}), mode: octal(stats.mode & 0o7777)};
  } catch (cause) {
    throw new Unresolved([error('unreadable-file', `${path} cannot be read: ${(cause as Error).message}`)]);
  }
}

function entriesOf(root: string, below: string): Directory['entries'] {
  return readdirSync(join(root, below))
    .sort()
    .flatMap((name): Directory['entries'] => {
      const relative = below === '' ? name : `${below}/${name}`;
      const path = join(root, relative);
      const stats = lstatSync(path);
      const mode = octal(stats.mode & 0o7777);
      if (stats.isSymbolicLink()) return [{relative, mode, type: 'link', target: readlinkSync(path)}];
      if (stats.isDirectory()) return [{relative, mode, type: 'directory'}, ...entriesOf(root, relative)];
      if (!stats.isFile()) return [];
      const {blob, bytes} = read(path, stats);
      return [{relative, mode, type: 'file', blob, ...(bytes === undefined ? {} : {bytes})}];
    });
}

function read(path: string, stats: Stats): Read {
  refuseChanged(path, stats);
  const stamp = `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
  const known = reads.get(path);
  if (known?.stamp === stamp) return known;
  const fresh = stats.size <= keptBytes ? small(path, stamp) : large(path, stamp);
  reads.set(path, fresh);
  return fresh;
}

function small(path: string, stamp: string): Read {
  const bytes = new Uint8Array(readFileSync(path));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {stamp, blob: {blob: path, sha256, sizeBytes: bytes.length}, bytes};
}

/** In pieces: an image of a machine does not fit into memory. */
function large(path: string, stamp: string): Read {
  const hash = createHash('sha256');
  const piece = new Uint8Array(keptBytes);
  const file = openSync(path, 'r');
  let sizeBytes = 0;
  try {
    for (let n = readSync(file, piece); n > 0; n = readSync(file, piece)) {
      hash.update(piece.subarray(0, n));
      sizeBytes += n;
    }
  } finally {
    closeSync(file);
  }
  return {stamp, blob: {blob: path, sha256: hash.digest('hex'), sizeBytes}};
}
