// The pages of the service: how it stands, for programs.
import {overview, hostView} from '../converge/control.ts';
import type {ServiceOptions} from '../converge/service.ts';
import type {Route} from '../converge/http.ts';
import {hostStates} from '../converge/host-states.ts';
import {METRICS_CONTENT_TYPE, renderMetrics} from '../converge/metrics/render.ts';
import type {PassTally} from '../converge/metrics/tally.ts';

/** The routes of a service. `tally`: the runs that it has made. */
export function serviceRoutes(
  {database, clock, runner}: Parameters<ServiceOptions['routes']>[0],
  tally: PassTally,
): readonly Route[] {
  const json = (path: string, value: (url: URL) => Promise<unknown>): Route => ({
    path,
    answer: async (_request, response, url) => {
      const text = JSON.stringify(await value(url));
      response.writeHead(200, {'content-type': 'application/json'}).end(`${text}\n`);
    },
  });
  const desk = {database, clock};
  return [
    {
      path: '/health',
      isOpen: true,
      answer: async (_request, response) => {
        await database.query('SELECT 1');
        response.writeHead(200, {'content-type': 'text/plain; charset=utf-8'}).end('ok\n');
      },
    },
    json('/api/overview', () => overview(desk)),
    json('/api/hosts', (url) => hostView(database, url.searchParams.get('host') ?? undefined, 100)),
    {
      path: '/metrics',
      answer: async (_request, response) => {
        const {schedules, queues, controllers} = await overview(desk);
        const due = [queues.firings, queues.hosts];
        const text = await renderMetrics({
          runs: tally.last,
          service: {
            queueDepth: due.reduce((sum, {waiting}) => sum + waiting, 0),
            lagMs: Math.max(...due.map(({lagSeconds}) => lagSeconds)) * 1000,
            runs: tally.ended,
            hosts: Object.fromEntries(
              hostStates.map((state) => [state, schedules.reduce((sum, {states}) => sum + (states[state] ?? 0), 0)]),
            ),
            schedules: Object.fromEntries(
              schedules.map(({name, states}) => [
                name,
                Object.fromEntries(hostStates.map((state) => [state, states[state] ?? 0])),
              ]),
            ),
            controllers: controllers.length,
            connections: runner.connections(),
          },
        });
        response.writeHead(200, {'content-type': METRICS_CONTENT_TYPE}).end(text);
      },
    },
  ];
}
