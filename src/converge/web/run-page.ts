import {diffMarkup} from '../../report/html-diff.ts';
import {markup, type Markup} from '../../report/html-text.ts';
import type {RecordedRun} from '../../store/history.ts';
import type {RecordedResult} from '../../store/records.ts';
import {summaryOf} from './history-fleet.ts';
import {hostLink, moment, resultBadge, runLink, statusBadge, table, webPage} from './page.ts';
import {pageOf} from './paging.ts';

const order = ['unreachable', 'failed', 'changed', 'ok'];

/** A run: its hosts, the worst first; with `host=` what it found on one of them. `next` is the number of the first record that the page does not hold. */
export function runPage(run: RecordedRun, next: number, url: URL): string {
  const {brief, start, site} = run;
  const host = url.searchParams.get('host') ?? undefined;
  const isLive = brief.status === 'running';
  const facts: readonly (readonly [string, Markup | string | undefined])[] = [
    ['Status', statusBadge(brief.status)],
    ['Started (UTC)', moment(brief.started)],
    [
      'Duration',
      brief.end === undefined
        ? undefined
        : `${(brief.end.durationMs / 1000).toFixed(1)} s, exit status ${brief.end.exit}`,
    ],
    ['By', `${brief.by.user}@${brief.by.controller}${brief.by.from === null ? '' : ` from ${brief.by.from}`}`],
    ['Schedule', brief.schedule],
    ['Commit', site?.commit == null ? undefined : `${site.commit.slice(0, 12)}${site.dirty ? ' and changes' : ''}`],
    ['Version', `tsplay ${start.versions.tsplay}`],
  ];
  const main = markup`<dl class="facts">
      ${facts.flatMap(([name, value]) => (value === undefined ? [] : [markup`<div><dt>${name}</dt><dd>${value}</dd></div> `]))}
    </dl>
    ${host === undefined ? undefined : markup`<p>On ${hostLink(host)} · ${runLink(brief.id)} with all hosts</p>`}
    ${isLive ? liveMarkup(brief.id, next) : undefined} ${problemsMarkup(run, host)}
    ${host === undefined ? hostsMarkup(run, url) : resultsMarkup(run, host, url)}`;
  return webPage({
    title: `${brief.mode} ${brief.playbooks.join(', ')}`,
    path: '/run',
    main,
    ...(isLive ? {live: true} : {}),
  });
}

function liveMarkup(id: string, next: number): Markup {
  return markup`<section aria-labelledby="live">
    <h2 id="live">Now</h2>
    <p id="live-state" role="status">This run goes on. <span class="dim">With JavaScript this list follows it; without, load the page again.</span></p>
    <ol id="live-list" class="live" data-events="/events?id=${encodeURIComponent(id)}&from=${next}"></ol>
  </section>`;
}

function problemsMarkup({problems, unreachable}: RecordedRun, host: string | undefined): Markup {
  const gone = Object.entries(unreachable).filter(([name]) => host === name);
  return markup`${gone.map(([, {message, help}]) => markup`<div class="finding v-error"><p>unreachable: ${message}</p>${help === undefined ? undefined : markup`<p class="remedy">${help}</p>`}</div>`)}
  ${
    host === undefined
      ? problems.map(
          (p) =>
            markup`<div class="finding ${p.severity === 'error' ? 'v-error' : 'v-unknown'}"><p><strong>${p.severity}</strong> ${p.message} <code class="dim">${p.code}</code></p>${p.help === undefined ? undefined : markup`<p class="remedy">${p.help}</p>`}</div>`,
        )
      : undefined
  }`;
}

function hostsMarkup(run: RecordedRun, url: URL): Markup {
  const names = new Set([...run.plays.flatMap(({hosts}) => hosts), ...Object.keys(run.hosts)]);
  const all = [...names].map((host) => ({host, summary: summaryOf(run, host)}));
  all.sort((a, b) => order.indexOf(a.summary.status) - order.indexOf(b.summary.status) || (a.host < b.host ? -1 : 1));
  const {rows, links} = pageOf(all, url);
  return markup`<section aria-labelledby="hosts">
    <h2 id="hosts">Hosts (${all.length})</h2>
    ${table(
      'Hosts',
      ['Host', 'Status', 'ok', 'changed', 'failed', 'refused', 'unknown', 'skipped', 'Exchanges'],
      rows.map(
        ({host, summary}) =>
          markup`<tr>
            <th scope="row"><a href="/run?id=${encodeURIComponent(run.brief.id)}&host=${encodeURIComponent(host)}">${host}</a></th>
            <td>${resultBadge(isGoing(run, host) && summary.status === 'ok' ? 'going on' : summary.status)}</td>
            ${[summary.ok, summary.changed, summary.failed, summary.refused, summary.unknown, summary.skipped, summary.roundTrips].map((n) => markup`<td class="number">${n}</td>`)}
          </tr> `,
      ),
    )}
    ${links}
  </section>`;
}

function isGoing({brief, hosts}: RecordedRun, host: string): boolean {
  return brief.status === 'running' && !Object.hasOwn(hosts, host);
}

function resultsMarkup(run: RecordedRun, host: string, url: URL): Markup {
  const own = run.results.filter((result) => result.host === host);
  const told = own.filter((result) => !isQuiet(result));
  const {rows, links} = pageOf(told, url);
  return markup`<section aria-labelledby="findings">
    <h2 id="findings">Findings (${told.length})</h2>
    ${told.length === 0 ? markup`<p>Nothing differs here.</p>` : rows.map(resultMarkup)} ${links}
    <p class="dim">${own.length - told.length} further tasks were as declared, or skipped.</p>
  </section>`;
}

function isQuiet({status, findings}: RecordedResult): boolean {
  return (status === 'ok' || status === 'skipped') && findings.length === 0;
}

function resultMarkup(result: RecordedResult): Markup {
  const item =
    result.item === null ? '' : ` [${typeof result.item === 'string' ? result.item : JSON.stringify(result.item)}]`;
  return markup`<article class="finding">
    <h3>${result.task}${item}</h3>
    <p>${resultBadge(result.status)} <code>${result.module}</code> ${result.message}</p>
    ${result.findings.length === 0 ? undefined : markup`<ul>${result.findings.map((f) => markup`<li>${f.severity}: ${f.message} <code class="dim">${f.code}</code></li>`)}</ul>`}
    ${result.command === undefined || result.command.stderr === '' ? undefined : markup`<pre>${result.command.stderr}</pre>`}
    ${result.diff === '' ? undefined : diffMarkup(result.diff)}
    ${[result.help, ...result.findings.map((f) => f.help)].flatMap((help) => (help === undefined ? [] : [markup`<p class="remedy"><strong>Remedy:</strong> ${help}</p>`]))}
    ${result.pending.map((text) => markup`<p>Pending: ${text}</p>`)}
    <p class="dim small"><code>${result.at}</code></p>
  </article> `;
}
