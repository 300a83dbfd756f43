import {markup} from '../../report/html-text.ts';
import type {FleetView} from './fleet-view.ts';
import {moment, runLink, standingBadge, statusBadge, table, webPage} from './page.ts';

/** *units*: runs. */
const recent = 50;

/** A host: how it stands, how that has changed, and the runs that came to it. undefined: nobody knows it. */
export async function hostPage(view: FleetView, host: string): Promise<string | undefined> {
  const [all, changes, runs] = await Promise.all([view.hosts(), view.changes(host), view.runs({host, limit: recent})]);
  const own = all.filter((standing) => standing.host === host);
  if (own.length === 0 && changes.length === 0 && runs.length === 0) return undefined;
  const main = markup`<section aria-labelledby="state">
      <h2 id="state">State</h2>
      ${table(
        'State',
        ['Schedule', 'State', 'Since (UTC)', 'Checked (UTC)', 'Run', 'Why'],
        own.map(
          (standing) =>
            markup`<tr>
              <th scope="row">${standing.schedule ?? 'by hand'}</th>
              <td>${standingBadge(standing.state)}</td>
              <td>${moment(standing.since)}</td>
              <td>${moment(standing.checked)}</td>
              <td>${standing.run === undefined ? undefined : runLink(standing.run, host)}</td>
              <td>${standing.message}</td>
            </tr> `,
        ),
      )}
    </section>
    <section aria-labelledby="drift">
      <h2 id="drift">Drift history</h2>
      ${
        changes.length === 0
          ? markup`<p>No change of state has been seen.</p>`
          : table(
              'Drift history',
              ['When (UTC)', 'From', 'To', 'Schedule', 'Finding'],
              changes.map(
                (change) =>
                  markup`<tr>
                    <th scope="row">${moment(change.at)}</th>
                    <td>${change.before === undefined ? 'first seen' : standingBadge(change.before)}</td>
                    <td>${standingBadge(change.after)}</td>
                    <td>${change.schedule ?? 'by hand'}</td>
                    <td>${change.run === undefined ? undefined : runLink(change.run, host)}</td>
                  </tr> `,
              ),
            )
      }
    </section>
    <section aria-labelledby="runs">
      <h2 id="runs">Runs</h2>
      ${table(
        'Runs',
        ['Run', 'Mode', 'Playbooks', 'Started (UTC)', 'Whole run'],
        runs.map(
          (run) =>
            markup`<tr>
              <th scope="row">${runLink(run.id, host)}</th>
              <td>${run.mode}</td>
              <td>${run.playbooks.join(', ')}</td>
              <td>${moment(run.started)}</td>
              <td>${statusBadge(run.status)}</td>
            </tr> `,
        ),
      )}
    </section>`;
  return webPage({title: host, path: '/host', main});
}
