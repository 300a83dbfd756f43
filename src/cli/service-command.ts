// `tsplay service` and `tsplay worker`: run until they are told to stop.
import {execFile} from 'node:child_process';
import {homedir, hostname} from 'node:os';
import {error} from '../base/diagnostic.ts';
import {startService, type RunningService} from '../converge/service.ts';
import {webRoutes} from '../converge/web/routes.ts';
import {serviceFleet} from '../converge/web/service-fleet.ts';
import {History} from '../store/history.ts';
import {ownStateFolder, refused, troubleOf} from './at-desk.ts';
import {databaseUrlOf} from './database-url.ts';
import {exitStatus} from './exit-status.ts';
import {PassTally} from '../converge/metrics/tally.ts';
import {scheduledRunner} from './scheduled-run.ts';
import {serviceRoutes} from './service-routes.ts';
import {makeStateFolder} from './state.ts';
import {version} from './version.ts';

type Options = Readonly<Record<string, unknown>>;

/** *units*: ms for one message to be taken. */
const MESSAGE_MS = 15_000;
const PORT = 9477;

/** Runs a controller in the foreground. Sets the exit status: 0 after a stop that was asked for, 1 where it could not start. */
export async function serviceCommand(kind: 'service' | 'worker', options: Options): Promise<void> {
  const database = databaseUrlOf(options, process.env);
  if ('problem' in database) return refused(database.problem);
  if (kind === 'worker' && database.url === undefined)
    return refused(
      error('worker-database', 'a worker shares the work of services: it needs their PostgreSQL', {
        help: '--database postgresql://user@host/tsplay',
      }),
    );
  const port = Number(options['port'] ?? (kind === 'service' ? PORT : -1));
  const parallel = Number(options['parallel'] ?? 4);
  const graceMs = Number(options['grace'] ?? 60) * 1000;
  if (![port, parallel, graceMs].every(Number.isFinite) || parallel < 1 || port > 65_535)
    return refused(error('service-option', '--port, --parallel and --grace take numbers'));
  const tell = (message: string): void => void process.stderr.write(`${new Date().toISOString()} ${message}\n`);
  const state = ownStateFolder();
  // from the first moment on: a stop that comes while it starts is a stop, too
  const stopping = stopSignal();
  let service: RunningService;
  const tally = new PassTally();
  try {
    makeStateFolder(state);
    service = await startService({
      kind,
      state,
      databaseUrl: database.url,
      port: port > 0 ? port : undefined,
      parallel,
      machine: hostname(),
      version: version(),
      runner: scheduledRunner(state, (numbers) => tally.add(numbers)),
      messengers: {
        fetch,
        now: () => new Date(),
        timeoutMs: MESSAGE_MS,
        sendmail: process.env['TSPLAY_SENDMAIL'] ?? '/usr/sbin/sendmail',
      },
      tell,
      routes: (desk) => [
        ...serviceRoutes(desk, tally),
        ...webRoutes(serviceFleet(desk.database, desk.clock, new History(state))),
      ],
    });
  } catch (cause) {
    const problem = troubleOf(cause) ?? portProblem(cause, port);
    if (problem === undefined) throw cause;
    return refused(problem);
  }
  tell(`tsplay ${kind} ${service.id} works on ${service.database.name}, state in ${state.replace(homedir(), '~')}`);
  if (service.server !== undefined) process.stdout.write(`${service.server.url}\n`);
  await tellSystemd('READY=1');
  const watchdog = watchdogMs(process.env);
  const beat = watchdog === undefined ? undefined : setInterval(() => void tellSystemd('WATCHDOG=1'), watchdog / 2);
  const signal = await stopping;
  clearInterval(beat);
  tell(`${signal}: what runs is brought to an end, the rest goes back to the queue`);
  await tellSystemd('STOPPING=1');
  const late = setTimeout(() => service.abort(), graceMs);
  const again = (): void => service.abort();
  process.on('SIGINT', again).on('SIGTERM', again);
  await service.stop();
  clearTimeout(late);
  tell('stopped');
  process.exitCode = exitStatus.ok;
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve('SIGTERM'));
    process.once('SIGINT', () => resolve('SIGINT'));
  });
}

/** Tells systemd how the service stands, where it wants to know. *source*: sd_notify(3); Node has no datagram sockets of this kind, so that its own program does it. */
function tellSystemd(word: string): Promise<void> {
  if (process.env['NOTIFY_SOCKET'] === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    execFile('systemd-notify', [`--pid=${process.pid}`, word], {timeout: 5000}, () => resolve());
  });
}

/** *units*: ms within which systemd wants to hear of us. */
function watchdogMs(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const us = Number(env['WATCHDOG_USEC']);
  return Number.isFinite(us) && us > 0 ? us / 1000 : undefined;
}

function portProblem(cause: unknown, port: number): ReturnType<typeof error> | undefined {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'EADDRINUSE' || code === 'EACCES'
    ? error('port', `port ${port} of 127.0.0.1 cannot be used (${code})`, {
        help: '--port with another one, or --port 0',
      })
    : undefined;
}
