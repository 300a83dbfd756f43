import test from 'ava';
import module from '../../modules/lvm_volume.ts';
import {doing, mistakes, planned, told} from './bound.ts';

const mib = 1024 * 1024;
const empty = {signatures: [], users: [], mounts: [], sizeBytes: undefined};
const disk = (more: object = {}, contents: object = {}) => ({
  kind: 'block',
  readable: true,
  sizeBytes: 320 * mib,
  contents: {...empty, ...contents},
  unclear: undefined,
  ...more,
});
const group = (more: object = {}) => ({
  name: 'vg',
  sizeBytes: 316 * mib,
  freeBytes: 100 * mib,
  extentBytes: 4 * mib,
  uuid: 'g',
  ...more,
});
const volume = (sizeMib: number, more: object = {}) => ({
  name: 'lv',
  vg: 'vg',
  sizeBytes: sizeMib * mib,
  attributes: '-wi-a-----',
  uuid: 'l',
  path: '/dev/vg/lv',
  active: true,
  open: false,
  ...more,
});
const state = (lvm: object = {}, devices: unknown[] = [], device: unknown = disk()) => ({
  lvm: {
    installed: true,
    deviceMapper: true,
    problem: undefined,
    group: group(),
    volume: undefined,
    physical: new Map(),
    ...lvm,
  },
  devices,
  device,
});
const values = {vg: 'vg', name: 'lv', size: '30M', header_room: '16M'};
const onDisk = {...values, devices: ['/dev/sdb']};
const ext4 = {signatures: [{type: 'ext4', uuid: 'x', label: undefined}]};

const cases: [string, Record<string, unknown>, unknown, string[]][] = [
  ['made in whole extents, room for the header added', values, state(), ['/dev/vg/lv: absent -> 48m']],
  ['as declared', values, state({volume: volume(48)}), ['converged']],
  [
    'the same in other words',
    {...values, size: '0.03G', header_room: '17MiB'},
    state({volume: volume(48)}),
    ['converged'],
  ],
  ['grown', values, state({volume: volume(40)}), ['/dev/vg/lv: size: 40m -> 48m']],
  ['never shrunk', values, state({volume: volume(52)}), ['refuse would-shrink']],
  ['no space', {...values, size: '200M'}, state(), ['refuse no-space']],
  ['inactive', values, state({volume: volume(48, {active: false})}), ['/dev/vg/lv: inactive -> active']],
  ['all that is free', {vg: 'vg', name: 'lv', size: '100%FREE'}, state(), ['/dev/vg/lv: absent -> 100m']],
  [
    'all that is free, taken already',
    {vg: 'vg', name: 'lv', size: '100%FREE'},
    state({volume: volume(48), group: group({freeBytes: 0})}),
    ['converged'],
  ],
  [
    'half of what is free has no second half',
    {vg: 'vg', name: 'lv', size: '50%FREE'},
    state({volume: volume(48)}),
    ['converged'],
  ],
  ['no group', values, state({group: undefined}), ['refuse no-group']],
  [
    'the group is made',
    onDisk,
    state({group: undefined}, [disk()]),
    ['/dev/sdb: absent -> physical volume', 'volume group vg: absent -> with /dev/sdb', '/dev/vg/lv: absent -> 48m'],
  ],
  ['never from a device with data', onDisk, state({group: undefined}, [disk({}, ext4)]), ['refuse device-not-empty']],
  [
    '… unless expendable',
    {...onDisk, expendable: true},
    state({group: undefined}, [disk({}, ext4)]),
    [
      '/dev/sdb: ext4 file system -> physical volume',
      'volume group vg: absent -> with /dev/sdb',
      '/dev/vg/lv: absent -> 48m',
    ],
  ],
  [
    '… but not while it is mounted',
    {...onDisk, expendable: true},
    state({group: undefined}, [disk({}, {...ext4, mounts: ['/']})]),
    ['refuse device-in-use'],
  ],
  [
    'a device of another group',
    onDisk,
    state({group: undefined, physical: new Map([['/dev/sdb', 'other']])}, [disk()]),
    ['refuse device-in-use'],
  ],
  [
    'a device of this group',
    onDisk,
    state({volume: volume(48), physical: new Map([['/dev/sdb', 'vg']])}, [
      disk({}, {users: [{path: '/dev/vg/lv', type: 'lvm'}]}),
    ]),
    ['converged'],
  ],
  [
    'a physical volume of no group is taken in',
    onDisk,
    state({volume: volume(48), physical: new Map([['/dev/sdb', '']])}, [
      disk({}, {signatures: [{type: 'LVM2_member', uuid: 'x', label: undefined}]}),
    ]),
    ['volume group vg: without them -> with /dev/sdb'],
  ],
  ['no such device', onDisk, state({group: undefined}, [disk({kind: 'absent'})]), ['refuse no-device']],
  ['no LVM', values, state({installed: false}), ['refuse no-lvm']],
  ['no device-mapper', values, state({deviceMapper: false}), ['refuse no-device-mapper']],
  ['a report that cannot be read', values, state({problem: 'what?'}), ['refuse lvm-report']],
  ['absent: gone already', {...values, state: 'absent'}, state(), ['converged']],
  ['absent: blank', {...values, state: 'absent'}, state({volume: volume(48)}), ['/dev/vg/lv: 48m -> absent']],
  [
    'absent: carries data',
    {...values, state: 'absent'},
    state({volume: volume(48)}, [], disk({}, ext4)),
    ['refuse device-not-empty'],
  ],
  [
    'absent: expendable',
    {...values, state: 'absent', expendable: true},
    state({volume: volume(48)}, [], disk({}, ext4)),
    ['/dev/vg/lv: 48m -> absent'],
  ],
  [
    'absent: in use',
    {...values, state: 'absent', expendable: true},
    state({volume: volume(48, {open: true})}),
    ['refuse device-in-use'],
  ],
];
for (const [title, given, now, expected] of cases)
  test(title, (t) => t.deepEqual(told(planned(module, given, now)), expected));

test('a volume in use that grows leaves something to be done', (t) => {
  t.deepEqual(planned(module, values, state({volume: volume(40, {open: true})})).pending, [
    'resize what lies on /dev/vg/lv: it still has its old size',
  ]);
});

test('a blank device is looked at once more just before it is taken', (t) => {
  const plan = planned(module, onDisk, state({group: undefined}, [disk()]));
  t.deepEqual(plan.kind === 'change' && plan.ops[0].sees, ['device:/dev/sdb']);
  t.regex(doing(plan).at(-1) ?? '', /lvcreate .*--extents 12 vg$/);
});

const wrong: [string, Record<string, unknown>, string[]][] = [
  ['no size', {vg: 'vg', name: 'lv'}, ['missing-param /size']],
  ['no size at all', {...values, size: 'big'}, ['bad-size /size']],
  ['a share with room', {...values, size: '50%VG'}, ['bad-combination /header_room']],
  ['room as a share', {...values, header_room: '5%VG'}, ['bad-size /header_room']],
  ['fine', {...onDisk, size: '10G'}, []],
];
for (const [title, given, expected] of wrong)
  test(`check: ${title}`, (t) => t.deepEqual(mistakes(module, given), expected));
