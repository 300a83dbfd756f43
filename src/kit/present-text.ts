import {followed} from './attributes.ts';
import {textOf} from './content.ts';
import {octal} from './mode.ts';
import type {Content, WriteOp} from './op.ts';
import {refuse, type Plan} from './plan.ts';
import type {FileState, Inode} from './reads.ts';

/** A text file as it stands: undefined text = there is none. */
export type PresentText = {
  readonly text: string | undefined;
  readonly inode: (Inode & {readonly type: 'file'}) | undefined;
  /** the path is a link, and what it leads to is meant */
  readonly link: boolean;
};

/**
 * The text of a configuration file that a module edits by meaning, or why it may not be touched: something else stands there, it cannot be read,
 * it is no UTF-8 text. Links are followed. The read must ask for the content `always`.
 */
export function presentText(path: string, now: FileState): PresentText | (Plan & {kind: 'refuse'}) {
  const stop = (code: string, message: string, help?: string): Plan & {kind: 'refuse'} =>
    refuse(code, message, help === undefined ? {} : {help}) as Plan & {kind: 'refuse'};
  const link = now.type === 'link';
  const state = followed(now);
  if (state.type === 'absent') {
    return link
      ? stop('dangling-link', `${path} is a link that leads nowhere`)
      : {text: undefined, inode: undefined, link};
  }
  if (state.type !== 'file')
    return stop(
      'not-a-file',
      `${path} is a ${state.type === 'directory' ? 'directory' : 'special file'}, not a regular file`,
    );
  if (state.denied === true) return stop('unreadable', `${path} cannot be read by this account`, 'use `become: true`');
  if (state.content === undefined) return stop('too-large', `${path} has ${state.sizeBytes} bytes: too large to edit`);
  const text = textOf(state.content);
  return text === undefined ? stop('not-text', `${path} is not a UTF-8 text`) : {text, inode: state, link};
}

/** The write that replaces such a file: its owner, group and mode stay; a new file gets those of `fresh`. */
export function rewrite(
  path: string,
  now: PresentText,
  content: Content,
  fresh: {readonly mode: string; readonly owner?: string; readonly group?: string},
): WriteOp {
  const kept =
    now.inode === undefined ? fresh : {mode: octal(now.inode.mode), owner: now.inode.owner, group: now.inode.group};
  return {op: 'write', path, content, ...kept, ...(now.link ? {follow: true as const} : {})};
}
