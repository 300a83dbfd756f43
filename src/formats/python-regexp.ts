/*
 * Regular expressions and replacement texts as Python's `re` reads them, because playbooks carry them over from Ansible.
 * The differences that bite are translated away: `$` before a last newline, `^`/`$` and `.` knowing only `\n` as line end, `\A`, `\Z`,
 * `(?P<name>…)`, inline flags, literal braces. What JavaScript cannot say (`(?x)`, conditionals, possessive repeats) is refused.
 */
import {error} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';

/** Flags as given to `re.compile`. `ascii`: `\w`, `\d`, `\s`, `\b` know ASCII only, as in patterns over bytes (lineinfile, blockinfile). */
export type PythonFlags = {
  readonly ignoreCase?: boolean;
  readonly multiline?: boolean;
  readonly dotAll?: boolean;
  readonly ascii?: boolean;
};

type Scope = {ignoreCase: boolean; multiline: boolean; dotAll: boolean; ascii: boolean};

/** Leaves the translation where something cannot be said; never leaves this file. */
class Refusal extends Error {
  readonly kind = 'refusal';
}

const start = '(?<![\\s\\S])';
const end = '(?![\\s\\S])';
const classes = {
  ascii: {d: '0-9', w: 'A-Za-z0-9_', s: '\\t-\\r\\x20'},
  unicode: {
    d: '\\p{Nd}',
    w: '\\p{L}\\p{N}_',
    s: '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000',
  },
} as const;
const controls: Readonly<Record<string, number>> = {a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11};

/**
 * The JavaScript expression that finds what Python's would. Problem `regexp-invalid`, with what is wrong and at which offset.
 * The result carries the flag `m` exactly when Python's MULTILINE is on (the anchors do not depend on it).
 * Left different: a group that took no part matches the empty text when referred to, and is emptied on every round of a repeat;
 * `\B` matches in the empty text.
 */
export function pythonRegExp(source: string, flags: PythonFlags = {}): Result<RegExp> {
  try {
    const {body, scope} = new Translation(source, flags).run();
    return ok(new RegExp(body, `v${scope.ignoreCase ? 'i' : ''}${scope.multiline ? 'm' : ''}`));
  } catch (cause) {
    if (!(cause instanceof Refusal) && !(cause instanceof SyntaxError)) throw cause;
    const reason = cause instanceof Refusal ? cause.message : cause.message.replace(/^.*:\s*/s, '');
    return bad(error('regexp-invalid', `not a regular expression: ${reason}`));
  }
}

class Translation {
  readonly #source: string;
  #at = 0;
  #scope: Scope;

  constructor(source: string, flags: PythonFlags) {
    this.#source = source;
    this.#scope = {ignoreCase: false, multiline: false, dotAll: false, ascii: false, ...flags};
  }

  run(): {body: string; scope: Scope} {
    for (let match = this.#take(/\(\?([aiLmsux]+)\)/y); match !== null; match = this.#take(/\(\?([aiLmsux]+)\)/y)) {
      this.#switch(match[1] ?? '', true);
    }
    const scope = {...this.#scope};
    const body = this.#alternatives();
    if (this.#at < this.#source.length) this.#refuse('unbalanced parenthesis');
    return {body, scope};
  }

  #refuse(reason: string): never {
    throw new Refusal(`${reason} at offset ${this.#at}`);
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #switch(letters: string, on: boolean): void {
    for (const letter of letters) {
      if (letter === 'i') this.#scope.ignoreCase = on;
      else if (letter === 'm') this.#scope.multiline = on;
      else if (letter === 's') this.#scope.dotAll = on;
      else if (letter === 'a') this.#scope.ascii = on;
      else if (letter === 'x') this.#refuse('the verbose flag (?x) is not supported');
      else if (letter === 'L') this.#refuse('the locale flag (?L) is not supported');
    }
  }

  #alternatives(): string {
    let out = '';
    while (this.#at < this.#source.length && this.#source[this.#at] !== ')') {
      if (this.#take(/\|/y) !== null) {
        out += '|';
        continue;
      }
      const atom = this.#atom();
      out += atom === '' ? '' : atom + this.#repeat();
    }
    return out;
  }

