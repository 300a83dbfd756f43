import test from 'ava';
import authorizedKey from '../../modules/authorized_key.ts';
import group from '../../modules/group.ts';
import user from '../../modules/user.ts';
import {Secret, type Host} from '../../src/kit/index.ts';
import {absent, debianHost, doing, fileState, mistakes, planned, told} from './bound.ts';

const inode = {mode: 0o755, owner: 'u', group: 'u', uid: 1, gid: 1, sizeBytes: 0, mtimeS: 0};
const folder = {type: 'directory', ...inode};
const account = (more: Record<string, unknown> = {}) => ({
  type: 'account',
  uid: 1001,
  gid: 1001,
  gecos: 'U',
  home: '/home/u',
  shell: '/bin/sh',
  primaryGroup: 'u',
  groups: ['u', 'audio', 'video'],
  password: Secret.of('$6$old'),
  ...more,
});
const seen = (now: unknown, more: Record<string, unknown> = {}) => ({
  now,
  groups: [true, true, true],
  ownGroup: false,
  home: absent,
  sshSkeleton: absent,
  extras: {aging: [], hasKey: true},
  ...more,
});

const users: [string, Record<string, unknown>, unknown, string[]][] = [
  ['as it is', {name: 'u'}, seen(account()), ['converged']],
  ['new', {name: 'u', shell: '/bin/bash'}, seen(absent), ['account: absent -> u', 'shell: absent -> /bin/bash']],
  [
    'shell and comment',
    {name: 'u', shell: '/bin/bash', comment: ''},
    seen(account()),
    ['comment: U -> ', 'shell: /bin/sh -> /bin/bash'],
  ],
  ['exactly these groups', {name: 'u', groups: ['video']}, seen(account()), ['groups: audio,video -> video']],
  ['no further groups', {name: 'u', groups: []}, seen(account()), ['groups: audio,video -> ']],
  [
    'these groups too',
    {name: 'u', groups: ['video', 'cdrom'], append: true},
    seen(account()),
    ['groups: audio,video -> audio,cdrom,video'],
  ],
  ['in them already', {name: 'u', groups: 'video', append: true}, seen(account()), ['converged']],
  ['the order of groups is nothing', {name: 'u', groups: ['video', 'audio']}, seen(account()), ['converged']],
  ['the primary group among them', {name: 'u', groups: ['u', 'video', 'audio']}, seen(account()), ['converged']],
  ['primary group by number', {name: 'u', group: '1001'}, seen(account()), ['converged']],
  ['a group that is not there', {name: 'u', groups: ['nope']}, seen(account(), {groups: [false]}), ['refuse no-group']],
  ['its password', {name: 'u', password: '$6$old'}, seen(account()), ['converged']],
  ['another password', {name: 'u', password: '$6$new'}, seen(account()), ['password: ******** -> ********']],
  [
    'only a new account gets it',
    {name: 'u', password: '$6$new', update_password: 'on_create'},
    seen(account()),
    ['converged'],
  ],
  [
    'locked, but the same',
    {name: 'u', password: '$6$old'},
    seen(account({password: Secret.of('!$6$old')})),
    ['converged'],
  ],
  ['lock', {name: 'u', password_lock: true}, seen(account()), ['password lock: unlocked -> locked']],
  [
    'unlock',
    {name: 'u', password_lock: false},
    seen(account({password: Secret.of('!$6$old')})),
    ['password lock: locked -> unlocked'],
  ],
  ['ends', {name: 'u', expires: 86400}, seen(account()), ['expires: never -> 1970-01-02']],
  ['never ends', {name: 'u', expires: -1}, seen(account({expires: 1})), ['expires: 1970-01-02 -> never']],
  ['ends then', {name: 'u', expires: 90000}, seen(account({expires: 1})), ['converged']],
  [
    'away',
    {name: 'u', state: 'absent', remove: true},
    seen(account()),
    ['account: u -> absent', 'home: /home/u -> absent'],
  ],
  ['gone', {name: 'u', state: 'absent'}, seen(absent), ['converged']],
  ['not root', {name: 'root', state: 'absent'}, seen(account({uid: 0})), ['refuse root-account']],
  ['not oneself', {name: 'admin', state: 'absent'}, seen(account()), ['refuse lockout']],
];
for (const [name, given, state, expected] of users)
  test(`user: ${name}`, (t) => t.deepEqual(told(planned(user, given, state)), expected));

