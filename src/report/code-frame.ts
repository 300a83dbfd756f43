// A diagnostic as people read it: the place, the message, the source line with the part that is meant, and what to write instead.
import {stripVTControlCharacters, styleText} from 'node:util';
import type {Diagnostic, Source, Span} from '../base/diagnostic.ts';
import {placeOf, positionOf} from '../base/diagnostic.ts';

export type FrameOptions = {readonly color: boolean};

/** *units*: columns of a terminal. Longer lines are cut around the place. */
const widest = 120;
const tabWidth = 4;

/** The frame, several lines, without a line break at its end. A secret source shows its place only. */
export function formatDiagnostic(problem: Diagnostic, options: FrameOptions): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    options.color ? styleText(style, text, {validateStream: false}) : text;
  const {span, severity, code, message} = problem;
  const head = `${paint(severity === 'error' ? 'red' : 'yellow', `${severity}[${code}]`)} ${paint('bold', printable(message))}`;
  const lines = [span === undefined ? head : `${paint('cyan', placeOf(span))} ${head}`];
  if (span !== undefined && span.source.secret !== true && span.source.text !== '')
    lines.push(...excerpt(span, problem.note, paint));
  else if (problem.note !== undefined) lines.push(`  note: ${printable(problem.note)}`);
  if (problem.help !== undefined) {
    const [first = '', ...more] = problem.help.split('\n');
    lines.push(`  ${paint('green', 'help:')} ${printable(first)}`, ...more.map((line) => `        ${printable(line)}`));
  }
  return lines.join('\n');
}

type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

function excerpt({source, start, end}: Span, note: string | undefined, paint: Paint): readonly string[] {
  const {line, column} = positionOf(source.text, Math.min(start, source.text.length));
  const first = lineAt(source, line);
  const lastPosition = positionOf(source.text, Math.max(start, end - 1));
  const spansLines = lastPosition.line > line;
  // an excerpt shows the beginning of a longer part: its whole first line
  const endColumn = spansLines ? first.trimEnd().length + 1 : column + Math.max(0, end - start);
  const shown = cut(first, column - 1, Math.max(column, endColumn) - 1);
  const width = String(line).length;
  const gutter = (label: string): string => paint('dim', `  ${label.padStart(width)} |`);
  const lines: string[] = [];
  const before = line > 1 ? lineAt(source, line - 1) : undefined;
  if (before !== undefined && before.trim() !== '')
    lines.push(
      `${gutter(String(line - 1))} ${shown.cutAt > 0 ? cutTo(before, shown.cutAt) : clip(expand(before))}`.trimEnd(),
    );
  lines.push(`${gutter(String(line))} ${shown.text}`.trimEnd());
  const marks = '^'.repeat(Math.max(1, shown.width));
  const more = spansLines ? ` (to line ${lastPosition.line})` : '';
  const said = note === undefined ? more : ` ${printable(note)}${more}`;
  lines.push(`${gutter('')} ${' '.repeat(shown.indent)}${paint('red', `${marks}${said}`)}`.trimEnd());
  return lines;
}

function lineAt(source: Source, line: number): string {
  let start = 0;
  for (let i = 1; i < line; i++) start = source.text.indexOf('\n', start) + 1;
  const end = source.text.indexOf('\n', start);
  return source.text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
}

type Shown = {readonly text: string; readonly indent: number; readonly width: number; readonly cutAt: number};

/** A line as it is printed, with the columns of the marked part; cut around that part where the line is too long. *units*: offsets in the line; columns. */
function cut(line: string, start: number, end: number): Shown {
  const before = expand(line.slice(0, start));
  const part = expand(line.slice(start, end), columnsOf(before));
  const after = expand(line.slice(end), columnsOf(before) + columnsOf(part));
  const indent = columnsOf(before);
  const width = columnsOf(part);
  if (indent + width + columnsOf(after) <= widest) return {text: before + part + after, indent, width, cutAt: 0};
  const room = Math.max(10, widest - Math.min(width, widest) - 2);
  const keepBefore = Math.min(indent, Math.max(Math.floor(room / 2), room - columnsOf(after)));
  const dropped = indent - keepBefore;
  const head = dropped > 0 ? `…${lastColumns(before, keepBefore - 1)}` : before;
  const visible = firstColumns(part, widest - columnsOf(head) - 1);
  const rest = widest - columnsOf(head) - columnsOf(visible);
  const tail = columnsOf(after) <= rest && visible === part ? after : `${firstColumns(after, Math.max(0, rest - 1))}…`;
  return {
    text: head + visible + (visible === part ? tail : '…'),
    indent: columnsOf(head),
    width: columnsOf(visible),
    cutAt: dropped,
  };
}

function cutTo(line: string, dropped: number): string {
  const text = expand(line);
  return columnsOf(text) > dropped + 1 ? clip(`…${lastColumns(text, columnsOf(text) - dropped - 1)}`) : '…';
}

function clip(text: string): string {
  return columnsOf(text) <= widest ? text : `${firstColumns(text, widest - 1)}…`;
}

/** Tabs as blanks up to the next stop, so that marks stand below what they mark; control characters made visible. */
function expand(text: string, from = 0): string {
  let out = '';
  for (const c of text) {
    if (c === '\t') out += ' '.repeat(tabWidth - ((from + columnsOf(out)) % tabWidth));
    else out += printable(c);
  }
  return out;
}

function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, (c) =>
    c === '\r' ? '' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** *units*: columns of a terminal: East Asian wide characters and emoji take two, combining marks none. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const c of text) columns += widthOf(c);
  return columns;
}

function widthOf(c: string): number {
  const code = c.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(c)) return 0;
  if (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  )
    return 2;
  return 1;
}

function firstColumns(text: string, columns: number): string {
  let out = '';
  let used = 0;
  for (const c of text) {
    used += widthOf(c);
    if (used > columns) break;
    out += c;
  }
  return out;
}

function lastColumns(text: string, columns: number): string {
  const characters = Array.from(text);
  let used = 0;
  let from = characters.length;
  while (from > 0) {
    used += widthOf(characters[from - 1] ?? '');
    if (used > columns) break;
    from--;
  }
  return characters.slice(from).join('');
}
