// What an op leaves behind, worked out without a host: the reason why check mode shows for task 7 what task 3 would have done.
// It says no more than it knows: whatever hangs on something unread is Unknown.
import {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {bytesOf, sha256} from '../kit/content.ts';
import {fileKey, type Key} from '../kit/key.ts';
import {resolveMode} from '../kit/mode.ts';
import type {PlainOp, WriteOp} from '../kit/op.ts';
import type {AccountState, FileState, GroupState, Inode} from '../kit/reads.ts';

/** One key and what a read of it will give. */
export type Predicted = {readonly key: Key; readonly value: unknown};
type OpOf<K extends PlainOp['op']> = Extract<PlainOp, {op: K}>;
type Before = (key: Key) => unknown;

/** A moment after every service's start that is known. *units*: seconds since the epoch; the last one that a `Date` can hold. */
const LATER_S = 8_640_000_000_000;
const EMPTY = new Uint8Array();

/**
 * What later reads will see once the op has been carried out: {@link FileState}s, or {@link Unknown}. The key `tree:PATH` with `absent` stands
 * for everything below a removed directory. A `run` says by itself what it affects, and gives nothing here.
 * `before` gives what is known of a key (undefined = not read). *units*: `nowS`, the time that changed files will bear, seconds since the epoch.
 */
export function predictOp(op: PlainOp, before: Before, nowS: number = LATER_S): readonly Predicted[] {
  switch (op.op) {
    case 'write':
      return predictWrite(op, before, nowS);
    case 'run':
      return [];
    case 'mkdir':
      return predictMkdir(op, before, nowS);
    case 'link':
      return predictLink(op, before, nowS);
    case 'chmod':
      return predictInode(op, op.follow === true, before, (inode, isDirectory) => ({
        ...inode,
        mode: resolveMode(op.mode, inode.mode, isDirectory),
      }));
    case 'chown':
      return predictInode(op, op.follow === true, before, (inode, isDirectory) => ({
        ...inode,
        ...ownersOf(op, inode, before),
        mode: isDirectory ? inode.mode : inode.mode & ~0o4000 & ((inode.mode & 0o010) === 0 ? 0o7777 : 0o5777),
      }));
    case 'remove':
      return [
        {key: `tree:${op.path}`, value: {type: 'absent'}},
        {key: fileKey(op.path), value: {type: 'absent'}},
      ];
    case 'touch':
      return predictTouch(op, before, nowS);
  }
}

function predictWrite(op: WriteOp, before: Before, nowS: number): readonly Predicted[] {
  const now = stateOf(before(fileKey(op.path)));
  const through = now?.type === 'link' && op.follow === true ? now : undefined;
  const old = through === undefined ? now : through.followed;
  const content = contentOf(op);
  const inode = inodeAfter(op, old, before, content?.sizeBytes ?? 0, nowS);
  const value = inode === undefined || content === undefined ? waiting() : {type: 'file', ...inode, ...content};
  const key = fileKey(op.path);
  if (through === undefined) return [...appeared(op.path, now), {key, value}];
  const real = resolveTarget(op.path, through.target);
  return [
    ...(real === undefined ? [] : [{key: fileKey(real), value: through.followed.type === 'link' ? waiting() : value}]),
    {key, value: value instanceof Unknown ? value : {...through, followed: value}},
  ];
}

/** Content as a read will give it; undefined where it is only made when it is applied. A blob's bytes are not at hand, its digest is. */
function contentOf(op: WriteOp): {sizeBytes: number; sha256: string; content?: Uint8Array} | undefined {
  const {content} = op;
  if (typeof content === 'string' || content instanceof Uint8Array || content instanceof Secret) {
    const bytes = bytesOf(content);
    return {sizeBytes: bytes.length, sha256: sha256(bytes), content: bytes};
  }
  return 'blob' in content ? {sizeBytes: content.sizeBytes, sha256: content.sha256} : undefined;
}

/** The inode of a written file; undefined where it keeps what nobody has read. */
function inodeAfter(
  op: {readonly mode?: string; readonly owner?: string; readonly group?: string},
  old: FileState | undefined,
  before: Before,
  sizeBytes: number,
  nowS: number,
): Inode | undefined {
  if (old === undefined && (op.mode === undefined || op.owner === undefined || op.group === undefined))
    return undefined;
  const kept = old !== undefined && old.type === 'file' ? old : fresh;
  return {
    ...ownersOf(op, kept, before),
    mode: op.mode === undefined ? kept.mode : resolveMode(op.mode, kept.mode, false),
    sizeBytes,
    mtimeS: nowS,
  };
}

/** A new file's, as the lowering makes it. */
const fresh: Inode = {mode: 0o644, owner: 'root', group: 'root', uid: 0, gid: 0, sizeBytes: 0, mtimeS: 0};

type Owners = Pick<Inode, 'owner' | 'uid' | 'group' | 'gid'>;

/**
 * Owner and group by name and number, as far as they are known: a number that nobody has read is -1 (modules compare names then), and who is
 * given by number has it as name too.
 */
function ownersOf(op: {readonly owner?: string; readonly group?: string}, now: Owners, before: Before): Owners {
  const account =
    op.owner === undefined ? undefined : (before(`account:${op.owner}`) as AccountState | Unknown | undefined);
  const team = op.group === undefined ? undefined : (before(`group:${op.group}`) as GroupState | Unknown | undefined);
  const uid = account !== undefined && 'uid' in account ? account.uid : undefined;
  const gid = team !== undefined && 'gid' in team ? team.gid : undefined;
  return {
    owner: op.owner ?? now.owner,
    uid: op.owner === undefined || op.owner === now.owner ? now.uid : (uid ?? numberOf(op.owner)),
    group: op.group ?? now.group,
    gid: op.group === undefined || op.group === now.group ? now.gid : (gid ?? numberOf(op.group)),
  };
}

function numberOf(name: string): number {
  return name === 'root' ? 0 : /^\d+$/.test(name) ? Number(name) : -1;
}

function predictMkdir(op: OpOf<'mkdir'>, before: Before, nowS: number): readonly Predicted[] {
  const predictions: Predicted[] = [];
  const make = (path: string, now: FileState | undefined): void => {
    if (now?.type === 'absent') predictions.push({key: `tree:${path}`, value: {type: 'absent'}});
    const value = directoryAfter(op, now, before, nowS);
    const real = now?.type === 'link' ? resolveTarget(path, now.target) : undefined;
    if (real !== undefined)
      predictions.push({
        key: fileKey(real),
        value: value instanceof Unknown ? value : (value as {followed: FileState}).followed,
      });
    predictions.push({key: fileKey(path), value});
  };
  if (op.parents === true) {
    const parts = op.path.split('/').slice(1, -1);
    for (const [i] of parts.entries()) {
      const path = `/${parts.slice(0, i + 1).join('/')}`;
      const now = stateOf(before(fileKey(path)));
      if (now?.type === 'absent') make(path, now);
    }
  }
  make(op.path, stateOf(before(fileKey(op.path))));
  return predictions;
}

function directoryAfter(op: OpOf<'mkdir'>, now: FileState | undefined, before: Before, nowS: number): unknown {
  if (now?.type === 'link') {
    if (now.followed.type !== 'directory') return waiting();
    return {...now, followed: directoryAfter(op, now.followed, before, nowS)};
  }
  if (now === undefined && (op.mode === undefined || op.owner === undefined || op.group === undefined))
    return waiting();
  if (now !== undefined && now.type !== 'directory' && now.type !== 'absent') return waiting();
  const kept: Inode = now?.type === 'directory' ? now : {...fresh, mode: 0o755, sizeBytes: 4096, mtimeS: nowS};
  return {
    type: 'directory',
    ...ownersOf(op, kept, before),
    mode: op.mode === undefined ? kept.mode : resolveMode(op.mode, kept.mode, true),
    sizeBytes: kept.sizeBytes,
    mtimeS: kept.mtimeS,
  };
}

function predictLink(op: OpOf<'link'>, before: Before, nowS: number): readonly Predicted[] {
  const key = fileKey(op.path);
  // What is below the path is seen through the link from now on.
  const below: Predicted = {key: `tree:${op.path}`, value: waiting()};
  const target = resolveTarget(op.path, op.target);
  // A link to itself leads nowhere.
  const followed: FileState | undefined =
    target === op.path ? {type: 'absent'} : target === undefined ? undefined : stateOf(before(fileKey(target)));
  if (op.hard === true) return [below, {key, value: followed === undefined ? waiting() : followed}];
  const final = followed?.type === 'link' ? followed.followed : followed;
  if (final === undefined) return [below, {key, value: waiting()}];
  return [
    below,
    {
      key,
      value: {
        type: 'link',
        target: op.target,
        followed: final,
        ...fresh,
        mode: 0o777,
        sizeBytes: bytesOf(op.target).length,
        mtimeS: nowS,
      },
    },
  ];
}

function predictTouch(op: OpOf<'touch'>, before: Before, nowS: number): readonly Predicted[] {
  const key = fileKey(op.path);
  const now = stateOf(before(key));
  if (now === undefined) return [{key, value: waiting()}];
  if (now.type === 'absent') {
    const inode = inodeAfter(op, now, before, 0, nowS)!;
    return [...appeared(op.path, now), {key, value: {type: 'file', ...inode, sha256: sha256(EMPTY), content: EMPTY}}];
  }
  const mode = op.mode === undefined ? now.mode : resolveMode(op.mode, now.mode, now.type === 'directory');
  return [{key, value: {...now, ...ownersOf(op, now, before), mode, mtimeS: nowS}}];
}

function predictInode(
  op: {readonly path: string},
  follow: boolean,
  before: Before,
  change: (inode: Inode, isDirectory: boolean) => Inode,
): readonly Predicted[] {
  const key = fileKey(op.path);
  const now = stateOf(before(key));
  if (now === undefined || now.type === 'absent') return [{key, value: waiting()}];
  if (now.type !== 'link' || !follow) return [{key, value: {...now, ...change(now, now.type === 'directory')}}];
  const {followed} = now;
  if (followed.type === 'absent' || followed.type === 'link') return [{key, value: waiting()}];
  const value = {...followed, ...change(followed, followed.type === 'directory')};
  const real = resolveTarget(op.path, now.target);
  return [...(real === undefined ? [] : [{key: fileKey(real), value}]), {key, value: {...now, followed: value}}];
}

/** A file in the place of nothing, or of something else: nothing can lie below it. */
function appeared(path: string, now: FileState | undefined): readonly Predicted[] {
  return now?.type === 'directory' ? [{key: `tree:${path}`, value: {type: 'absent'}}] : [];
}

/** The path that a link's text means; undefined where `..` would need the links on the way. */
function resolveTarget(link: string, target: string): string | undefined {
  if (target.split('/').includes('..')) return undefined;
  const absolute = target.startsWith('/') ? target : `${link.slice(0, link.lastIndexOf('/'))}/${target}`;
  const parts = absolute.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}

function stateOf(value: unknown): FileState | undefined {
  return value === undefined || value instanceof Unknown ? undefined : (value as FileState);
}

function waiting(): Unknown {
  return new Unknown('this change');
}
