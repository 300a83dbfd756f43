// A controller as a process: its lock, its database, its loops, its doors; and how it is taken down again.
import {randomBytes} from 'node:crypto';
import {join} from 'node:path';
import {databaseClock, type Clock} from './clock.ts';
import {openDoor} from './control-socket.ts';
import {startController} from './controller.ts';
import type {Controller} from './controllers.ts';
import type {Database} from './database.ts';
import {startServer, tokenOf, type Route, type RunningServer} from './http.ts';
import {freeAllLeases} from './leases.ts';
import type {Messengers} from './notices.ts';
import {openPglite} from './open-pglite.ts';
import {openPostgres} from './open-postgres.ts';
import {Queue, takeBackJobs} from './queue.ts';
import type {SiteRunner} from './site-runner.ts';
import {serviceFolder, takeStateLock} from './state-lock.ts';
import {prepareTables} from './tables.ts';

/** What a service is started with. `databaseUrl` undefined: the embedded database. `port` undefined: no HTTP server. */
export type ServiceOptions = {
  readonly kind: 'service' | 'worker';
  readonly state: string;
  readonly databaseUrl: string | undefined;
  readonly port: number | undefined;
  readonly parallel: number;
  readonly machine: string;
  readonly version: string;
  readonly runner: SiteRunner;
  readonly messengers: Messengers;
  readonly clock?: Clock;
  readonly tell: (message: string) => void;
  /** further pages */
  readonly routes: (desk: {
    readonly database: Database;
    readonly clock: Clock;
    readonly runner: SiteRunner;
  }) => readonly Route[];
};

/** A service that runs. */
export type RunningService = {
  readonly id: string;
  readonly database: Database;
  readonly queue: Queue;
  readonly server: RunningServer | undefined;
  /** takes nothing new, finishes the operations under way and gives the rest back */
  readonly stop: () => Promise<void>;
  /** while it stops: what still runs on hosts is ended */
  readonly abort: () => void;
};

/** Opens the database that a controller works on: given, or its own. The state folder's lock has to be held. *errors*: DatabaseUnusable. */
export async function openDatabase(databaseUrl: string | undefined, folder: string): Promise<Database> {
  const database =
    databaseUrl === undefined ? await openPglite(join(folder, 'pglite')) : await openPostgres(databaseUrl);
  try {
    await prepareTables(database);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Starts a service. *errors*: StateHeld where another process has the state folder, DatabaseUnusable. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const {runner, tell, kind} = options;
  const folder = serviceFolder(options.state);
  const lock = takeStateLock(folder, kind, new Date());
  const undo: (() => Promise<unknown>)[] = [() => Promise.resolve(lock.release())];
  const takeDown = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const database = await openDatabase(options.databaseUrl, folder);
    undo.push(() => database.close());
    const queue = await Queue.start(database, true, (error) => tell(`queue: ${error.message}`));
    undo.push(() => queue.stop());
    if (!database.shared) {
      // whoever had something in hand is gone: the lock of the folder says so
      await freeAllLeases(database);
      await takeBackJobs(database);
    }
    const clock = options.clock ?? databaseClock(database);
    const who: Pick<Controller, 'id' | 'machine' | 'pid' | 'kind' | 'version'> = {
      id: `${options.machine}-${process.pid}-${randomBytes(3).toString('hex')}`,
      machine: options.machine,
      pid: process.pid,
      kind,
      version: options.version,
    };
    const controller = startController({
      who,
      database,
      queue,
      runner,
      clock,
      messengers: options.messengers,
      parallel: options.parallel,
      tell,
    });
    undo.push(() => runner.close());
    undo.push(() => controller.stop());
    const door = await openDoor(folder, {database, queue, clock}, controller.poke);
    undo.push(() => door.close());
    let server: RunningServer | undefined;
    if (options.port !== undefined) {
      const routes = options.routes({database, clock, runner});
      server = await startServer({port: options.port, token: tokenOf(folder), routes, tell});
      const running = server;
      undo.push(() => running.stop());
    }
    return {id: who.id, database, queue, server, stop: takeDown, abort: controller.abort};
  } catch (error) {
    await takeDown();
    throw error;
  }
}
