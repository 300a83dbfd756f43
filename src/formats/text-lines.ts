/*
 * Every line-based format here keeps whole lines, terminators included, so that printing is joining:
 * what an edit does not touch cannot change.
 */

/** The lines of a text, each with its `\n` (the last one perhaps without). `splitLines(t).join('') === t`; no line for the empty text. */
export function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** A line without its terminator (`\n` or `\r\n`). */
export function lineBody(line: string): string {
  return line.replace(/\r?\n$/, '');
}

/** The terminator of a line: `\n`, `\r\n`, or nothing. */
export function lineEnd(line: string): string {
  return line.slice(lineBody(line).length);
}

/** The list with `extra` standing before position `index`, and the line before it ended if it was not. */
export function insertRaw<T extends {readonly raw: string}>(
  lines: readonly T[],
  index: number,
  extra: readonly T[],
): T[] {
  const before = lines.slice(0, index);
  const last = before.at(-1);
  if (last !== undefined && extra.length > 0 && !last.raw.endsWith('\n')) {
    before[before.length - 1] = {...last, raw: `${last.raw}\n`};
  }
  return [...before, ...extra, ...lines.slice(index)];
}
