// Cuts a template into text and tokens, with Jinja's rules for white space around tags.
import {Fault, type Range} from './fault.ts';

export type TokenKind =
  'text' | 'output' | 'output-end' | 'block' | 'block-end' | 'name' | 'string' | 'int' | 'float' | 'op' | 'end';

/** `value` is the text of a name or operator, the content of a string or text, the digits of a number. */
export type Token = Range & {readonly kind: TokenKind; readonly value: string};

/** How tags look and what happens to white space around them. */
export type Syntax = {
  readonly outputStart: string;
  readonly outputEnd: string;
  readonly blockStart: string;
  readonly blockEnd: string;
  readonly commentStart: string;
  readonly commentEnd: string;
  readonly trimBlocks: boolean;
  readonly lstripBlocks: boolean;
  readonly keepTrailingNewline: boolean;
  /**
   * What a backslash in a string within `{{ }}` means: `literal` is Ansible's rule for values in YAML
   * (`regex_replace('\s', '\1')`), `escape` is Jinja's, valid in template files; in `{% %}` it is always `escape`.
   */
  readonly backslashes: 'literal' | 'escape';
};

/** Ansible's defaults for values in YAML. */
export const DEFAULT_SYNTAX: Syntax = {
  outputStart: '{{',
  outputEnd: '}}',
  blockStart: '{%',
  blockEnd: '%}',
  commentStart: '{#',
  commentEnd: '#}',
  trimBlocks: true,
  lstripBlocks: false,
  keepTrailingNewline: true,
  backslashes: 'literal',
};

const OPERATORS = ['//', '**', '==', '!=', '>=', '<=', ...Array.from('+-*/%~[](){}.:|,;=<>')];
const CLOSES: Readonly<Record<string, string>> = {')': '(', ']': '[', '}': '{'};

/** Decodes the escapes of a string literal as Jinja does. */
export function unescape(body: string): string {
  return body.replaceAll(
    /\\(?:\n|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g,
    (all, x?: string, u?: string, long?: string, octal?: string, char?: string) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined)
        return Number.parseInt(hex, 16) > 0x10ffff ? all : String.fromCodePoint(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      if (char === undefined) return '';
      return (
        {n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '\\': '\\', "'": "'", '"': '"'}[char] ?? all
      );
    },
  );
}

class Lexer {
  readonly #text: string;
  readonly #syntax: Syntax;
  readonly #tokens: Token[] = [];
  #at: number;

  constructor(text: string, start: number, syntax: Syntax) {
    this.#text = text;
    this.#at = start;
    this.#syntax = syntax;
  }

