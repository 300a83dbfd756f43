// Which hosts a plan is applied to: those that it was made for, as far as the inventory still has them and `-l` wants them. No host joins in.
import {existsSync} from 'node:fs';
import {warning, type Diagnostic} from '../base/diagnostic.ts';
import type {Op} from '../kit/op.ts';
import type {HostDecisions} from '../engine/plan-recorder.ts';
import {matchHosts} from '../playbook/patterns.ts';
import {openSite, type Site, type SiteOptions} from '../playbook/site.ts';
import {sha256File} from './file-digest.ts';
import type {PlanContent} from './plan-content.ts';

/** Opens the recorded site for the hosts of the plan. `gone`: hosts of the plan that the site does not have any more. */
export async function planHosts(
  options: SiteOptions,
  content: PlanContent,
  limit: readonly string[],
): Promise<{site: Site; hosts: readonly string[]; gone: readonly Diagnostic[]; problems: readonly Diagnostic[]}> {
  // the plan's hosts are the limit; what was written as one may name hosts that an inventory given now does not have
  const {site, problems} = await openSite({...options, limit: []});
  const planned = Object.keys(content.hosts);
  if (problems.some(({severity}) => severity === 'error')) return {site, hosts: [], gone: [], problems};
  const present = new Set(site.program.plays.flatMap((play) => site.hostsOf(play)));
  const matched = limit.length === 0 ? undefined : matchHosts(site.inventory, limit.join(','));
  const wanted = (host: string): boolean => matched === undefined || matched.hosts.includes(host);
  const hosts = planned.filter((host) => present.has(host) && wanted(host));
  const gone = planned.filter((host) => !present.has(host) && wanted(host)).map(goneHost);
  const odd = matched?.problems ?? [];
  if (hosts.length === 0 || (hosts.length === present.size && matched === undefined))
    return {site, hosts, gone, problems: [...problems, ...odd]};
  const narrowed = await openSite({...options, limit: [hosts.join(',')]});
  return {site: narrowed.site, hosts, gone, problems: [...narrowed.problems, ...odd]};
}

/** Hosts on which nothing of the plan can be done, and why. */
export function unfitHosts(
  content: PlanContent,
  decisions: ReadonlyMap<string, HostDecisions>,
): ReadonlyMap<string, string> {
  const unfit = new Map<string, string>();
  const digests = new Map<string, string>();
  for (const [host, {steps}] of decisions) {
    const reason = content.hosts[host]?.unfit ?? [...steps.values()].map(needs).find((text) => text !== undefined);
    if (reason !== undefined) unfit.set(host, reason);
  }
  return unfit;

  function needs(step: {readonly does: string; readonly ops?: readonly Op[]}): string | undefined {
    for (const op of (step.ops ?? []).flatMap((one) => (one.op === 'guarded' ? one.ops : [one]))) {
      if (op.op !== 'write' || typeof op.content !== 'object') continue;
      if ('blob' in op.content) {
        const {blob, sha256} = op.content;
        if (!digests.has(blob)) digests.set(blob, sha256File(blob));
        if (digests.get(blob) !== sha256) return `${blob} on this controller is not the file that was planned`;
      } else if ('generate' in op.content && !existsSync(content.site.cwd))
        return `a certificate is made with the CA of ${content.site.cwd}, which is not on this controller`;
    }
    return undefined;
  }
}

function goneHost(host: string): Diagnostic {
  return warning(
    'plan-host-gone',
    `${host} is refused: the inventory does not have it any more, or its plays do not name it`,
    {
      help: 'make a new plan',
    },
  );
}
