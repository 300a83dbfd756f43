// `copy: src=a dest=b` and `command: ls creates=/x`: parameters in one text. They become the same tree that a mapping would have given, each value with
// its place, so that nothing after the loader knows this form.
import {error} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import type {Entry, MapNode, ScalarNode} from './node.ts';
import {spanWithin} from './scalar-place.ts';

/** A word of the text, with `{{ … }}` and quoted parts kept whole. *units*: UTF-16 offsets in the text. */
type Piece = {readonly start: number; readonly end: number};

/** Splits at blanks outside of quotes and templates. *source*: Ansible's `split_args`. */
export function splitPieces(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let i = 0;
  while (i < text.length) {
    if (/\s/.test(text[i] ?? '')) {
      i++;
      continue;
    }
    const start = i;
    let quote = '';
    while (i < text.length && (quote !== '' || !/\s/.test(text[i] ?? ''))) {
      const c = text[i] ?? '';
      const opening =
        quote === '' && c === '{' ? {'{{': '}}', '{%': '%}', '{#': '#}'}[text.slice(i, i + 2)] : undefined;
      if (opening !== undefined) {
        const close = text.indexOf(opening, i + 2);
        i = close < 0 ? text.length : close + 2;
        continue;
      }
      if (c === '\\' && i + 1 < text.length && quote !== "'") {
        i += 2;
        continue;
      }
      if (quote === '' && (c === '"' || c === "'")) quote = c;
      else if (c === quote) quote = '';
      i++;
    }
    pieces.push({start, end: i});
  }
  return pieces;
}

const assignment = /^([A-Za-z_]\w*)=/;

/** Whether all words of a text are `name=value`. */
export function isAssignments(text: string): boolean {
  const pieces = splitPieces(text);
  return pieces.length > 0 && pieces.every(({start, end}) => assignment.test(text.slice(start, end)));
}

/** Reads a text of `name=value` words. *errors*: `bad-free-form` for a word that is none. */
export function readAssignments(scalar: ScalarNode, report: (problem: Diagnostic) => void): MapNode {
  const text = typeof scalar.value === 'string' ? scalar.value : scalar.raw;
  const entries: Entry[] = [];
  for (const piece of splitPieces(text)) {
    const entry = entryOf(scalar, text, piece);
    if (entry === undefined) {
      report(
        error('bad-free-form', `expected name=value, not "${text.slice(piece.start, piece.end)}"`, {
          span: spanWithin(scalar, piece.start, piece.end),
          help: 'write the parameters as a mapping below the module',
        }),
      );
    } else entries.push(entry);
  }
  return {kind: 'map', entries, span: scalar.span};
}

/**
 * Reads a command line with parameters in it: words like `creates=/x` whose name is in `names` are parameters, the rest is the command (`freeForm`),
 * character by character as it was written.
 */
export function readCommand(scalar: ScalarNode, freeForm: string, names: ReadonlySet<string>): MapNode {
  const text = typeof scalar.value === 'string' ? scalar.value : scalar.raw;
  const entries: Entry[] = [];
  let command = '';
  let at = 0;
  let first: number | undefined;
  let last = 0;
  let whole = true;
  for (const piece of splitPieces(text)) {
    const name = assignment.exec(text.slice(piece.start, piece.end))?.[1];
    const entry = name !== undefined && names.has(name) ? entryOf(scalar, text, piece) : undefined;
    if (entry === undefined) {
      if (first !== undefined && at !== last) whole = false;
      const gap = text.slice(first === undefined ? piece.start : last, piece.start);
      command +=
        at !== last && first !== undefined
          ? ` ${text.slice(piece.start, piece.end)}`
          : gap + text.slice(piece.start, piece.end);
      first ??= piece.start;
      last = piece.end;
      at = piece.end;
    } else {
      entries.push(entry);
      at = piece.end;
    }
  }
  if (first !== undefined) {
    const value: ScalarNode =
      entries.length === 0
        ? scalar
        : {
            kind: 'scalar',
            value: command,
            raw: command,
            style: 'plain',
            ...(scalar.tag === undefined ? {} : {tag: scalar.tag}),
            span: whole ? spanWithin(scalar, first, last) : scalar.span,
          };
    entries.unshift({key: freeForm, keySpan: value.span, value});
  }
  return {kind: 'map', entries, span: scalar.span};
}

function entryOf(scalar: ScalarNode, text: string, piece: Piece): Entry | undefined {
  const match = assignment.exec(text.slice(piece.start, piece.end));
  if (match?.[1] === undefined) return undefined;
  const key = match[1];
  const from = piece.start + match[0].length;
  const value = text.slice(from, piece.end);
  const quoted = /^(["']).*\1$/s.test(value) && value.length >= 2;
  const inner = quoted ? {start: from + 1, end: piece.end - 1} : {start: from, end: piece.end};
  const content = text.slice(inner.start, inner.end).replace(/\\(["'\\])/g, '$1');
  return {
    key,
    keySpan: spanWithin(scalar, piece.start, piece.start + key.length),
    value: {
      kind: 'scalar',
      value: content,
      raw: content,
      style: 'plain',
      ...(scalar.tag === undefined ? {} : {tag: scalar.tag}),
      span: spanWithin(scalar, inner.start, inner.end),
    },
  };
}
