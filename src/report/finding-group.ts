import type {Audit, Judgement, Rule} from './audit.ts';
import {complaintsOf, type Complaint} from './remedy.ts';

/** Hosts of which one rule says the same, word for word and line for line. `id` is the anchor in the page. */
export type FindingGroup = {
  readonly id: string;
  readonly rule: Rule;
  readonly judgements: Judgement[];
  readonly complaints: readonly Complaint[];
  readonly diff: string;
  readonly stderr: string;
};

/** Everything that is no pass, grouped, in the order of the rules. */
export function groupFindings(audit: Audit): readonly FindingGroup[] {
  const groups = new Map<string, FindingGroup>();
  for (const judgement of audit.judgements) {
    const complaints = complaintsOf(judgement, audit);
    // that the host was unreachable is said once, not once for each control
    const isRepetition = judgement.evidence.length === 0 && judgement.rule.control !== undefined;
    if (complaints.length === 0 || (isRepetition && audit.hosts[judgement.host]?.status === 'unreachable')) continue;
    const bad = judgement.evidence.filter((e) => e.verdict !== 'pass' && e.verdict !== 'not-applicable');
    const diff = bad.map((e) => e.diff).join('');
    const stderr = bad.flatMap((e) => e.stderr ?? []).join('\n');
    const key = JSON.stringify([
      audit.rules.indexOf(judgement.rule),
      judgement.verdict,
      judgement.waiver?.at,
      complaints,
      diff,
      stderr,
    ]);
    const same = groups.get(key);
    if (same !== undefined) same.judgements.push(judgement);
    else
      groups.set(key, {
        id: `finding-${groups.size + 1}`,
        rule: judgement.rule,
        judgements: [judgement],
        complaints,
        diff,
        stderr,
      });
  }
  return [...groups.values()];
}
