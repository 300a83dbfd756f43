import {markup, type Markup} from '../../report/html-text.ts';
import {standings, type FleetView, type HostStanding, type Standing} from './fleet-view.ts';
import {hostLink, moment, runLink, standingBadge, table, webPage} from './page.ts';
import {pageOf} from './paging.ts';

/** Every host by its state; the worst first. `q` filters by name, `state` by state. */
export async function fleetPage(view: FleetView, url: URL): Promise<string> {
  const all = await view.hosts();
  const name = (url.searchParams.get('q') ?? '').trim();
  const state = standings.find((each) => each === url.searchParams.get('state'));
  const fitting = all
    .filter(
      (host) => host.host.toLowerCase().includes(name.toLowerCase()) && (state === undefined || host.state === state),
    )
    .sort((a, b) => standings.indexOf(a.state) - standings.indexOf(b.state) || (a.host < b.host ? -1 : 1));
  const {rows, links} = pageOf(fitting, url);
  const main = markup`${counts(all)} ${form(name, state)}
    <p class="dim">${fitting.length} of ${all.length}</p>
    ${
      all.length === 0
        ? markup`<p>No run has been recorded yet: <code>tsplay check PLAYBOOK</code>, or a schedule.</p>`
        : table('Hosts', ['Host', 'State', 'Since (UTC)', 'Checked (UTC)', 'Schedule', 'Run', 'Why'], rows.map(rowOf))
    }
    ${links}`;
  return webPage({title: 'Fleet', path: '/', main});
}

function counts(all: readonly HostStanding[]): Markup {
  return markup`<ul class="counts">
    ${standings.map((state) => {
      const count = all.filter((host) => host.state === state).length;
      return markup`<li><a href="/?state=${encodeURIComponent(state)}">${standingBadge(state, count)}</a></li>`;
    })}
  </ul>`;
}

function form(name: string, state: Standing | undefined): Markup {
  return markup`<form action="/" method="get" role="search">
    <p>
      <label for="q">Host</label> <input id="q" name="q" type="search" value="${name}" />
      <label for="state">State</label>
      <select id="state" name="state">
        <option value="">all</option>
        ${standings.map((each) => markup`<option${each === state ? markup` selected` : undefined}>${each}</option>`)}
      </select>
      <button>Filter</button>
    </p>
  </form>`;
}

function rowOf(host: HostStanding): Markup {
  return markup`<tr>
    <th scope="row">${hostLink(host.host)}</th>
    <td>${standingBadge(host.state)}</td>
    <td>${moment(host.since)}</td>
    <td>${moment(host.checked)}</td>
    <td>${host.schedule ?? 'by hand'}</td>
    <td>${host.run === undefined ? undefined : runLink(host.run, host.host)}</td>
    <td>${host.message}</td>
  </tr> `;
}
