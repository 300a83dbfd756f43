import test from 'ava';
import mount from '../../modules/mount.ts';
import sysctl from '../../modules/sysctl.ts';
import {absent, doing, fileState, mistakes, planned, told} from './bound.ts';

const inode = {mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0, sizeBytes: 0, mtimeS: 0};
const folder = {type: 'directory', ...inode};
const line = '/dev/vg/data /srv/d ext4 defaults 0 2\n';
const state = (table: string, live?: {source: string; type: string}, point: unknown = folder) => ({
  table: fileState(table),
  live,
  point,
});
const data = {source: '/dev/mapper/vg-data', type: 'ext4'};
const wanted = {path: '/srv/d', src: '/dev/vg/data', fstype: 'ext4'};
const table = '/etc/fstab';

const mounts: [string, Record<string, unknown>, unknown, string[]][] = [
  ['in both', {...wanted, passno: 2, state: 'mounted'}, state(line, data), ['converged']],
  ['columns that are not said stay', {...wanted, state: 'mounted'}, state(line, data), ['converged']],
  ['in fstab only', {...wanted, state: 'mounted'}, state(line), ['mounted: absent -> /dev/vg/data']],
  [
    'in neither, no folder',
    {...wanted, state: 'mounted', opts: 'ro'},
    state('', undefined, absent),
    [
      `${table}: absent -> /dev/vg/data /srv/d ext4 ro 0 0`,
      'directory: absent -> /srv/d',
      'mounted: absent -> /dev/vg/data',
    ],
  ],
  [
    'fstab only',
    {...wanted, state: 'present'},
    state(''),
    [`${table}: absent -> /dev/vg/data /srv/d ext4 defaults 0 0`],
  ],
  [
    'not at boot',
    {...wanted, state: 'present', boot: false},
    state(''),
    [`${table}: absent -> /dev/vg/data /srv/d ext4 defaults,noauto 0 0`],
  ],
  [
    'other options',
    {...wanted, state: 'mounted', opts: 'noatime'},
    state(line, data),
    [
      `${table}: /dev/vg/data /srv/d ext4 defaults 0 2 -> /dev/vg/data /srv/d ext4 noatime 0 2`,
      'mounted: defaults -> noatime',
    ],
  ],
  [
    'the order of options is nothing',
    {...wanted, state: 'mounted', opts: 'a,b'},
    state(line.replace('defaults', 'b,a'), data),
    ['converged'],
  ],
  [
    'another file system in its place',
    {...wanted, state: 'mounted'},
    state(line, {source: 'tmpfs', type: 'tmpfs'}),
    ['mounted: tmpfs -> /dev/vg/data'],
  ],
  [
    'another device',
    {...wanted, src: '/dev/sdb1', state: 'mounted'},
    state('/dev/sdb1 /srv/d ext4 defaults 0 0\n', {source: '/dev/sda1', type: 'ext4'}),
    ['mounted: /dev/sda1 -> /dev/sdb1'],
  ],
  [
    'by label',
    {...wanted, src: 'LABEL=d', state: 'mounted'},
    state('LABEL=d /srv/d ext4 defaults 0 0\n', data),
    ['converged'],
  ],
  [
    'a file in its place',
    {...wanted, state: 'mounted'},
    state(line, undefined, fileState('')),
    ['refuse not-a-directory'],
  ],
  ['unmounted', {path: '/srv/d', state: 'unmounted'}, state(line, data), ['mounted: /dev/mapper/vg-data -> absent']],
  ['unmounted already', {path: '/srv/d', state: 'unmounted'}, state(line), ['converged']],
  [
    'absent',
    {path: '/srv/d', state: 'absent'},
    state(line, data),
    [
      `${table}: /dev/vg/data /srv/d ext4 defaults 0 2 -> absent`,
      'mounted: /dev/mapper/vg-data -> absent',
      'mount point: /srv/d -> absent',
    ],
  ],
  ['absent already', {path: '/srv/d', state: 'absent'}, state('', undefined, absent), ['converged']],
  ['for now', {...wanted, state: 'ephemeral'}, state(''), ['mounted: absent -> /dev/vg/data']],
  ['for now, in use', {...wanted, state: 'ephemeral'}, state('', {source: 'x', type: 'xfs'}), ['refuse in-use']],
  ['anew', {path: '/srv/d', state: 'remounted'}, state('', data), ['mounted: /dev/mapper/vg-data -> mounted anew']],
  ['anew, not mounted', {path: '/srv/d', state: 'remounted'}, state(''), ['refuse not-mounted']],
  [
    'no table that can be read',
    {...wanted, state: 'present'},
    {...state(''), table: {type: 'file', denied: true, ...inode}},
    ['refuse unreadable'],
  ],
];
for (const [name, given, now, expected] of mounts)
  test(`mount: ${name}`, (t) => t.deepEqual(told(planned(mount, given, now)), expected));

