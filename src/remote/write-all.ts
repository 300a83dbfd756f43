// Writing with the far end's pace: a batch can be larger than what a link takes at once.
import type {Writable} from 'node:stream';

const CHUNK_BYTES = 64 * 1024;

/** Writes all bytes, waiting whenever the stream is full; rejects when the stream fails or closes before the end. */
export async function writeAll(stream: Writable, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    if (stream.destroyed || stream.writableEnded) throw new Error('the link is closed');
    if (stream.write(bytes.subarray(at, at + CHUNK_BYTES))) continue;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => settle(resolve);
      const failed = (problem?: Error): void => settle(() => reject(problem ?? new Error('the link is closed')));
      const settle = (then: () => void): void => {
        stream.off('drain', done).off('error', failed).off('close', failed);
        then();
      };
      stream.on('drain', done).on('error', failed).on('close', failed);
    });
  }
}
