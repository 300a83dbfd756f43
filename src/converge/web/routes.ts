import type {IncomingMessage, ServerResponse} from 'node:http';
import {htmlStyle} from '../../report/html-style.ts';
import {markup} from '../../report/html-text.ts';
import {fleetPage} from './fleet-page.ts';
import type {FleetView} from './fleet-view.ts';
import {hostPage} from './host-page.ts';
import {runsPage, schedulesPage} from './list-pages.ts';
import {followRun, liveScript} from './live.ts';
import {contentSecurityPolicy, webPage} from './page.ts';
import {runPage} from './run-page.ts';
import {webStyle} from './web-style.ts';

/** A page for a server that has checked already who asks. */
export type WebRoute = {
  readonly path: string;
  readonly answer: (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;
};

/** All pages of the web view. They read and never write; each says in its headers what it may load, which is nothing but this server's own style and script. */
export function webRoutes(view: FleetView): readonly WebRoute[] {
  const page = (path: string, make: (url: URL) => Promise<string | undefined>): WebRoute => ({
    path,
    answer: async (request, response, url) => {
      const text = await make(url);
      answer(request, response, text === undefined ? 404 : 200, 'text/html', text ?? missing(path));
    },
  });
  const file = (path: string, type: string, text: string): WebRoute => ({
    path,
    answer: async (request, response) => Promise.resolve(answer(request, response, 200, type, text)),
  });
  return [
    // a server may ask this one for all that no other route knows
    page('/', (url) => (url.pathname === '/' ? fleetPage(view, url) : Promise.resolve(undefined))),
    page('/schedules', () => schedulesPage(view)),
    page('/runs', (url) => runsPage(view, url)),
    page('/host', (url) => hostPage(view, url.searchParams.get('name') ?? '')),
    page('/run', async (url) => {
      const id = url.searchParams.get('id') ?? '';
      const run = await view.run(id);
      return run === undefined ? undefined : runPage(run, run.nextRecord, url);
    }),
    file('/style.css', 'text/css', `${htmlStyle}${webStyle}`),
    file('/live.js', 'text/javascript', liveScript),
    {
      path: '/events',
      answer: async (request, response, url) => {
        const id = url.searchParams.get('id') ?? '';
        if ((await view.run(id)) === undefined || request.method === 'HEAD')
          return answer(request, response, 404, 'text/plain', 'no such run\n');
        const last = Number(request.headers['last-event-id'] ?? Number.NaN);
        const from = Number.isNaN(last) ? Number(url.searchParams.get('from') ?? 0) : last + 1;
        response.setHeader('content-security-policy', contentSecurityPolicy);
        await followRun(view, id, from, response);
      },
    },
  ];
}

function missing(path: string): string {
  return webPage({title: 'Not here', path, main: markup`<p>Nothing is known of that; it may have been pruned.</p>`});
}

function answer(request: IncomingMessage, response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
