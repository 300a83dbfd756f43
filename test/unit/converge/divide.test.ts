import test from 'ava';
import fc from 'fast-check';
import {divide} from '../../../src/converge/divide.ts';
import {jitterOf} from '../../../src/converge/jitter.ts';
import {calendarOf} from '../../../src/converge/export-units.ts';
import {judgeCommit} from '../../../src/converge/commit-rule.ts';
import {isNews} from '../../../src/converge/host-states.ts';
import {nameOf} from '../../../src/converge/open-postgres.ts';

test('every host is in exactly one piece, whatever the numbers', (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({minLength: 1})),
      fc.nat({max: 9}),
      fc.nat({max: 3_600_000}),
      (hosts, controllers, jitterMs) => {
        const pieces = divide(hosts, {controllers, jitterMs, jitterOf: (host) => jitterOf('s', host, jitterMs)});
        const all = pieces.flatMap((piece) => piece.hosts);
        return (
          all.length === hosts.length &&
          new Set(all).size === hosts.length &&
          pieces.every((piece) => piece.hosts.length <= 50 && piece.afterMs >= 0 && piece.afterMs <= jitterMs)
        );
      },
    ),
  );
  t.pass();
});

test('three controllers share nine hosts evenly', (t) => {
  const hosts = Array.from({length: 9}, (_, i) => `h${i}`);
  t.deepEqual(
    divide(hosts, {controllers: 3, jitterMs: 0, jitterOf: () => 0}).map((piece) => piece.hosts.length),
    [3, 3, 3],
  );
});

test('a jitter is the same every time, and spread', (t) => {
  const delays = Array.from({length: 1000}, (_, i) => jitterOf('nightly', `h${i}`, 60_000));
  t.deepEqual(
    delays,
    Array.from({length: 1000}, (_, i) => jitterOf('nightly', `h${i}`, 60_000)),
  );
  for (let quarter = 0; quarter < 4; quarter++) {
    const within = delays.filter((delay) => Math.floor(delay / 15_000) === quarter).length;
    t.true(within > 180 && within < 320, String(within));
  }
});

for (const [cron, calendar] of [
  ['0 3 * * *', ['*-*-* 3:0:00 UTC']],
  ['*/15 8-17 * * mon-fri', ['Mon,Tue,Wed,Thu,Fri *-*-* 8,9,10,11,12,13,14,15,16,17:0,15,30,45:00 UTC']],
  ['0 0 1 jan *', ['*-1-1 0:0:00 UTC']],
  ['0 0 13 * 5', ['*-*-13 0:0:00 UTC', 'Fri *-*-* 0:0:00 UTC']],
] as const)
  test(`"${cron}" in systemd's words`, (t) => t.deepEqual(calendarOf({cron, timezone: 'UTC'}), [...calendar]));

for (const [what, place, named, shared, newer, answer] of [
  ['the same commit', {commit: 'a', dirty: false}, 'a', true, false, 'yes'],
  ['a descendant moves the schedule', {commit: 'b', dirty: false}, 'a', true, true, 'move'],
  ['a commit that lags behind declines', {commit: 'a', dirty: false}, 'b', true, false, 'no'],
  ['uncommitted changes decline', {commit: 'a', dirty: true}, 'a', true, false, 'no'],
  ['a lone controller follows its site', {commit: 'b', dirty: true}, 'a', false, false, 'move'],
  ['no repository among others', {commit: undefined, dirty: false}, 'a', true, false, 'no'],
] as const)
  test(`commit: ${what}`, async (t) => {
    const judged = await judgeCommit('/site', place, named, shared, () => Promise.resolve(newer));
    t.is(judged.answer, answer);
  });

test('what is news', (t) => {
  t.true(isNews({before: 'in sync', after: 'drifted'}));
  t.true(isNews({before: undefined, after: 'failed'}));
  t.false(isNews({before: undefined, after: 'in sync'}));
  t.false(isNews({before: 'failed', after: 'failed'}));
});

test('the name of a database shows no password', (t) => {
  t.is(nameOf('postgresql://me:secret@db/tsplay'), 'postgresql://me@db/tsplay');
  t.false(nameOf('postgresql:///tsplay?user=me&password=secret').includes('secret'));
});
