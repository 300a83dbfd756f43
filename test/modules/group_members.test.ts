import test from 'ava';
import module from '../../modules/group_members.ts';
import {absent, doing, mistakes, planned, told} from './bound.ts';

const user = (name: string, gid: number) => ({
  type: 'account',
  uid: 1,
  gid,
  gecos: '',
  home: '/',
  shell: '/bin/sh',
  primaryGroup: name,
  groups: [name],
});
const state = (members: string[], accounts: unknown[], more: Record<string, unknown> = {}) => ({
  group: {type: 'group', gid: 45, members},
  accounts,
  primary: [],
  tools: new Set(['gpasswd', 'local']),
  ...more,
});
const a = user('a', 1);

const cases: [string, Record<string, unknown>, unknown, string[], string[]][] = [
  ['nothing to do', {exactly: ['a']}, state(['a'], [a]), ['converged'], []],
  ['added', {exactly: ['a']}, state([], [a]), ['member a: absent -> a'], ['gpasswd -a a g']],
  ['removed', {exactly: []}, state(['b'], []), ['member b: b -> absent'], ['gpasswd -d b g']],
  [
    'a stale name without account is removed',
    {exclude: ['ghost']},
    state(['ghost'], [absent]),
    ['member ghost: ghost -> absent'],
    ['gpasswd -d ghost g'],
  ],
  ['others stay with include', {include: ['a']}, state(['b'], [a]), ['member a: absent -> a'], ['gpasswd -a a g']],
  ['a primary group is membership', {include: ['a']}, state([], [user('a', 45)]), ['converged'], []],
  [
    'a primary group is membership with exactly',
    {exactly: ['a']},
    state([], [user('a', 45)], {primary: ['a']}),
    ['converged'],
    [],
  ],
  [
    'a foreign primary member cannot be removed',
    {exactly: []},
    state([], [], {primary: ['b']}),
    ['refuse primary-group'],
    [],
  ],
  ['exclude of a primary member', {exclude: ['a']}, state([], [user('a', 45)]), ['refuse primary-group'], []],
  ['missing account', {exactly: ['a', 'x']}, state([], [a, absent]), ['refuse no-account'], []],
  ['no group', {exactly: []}, state([], [], {group: absent}), ['refuse no-group'], []],
  ['a group of LDAP', {include: ['a']}, state([], [a], {tools: new Set(['gpasswd'])}), ['refuse not-local'], []],
  ['no tool', {include: ['a']}, state([], [a], {tools: new Set(['local'])}), ['refuse no-tool'], []],
  ['no tool, but nothing to do', {include: ['a']}, state(['a'], [a], {tools: new Set()}), ['converged'], []],
];
for (const [title, given, now, what, ops] of cases) {
  test(title, (t) => {
    const plan = planned(module, {name: 'g', ...given}, now);
    t.deepEqual(told(plan), what);
    t.deepEqual(doing(plan), ops);
  });
}

test('the last op tells the group that later tasks see', (t) => {
  const plan = planned(module, {name: 'g', exactly: ['a']}, state(['b'], [a]));
  if (plan.kind !== 'change') return t.fail();
  t.deepEqual(plan.ops.at(-1)?.predicts?.[0], {key: 'group:g', value: {type: 'group', gid: 45, members: ['a']}});
  t.deepEqual(
    plan.findings?.map((f) => `${f.severity ?? ''} ${f.code}`),
    ['warning extra-member'],
  );
});

test('parameters', (t) => {
  t.deepEqual(mistakes(module, {name: 'g'}), ['missing-param']);
  t.deepEqual(mistakes(module, {name: 'g', exactly: ['a'], include: ['b']}), ['bad-combination /exactly']);
  t.deepEqual(mistakes(module, {name: 'g', include: ['a'], exclude: ['b', 'a']}), ['bad-combination /exclude/1']);
  t.deepEqual(mistakes(module, {name: 'g', exactly: 'a'}), []);
});
