// Follows a batch by the marks that come in: which fragments are done, which were skipped, whose reply is awaited.
import {BrokenFraming} from './errors.ts';
import {MarkReader, type Mark} from './framing.ts';
import type {Fragment, Outcome} from './session.ts';

type Half = {readonly exit: number; readonly bytes: Buffer};

/** The state of one batch under way. Time is given in from outside (*units*: ms of a monotonic clock). */
export class BatchProgress {
  readonly #fragments: readonly Fragment[];
  readonly #readers: {readonly stdout: MarkReader; readonly stderr: MarkReader};
  readonly #halves = {stdout: new Map<number, Half>(), stderr: new Map<number, Half>()};
  readonly #outcomes: (Outcome | undefined)[];
  readonly #skip = new Set<string>();
  readonly #timedOut = new Set<number>();
  readonly #ended = {stdout: false, stderr: false};
  readonly #begun = {stdout: false, stderr: false};
  #startedMs: number;

  constructor(fragments: readonly Fragment[], nonce: string, nowMs: number) {
    this.#fragments = fragments;
    this.#readers = {stdout: new MarkReader(nonce), stderr: new MarkReader(nonce)};
    this.#outcomes = fragments.map(() => undefined);
    this.#startedMs = nowMs;
  }

  /** Whether every reply is there. */
  get complete(): boolean {
    return this.#ended.stdout && this.#ended.stderr;
  }

  /** Whether the host has read the batch and runs it. */
  get begun(): boolean {
    return this.#begun.stdout && this.#begun.stderr;
  }

  /** Index of the fragment whose reply is awaited; undefined once all have replied or been skipped. */
  get awaited(): number | undefined {
    const index = this.#fragments.findIndex(
      (fragment, i) => this.#outcomes[i] === undefined && !this.#skipped(fragment),
    );
    return index < 0 ? undefined : index;
  }

  /** Its label, for messages. */
  get awaitedLabel(): string {
    const index = this.awaited;
    return index === undefined ? 'the end of the batch' : this.#fragments[index]!.label;
  }

  /** The outcomes, in the order of the fragments. */
  outcomes(): readonly Outcome[] {
    return this.#outcomes.map((outcome) => outcome ?? {ran: false});
  }

  /** Notes that a fragment is being ended because its time is up. */
  markTimedOut(index: number): void {
    this.#timedOut.add(index);
  }

  /** Takes bytes; true when they moved the batch on. *errors*: throws {@link BrokenFraming} on marks that no batch prints. */
  push(stream: 'stdout' | 'stderr', chunk: Buffer, nowMs: number): boolean {
    let moved = false;
    for (const mark of this.#readers[stream].push(chunk)) {
      this.#take(stream, mark, nowMs);
      moved = true;
    }
    return moved;
  }

  #take(stream: 'stdout' | 'stderr', mark: Mark, nowMs: number): void {
    const [name = '', status = ''] = mark.fields;
    if (name === 'b' && !this.#begun[stream]) {
      this.#begun[stream] = true;
      this.#startedMs = nowMs;
      return;
    }
    if (name === 'e' && this.#begun[stream]) {
      this.#ended[stream] = true;
      return;
    }
    const index = Number(name);
    const exit = Number(status);
    const known = /^\d+$/.test(name) && /^\d+$/.test(status) && index < this.#fragments.length;
    if (!known || !this.#begun[stream] || this.#halves[stream].has(index)) {
      throw new BrokenFraming(
        `the host's shell printed a mark that this batch does not have: ${JSON.stringify(mark.fields)}`,
      );
    }
    this.#halves[stream].set(index, {exit, bytes: mark.before});
    this.#settle(index, nowMs);
  }

  #settle(index: number, nowMs: number): void {
    const stdout = this.#halves.stdout.get(index);
    const stderr = this.#halves.stderr.get(index);
    if (stdout === undefined || stderr === undefined) return;
    const fragment = this.#fragments[index]!;
    this.#outcomes[index] = {
      ran: true,
      reply: {exit: stdout.exit, stdout: stdout.bytes, stderr: stderr.bytes},
      durationMs: Math.max(0, nowMs - this.#startedMs),
      timedOut: this.#timedOut.has(index),
    };
    this.#startedMs = nowMs;
    if (stdout.exit !== 0 && fragment.onFailure === 'stop') this.#skip.add('all');
    if (stdout.exit !== 0 && fragment.onFailure === 'skip-group') this.#skip.add(`g${fragment.group}`);
  }

  #skipped(fragment: Fragment): boolean {
    return this.#skip.has('all') || this.#skip.has(`g${fragment.group}`);
  }
}
