import {octal, resolveMode} from './mode.ts';
import type {PlainOp} from './op.ts';
import type {Change} from './plan.ts';
import type {FileState, Inode} from './reads.ts';

/** Wanted permission bits and owners; undefined = leave as it is. `mode` octal or symbolic, `owner` and `group` names or numbers. */
export type Attributes = {
  readonly mode?: string | undefined;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
};

/** What differs in attributes, and the ops that set them. */
export type AttributeDiff = {readonly changes: readonly Change[]; readonly ops: readonly PlainOp[]};

/**
 * Compares attributes of something that exists. `what` is put before the change's name where several things are compared.
 * Numeric owners are compared with the number, names with the name.
 */
export function compareAttributes(
  path: string,
  now: Inode & {readonly type: string},
  wanted: Attributes,
  what = '',
): AttributeDiff {
  const changes: Change[] = [];
  const ops: PlainOp[] = [];
  const ownerDiffers = wanted.owner !== undefined && !isNamed(wanted.owner, now.owner, now.uid);
  const groupDiffers = wanted.group !== undefined && !isNamed(wanted.group, now.group, now.gid);
  if (ownerDiffers) changes.push({what: `${what}owner`, before: now.owner, after: wanted.owner});
  if (groupDiffers) changes.push({what: `${what}group`, before: now.group, after: wanted.group});
  if (ownerDiffers || groupDiffers) {
    ops.push({
      op: 'chown',
      path,
      ...(ownerDiffers ? {owner: wanted.owner} : {}),
      ...(groupDiffers ? {group: wanted.group} : {}),
    });
  }
  if (wanted.mode !== undefined && now.type !== 'link') {
    const bits = resolveMode(wanted.mode, now.mode, now.type === 'directory');
    const clearsSpecial = (ownerDiffers || groupDiffers) && (bits & 0o6000) !== 0;
    if (bits !== now.mode) changes.push({what: `${what}mode`, before: octal(now.mode), after: octal(bits)});
    if (bits !== now.mode || clearsSpecial) ops.push({op: 'chmod', path, mode: octal(bits)});
  }
  return {changes, ops};
}

function isNamed(wanted: string, name: string, id: number): boolean {
  return wanted === name || (/^\d+$/.test(wanted) && Number(wanted) === id);
}

/** The attributes of something new, as changes from absent. */
export function newAttributes(wanted: Attributes): readonly Change[] {
  return [
    ...(wanted.owner === undefined ? [] : [{what: 'owner', before: undefined, after: wanted.owner}]),
    ...(wanted.group === undefined ? [] : [{what: 'group', before: undefined, after: wanted.group}]),
    ...(wanted.mode === undefined ? [] : [{what: 'mode', before: undefined, after: wanted.mode}]),
  ];
}

/** Attributes with the undefined ones left out, as ops take them; a symbolic mode is resolved against `current`. */
export function attributeFields(
  wanted: Attributes,
  current: number,
  isDirectory: boolean,
): {mode?: string; owner?: string; group?: string} {
  return {
    ...(wanted.mode === undefined ? {} : {mode: octal(resolveMode(wanted.mode, current, isDirectory))}),
    ...(wanted.owner === undefined ? {} : {owner: wanted.owner}),
    ...(wanted.group === undefined ? {} : {group: wanted.group}),
  };
}

/** A link's final target, or the state itself. */
export function followed(state: FileState): FileState {
  return state.type === 'link' ? state.followed : state;
}
