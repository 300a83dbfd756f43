/**
 * Keeps answers in the order in which they were asked for: a place is taken when a task begins and filled when its result is known,
 * which for a task that waits in a batch is later than for a converged one behind it.
 */
export class Slots<T> {
  readonly #places: {value: T | undefined}[] = [];
  readonly #release: (value: T) => void;

  constructor(release: (value: T) => void) {
    this.#release = release;
  }

  /** Takes the next place; the function fills it (once). */
  take(): (value: T) => void {
    const place: {value: T | undefined} = {value: undefined};
    this.#places.push(place);
    return (value) => {
      place.value = value;
      while (this.#places[0]?.value !== undefined) this.#release(this.#places.shift()!.value!);
    };
  }

  /** Gives away the filled places even where earlier ones never will be filled: the run on this host has ended. */
  drain(): void {
    for (const {value} of this.#places.splice(0)) if (value !== undefined) this.#release(value);
  }
}
