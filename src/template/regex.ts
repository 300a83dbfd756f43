// Python's regular expressions as JavaScript ones.
import {Misuse} from './fault.ts';

const FLAGS: Readonly<Record<string, string>> = {i: 'i', m: 'm', s: 's', u: '', a: '', L: ''};

function classEnd(pattern: string, start: number): number {
  let at = start + 1;
  if (pattern[at] === '^') at++;
  if (pattern[at] === ']') at++;
  while (at < pattern.length && pattern[at] !== ']') at += pattern[at] === '\\' ? 2 : 1;
  return at;
}

function translateClass(body: string): string {
  // In Python a bracket that comes first, and any opening one, stands for itself.
  const negated = body.startsWith('^') ? '^' : '';
  let rest = body.slice(negated.length);
  let out = '';
  while (rest !== '') {
    const escape = /^\\([\s\S])/.exec(rest);
    if (escape !== null) {
      const char = escape[1] ?? '';
      out += translateEscape(char, true);
      rest = rest.slice(2);
    } else {
      const char = String.fromCodePoint(rest.codePointAt(0) ?? 0);
      out += '[]^'.includes(char)
        ? `\\${char}`
        : '(){}|/&~!#%,:;<=>@`*+.?$'.includes(char)
          ? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
          : char;
      rest = rest.slice(char.length);
    }
  }
  return `[${negated}${out}]`;
}

function translateEscape(char: string, inClass: boolean): string {
  if (char === 'w') return inClass ? '\\p{L}\\p{N}_' : '[\\p{L}\\p{N}_]';
  if (char === 'W' && !inClass) return '[^\\p{L}\\p{N}_]';
  if (char === 'd') return '\\p{Nd}';
  if (char === 'D') return '\\P{Nd}';
  if (char === 'a') return '\\x07';
  if (!inClass) {
    if (char === 'A') return '(?<![\\s\\S])';
    if (char === 'Z') return '(?![\\s\\S])';
    if (char === 'b') return '(?:(?<=[\\p{L}\\p{N}_])(?![\\p{L}\\p{N}_])|(?<![\\p{L}\\p{N}_])(?=[\\p{L}\\p{N}_]))';
    if (char === 'B') return '(?:(?<=[\\p{L}\\p{N}_])(?=[\\p{L}\\p{N}_])|(?<![\\p{L}\\p{N}_])(?![\\p{L}\\p{N}_]))';
  } else if (char === 'b') return '\\b';
  if (/[\^$\\.*+?()[\]{}|/]/.test(char) || /[sSnrtfv0xuW1-9]/.test(char)) return `\\${char}`;
  if (/[a-zA-Z]/.test(char)) throw new Misuse(`bad escape \\${char} in the regular expression`, 'bad-regex');
  return char === '-'
    ? '\\-'
    : /[\w\s]/.test(char) || char > '\x7f'
      ? char
      : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** Removes white space and comments of verbose patterns. */
function compact(pattern: string): string {
  return pattern.replaceAll(
    /(\\[\s\S])|(\[(?:\\[\s\S]|[^\]])*\])|#[^\n]*|\s+/g,
    (_all, escape?: string, set?: string) => escape ?? set ?? '',
  );
}

