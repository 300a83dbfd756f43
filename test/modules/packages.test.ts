import test from 'ava';
import apt from '../../modules/apt.ts';
import dnf from '../../modules/dnf.ts';
import pkg from '../../modules/package.ts';
import type {Host} from '../../src/kit/index.ts';
import {debianHost, doing, mistakes, planned, suseHost, told} from './bound.ts';

const none = {installed: false, version: '', candidate: '1.0', held: false};
const has = (version: string, more = {}) => ({installed: true, version, candidate: version, held: false, ...more});
const state = (packages: readonly unknown[], cacheAgeS = 60) => ({packages, lists: {cacheAgeS}});
const redhat: Host = {...debianHost, facts: {os_family: 'RedHat'}};

const plans: [string, Record<string, unknown>, ReturnType<typeof state>, string[]][] = [
  ['there', {name: 'a'}, state([has('1.0')]), ['converged']],
  ['not there', {name: 'a'}, state([none]), ['package a: absent -> 1.0']],
  ['installed is present', {name: 'a', state: 'installed'}, state([has('1.0')]), ['converged']],
  ['a list in one text', {name: 'a, b'}, state([has('1'), none]), ['package b: absent -> 1.0']],
  ['the alias pkg', {pkg: ['a']}, state([has('1')]), ['converged']],
  ['present does not upgrade', {name: 'a'}, state([has('1.0', {candidate: '2.0'})]), ['converged']],
  ['latest does', {name: 'a', state: 'latest'}, state([has('1.0', {candidate: '2.0'})]), ['package a: 1.0 -> 2.0']],
  ['latest of the newest', {name: 'a', state: 'latest'}, state([has('2.0')]), ['converged']],
  [
    'latest leaves held ones',
    {name: 'a', state: 'latest'},
    state([has('1.0', {candidate: '2.0', held: true})]),
    ['converged'],
  ],
  ['latest without a candidate', {name: 'a', state: 'latest'}, state([has('1.0', {candidate: ''})]), ['converged']],
  ['latest installs', {name: 'a', state: 'latest'}, state([none]), ['package a: absent -> 1.0']],
  ['only_upgrade does not', {name: 'a', state: 'latest', only_upgrade: true}, state([none]), ['converged']],
  ['the wanted version', {name: 'a=1.0'}, state([has('1.0')]), ['converged']],
  ['another version', {name: 'a=1.0'}, state([has('2.0')]), ['package a: 2.0 -> 1.0']],
  ['a version with a star', {name: 'a=1.*'}, state([has('1.0-3+b1')]), ['converged']],
  ['a star that does not fit', {name: 'a=1.*'}, state([has('11.0')]), ['package a: 11.0 -> 1.*']],
  ['another version of a held one', {name: 'a=1.0'}, state([has('2.0', {held: true})]), ['refuse held']],
  ['absent', {name: 'a', state: 'absent'}, state([has('1.0')]), ['package a: 1.0 -> absent']],
  ['removed, not there', {name: 'a', state: 'removed'}, state([none]), ['converged']],
  ['unknown name', {name: 'a'}, state([{...none, candidate: ''}]), ['refuse no-candidate']],
  [
    'unknown name, but lists are to be refreshed',
    {name: 'a', update_cache: true},
    state([{...none, candidate: ''}]),
    ['package a: absent -> installed'],
  ],
  ['lists only, fresh enough', {update_cache: true, cache_valid_time: 3600}, state([], 60), ['converged']],
  [
    'lists only, too old',
    {update_cache: true, cache_valid_time: 3600},
    state([], 7200),
    ['package lists: 2 hours old -> refreshed'],
  ],
];
for (const [name, given, now, expected] of plans)
  test(name, (t) => t.deepEqual(told(planned(apt, given, now)), expected));

test('all packages in one transaction, lists first', (t) => {
  const plan = planned(apt, {name: ['a', 'b=2'], update_cache: true}, state([none, none]));
  const [update, install] = doing(plan);
  t.is(doing(plan).length, 2);
  t.regex(update ?? '', /apt-get update/);
  t.regex(install ?? '', /^apt-get install .* a b=2$/);
});

test('fresh lists are not refreshed', (t) => {
  const given = {name: 'a', update_cache: true, cache_valid_time: 3600};
  t.is(doing(planned(apt, given, state([none], 10))).length, 1);
  t.is(doing(planned(apt, given, state([none], 4000))).length, 2);
});

const commands: [string, Record<string, unknown>, Host, RegExp][] = [
  ['apt keeps edited files', {name: 'a'}, debianHost, /force-confdef.*force-confold/],
  ['apt without recommended ones', {name: 'a', install_recommends: false}, debianHost, /--no-install-recommends/],
  ['apt from a release', {name: 'a', default_release: 'bookworm-backports'}, debianHost, /-t bookworm-backports/],
  ['zypper asks nothing', {name: 'a'}, suseHost, /^zypper --non-interactive install .*a$/],
  ['dnf versions', {name: 'a=1.0'}, redhat, /^dnf install -y a-1\.0$/],
];
for (const [name, given, host, expected] of commands)
  test(name, (t) => t.regex(doing(planned(dnf, given, state([none]), host)).join(';'), expected));

test('no package manager', (t) =>
  t.deepEqual(told(planned(pkg, {name: 'a'}, state([none]), {...debianHost, facts: {}})), [
    'refuse no-package-manager',
  ]));

const wrong: [string, Record<string, unknown>, string[]][] = [
  ['nothing to do', {}, ['missing-param /name']],
  ['lists only', {update_cache: true}, []],
  ['a state that we have not', {name: 'a', state: 'fixed'}, ['unsupported /state']],
  ['an option as a name', {name: ['-y']}, ['bad-param /name/0']],
  ['a version and latest', {name: ['a=1'], state: 'latest'}, ['bad-combination /name/0']],
  ['a version and absent', {name: ['b', 'a=1'], state: 'absent'}, ['bad-combination /name/1']],
];
for (const [name, given, expected] of wrong) test(`wrong: ${name}`, (t) => t.deepEqual(mistakes(apt, given), expected));
