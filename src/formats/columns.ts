/* Files of blank-separated columns with whole-line comments (crypttab, fstab): rewriting one column keeps the blanks around the others. */
import {insertRaw, lineBody, lineEnd, splitLines} from './text-lines.ts';

/** One line; `fields` is undefined for comments, blank lines and lines with too few columns. */
export type ColumnLine = {readonly raw: string; readonly fields?: readonly string[]};

/** Lines of a text; a line needs `least` columns to be an entry. Joining `raw` gives the text again. */
export function parseColumns(text: string, least: number): readonly ColumnLine[] {
  return splitLines(text).map((raw) => {
    const fields = lineBody(raw).trim().split(/\s+/);
    return raw.trimStart().startsWith('#') || fields.length < least ? {raw} : {raw, fields};
  });
}

/** The line with other columns: only those that differ are replaced, new ones are added, surplus ones cut off. */
export function withColumns(line: ColumnLine, fields: readonly string[]): ColumnLine {
  const body = lineBody(line.raw);
  const parts = [...body.matchAll(/(\s*)(\S+)/g)].map(([, blank = '', field = '']) => ({blank, field}));
  const rest = /\s*$/.exec(body)?.[0] ?? '';
  const raw = fields.map((field, i) => `${parts[i]?.blank ?? (i === 0 ? '' : ' ')}${field}`).join('');
  return {raw: raw + rest + lineEnd(line.raw), fields};
}

/** A new line behind all others. */
export function appendColumns(lines: readonly ColumnLine[], fields: readonly string[]): readonly ColumnLine[] {
  return insertRaw<ColumnLine>(lines, lines.length, [{raw: `${fields.join(' ')}\n`, fields}]);
}

/** Options `a,b=1` as a sorted set, to compare lists by meaning; `defaults`, `none` and `-` add nothing. */
export function optionSet(options: readonly string[]): readonly string[] {
  return [...new Set(options.filter((option) => !['', '-', 'none', 'defaults'].includes(option)))].sort();
}
