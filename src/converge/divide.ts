/** A piece of a pass: hosts of one run. *units*: `afterMs` ms after the pass is due. */
export type Piece = {readonly hosts: readonly string[]; readonly afterMs: number};

/** Hosts of a run at most, so that a controller that dies leaves little undone. */
const LARGEST = 50;
/** Into how many steps a jitter is cut: hosts of one step share a run. */
const STEPS = 20;

/** Shares the hosts of a pass out: evenly among the controllers, in pieces of a size that one can run at once, each when its jitter says. */
export function divide(
  hosts: readonly string[],
  among: {readonly controllers: number; readonly jitterMs: number; readonly jitterOf: (host: string) => number},
): readonly Piece[] {
  const stepMs = Math.max(1000, Math.floor(among.jitterMs / STEPS));
  const byStep = Map.groupBy(hosts, (host) => Math.floor(among.jitterOf(host) / stepMs) * stepMs);
  return [...byStep]
    .sort(([a], [b]) => a - b)
    .flatMap(([afterMs, members]) => {
      const size = Math.min(LARGEST, Math.max(1, Math.ceil(members.length / Math.max(1, among.controllers))));
      return Array.from({length: Math.ceil(members.length / size)}, (_, i) => ({
        hosts: members.slice(i * size, (i + 1) * size),
        afterMs,
      }));
    });
}
