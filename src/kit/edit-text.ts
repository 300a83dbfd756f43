import {attributeFields, compareAttributes, followed, newAttributes, type Attributes} from './attributes.ts';
import {textOf} from './content.ts';
import {misplaced, type Place} from './file-place.ts';
import type {Argv, WriteOp} from './op.ts';
import {change, converged, refuse, type Change, type Plan} from './plan.ts';
import type {FileState} from './reads.ts';
import {Secret} from '../base/secret.ts';

/** How a text file shall be edited. `edit` gives the whole new text, or a refusal; it must leave a text alone that is right already. */
export type TextEdit = Attributes & {
  readonly path: string;
  readonly create: boolean;
  /** a missing file is as good as an edited one (state absent) */
  readonly absentIsFine: boolean;
  readonly edit: (text: string) => string | Plan;
  /** texts in it that must not be shown */
  readonly secrets?: readonly Secret[];
  readonly validate?: Argv | undefined;
  /** what has to be there for the file to be made, or given away */
  readonly place: Place;
};

/**
 * The plan that edits a text file and sets its attributes. The read must ask for the content `always`. Links are followed, as editors do;
 * bytes that are no UTF-8 are refused rather than damaged.
 */
export function planTextEdit(wanted: TextEdit, now: FileState): Plan {
  const state = followed(now);
  if (state.type === 'absent') {
    if (wanted.absentIsFine) return converged();
    if (!wanted.create) return refuse('absent', `${wanted.path} does not exist`, {help: '`create: true` makes it'});
  } else if (state.type !== 'file')
    return refuse('not-a-file', `${wanted.path} is a ${state.type}, not a regular file`);
  else if (state.denied === true)
    return refuse('unreadable', `${wanted.path} cannot be read by this account`, {help: 'use `become: true`'});
  else if (state.content === undefined)
    return refuse('too-large', `${wanted.path} has ${state.sizeBytes} bytes: too large to edit`);
  const refusal = misplaced(wanted.path, wanted, wanted.place, now.type === 'absent');
  if (refusal !== undefined) return refusal;
  const before = state.type === 'file' ? textOf(state.content!) : '';
  if (before === undefined) return refuse('not-text', `${wanted.path} is not a UTF-8 text`);
  const after = wanted.edit(before);
  if (typeof after !== 'string') return after;
  const secrets = wanted.secrets ?? [];
  const show = (text: string): string | Secret => hide(text, secrets);
  const follow = now.type === 'link' ? ({follow: true} as const) : {};
  if (state.type === 'absent') {
    const op: WriteOp = {
      op: 'write',
      path: wanted.path,
      content: show(after),
      ...attributeFields({...wanted, mode: wanted.mode ?? '0644'}, 0o644, false),
      ...(wanted.validate === undefined ? {} : {validate: wanted.validate}),
    };
    return change(
      [{what: 'content', before: undefined, after: after === '' ? '(empty)' : show(after)}, ...newAttributes(wanted)],
      [op],
    );
  }
  const attributes = compareAttributes(wanted.path, state, wanted);
  if (after === before)
    return change(
      attributes.changes,
      attributes.ops.map((op) =>
        now.type === 'link' && (op.op === 'chmod' || op.op === 'chown') ? {...op, follow: true} : op,
      ),
    );
  const changes: Change[] = [
    {what: 'content', before: before === '' ? '(empty)' : show(before), after: after === '' ? '(empty)' : show(after)},
    ...attributes.changes,
  ];
  const op: WriteOp = {
    op: 'write',
    path: wanted.path,
    content: show(after),
    ...attributeFields(wanted, state.mode, false),
    ...follow,
    ...(wanted.validate === undefined ? {} : {validate: wanted.validate}),
  };
  return change(changes, [op]);
}

/** A text in which every occurrence of the secrets' parts is marked. Parts under four characters are not searched for: they would hide everything. */
function hide(text: string, secrets: readonly Secret[]): string | Secret {
  const parts = [
    ...new Set(secrets.flatMap((s) => s.pieces()).flatMap((piece) => [piece, ...piece.split('\n')])),
  ].filter((piece) => piece.length >= 4);
  if (parts.length === 0) return text;
  parts.sort((a, b) => b.length - a.length);
  const pattern = new RegExp(parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'), 'g');
  const pieces: (string | Secret)[] = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    pieces.push(text.slice(at, match.index), Secret.of(match[0]));
    at = match.index + match[0].length;
  }
  return Secret.join([...pieces, text.slice(at)]);
}

/** A `validate:` command line as words; `%s` stands for the candidate. */
export function candidateCommand(command: string): Argv {
  const [first = '', ...rest] = command.trim().split(/\s+/);
  const word = (text: string): Argv[number] => (text === '%s' ? {candidate: true} : text);
  return [word(first), ...rest.map(word)];
}

/** The secrets among some texts. */
export function secretsOf(...texts: readonly (string | Secret | undefined)[]): readonly Secret[] {
  return texts.filter((text): text is Secret => text instanceof Secret);
}
