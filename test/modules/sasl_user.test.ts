import test from 'ava';
import {readFileSync} from 'node:fs';
import {parseSasldb} from '../../src/formats/sasldb.ts';
import module from '../../modules/sasl_user.ts';
import {absent, debianHost, doing, fileState, mistakes, planned, suseHost, told} from './bound.ts';

const bytesOf = (name: string): Uint8Array => readFileSync(new URL(`../fixtures/sasldb/${name}`, import.meta.url));
const one = bytesOf('one.db');
const parsed = parseSasldb(one);
const realm = parsed.ok ? parsed.value[0]!.realm : '';
const data = (bytes: Uint8Array, more = {}) => ({
  ...fileState(''),
  content: bytes,
  mode: 0o640,
  group: 'libvirt-qemu',
  ...more,
});

const db = '/var/spice/sasl/passwd.db';
const folder = {type: 'directory', mode: 0o750};
const there = {type: 'group', gid: 1, members: []};
type Files = {db?: unknown; pag?: unknown; dir?: unknown};
const state = (files: Files, more: Record<string, unknown> = {}) => ({
  // as the probe asks for them: the database, its pag, its db, its dir
  files: [files.db ?? absent, files.pag ?? absent, absent, files.dir ?? absent],
  folders: [folder, folder, folder],
  groups: [there, there, there],
  owner: {type: 'account'},
  tool: true,
  ...more,
});
const alice = {db, realm, name: 'alice', password: 'geheim'};
const present = state({db: data(one)});

const cases: [string, Record<string, unknown>, ReturnType<typeof state>, string[]][] = [
  ['the right password', alice, present, ['converged']],
  ['another password', {...alice, password: 'neu'}, present, [`password of alice@${realm}: ******** -> ********`]],
  ['on_create leaves it', {...alice, password: 'neu', update_password: 'on_create'}, present, ['converged']],
  [
    'on_create makes it',
    {...alice, name: 'bob', update_password: 'on_create'},
    present,
    [`user bob@${realm}: absent -> ********`],
  ],
  ['another realm is another user', {...alice, realm: 'other'}, present, ['user alice@other: absent -> ********']],
  ['absent', {db, realm, name: 'alice', state: 'absent'}, present, [`user alice@${realm}: present -> absent`]],
  ['absent already', {db, realm, name: 'bob', state: 'absent'}, present, ['converged']],
  ['purge', {db, realm, purge: true, users: []}, present, [`user alice@${realm}: present -> absent`]],
  [
    'purge keeps who is named',
    {db, realm, purge: true, users: [{name: 'alice', password: 'geheim'}]},
    present,
    ['converged'],
  ],
  [
    'absent without a database',
    {db, realm, name: 'bob', state: 'absent'},
    state({}, {tool: false, folders: [absent, absent, folder]}),
    ['converged'],
  ],
  ['tool missing but nothing to do', alice, state({db: data(one)}, {tool: false}), ['converged']],
  ['tool missing', {...alice, name: 'bob'}, state({db: data(one)}, {tool: false}), ['refuse no-tool']],
  ['attributes', {...alice, mode: '0600', group: 'kvm'}, present, ['group: libvirt-qemu -> kvm', 'mode: 0640 -> 0600']],
  [
    'no such group',
    {...alice, group: 'x'},
    state({db: data(one)}, {groups: [absent, there, there]}),
    ['refuse no-group'],
  ],
  ['unreadable', alice, state({db: {...data(one), content: undefined, denied: true}}), ['refuse unreadable']],
  [
    'no database at all',
    alice,
    state({db: data(new TextEncoder().encode('something else'.repeat(100)))}),
    ['refuse sasldb-format'],
  ],
  [
    'a folder in the way',
    {...alice, name: 'bob'},
    state({}, {folders: [fileState(''), folder, folder]}),
    ['refuse not-a-directory'],
  ],
];
for (const [title, given, now, what] of cases) test(title, (t) => t.deepEqual(told(planned(module, given, now)), what));