const commands: [string, Record<string, unknown>, unknown, string[]][] = [
  [
    'new, with all',
    {name: 'u', uid: 7, group: 'g', groups: ['a', 'b'], home: '/srv/u', system: true},
    seen(absent),
    ['useradd -u 7 -g g -G a,b -d /srv/u -r -m u'],
  ],
  ['without a home', {name: 'u', create_home: false}, seen(absent), ['useradd -M u']],
  ['a group of its name is there', {name: 'u'}, seen(absent, {ownGroup: true}), ['useradd -N -m u']],
  ['append', {name: 'u', groups: ['cdrom'], append: true}, seen(account()), ['usermod -a -G cdrom u']],
  ['exactly', {name: 'u', groups: ['cdrom']}, seen(account()), ['usermod -G cdrom u']],
  ['home moves', {name: 'u', home: '/srv/u', move_home: true}, seen(account()), ['usermod -d /srv/u -m u']],
  [
    'no password in a command',
    {name: 'u', password: '$6$new', password_lock: true},
    seen(account()),
    ['chpasswd -e', 'usermod -L u'],
  ],
];
for (const [name, given, state, expected] of commands)
  test(`user runs: ${name}`, (t) => t.deepEqual(doing(planned(user, given, state)), expected));

test('the hash goes over stdin', (t) => {
  const plan = planned(user, {name: 'u', password: '$6$new'}, seen(account()));
  const [op] = plan.kind === 'change' ? plan.ops : [];
  t.true(op?.op === 'run' && op.stdin instanceof Secret && op.stdin.reveal() === 'u:$6$new\n');
  t.false(JSON.stringify(plan).includes('$6$'));
});

test('keys of an account with a new home are known to be none', (t) => {
  const predicted = (more: Record<string, unknown>, given: Record<string, unknown> = {}) => {
    const plan = planned(user, {name: 'u', ...given}, seen(absent, more));
    return plan.kind === 'change' ? (plan.ops.at(-1)!.predicts ?? []).length : 0;
  };
  t.is(predicted({}), 2);
  t.is(predicted({}, {password: '$6$x'}), 2);
  t.is(predicted({home: folder}), 1);
  t.is(predicted({sshSkeleton: folder}), 1);
  t.is(predicted({}, {create_home: false}), 1);
});

const wrongUsers: [Record<string, unknown>, string[]][] = [
  [{name: 'u', password: 'geheim'}, ['clear-text-password /password']],
  [{name: 'u', password: '!'}, []],
  [{name: '-u'}, ['bad-param /name']],
  [{name: 'u', generate_ssh_key: true, ssh_key_passphrase: 'x'}, ['unsupported /ssh_key_passphrase']],
];
for (const [given, expected] of wrongUsers)
  test(`user, wrong: ${JSON.stringify(given)}`, (t) => t.deepEqual(mistakes(user, given), expected));

const team = (gid: number) => ({type: 'group', gid, members: []});
const groups: [Record<string, unknown>, unknown, string[]][] = [
  [{name: 'g'}, team(5), ['converged']],
  [{name: 'g', system: true}, absent, ['group: absent -> g', '$ groupadd -r g']],
  [{name: 'g', gid: 7}, absent, ['group: absent -> g', 'gid: absent -> 7', '$ groupadd -g 7 g']],
  [{name: 'g', gid: 7}, team(5), ['gid: 5 -> 7', '$ groupmod -g 7 g']],
  [{name: 'root', gid: 7}, team(0), ['refuse root-group']],
  [{name: 'g', state: 'absent'}, team(5), ['group: g -> absent', '$ groupdel g']],
  [{name: 'g', state: 'absent'}, absent, ['converged']],
];
for (const [given, state, expected] of groups)
  test(`group: ${JSON.stringify(given)}, ${JSON.stringify(state)}`, (t) => {
    const plan = planned(group, given, state);
    t.deepEqual([...told(plan), ...doing(plan).map((command) => `$ ${command}`)], expected);
  });

