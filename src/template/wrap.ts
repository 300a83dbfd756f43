// Breaking lines at white space and hyphens, with the results of Python's textwrap.
const SPACE = /[\t\n\v\f\r ]/;
const LETTER = /^[\p{L}_]$/u;
const PUNCTUATED = /^[\p{L}\p{N}_!"'&.,?]$/u;
const WORD = /^[\p{L}\p{N}_]$/u;

/** Whether a word may be broken after its hyphen at `at`: two letters before it, and a letter behind. */
function breaksAfter(chars: readonly string[], at: number): boolean {
  const is = (pattern: RegExp, i: number): boolean => pattern.test(chars[i] ?? '');
  const before =
    (is(LETTER, at - 2) && is(LETTER, at - 1)) ||
    (is(LETTER, at - 3) && chars[at - 2] === '-' && is(PUNCTUATED, at - 1));
  const behind = is(LETTER, at + 1) && (is(LETTER, at + 2) || (chars[at + 2] === '-' && is(LETTER, at + 3)));
  return before && behind;
}

/** How many hyphens of a dash begin at `at`; 0 unless a dash of two or more leads to a word. */
function dashAt(chars: readonly string[], at: number): number {
  let size = 0;
  while (chars[at + size] === '-') size++;
  return size >= 2 && PUNCTUATED.test(chars[at - 1] ?? '') && WORD.test(chars[at + size] ?? '') ? size : 0;
}

/** Cuts a line into white space and words (or parts of words). */
function chunksOf(chars: readonly string[], hyphens: boolean): string[][] {
  const out: string[][] = [];
  let at = 0;
  while (at < chars.length) {
    const start = at;
    if (SPACE.test(chars[at] ?? '')) {
      while (at < chars.length && SPACE.test(chars[at] ?? '')) at++;
    } else if (hyphens && dashAt(chars, at) > 0) at += dashAt(chars, at);
    else {
      do {
        at++;
        if (hyphens && chars[at - 1] === '-' && at - 1 > start && breaksAfter(chars, at - 1)) break;
        if (hyphens && dashAt(chars, at) > 0) break;
      } while (at < chars.length && !SPACE.test(chars[at] ?? ''));
    }
    out.push(chars.slice(start, at));
  }
  return out;
}

const isBlank = (chunk: readonly string[] | undefined): boolean => chunk !== undefined && chunk.join('').trim() === '';

/** The lines, none longer than `width` unless a word is and `breakLong` is false. */
export function wrapLine(line: string, width: number, breakLong: boolean, breakHyphens: boolean): string[] {
  const chunks = chunksOf(Array.from(line), breakHyphens).reverse();
  const lines: string[] = [];
  while (chunks.length > 0) {
    const current: string[][] = [];
    let size = 0;
    if (lines.length > 0 && isBlank(chunks.at(-1))) chunks.pop();
    for (let next = chunks.at(-1); next !== undefined && size + next.length <= width; next = chunks.at(-1)) {
      current.push(next);
      size += next.length;
      chunks.pop();
    }
    const next = chunks.at(-1);
    if (next !== undefined && next.length > width) {
      if (breakLong) {
        let end = width - size;
        const hyphen = breakHyphens ? next.slice(0, end).lastIndexOf('-') : -1;
        if (hyphen > 0 && next.slice(0, hyphen).some((char) => char !== '-')) end = hyphen + 1;
        current.push(next.slice(0, end));
        chunks[chunks.length - 1] = next.slice(end);
      } else if (current.length === 0) current.push(chunks.pop() ?? []);
    }
    if (isBlank(current.at(-1))) current.pop();
    if (current.length > 0) lines.push(current.flat().join(''));
  }
  return lines;
}
