import {createTwoFilesPatch} from 'diff';
import {Secret, masked} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import type {Change, Value} from '../kit/plan.ts';

/** Beyond this many edits a diff says little; it is cut off so that it cannot hold up a run. */
const maxEditLength = 5000;

/**
 * All changes of a task as one unified diff: content as patches, single values as one removed and one added line.
 * Secrets are masked; a change that lies wholly within secret text shows that something hidden differs.
 */
export function diffOf(changes: readonly Change[]): string {
  return changes.map(changeDiff).join('');
}

function changeDiff(change: Change): string {
  const before = shownValue((change.line ?? change).before);
  const after = shownValue((change.line ?? change).after);
  if (isContent(change.before) || isContent(change.after)) {
    const patch = createTwoFilesPatch(
      `before: ${change.what}`,
      `after: ${change.what}`,
      before ?? '',
      after ?? '',
      undefined,
      undefined,
      {context: 3, maxEditLength},
    );
    if (patch === undefined)
      return `--- before: ${change.what}\n+++ after: ${change.what}\n(too different to show line by line)\n`;
    const body = patch.replace(/^=+\n/, '');
    return before === after ? `${body}(the difference is in hidden text)\n` : body;
  }
  const lines = [`@@ ${change.what} @@`];
  if (before !== undefined) lines.push(`-${before}`);
  if (after !== undefined) lines.push(`+${after}`);
  return `${lines.join('\n')}\n`;
}

function isContent(value: Value): boolean {
  return value !== undefined && !(value instanceof Unknown) && masked(value).includes('\n');
}

function shownValue(value: Value): string | undefined {
  if (value === undefined) return undefined;
  return value instanceof Unknown ? '(known after apply)' : masked(value);
}

/** The changes for people: content as a unified diff, single values in a line each (`+` new, `-` gone, `~` before → after). */
export function linesOf(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) => {
    if (isContent(change.before) || isContent(change.after)) return changeDiff(change).trimEnd().split('\n');
    const before = shownValue(change.before);
    const after = shownValue(change.after);
    if (before === undefined) return [`+ ${change.what}: ${after ?? ''}`];
    if (after === undefined) return [`- ${change.what}: ${before}`];
    return [`~ ${change.what}: ${before} → ${after}${before === after ? ' (the difference is hidden)' : ''}`];
  });
}

/** One side of a change in JSON: null = absent, `{secret: true}` = wholly hidden, `{unknown: true}` = known only after apply. */
export function jsonValue(value: Value): unknown {
  if (value === undefined) return null;
  if (value instanceof Unknown) return {unknown: true};
  if (value instanceof Secret) return value.pieces().join('') === value.reveal() ? {secret: true} : value.masked();
  return value;
}
