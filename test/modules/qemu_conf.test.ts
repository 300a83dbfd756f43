import test from 'ava';
import {reveal, type Secret} from '../../src/kit/index.ts';
import module from '../../modules/qemu_conf.ts';
import {absent, doing, fileState, mistakes, planned, told} from './bound.ts';

const unit = (active: string, startedS: number) => ({
  type: 'unit',
  load: 'loaded',
  active,
  sub: '',
  enabled: '',
  startedS,
  mainPid: 1,
  needsReload: false,
  fragmentPath: '',
});
const noUnit = {...unit('inactive', 0), load: 'not-found'};
const guest = (startedS: number, more = {}) => ({
  name: 'g',
  startedS,
  spice: true,
  sasl: true,
  tlsDir: '',
  gids: [],
  ...more,
});
const state = (text: string, more: Record<string, unknown> = {}) => ({
  file: fileState(text, {mode: 0o600}),
  libvirtd: unit('inactive', 0),
  virtqemud: noUnit,
  guests: [],
  certificates: [{type: 'directory'}],
  present: true,
  ...more,
});
const shipped = '# comment\n#spice_tls = 1\n\n#vnc_tls = 1\nuser = "q"\n';

const contentOf = (plan: ReturnType<typeof planned>): string => {
  const op = plan.kind === 'change' ? plan.ops[0] : undefined;
  return op?.op === 'write' ? reveal(op.content as string | Secret) : '';
};

test('a setting goes below its comment, others stay', (t) => {
  const plan = planned(module, {settings: {spice_tls: true, user: 'q'}}, state(shipped));
  t.deepEqual(told(plan), ['spice_tls: absent -> 1']);
  t.is(contentOf(plan), '# comment\n#spice_tls = 1\nspice_tls = 1\n\n#vnc_tls = 1\nuser = "q"\n');
});

const cases: [string, Record<string, unknown>, ReturnType<typeof state>, string[]][] = [
  ['true is 1', {spice_tls: true}, state('spice_tls = 1\n'), ['converged']],
  ['digits in quotes are a number', {spice_tls: '1'}, state('spice_tls = 1\n'), ['converged']],
  ['a number is text where libvirt reads text', {vnc_listen: 0}, state('vnc_listen = "0"\n'), ['converged']],
  ['null takes out', {user: null}, state(shipped), ['user: "q" -> absent']],
  ['null of what is not there', {spice_sasl: null}, state(shipped), ['converged']],
  ['a list', {namespaces: ['mount']}, state('namespaces = [ ]\n'), ['namespaces: [] -> [ "mount" ]']],
  [
    'layout of a list does not count',
    {namespaces: ['a', 'b']},
    state('namespaces = [\n "a",\n "b"\n]\n'),
    ['converged'],
  ],
  [
    'restart with the change',
    {spice_tls: 1},
    state('', {libvirtd: unit('active', 5000)}),
    ['spice_tls: absent -> 1', 'libvirtd.service: runs with older settings -> restarted'],
  ],
  [
    'restart of what is older than the file',
    {spice_tls: 1},
    state('spice_tls = 1\n', {libvirtd: unit('active', 999)}),
    ['libvirtd.service: runs with older settings -> restarted'],
  ],
  [
    'no restart of what is not older',
    {spice_tls: 1},
    state('spice_tls = 1\n', {libvirtd: unit('active', 1000)}),
    ['converged'],
  ],
  [
    'modular daemon',
    {spice_tls: 1},
    state('spice_tls = 1\n', {libvirtd: noUnit, virtqemud: unit('active', 1)}),
    ['virtqemud.service: runs with older settings -> restarted'],
  ],
  [
    'failed daemon',
    {spice_tls: 1},
    state('spice_tls = 1\n', {libvirtd: unit('failed', 2000)}),
    ['libvirtd.service: failed -> restarted'],
  ],
  ['a broken file', {spice_tls: 1}, state('spice_tls = \n'), ['refuse broken-file']],
  [
    'no certificate directory',
    {spice_tls_x509_cert_dir: '/x'},
    state('', {certificates: [absent]}),
    ['refuse no-certificate-directory'],
  ],
  ['no libvirt', {spice_tls: 1}, {...state(''), file: absent, present: false}, ['refuse no-libvirt']],
  ['libvirt without the file', {spice_tls: 1}, {...state(''), file: absent}, ['spice_tls: absent -> 1']],
  [
    'unreadable',
    {spice_tls: 1},
    state('', {file: fileState('', {content: undefined, denied: true})}),
    ['refuse unreadable'],
  ],
  [
    'passwords are masked',
    {spice_password: 'hush'},
    state('spice_password = "old"\n'),
    ['spice_password: ******** -> ********'],
  ],
];
for (const [title, settings, now, what] of cases) {
  test(title, (t) => t.deepEqual(told(planned(module, {settings}, now)), what));
}

