// The law of schedules, without a clock and without a database: which occurrence is to be fired now.
import {isInside, lastBetween} from './occurrences.ts';
import type {Schedule} from './schedule.ts';

/** How far a look back for an occurrence that was not fired yet goes: all of them are made up for by one run anyhow. */
const LOOK_BACK = 100;

/**
 * What a look at the clock brings. `seenUntil`: occurrences until then need no further look. `fire`: the newest occurrence since the last look that has not
 * been fired; older ones are made up for by it.
 */
export type Look = {readonly seenUntil: Date; readonly fire: Date | undefined};

/**
 * Looks at a schedule. Whatever the clock does, an occurrence is fired once at most (`isFired`), and none is lost but for those that one run makes up for: a clock that was set
 * back is followed back, and what was fired in the meantime is not fired again. Outside of its window a schedule waits, with what is due.
 */
export async function lookAt(
  schedule: Pick<Schedule, 'cron' | 'timezone' | 'window'>,
  seenUntil: Date,
  now: Date,
  isFired: (due: Date) => Promise<boolean>,
): Promise<Look> {
  if (now < seenUntil) return {seenUntil: now, fire: undefined};
  if (!isInside(schedule.window, schedule.timezone, now)) return {seenUntil, fire: undefined};
  let due = lastBetween(schedule, seenUntil, now);
  for (let i = 0; i < LOOK_BACK && due !== undefined; i++) {
    if (!(await isFired(due))) return {seenUntil: now, fire: due};
    due = lastBetween(schedule, seenUntil, new Date(due.getTime() - 1));
  }
  return {seenUntil: now, fire: undefined};
}
