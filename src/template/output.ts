// Collects what a template prints.
import {Secret, reveal} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {Fault, Misuse} from './fault.ts';
import {MAX_TEXT} from './operate.ts';
import {str} from './print.ts';
import {Undefined, Waits} from './values.ts';

/** The pieces printed so far, and the value if there was only one piece that may keep its type. */
export class Output {
  readonly #pieces: (string | Secret)[] = [];
  #size = 0;
  #values = 0;
  #only: unknown;
  /** Above 0 inside loops and the like, whose output is always text. */
  textOnly = 0;

  text(piece: string | Secret): void {
    if (piece === '') return;
    this.#values = 2;
    this.#push(piece);
  }

  /** Prints a value; None prints as nothing, as in Ansible. */
  value(value: unknown): void {
    if (value instanceof Undefined) throw new Fault(value.problem);
    if (this.textOnly > 0) this.#values = 2;
    if (++this.#values === 1) this.#only = value;
    if (value instanceof Unknown) {
      // Alone it is the result; anything printed besides it makes the whole text unknown.
      this.#unknown ??= value;
      return;
    }
    if (value === null) return;
    this.#pending.push(value);
    if (typeof value === 'string' || value instanceof Secret || this.#values > 1) this.#flush();
  }

  #unknown: Unknown | undefined;
  readonly #pending: unknown[] = [];

  #flush(): void {
    for (const value of this.#pending) {
      const text = str(value);
      this.#size += reveal(text).length;
      this.#pieces.push(text);
    }
    this.#pending.length = 0;
    this.#check();
  }

  #push(piece: string | Secret): void {
    this.#flush();
    this.#size += reveal(piece).length;
    this.#pieces.push(piece);
    this.#check();
  }

  #check(): void {
    if (this.#size > MAX_TEXT)
      throw new Misuse(`the template prints more than ${MAX_TEXT} characters`, 'template-budget');
  }

  /** Everything as text. *errors*: throws Waits if something unknown was printed. */
  joined(): string | Secret {
    if (this.#unknown !== undefined) throw new Waits(this.#unknown);
    this.#flush();
    return Secret.join(this.#pieces);
  }

  /** The only value printed, with its type; otherwise everything as text. */
  result(): unknown {
    return this.#values === 1 ? this.#only : this.joined();
  }
}
