// The controller itself as a host: the same session over a child process.
import {spawn} from 'node:child_process';
import {connect as connectSocket} from 'node:net';
import {once} from 'node:events';
import {becomeCommand, passBecome} from './become.ts';
import {childLink} from './child-link.ts';
import type {Become, Connection, Session} from './session.ts';
import {SessionPool, type OpenLink} from './session-pool.ts';
import type {Settings} from './settings.ts';

/** A shell on the controller. `shell` is what stands for `/bin/sh` (tests try others). */
export function connectLocal(settings: Settings, shell: readonly [string, ...string[]] = ['/bin/sh']): Connection {
  const {env} = settings;
  const user = env.USER ?? env.LOGNAME ?? 'root';
  const open: OpenLink = (become?: Become) => {
    const nonce = settings.ambient.nonce();
    const argv = become === undefined ? shell : (['/bin/sh', '-c', becomeCommand(become, nonce)] as const);
    // In a session of its own, so that Ctrl-C on the terminal does not reach a half-done operation.
    const child = spawn(argv[0], argv.slice(1), {stdio: 'pipe', detached: true, env: {...env}});
    const link = childLink(child, argv[0]);
    return become === undefined ? Promise.resolve(link) : passBecome(link, become, nonce, `${become.user}@localhost`);
  };
  const pool = new SessionPool(settings, open, `${user}@localhost`, 15_000);
  return {
    session: (become?: Become): Promise<Session> => pool.session(become),
    openStream: async (host, port) => {
      const socket = connectSocket({host, port, noDelay: true});
      await once(socket, 'connect');
      return socket;
    },
    login: {user, from: 'localhost'},
    via: 'local',
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}
