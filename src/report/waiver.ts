/** A failure that somebody answers for. `expires` is the last day on which it holds (ISO 8601, UTC); `pattern` is how the hosts were named. */
export type Waiver = {
  readonly controls: readonly string[];
  readonly hosts: ReadonlySet<string>;
  readonly pattern: string;
  readonly owner: string;
  readonly reason: string;
  readonly expires: string;
  /** `file:line:column` in the file of waivers */
  readonly at: string;
};

/** Whether a waiver no longer holds at a time (ISO 8601, UTC). It holds through its last day. */
export function isExpired(waiver: Waiver, at: string): boolean {
  return waiver.expires < at.slice(0, 10);
}

/** The waiver for a host under a control: of several the one that holds longest, though it may have expired. */
export function waiverFor(waivers: readonly Waiver[], host: string, control: string): Waiver | undefined {
  let best: Waiver | undefined;
  for (const waiver of waivers) {
    if (!waiver.controls.includes(control) || !waiver.hosts.has(host)) continue;
    if (best === undefined || waiver.expires > best.expires) best = waiver;
  }
  return best;
}

/** Whole days until a waiver's last day; negative when it is past. *units*: days. */
export function daysLeft(waiver: Waiver, at: string): number {
  return Math.round((Date.parse(waiver.expires) - Date.parse(at.slice(0, 10))) / 86_400_000);
}

/** Who answers for it until when, and why; undefined where there is no waiver. */
export function waiverText(waiver: Waiver | undefined): string | undefined {
  return waiver === undefined ? undefined : `waived by ${waiver.owner} until ${waiver.expires}: ${waiver.reason}`;
}
