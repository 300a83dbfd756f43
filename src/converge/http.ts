// The service's HTTP server: on loopback, read-only, for who has the token. Pages and metrics plug in as routes.
import {randomBytes, timingSafeEqual} from 'node:crypto';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';

/** A page of the server. `path`: exact, or a prefix that ends with a slash. `isOpen`: it needs no token. */
export type Route = {
  readonly path: string;
  readonly isOpen?: true;
  readonly answer: (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void;
};

/** A server that listens. `url` holds the token: for the service's owner only. */
export type RunningServer = {readonly url: string; readonly port: number; readonly stop: () => Promise<void>};

const COOKIE = 'tsplay-token';

/** The token that opens the pages: made once, in a file that only its owner reads. */
export function tokenOf(folder: string): string {
  const path = join(folder, 'token');
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const token = randomBytes(24).toString('base64url');
  writeFileSync(path, `${token}\n`, {mode: 0o600, flag: 'wx'});
  return token;
}

/**
 * Starts the server on 127.0.0.1. Who comes with `?token=…` gets a cookie and is sent to the same page without it; programs send `Authorization: Bearer …`. The name that was
 * asked for has to be this machine's own, so that no other site's page can reach it under a name of its own.
 */
export async function startServer(options: {
  readonly port: number;
  readonly token: string;
  readonly routes: readonly Route[];
  readonly tell: (message: string) => void;
}): Promise<RunningServer> {
  const {token, routes} = options;
  const server = createServer((request, response) => {
    void serve(request, response, token, routes).catch((error: unknown) => {
      options.tell(`${request.url ?? ''}: ${String(error)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  server.requestTimeout = 30_000;
  await listen(server, options.port);
  const {port} = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/?token=${token}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  routes: readonly Route[],
): Promise<void> {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cache-control', 'no-store');
  const {host = ''} = request.headers;
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host))
    return refuse(response, 421, 'not a name of this service');
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'this service is read-only');
  const url = new URL(request.url ?? '/', `http://${host}`);
  const route = routes
    .filter(({path}) => path === url.pathname || (path.endsWith('/') && url.pathname.startsWith(path)))
    .sort((a, b) => b.path.length - a.path.length)[0];
  if (route === undefined) return refuse(response, 404, 'no such page');
  if (route.isOpen !== true) {
    const given = url.searchParams.get('token');
    if (given !== null && isSame(given, token)) {
      url.searchParams.delete('token');
      response.writeHead(303, {
        location: `${url.pathname}${url.search}`,
        'set-cookie': `${COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/`,
      });
      response.end();
      return;
    }
    const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    const cookie = new RegExp(`(?:^|; )${COOKIE}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1];
    if (![bearer, cookie].some((offered) => offered !== undefined && isSame(offered, token)))
      return refuse(response, 401, 'a token is needed: open the address that `tsplay service` prints');
  }
  await route.answer(request, response, url);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, {'content-type': 'text/plain; charset=utf-8'});
  response.end(`${why}\n`);
}

function isSame(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}
