// Keeps SSH connections between the runs of one process: the next run on a host begins with its first exchange. A connection is lent to one run at a time, so that
// a second call for the same target still is a fresh login, as guards need it.
import {createHash} from 'node:crypto';
import type {Connection, Connector, Target} from './session.ts';

/** A connection that is waiting for its next run. `gone` is set when the host has closed it. */
type Idle = {readonly connection: Connection; readonly sinceMs: number; gone: boolean};

/** How often a connection was there already, and how often it had to be made. */
export type WarmCounts = {readonly warm: number; readonly cold: number; readonly idle: number};

/** *units*: ms. A connection that nobody has used for so long is closed. */
const IDLE_MS = 30 * 60_000;
const LOOK_MS = 60_000;

/** The connections of a process that go from run to run. */
export class WarmConnections {
  readonly #idle = new Map<string, Idle>();
  readonly #idleMs: number;
  readonly #nowMs: () => number;
  readonly #look: NodeJS.Timeout;
  #warm = 0;
  #cold = 0;
  #closed = false;

  constructor(nowMs: () => number, idleMs = IDLE_MS) {
    this.#nowMs = nowMs;
    this.#idleMs = idleMs;
    this.#look = setInterval(() => void this.#drop((idle) => nowMs() - idle.sinceMs > this.#idleMs), LOOK_MS);
    this.#look.unref();
  }

  get counts(): WarmCounts {
    return {warm: this.#warm, cold: this.#cold, idle: this.#idle.size};
  }

  /** A connector whose connections come back here when their run releases them. `setting`: whatever else has to be the same for one to be used again. */
  over(connector: Connector, setting: string): Connector {
    return {
      connect: async (target, signal) => {
        const key = keyOf(target, setting);
        const idle = this.#idle.get(key);
        this.#idle.delete(key);
        if (idle !== undefined && !idle.gone) {
          this.#warm++;
          return this.#lend(key, idle.connection);
        }
        void idle?.connection[Symbol.asyncDispose]();
        this.#cold++;
        return this.#lend(key, await connector.connect(target, signal));
      },
    };
  }

  /** Closes everything, also what is released later. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#look);
    await this.#drop(() => true);
  }

  #lend(key: string, connection: Connection): Connection {
    const {closed, closeShells} = connection;
    if (closed === undefined || closeShells === undefined) return connection;
    return {
      session: (become) => connection.session(become),
      openStream: (host, port) => connection.openStream(host, port),
      get login() {
        return connection.login;
      },
      via: connection.via,
      closed,
      closeShells,
      release: async (keepShells) => {
        if (!keepShells) await closeShells();
        const idle: Idle = {connection, sinceMs: this.#nowMs(), gone: false};
        void closed.then(() => {
          idle.gone = true;
          if (this.#idle.get(key) === idle) this.#idle.delete(key);
        });
        if (this.#closed || this.#idle.has(key)) await connection[Symbol.asyncDispose]();
        else this.#idle.set(key, idle);
      },
      [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
    };
  }

  async #drop(which: (idle: Idle) => boolean): Promise<void> {
    const dropped = [...this.#idle].filter(([, idle]) => which(idle));
    for (const [key] of dropped) this.#idle.delete(key);
    await Promise.allSettled(dropped.map(([, {connection}]) => connection[Symbol.asyncDispose]()));
  }
}

/** What makes two targets the same login. A password counts by its digest. */
function keyOf(target: Target, setting: string): string {
  const {password, passphrase, ...rest} = target;
  const secrets = createHash('sha256')
    .update(`${password?.reveal() ?? ''}\0${passphrase?.reveal() ?? ''}`)
    .digest('hex');
  return JSON.stringify([setting, rest, secrets]);
}
