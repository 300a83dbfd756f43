/** Facts by Ansible's names without the prefix `ansible_` (`os_family`, `distribution`, `distribution_version`, `hostname`, `fqdn`, …). */
export type HostFacts = Readonly<Record<string, unknown>>;

/** What a plan may know of the host besides its probe: facts, the time, and who is connected (so that nobody locks himself out). */
export type Host = {
  readonly name: string;
  readonly facts: HostFacts;
  readonly now: Date;
  readonly connection: {
    /** login user */
    readonly user: string;
    /** client address as the host sees it; '' = local or unknown */
    readonly from: string;
    /** SHA-256 fingerprint of the key that logged in, as ssh-keygen -l shows it, where a key was used */
    readonly keySha256?: string;
    readonly become?: string;
  };
};
