import {attributeFields, compareAttributes, followed, newAttributes, type Attributes} from './attributes.ts';
import {contentValue, sha256} from './content.ts';
import type {Content, Op, WriteOp} from './op.ts';
import {change, refuse, type Change, type Plan} from './plan.ts';
import type {FileState} from './reads.ts';
import {Secret} from '../base/secret.ts';

/** A file that shall have this content. `content` as shown in diffs: plain text, text with secret ranges, or bytes. */
export type WantedFile = Attributes & {
  readonly path: string;
  readonly content: string | Uint8Array | Secret;
  /** what travels, where that is not `content` itself (a large controller file) */
  readonly source?: Content;
  readonly sha256?: string;
  readonly validate?: WriteOp['validate'];
  readonly follow?: boolean;
  /** before the content is compared: the old content as it may be shown; a Secret hides it */
  readonly hidden?: boolean;
};

/**
 * The plan that gives a file its content and attributes: converged, one atomic write, or a refusal where something else stands in its place.
 * Without `mode` a new file gets 0644, an existing one keeps its own.
 */
export function planFile(wanted: WantedFile, now: FileState): Plan {
  const {changes, ops, refusal} = fileDiff(wanted, now);
  return refusal ?? change(changes, ops);
}

/** The parts of {@link planFile}, for modules that manage more than one file. */
export function fileDiff(
  wanted: WantedFile,
  now: FileState,
): {changes: readonly Change[]; ops: readonly Op[]; refusal?: Plan} {
  const state = wanted.follow === true ? followed(now) : now;
  const nothing = {changes: [], ops: []};
  if (state.type === 'directory')
    return {
      ...nothing,
      refusal: refuse('is-directory', `${wanted.path} is a directory`, {help: 'name a file in it, or remove it first'}),
    };
  if (state.type === 'link')
    return {
      ...nothing,
      refusal: refuse('is-link', `${wanted.path} is a symbolic link to ${state.target}`, {
        help: 'set `follow: true` to write the file that it leads to',
      }),
    };
  if (state.type === 'other')
    return {...nothing, refusal: refuse('not-a-file', `${wanted.path} is a ${state.kind}, not a regular file`)};
  const digest = wanted.sha256 ?? sha256(wanted.content);
  const after =
    wanted.hidden === true && !(wanted.content instanceof Uint8Array)
      ? secretText(wanted.content)
      : contentValue(wanted.content);
  const follow = wanted.follow === true && now.type === 'link' ? ({follow: true} as const) : {};
  const write = (current: number): WriteOp => ({
    op: 'write',
    path: wanted.path,
    content: wanted.source ?? wanted.content,
    ...attributeFields({...wanted, mode: wanted.mode ?? '0644'}, current, false),
    ...(wanted.validate === undefined ? {} : {validate: wanted.validate}),
    ...follow,
  });
  if (state.type === 'absent') {
    return {
      changes: [{what: 'content', before: undefined, after: visibleContent(after)}, ...newAttributes(wanted)],
      ops: [write(0o644)],
    };
  }
  if (state.denied === true)
    return {
      ...nothing,
      refusal: refuse('unreadable', `${wanted.path} cannot be read by this account`, {help: 'use `become: true`'}),
    };
  if (state.sha256 === digest) {
    const {changes, ops} = compareAttributes(wanted.path, state, wanted);
    return {
      changes,
      ops: ops.map((op) =>
        (op.op === 'chmod' || op.op === 'chown') && now.type === 'link' ? {...op, follow: true} : op,
      ),
    };
  }
  const before =
    state.content === undefined
      ? `(${state.sizeBytes} bytes, sha256 ${(state.sha256 ?? '').slice(0, 16)}…)`
      : contentValue(wanted.hidden === true ? secretBytes(state.content) : state.content);
  const attributes = compareAttributes(wanted.path, state, wanted);
  const {mode: _default, ...fields} = write(state.mode);
  const mode = attributeFields(wanted, state.mode, false).mode;
  return {
    changes: [{what: 'content', before, after: visibleContent(after)}, ...attributes.changes],
    ops: [{...fields, ...(mode === undefined ? {} : {mode})}],
  };
}

/** An empty file is not an absent one. */
function visibleContent(value: string | Secret | undefined | ReturnType<typeof contentValue>): Change['after'] {
  return value === '' ? '(empty)' : value;
}

function secretText(text: string | Secret): Secret {
  return text instanceof Secret ? text : Secret.of(text);
}

function secretBytes(bytes: Uint8Array): Secret {
  return Secret.of(new TextDecoder().decode(bytes));
}
