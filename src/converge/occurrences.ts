// When a schedule is due. Times of day are those of its own time zone: in spring an hour that does not exist is made up for just after it, in autumn a fixed
// time happens once although its hour comes twice (croner's rules, which are those of Vixie cron).
import {Cron} from 'croner';
import type {DailyWindow, Schedule} from './schedule.ts';

type Times = Pick<Schedule, 'cron' | 'timezone'>;

/** Why a cron expression or time zone cannot be used; undefined where they can. */
export function cronProblem(times: Times): string | undefined {
  try {
    new Intl.DateTimeFormat('en', {timeZone: times.timezone});
  } catch {
    return `there is no time zone "${times.timezone}"`;
  }
  try {
    return patternOf(times).nextRun(new Date(0)) === null ? `"${times.cron}" is never due` : undefined;
  } catch (error) {
    return `"${times.cron}" is no cron expression: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** The first occurrence after a moment; undefined where there is none any more. */
export function nextAfter(times: Times, after: Date): Date | undefined {
  return patternOf(times).nextRun(after) ?? undefined;
}

/** The last occurrence in (after, until]; undefined where there is none. */
export function lastBetween(times: Times, after: Date, until: Date): Date | undefined {
  if (until <= after) return undefined;
  // previous runs are strictly before: a millisecond more takes `until` itself in
  const [due] = patternOf(times).previousRuns(1, new Date(until.getTime() + 1));
  return due !== undefined && due > after && due <= until ? due : undefined;
}

/** Whether a moment lies in a window. */
export function isInside(window: DailyWindow | undefined, timezone: string, at: Date): boolean {
  if (window === undefined) return true;
  const {minute, day} = clockOf(timezone, at);
  const {from, to, days} = window;
  if (from <= to) return days.includes(day) && minute >= from && minute < to;
  // over midnight: what has begun yesterday counts by yesterday's name
  return (days.includes(day) && minute >= from) || (days.includes((day + 6) % 7) && minute < to);
}

/** The next moment (to the minute) inside a window, from `at` on; two weeks are looked through. */
export function nextInside(window: DailyWindow | undefined, timezone: string, at: Date): Date {
  for (let minutes = 0; minutes < 14 * 24 * 60; minutes++) {
    const moment = new Date(minutes === 0 ? at : Math.floor(at.getTime() / 60_000 + minutes) * 60_000);
    if (isInside(window, timezone, moment)) return moment;
  }
  return at;
}

/** Reads `22:00-06:00` or `Mon-Fri 22:00-06:00` (days: names with commas and ranges). undefined = it is neither. */
export function parseWindow(text: string): DailyWindow | undefined {
  const match = /^(?:([A-Za-z,-]+)\s+)?(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/.exec(text.trim());
  if (match === null) return undefined;
  const [, dayText, fromHour, fromMinute, toHour, toMinute] = match;
  const from = Number(fromHour) * 60 + Number(fromMinute);
  const to = Number(toHour) * 60 + Number(toMinute);
  if (from >= 24 * 60 || to > 24 * 60 || Number(fromMinute) > 59 || Number(toMinute) > 59 || from === to)
    return undefined;
  const days = dayText === undefined ? [0, 1, 2, 3, 4, 5, 6] : daysOf(dayText);
  return days === undefined ? undefined : {from, to, days};
}

const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

function daysOf(text: string): readonly number[] | undefined {
  const found = new Set<number>();
  for (const part of text.toLowerCase().split(',')) {
    const [first = '', last = first] = part.split('-');
    const from = names.indexOf(first);
    const to = names.indexOf(last);
    if (from < 0 || to < 0) return undefined;
    for (let day = from; ; day = (day + 1) % 7) {
      found.add(day);
      if (day === to) break;
    }
  }
  return [...found].sort();
}

function clockOf(timezone: string, at: Date): {minute: number; day: number} {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    hour: '2-digit',
    minute: '2-digit',
    weekday: 'short',
    hourCycle: 'h23',
  }).formatToParts(at);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? '';
  return {
    minute: Number(part('hour')) * 60 + Number(part('minute')),
    day: names.indexOf(part('weekday').toLowerCase()),
  };
}

function patternOf({cron, timezone}: Times): Cron {
  return new Cron(cron, {timezone, paused: true, mode: '5-part'});
}
