import type {RunNumbers} from './collect.ts';
import type {ServiceNumbers} from './render.ts';

/** The runs of a service in numbers: the last one of each schedule (where a fleet is divided, of its last part), and how many ended how. */
export class PassTally {
  readonly #last = new Map<string, RunNumbers>();
  readonly #ended = new Map<string, {readonly mode: string; readonly status: string; count: number}>();

  /** A run has ended. */
  add(numbers: RunNumbers): void {
    this.#last.set(`${numbers.schedule ?? ''} ${numbers.mode}`, numbers);
    const status = statusOf(numbers.exit);
    const key = `${numbers.mode} ${status}`;
    const ended = this.#ended.get(key) ?? {mode: numbers.mode, status, count: 0};
    ended.count++;
    this.#ended.set(key, ended);
  }

  get last(): readonly RunNumbers[] {
    return [...this.#last.values()];
  }

  get ended(): ServiceNumbers['runs'] {
    return [...this.#ended.values()];
  }
}

/** The worst that an exit status tells. */
function statusOf(exit: number): string {
  if (exit === 0) return 'ok';
  if ((exit & 2) !== 0) return 'failed';
  return (exit & 4) !== 0 ? 'unreachable' : 'differs';
}
