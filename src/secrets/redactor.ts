/*
 * The last line of defence: whatever is about to be printed or stored passes here, and every secret that this process knows is
 * hidden in it, also in the disguises that shells, URLs, JSON, XML and encoders give it. Values that are Secrets never show up
 * by themselves; this catches what comes back from outside, such as a command's error message.
 */
import {MASK} from '../base/secret.ts';
import type {Secret} from '../base/secret.ts';
import {disguisesOf} from './disguises.ts';

/** Shorter secrets are not looked for in free text: they would blank out everything, and tell by it what they are. *units*: UTF-16 units. */
export const SHORTEST_SEARCHED = 4;

/** Of a secret with several lines each line is a secret too, from this length on. *units*: UTF-16 units. */
export const SHORTEST_LINE = 6;

/** Collects secrets and hides them in texts. Secrets shorter than {@link SHORTEST_SEARCHED} are left alone. */
export class Redactor {
  readonly #secrets = new Set<string>();
  #pattern: RegExp | undefined;
  #stale = false;

  /** From now on these are hidden; of a partly secret text, its secret ranges. A plain string counts as secret as a whole. */
  add(...secrets: readonly (string | Secret)[]): void {
    for (const secret of secrets) {
      for (const piece of typeof secret === 'string' ? [secret] : secret.pieces()) {
        this.#take(piece, SHORTEST_SEARCHED);
        const body = piece.trim();
        if (body !== piece) this.#take(body, SHORTEST_SEARCHED);
        if (!body.includes('\n')) continue;
        for (const line of body.split('\n')) this.#take(line.trim(), SHORTEST_LINE);
      }
    }
  }

  /** The text with {@link MASK} in place of every known secret and of its usual encodings. Texts without one come back as they are. */
  redact(text: string): string {
    this.#rebuild();
    return this.#pattern === undefined ? text : text.replace(this.#pattern, MASK);
  }

  /** The same for bytes, read as UTF-8; where something is hidden, what is no UTF-8 comes back as U+FFFD. */
  redactBytes(bytes: Uint8Array): Uint8Array {
    const text = Buffer.from(bytes).toString('utf8');
    const hidden = this.redact(text);
    return hidden === text ? bytes : Buffer.from(hidden, 'utf8');
  }

  #take(secret: string, shortest: number): void {
    if (secret.length < shortest || this.#secrets.has(secret)) return;
    this.#secrets.add(secret);
    this.#stale = true;
  }

  // One expression for all: V8 compiles alternatives into one automaton-like program, which a list of replaces is not.
  // The longest come first, so that a secret inside another does not leave the rest of it to be seen.
  #rebuild(): void {
    if (!this.#stale) return;
    this.#stale = false;
    const forms = new Set([...this.#secrets].flatMap((secret) => [...disguisesOf(secret)]));
    this.#pattern = new RegExp(alternatives([...forms]), 'g');
  }
}

/** One expression for many words: common beginnings are shared (a trie), and longer words win over their own beginnings. */
function alternatives(words: readonly string[]): string {
  const sorted = [...new Set(words)].sort();
  const branch = (from: number, to: number, depth: number): string => {
    const first = sorted[from] ?? '';
    const last = sorted[to - 1] ?? '';
    let shared = depth;
    while (shared < first.length && shared < last.length && first[shared] === last[shared]) shared++;
    const head = escape(first.slice(depth, shared));
    let start = from;
    const ends = first.length === shared;
    if (ends) start++;
    const groups: string[] = [];
    while (start < to) {
      const letter = sorted[start]?.[shared];
      let end = start + 1;
      while (end < to && sorted[end]?.[shared] === letter) end++;
      groups.push(branch(start, end, shared));
      start = end;
    }
    if (groups.length === 0) return head;
    if (groups.length === 1 && !ends) return head + (groups[0] ?? '');
    return `${head}(?:${groups.join('|')})${ends ? '?' : ''}`;
  };
  return branch(0, sorted.length, 0);
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
