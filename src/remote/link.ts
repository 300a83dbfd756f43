// What a shell session needs of a transport: three byte streams and word of their end.
import type {Readable, Writable} from 'node:stream';

/** A program on the host whose standard streams we hold. `stdout` and `stderr` are separate streams of bytes. */
export type ShellLink = {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** resolves once, when nothing more will come, with the reason in words (`the connection was reset`, `the shell ended with exit 1`) */
  readonly closed: Promise<string>;
  /** once closed: whether the connection broke, rather than the program ended */
  readonly lost: () => boolean;
  /** ends it at once; what runs on the host finds its output gone */
  close(): void;
};

/** What would otherwise be ambient: a clock (*units*: ms, monotonic) and fresh random nonces (128 bits in hex). */
export type Ambient = {readonly nowMs: () => number; readonly nonce: () => string};
