// From the clock to the queue: fires what is due, and cuts what was fired into pieces of work.
import type {Clock} from './clock.ts';
import {liveControllers} from './controllers.ts';
import type {Database} from './database.ts';
import {lookAt} from './due.ts';
import {divide} from './divide.ts';
import {jitterOf} from './jitter.ts';
import {lastBetween} from './occurrences.ts';
import type {Queue, Taken} from './queue.ts';
import {allSchedules, isFired, noteFiring, scheduleNamed, setSeenUntil, type StoredSchedule} from './schedules.ts';
import type {SiteHosts} from './site-runner.ts';

/** Looks at the clock: gives the occurrences that were fired by this look. The note of an occurrence and its job are one transaction. */
export async function fireDue(database: Database, queue: Queue, clock: Clock): Promise<readonly string[]> {
  const fired: string[] = [];
  for (const {name, paused, seenUntil, ...schedule} of await allSchedules(database)) {
    const now = await clock();
    if (paused || (now >= seenUntil && lastBetween(schedule, seenUntil, now) === undefined)) continue;
    await database.transaction(async (tx) => {
      const held = await scheduleNamed(tx, name, 'lock');
      if (held === undefined || held.paused) return;
      const look = await lookAt(held, held.seenUntil, now, (due) => isFired(tx, name, due));
      if (look.seenUntil.getTime() !== held.seenUntil.getTime()) await setSeenUntil(tx, name, look.seenUntil);
      if (look.fire === undefined || !(await noteFiring(tx, name, look.fire, now, 'due'))) return;
      await queue.send('firings', {schedule: name, due: look.fire.toISOString()}, {tx});
      fired.push(name);
    });
  }
  return fired;
}

/** Fires a schedule now, whatever its clock says. false = there is no such schedule. */
export async function fireNow(database: Database, queue: Queue, name: string, now: Date): Promise<boolean> {
  return database.transaction(async (tx) => {
    if ((await scheduleNamed(tx, name)) === undefined) return false;
    await noteFiring(tx, name, now, now, 'by hand');
    await queue.send('firings', {schedule: name, due: now.toISOString()}, {tx});
    return true;
  });
}

/** Cuts an occurrence into pieces of work. */
export async function sendPieces(
  database: Database,
  queue: Queue,
  job: Taken<'firings'>,
  schedule: StoredSchedule,
  {hosts, divisible}: SiteHosts,
): Promise<void> {
  const due = new Date(job.data.due);
  const whole = schedule.together || !divisible || schedule.approve === 'manual';
  const pieces = whole
    ? [{hosts, afterMs: jitterOf(schedule.name, '', schedule.jitterMs)}]
    : divide(hosts, {
        controllers: (await liveControllers(database)).length,
        jitterMs: schedule.jitterMs,
        jitterOf: (host) => jitterOf(schedule.name, host, schedule.jitterMs),
      });
  await database.transaction(async (tx) => {
    for (const piece of pieces)
      await queue.send(
        'hosts',
        {schedule: schedule.name, due: job.data.due, hosts: piece.hosts, together: whole, attempt: 0},
        {tx, ...(piece.afterMs === 0 ? {} : {after: new Date(due.getTime() + piece.afterMs)})},
      );
    await tx.query('UPDATE tsplay.firings SET hosts = $3, done = 0 WHERE schedule = $1 AND due = $2', [
      schedule.name,
      job.data.due,
      hosts.length,
    ]);
    await queue.complete('firings', job, tx);
  });
}
