import {createHash} from 'node:crypto';
import {hostsOf, scoreOf, type Audit, type Judgement, type Rule} from './audit.ts';
import {groupFindings, type FindingGroup} from './finding-group.ts';
import {findingsMarkup} from './html-findings.ts';
import {htmlStyle} from './html-style.ts';
import {markup, type Markup} from './html-text.ts';
import {verdictWords, verdicts, type JudgementVerdict} from './judgement.ts';

/** More columns would fit neither a phone nor paper; the matrix goes on in another table. */
const rulesPerTable = 16;

const signs: Readonly<Record<JudgementVerdict, string>> = {
  pass: '✓',
  fail: '✗',
  waived: 'w',
  'not-applicable': '–',
  error: '!',
  unknown: '?',
};

/**
 * The report as one file that opens offline: score, host × rule matrix, every finding with diff and remedy. It holds no script, and its content security
 * policy allows nothing but its own style.
 */
export function htmlReport(audit: Audit): string {
  const hash = createHash('sha256').update(htmlStyle).digest('base64');
  const groups = groupFindings(audit);
  const title = `tsplay ${audit.run.mode}: ${audit.run.playbooks.join(', ')}`;
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"
        />
        <meta name="referrer" content="no-referrer" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${{markup: `<style>${htmlStyle}</style>`}}
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          <p class="dim">
            ${audit.run.started} · ${(audit.run.durationMs / 1000).toFixed(1)} s · exit status ${audit.run.exit} · run
            ${audit.run.id}
          </p>
          ${audit.complete ? undefined : markup`<p class="v-error">The run did not come to its end: this report is incomplete.</p>`}
        </header>
        <main>
          ${scoreMarkup(audit)} ${problemsMarkup(audit)} ${matrixMarkup(audit, groups)} ${findingsMarkup(groups)}
        </main>
      </body>
    </html>`.markup;
}

function scoreMarkup(audit: Audit): Markup {
  const {passed, judged, of} = scoreOf(audit);
  const counts = verdicts.map((verdict) => ({
    verdict,
    count: audit.judgements.filter((j) => j.verdict === verdict).length,
  }));
  const shown = counts.filter(({verdict, count}) => verdict !== 'not-applicable' && count > 0);
  const total = shown.reduce((sum, {count}) => sum + count, 0);
  let x = 0;
  const bars = shown.map(({verdict, count}) => {
    const width = (100 * count) / total;
    const bar = markup`<rect class="v-${verdict}" x="${x.toFixed(3)}" y="0" width="${width.toFixed(3)}" height="4" />`;
    x += width;
    return bar;
  });
  const hosts = hostsOf(audit).length;
  return markup`<section aria-labelledby="score">
    <h2 id="score">Score</h2>
    ${
      judged === 0
        ? markup`<p class="score">Nothing was judged</p>`
        : markup`<p class="score">${Math.floor((100 * passed) / judged)} %</p>
            <p>
              ${passed} of ${judged} judgements of ${of} passed, on ${hosts} ${hosts === 1 ? 'host' : 'hosts'}. What is
              not applicable is not counted; what was skipped is no pass.
            </p>`
    }
    ${total === 0 ? undefined : markup`<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">${bars}</svg>`}
    <ul class="counts">
      ${counts
        .filter(({count}) => count > 0)
        .map(
          ({verdict, count}) =>
            markup`<li class="v-${verdict}">${signs[verdict]} ${count} ${verdictWords[verdict]}</li>`,
        )}
    </ul>
  </section>`;
}

function problemsMarkup({problems}: Audit): Markup {
  if (problems.length === 0) return markup``;
  return markup`<section aria-labelledby="problems">
    <h2 id="problems">Problems of the site</h2>
    ${problems.map(
      (p) =>
        markup`<div class="finding ${p.severity === 'error' ? 'v-error' : 'v-unknown'}">
          <p><strong>${p.severity}</strong> <code>${p.code}</code> ${p.message}</p>
          ${p.at === undefined ? undefined : markup`<p class="dim"><code>${p.at}</code></p>`}
          ${p.help === undefined ? undefined : markup`<p class="remedy"><strong>Remedy:</strong> ${p.help}</p>`}
        </div> `,
    )}
  </section>`;
}

function matrixMarkup(audit: Audit, groups: readonly FindingGroup[]): Markup {
  const hosts = hostsOf(audit);
  if (hosts.length === 0 || audit.rules.length === 0) return markup``;
  const anchors = new Map(groups.flatMap((group) => group.judgements.map((j) => [j, group.id] as const)));
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
          return markup`<ol start="${first + 1}">
              ${rules.map((rule) => markup`<li>${ruleName(rule)}</li>`)}
            </ol>
            ${table(
              `Hosts and rules ${first + 1} to ${first + rules.length}`,
              markup`<th scope="col">Host</th>
                ${rules.map((_rule, n) => markup`<th scope="col">${first + n + 1}</th>`)}`,
              hosts.map(
                (host) =>
                  markup`<tr>
                    <th scope="row">${host}</th>
                    ${rules.map((rule) => cell(rule, host))}
                  </tr> `,
              ),
            )}`;
        });
  return markup`<section aria-labelledby="matrix">
    <h2 id="matrix">Hosts and rules</h2>
    ${tables}
  </section>`;
}

function table(label: string, head: Markup, rows: readonly Markup[]): Markup {
  return markup`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
    <table>
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
  const word = markup`<span aria-hidden="true">${signs[verdict]}</span
    ><span class="hidden">${verdictWords[verdict]}</span>`;
  const anchor = anchors.get(judgement);
  const content = anchor === undefined ? word : markup`<a href="#${anchor}">${word}</a>`;
  return markup`<td class="cell v-${verdict}" title="${verdictWords[verdict]}">${content}</td>`;
}