test('restart: false leaves it pending', (t) => {
  const plan = planned(module, {settings: {spice_tls: 1}, restart: false}, state('', {libvirtd: unit('active', 1)}));
  t.deepEqual(doing(plan), ['write /etc/libvirt/qemu.conf']);
  t.deepEqual(plan.pending, ['restart libvirtd.service: it runs with older settings']);
});

test('guests that run with older settings are pending', (t) => {
  const pending = (settings: Record<string, unknown>, guests: unknown[]) =>
    planned(module, {settings}, state('spice_sasl = 1\nspice_tls = 1\n', {guests})).pending?.length;
  t.is(pending({spice_tls: 1}, [guest(999), guest(1000)]), 1);
  t.is(pending({spice_tls: 0}, [guest(5000)]), 1);
  t.is(pending({spice_tls: 1}, [guest(1, {spice: false})]), 0);
  t.is(pending({max_core: 1}, [guest(1, {spice: false})]), 1);
  t.is(pending({spice_sasl: 1}, [guest(5000, {sasl: false})]), 1, 'started by a libvirtd that had not read the file');
});

test('findings', (t) => {
  const codes = (settings: Record<string, unknown>, text: string, more = {}) =>
    planned(module, {settings}, state(text, more)).findings?.map((f) => f.code);
  t.deepEqual(codes({spice_sasl: 1, spice_tls: 0}, ''), ['sasl-without-tls']);
  t.deepEqual(codes({spice_tls: 1}, 'spice_sasl = 1\nspice_password = "x"\n'), ['password-with-sasl']);
  t.deepEqual(codes({spice_listen: '0.0.0.0'}, ''), ['open-console']);
  t.deepEqual(codes({spice_listen: '127.0.0.1'}, ''), []);
  t.deepEqual(codes({mac_filter: 1}, 'vnc_password = "x"\n', {file: fileState('vnc_password = "x"\n')}), [
    'credentials-readable',
  ]);
  const [unknown] = planned(module, {settings: {spice_tsl: 1}}, state('')).findings ?? [];
  t.is(unknown?.help, 'did you mean spice_tls?');
});

test('a written file marks its passwords, old and new', (t) => {
  const plan = planned(
    module,
    {settings: {spice_password: 'hush', spice_tls: 1}},
    state('vnc_password = "vnc secret"\n'),
  );
  if (plan.kind !== 'change') return t.fail();
  const shown = JSON.stringify(plan);
  t.false(shown.includes('hush') || shown.includes('vnc secret'));
  t.true(contentOf(plan).includes('"hush"'));
});

test('parameters', (t) => {
  t.deepEqual(mistakes(module, {settings: {}}), ['missing-param /settings']);
  t.deepEqual(mistakes(module, {settings: {spice_tls: 'yes please'}}), ['bad-setting /settings/spice_tls']);
  t.deepEqual(mistakes(module, {settings: {vnc_listen: ['a']}}), ['bad-setting /settings/vnc_listen']);
  t.deepEqual(mistakes(module, {settings: {namespaces: 'mount'}}), ['bad-setting /settings/namespaces']);
  t.deepEqual(mistakes(module, {settings: {'a b': 1}}), ['bad-setting /settings/a b']);
  t.deepEqual(mistakes(module, {settings: {spice_sasl: 1, spice_password: 'x'}}), [
    'bad-combination /settings/spice_password',
  ]);
  t.deepEqual(mistakes(module, {settings: {security_driver: ['selinux', 'apparmor'], anything: 1.5}}), [
    'bad-setting /settings/anything',
  ]);
});
