// A YAML parser stops where it cannot go on, which is seldom where the mistake is. Here the lines around that point are compared with the
// mistakes that people make in playbooks, so that the message names the mistake itself and says what to write.
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Source} from '../base/diagnostic.ts';

/** A stretch of text that may be read as if it were one quoted scalar, so that reading can go on. *units*: UTF-16 offsets. `style`: it is one. */
export type Repair = {
  readonly start: number;
  readonly end: number;
  readonly value: string;
  readonly style?: 'single' | 'double';
};

/** A syntax error in people's words, with a way to read on where the meaning is clear. */
export type Explained = {readonly problem: Diagnostic; readonly repair?: Repair};

type Line = {readonly start: number; readonly text: string};
type Matcher = (line: Line, source: Source) => Explained | undefined;

/** A YAML scalar that means exactly this text: in double quotes, or in single ones where double ones stand inside. */
export function quoteHelp(value: string): string {
  return value.includes('"') || value.includes('\\') ? `'${value.replaceAll("'", "''")}'` : `"${value}"`;
}

/** What to tell about a text that YAML cannot read. `reason` and `position` are the parser's; `text` is the source with earlier mistakes repaired. */
export function explainSyntax(source: Source, text: string, reason: string, position: number): Explained {
  const {problem, repair} = explain(source, text, reason, position);
  const end = Math.min(problem.span?.end ?? 0, text.length);
  const span = {source, start: Math.min(problem.span?.start ?? 0, end), end};
  const usable = repair !== undefined && repair.start < repair.end && repair.end <= text.length;
  return {problem: {...problem, span}, ...(usable && {repair})};
}

function explain(source: Source, text: string, reason: string, position: number): Explained {
  if (reason.startsWith('null byte') || reason.startsWith('the stream contains non-printable'))
    return unprintable(source, text, position);
  if (reason.startsWith('unknown escape') || reason.startsWith('expected hexadecimal'))
    return escape(source, text, position);
  for (const line of candidates(text, position)) {
    for (const matcher of matchers) {
      const found = matcher(line, source);
      if (found !== undefined) return found;
    }
  }
  const quote = unclosedQuote(text, position);
  if (reason.includes('quoted scalar') || (quote >= 0 && /indentation/.test(reason))) {
    const start = quote < 0 ? Math.max(0, position - 1) : quote;
    return {problem: error('yaml-syntax', 'this quote is not closed', {span: {source, start, end: start + 1}})};
  }
  if (reason.includes('flow collection') || reason.startsWith('deficient indentation')) {
    const open = unclosedBracket(text, position);
    if (open >= 0) {
      const message = reason.startsWith('missed comma')
        ? 'a comma is missing between elements'
        : `this ${text[open] ?? ''} is not closed`;
      const at = reason.startsWith('missed comma') ? position : open;
      return {problem: error('yaml-syntax', message, {span: {source, start: at, end: at + 1}})};
    }
  }
  return {problem: generic(source, text, reason, position)};
}

