// How a command reaches the schedules: PostgreSQL directly, the embedded database through the service that holds it, or itself where none runs.
import {homedir} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';
import {askService} from '../converge/control-socket.ts';
import {carryOut, type ControlAnswer, type ControlReply, type ControlRequest} from '../converge/control.ts';
import {databaseClock} from '../converge/clock.ts';
import {DatabaseUnusable} from '../converge/database.ts';
import {Queue} from '../converge/queue.ts';
import {openDatabase} from '../converge/service.ts';
import {serviceFolder, StateHeld, takeStateLock, type StateLock} from '../converge/state-lock.ts';
import {error, type Diagnostic} from '../base/diagnostic.ts';
import {formatDiagnostic} from '../report/code-frame.ts';
import {databaseUrlOf} from './database-url.ts';
import {exitStatus} from './exit-status.ts';
import {readSettings} from './settings.ts';
import {makeStateFolder, stateFolder, StateUnusable} from './state.ts';

/** How often a service that holds the folder and does not answer yet is asked: for half a minute. */
const STARTING_TRIES = 60;

/** Asks; undefined = it could not be done, it has been said why, and the exit status is set. */
export async function ask<R extends ControlRequest>(
  options: Readonly<Record<string, unknown>>,
  request: R,
): Promise<{readonly value: ControlAnswer<R>} | undefined> {
  try {
    const database = databaseUrlOf(options, process.env);
    if ('problem' in database) return refused(database.problem);
    const reply = await carry(request, database.url, ownStateFolder());
    if (reply.ok) return {value: reply.value};
    return refused(error('schedule', reply.message));
  } catch (cause) {
    const problem = troubleOf(cause);
    if (problem === undefined) throw cause;
    return refused(problem);
  }
}

/** The state folder of where the command runs. */
export function ownStateFolder(): string {
  const {settings} = readSettings(process.cwd(), process.env);
  return stateFolder(settings.state_dir, process.env, process.env['HOME'] ?? homedir());
}

/** What a user can mend, as a diagnostic; undefined = a fault. */
export function troubleOf(cause: unknown): Diagnostic | undefined {
  if (cause instanceof StateHeld)
    return error('state-held', cause.message, {help: 'stop it, or use another state folder (TSPLAY_STATE)'});
  if (cause instanceof DatabaseUnusable || cause instanceof StateUnusable)
    return error('database', cause.message, cause.help === undefined ? {} : {help: cause.help});
  return undefined;
}

/** Says why nothing was done, and sets the exit status. */
export function refused(problem: Diagnostic): undefined {
  process.stderr.write(`${formatDiagnostic(problem, {color: process.stderr.isTTY})}\n`);
  process.exitCode = exitStatus.nothingAttempted;
  return undefined;
}

async function carry<R extends ControlRequest>(
  request: R,
  databaseUrl: string | undefined,
  state: string,
): Promise<ControlReply<ControlAnswer<R>>> {
  makeStateFolder(state);
  const folder = serviceFolder(state);
  let lock: StateLock | undefined;
  for (let tries = 0; databaseUrl === undefined && lock === undefined; tries++) {
    const answered = await askService(folder, request);
    if (answered !== undefined) return answered;
    try {
      lock = takeStateLock(folder, 'command', new Date());
    } catch (cause) {
      // a service that is just starting holds the folder before it can be asked
      if (!(cause instanceof StateHeld) || tries >= STARTING_TRIES) throw cause;
      await sleep(250);
    }
  }
  try {
    const database = await openDatabase(databaseUrl, folder);
    try {
      const queue = await Queue.start(database, false, (problem) => {
        throw problem;
      });
      try {
        return await carryOut({database, queue, clock: databaseClock(database)}, request);
      } finally {
        await queue.stop();
      }
    } finally {
      await database.close();
    }
  } finally {
    lock?.release();
  }
}