test('mount: what is done, in order', (t) => {
  const at = (given: Record<string, unknown>, now: unknown) => doing(planned(mount, {...wanted, ...given}, now));
  t.deepEqual(at({state: 'mounted'}, state('', undefined, absent)), [
    'write /etc/fstab',
    'mkdir /srv/d',
    'mount /srv/d',
  ]);
  t.deepEqual(at({state: 'mounted'}, state(line, {source: 'tmpfs', type: 'tmpfs'})), ['umount /srv/d', 'mount /srv/d']);
  t.deepEqual(at({state: 'mounted', opts: 'ro'}, state(line, data)), [
    'write /etc/fstab',
    'mount -o remount,ro /srv/d',
  ]);
  t.deepEqual(at({state: 'ephemeral', opts: 'ro'}, state('')), ['mount -t ext4 -o ro /dev/vg/data /srv/d']);
  t.deepEqual(at({state: 'absent'}, state(line, data)), ['write /etc/fstab', 'umount /srv/d', 'remove /srv/d']);
});

const f = '/etc/sysctl.conf';
const live = (text: string, kernel: string | null = '0\n') => ({file: fileState(text), live: kernel ?? undefined});
const settings: [string, Record<string, unknown>, unknown, string[]][] = [
  ['as it is', {value: 0}, live('a.b = 0\n'), ['converged']],
  ['blanks are nothing', {value: '1 2'}, live('a.b=1\t2\n', '1\t2\n'), ['converged']],
  ['another value', {value: 1}, live('# c\na.b=0\n'), [`${f}: # c\na.b=0\n -> # c\na.b=1\n`, "kernel's a.b: 0 -> 1"]],
  ['the kernel has it already', {value: 0}, live(''), [`${f}: (empty) -> a.b=0\n`]],
  ['not now', {value: 1, reload: false}, live(''), [`${f}: (empty) -> a.b=1\n`]],
  ['the kernel has drifted', {value: 1}, live('a.b=1\n'), ['converged']],
  ['and is watched', {value: 1, sysctl_set: true}, live('a.b=1\n'), ["kernel's a.b: 0 -> 1"]],
  ['slashes in the file', {value: 0}, live('a/b=0\n'), ['converged']],
  ['said twice', {value: 0}, live('a.b=1\nx=1\na.b=0\n'), [`${f}: a.b=1\nx=1\na.b=0\n -> x=1\na.b=0\n`]],
  ['away', {state: 'absent'}, live('x=1\na.b=1\n'), [`${f}: x=1\na.b=1\n -> x=1\n`]],
  ['a comment is no setting', {state: 'absent'}, live('#a.b=1\n'), ['converged']],
  ['no such setting', {value: 1}, live('', null), ['refuse no-setting']],
  ['no such setting, and fine', {value: 1, ignoreerrors: true}, live('', null), [`${f}: (empty) -> a.b=1\n`]],
];
for (const [name, given, now, expected] of settings)
  test(`sysctl: ${name}`, (t) => t.deepEqual(told(planned(sysctl, {name: 'a.b', ...given}, now)), expected));

test('sysctl: dots in a name', (t) => {
  const fragment = (name: string): string => {
    const read = sysctl.probe({name, sysctl_file: f}).reads[1];
    return read?.read === 'raw' ? read.fragment.shell : '';
  };
  t.true(fragment('net.ipv4.ip_forward').includes('/proc/sys/net/ipv4/ip_forward'));
  t.true(fragment('net/ipv4/conf/eth0.1/forwarding').includes('/proc/sys/net/ipv4/conf/eth0.1/forwarding'));
  t.true(fragment('net.ipv4.conf.eth0/1.forwarding').includes('/proc/sys/net/ipv4/conf/eth0.1/forwarding'));
});

test('wrong', (t) => {
  t.deepEqual(mistakes(mount, {path: '/x', state: 'mounted'}), ['missing-param', 'missing-param']);
  t.deepEqual(mistakes(mount, {path: '/x', state: 'mounted', src: '/y', opts: 'bind'}), []);
  t.deepEqual(mistakes(mount, {path: '/', state: 'absent'}), ['bad-param /path']);
  t.deepEqual(mistakes(sysctl, {name: 'a'}), ['missing-param']);
  t.deepEqual(mistakes(sysctl, {name: '../x', value: 1}), ['bad-param /name']);
});
