import {hostsOf, scoreOf, type Audit} from './audit.ts';
import {groupFindings} from './finding-group.ts';
import {findingsMarkup} from './html-findings.ts';
import {matrixMarkup} from './html-matrix.ts';
import {standalonePage} from './html-page.ts';
import {markup, type Markup} from './html-text.ts';
import {verdictBadge} from './html-verdict.ts';
import {waiversMarkup} from './html-waivers.ts';
import {verdicts} from './judgement.ts';
import {trendMarkup, type TrendPoint} from './trend.ts';

/** The report as one file that opens offline: score, trend, host × rule matrix, every finding with diff and remedy, waivers. `trend`: earlier runs, oldest first, and this one. */
export function htmlReport(audit: Audit, trend: readonly TrendPoint[] = []): string {
  const groups = groupFindings(audit);
  const title = `tsplay ${audit.run.mode}: ${audit.run.playbooks.join(', ')}`;
  const header = markup`<h1>${title}</h1>
    <p class="dim">
      <time datetime="${audit.run.started}">${audit.run.started.slice(0, 19).replace('T', ' ')} UTC</time> · ${(audit.run.durationMs / 1000).toFixed(1)} s · exit
      status ${audit.run.exit} · run ${audit.run.id}
    </p>
    ${audit.complete ? undefined : markup`<p class="finding v-error">The run did not come to its end: this report is incomplete.</p>`}
    <nav aria-label="Sections">
      <ul>
        <li><a href="#matrix">Hosts and rules</a></li>
        <li><a href="#findings">Findings (${groups.length})</a></li>
        ${audit.waivers.length === 0 ? undefined : markup`<li><a href="#waivers">Waivers (${audit.waivers.length})</a></li>`}
        ${audit.problems.length === 0 ? undefined : markup`<li><a href="#problems">Problems of the site (${audit.problems.length})</a></li>`}
      </ul>
    </nav>`;
  const main = markup`<div class="summary">${scoreMarkup(audit)} ${trendMarkup(trend)}</div>
    ${matrixMarkup(audit, groups)} ${findingsMarkup(groups)} ${waiversMarkup(audit)} ${problemsMarkup(audit)}`;
  return standalonePage(title, header, main);
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
              ${passed} of ${judged} judgements of ${of} passed, on ${hosts} ${hosts === 1 ? 'host' : 'hosts'}.
            </p>
            <p class="dim small">What is not applicable is not counted. What is waived, or could not be judged, is no pass.</p>`
    }
    ${total === 0 ? undefined : markup`<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">${bars}</svg>`}
    <ul class="counts">
      ${counts.filter(({count}) => count > 0).map(({verdict, count}) => markup`<li>${verdictBadge(verdict, count)}</li> `)}
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
          <p><strong>${p.severity}</strong> ${p.message} <code class="dim">${p.code}</code></p>
          ${p.help === undefined ? undefined : markup`<p class="remedy"><strong>Remedy:</strong> ${p.help}</p>`}
          ${p.at === undefined ? undefined : markup`<p class="dim small"><code>${p.at}</code></p>`}
        </div> `,
    )}
  </section>`;
}