function translate(source: string): {pattern: string; flags: Set<string>} {
  const flags = new Set<string>();
  let python = source;
  for (;;) {
    const head = /^\(\?([aiLmsux]+)\)/.exec(python);
    if (head === null) break;
    for (const flag of head[1] ?? '') flags.add(flag);
    python = python.slice(head[0].length);
  }
  if (flags.has('x')) python = compact(python);
  let out = '';
  let at = 0;
  while (at < python.length) {
    const char = python[at] ?? '';
    const rest = python.slice(at);
    if (char === '\\') {
      out += translateEscape(python[at + 1] ?? '', false);
      if (at + 1 >= python.length) throw new Misuse('bad escape (end of pattern)', 'bad-regex');
      at += 2;
    } else if (char === '[') {
      const end = classEnd(python, at);
      if (end >= python.length) throw new Misuse('unterminated character set', 'bad-regex');
      out += translateClass(python.slice(at + 1, end));
      at = end + 1;
    } else if (rest.startsWith('(?P<')) {
      out += '(?<';
      at += 4;
    } else if (rest.startsWith('(?P=')) {
      const name = /^\(\?P=(\w+)\)/.exec(rest);
      if (name === null) throw new Misuse('bad named back reference', 'bad-regex');
      out += `\\k<${name[1] ?? ''}>`;
      at += name[0].length;
    } else if (rest.startsWith('(?#')) {
      const end = python.indexOf(')', at);
      at = end < 0 ? python.length : end + 1;
    } else if (char === '$') {
      // Python's $ also stands before a final line break.
      out += flags.has('m') ? '(?=\\n|(?![\\s\\S]))' : '(?=\\n?(?![\\s\\S]))';
      at++;
    } else if (char === '{' && !/^\{\d*,?\d*\}/.test(rest)) {
      out += '\\{';
      at++;
    } else if (char === '{' && /^\{,\d+\}/.test(rest)) {
      out += '{0,';
      at += 2;
    } else if (char === '{' && /^\{,?\}/.test(rest)) {
      out += '\\{';
      at++;
    } else if (char === '}' && !/\{\d*,?\d*$/.test(out)) {
      out += '\\}';
      at++;
    } else if (char === ']') {
      out += '\\]';
      at++;
    } else {
      const whole = String.fromCodePoint(python.codePointAt(at) ?? 0);
      out += whole === '.' ? (flags.has('s') ? '[\\s\\S]' : '[^\\n]') : whole;
      at += whole.length;
    }
  }
  return {pattern: out, flags};
}

const cache = new Map<string, RegExp>();

/**
 * A JavaScript RegExp for a Python pattern. `flags`: any of `i m s x` and `g y`. *errors*: Misuse with code bad-regex.
 * Not translated: possessive quantifiers, atomic groups, conditionals.
 */
export function pythonRegex(source: string, flags = ''): RegExp {
  const key = `${flags}/${source}`;
  let regex = cache.get(key);
  if (regex === undefined) {
    const inline = Array.from(flags)
      .filter((flag) => 'imsx'.includes(flag))
      .join('');
    const translated = translate(inline === '' ? source : `(?${inline})${source}`);
    const kept = [...translated.flags]
      .map((flag) => FLAGS[flag] ?? '')
      .join('')
      .replace('s', '');
    try {
      regex = new RegExp(translated.pattern, [...new Set(`u${kept}${flags.replaceAll(/[imsx]/g, '')}`)].join(''));
    } catch (cause) {
      const reason = cause instanceof Error ? (cause.message.split(': ').at(-1) ?? '') : '';
      throw new Misuse(`the regular expression "${source}" is not valid: ${reason.toLowerCase()}`, 'bad-regex');
    }
    if (cache.size > 500) cache.clear();
    cache.set(key, regex);
  }
  regex.lastIndex = 0;
  return regex;
}

/** Fills a Python replacement (`\1`, `\g<name>`, `\n`) from a match. */
export function expandReplacement(template: string, match: RegExpExecArray | RegExpMatchArray): string {
  return template.replaceAll(
    /\\(?:g<([^>]*)>|([1-9]\d?)|([\s\S]))/g,
    (_all, name?: string, digits?: string, char?: string) => {
      const reference = name ?? digits;
      if (reference !== undefined) {
        if (/^\d+$/.test(reference)) {
          if (Number(reference) >= match.length) throw new Misuse(`invalid group reference ${reference}`, 'bad-regex');
          return match[Number(reference)] ?? '';
        }
        if (!match.groups || !Object.hasOwn(match.groups, reference))
          throw new Misuse(`unknown group name "${reference}"`, 'bad-regex');
        return match.groups[reference] ?? '';
      }
      const known: Record<string, string> = {
        n: '\n',
        t: '\t',
        r: '\r',
        f: '\f',
        v: '\v',
        a: '\x07',
        b: '\b',
        '\\': '\\',
        '0': '\0',
      };
      if (char !== undefined && Object.hasOwn(known, char)) return known[char] ?? '';
      if (char !== undefined && /[a-zA-Z]/.test(char))
        throw new Misuse(`bad escape \\${char} in the replacement`, 'bad-regex');
      return `\\${char ?? ''}`;
    },
  );
}
