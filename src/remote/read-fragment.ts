import type {Read, Reply} from '../kit/reads.ts';
import type {Fragment, Outcome} from './session.ts';

/** Fragments, and how their outcomes (in the same order) become the values of the reads they were made from. */
export type CompiledReads = {
  readonly fragments: readonly Fragment[];
  /** Puts each read's value into `values`. *errors*: throws {@link ReadFailed}. */
  readonly decode: (outcomes: readonly Outcome[], values: Map<Read, unknown>) => void;
};

/** A read that brought no reply: it took too long, was not run, or the host lacks what it needs. */
export class ReadFailed extends Error {
  override readonly name = 'ReadFailed';
}

/** *units*: ms. Checksums of large files take their time. */
const READ_TIMEOUT_MS = 600_000;

/** A fragment that only reads: its failure keeps nothing else from running. */
export function fragmentOf(shell: string, {label, secret}: {label: string; secret: boolean}): Fragment {
  return {shell, group: 0, onFailure: 'go-on', label, secret, timeoutMs: READ_TIMEOUT_MS};
}

/** The reply of a typed read, whose shell text always exits 0 unless something is wrong. *errors*: throws {@link ReadFailed}. */
export function checkedReply(outcome: Outcome | undefined, label: string): Reply {
  if (outcome?.ran !== true) throw new ReadFailed(`${label}: was not run`);
  if (outcome.timedOut) throw new ReadFailed(`${label}: took longer than ${READ_TIMEOUT_MS / 1000} s`);
  if (outcome.reply.exit !== 0) {
    const said = new TextDecoder().decode(outcome.reply.stderr).trim().slice(-500);
    throw new ReadFailed(`${label}: exit status ${outcome.reply.exit}${said === '' ? '' : `: ${said}`}`);
  }
  return outcome.reply;
}

/** *units*: bytes of words in one fragment. A program's arguments may hold 128 KiB and more; the words appear in them once. */
const CHUNK_BYTES = 48 * 1024;

/** Cuts a list so that no part is too long for one command line. */
export function chunked<T>(list: readonly T[], bytesOf: (element: T) => number): readonly (readonly T[])[] {
  const chunks: T[][] = [];
  let room = 0;
  for (const element of list) {
    const bytes = bytesOf(element);
    if (chunks.length === 0 || bytes > room) {
      chunks.push([]);
      room = CHUNK_BYTES;
    }
    chunks.at(-1)!.push(element);
    room -= bytes;
  }
  return chunks;
}
