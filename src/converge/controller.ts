// A controller at work: it fires what is due, cuts passes into pieces, works on hosts and sends messages, until it is stopped. Every loop goes on whatever happens in one of its
// turns: what could not be done stays in the database and comes again.
import {setTimeout as sleep} from 'node:timers/promises';
import type {Clock} from './clock.ts';
import {judgeCommit} from './commit-rule.ts';
import {beat, leave, type Controller} from './controllers.ts';
import type {Database} from './database.ts';
import {fireDue, sendPieces} from './firing.ts';
import {sendNotice, type Messengers} from './notices.ts';
import {queueChanges} from './notify.ts';
import type {Queue, QueueName, Taken} from './queue.ts';
import {moveCommit, scheduleNamed, type StoredSchedule} from './schedules.ts';
import type {SiteRunner} from './site-runner.ts';
import {SiteUnusable} from './site-runner.ts';
import {giveBack, work, type Workshop} from './work.ts';

/** What a controller is made of. `parallel`: pieces of work at a time. `fires` false: a worker, which leaves the clock to the services. */
export type ControllerParts = {
  readonly who: Pick<Controller, 'id' | 'machine' | 'pid' | 'kind' | 'version'>;
  readonly database: Database;
  readonly queue: Queue;
  readonly runner: SiteRunner;
  readonly clock: Clock;
  readonly messengers: Messengers;
  readonly parallel: number;
  readonly tell: (message: string) => void;
};

/** *units*: ms. */
const BEAT_MS = 4000;
const TICK_MS = 1000;
const POLL_MS = 1000;
const DECLINED_MS = 5000;
const TROUBLE_MS = 5000;
/** a moment between two pieces, so that other controllers come to their share */
const SHARE_MS = 250;
const NOTICES_AT_ONCE = 4;

/** A controller that runs. `stop` resolves when nothing of it runs any more; `now` = what runs on hosts is ended instead of finished. */
export type RunningController = {
  /** something was put into the queue: look at once */
  readonly poke: () => void;
  readonly stop: () => Promise<void>;
  /** what runs on hosts is ended, after {@link RunningController.stop} was asked for */
  readonly abort: () => void;
};

/** Starts a controller. */
export function startController(parts: ControllerParts): RunningController {
  const {database, queue, who, runner, clock, tell} = parts;
  const stopping = new AbortController();
  const abort = new AbortController();
  const declines = new Map<string, string>();
  const resting = new Set<() => void>();
  const poke = (): void => {
    for (const wake of [...resting]) wake();
  };
  stopping.signal.addEventListener('abort', poke);
  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        resting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, stopping.signal.aborted ? 0 : ms);
      resting.add(wake);
    });
  let isTroubled = false;
  const loop = async (turn: () => Promise<boolean>, restMs: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const didSomething = await turn();
        isTroubled = false;
        if (!didSomething) await rest(restMs);
      } catch (error) {
        if (!isTroubled) tell(`${error instanceof Error ? error.message : String(error)}; it is tried again`);
        isTroubled = true;
        await rest(TROUBLE_MS);
      }
    }
  };
  const shop: Workshop = {
    id: who.id,
    database,
    queue,
    runner,
    clock,
    isStopping: () => stopping.signal.aborted,
    signal: abort.signal,
    tell,
    notify: (tx, schedule, changes) => queueChanges(queue, tx, schedule, changes),
  };

  /** Whether this controller's site is the one that the schedule means; says so once where it is not. */
  const isFit = async (schedule: StoredSchedule): Promise<boolean> => {
    const place = await runner.placeOf(schedule.site);
    const judged = await judgeCommit(schedule.site, place, schedule.commit, database.shared, (...about) =>
      runner.isNewer(...about),
    );
    if (judged.answer === 'no') {
      if (declines.get(schedule.name) !== judged.why) tell(`${schedule.name}: declined: ${judged.why}`);
      declines.set(schedule.name, judged.why);
      return false;
    }
    declines.delete(schedule.name);
    if (judged.answer === 'move' && (await moveCommit(database, schedule.name, schedule.commit, judged.to)))
      tell(`${schedule.name}: the site is at commit ${judged.to.slice(0, 12)} now`);
    return true;
  };

  const cut = async (): Promise<boolean> => {
    const job = await queue.take('firings');
    if (job === undefined) return false;
    const schedule = await scheduleNamed(database, job.data.schedule);
    if (schedule === undefined) await queue.complete('firings', job);
    else if (!(await isFit(schedule))) await putBack(database, queue, job, await clock());
    else {
      try {
        await sendPieces(database, queue, job, schedule, await runner.hostsOf(schedule));
        await noteProblem(database, job, null);
      } catch (error) {
        if (!(error instanceof SiteUnusable)) throw error;
        tell(`${schedule.name}: ${error.message}`);
        await noteProblem(database, job, error.message);
        await queue.complete('firings', job);
      }
      poke();
    }
    return true;
  };

  const piece = async (): Promise<boolean> => {
    const job = await queue.take('hosts');
    if (job === undefined) return false;
    const schedule = await scheduleNamed(database, job.data.schedule);
    if (schedule === undefined) await queue.complete('hosts', job);
    else if (!(await isFit(schedule)))
      await giveBack(shop, job, job.data.hosts, new Date((await clock()).getTime() + DECLINED_MS));
    else {
      await work(shop, job, schedule);
      poke();
    }
    await sleep(SHARE_MS);
    return true;
  };

  const notice = async (): Promise<boolean> => {
    const job = await queue.take('notices');
    if (job === undefined) return false;
    const schedule = await scheduleNamed(database, job.data.schedule);
    const target = schedule?.notify[job.data.target];
    if (target === undefined) await queue.complete('notices', job);
    else {
      const trouble = await sendNotice(parts.messengers, target, job.data, stopping.signal);
      if (trouble === undefined) await queue.complete('notices', job);
      else {
        tell(`${job.data.schedule}: ${trouble}`);
        await queue.fail('notices', job, trouble);
      }
    }
    return true;
  };

  const sayAlive = (): Promise<void> => beat(database, {...who, declines: Object.fromEntries(declines)});
  const loops = [
    loop(async () => (await sayAlive(), false), BEAT_MS),
    ...(who.kind === 'worker'
      ? []
      : [loop(async () => ((await fireDue(database, queue, clock)).length > 0 && poke(), false), TICK_MS)]),
    loop(cut, POLL_MS),
    ...Array.from({length: parts.parallel}, () => loop(piece, POLL_MS)),
    ...Array.from({length: NOTICES_AT_ONCE}, () => loop(notice, POLL_MS)),
  ];
  return {
    poke,
    stop: async () => {
      stopping.abort();
      await Promise.all(loops);
      await leave(database, who.id).catch(() => undefined);
    },
    abort: () => abort.abort(),
  };
}

async function putBack(database: Database, queue: Queue, job: Taken<'firings'>, now: Date): Promise<void> {
  await database.transaction(async (tx) => {
    await queue.send('firings', job.data, {tx, after: new Date(now.getTime() + DECLINED_MS)});
    await queue.complete('firings' satisfies QueueName, job, tx);
  });
}

async function noteProblem(database: Database, job: Taken<'firings'>, problem: string | null): Promise<void> {
  await database.query('UPDATE tsplay.firings SET problem = $3 WHERE schedule = $1 AND due = $2', [
    job.data.schedule,
    job.data.due,
    problem,
  ]);
}
