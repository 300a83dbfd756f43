import {scoreOf, type Audit, type Score} from './audit.ts';
import type {ControlSeverity, JudgementVerdict} from './judgement.ts';
import {isExpired} from './waiver.ts';

/** The `compliance` of the JSON document: every control, every host under it, and the waivers. There only where a site has controls. */
export type ComplianceJson = {
  readonly score: Score;
  readonly controls: readonly {
    readonly id: string;
    readonly title: string;
    readonly severity: ControlSeverity;
    readonly rationale?: string;
    readonly refs: readonly string[];
    readonly at: string;
    readonly hosts: Readonly<Record<string, JudgementVerdict>>;
  }[];
  readonly waivers: readonly {
    readonly controls: readonly string[];
    readonly hosts: string;
    readonly owner: string;
    readonly reason: string;
    readonly expires: string;
    readonly expired: boolean;
    readonly at: string;
  }[];
};

/** The controls of an audit with their verdicts; undefined where there are none. */
export function complianceJson(audit: Audit): ComplianceJson | undefined {
  const controls = audit.rules.flatMap((rule) => (rule.control === undefined ? [] : [{rule, control: rule.control}]));
  if (controls.length === 0) return undefined;
  const ofRule = Map.groupBy(audit.judgements, (judgement) => judgement.rule);
  return {
    score: scoreOf(audit),
    controls: controls.map(({rule, control}) => ({
      id: control.id,
      title: rule.title,
      severity: control.severity,
      ...(control.rationale === undefined ? {} : {rationale: control.rationale}),
      refs: control.refs,
      at: rule.at,
      hosts: Object.fromEntries((ofRule.get(rule) ?? []).map(({host, verdict}) => [host, verdict])),
    })),
    waivers: audit.waivers.map(({controls: ids, pattern, owner, reason, expires, at}, i) => ({
      controls: ids,
      hosts: pattern,
      owner,
      reason,
      expires,
      expired: isExpired(audit.waivers[i]!, audit.run.started),
      at,
    })),
  };
}
