import {placeOf, type Span} from '../base/diagnostic.ts';

/**
 * Names the steps of one host in one play so that a saved plan finds them again: where the task stands, by which includes it was reached, in which
 * flush of handlers, and which element of the loop it is. What happens elsewhere in the run does not change a step's name.
 */
export class Place {
  flushes = 0;
  readonly #play: number;
  readonly #path: string[] = [];

  constructor(play: number) {
    this.#play = play;
  }

  /** The name of a step; `index`: of the loop's element. */
  of(span: Span, index?: number): string {
    return [String(this.#play), ...this.#path, `${placeOf(span)}${index === undefined ? '' : `[${index}]`}`].join(
      ' > ',
    );
  }

  flush(): void {
    this.flushes++;
  }

  /** Steps inside an include, or in a round of handlers. */
  async within(part: string, work: () => Promise<void>): Promise<void> {
    this.#path.push(part.split(' > ').at(-1) ?? part);
    try {
      await work();
    } finally {
      this.#path.pop();
    }
  }
}
