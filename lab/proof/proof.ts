/** What was seen when a claim was put to the test, in a few words; `holds` says whether it is what the claim says. */
export type Seen = {readonly holds: boolean; readonly saw: string};

/** One thing that is true of the site once it has been brought about, proved by doing it, not by reading files. */
export type Proof = {
  /** the host that is used or attacked */
  readonly host: string;
  readonly claim: string;
  readonly prove: () => Promise<Seen>;
};