  #put(kind: TokenKind, value: string, start: number, end: number): void {
    this.#tokens.push({kind, value, start, end});
  }

  #fail(code: string, message: string, start: number, end: number, help?: string): never {
    throw new Fault(help === undefined ? {code, message, start, end} : {code, message, start, end, help});
  }

  #data(from: number, to: number): void {
    if (from < to) this.#put('text', this.#text.slice(from, to).replaceAll(/\r\n?/g, '\n'), from, to);
  }

  /** Tokens of a whole template. */
  template(): Token[] {
    const text = this.#text;
    const s = this.#syntax;
    const starts = [
      ['comment', s.commentStart],
      ['block', s.blockStart],
      ['output', s.outputStart],
    ] as const;
    const ordered = [...starts].sort((a, b) => b[1].length - a[1].length);
    while (this.#at < text.length) {
      const from = this.#at;
      let open = text.length;
      let kind: 'comment' | 'block' | 'output' | undefined;
      let mark = '';
      for (const [name, delimiter] of ordered) {
        const found = text.indexOf(delimiter, from);
        if (found >= 0 && found < open) [open, kind, mark] = [found, name, delimiter];
      }
      if (kind === undefined) {
        let end = text.length;
        if (!s.keepTrailingNewline && text.endsWith('\n')) end--;
        this.#data(from, end);
        break;
      }
      const sign = text[open + mark.length];
      let dataEnd = open;
      if (sign === '-') dataEnd = from + text.slice(from, open).trimEnd().length;
      else if (sign !== '+' && s.lstripBlocks && kind !== 'output') {
        const lineStart = Math.max(from, text.lastIndexOf('\n', open - 1) + 1);
        const startsLine = lineStart > from || from === 0 || text[from - 1] === '\n';
        if (startsLine && /^[^\S\n]*$/.test(text.slice(lineStart, open))) dataEnd = lineStart;
      }
      this.#data(from, dataEnd);
      const inside = open + mark.length + (sign === '-' || (sign === '+' && kind !== 'output') ? 1 : 0);
      if (kind === 'comment') this.#comment(open, inside);
      else if (kind === 'block' && this.#raw(open, inside)) continue;
      else {
        this.#put(kind, mark, open, open + mark.length);
        this.#at = inside;
        this.#expression(open, kind === 'output' ? s.outputEnd : s.blockEnd, kind);
      }
    }
    this.#put('end', '', text.length, text.length);
    return this.#tokens;
  }

  /** Tokens of a bare expression. */
  bare(): Token[] {
    this.#expression(this.#at, undefined, 'block');
    this.#put('end', '', this.#text.length, this.#text.length);
    return this.#tokens;
  }

  /** Where reading goes on after an end delimiter at `end` (`sign` stands before it). */
  #after(end: number, sign: string | undefined, block: boolean): number {
    if (sign === '-') {
      const rest = /\s*/y;
      rest.lastIndex = end;
      return end + (rest.exec(this.#text)?.[0].length ?? 0);
    }
    if (block && sign !== '+' && this.#syntax.trimBlocks) {
      if (this.#text.startsWith('\r\n', end)) return end + 2;
      if (this.#text[end] === '\n') return end + 1;
    }
    return end;
  }

  #comment(open: number, inside: number): void {
    const close = this.#syntax.commentEnd;
    const end = this.#text.indexOf(close, inside);
    if (end < 0)
      this.#fail('template-syntax', 'this comment is never closed', open, open + 2, `close it with ${close}`);
    const sign = end > inside ? this.#text[end - 1] : undefined;
    this.#at = this.#after(end + close.length, sign, true);
  }

  /** Handles `{% raw %}`; false if the block at `open` is another one. */
  #raw(open: number, inside: number): boolean {
    const s = this.#syntax;
    const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const begin = new RegExp(`\\s*raw\\s*(-)?${escape(s.blockEnd)}`, 'y');
    begin.lastIndex = inside;
    const found = begin.exec(this.#text);
    if (found === null) return false;
    let from = inside + found[0].length;
    if (found[1] === '-') from = this.#after(from, '-', false);
    const end = new RegExp(`${escape(s.blockStart)}([-+]?)\\s*endraw\\s*([-+]?)${escape(s.blockEnd)}`, 'g');
    end.lastIndex = from;
    const close = end.exec(this.#text);
    if (close === null)
      this.#fail('template-syntax', 'this {% raw %} is never closed', open, from, 'close it with {% endraw %}');
    let to = close.index;
    if (close[1] === '-') to = from + this.#text.slice(from, to).trimEnd().length;
    else if (close[1] === '' && s.lstripBlocks) {
      const lineStart = this.#text.lastIndexOf('\n', to - 1) + 1;
      if (lineStart >= from && /^[^\S\n]*$/.test(this.#text.slice(lineStart, to))) to = lineStart;
    }
    this.#data(from, to);
    this.#at = this.#after(close.index + close[0].length, close[2] === '' ? undefined : close[2], true);
    return true;
  }

  #expression(open: number, close: string | undefined, kind: 'output' | 'block'): void {
    const text = this.#text;
    const brackets: Token[] = [];
    for (;;) {
      while (/\s/.test(text[this.#at] ?? '')) this.#at++;
      const at = this.#at;
      if (at >= text.length) {
        const last = brackets.at(-1);
        if (last !== undefined) this.#fail('template-syntax', `"${last.value}" is never closed`, last.start, last.end);
        if (close === undefined) return;
        this.#fail(
          'template-syntax',
          `this ${text.slice(open, open + 2)} is never closed`,
          open,
          open + 2,
          `close it with ${close}`,
        );
      }
      if (close !== undefined && brackets.length === 0 && this.#closes(at, close, kind)) return;
      this.#token(at, brackets, kind);
    }
  }

  #closes(at: number, close: string, kind: 'output' | 'block'): boolean {
    const sign = this.#text[at];
    const signed = sign === '-' || (sign === '+' && kind === 'block');
    const start = signed && this.#text.startsWith(close, at + 1) ? at + 1 : at;
    if (!this.#text.startsWith(close, start)) return false;
    const end = start + close.length;
    this.#put(kind === 'output' ? 'output-end' : 'block-end', close, at, end);
    this.#at = this.#after(end, start > at ? sign : undefined, kind === 'block');
    return true;
  }

  #token(at: number, brackets: Token[], kind: 'output' | 'block'): void {
    const text = this.#text;
    const match = (pattern: RegExp): string | undefined => {
      pattern.lastIndex = at;
      return pattern.exec(text)?.[0];
    };
    const put = (tokenKind: TokenKind, value: string, length: number): void => {
      this.#put(tokenKind, value, at, at + length);
      this.#at = at + length;
    };
    const name = match(/[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*/uy);
    if (name !== undefined) return put('name', name, name.length);
    const real = match(/\d+(?:_\d+)*(?:\.\d+(?:_\d+)*(?:e[+-]?\d+(?:_\d+)*)?|e[+-]?\d+(?:_\d+)*)/iy);
    if (real !== undefined && this.#tokens.at(-1)?.value !== '.')
      return put('float', real.replaceAll('_', ''), real.length);
    const whole = match(/0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy);
    if (whole !== undefined) return put('int', whole.replaceAll('_', ''), whole.length);
    const char = text[at];
    if (char === '"' || char === "'") return this.#string(at, char, kind);
    const operator = OPERATORS.find((candidate) => text.startsWith(candidate, at));
    if (operator === undefined) {
      const shown = String.fromCodePoint(text.codePointAt(at) ?? 0);
      const help = {'&': 'write "and"', '!': 'write "not"', '?': 'write "a if condition else b"'}[shown];
      this.#fail('template-syntax', `unexpected character "${shown}"`, at, at + shown.length, help);
    }
    put('op', operator, operator.length);
    const token = this.#tokens.at(-1)!;
    if ('([{'.includes(operator)) brackets.push(token);
    const opening = CLOSES[operator];
    if (opening !== undefined) {
      const last = brackets.pop();
      if (last === undefined) this.#fail('template-syntax', `"${operator}" closes nothing`, at, at + 1);
      if (last.value !== opening)
        this.#fail('template-syntax', `"${last.value}" is never closed`, last.start, last.end);
    }
  }

  #string(at: number, quote: string, kind: 'output' | 'block'): void {
    let end = at + 1;
    while (end < this.#text.length && this.#text[end] !== quote) end += this.#text[end] === '\\' ? 2 : 1;
    if (end >= this.#text.length)
      this.#fail('template-syntax', 'this string is never closed', at, at + 1, `close it with ${quote}`);
    const body = this.#text.slice(at + 1, end).replaceAll(/\r\n?/g, '\n');
    const literal = kind === 'output' && this.#syntax.backslashes === 'literal';
    this.#put('string', literal ? body.replaceAll(`\\${quote}`, quote) : unescape(body), at, end + 1);
    this.#at = end + 1;
  }
}

/** The tokens of a template from `start` on. *errors*: Fault. */
export function templateTokens(text: string, start: number, syntax: Syntax): Token[] {
  return new Lexer(text, start, syntax).template();
}

/** The tokens of an expression without braces. *errors*: Fault. */
export function expressionTokens(text: string): Token[] {
  return new Lexer(text, 0, DEFAULT_SYNTAX).bare();
}
