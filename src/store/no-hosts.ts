import type {HostCounts} from './records.ts';

/** The counts of a run that has come to no host. */
export const noHosts: HostCounts = {ok: 0, changed: 0, failed: 0, unreachable: 0};
