import test from 'ava';
import portProbe from '../../modules/port_probe.ts';
import sshTunnel from '../../modules/ssh_tunnel.ts';
import {reveal, stdoutText, type Secret} from '../../src/kit/index.ts';
import {absent, bound, doing, fileState, mistakes, planned, told} from './bound.ts';

const found = (given: Record<string, unknown>, state: unknown): string[] => {
  const plan = planned(portProbe, {port: 80, ...given}, state);
  return (plan.findings ?? []).map(({code, severity}) => `${severity ?? 'error'} ${code}`);
};
const probes: [string, Record<string, unknown>, unknown, string[]][] = [
  ['open', {}, {answer: 'open', listeners: []}, []],
  ['closed, and shall be open', {}, {answer: 'closed', listeners: []}, ['error port-closed']],
  [
    'open, and shall be closed',
    {expect: 'closed', severity: 'warning'},
    {answer: 'open', listeners: []},
    ['warning port-open'],
  ],
  ['nobody can tell', {}, {answer: 'unable', listeners: []}, ['warning cannot-tell']],
  ['loopback only', {listens_on: ['loopback']}, {answer: 'open', listeners: ['127.0.0.1', '::1']}, []],
  ['not only', {listens_on: ['loopback']}, {answer: 'open', listeners: ['0.0.0.0']}, ['error listens-elsewhere']],
  ['a named address', {listens_on: ['192.0.2.1']}, {answer: 'open', listeners: ['192.0.2.1']}, []],
];
for (const [name, given, state, expected] of probes)
  test(`port_probe: ${name}`, (t) => t.deepEqual(found(given, state), expected));

test('port_probe: listeners as the kernel writes them', (t) => {
  const [read] = portProbe.probe(bound(portProbe, {port: 22})).reads;
  const text = [
    'open',
    '   0: 0100007F:0016 00000000:0000 0A 00000000:00000000',
    '   1: 00000000:0016 00000000:0000 0A 00000000:00000000',
    '   2: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A',
    '   3: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A',
    '   4: 0000000000000000FFFF00000101A8C0:0016 00000000000000000000000000000000:0000 0A',
    '',
  ].join('\n');
  const reply = {exit: 0, stdout: new TextEncoder().encode(text), stderr: new Uint8Array()};
  t.is(stdoutText(reply), text);
  t.deepEqual(read?.read === 'raw' ? read.parse(reply) : undefined, {
    answer: 'open',
    listeners: ['0.0.0.0', '127.0.0.1', '192.168.1.1', '::', '::1'],
  });
});

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1lMMmzKXh0Q1uI1nHjp0JgZ0Y3cR8b0d9v1wJm0y7W';
const tunnel = {name: 'c', user: 'u', host: 'kvm1', forwards: [{listen: '31001', to: 'localhost:20001'}]};
const inode = {mode: 0o700, owner: 'u', group: 'u', uid: 1, gid: 1, sizeBytes: 0, mtimeS: 0};
const folder = {type: 'directory', ...inode};
const home = (path: string, file: unknown, more: Record<string, unknown> = {}) => ({
  path: `/home/u/${path}`,
  home: '/home/u',
  homeState: folder,
  folder,
  file,
  ...more,
});
const off = {manager: true, linger: false, active: '', enabled: false, startedS: 0};
const state = (more: Record<string, unknown> = {}) => ({
  config: home('.ssh/config', absent),
  known: home('.ssh/known_hosts', absent),
  unitFile: home('.config/systemd/user/c.service', absent, {folder: absent}),
  unit: off,
  ...more,
});
/** The texts that a plan writes, by the end of the path. */
const texts = (given: Record<string, unknown>, now: unknown): Record<string, string> => {
  const plan = planned(sshTunnel, {...tunnel, ...given}, now);
  const ops = plan.kind === 'change' ? plan.ops : [];
  return Object.fromEntries(
    ops.flatMap((op) =>
      op.op === 'write' ? [[op.path.split('/').at(-1)!, reveal(op.content as string | Secret)]] : [],
    ),
  );
};
const config = texts({}, state())['config']!;
const unitText = texts({unit: true}, state())['c.service']!;
const there = (text: string, more = {}) => fileState(text, {mode: 0o600, owner: 'u', group: 'u', ...more});
const standing = {
  config: home('.ssh/config', there(config)),
  unitFile: home('.config/systemd/user/c.service', there(unitText)),
  unit: {manager: true, linger: true, active: 'active', enabled: true, startedS: 5000},
};

