import test from 'ava';
import file from '../../modules/file.ts';
import {absent, doing, fileState, mistakes, planned, told} from './bound.ts';

const inode = {mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0, sizeBytes: 0, mtimeS: 0};
const folder = {type: 'directory', ...inode};
const link = (target: string, followed: unknown = absent) => ({type: 'link', target, followed, ...inode, mode: 0o777});
const place = {folder, owner: true, group: true};
const state = (now: unknown, more: Record<string, unknown> = {}) => ({
  place,
  now,
  parents: {},
  same: false,
  below: [],
  times: {},
  labels: {},
  ...more,
});
const entry = (path: string, kind: string, mode: number, owner = 'root') => ({
  path,
  kind,
  mode,
  owner,
  group: 'root',
  uid: owner === 'root' ? 0 : 1,
  gid: 0,
});

const plans: [string, Record<string, unknown>, unknown, string[]][] = [
  ['a file as it is', {path: '/f'}, state(fileState('')), ['converged']],
  ['a file must be there', {path: '/f', mode: '0600'}, state(absent), ['refuse absent']],
  ['its mode', {path: '/f', mode: '0600'}, state(fileState('')), ['mode: 0644 -> 0600']],
  ['owner by number', {path: '/f', owner: '0'}, state(fileState('')), ['converged']],
  [
    'mode of what a link leads to',
    {path: '/f', mode: '0600'},
    state(link('/g', fileState(''))),
    ['mode: 0644 -> 0600'],
  ],
  ['a folder', {path: '/d', state: 'directory'}, state(folder), ['converged']],
  ['a linked folder', {path: '/d', state: 'directory'}, state(link('/e', folder)), ['converged']],
  ['a dangling link', {path: '/d', state: 'directory'}, state(link('/e')), ['refuse dangling-link']],
  [
    'a new folder with its parents',
    {path: '/a/b/c', state: 'directory', mode: '0750'},
    state(absent, {parents: {'/a': folder, '/a/b': absent}}),
    ['directory: absent -> /a/b', 'directory: absent -> /a/b/c', 'mode: absent -> 0750'],
  ],
  [
    'a file among the parents',
    {path: '/a/b', state: 'directory'},
    state(absent, {parents: {'/a': fileState('')}}),
    ['refuse not-a-directory'],
  ],
  [
    'a file in the place of a folder',
    {path: '/d', state: 'directory'},
    state(fileState('')),
    ['refuse not-a-directory'],
  ],
  [
    'everything below',
    {path: '/d', recurse: true, mode: 'u=rwX,go=rX', owner: 'daemon'},
    state(folder, {
      below: [
        entry('/d/f', 'regular file', 0o600, 'daemon'),
        entry('/d/l', 'symbolic link', 0o777),
        entry('/d/x', 'regular file', 0o755, 'daemon'),
      ],
    }),
    ['owner: root -> daemon', '/d/f mode: 0600 -> 0644', '/d/l owner: root -> daemon'],
  ],
  ['absent', {path: '/d', state: 'absent'}, state(absent), ['converged']],
  [
    'a folder away',
    {path: '/d', state: 'absent'},
    state(folder, {below: [entry('/d/f', 'regular file', 0o600)]}),
    ['path: /d (directory) -> absent'],
  ],
  [
    'a link, not what it leads to',
    {path: '/l', state: 'absent'},
    state(link('/d', folder)),
    ['path: /l (link) -> absent'],
  ],
  ['a link', {path: '/l', src: '/t', state: 'link'}, state(link('/t')), ['converged']],
  ['a link by its source alone', {path: '/l', src: '/t'}, state(absent), ['link target: absent -> /t']],
  ['another target', {path: '/l', src: '/t', state: 'link'}, state(link('/u')), ['link target: /u -> /t']],
  [
    'a new link with an owner',
    {path: '/l', src: '/t', state: 'link', owner: 'daemon'},
    state(absent),
    ['link target: absent -> /t', 'owner: absent -> daemon'],
  ],
  [
    'a file where the link shall be',
    {path: '/l', src: '/t', state: 'link'},
    state(fileState('')),
    ['refuse in-the-way'],
  ],
  [
    'by force',
    {path: '/l', src: '/t', state: 'link', force: true},
    state(fileState('')),
    ['link target: (file) -> /t'],
  ],
  ['a hard link', {path: '/l', src: '/t', state: 'hard'}, state(fileState(''), {same: true}), ['converged']],
  ['another file', {path: '/l', src: '/t', state: 'hard'}, state(fileState('')), ['refuse in-the-way']],
  [
    'another file, by force',
    {path: '/l', src: '/t', state: 'hard', force: true},
    state(fileState('')),
    ['hard link: (file) -> /l to /t'],
  ],
  ['touch', {path: '/f', state: 'touch', mode: '0600'}, state(absent), ['file: absent -> /f', 'mode: absent -> 0600']],
  [
    'touch what is there',
    {path: '/f', state: 'touch', modification_time: 'preserve', access_time: 'preserve'},
    state(fileState('')),
    ['converged'],
  ],
  [
    'touch its access time only',
    {path: '/f', state: 'touch', modification_time: 'preserve'},
    state(fileState('')),
    ['access time: any -> now'],
  ],
  [
    'touch what a link leads to',
    {path: '/f', state: 'touch'},
    state(link('/g', fileState(''))),
    ['modification time: any -> now', 'access time: any -> now'],
  ],
  [
    'a moment',
    {path: '/f', modification_time: '202601011200.00'},
    state(fileState(''), {times: {modification: 0, wantedModification: 1_767_268_800}}),
    ['modification time: 1970-01-01T00:00:00Z -> 2026-01-01T12:00:00Z'],
  ],
  ['flags', {path: '/f', attributes: '+i'}, state(fileState(''), {labels: {flags: ''}}), ['attributes: (none) -> i']],
  ['flags as they are', {path: '/f', attributes: 'i'}, state(fileState(''), {labels: {flags: 'ei'}}), ['converged']],
  ['no flags here', {path: '/f', attributes: '+i'}, state(fileState('')), ['refuse no-flags']],
  [
    'a type of SELinux',
    {path: '/f', setype: 'etc_t'},
    state(fileState(''), {labels: {context: 'system_u:object_r:tmp_t:s0'}}),
    ['setype: tmp_t -> etc_t'],
  ],
  ['no SELinux here', {path: '/f', setype: 'etc_t'}, state(fileState('')), ['converged']],
  [
    'no account for it',
    {path: '/d', state: 'directory', owner: 'u'},
    state(absent, {place: {...place, owner: false}}),
    ['refuse no-account'],
  ],
];
for (const [name, given, now, expected] of plans)
  test(name, (t) => t.deepEqual(told(planned(file, given, now)), expected));