  #repeat(): string {
    while (this.#take(/\(\?#[^)]*\)/y) !== null);
    const match = this.#take(/[*+?]|\{(\d*)(?:(,)(\d*))?\}/y);
    if (match === null || match[0] === '{}') {
      if (match !== null) this.#at -= 2;
      return '';
    }
    const [whole, low = '', comma, high = ''] = match;
    const lazy = this.#take(/\?/y) === null ? '' : '?';
    if (lazy === '' && this.#take(/\+/y) !== null) this.#refuse('possessive repeats are not supported');
    if (this.#take(/(?=[*+?]|\{\d+(,\d*)?\}|\{,\d+\})/y) !== null) this.#refuse('multiple repeat');
    return (whole.startsWith('{') ? `{${low || '0'}${comma ?? ''}${high}}` : whole) + lazy;
  }

  #atom(): string {
    const char = this.#source.charAt(this.#at);
    if (char === '(') return this.#group();
    if (char === '[') return this.#set();
    if (char === '\\') return this.#escape();
    if ('*+?'.includes(char) || this.#looksLikeRepeat()) this.#refuse('nothing to repeat');
    const literal = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
    this.#at += literal.length;
    // Groups around the assertions keep a repeat behind them legal.
    if (char === '^') return this.#scope.multiline ? '(?:(?<![^\\n]))' : `(?:${start})`;
    if (char === '$') return this.#scope.multiline ? `(?:(?=\\n|${end}))` : `(?:(?=\\n?${end}))`;
    if (char === '.') return this.#scope.dotAll ? '[\\s\\S]' : '[^\\n]';
    return escapeLiteral(literal);
  }

  #looksLikeRepeat(): boolean {
    return /^\{(\d+(,\d*)?|,\d*)\}/.test(this.#source.slice(this.#at, this.#at + 24));
  }

  #group(): string {
    const outer = {...this.#scope};
    if (this.#take(/\(\?#[^)]*\)/y) !== null) return '';
    const name = this.#take(/\(\?P=([A-Za-z_]\w*)\)/y)?.[1];
    if (name !== undefined) return `\\k<${name}>`;
    const open = this.#take(/\((?:\?(?:P<([A-Za-z_]\w*)>|(<?[=!]|:)|([aimsux]*)(?:-([imsx]+))?:))?/y);
    if (open === null) this.#refuse('unexpected end');
    const [, named, assertion, on, off] = open;
    if (open[0] === '(' && this.#source[this.#at] === '?') this.#refuse(this.#unknownGroup());
    let head = '(';
    if (named !== undefined) head = `(?<${named}>`;
    else if (assertion !== undefined) head = `(?${assertion}`;
    else if (on !== undefined) {
      this.#switch(on, true);
      this.#switch(off ?? '', false);
      if (this.#scope.ignoreCase === outer.ignoreCase) head = '(?:';
      else head = this.#scope.ignoreCase ? '(?i:' : '(?-i:';
    }
    const body = this.#alternatives();
    if (this.#take(/\)/y) === null) this.#refuse('missing ), unterminated subpattern');
    this.#scope = outer;
    const whole = `${head}${body})`;
    return assertion !== undefined && assertion !== ':' ? `(?:${whole})` : whole;
  }

  #unknownGroup(): string {
    const rest = this.#source.slice(this.#at);
    if (rest.startsWith('?(')) return 'conditional groups are not supported';
    if (rest.startsWith('?>')) return 'atomic groups are not supported';
    if (/^\?[aiLmsux]+\)/.test(rest)) return 'global flags not at the start of the expression';
    if (/^\?<\w/.test(rest)) return 'unknown extension ?< (write (?P<name>…))';
    return `unknown extension ${rest.slice(0, 2)}`;
  }

  #shorthand(letter: string): string | undefined {
    const lower = letter.toLowerCase();
    if (lower !== 'd' && lower !== 'w' && lower !== 's') return undefined;
    const members = (this.#scope.ascii ? classes.ascii : classes.unicode)[lower];
    return `[${lower === letter ? '' : '^'}${members}]`;
  }

  #escape(): string {
    const letter = this.#source.charAt(this.#at + 1);
    const shorthand = this.#shorthand(letter);
    const word = this.#scope.ascii ? classes.ascii.w : classes.unicode.w;
    const assertions: Readonly<Record<string, string>> = {
      A: `(?:${start})`,
      Z: `(?:${end})`,
      b: `(?:(?<=[${word}])(?![${word}])|(?<![${word}])(?=[${word}]))`,
      B: `(?:(?<=[${word}])(?=[${word}])|(?<![${word}])(?![${word}]))`,
    };
    const known = shorthand ?? assertions[letter];
    if (known !== undefined) {
      this.#at += 2;
      return known;
    }
    if (/[1-9]/.test(letter) && this.#take(/\\(?:[0-3][0-7]{2})/y) === null) {
      return `(?:\\${this.#take(/\\(\d{1,2})/y)?.[1] ?? ''})`;
    }
    if (/[1-9]/.test(letter))
      return escapeLiteral(String.fromCodePoint(parseInt(this.#source.slice(this.#at - 3, this.#at), 8)));
    return escapeLiteral(this.#characterEscape());
  }

  /** The character that an escape stands for. */
  #characterEscape(): string {
    const octal = this.#take(/\\(0[0-7]{0,2}|[0-3][0-7]{2})/y)?.[1];
    if (octal !== undefined) return String.fromCodePoint(parseInt(octal, 8));
    const hex = this.#take(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/y);
    if (hex !== null) {
      const code = parseInt(hex[1] ?? hex[2] ?? hex[3] ?? '', 16);
      if (code > 0x10ffff) this.#refuse('bad escape');
      return String.fromCodePoint(code);
    }
    const letter = String.fromCodePoint(this.#source.codePointAt(this.#at + 1) ?? 0);
    if (this.#at + 1 >= this.#source.length) this.#refuse('bad escape (end of pattern)');
    const control = controls[letter];
    if (control === undefined && /[A-Za-z0-9]/.test(letter)) this.#refuse(`bad escape \\${letter}`);
    this.#at += 1 + letter.length;
    return control === undefined ? letter : String.fromCharCode(control);
  }

  #set(): string {
    const negated = this.#take(/\[\^?/y)?.[0] === '[^';
    let out = '';
    for (let first = true; ; first = false) {
      if (this.#at >= this.#source.length) this.#refuse('unterminated character set');
      if (!first && this.#take(/\]/y) !== null) return `[${negated ? '^' : ''}${out}]`;
      const low = this.#member();
      if (this.#take(/-(?!\])/y) === null) {
        out += low.text;
        continue;
      }
      if (this.#at >= this.#source.length) this.#refuse('unterminated character set');
      const high = this.#member();
      if (low.many || high.many) this.#refuse('bad character range');
      out += `${low.text}-${high.text}`;
    }
  }

  #member(): {text: string; many: boolean} {
    if (this.#source[this.#at] === '\\') {
      const shorthand = this.#shorthand(this.#source.charAt(this.#at + 1));
      if (shorthand !== undefined) {
        this.#at += 2;
        return {text: shorthand, many: true};
      }
      return {text: escapeMember(this.#characterEscape()), many: false};
    }
    const char = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
    this.#at += char.length;
    return {text: escapeMember(char), many: false};
  }
}

function escapeLiteral(char: string): string {
  if (char === '\n') return '\\n';
  return /[\^$\\.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

function escapeMember(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return code > 127 || /[A-Za-z0-9]/.test(char) ? char : `\\x${code.toString(16).padStart(2, '0')}`;
}

/**
 * A replacement text as `re.sub` and `Match.expand` read it: `\1`, `\g<1>`, `\g<name>`, `\n`, `\t`, octal escapes; a group that took no part is empty.
 * Problems `replacement-invalid`: unknown groups, unknown escapes of letters.
 */
export function expandTemplate(template: string, match: RegExpExecArray): Result<string> {
  const problems: string[] = [];
  const group = (name: string): string => {
    const known = /^\d+$/.test(name) ? Number(name) < match.length : match.groups !== undefined && name in match.groups;
    if (!known) problems.push(`there is no group ${name}`);
    return (/^\d+$/.test(name) ? match[Number(name)] : match.groups?.[name]) ?? '';
  };
  const escape = /\\(?:g<([^>]*)>|(0[0-7]{0,2}|[0-3][0-7]{2})|(\d{1,2})|([\s\S]|$))/g;
  const text = template.replace(
    escape,
    (whole, named: string | undefined, octal: string | undefined, numbered: string | undefined, letter: string) => {
      if (named !== undefined) return group(named);
      if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8));
      if (numbered !== undefined) return group(String(Number(numbered)));
      if (letter === '\\') return '\\';
      const control = controls[letter];
      if (control !== undefined) return String.fromCharCode(control);
      if (/^[A-Za-z]?$/.test(letter)) problems.push(`bad escape \\${letter}`);
      return whole;
    },
  );
  const [problem] = problems;
  return problem === undefined ? ok(text) : bad(error('replacement-invalid', `not a replacement: ${problem}`));
}
