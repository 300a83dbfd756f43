import {markup} from '../../report/html-text.ts';
import type {FleetView} from './fleet-view.ts';
import {moment, runLink, statusBadge, table, webPage} from './page.ts';
import {pageOf} from './paging.ts';

/** *units*: runs. */
const most = 5000;

/** Schedules with when they are due next. */
export async function schedulesPage(view: FleetView): Promise<string> {
  const all = await view.schedules();
  const main =
    all.length === 0
      ? markup`<p>There are no schedules: <code>tsplay schedule add NAME --cron '0 * * * *' -- check PLAYBOOK</code></p>`
      : table(
          'Schedules',
          ['Name', 'Next run (UTC)', 'Cron', 'Time zone', 'Command'],
          all.map(
            (schedule) =>
              markup`<tr>
                <th scope="row">${schedule.name}</th>
                <td>${schedule.paused ? 'paused' : moment(schedule.next)}</td>
                <td><code>${schedule.cron}</code></td>
                <td>${schedule.timezone}</td>
                <td><code>${schedule.words.join(' ')}</code></td>
              </tr> `,
          ),
        );
  return webPage({title: 'Schedules', path: '/schedules', main});
}

/** Runs, the newest first. */
export async function runsPage(view: FleetView, url: URL): Promise<string> {
  const {rows, links} = pageOf(await view.runs({limit: most}), url);
  const main = markup`${
    rows.length === 0
      ? markup`<p>No run has been recorded yet.</p>`
      : table(
          'Runs',
          ['Run', 'Status', 'Mode', 'Playbooks', 'Started (UTC)', 'By', 'Schedule', 'Hosts', 'Duration'],
          rows.map(
            ({id, status, mode, playbooks, started, by, schedule, end}) =>
              markup`<tr>
                <th scope="row">${runLink(id)}</th>
                <td>${statusBadge(status)}</td>
                <td>${mode}</td>
                <td>${playbooks.join(', ')}</td>
                <td>${moment(started)}</td>
                <td>${by.user}@${by.controller}</td>
                <td>${schedule}</td>
                <td class="number">${end === undefined ? undefined : Object.values(end.hosts).reduce((a, b) => a + b, 0)}</td>
                <td class="number">${end === undefined ? undefined : `${(end.durationMs / 1000).toFixed(1)} s`}</td>
              </tr> `,
          ),
        )
  } ${links}`;
  return webPage({title: 'Runs', path: '/runs', main});
}
