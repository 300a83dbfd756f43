// What counts as moved: a table of hosts that are not as a plan saw them.
import test from 'ava';
import {Secret} from '../../../src/base/secret.ts';
import type {Plan} from '../../../src/kit/plan.ts';
import {isSameWitness, moveOf, witnessWords} from '../../../src/engine/moves.ts';
import {judgeMoves} from '../../../src/engine/plan-judge.ts';
import type {DecidedStep, Saw} from '../../../src/engine/plan-part.ts';

const digest = (letter: string): string => letter.repeat(64);
const saw = (witness: string | undefined, more: Partial<Saw> = {}): Saw => ({
  key: 'file:/etc/motd',
  about: [],
  witness,
  from: 'host',
  secret: false,
  ...more,
});
const write = (content: string | Secret): Plan => ({
  kind: 'change',
  changes: [{what: 'content', before: 'a', after: content}],
  ops: [{op: 'write', path: '/etc/motd', content}],
});
function step(plan: Plan, seen: readonly Saw[] = [saw(`file 644 0:0 ${digest('a')}`)]): DecidedStep {
  const common = {
    module: 'copy',
    task: 'motd',
    play: 0,
    at: 'a:1:1',
    values: {},
    saw: seen,
    where: 'h',
    account: '',
    findings: [],
    pending: [],
  };
  if (plan.kind === 'change') return {...common, does: 'change', changes: plan.changes, ops: plan.ops, everyRun: false};
  return {...common, does: 'nothing'};
}
const converged: Plan = {kind: 'converged'};
const refused: Plan = {kind: 'refuse', problems: [{code: 'x', message: 'the disk holds data'}]};
const unseen = [saw(undefined, {key: 'raw:ls', about: ['tree:/etc'], from: 'plan'})];

const table: readonly (readonly [
  what: string,
  planned: DecidedStep,
  moves: readonly string[],
  now: Plan,
  expected: string,
])[] = [
  ['all as it was', step(write('b')), [], write('b'), 'as-planned'],
  ['another answer, the same decision', step(write('b')), ['mode'], write('b'), 'as-planned'],
  ['another answer, another decision', step(write('b')), ['content'], write('c'), 'moved: content'],
  [
    'another secret is another decision',
    step(write(Secret.of('b'))),
    ['content'],
    write(Secret.of('c')),
    'moved: content',
  ],
  ['the same secret is the same decision', step(write(Secret.of('b'))), ['mode'], write(Secret.of('b')), 'as-planned'],
  ['done already', step(write('b')), ['content'], converged, 'already'],
  ['done already, and nothing could be compared', step(write('b'), unseen), [], converged, 'already'],
  ['refused now', step(write('b')), ['content'], refused, 'moved: content'],
  [
    'nothing could be compared, and it is refused now',
    step(write('b'), unseen),
    [],
    refused,
    'moved: it is refused now: the disk holds data',
  ],
  ['nothing was to do, and nothing is', step(converged), ['mode'], converged, 'as-planned'],
  ['nothing was to do, now there is', step(converged), ['content'], write('b'), 'moved: content'],
  [
    'nothing was to do, and nothing could be compared',
    step(converged, unseen),
    [],
    write('b'),
    'moved: it would change something else now: content',
  ],
  // what a module decides by the time alone is decided when the plan is made
  ['the same answers, another time', step(converged), [], write('b'), 'as-planned'],
];
for (const [what, planned, moves, now, expected] of table)
  test(`judged: ${what}`, (t) => {
    const judged = judgeMoves(planned, moves, now);
    t.is(judged.is === 'moved' ? `moved: ${judged.reasons.join('; ')}` : judged.is, expected);
  });

test('what the plan itself has moved meanwhile is judged by what is done', (t) => {
  const enable = (before: string | undefined, after = 'enabled'): Plan => ({
    kind: 'change',
    changes: [{what: 'enabled', before, after}],
    ops: [{op: 'run', argv: ['systemctl', 'enable', 'x'], affects: ['unit:x.service']}],
  });
  const planned = step(enable(undefined));
  t.is(judgeMoves(planned, ['unit'], enable('disabled')).is, 'moved');
  t.is(judgeMoves(planned, ['unit'], enable('disabled'), true).is, 'as-planned');
  t.is(judgeMoves(planned, ['unit'], enable('disabled', 'masked'), true).is, 'moved');
});

test('what an op predicts is no part of the decision', (t) => {
  const run = (startedS: number): Plan => ({
    kind: 'change',
    changes: [{what: 'state', before: 'stopped', after: 'started'}],
    ops: [{op: 'run', argv: ['systemctl', 'start', 'x'], predicts: [{key: 'unit:x.service', value: {startedS}}]}],
  });
  t.is(judgeMoves(step(run(1)), ['unit'], run(2)).is, 'as-planned');
});

const words: readonly (readonly [saw: Saw, now: string, expected: string])[] = [
  [
    saw(`file 644 0:0 ${digest('a')}`),
    `file 644 0:0 ${digest('b')}`,
    'file /etc/motd: planned on content aaaaaaaa…, now content bbbbbbbb…',
  ],
  [
    saw(`file 644 0:0 ${digest('a')}`),
    `file 600 1:1 ${digest('a')}`,
    'file /etc/motd: planned on mode 0644, owner 0:0, now mode 0600, owner 1:1',
  ],
  [saw(`file 644 0:0 ${digest('a')}`), 'absent', 'file /etc/motd: planned on a file, now nothing there'],
  [saw('absent'), 'directory 755 0:0', 'file /etc/motd: planned on nothing there, now a directory'],
  [saw('absent'), `link /a b -> absent`, 'file /etc/motd: planned on nothing there, now a link to /a b'],
  [
    saw('loaded active enabled /x', {key: 'unit:ssh.service'}),
    'loaded inactive enabled /x',
    'unit ssh.service: planned on loaded, active, enabled, now loaded, inactive, enabled',
  ],
  [saw('1.0', {key: 'package:sl'}), 'absent', 'package sl: planned on version 1.0, now nothing there'],
  [
    saw(`1:1:a:/:/bin/sh ${digest('a')}`, {key: 'account:x'}),
    `1:1:a:/:/bin/sh ${digest('b')}`,
    'account x: planned on another password, now another password',
  ],
  [
    saw(digest('a'), {key: 'raw:ls', about: ['file:/a', 'unit:b']}),
    digest('b'),
    'what was read of file /a, unit b is another answer now',
  ],
];
for (const [before, now, expected] of words)
  test(`in words: ${expected}`, (t) => {
    t.is(moveOf(before, now), expected);
  });

test('a digest that is missing on one side is no difference', (t) => {
  t.true(isSameWitness('file 644 0:0 -', `file 644 0:0 ${digest('a')}`));
  t.false(isSameWitness('file 644 0:0 -', `file 600 0:0 ${digest('a')}`));
  t.false(isSameWitness(`file 644 0:0 ${digest('a')}`, `file 644 0:0 ${digest('b')}`));
});

test('what a plan saw is told without digests', (t) => {
  t.deepEqual(witnessWords(saw(`file 644 0:0 ${digest('a')}`)), {
    what: 'file /etc/motd',
    was: 'file, mode 0644, owner 0:0',
  });
  t.deepEqual(witnessWords(saw(`1:1:a:/:/bin/sh ${digest('a')}`, {key: 'account:x'})), {
    what: 'account x',
    was: '1:1:a:/:/bin/sh',
  });
  t.deepEqual(witnessWords(saw(undefined, {from: 'plan'})), {what: 'file /etc/motd', was: 'as earlier tasks leave it'});
});