test('a new database: its folder, its users in one plan, its access', (t) => {
  const plan = planned(
    module,
    {
      db,
      realm,
      users: [
        {name: 'a', password: 'pw-eins'},
        {name: '-b', password: 'two', realm: 'r2'},
      ],
    },
    state({}, {folders: [absent, absent, folder]}),
  );
  t.deepEqual(told(plan), [
    '/var/spice: absent -> directory',
    '/var/spice/sasl: absent -> directory root:libvirt-qemu 0750',
    `user a@${realm}: absent -> ********`,
    'user -b@r2: absent -> ********',
    `${db}: absent -> root:libvirt-qemu 0640`,
  ]);
  t.deepEqual(doing(plan).slice(0, 4), [
    'mkdir /var/spice',
    'mkdir /var/spice/sasl',
    `saslpasswd2 -c -p -a qemu -u ${realm} -f ${db} -- a`,
    `saslpasswd2 -c -p -a qemu -u r2 -f ${db} -- -b`,
  ]);
  t.false(JSON.stringify(plan).includes('pw-eins'));
  if (plan.kind !== 'change') return t.fail();
  t.deepEqual(
    plan.ops.flatMap((op) =>
      op.op === 'run' && op.stdin !== undefined && typeof op.stdin !== 'string' ? [op.stdin.reveal()] : [],
    ),
    ['pw-eins', 'two'],
  );
});

test("a new database belongs to the platform's group where it exists", (t) => {
  const after = (now: unknown, host: typeof debianHost) => told(planned(module, alice, now, host)).at(-1);
  t.is(after(state({}), debianHost), `${db}: absent -> root:libvirt-qemu 0640`);
  t.is(after(state({}), suseHost), `${db}: absent -> root:qemu 0640`);
  t.is(after(state({}, {groups: [absent, absent]}), debianHost), `${db}: absent -> root:root 0640`);
});

test('a pair of files gets its access on both', (t) => {
  const pair = state({pag: data(one, {mode: 0o600}), dir: {...data(one, {mode: 0o600}), content: undefined}});
  t.deepEqual(doing(planned(module, {...alice, mode: '0640'}, pair)), [`chmod ${db}.pag`, `chmod ${db}.dir`]);
});

test('findings', (t) => {
  const codes = (given: Record<string, unknown>, now: unknown) =>
    planned(module, given, now).findings?.map((f) => f.code);
  t.deepEqual(codes(alice, present), []);
  t.deepEqual(codes(alice, state({db: data(one, {mode: 0o644})})), ['credentials-readable']);
  t.deepEqual(codes({...alice, mode: '0640'}, state({db: data(one, {mode: 0o644})})), []);
  t.deepEqual(codes(alice, state({db: data(one)}, {folders: [{type: 'directory', mode: 0o777}]})), [
    'credentials-replaceable',
  ]);
  t.deepEqual(codes({...alice, realm: 'fq.dn'}, present), ['other-realm']);
  t.deepEqual(
    codes(
      {
        ...alice,
        realm: 'fq.dn',
        name: undefined,
        password: undefined,
        users: [{name: 'alice', password: 'x'}],
        purge: true,
      },
      present,
    ),
    [],
  );
});

test('parameters', (t) => {
  t.deepEqual(mistakes(module, {db, name: 'a', password: 'p'}), ['no-realm /realm']);
  t.deepEqual(mistakes(module, {db, realm: 'r'}), ['missing-param']);
  t.deepEqual(mistakes(module, {db, realm: 'r', name: 'a'}), ['no-password /password']);
  t.deepEqual(mistakes(module, {db, realm: 'r', name: 'a@b', password: 'p'}), ['bad-name /name']);
  t.deepEqual(mistakes(module, {db, realm: 'r', name: 'a', password: 'p\n'}), ['bad-password /password']);
  t.deepEqual(mistakes(module, {db, realm: 'r', name: 'a', password: ''}), ['bad-password /password']);
  t.deepEqual(mistakes(module, {db, realm: 'r', name: 'a', password: 'x'.repeat(2049)}), ['bad-password /password']);
  t.deepEqual(
    mistakes(module, {
      db,
      users: [
        {name: 'a', password: 'p'},
        {name: 'b', realm: 'r'},
      ],
    }),
    ['no-realm /users/0/realm', 'no-password /users/1/password'],
  );
  t.deepEqual(
    mistakes(module, {
      db,
      realm: 'r',
      users: [
        {name: 'a', password: 'p'},
        {name: 'a', password: 'q'},
      ],
    }),
    ['twice /users/1'],
  );
  t.deepEqual(mistakes(module, {db, realm: 'r', name: 'a', state: 'absent'}), []);
  t.deepEqual(mistakes(module, {db, realm: 'r', name: 'a', state: 'absent', purge: true}), ['bad-combination /purge']);
});
