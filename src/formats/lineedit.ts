/*
 * The three line editors of Ansible as functions over text, with the results of ansible-core 2.14: people rely on which line is
 * taken and where a new one lands. Expressions see lines with their newline; make them with `pythonRegExp`
 * (`{ascii: true}` for lineInFile and blockInFile, `{multiline: true}` for replaceInText).
 */
import {ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {expandTemplate} from './python-regexp.ts';
import {splitLines} from './text-lines.ts';

/** Parameters of `lineinfile`. `insertAfter` counts as `EOF` when neither place is given; `insertBefore: 'EOF'` never matches, so it is the end too. */
export type LineEdit = {
  readonly state?: 'present' | 'absent';
  /** without newline; required for `present` */
  readonly line?: string;
  readonly regexp?: RegExp;
  readonly searchString?: string;
  readonly insertAfter?: 'EOF' | 'BOF' | RegExp;
  readonly insertBefore?: 'EOF' | 'BOF' | RegExp;
  /** expand `\1`, `\g<name>` of `line` from the match of `regexp`; without a match nothing is done */
  readonly backrefs?: boolean;
  /** take the first matching line, not the last */
  readonly firstMatch?: boolean;
};

function fresh(regexp: RegExp, flags = ''): RegExp {
  return new RegExp(regexp.source, regexp.flags.replace(/[gy]/g, '') + flags);
}

/** Position of the first or last line that passes. */
function pick(lines: readonly string[], first: boolean, passes: (line: string) => boolean): number {
  return first ? lines.findIndex(passes) : lines.findLastIndex(passes);
}

function unbroken(line: string): string {
  return line.replace(/[\r\n]+$/, '');
}

/** The text as `lineinfile` leaves it; the same text where nothing is to do. Problems come from a bad `line` under `backrefs`. */
export function lineInFile(text: string, edit: LineEdit): Result<string> {
  if (edit.state === 'absent') return ok(withoutLines(text, edit));
  const line = edit.line ?? '';
  const lines = splitLines(text);
  const first = edit.firstMatch === true;
  const {searchString} = edit;
  const regexp = edit.regexp === undefined ? undefined : fresh(edit.regexp);

  let at = -1;
  if (regexp !== undefined) at = pick(lines, first, (one) => regexp.test(one));
  if (searchString !== undefined) at = pick(lines, first, (one) => one.includes(searchString));
  if (at >= 0) {
    const match = edit.backrefs === true ? regexp?.exec(lines[at] ?? '') : undefined;
    const expanded = match == null ? ok(line) : expandTemplate(line, match);
    return expanded.ok ? ok(lines.with(at, ended(expanded.value)).join('')) : expanded;
  }
  return ok(insertLine(lines, line, edit).join(''));
}

function ended(line: string): string {
  return line.endsWith('\n') ? line : `${line}\n`;
}

/** No line matches: the line may stand there word by word, else it goes to its place. */
function insertLine(lines: readonly string[], line: string, edit: LineEdit): readonly string[] {
  const anchor = edit.insertAfter ?? edit.insertBefore ?? 'EOF';
  const shift = edit.insertAfter === undefined ? 0 : 1;
  const regexp = typeof anchor === 'string' ? undefined : fresh(anchor);
  let exact = -1;
  let place = -1;
  for (const [index, one] of lines.entries()) {
    if (unbroken(one) === line) exact = index;
    else if (regexp?.test(one) === true) {
      place = index + shift;
      // As in Ansible: with firstmatch the line is not looked for behind the anchor.
      if (edit.firstMatch === true) break;
    }
  }
  if (exact >= 0) return lines.with(exact, `${line}\n`);
  if (edit.backrefs === true) return lines;
  if (anchor === 'BOF') return [`${line}\n`, ...lines];
  if (place < 0) return [...closed(lines), `${line}\n`];
  if (shift === 1 && unbroken(lines[place] ?? lines[place - 1] ?? '') === line) return lines;
  return (place === lines.length ? closed(lines) : lines).toSpliced(place, 0, `${line}\n`);
}

/** The lines with the last one ended, so that another can follow. */
function closed(lines: readonly string[]): readonly string[] {
  const last = lines.at(-1);
  return last === undefined || /[\r\n]$/.test(last) ? lines : lines.with(-1, `${last}\n`);
}

function withoutLines(text: string, {regexp, searchString, line}: LineEdit): string {
  const pattern = regexp === undefined ? undefined : fresh(regexp);
  return splitLines(text)
    .filter((one) => {
      if (pattern !== undefined) return !pattern.test(one);
      return searchString === undefined ? unbroken(one) !== line : !one.includes(searchString);
    })
    .join('');
}

/** Parameters of `blockinfile`. An empty block, like `absent`, takes the block away. */
export type BlockEdit = {
  readonly state?: 'present' | 'absent';
  readonly block?: string;
  /** a line with `{mark}` in it; default `# {mark} ANSIBLE MANAGED BLOCK` */
  readonly marker?: string;
  readonly markerBegin?: string;
  readonly markerEnd?: string;
  /** counts as `EOF` when neither place is given; the last match is taken */
  readonly insertAfter?: 'EOF' | RegExp;
  readonly insertBefore?: 'BOF' | RegExp;
  /** a blank line before the block, unless one is there or the file begins there */
  readonly prependNewline?: boolean;
  /** a blank line behind the block, unless one is there or the file ends there */
  readonly appendNewline?: boolean;
};

/** The text as `blockinfile` leaves it; the same text where nothing is to do. An existing block keeps its place. */
export function blockInFile(text: string, edit: BlockEdit): string {
  // Unlike the other two, blockinfile cuts lines at single carriage returns as well.
  const lines: string[] = text.match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? [];
  const marker = edit.marker ?? '# {mark} ANSIBLE MANAGED BLOCK';
  const begin = `${marker.replaceAll('{mark}', edit.markerBegin ?? 'BEGIN')}\n`;
  const end = `${marker.replaceAll('{mark}', edit.markerEnd ?? 'END')}\n`;
  const block = edit.block ?? '';
  const present = edit.state !== 'absent';
  const wanted = present && block !== '' ? [begin, ended(block), end] : [];

  const from = lines.lastIndexOf(begin);
  const to = lines.lastIndexOf(end);
  let place: number;
  if (from >= 0 && to >= 0) {
    place = Math.min(from, to);
    lines.splice(place, Math.abs(to - from) + 1);
  } else {
    place = blockPlace(text, lines, edit);
  }
  const previous = lines[place - 1];
  if (previous !== undefined && !previous.endsWith('\n')) lines[place - 1] = `${previous}\n`;
  const following = lines[place];
  if (present && edit.prependNewline === true && place > 0 && lines[place - 1] !== '\n') wanted.unshift('\n');
  if (present && edit.appendNewline === true && following !== undefined && following !== '\n') wanted.push('\n');
  return lines.toSpliced(place, 0, ...wanted).join('');
}

function blockPlace(text: string, lines: readonly string[], edit: BlockEdit): number {
  const anchor = edit.insertAfter ?? edit.insertBefore ?? 'EOF';
  if (anchor === 'BOF') return 0;
  if (anchor === 'EOF') return lines.length;
  const after = edit.insertAfter !== undefined;
  const regexp = fresh(anchor);
  let found: number;
  if (regexp.multiline) {
    const match = regexp.exec(text);
    if (match === null) return lines.length;
    const until = match.index + (after ? match[0].length : 0);
    found = text.slice(0, until).split('\n').length - 1;
  } else {
    found = lines.findLastIndex((line) => regexp.test(line));
    if (found < 0) return lines.length;
  }
  return Math.min(found + (after ? 1 : 0), lines.length);
}

/** Parameters of `replace`. `after` and `before` bound the part that is searched; they see newlines with `.` (`{dotAll: true}`). */
export type ReplaceEdit = {
  readonly regexp: RegExp;
  /** with `\1`, `\g<name>`; empty by default */
  readonly replace?: string;
  readonly after?: RegExp;
  readonly before?: RegExp;
};

/** The text as `replace` leaves it and how many matches were replaced; `bounded: false` when `after`/`before` are not in the text, which is then unchanged. */
export function replaceInText(
  text: string,
  edit: ReplaceEdit,
): Result<{text: string; replacements: number; bounded: boolean}> {
  const range = boundsOf(text, edit);
  if (range === undefined) return ok({text, replacements: 0, bounded: false});
  const [start, end] = range;
  const section = text.slice(start, end);
  let out = '';
  let at = 0;
  let replacements = 0;
  for (const match of section.matchAll(fresh(edit.regexp, 'g'))) {
    const expanded = expandTemplate(edit.replace ?? '', match);
    if (!expanded.ok) return expanded;
    out += section.slice(at, match.index) + expanded.value;
    at = match.index + match[0].length;
    replacements++;
  }
  return ok({text: text.slice(0, start) + out + section.slice(at) + text.slice(end), replacements, bounded: true});
}

function boundsOf(text: string, {after, before}: ReplaceEdit): readonly [start: number, end: number] | undefined {
  if (after === undefined && before === undefined) return [0, text.length];
  const head = after === undefined ? '' : `(?:${after.source})`;
  // Between two bounds the nearest end counts; without an `after` the last one.
  const middle = after !== undefined && before !== undefined ? '([\\s\\S]*?)' : '([\\s\\S]*)';
  const tail = before === undefined ? '' : `(?:${before.source})`;
  const flags = (after ?? before)?.flags.replace(/[gyd]/g, '') ?? '';
  const match = new RegExp(`${head}(?<section>${middle.slice(1, -1)})${tail}`, `${flags}d`).exec(text);
  return match?.indices?.groups?.['section'];
}
