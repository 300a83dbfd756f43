/** What stands in place of hidden text wherever something is printed. */
export const MASK = '********';

type Range = readonly [start: number, end: number];

/**
 * Text of which some ranges (or all of it) must never be shown: a password, or a configuration file with a password in it.
 * Every usual way to print it (`String(s)`, template literals, `JSON.stringify`, `util.inspect`) gives the masked text;
 * only {@link Secret.reveal} gives the real one, so that `grep reveal` lists every place where a secret leaves.
 */
export class Secret {
  readonly #text: string;
  readonly #ranges: readonly Range[];

  private constructor(text: string, ranges: readonly Range[]) {
    this.#text = text;
    this.#ranges = ranges;
  }

  /** The whole of `text` is secret. */
  static of(text: string): Secret {
    return new Secret(text, [[0, text.length]]);
  }

  /** Joins plain and secret pieces; what was plain stays visible. Plain text if no piece is secret. */
  static join(pieces: readonly (string | Secret)[]): string | Secret {
    let text = '';
    const ranges: Range[] = [];
    let any = false;
    for (const piece of pieces) {
      if (typeof piece === 'string') {
        text += piece;
        continue;
      }
      any = true;
      for (const [start, end] of piece.#ranges) ranges.push([text.length + start, text.length + end]);
      text += piece.#text;
    }
    return any ? new Secret(text, ranges) : text;
  }

  /** The real text. Call it only where the text goes to its destination (a host's stdin, a file's content). */
  reveal(): string {
    return this.#text;
  }

  /** The text with every secret range replaced by {@link MASK}. */
  masked(): string {
    let out = '';
    let at = 0;
    for (const [start, end] of this.#ranges) {
      out += this.#text.slice(at, start) + MASK;
      at = end;
    }
    return out + this.#text.slice(at);
  }

  /** The secret ranges themselves, for a redactor that hides them elsewhere. */
  pieces(): readonly string[] {
    return this.#ranges.map(([start, end]) => this.#text.slice(start, end));
  }

  /** The whole text in order, secret ranges and what lies between them: what {@link Secret.join} makes the same secret of. */
  parts(): readonly {readonly text: string; readonly secret: boolean}[] {
    const parts: {text: string; secret: boolean}[] = [];
    let at = 0;
    for (const [start, end] of this.#ranges) {
      if (start > at) parts.push({text: this.#text.slice(at, start), secret: false});
      parts.push({text: this.#text.slice(start, end), secret: true});
      at = end;
    }
    if (at < this.#text.length) parts.push({text: this.#text.slice(at), secret: false});
    return parts;
  }

  /** A part of the text, by offsets like `String.slice`; plain where no secret range is touched. */
  slice(start: number, end: number = this.#text.length): string | Secret {
    const ranges = this.#ranges
      .map(([s, e]): Range => [Math.max(s, start) - start, Math.min(e, end) - start])
      .filter(([s, e]) => s < e);
    const text = this.#text.slice(start, end);
    return ranges.length > 0 ? new Secret(text, ranges) : text;
  }

  /** A text made from this one by a transformation: all of it is secret. */
  map(transform: (text: string) => string): Secret {
    return Secret.of(transform(this.#text));
  }

  equals(other: string | Secret): boolean {
    return this.#text === (typeof other === 'string' ? other : other.#text);
  }

  toString(): string {
    return this.masked();
  }

  toJSON(): string {
    return this.masked();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.masked();
  }
}

/** The real text of a plain or secret text. */
export function reveal(text: string | Secret): string {
  return typeof text === 'string' ? text : text.reveal();
}

/** The text as it may be shown. */
export function masked(text: string | Secret): string {
  return typeof text === 'string' ? text : text.masked();
}
