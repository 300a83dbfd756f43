import {hostsOf, type Audit, type Judgement, type Rule} from './audit.ts';
import type {FindingGroup} from './finding-group.ts';
import {markup, type Markup} from './html-text.ts';
import {verdictBadge, verdictSigns} from './html-verdict.ts';
import {verdicts, verdictWords} from './judgement.ts';

/** More columns would fit neither a phone nor paper; the matrix goes on in another table. */
const rulesPerTable = 12;

/** Every host under every rule. A cell leads to the finding. */
export function matrixMarkup(audit: Audit, groups: readonly FindingGroup[]): Markup {
  const hosts = hostsOf(audit);
  if (hosts.length === 0 || audit.rules.length === 0) return markup``;
  const anchors = anchorsOf(audit, groups);
  const byRule = new Map<Rule, Map<string, Judgement>>();
  for (const judgement of audit.judgements) {
    const row = byRule.get(judgement.rule) ?? new Map<string, Judgement>();
    row.set(judgement.host, judgement);
    byRule.set(judgement.rule, row);
  }
  const cell = (rule: Rule, host: string): Markup => cellMarkup(byRule.get(rule)?.get(host), anchors);
  // a few hosts stand beside each other; many stand below each other, with numbered rules
  const tables =
    hosts.length <= 8
      ? [
          table(
            'Rules and hosts',
            markup`<th scope="col">Rule</th>
              ${hosts.map((host) => markup`<th scope="col">${host}</th>`)}`,
            audit.rules.map(
              (rule) =>
                markup`<tr>
                  <th scope="row">${ruleName(rule)}</th>
                  ${hosts.map((host) => cell(rule, host))}
                </tr> `,
            ),
          ),
        ]
      : Array.from({length: Math.ceil(audit.rules.length / rulesPerTable)}, (_, i) => {
          const first = i * rulesPerTable;
          const rules = audit.rules.slice(first, first + rulesPerTable);
          return markup`${
            rules.every(({control}) => control !== undefined)
              ? markup`<details open><summary>The controls of this table</summary>
                <ul>${rules.map((rule) => markup`<li>${ruleName(rule)}</li>`)}</ul></details>`
              : markup`<ol start="${first + 1}">${rules.map((rule) => markup`<li>${ruleName(rule)}</li>`)}</ol>`
          }
            ${table(
              `Hosts and rules ${first + 1} to ${first + rules.length}`,
              markup`<th scope="col">Host</th>
                ${rules.map((rule, n) => markup`<th scope="col"><abbr title="${rule.title}">${rule.control === undefined ? String(first + n + 1) : rule.id}</abbr></th>`)}`,
              hosts.map(
                (host) =>
                  markup`<tr>
                    <th scope="row">${host}</th>
                    ${rules.map((rule) => cell(rule, host))}
                  </tr> `,
              ),
            )}`;
        });
  const used = verdicts.filter((verdict) => audit.judgements.some((judgement) => judgement.verdict === verdict));
  return markup`<section aria-labelledby="matrix">
    <h2 id="matrix">Hosts and rules</h2>
    ${tables}
    <p class="small">${used.map((verdict) => markup`${verdictBadge(verdict)} `)} A cell with a sign in bold leads to its finding.</p>
  </section>`;
}

/** Where each judgement is told of. Of a host that was not reached all of them lead to the same place. */
function anchorsOf(audit: Audit, groups: readonly FindingGroup[]): ReadonlyMap<Judgement, string> {
  const anchors = new Map(groups.flatMap((group) => group.judgements.map((j) => [j, group.id] as const)));
  const reached = new Map(
    groups.filter(({rule}) => rule.id === 'reachable').flatMap((g) => g.judgements.map((j) => [j.host, g.id] as const)),
  );
  for (const judgement of audit.judgements) {
    const anchor = reached.get(judgement.host);
    if (anchor !== undefined && !anchors.has(judgement) && judgement.evidence.length === 0)
      anchors.set(judgement, anchor);
  }
  return anchors;
}

function table(label: string, head: Markup, rows: readonly Markup[]): Markup {
  return markup`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
    <table class="matrix">
      <caption class="hidden">
        ${label}
      </caption>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div> `;
}

function ruleName(rule: Rule): Markup {
  if (rule.control === undefined) return markup`${rule.title}`;
  return markup`<strong>${rule.id}</strong> ${rule.title} <span class="dim">(${rule.control.severity})</span>`;
}

function cellMarkup(judgement: Judgement | undefined, anchors: ReadonlyMap<Judgement, string>): Markup {
  if (judgement === undefined)
    return markup`<td class="cell dim"><span aria-hidden="true">·</span><span class="hidden">not judged</span></td>`;
  const {verdict} = judgement;
  const word = markup`<span aria-hidden="true">${verdictSigns[verdict]}</span
    ><span class="hidden">${verdictWords[verdict]}</span>`;
  const anchor = anchors.get(judgement);
  const content = anchor === undefined ? word : markup`<a href="#${anchor}">${word}</a>`;
  return markup`<td class="cell v-${verdict}" title="${verdictWords[verdict]}">${content}</td>`;
}
