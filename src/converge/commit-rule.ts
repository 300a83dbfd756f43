// The site is the same on every controller: at the commit that the schedule names. Whoever is ahead of it (a descendant) moves the name forward, so that the others decline until
// they have pulled, too.
import type {SitePlace, SiteRunner} from './site-runner.ts';

/** Whether a controller may work on a site. `move`: yes, and the schedule is to name its commit from now on. */
export type CommitAnswer =
  | {readonly answer: 'yes'}
  | {readonly answer: 'move'; readonly to: string}
  | {readonly answer: 'no'; readonly why: string};

/** Judges a site's place against the commit that its schedule names. `shared`: other controllers work on the same schedules. */
export async function judgeCommit(
  site: string,
  place: SitePlace,
  named: string | undefined,
  shared: boolean,
  isNewer: SiteRunner['isNewer'],
): Promise<CommitAnswer> {
  const {commit, dirty} = place;
  if (shared && dirty) return {answer: 'no', why: `${site} has changes that are not committed`};
  if (commit === named) return {answer: 'yes'};
  if (!shared) return commit === undefined ? {answer: 'yes'} : {answer: 'move', to: commit};
  if (commit === undefined) return {answer: 'no', why: `${site} is in no git repository here`};
  if (named === undefined || (await isNewer(site, commit, named))) return {answer: 'move', to: commit};
  return {
    answer: 'no',
    why: `${site} is at commit ${commit.slice(0, 12)} here, the schedule is at ${named.slice(0, 12)}`,
  };
}
