import type {Rule} from './audit.ts';
import type {FindingGroup} from './finding-group.ts';
import {diffMarkup} from './html-diff.ts';
import {markup, type Markup} from './html-text.ts';
import {verdictBadge} from './html-verdict.ts';

/** The findings, a heading for each rule. */
export function findingsMarkup(groups: readonly FindingGroup[]): Markup {
  const byRule = Map.groupBy(groups, (group) => group.rule);
  return markup`<section aria-labelledby="findings">
    <h2 id="findings">Findings</h2>
    ${byRule.size === 0 ? markup`<p>None.</p>` : undefined}
    ${[...byRule].map(([rule, ofRule]) => markup`<div class="rule">${ruleMarkup(rule)}${ofRule.map(groupMarkup)}</div> `)}
  </section>`;
}

function ruleMarkup(rule: Rule): Markup {
  const {control} = rule;
  if (control === undefined) return markup`<h3>${rule.title}</h3> `;
  return markup`<h3>${rule.id}: ${rule.title}</h3>
    <p class="dim">Severity ${control.severity}. ${control.rationale}</p>
    ${control.refs.length === 0 ? undefined : markup`<p class="dim small">See ${control.refs.join(', ')}</p>`} `;
}

function groupMarkup(group: FindingGroup): Markup {
  const verdict = group.judgements[0]?.verdict ?? 'fail';
  const places = [...new Set(group.complaints.map((c) => c.at))];
  const remedies = [...new Set(group.complaints.flatMap((c) => c.help ?? []))];
  return markup`<article class="finding v-${verdict}" id="${group.id}">
    <p>${verdictBadge(verdict)} on <strong>${group.judgements.map((j) => j.host).join(', ')}</strong></p>
    ${waiverMarkup(group)}
    <ul>
      ${group.complaints.map((c) => markup`<li>${c.message} <code class="dim">${c.code}</code></li>`)}
    </ul>
    ${group.stderr === '' ? undefined : markup`<pre>${group.stderr}</pre>`}
    ${group.diff === '' ? undefined : diffMarkup(group.diff)}
    ${remedies.map((help) => markup`<p class="remedy"><strong>Remedy:</strong> ${help}</p> `)}
    <p class="dim small"><code>${places.join(', ')}</code></p>
  </article> `;
}

function waiverMarkup({judgements: [first]}: FindingGroup): Markup | undefined {
  if (first?.waiver === undefined || first.verdict !== 'waived') return undefined;
  const {owner, expires, reason} = first.waiver;
  return markup`<p>Waived by <strong>${owner}</strong> until <time datetime="${expires}">${expires}</time>: ${reason}</p> `;
}
