/** Where a host stands in its play: indexes from the outside in; a shorter one comes before what is inside of it. */
export type Position = readonly number[];

type Waiting = {readonly at: Position; readonly go: () => void};

/**
 * Where the hosts of a batch wait for each other. A host that comes to a meeting waits until no host works any more; then those that stand
 * at the earliest place go on. So all hosts do one task after the other where every task is a meeting, whatever ways they take through blocks.
 * It also bounds how many hosts work at once (`--forks`): whoever waits frees its slot.
 */
export class Meeting {
  readonly #order: readonly string[];
  readonly #working: Set<string>;
  readonly #waiting = new Map<string, Waiting>();
  readonly #queue: (() => void)[] = [];
  #slots: number;

  constructor(hosts: readonly string[], forks: number) {
    this.#order = hosts;
    this.#working = new Set(hosts);
    this.#slots = Math.max(1, forks);
  }

  /** Begins work: waits for a slot. */
  async begin(): Promise<void> {
    await new Promise<void>((go) => this.#take(go));
  }

  /** Ends a host's work: the others do not wait for it any more. */
  end(host: string): void {
    this.#free();
    this.#working.delete(host);
    this.#release();
  }

  /** Waits for the others. */
  async meet(host: string, at: Position): Promise<void> {
    if (this.#working.size === 1 && this.#waiting.size === 0) return;
    this.#working.delete(host);
    this.#free();
    await new Promise<void>((go) => {
      this.#waiting.set(host, {at, go});
      // not at once: the one that comes last has to wait like the others, or it would go on behind them whatever its place
      queueMicrotask(() => this.#release());
    });
  }

  #take(go: () => void): void {
    if (this.#slots > 0) {
      this.#slots--;
      go();
    } else this.#queue.push(go);
  }

  #free(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#slots++;
    else next();
  }

  #release(): void {
    if (this.#working.size > 0 || this.#waiting.size === 0) return;
    const [first] = [...this.#waiting.values()].map(({at}) => at).sort(compare);
    for (const host of this.#order) {
      const waiting = this.#waiting.get(host);
      if (waiting === undefined || compare(waiting.at, first!) !== 0) continue;
      this.#waiting.delete(host);
      this.#working.add(host);
      this.#take(waiting.go);
    }
  }
}

function compare(one: Position, other: Position): number {
  for (let i = 0; i < Math.min(one.length, other.length); i++) {
    const difference = one[i]! - other[i]!;
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}
