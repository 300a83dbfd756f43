// Files and templates of the controller that parameters name: found as Ansible finds them, read once per change.
import {createHash} from 'node:crypto';
import {closeSync, openSync, readFileSync, readSync, readdirSync, readlinkSync, lstatSync, statSync} from 'node:fs';
import type {Stats} from 'node:fs';
import {join} from 'node:path';
import {error} from '../base/diagnostic.ts';
import {findUnknown} from '../base/unknown.ts';
import {Unresolved} from '../catalog/unresolved.ts';
import {sha256, textOf} from '../kit/content.ts';
import {octal} from '../kit/mode.ts';
import type {Blob} from '../kit/op.ts';
import type {ControllerFile} from '../kit/schema.ts';
import type {Resolver} from '../kit/wrap.ts';
import {decrypt, isVault, type VaultPassword} from '../secrets/vault.ts';
import {refuseChanged} from './disk.ts';
import type {TaskScope} from './scope-task.ts';
import {candidatePaths, findPath} from './search-path.ts';
import {soughtHelp} from './sought.ts';

/** *units*: bytes up to which a file's content is kept beside its digest. */
const keptBytes = 1024 * 1024;

type Read = {readonly stamp: string; readonly blob: Blob; readonly bytes?: Uint8Array};
type Directory = Extract<ControllerFile, {type: 'directory'}>;
type Opened = Pick<Extract<ControllerFile, {type: 'file'}>, 'blob' | 'bytes' | 'secret'>;
/** undefined: vaults stay closed. */
type Passwords = readonly VaultPassword[] | undefined;

const reads = new Map<string, Read>();

/** How the controller's files get into the values of a task in this scope. *errors*: throws Unresolved. */
export function resolverOf(scope: TaskScope): Resolver {
  return {
    file: (path, folder, settings) => {
      const trailing = path.endsWith('/') && path.length > 1;
      const bare = trailing ? path.slice(0, -1) : path;
      const found = findPath(bare, scope.folders, [folder]);
      if (found === undefined) {
        const searched = candidatePaths(bare, scope.folders, [folder]);
        return {type: 'missing', path, searched, help: soughtHelp(searched, scope.place.run.cwd)};
      }
      const open = settings['decrypt'] === false ? undefined : scope.place.run.vaultPasswords;
      return describe(found, trailing, open);
    },
    template: (path, settings) => {
      const found = findPath(path, scope.folders, ['templates']);
      if (found === undefined) {
        const searched = candidatePaths(path, scope.folders, ['templates']);
        throw new Unresolved([
          error('missing-file', `there is no template ${path}`, {help: soughtHelp(searched, scope.place.run.cwd)}),
        ]);
      }
      const rendered = scope.renderFile(found, marksOf(settings));
      if (!rendered.ok) throw new Unresolved(rendered.problems);
      const waits = findUnknown(rendered.value);
      if (waits !== undefined) throw new Unresolved(waits);
      return {path: found, text: rendered.value};
    },
  };
}

/** A trailing slash, as with rsync, means what a folder holds. */
function describe(path: string, contents: boolean, passwords: Passwords): ControllerFile {
  try {
    const stats = statSync(path);
    const shown = contents ? `${path}/` : path;
    if (stats.isDirectory()) return {type: 'directory', path: shown, entries: entriesOf(path, '', passwords)};
    return {type: 'file', path, ...opened(path, read(path, stats), passwords), mode: octal(stats.mode & 0o7777)};
  } catch (cause) {
    if (cause instanceof Unresolved) throw cause;
    throw new Unresolved([error('unreadable-file', `${path} cannot be read: ${(cause as Error).message}`)]);
  }
}

function entriesOf(root: string, below: string, passwords: Passwords): Directory['entries'] {
  return readdirSync(join(root, below))
    .sort()
    .flatMap((name): Directory['entries'] => {
      const relative = below === '' ? name : `${below}/${name}`;
      const path = join(root, relative);
      const stats = lstatSync(path);
      const mode = octal(stats.mode & 0o7777);
      if (stats.isSymbolicLink()) return [{relative, mode, type: 'link', target: readlinkSync(path)}];
      if (stats.isDirectory()) return [{relative, mode, type: 'directory'}, ...entriesOf(root, relative, passwords)];
      if (!stats.isFile()) return [];
      return [{relative, mode, type: 'file', ...opened(path, read(path, stats), passwords)}];
    });
}

/** A vault gives what is in it, as a secret; other files what they are. *errors*: throws Unresolved where it does not open. */
function opened(path: string, {blob, bytes}: Read, passwords: Passwords): Opened {
  if (passwords === undefined || bytes === undefined || !isVault(bytes))
    return {blob, ...(bytes === undefined ? {} : {bytes})};
  const source = {path, text: new TextDecoder().decode(bytes)};
  const content = decrypt(source.text, passwords, {source, start: 0, end: source.text.indexOf('\n')});
  if (!content.ok) throw new Unresolved(content.problems);
  if (textOf(content.value.bytes) === undefined)
    throw new Unresolved([
      error('vault-binary', `${path} is a vault of bytes that are no text`, {
        help: 'open it with `tsplay vault decrypt`, or put it there as it is with `decrypt: false`',
      }),
    ]);
  const plain = content.value.bytes;
  return {
    blob: {blob: path, sha256: sha256(plain), sizeBytes: plain.length},
    bytes: plain,
    secret: content.value.text,
  };
}

const templateMarks = {
  variable_start_string: 'outputStart',
  variable_end_string: 'outputEnd',
  block_start_string: 'blockStart',
  block_end_string: 'blockEnd',
  comment_start_string: 'commentStart',
  comment_end_string: 'commentEnd',
  trim_blocks: 'trimBlocks',
  lstrip_blocks: 'lstripBlocks',
} as const;

/** What the parameters of `template` say about its syntax. */
function marksOf(settings: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(templateMarks).flatMap(([name, mark]) =>
      settings[name] === undefined ? [] : [[mark, settings[name]]],
    ),
  );
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