const [A, B] = [
  'AAAAC3NzaC1lZDI1NTE5AAAAIJ1lMMmzKXh0Q1uI1nHjp0JgZ0Y3cR8b0d9v1wJm0y7W',
  'AAAAC3NzaC1lZDI1NTE5AAAAIJ1lMMmzKXh0Q1uI1nHjp0JgZ0Y3cR8b0d9v1wJm0y7X',
];
const keyA = `ssh-ed25519 ${A} a@x`;
const keyB = `ssh-ed25519 ${B} b@x`;
const path = '/home/u/.ssh/authorized_keys';
const store = (file: unknown, more: Record<string, unknown> = {}) => ({
  exists: true,
  store: {path, home: '/home/u', homeState: folder, folder: {...folder, mode: 0o700}, file, ...more},
});
const keys = (text: string, more: Record<string, unknown> = {}) => fileState(text, {mode: 0o600, owner: 'u', ...more});
const first = store(absent, {folder: absent});

const entries: [string, Record<string, unknown>, unknown, string[]][] = [
  ['there', {key: keyA}, store(keys(`${keyA}\n`)), ['converged']],
  ['the first key', {key: keyA}, first, ['directory: absent -> /home/u/.ssh', `${path}: absent -> ${keyA}\n`]],
  [
    'foreign keys stay',
    {key: keyA},
    store(keys(`# mine\n${keyB}\n`)),
    [`${path}: # mine\n${keyB}\n -> # mine\n${keyB}\n${keyA}\n`],
  ],
  ['the end without a newline', {key: keyA}, store(keys(keyB)), [`${path}: ${keyB} -> ${keyB}\n${keyA}\n`]],
  [
    'only this one',
    {key: keyA, exclusive: true},
    store(keys(`${keyB}\n${keyA}\n`)),
    [`${path}: ${keyB}\n${keyA}\n -> ${keyA}\n`],
  ],
  [
    'options',
    {key: keyA, key_options: 'restrict'},
    store(keys(`${keyA}\n`)),
    [`${path}: ${keyA}\n -> restrict ${keyA}\n`],
  ],
  [
    'away',
    {key: keyA, state: 'absent'},
    store(keys(`${keyA}\n${keyB}\n`)),
    [`${path}: ${keyA}\n${keyB}\n -> ${keyB}\n`],
  ],
  ['away, no file', {key: keyA, state: 'absent'}, first, ['converged']],
  ['away, no account', {key: keyA, state: 'absent'}, {exists: false, store: {}}, ['converged']],
  ['no account', {key: keyA}, {exists: false, store: {}}, ['refuse no-account']],
  ['no home', {key: keyA}, store(absent, {homeState: absent, folder: absent}), ['refuse no-home']],
  ['no folder, and none wanted', {key: keyA, manage_dir: false}, first, ['refuse no-folder']],
  ['a link', {key: keyA}, store({type: 'link', target: '', followed: absent, ...inode}), ['refuse is-link']],
  ['unreadable', {key: keyA}, store({type: 'file', denied: true, ...inode}), ['refuse unreadable']],
  [
    'sshd would pass over it',
    {key: keyA},
    store(keys(`${keyA}\n`, {mode: 0o664, owner: 'daemon'})),
    [`${path} owner: daemon -> u`, `${path} mode: 0664 -> 0644`],
  ],
  ['but not of a path of its own', {key: keyA, path}, store(keys(`${keyA}\n`, {mode: 0o664})), ['converged']],
];
for (const [name, given, state, expected] of entries)
  test(`authorized_key: ${name}`, (t) =>
    t.deepEqual(told(planned(authorizedKey, {user: 'u', ...given}, state)), expected));

test('the key of this very connection stays', (t) => {
  const host: Host = {
    ...debianHost,
    connection: {user: 'u', from: '192.0.2.1', keySha256: 'SHA256:Qdms7eja62hOvCyAA5M2SLT3AqU7s3WJX5sfV2Ua4ew'},
  };
  const given = {user: 'u', key: keyB, exclusive: true};
  const state = store(keys(`${keyA}\n`));
  t.deepEqual(told(planned(authorizedKey, given, state, host)), ['refuse lockout']);
  t.is(planned(authorizedKey, {...given, allow_lockout: true}, state, host).kind, 'change');
  t.is(planned(authorizedKey, given, state).kind, 'change');
});

const wrongKeys: [Record<string, unknown>, string[]][] = [
  [{user: 'u', key: 'AAAA'}, ['bad-key /key']],
  [{user: 'u', key: '# none\n'}, ['no-key /key']],
  [{user: 'u', key: keyA, key_options: 'from="'}, ['bad-param /key_options']],
];
for (const [given, expected] of wrongKeys)
  test(`authorized_key, wrong: ${JSON.stringify(given)}`, (t) => t.deepEqual(mistakes(authorizedKey, given), expected));
