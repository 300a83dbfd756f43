// The pages of the service: how it stands, for programs.
import {overview, hostView} from '../converge/control.ts';
import type {ServiceOptions} from '../converge/service.ts';
import type {Route} from '../converge/http.ts';
import {hostStates} from '../converge/host-states.ts';

/** The routes of a service. */
export function serviceRoutes({database, clock, runner}: Parameters<ServiceOptions['routes']>[0]): readonly Route[] {
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
        const {warm, cold, idle} = runner.connections();
        const label = (text: string): string => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
        const lines = [
          '# TYPE tsplay_schedule_hosts gauge',
          '# HELP tsplay_schedule_hosts Hosts by their state under a schedule.',
          ...schedules.flatMap(({name, states}) =>
            hostStates.map(
              (state) => `tsplay_schedule_hosts{schedule="${label(name)}",state="${state}"} ${states[state] ?? 0}`,
            ),
          ),
          '# TYPE tsplay_queue_jobs gauge',
          '# HELP tsplay_queue_jobs Jobs in the queues.',
          ...Object.entries(queues).flatMap(([queue, {waiting, active}]) => [
            `tsplay_queue_jobs{queue="${queue}",state="waiting"} ${waiting}`,
            `tsplay_queue_jobs{queue="${queue}",state="active"} ${active}`,
          ]),
          '# TYPE tsplay_queue_lag_seconds gauge',
          '# UNIT tsplay_queue_lag_seconds seconds',
          '# HELP tsplay_queue_lag_seconds How long the oldest job that could begin has waited.',
          ...Object.entries(queues).map(
            ([queue, {lagSeconds}]) => `tsplay_queue_lag_seconds{queue="${queue}"} ${lagSeconds}`,
          ),
          '# TYPE tsplay_controllers gauge',
          '# HELP tsplay_controllers Controllers that live.',
          `tsplay_controllers ${controllers.length}`,
          '# TYPE tsplay_connections counter',
          '# HELP tsplay_connections Connections that runs began with: kept ones, or new ones.',
          `tsplay_connections_total{kind="warm"} ${warm}`,
          `tsplay_connections_total{kind="cold"} ${cold}`,
          '# TYPE tsplay_connections_idle gauge',
          '# HELP tsplay_connections_idle Connections that wait for their next run.',
          `tsplay_connections_idle ${idle}`,
          '# EOF',
          '',
        ];
        response
          .writeHead(200, {'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8'})
          .end(lines.join('\n'));
      },
    },
  ];
}
