import test from 'ava';
import service from '../../modules/service.ts';
import systemd from '../../modules/systemd.ts';
import {absent, doing, fileState, mistakes, planned, told} from './bound.ts';

const unit = (more: Record<string, unknown> = {}) => ({
  type: 'unit',
  load: 'loaded',
  active: 'inactive',
  sub: 'dead',
  enabled: 'disabled',
  startedS: 0,
  mainPid: 0,
  needsReload: false,
  fragmentPath: '/lib/systemd/system/a.service',
  ...more,
});
const state = (more: Record<string, unknown> = {}, local: unknown = absent) => ({unit: unit(more), local});
const running = {active: 'active', sub: 'running', enabled: 'enabled', startedS: 5000};
const missing = {load: 'not-found', enabled: ''};

const plans: [string, Record<string, unknown>, unknown, string[]][] = [
  ['nothing wanted', {name: 'a'}, state(), ['converged']],
  ['runs', {name: 'a', state: 'started', enabled: true}, state(running), ['converged']],
  [
    'does not run',
    {name: 'a', state: 'started', enabled: true},
    state(),
    ['enabled: no -> yes', 'state: inactive -> active'],
  ],
  ['has failed', {name: 'a', state: 'started'}, state({active: 'failed'}), ['state: failed -> active']],
  ['is just starting', {name: 'a', state: 'started'}, state({active: 'activating'}), ['converged']],
  ['shall stop', {name: 'a', state: 'stopped'}, state(running), ['state: active -> inactive']],
  ['is stopped', {name: 'a', state: 'stopped'}, state({active: 'failed'}), ['converged']],
  ['restart', {name: 'a', state: 'restarted'}, state(running), ['state: active -> restarted']],
  ['not enabled', {name: 'a', enabled: 'no'}, state(running), ['enabled: yes -> no']],
  ['static counts as enabled', {name: 'a', enabled: true}, state({enabled: 'static'}), ['converged']],
  ['static cannot be disabled', {name: 'a', enabled: false}, state({enabled: 'static'}), ['refuse not-switchable']],
  ['masked', {name: 'a', state: 'started'}, state({load: 'masked', enabled: 'masked'}), ['refuse masked']],
  [
    'unmasked and started',
    {name: 'a', state: 'started', masked: false},
    state({load: 'masked', enabled: 'masked'}),
    ['masked: yes -> no', 'state: inactive -> active'],
  ],
  ['mask', {name: 'a', masked: true}, state(), ['masked: no -> yes']],
  ['no such unit', {name: 'a', state: 'started'}, state(missing), ['refuse no-unit']],
  ['no such unit, and none wanted', {name: 'a', state: 'stopped', enabled: false}, state(missing), ['converged']],
  [
    'its file has just been written',
    {name: 'a', state: 'started', enabled: true},
    state(missing, fileState('[Unit]\n')),
    ['unit file: not read yet -> read anew', 'enabled: no -> yes', 'state: inactive -> active'],
  ],
  [
    'its file has changed',
    {name: 'a', state: 'started'},
    state({...running, needsReload: true}),
    ['unit file: changed on disk -> read anew'],
  ],
  ['no systemd', {name: 'a', state: 'started'}, {unit: {type: 'none'}, local: absent}, ['refuse no-systemd']],
  ['files read anew', {daemon_reload: true}, state(), ['unit files: absent -> read anew']],
];
for (const [name, given, now, expected] of plans)
  test(name, (t) => t.deepEqual(told(planned(systemd, given, now)), expected));

const commands: [string, Record<string, unknown>, unknown, string[]][] = [
  ['a service by default', {name: 'a', state: 'started'}, state(), ['systemctl start a.service']],
  ['another kind', {name: 'a.socket', state: 'started'}, state(), ['systemctl start a.socket']],
  ['reload', {name: 'a', state: 'reloaded'}, state(running), ['systemctl reload-or-restart a.service']],
  ['reload of what is stopped', {name: 'a', state: 'reloaded'}, state(), ['systemctl restart a.service']],
  ['not waiting', {name: 'a', state: 'started', no_block: true}, state(), ['systemctl --no-block start a.service']],
  [
    'enabled before it starts',
    {name: 'a', state: 'started', enabled: true, daemon_reload: true},
    state(),
    ['systemctl daemon-reload', 'systemctl enable a.service', 'systemctl start a.service'],
  ],
  [
    'a restart reads a newer file first',
    {name: 'a', state: 'restarted'},
    state(running, fileState('', {mtimeS: 6000})),
    ['systemctl daemon-reload', 'systemctl restart a.service'],
  ],
  [
    'and an older one not',
    {name: 'a', state: 'restarted'},
    state(running, fileState('', {mtimeS: 4000})),
    ['systemctl restart a.service'],
  ],
];
for (const [name, given, now, expected] of commands)
  test(`runs: ${name}`, (t) => t.deepEqual(doing(planned(service, given, now)), expected));

const wrong: [Record<string, unknown>, string[]][] = [
  [{state: 'started'}, ['missing-param']],
  [{}, ['missing-param']],
  [{daemon_reload: true}, []],
  [{name: 'a', state: 'running'}, ['bad-param /state']],
];
for (const [given, expected] of wrong)
  test(`wrong: ${JSON.stringify(given)}`, (t) => t.deepEqual(mistakes(systemd, given), expected));

test('the file of an instance is its template', (t) => {
  const keys = (name: string) => systemd.probe({name}).reads.map((read) => read.key);
  t.true(keys('a@b').includes('file:/etc/systemd/system/a@.service'));
  t.true(keys('a').includes('file:/etc/systemd/system/a.service'));
});
