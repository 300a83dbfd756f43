import test from 'ava';
import {reveal} from '../../src/kit/index.ts';
import module from '../../modules/saslauthd.ts';
import {absent, doing, fileState, mistakes, planned, suseHost, told} from './bound.ts';

const debian = '/etc/default/saslauthd';
const shipped = '# START is not here\nMECHANISMS="pam"\nTHREADS=5\nOPTIONS="-c -m /var/run/saslauthd"\n';
const good = 'MECHANISMS="pam"\nOPTIONS="-m /var/run/saslauthd"\nSTART=yes\n';
const args = (text: string) => text.split(' ');
const process = args('-a pam -m /var/run/saslauthd -n 5');
const unit = (more = {}) => ({
  type: 'unit',
  load: 'loaded',
  active: 'active',
  sub: 'exited',
  enabled: 'generated',
  startedS: 2000,
  mainPid: 0,
  needsReload: false,
  fragmentPath: '',
  ...more,
});
const qemu = (groups: string[]) => ({
  type: 'account',
  uid: 64055,
  gid: 105,
  gecos: '',
  home: '/',
  shell: '',
  primaryGroup: 'kvm',
  groups,
});
const runs = (more = {}) => ({
  installed: true,
  enabled: 'enabled',
  processes: [process, process],
  sockets: new Set(['/run/saslauthd/mux', '/run/sasl2/mux']),
  ...more,
});
const state = (text: string | undefined, more: Record<string, unknown> = {}) => ({
  // Debian's file, then the one of sysconfig
  configs: [text === undefined ? absent : fileState(text), text === undefined ? absent : fileState(text)],
  folders: [
    {type: 'directory', group: 'sasl'},
    {type: 'directory', group: 'root'},
  ],
  unit: unit(),
  running: runs(),
  groups: [{type: 'group', gid: 45, members: []}],
  clients: [qemu(['kvm', 'sasl']), absent],
  guests: [],
  ...more,
});
const guest = (gids: number[], sasl = true) => ({name: 'g', startedS: 1, spice: true, sasl, tlsDir: '', gids});
const wish = {mechanism: 'pam', cache: false};

const cases: [string, Record<string, unknown>, ReturnType<typeof state>, string[]][] = [
  ['as declared', wish, state(good), ['converged']],
  [
    'as shipped',
    wish,
    state(shipped, {
      running: runs({processes: [], sockets: new Set(), enabled: 'disabled'}),
      clients: [qemu(['kvm']), absent],
    }),
    [
      'START: absent -> yes',
      'OPTIONS: -c -m /var/run/saslauthd -> -m /var/run/saslauthd',
      'member of sasl: absent -> libvirt-qemu',
      'at boot: not started -> started',
      'saslauthd: not running -> running',
    ],
  ],
  [
    'active, and nothing runs',
    wish,
    state(good, {running: runs({processes: [], sockets: new Set()})}),
    ['saslauthd: not running (the unit says active) -> running'],
  ],
  [
    'a process without its socket',
    wish,
    state(good, {running: runs({sockets: new Set()})}),
    ['saslauthd: runs without the socket /run/saslauthd/mux -> running'],
  ],
  [
    'the cache of the running process counts',
    wish,
    state(good, {running: runs({processes: [['-a', 'pam', '-cm', '/var/run/saslauthd']]})}),
    ['saslauthd: runs with the cache -> running'],
  ],
  [
    'the mechanism of the running process counts',
    wish,
    state(good, {running: runs({processes: [['-ashadow']]})}),
    ['saslauthd: runs with mechanism shadow -> running'],
  ],
  [
    'older than its settings',
    wish,
    state(good, {unit: unit({startedS: 999})}),
    ['saslauthd: runs with older settings -> running'],
  ],
  [
    'socket folder of another group',
    wish,
    state(good, {folders: [{type: 'directory', group: 'root'}]}),
    ['saslauthd: its socket is closed to group sasl -> running'],
  ],
  ['omitted is left as it is', {}, state('MECHANISMS="shadow"\nOPTIONS="-c -m /x"\nSTART=yes\n'), ['converged']],
  [
    "Debian's empty options have the cache",
    wish,
    state('MECHANISMS=pam\nSTART=yes\nOPTIONS=""\n'),
    ['OPTIONS:  -> -m /run/saslauthd', 'saslauthd: runs with older settings -> running'],
  ],
  [
    'the cache wanted',
    {cache: true},
    state(good),
    ['OPTIONS: -m /var/run/saslauthd -> -c -m /var/run/saslauthd', 'saslauthd: runs with older settings -> running'],
  ],
  ['not at boot', {enabled: false}, state(good), ['at boot: started -> not started']],
  ['absent', {state: 'absent'}, state(good), ['saslauthd: running -> stopped', 'at boot: started -> not started']],
  [
    'absent already',
    {state: 'absent'},
    state(undefined, {running: runs({installed: false, enabled: '', processes: []})}),
    ['converged'],
  ],
  ['not installed', wish, state(undefined, {running: runs({installed: false})}), ['refuse no-package']],
  ['masked', wish, state(good, {unit: unit({load: 'masked'})}), ['refuse masked']],
  ['no systemd', wish, state(good, {unit: {type: 'none'}}), ['refuse no-systemd']],
  ['no group', wish, state(good, {groups: [absent]}), ['refuse no-group']],
  ['a client that does not exist', {clients: ['x']}, state(good, {clients: [absent]}), ['refuse no-account']],
  ['no QEMU here', wish, state(good, {clients: [absent, absent]}), ['converged']],
  ['root needs no group', {clients: ['root']}, state(good, {clients: [{...qemu([]), uid: 0, gid: 0}]}), ['converged']],
];
for (const [title, given, now, what] of cases) test(title, (t) => t.deepEqual(told(planned(module, given, now)), what));

