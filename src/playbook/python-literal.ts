// INI inventories hold Python literals: `n=3` is a number, `l=['a', 'b']` a list, `x=True` a boolean, and everything that is no literal is text.
import type {Span} from '../base/diagnostic.ts';
import type {Entry, Node, ScalarNode} from './node.ts';

/** The node of an INI value: the Python literal that it is, else its text. Every part of it has the place `span`. */
export function iniValue(text: string, span: Span): Node {
  return new Reader(text, span).whole() ?? {kind: 'scalar', value: text, raw: text, style: 'single', span};
}

class Reader {
  readonly #text: string;
  readonly #span: Span;
  #at = 0;
  #depth = 0;

  constructor(text: string, span: Span) {
    this.#text = text;
    this.#span = span;
  }

  whole(): Node | undefined {
    if (/^\s/.test(this.#text)) return undefined;
    const node = this.#value();
    this.#blanks();
    return node !== undefined && this.#at === this.#text.length ? node : undefined;
  }

  #blanks(): void {
    const skipped = /^(?:\s|#[^\n]*)*/.exec(this.#text.slice(this.#at));
    this.#at += skipped?.[0].length ?? 0;
  }

  #scalar(value: ScalarNode['value'], raw: string, style: ScalarNode['style'] = 'plain'): ScalarNode {
    return {kind: 'scalar', value, raw, style, span: this.#span};
  }

  #take(pattern: RegExp): string | undefined {
    const found = pattern.exec(this.#text.slice(this.#at))?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #value(): Node | undefined {
    this.#blanks();
    if (this.#depth > 50) return undefined;
    const first = this.#text[this.#at];
    if (first === "'" || first === '"') return this.#string();
    if (first === '[' || first === '(' || first === '{') {
      this.#at++;
      this.#depth++;
      const node = first === '{' ? this.#braces() : this.#sequence(first);
      this.#depth--;
      return node;
    }
    const word = this.#take(/^(?:True|False|None)\b/);
    if (word !== undefined) return this.#scalar(word === 'None' ? null : word === 'True', word.toLowerCase());
    return this.#number();
  }

  #number(): Node | undefined {
    const sign = this.#take(/^[-+]\s*/)?.[0] ?? '';
    const text = this.#take(
      /^(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[\d_]*\.?[\d_]*(?:[eE][-+]?\d+)?)(?![\w.])/,
    )?.replaceAll('_', '');
    if (text === undefined || !/\d/.test(text)) return undefined;
    if (/^0\d*[1-9]/.test(text) && /^\d+$/.test(text)) return undefined;
    const value = Number(text);
    if (Number.isNaN(value)) return undefined;
    const whole = /^0[xob]/i.test(text) ? BigInt(text).toString() : text;
    return this.#scalar(sign === '-' ? -value : value, (sign === '-' ? '-' : '') + whole);
  }

  #string(): Node | undefined {
    let text = '';
    for (let any = false; ; any = true) {
      this.#blanks();
      const quote = this.#text[this.#at];
      if (quote !== "'" && quote !== '"') return any ? this.#scalar(text, text, 'single') : undefined;
      const body = this.#take(quote === '"' ? /^"(?:[^"\\\n]|\\.)*"/ : /^'(?:[^'\\\n]|\\.)*'/);
      if (body === undefined) return undefined;
      text += unescape(body.slice(1, -1));
    }
  }

  #sequence(open: '[' | '('): Node | undefined {
    const close = open === '[' ? ']' : ')';
    const items: Node[] = [];
    for (let comma = true; ;) {
      this.#blanks();
      if (this.#text[this.#at] === close) {
        this.#at++;
        const [only] = items;
        return open === '(' && items.length === 1 && !comma && only !== undefined
          ? only
          : {kind: 'list', items, span: this.#span};
      }
      if (!comma) return undefined;
      const item = this.#value();
      if (item === undefined) return undefined;
      items.push(item);
      this.#blanks();
      comma = this.#text[this.#at] === ',';
      if (comma) this.#at++;
    }
  }

  /** A dictionary, or a set (which is a list here). */
  #braces(): Node | undefined {
    const entries = new Map<string, Entry>();
    const items: Node[] = [];
    for (let comma = true; ;) {
      this.#blanks();
      if (this.#text[this.#at] === '}') {
        this.#at++;
        if (items.length > 0) return entries.size > 0 ? undefined : {kind: 'list', items, span: this.#span};
        return {kind: 'map', entries: [...entries.values()], span: this.#span};
      }
      if (!comma) return undefined;
      const key = this.#value();
      if (key === undefined) return undefined;
      this.#blanks();
      if (this.#text[this.#at] === ':') {
        this.#at++;
        const value = this.#value();
        if (value === undefined || key.kind !== 'scalar') return undefined;
        const name = typeof key.value === 'string' ? key.value : key.raw;
        entries.set(name, {key: name, keySpan: this.#span, value});
      } else items.push(key);
      this.#blanks();
      comma = this.#text[this.#at] === ',';
      if (comma) this.#at++;
    }
  }
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};

function unescape(body: string): string {
  return body.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([^]))/g,
    (all, x?: string, u?: string, long?: string, octal?: string, one?: string) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) return parseInt(hex, 16) <= 0x10ffff ? String.fromCodePoint(parseInt(hex, 16)) : all;
      if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8));
      return escapes[one ?? ''] ?? all;
    },
  );
}
