// Collects what a template prints.
import {Secret, reveal} from '../base/secret.ts';
import type {Unknown} from '../base/unknown.ts';
import {known} from './compare.ts';
import {Misuse} from './fault.ts';
import {MAX_TEXT} from './operate.ts';
import {str} from './print.ts';
import {Waits} from './values.ts';

/** The pieces printed so far, and the value if there was only one piece that may keep its type. */
export class Output {
  readonly #pieces: (string | Secret)[] = [];
  #size = 0;
  #values = 0;
  #only: unknown;
  #unknown: Unknown | undefined;
  /** Above 0 inside loops and the like, whose output is always text. */
  textOnly = 0;

  text(piece: string | Secret): void {
    if (piece === '') return;
    this.#values = 2;
    this.#push(piece);
  }

  /** Prints a value; None prints as nothing, as in Ansible. */
  value(value: unknown): void {
    if (this.textOnly > 0) this.#values = 2;
    if (++this.#values === 1) this.#only = value;
    if (value === null) return;
    try {
      // At once, for a list that is printed may be changed afterwards.
      this.#push(str(known(value)));
    } catch (cause) {
      // Alone an unknown is the result; whatever is printed besides makes the whole text unknown.
      if (!(cause instanceof Waits)) throw cause;
      this.#unknown ??= cause.unknown;
    }
  }

  #push(piece: string | Secret): void {
    this.#size += reveal(piece).length;
    this.#pieces.push(piece);
    if (this.#size > MAX_TEXT)
      throw new Misuse(`the template prints more than ${MAX_TEXT} characters`, 'template-budget');
  }

  /** Everything as text. *errors*: throws Waits if something unknown was printed. */
  joined(): string | Secret {
    if (this.#unknown !== undefined) throw new Waits(this.#unknown);
    return Secret.join(this.#pieces);
  }

  /** The only value printed, with its type; otherwise everything as text. */
  result(): unknown {
    return this.#values === 1 ? this.#only : this.joined();
  }
}