test('the order: settings, membership, boot, restart that waits for the socket', (t) => {
  const plan = planned(
    module,
    wish,
    state(shipped, {running: runs({processes: [], enabled: 'disabled'}), clients: [qemu([]), absent]}),
  );
  t.deepEqual(
    doing(plan).map((line) => line.slice(0, 36)),
    [
      `write ${debian}`,
      'gpasswd -a libvirt-qemu sasl',
      'systemctl enable saslauthd.service',
      '/bin/sh -c systemctl restart saslaut',
    ],
  );
  const op = plan.kind === 'change' ? plan.ops[0] : undefined;
  t.is(
    op?.op === 'write' && typeof op.content === 'string' ? reveal(op.content) : '',
    '# START is not here\nMECHANISMS="pam"\nTHREADS=5\nOPTIONS="-m /var/run/saslauthd"\nSTART=yes\n',
  );
});

test("openSUSE's names, and no group", (t) => {
  const now = state('SASLAUTHD_AUTHMECH=pam\nSASLAUTHD_PARAMS="-c"\n', {clients: [absent, qemu([])], groups: [absent]});
  t.deepEqual(told(planned(module, wish, now, suseHost)), [
    'SASLAUTHD_PARAMS: -c -> ',
    'saslauthd: runs with older settings -> running',
  ]);
});

test('guests that were started outside the group are pending', (t) => {
  const pending = (guests: unknown[]) => planned(module, wish, state(good, {guests})).pending?.length;
  t.is(pending([guest([105]), guest([105, 45])]), 1);
  t.is(pending([guest([105], false)]), 0);
});

test('the cache is a finding where nobody has switched it off', (t) => {
  const now = state('OPTIONS="-c -m /x"\nSTART=yes\n', {running: runs({processes: [args('-a pam -c')]})});
  t.deepEqual(
    planned(module, {}, now).findings?.map((f) => f.code),
    ['password-cache'],
  );
  t.deepEqual(planned(module, wish, now).findings, []);
});

test('parameters', (t) => {
  t.deepEqual(mistakes(module, {mechanism: 'PAM!'}).length, 1);
  t.deepEqual(mistakes(module, {state: 'absent', cache: false}), ['bad-combination /state']);
  t.deepEqual(mistakes(module, {}), []);
});
