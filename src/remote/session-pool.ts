// One shell per account on one connection: started at the first call, shared by all later ones.
import type {ShellLink} from './link.ts';
import type {Become, Session} from './session.ts';
import type {Settings} from './settings.ts';
import {ShellSession} from './shell.ts';

/** Opens three streams to a `/bin/sh` as this account; for another account, when it has been let in. */
export type OpenLink = (become?: Become) => Promise<ShellLink>;

/** The sessions of one connection. */
export class SessionPool implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #open: OpenLink;
  readonly #name: string;
  readonly #readyMs: number;
  readonly #onReady: (from: string) => void;
  readonly #sessions = new Map<string, Promise<ShellSession>>();

  constructor(
    settings: Settings,
    open: OpenLink,
    name: string,
    readyMs: number,
    onReady: (from: string) => void = () => undefined,
  ) {
    this.#settings = settings;
    this.#open = open;
    this.#name = name;
    this.#readyMs = readyMs;
    this.#onReady = onReady;
  }

  /** The shell of this account. The login user's is handed out before it has answered: its first batch follows at once. */
  session(become?: Become): Promise<Session> {
    const key = become === undefined ? '' : `${become.method} ${become.user}`;
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const opening = this.#start(become, true);
    this.#sessions.set(key, opening);
    opening.catch(() => this.#sessions.delete(key));
    return opening;
  }

  async #start(become: Become | undefined, withSidekick: boolean): Promise<ShellSession> {
    const {ambient, atExit, log} = this.#settings;
    const link = await this.#open(become);
    const session = new ShellSession({
      link,
      ambient,
      name: become === undefined ? this.#name : `${this.#name} as ${become.user}`,
      readyMs: this.#readyMs,
      atExit: withSidekick ? atExit : '',
      log: (message) => log(2, message),
      ...(withSidekick ? {sidekick: () => this.#start(become, false)} : {}),
    });
    void session.ready.then(
      ({from}) => from !== '' && this.#onReady(from),
      () => undefined,
    );
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(
      open.map(async (opening) => {
        const session = await opening.catch(() => undefined);
        await session?.[Symbol.asyncDispose]();
      }),
    );
  }
}