function lineStartOf(text: string, offset: number): number {
  return offset <= 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

/** The line of the error, then the lines above it to the nearest one with text. */
function candidates(text: string, position: number): Line[] {
  const lines: Line[] = [];
  let at = Math.min(position, text.length);
  while (lines.length < 3) {
    const start = lineStartOf(text, at);
    const found = text.indexOf('\n', start);
    const line = text.slice(start, found < 0 ? text.length : found).replace(/\r$/, '');
    if (!/^\s*(?:#.*)?$/.test(line)) lines.push({start, text: line});
    if (start === 0) break;
    at = start - 1;
    if (lines.length === 2) break;
  }
  return lines;
}

const lead = String.raw`^(\s*(?:-\s+)*(?:[^\s'"#:{\[][^:#]*?:\s+)?)`;

/** The value without a trailing comment. */
function withoutComment(value: string): string {
  return value.replace(/\s+#.*$/, '').trimEnd();
}

function quotable(
  code: string,
  message: string,
  note: string | undefined,
  line: Line,
  source: Source,
  before: string,
  rest: string,
): Explained {
  const value = withoutComment(rest);
  const start = line.start + before.length;
  const span = {source, start, end: start + value.length};
  return {
    problem: error(code, message, {span, ...(note === undefined ? {} : {note}), help: `quote it: ${quoteHelp(value)}`}),
    repair: {start, end: start + value.length, value},
  };
}

const bareTemplate: Matcher = (line, source) => {
  const match = new RegExp(`${lead}(\\{[{%].*)$`).exec(line.text);
  if (match?.[2] === undefined) return undefined;
  const message = `a value that begins with ${match[2].slice(0, 2)} must be quoted`;
  return quotable(
    'unquoted-template',
    message,
    'YAML reads this brace as the start of a mapping',
    line,
    source,
    match[1] ?? '',
    match[2],
  );
};

const reserved: Matcher = (line, source) => {
  const match = new RegExp(`${lead}([@\`%].*)$`).exec(line.text);
  const first = match?.[2]?.[0];
  if (first === undefined || (match?.[1] === '' && first === '%')) return undefined;
  return quotable(
    'yaml-syntax',
    `a value cannot begin with ${first}`,
    undefined,
    line,
    source,
    match?.[1] ?? '',
    match?.[2] ?? '',
  );
};

const afterQuote: Matcher = (line, source) => {
  const match = new RegExp(`${lead}((?:"(?:[^"\\\\]|\\\\.)*"|'(?:[^']|'')*')[^\\S\\n]*([^\\s#:,\\]}].*))$`).exec(
    line.text,
  );
  if (match?.[2] === undefined || match[3] === undefined || match[1]?.trim() === '') return undefined;
  const found = quotable(
    'yaml-syntax',
    'text follows the closing quote',
    undefined,
    line,
    source,
    match[1] ?? '',
    match[2],
  );
  const value = withoutComment(match[2]);
  const start = line.start + line.text.length - match[3].length;
  const end = Math.max(start + 1, line.start + (match[1] ?? '').length + value.length);
  return {
    ...found,
    problem: {...found.problem, span: {source, start, end}, help: `quote the whole value: ${quoteHelp(value)}`},
  };
};

const secondColon: Matcher = (line, source) => {
  const match = /^(\s*(?:-\s+)*[^\s'"#:{[&*!|>][^:#]*?:\s+)([^'"[{|>&*!#\s][^#]*?:(?:\s.*|$))/.exec(line.text);
  if (match?.[2] === undefined) return undefined;
  const found = quotable(
    'yaml-syntax',
    'a colon and a space inside an unquoted value',
    undefined,
    line,
    source,
    match[1] ?? '',
    match[2],
  );
  const colon = line.start + (match[1] ?? '').length + match[2].search(/:(?:\s|$)/);
  return {
    ...found,
    problem: {...found.problem, span: {source, start: colon, end: colon + 1}, note: 'YAML reads this as a second key'},
  };
};

const tabs: Matcher = (line, source) => {
  const match = /^([ ]*)(\t+)/.exec(line.text);
  if (match === null) return undefined;
  const start = line.start + (match[1] ?? '').length;
  return {
    problem: error('yaml-tab', 'a tab in the indentation', {
      span: {source, start, end: start + (match[2] ?? '').length},
      help: 'indent with spaces: YAML does not allow tabs here',
    }),
  };
};

const noSpace: Matcher = (line, source) => {
  const match = /^(\s*(?:-\s+)*)([A-Za-z_][\w.-]*):([^\s:/\\].*)$/.exec(line.text);
  if (match?.[2] === undefined || match[3] === undefined) return undefined;
  const colon = line.start + (match[1] ?? '').length + match[2].length;
  return {
    problem: error('yaml-syntax', 'a space is missing after the colon', {
      span: {source, start: colon, end: colon + 1},
      help: `${match[2]}: ${match[3].trim()}`,
    }),
  };
};

const noColon: Matcher = (line, source) => {
  const match = /^(\s*)([A-Za-z_][\w.]*)\s*$/.exec(line.text);
  if (match?.[2] === undefined) return undefined;
  const start = line.start + (match[1] ?? '').length;
  return {
    problem: error('yaml-syntax', `a colon is missing after ${match[2]}`, {
      span: {source, start, end: start + match[2].length},
      help: `${match[2]}:`,
    }),
  };
};

const matchers: readonly Matcher[] = [bareTemplate, reserved, tabs, afterQuote, secondColon, noSpace, noColon];

function unprintable(source: Source, text: string, position: number): Explained {
  const code = text.charCodeAt(position).toString(16).padStart(4, '0').toUpperCase();
  return {
    problem: error('yaml-syntax', `an unprintable character (U+${code})`, {
      span: {source, start: position, end: position + 1},
      help: 'remove it, or write it as an escape in double quotes',
    }),
  };
}

function escape(source: Source, text: string, position: number): Explained {
  let start = position;
  while (start > 0 && text[start] !== '\\') start--;
  const shown = text.slice(start, start + 2);
  return {
    problem: error('yaml-syntax', `${shown} is no escape that YAML knows`, {
      span: {source, start, end: start + 2},
      note: 'in double quotes a backslash begins an escape',
      help: `write \\${shown}, or use single quotes`,
    }),
    repair: {start, end: start + 2, value: shown},
  };
}

/** Where the last value begins that opens with a quote which its line does not close; -1 if none. */
export function unclosedQuote(text: string, position: number): number {
  let at = -1;
  let offset = 0;
  for (const line of text.slice(0, position).split('\n')) {
    const match = /(?::\s+|-\s+|[[{,]\s*)(["'])/.exec(line);
    const quote = match?.[1];
    if (match !== null && quote !== undefined) {
      const first = match.index + match[0].length - 1;
      const inside = line.slice(first + 1).replaceAll(quote === '"' ? /\\./g : /''/g, '');
      at = inside.includes(quote) ? -1 : offset + first;
    } else if (at >= 0 && line.includes(text[at] ?? '')) at = -1;
    offset += line.length + 1;
  }
  return at;
}

/** Where the innermost bracket opens that is still open at `position`; -1 if none. Brackets in quotes and comments do not count. */
export function unclosedBracket(text: string, position: number): number {
  const open: number[] = [];
  for (const match of text
    .slice(0, position)
    .matchAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|(?:^|\s)#[^\n]*|(?<=[:\-,[{]\s*)[[{]|[\]}]/g)) {
    const sign = match[0];
    if (sign === '[' || sign === '{') open.push(match.index);
    else if (sign === ']' || sign === '}') open.pop();
  }
  return open.at(-1) ?? -1;
}

function generic(source: Source, text: string, reason: string, position: number): Diagnostic {
  const lineStart = lineStartOf(text, position);
  const found = text.indexOf('\n', lineStart);
  const lineEnd = found < 0 ? text.length : found;
  const blanks = /^ */.exec(text.slice(lineStart, lineEnd))?.[0].length ?? 0;
  const span = {
    source,
    start: Math.min(Math.max(position, lineStart + blanks), lineEnd),
    end: Math.max(lineEnd, position),
  };
  const whole = {source, start: lineStart + blanks, end: Math.max(lineEnd, lineStart + blanks)};
  if (reason.startsWith('bad indentation') || reason.startsWith('deficient indentation')) {
    const above = levelsAbove(text, lineStart);
    const help =
      above.length === 0
        ? undefined
        : `lines above begin at column ${[...new Set(above)].map((n) => String(n + 1)).join(' or ')}`;
    return error('yaml-indentation', `this line begins at column ${blanks + 1}, which fits nothing above it`, {
      span: whole,
      ...(help === undefined ? {} : {help}),
    });
  }
  if (reason.startsWith('end of the stream') || reason.startsWith('can not read a document')) {
    return error('yaml-indentation', 'this line belongs neither to the list nor to the mapping above it', {
      span: whole,
      help: 'check the indentation and the dashes of this line and the one above',
    });
  }
  if (reason.startsWith('nesting exceeded')) return error('yaml-too-deep', 'more than 100 levels of nesting', {span});
  if (reason.startsWith('can not read a block mapping entry') || reason.startsWith("expected ':'")) {
    return error('yaml-syntax', 'a colon is missing after the key', {span: whole});
  }
  return error('yaml-syntax', `not valid YAML: ${reason}`, {span});
}

/** Indentations of the nearest lines above that could be continued. */
function levelsAbove(text: string, lineStart: number): number[] {
  const levels: number[] = [];
  let smallest = Infinity;
  for (let at = lineStart - 1; at > 0 && smallest > 0 && levels.length < 3;) {
    const start = lineStartOf(text, at);
    const line = text.slice(start, at);
    const indent = /^ */.exec(line)?.[0].length ?? 0;
    if (!/^\s*(?:#.*)?$/.test(line) && indent < smallest) {
      levels.push(indent);
      smallest = indent;
    }
    at = start - 1;
  }
  return levels;
}