test('ssh_tunnel: its entry', (t) => {
  t.is(
    config,
    '# BEGIN tunnel c\nHost c\n  HostName kvm1\n  LocalForward 31001 localhost:20001\n  ExitOnForwardFailure yes\n  ServerAliveInterval 15\n  ServerAliveCountMax 3\n  RequestTTY no\n# END tunnel c\n',
  );
  const more = texts({port: 222, login: 'uvmb', key: '~/.ssh/id'}, state())['config'];
  t.regex(more ?? '', /Port 222\n {2}User uvmb\n {2}IdentityFile ~\/\.ssh\/id\n {2}IdentitiesOnly yes\n/);
});
test('ssh_tunnel: above entries for everybody', (t) => {
  const before = 'Host *\n  User me\n';
  const written = texts({}, state({config: home('.ssh/config', there(before))}))['config'];
  t.is(written, `${config}${before}`);
  t.deepEqual(told(planned(sshTunnel, tunnel, state({config: home('.ssh/config', there(written ?? ''))}))), [
    'converged',
  ]);
});
test("ssh_tunnel: the server's keys", (t) => {
  t.is(texts({host_keys: [key]}, state())['known_hosts'], `kvm1 ${key}\n`);
  t.is(texts({host_keys: [key], port: 222}, state())['known_hosts'], `[kvm1]:222 ${key}\n`);
});

const plans: [string, Record<string, unknown>, unknown, string[]][] = [
  [
    'new',
    {},
    state({config: home('.ssh/config', absent, {folder: absent})}),
    ['mkdir /home/u/.ssh', 'write /home/u/.ssh/config'],
  ],
  ['there', {}, state({config: standing.config}), []],
  ['with its unit', {unit: true}, state(standing), []],
  [
    'its unit is down',
    {unit: true},
    state({...standing, unit: {...standing.unit, active: 'inactive'}}),
    ['restart c.service'],
  ],
  [
    'its unit is older than the entry',
    {unit: true},
    state({...standing, unit: {...standing.unit, startedS: 10}}),
    ['restart c.service'],
  ],
  ['not at boot', {unit: true}, state({...standing, unit: {...standing.unit, enabled: false}}), ['enable c.service']],
  [
    'the unit goes',
    {},
    state(standing),
    ['disable --now c.service', 'remove /home/u/.config/systemd/user/c.service', 'daemon-reload'],
  ],
  [
    'others may write',
    {},
    state({config: home('.ssh/config', there(config, {mode: 0o664}))}),
    ['chmod /home/u/.ssh/config'],
  ],
  ['absent already', {state: 'absent'}, state(), []],
  ['absent, no account', {state: 'absent'}, state({config: {...home('', absent), path: undefined}}), []],
];
for (const [name, given, now, expected] of plans)
  test(`ssh_tunnel: ${name}`, (t) => {
    const done = doing(planned(sshTunnel, {...tunnel, ...given}, now));
    t.deepEqual(
      done.map((text) => text.replace(/^.* systemctl --user /, '')),
      expected,
    );
  });

const refusals: [string, Record<string, unknown>, unknown, string[]][] = [
  ['no account', {}, state({config: {...home('', absent), path: undefined}}), ['refuse no-account']],
  ['no home', {}, state({config: home('.ssh/config', absent, {homeState: absent})}), ['refuse no-home']],
  [
    'a link',
    {},
    state({config: home('.ssh/config', {type: 'link', target: '', followed: absent, ...inode})}),
    ['refuse is-link'],
  ],
  ['a home that is no path', {}, state({unitFile: {...home('', absent), path: ''}}), ['refuse no-home']],
  ['no systemd', {unit: true}, state({unit: {...off, manager: false}}), ['refuse no-systemd']],
];
for (const [name, given, now, expected] of refusals)
  test(`ssh_tunnel: ${name}`, (t) => t.deepEqual(told(planned(sshTunnel, {...tunnel, ...given}, now)), expected));

test('ssh_tunnel: a unit that does not come up is told', (t) => {
  const plan = planned(
    sshTunnel,
    {...tunnel, unit: true},
    state({...standing, unit: {...standing.unit, active: 'activating'}}),
  );
  t.is(plan.kind, 'converged');
  t.deepEqual(
    (plan.findings ?? []).map(({code}) => code),
    ['tunnel-down'],
  );
});

test('wrong', (t) => {
  t.deepEqual(mistakes(sshTunnel, {name: 'c', user: 'u'}), ['missing-param', 'missing-param']);
  t.deepEqual(mistakes(sshTunnel, {...tunnel, forwards: [{listen: '99999', to: 'h:1'}]}), [
    'bad-param /forwards/0/listen',
  ]);
  t.deepEqual(mistakes(sshTunnel, {...tunnel, forwards: [{listen: '*:1', to: 'h:1'}]}), [
    'open-to-all /forwards/0/listen',
  ]);
  t.deepEqual(mistakes(sshTunnel, {...tunnel, host: '-oProxyCommand=x'}), ['bad-param /host']);
  t.deepEqual(mistakes(sshTunnel, {...tunnel, key: 'id'}), ['bad-param /key']);
  t.deepEqual(mistakes(sshTunnel, {...tunnel, host_keys: ['x']}), ['bad-key /host_keys/0']);
  t.deepEqual(mistakes(portProbe, {port: 22, host: '-x'}), ['bad-param /host']);
});
