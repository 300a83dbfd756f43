// A file that only grows, a line at a time, and never holds half a line for longer than it takes to notice: what could not be written whole (a full disk) is
// cut off again, and what a killed process left without a line break does not count and is cut off by the next writer.
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';

/** The complete lines of a file, and how many bytes they have. Bytes behind the last line break (or of zeros, after a power cut) are torn, and do not count. *errors*: those of reading. */
export function readJournal(path: string): {
  readonly lines: readonly string[];
  readonly wholeBytes: number;
  readonly tornBytes: number;
} {
  const bytes = readFileSync(path);
  const wholeBytes = wholeLength(bytes);
  const text = bytes.toString('utf8', 0, wholeBytes);
  return {lines: text === '' ? [] : text.slice(0, -1).split('\n'), wholeBytes, tornBytes: bytes.length - wholeBytes};
}

/** How many of these bytes are whole lines. */
function wholeLength(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.lastIndexOf(0x0a, Math.max(0, end - 1)) + 1;
}

/** The last complete line of a file; undefined where there is none. Reads only as much from its end as is needed. */
export function lastLine(path: string): string | undefined {
  const file = openSync(path, 'r');
  try {
    return tailOf(file).line;
  } finally {
    closeSync(file);
  }
}

/** The last whole line, and where it ends in the file. */
function tailOf(file: number): {readonly line: string | undefined; readonly wholeBytes: number} {
  const {size} = fstatSync(file);
  for (let want = 8192; ; want *= 8) {
    const length = Math.min(size, want);
    const bytes = Buffer.alloc(length);
    readSync(file, bytes, 0, length, size - length);
    const end = wholeLength(bytes);
    const start = end < 2 ? 0 : bytes.lastIndexOf(0x0a, end - 2) + 1;
    if (end > 0 && (start > 0 || length === size))
      return {line: bytes.toString('utf8', start, end - 1), wholeBytes: size - length + end};
    if (length === size) return {line: undefined, wholeBytes: 0};
  }
}

/** A journal that is open for appending; it has one writer at a time. */
export class JournalFile {
  readonly #file: number;
  #size: number;

  /** Opens the file, made for its owner only where there is none (`isNew`: it is an error if there is one), and cuts off what is torn. *errors*: those of opening. */
  constructor(path: string, isNew = false) {
    const {O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW} = constants;
    this.#file = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | (isNew ? O_EXCL : 0), 0o600);
    this.#size = fstatSync(this.#file).size;
    if (this.#size === 0) return;
    const {wholeBytes} = tailOf(this.#file);
    if (wholeBytes < this.#size) ftruncateSync(this.#file, wholeBytes);
    this.#size = wholeBytes;
  }

  /** Appends a whole line or nothing. *errors*: those of writing, such as ENOSPC. */
  append(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
      this.#size += bytes.length;
    } catch (error) {
      ftruncateSync(this.#file, this.#size);
      throw error;
    }
  }

  /** Makes sure that a power cut does not take the lines. */
  sync(): void {
    fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}
