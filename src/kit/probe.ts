import type {Read} from './reads.ts';

/**
 * A pure description of what a module wants to know about a host: reads, and how their values make one state.
 * It never sees the host, so all probes of a host can travel in one exchange.
 */
export type Probe<T> = {readonly reads: readonly Read[]; readonly join: (values: readonly unknown[]) => T};

type States<P extends Readonly<Record<string, Probe<unknown>>>> = {
  readonly [K in keyof P]: P[K] extends Probe<infer T> ? T : never;
};

/** Several probes as one; the state is a mapping with the same names. */
export function all<P extends Readonly<Record<string, Probe<unknown>>>>(parts: P): Probe<States<P>> {
  const names = Object.keys(parts);
  return {
    reads: names.flatMap((name) => parts[name]!.reads),
    join: (values) => {
      let at = 0;
      const state: Record<string, unknown> = {};
      for (const name of names) {
        const part = parts[name]!;
        state[name] = part.join(values.slice(at, at + part.reads.length));
        at += part.reads.length;
      }
      return state as States<P>;
    },
  };
}

/** A list of like probes as one; the state is the list of theirs. */
export function list<T>(parts: readonly Probe<T>[]): Probe<readonly T[]> {
  return {
    reads: parts.flatMap((part) => part.reads),
    join: (values) => {
      let at = 0;
      return parts.map((part) => {
        const state = part.join(values.slice(at, at + part.reads.length));
        at += part.reads.length;
        return state;
      });
    },
  };
}

/** The same reads, seen through a pure function. */
export function map<T, U>(probe: Probe<T>, transform: (state: T) => U): Probe<U> {
  return {reads: probe.reads, join: (values) => transform(probe.join(values))};
}

/** Nothing to read: for modules whose plan follows from the parameters alone. */
export function nothing<T>(state: T): Probe<T> {
  return {reads: [], join: () => state};
}
