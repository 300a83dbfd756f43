// The door through which commands reach a running service: a socket in its state folder that only its owner may open.
import {chmodSync, rmSync} from 'node:fs';
import {createServer, request as httpRequest} from 'node:http';
import {join} from 'node:path';
import {carryOut, type ControlAnswer, type ControlReply, type ControlRequest, type Desk} from './control.ts';

/** Where the socket is. */
export function socketPath(folder: string): string {
  return join(folder, 'control.sock');
}

/** Opens the door. `onDone`: after each request that changed something. Only with the state folder's lock in hand: a socket that is left there belongs to nobody. */
export async function openDoor(folder: string, desk: Desk, onDone: () => void): Promise<{close: () => Promise<void>}> {
  const path = socketPath(folder);
  rmSync(path, {force: true});
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      void (async () => {
        let reply: ControlReply<unknown>;
        try {
          reply = await carryOut(desk, JSON.parse(Buffer.concat(parts).toString()) as ControlRequest);
          onDone();
        } catch (error) {
          reply = {ok: false, message: error instanceof Error ? error.message : String(error)};
        }
        response.end(JSON.stringify(reply));
      })();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // nobody can come in between its making and its mode: the folder is its owner's alone
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Asks a running service. undefined = none listens. */
export function askService<R extends ControlRequest>(
  folder: string,
  request: R,
): Promise<ControlReply<ControlAnswer<R>> | undefined> {
  return new Promise((resolve, reject) => {
    const asking = httpRequest(
      {socketPath: socketPath(folder), method: 'POST', path: '/', timeout: 30_000},
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve(JSON.parse(Buffer.concat(parts).toString()) as ControlReply<ControlAnswer<R>>),
        );
        response.on('error', reject);
      },
    );
    asking.on('timeout', () => asking.destroy(new Error('the service does not answer')));
    asking.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(error);
    });
    asking.end(JSON.stringify(request));
  });
}
