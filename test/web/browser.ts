// A real browser and a small server for the pages, without the service's door in front of them.
import {existsSync} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {chromium, type Browser} from 'playwright-core';
import type {WebRoute} from '../../src/converge/web/routes.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

/** Why no browser can be used; undefined where one can. */
export const browserMissing: string | undefined =
  executablePath === undefined ? 'Debian has no chromium installed here' : undefined;

/** Starts the browser. *errors*: throws where there is none. */
export function openBrowser(): Promise<Browser> {
  if (executablePath === undefined) throw new Error(browserMissing);
  return chromium.launch({executablePath, args: ['--no-sandbox']});
}

/** Serves pages on loopback. Gives the address and how to stop. */
export async function serve(routes: readonly WebRoute[]): Promise<{origin: string; stop: () => void}> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const route = routes.find(({path}) => path === url.pathname);
    if (route === undefined) response.writeHead(404).end();
    else void route.answer(request, response, url);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
