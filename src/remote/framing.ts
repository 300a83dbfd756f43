// Finds where one fragment's output ends and the next one's begins. The length of an output is not known before it is
// written, and a host in check mode must not get a temporary file: so each output is followed by a mark that holds 128
// random bits, which no content can contain by chance and no fragment can know.

/** First byte of a mark: ASCII "record separator". */
const RS = 0x1e;
/** Nothing that we print behind the nonce is longer. */
const MAX_MARK_BYTES = 256;

/** One mark and the bytes that came since the one before. `fields` are the words behind the nonce. */
export type Mark = {readonly fields: readonly string[]; readonly before: Buffer};

/** The shell text (for `printf`'s format) that prints a mark with these words; words may be `%s`. */
export function markFormat(nonce: string, ...fields: readonly string[]): string {
  return `\\036${[nonce, ...fields].join(':')}\\n`;
}

/** Cuts one stream of bytes at the marks of one nonce, wherever the chunks happen to end. */
export class MarkReader {
  readonly #prefix: Buffer;
  #segment: Buffer[] = [];
  /** the end of what came, as long as it could be the beginning of a mark */
  #tail: Buffer = Buffer.alloc(0);

  constructor(nonce: string) {
    this.#prefix = Buffer.concat([Buffer.of(RS), Buffer.from(`${nonce}:`)]);
  }

  /** Takes the next chunk; gives the marks that it completes. */
  push(chunk: Buffer): Mark[] {
    const marks: Mark[] = [];
    let bytes = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    for (;;) {
      const at = bytes.indexOf(this.#prefix);
      if (at < 0) break;
      const from = at + this.#prefix.length;
      const end = bytes.subarray(from, from + MAX_MARK_BYTES).indexOf(0x0a);
      if (end < 0) {
        if (bytes.length - from >= MAX_MARK_BYTES) break;
        this.#keep(bytes, at);
        return marks;
      }
      this.#segment.push(bytes.subarray(0, at));
      marks.push({
        fields: bytes.toString('latin1', from, from + end).split(':'),
        before: Buffer.concat(this.#segment),
      });
      this.#segment = [];
      bytes = bytes.subarray(from + end + 1);
    }
    const start = Math.max(0, bytes.length - this.#prefix.length + 1);
    const rs = bytes.indexOf(RS, start);
    this.#keep(bytes, rs < 0 ? bytes.length : rs);
    return marks;
  }

  /** What came since the last mark. */
  rest(): Buffer {
    return Buffer.concat([...this.#segment, this.#tail]);
  }

  #keep(bytes: Buffer, from: number): void {
    if (from > 0) this.#segment.push(bytes.subarray(0, from));
    this.#tail = bytes.subarray(from);
  }
}