const ops: [Record<string, unknown>, unknown, string[]][] = [
  [{path: '/l', src: '/t', state: 'link', owner: 'daemon'}, state(absent), ['link /l', 'chown /l']],
  [{path: '/l', src: '/t', state: 'link', force: true}, state(folder), ['remove /l', 'link /l']],
  [{path: '/d', state: 'directory'}, state(absent, {parents: {}}), ['mkdir /d']],
];
for (const [given, now, expected] of ops)
  test(`does: ${expected.join(', ')}`, (t) => t.deepEqual(doing(planned(file, given, now)), expected));

test('only an empty folder gives way to a link', (t) => {
  const plan = planned(file, {path: '/l', src: '/t', state: 'link', force: true}, state(folder));
  const [first] = plan.kind === 'change' ? plan.ops : [];
  t.deepEqual(first, {op: 'remove', path: '/l'});
});

const wrong: [Record<string, unknown>, string[]][] = [
  [{path: '/l', state: 'link'}, ['missing-param /state']],
  [{path: '/l', state: 'touch', recurse: true}, ['bad-combination /recurse']],
  [{path: 'l'}, ['bad-param /path']],
  [{dest: '/l', mode: '644'}, []],
];
for (const [given, expected] of wrong)
  test(`wrong: ${JSON.stringify(given)}`, (t) => t.deepEqual(mistakes(file, given), expected));
