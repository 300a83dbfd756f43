// The law of schedules under any clock: an occurrence is fired once at most, and none is lost but for those that one run makes up for.
import test from 'ava';
import fc from 'fast-check';
import {lookAt} from '../../../src/converge/due.ts';
import {
  cronProblem,
  isInside,
  lastBetween,
  nextAfter,
  nextInside,
  parseWindow,
} from '../../../src/converge/occurrences.ts';

const start = Date.parse('2026-03-01T00:00:00Z');

/** Looks again and again while the clock does what it likes; gives what was fired, with the time of each look. */
async function live(
  cron: string,
  timezone: string,
  steps: readonly number[],
): Promise<{fired: {due: number; at: number}[]; looks: number[]}> {
  const fired: {due: number; at: number}[] = [];
  const looks = [start];
  let seenUntil = new Date(start);
  let now = start;
  for (const step of steps) {
    now += step;
    looks.push(now);
    const look = await lookAt({cron, timezone, window: undefined}, seenUntil, new Date(now), (due) =>
      Promise.resolve(fired.some((each) => each.due === due.getTime())),
    );
    ({seenUntil} = look);
    if (look.fire !== undefined) fired.push({due: look.fire.getTime(), at: now});
  }
  return {fired, looks};
}

const clocks = fc.array(
  fc.oneof(
    {weight: 6, arbitrary: fc.integer({min: 1000, max: 90_000})},
    {weight: 1, arbitrary: fc.integer({min: -5 * 3_600_000, max: 5 * 3_600_000})},
    {weight: 1, arbitrary: fc.integer({min: -40 * 86_400_000, max: 40 * 86_400_000})},
  ),
  {maxLength: 60},
);
const crons = fc.constantFrom('* * * * *', '*/15 * * * *', '30 2 * * *', '0 3 * * 1-5');
const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe');

test('however the clock jumps, an occurrence is fired once at most, and never before its time', async (t) => {
  await fc.assert(
    fc.asyncProperty(crons, zones, clocks, async (cron, timezone, steps) => {
      const {fired} = await live(cron, timezone, steps);
      return new Set(fired.map(({due}) => due)).size === fired.length && fired.every(({due, at}) => due <= at);
    }),
    {numRuns: 150},
  );
  t.pass();
});

test('whenever an occurrence lies between two looks, one of that time has been fired by then', async (t) => {
  await fc.assert(
    fc.asyncProperty(crons, zones, clocks, async (cron, timezone, steps) => {
      const {fired, looks} = await live(cron, timezone, steps);
      return looks.slice(1).every((now, i) => {
        const before = looks[i]!;
        const due = lastBetween({cron, timezone}, new Date(before), new Date(now));
        return due === undefined || fired.some((each) => each.due > before && each.due <= now);
      });
    }),
    {numRuns: 150},
  );
  t.pass();
});

test('a machine that slept runs once for all that it missed', async (t) => {
  const {fired} = await live('*/5 * * * *', 'UTC', [60_000, 8 * 3_600_000, 60_000]);
  t.deepEqual(
    fired.map(({due}) => new Date(due).toISOString()),
    ['2026-03-01T08:00:00.000Z'],
  );
});

test('a clock that was ahead for a day: its runs are not repeated, and those of the right day all come', async (t) => {
  const minutes = Array.from({length: 10}, () => 60_000);
  const {fired} = await live('* * * * *', 'UTC', [...minutes, 86_400_000, -86_400_000, ...minutes]);
  t.is(fired.filter(({due}) => due < start + 3_600_000).length, 20);
  t.is(fired.filter(({due}) => due > start + 3_600_000).length, 1);
});

test('summer time: an hour that is missing is made up for, an hour that comes twice runs a fixed time once', (t) => {
  const times = {cron: '30 2 * * *', timezone: 'Europe/Berlin'};
  const after = (text: string): string | undefined => nextAfter(times, new Date(text))?.toISOString();
  t.is(after('2026-03-28T12:00:00Z'), '2026-03-29T01:00:00.000Z');
  t.is(after('2026-10-24T12:00:00Z'), '2026-10-25T00:30:00.000Z');
  t.is(after('2026-10-25T00:30:00Z'), '2026-10-26T01:30:00.000Z');
});

test('outside of its window a schedule waits with what is due', async (t) => {
  const window = parseWindow('22:00-06:00')!;
  const schedule = {cron: '0 3 * * *', timezone: 'UTC', window};
  const never = (): Promise<boolean> => Promise.resolve(false);
  const seen = new Date('2026-03-01T01:00:00Z');
  const late = await lookAt(schedule, seen, new Date('2026-03-01T09:00:00Z'), never);
  t.deepEqual(late, {seenUntil: seen, fire: undefined});
  const evening = await lookAt(schedule, seen, new Date('2026-03-01T22:00:00Z'), never);
  t.is(evening.fire?.toISOString(), '2026-03-01T03:00:00.000Z');
});

for (const [window, at, inside] of [
  ['22:00-06:00', '2026-03-01T23:00:00Z', true],
  ['22:00-06:00', '2026-03-01T06:00:00Z', false],
  ['Mon-Fri 22:00-06:00', '2026-03-07T03:00:00Z', true],
  ['Mon-Fri 22:00-06:00', '2026-03-07T23:00:00Z', false],
  ['Sat,Sun 00:00-24:00', '2026-03-07T12:00:00Z', true],
] as const)
  test(`${at} is ${inside ? 'in' : 'out of'} ${window}`, (t) => {
    t.is(isInside(parseWindow(window), 'UTC', new Date(at)), inside);
    t.true(isInside(parseWindow(window), 'UTC', nextInside(parseWindow(window), 'UTC', new Date(at))));
  });

for (const text of ['', '25:00-26:00', '10:00', '10:00-10:00', 'Foo 10:00-11:00', '10:61-11:00'])
  test(`"${text}" is no window`, (t) => t.is(parseWindow(text), undefined));

for (const [cron, timezone, wrong] of [
  ['* * * * *', 'Europe/Berlin', false],
  ['* * * *', 'UTC', true],
  ['61 * * * *', 'UTC', true],
  ['0 0 30 2 *', 'UTC', true],
  ['* * * * *', 'Middle/Earth', true],
] as const)
  test(`cron "${cron}" in ${timezone} ${wrong ? 'is refused' : 'is taken'}`, (t) =>
    t.is(cronProblem({cron, timezone}) !== undefined, wrong));
