import test from 'ava';
import {platforms, reveal, type Secret} from '../../src/kit/index.ts';
import module from '../../modules/sasl_conf.ts';
import {absent, doing, fileState, mistakes, planned, suseHost, told} from './bound.ts';

const names = [...new Set(platforms.flatMap((row) => Object.values(row.saslPlugins)))];
const installed = (missing: string[] = []) =>
  names.map((name) => ({installed: !missing.includes(name), version: '1', candidate: '', held: false}));
const state = (text: string | undefined, more: Record<string, unknown> = {}) => ({
  file: text === undefined ? absent : fileState(text),
  directory: {type: 'directory'},
  plugins: installed(),
  guests: [],
  ...more,
});
const guest = (startedS: number, sasl = true) => ({name: 'g', startedS, spice: true, sasl, tlsDir: '', gids: []});

const cases: [string, Record<string, unknown>, ReturnType<typeof state>, string[]][] = [
  ['new', {mech_list: ['plain']}, state(undefined), ['mech_list: absent -> plain']],
  [
    'a mech_list is a set without case',
    {mech_list: 'scram-sha-256 plain'},
    state('mech_list: PLAIN SCRAM-SHA-256\n'),
    ['converged'],
  ],
  [
    'unknown keys and comments stay',
    {mech_list: 'plain'},
    state('# c\nmech_list: login\nkeytab: /x\n'),
    ['mech_list: login -> plain'],
  ],
  ['null takes out', {options: {keytab: null}}, state('keytab: /x\n'), ['keytab: /x -> absent']],
  ['keys know no case', {options: {Keytab: '/x'}}, state('keytab: /x\n'), ['converged']],
  [
    'saslauthd with scram of the file',
    {pwcheck_method: 'saslauthd'},
    state('mech_list: plain scram-sha-256\n'),
    ['refuse impossible-combination'],
  ],
  ['saslauthd without mech_list', {pwcheck_method: 'saslauthd'}, state(''), ['refuse impossible-combination']],
  [
    'scram with saslauthd of the file',
    {mech_list: ['scram-sha-256']},
    state('pwcheck_method: saslauthd\n'),
    ['refuse impossible-combination'],
  ],
  [
    'saslauthd with plain',
    {mech_list: ['plain'], pwcheck_method: 'saslauthd'},
    state('mech_list: plain scram-sha-256\n'),
    ['mech_list: plain scram-sha-256 -> plain', 'pwcheck_method: absent -> saslauthd'],
  ],
  [
    'saslauthd and kerberos',
    {mech_list: ['plain', 'gssapi'], pwcheck_method: 'saslauthd'},
    state('mech_list: plain gssapi\npwcheck_method: saslauthd\n'),
    ['converged'],
  ],
  ['a broken line', {mech_list: ['plain']}, state('mech_list\n'), ['refuse broken-file']],
  ['absent', {state: 'absent'}, state('mech_list: plain\n'), ['/etc/sasl2/qemu.conf: present -> absent']],
  ['absent already', {state: 'absent'}, state(undefined), ['converged']],
  ['attributes alone', {mode: '0640'}, state('mech_list: plain\n'), ['mode: 0644 -> 0640']],
  ['a directory in the way', {mech_list: ['plain']}, {...state(''), file: {type: 'directory'}}, ['refuse not-a-file']],
  [
    'passwords are hidden',
    {options: {ldapdb_pw: 'hush'}},
    state('ldapdb_pw: old\n'),
    ['ldapdb_pw: ******** -> ********'],
  ],
];
for (const [title, given, now, what] of cases) test(title, (t) => t.deepEqual(told(planned(module, given, now)), what));

test('the folder is made where it is missing', (t) => {
  t.deepEqual(doing(planned(module, {mech_list: ['plain']}, state(undefined, {directory: absent}))), [
    'mkdir /etc/sasl2',
    'write /etc/sasl2/qemu.conf',
  ]);
});

test('the file keeps every other line', (t) => {
  const plan = planned(module, {mech_list: ['plain']}, state('# c\nmech_list: login\nkeytab: /x\n'));
  const op = plan.kind === 'change' ? plan.ops[0] : undefined;
  t.is(op?.op === 'write' ? reveal(op.content as string | Secret) : '', '# c\nmech_list: plain\nkeytab: /x\n');
});

test('findings', (t) => {
  const codes = (given: Record<string, unknown>, now: unknown, host?: typeof suseHost) =>
    planned(module, given, now, host).findings?.map((f) => f.code);
  t.deepEqual(codes({mech_list: ['digest-md5'], allow_weak: true}, state('')), []);
  t.deepEqual(
    codes({sasldb_path: '/x'}, state('mech_list: plain digest-md5\n')),
    ['weak-mechanism'],
    'set by somebody else',
  );
  t.deepEqual(codes({mech_list: ['plain']}, state('', {plugins: installed(['libsasl2-modules'])})), [
    'mechanism-not-installed',
  ]);
  t.deepEqual(codes({mech_list: ['scram-sha-256']}, state('', {plugins: installed(['cyrus-sasl-scram'])}), suseHost), [
    'mechanism-not-installed',
  ]);
  t.deepEqual(codes({sasldb_path: '/x'}, state('', {plugins: installed(['libsasl2-modules-db'])})), [
    'mechanism-not-installed',
  ]);
  t.deepEqual(codes({log_level: 7}, state('')), ['passwords-in-log']);
});

test('guests that have read the old file are pending', (t) => {
  const pending = (given: Record<string, unknown>, guests: unknown[]) =>
    planned(module, given, state('mech_list: plain\n', {guests})).pending?.length;
  t.is(pending({mech_list: ['plain']}, [guest(999), guest(1000)]), 1);
  t.is(pending({mech_list: ['login']}, [guest(5000)]), 1);
  t.is(pending({mech_list: ['login']}, [guest(1, false)]), 0);
  t.is(pending({service: 'smtpd', mech_list: ['login']}, [guest(1)]), 0);
});

test('parameters', (t) => {
  t.deepEqual(mistakes(module, {mech_list: ['digest-md5']}), ['weak-mechanism /mech_list']);
  t.deepEqual(mistakes(module, {mech_list: ['digest-md5'], allow_weak: true}), []);
  t.deepEqual(mistakes(module, {mech_list: ['anonymous']}), ['weak-mechanism /mech_list']);
  t.deepEqual(mistakes(module, {mech_list: ['scram-sha256']}), ['unknown-mechanism /mech_list']);
  t.deepEqual(mistakes(module, {mech_list: []}), ['bad-param /mech_list']);
  t.deepEqual(mistakes(module, {mech_list: 'plain scram-sha-256', pwcheck_method: 'saslauthd'}), [
    'impossible-combination /mech_list',
  ]);
  t.deepEqual(mistakes(module, {mech_list: 'plain login', pwcheck_method: 'saslauthd'}), []);
  t.deepEqual(mistakes(module, {mech_list: 'plain', pwcheck_method: 'alwaystrue'}), ['weak-mechanism /pwcheck_method']);
  t.deepEqual(mistakes(module, {options: {'a b': 1, mech_list: 'plain', empty: ''}}), [
    'bad-param /options/a b',
    'bad-param /options/mech_list',
    'bad-param /options/empty',
  ]);
  t.deepEqual(mistakes(module, {sasldb_path: 'relative'}).length, 1);
});
