import test from 'ava';
import module from '../../modules/spice_graphics.ts';
import type {GuestState} from '../../src/kit/index.ts';
import {doing, mistakes, planned, told} from './bound.ts';

const domain = (graphics: string, name = 'imap', more = '') =>
  `<domain type='kvm'>\n  <name>${name}</name>\n  <uuid>464e242a-5104-411d-ab03-2c5b0e700ebb</uuid>\n  <devices>\n${graphics}${more}    <video>\n      <model type='qxl'/>\n    </video>\n  </devices>\n</domain>\n`;
const spice = (attributes: string, children = "<listen type='address' address='127.0.0.1'/>") =>
  `    <graphics type='spice' ${attributes}>\n      ${children}\n    </graphics>\n`;
const loopback = domain(spice("port='20001' autoport='no' defaultMode='insecure'"));
const tls = domain(
  spice("tlsPort='20002' autoport='no' defaultMode='secure'", "<listen type='address' address='0.0.0.0'/>"),
);
const sasl = 'spice_tls = 1\nspice_sasl = 1\n';

const guest = (xml: string | undefined, more: Partial<GuestState> = {}): GuestState => ({
  virsh: true,
  problem: '',
  names: ['imap'],
  xml,
  live: undefined,
  state: 'shut off',
  autostart: false,
  persistent: true,
  startedS: 0,
  settings: [],
  missingGids: [],
  qemuConf: '',
  saslConf: '',
  validator: true,
  others: new Map(),
  encrypted: [],
  ...more,
});
const wanted = {tls_port: 20002, port: 'none', autoport: false, listen: '0.0.0.0', default_mode: 'secure'};

const cases: [string, Record<string, unknown>, GuestState, string[]][] = [
  ['no libvirt', wanted, guest(undefined, {virsh: false}), ['refuse no-libvirt']],
  ['libvirtd is down', wanted, guest(undefined, {problem: 'error: no'}), ['refuse libvirt-down']],
  ['no such guest', wanted, guest(undefined), ['refuse no-domain']],
  ['nothing said, nothing done', {}, guest(loopback), ['converged']],
  ['as declared', wanted, guest(tls, {qemuConf: sasl}), ['converged']],
  [
    'from loopback to TLS',
    wanted,
    guest(loopback, {qemuConf: sasl}),
    [
      'port: 20001 -> none',
      'tlsPort: none -> 20002',
      'listen: 127.0.0.1 -> 0.0.0.0',
      'defaultMode: insecure -> secure',
    ],
  ],
  [
    'a guest without a console gets one',
    {port: 20001, listen: '127.0.0.1', autoport: false},
    guest(domain('')),
    ['graphics: absent -> spice', 'autoport: absent -> no', 'port: absent -> 20001', 'listen: absent -> 127.0.0.1'],
  ],
  [
    'options',
    {
      keymap: 'de',
      image_compression: 'glz',
      gl: false,
      clipboard: false,
      file_transfer: false,
      mouse: 'server',
      streaming: 'all',
    },
    guest(loopback),
    [
      'keymap: absent -> de',
      'image compression: auto_glz -> glz',
      'streaming mode: off -> all',
      'clipboard copypaste: yes -> no',
      'filetransfer enable: yes -> no',
      'mouse mode: client -> server',
    ],
  ],
  ['TLS without spice_tls', wanted, guest(loopback), ['refuse no-tls']],
  ['password with SASL', {password: 'p'}, guest(loopback, {qemuConf: sasl}), ['refuse password-with-sasl']],
  [
    'a password that is there, with SASL',
    {keymap: 'de'},
    guest(domain(spice("port='1' autoport='no' passwd='p'")), {qemuConf: sasl}),
    ['refuse password-with-sasl'],
  ],
  [
    '… and taken away',
    {password: ''},
    guest(domain(spice("port='1' autoport='no' passwd='p'")), {qemuConf: sasl}),
    ['passwd: ******** -> absent'],
  ],
  ['password', {password: 'p'}, guest(loopback), ['passwd: absent -> ********']],
  [
    'compression on a socket',
    {listen: {socket: '/run/x'}, port: 'none', tls_port: 'none'},
    guest(domain(spice("port='1' autoport='no'", "<listen type='address'/><image compression='glz'/>"))),
    ['refuse compression-on-socket'],
  ],
  [
    'clear-text mechanisms on a plain port',
    {...wanted, port: 20001, default_mode: 'any'},
    guest(tls, {qemuConf: sasl, saslConf: 'mech_list: plain\n'}),
    ['refuse cleartext-password'],
  ],
  [
    '… which loopback may have',
    {port: 20001},
    guest(loopback, {qemuConf: sasl, saslConf: 'mech_list: plain\n'}),
    ['converged'],
  ],
  [
    'the port of another guest',
    {port: 20005},
    guest(loopback, {
      others: new Map([
        ['imap', loopback],
        ['web', domain(spice("port='20005' autoport='no'"), 'web')],
      ]),
    }),
    ['refuse port-taken'],
  ],
  [
    'the same port on another address',
    {port: 20005},
    guest(loopback, {
      others: new Map([
        ['web', domain(spice("port='20005' autoport='no'", "<listen type='address' address='10.0.0.1'/>"), 'web')],
      ]),
    }),
    ['port: 20001 -> 20005'],
  ],
  ['absent', {state: 'absent'}, guest(loopback), ['graphics: spice -> absent']],
  ['absent already', {state: 'absent'}, guest(domain('')), ['converged']],
  [
    'absent, but needed',
    {state: 'absent'},
    guest(
      domain(
        spice("port='1'"),
        'imap',
        "    <channel type='spicevmc'>\n      <target type='virtio' name='com.redhat.spice.0'/>\n    </channel>\n",
      ),
    ),
    ['refuse spice-needed'],
  ],
];
for (const [title, given, now, expected] of cases)
  test(title, (t) => t.deepEqual(told(planned(module, {domain: 'imap', ...given}, now)), expected));

const findings: [string, Record<string, unknown>, GuestState, string[]][] = [
  ['none', wanted, guest(tls, {qemuConf: sasl}), []],
  [
    'clients fall back',
    {...wanted, port: 20001, default_mode: 'any'},
    guest(tls, {qemuConf: sasl, saslConf: 'mech_list: scram-sha-256\n'}),
    ['tls-fallback', 'tls-not-enforced'],
  ],
  ['open', {listen: '0.0.0.0'}, guest(loopback), ['open-console']],
  [
    'open through qemu.conf',
    {},
    guest(domain(spice("port='1' autoport='no'", "<listen type='address'/>")), {
      qemuConf: 'spice_listen = "0.0.0.0"\n',
    }),
    ['open-console'],
  ],
  ['a password closes it', {listen: '0.0.0.0', password: 'p'}, guest(loopback), []],
  [
    'one channel without TLS',
    {...wanted, channels: {display: 'insecure'}},
    guest(tls, {qemuConf: sasl}),
    ['insecure-channel'],
  ],
];
for (const [title, given, now, expected] of findings)
  test(`findings: ${title}`, (t) =>
    t.deepEqual(
      (planned(module, {domain: 'imap', ...given}, now).findings ?? []).map((one) => one.code),
      expected,
    ));

test('a running guest is reported, and stays', (t) => {
  const plan = planned(
    module,
    {domain: 'imap', ...wanted},
    guest(loopback, {qemuConf: sasl, live: loopback, state: 'running'}),
  );
  t.deepEqual(doing(plan), ['virsh -q -c qemu:///system define --validate /dev/stdin']);
  t.regex(plan.pending?.[0] ?? '', /^power-cycle guest imap: its definition has changed \(port, tlsPort, listen\)/);
  const after = planned(
    module,
    {domain: 'imap', ...wanted},
    guest(tls, {qemuConf: sasl, live: loopback, state: 'running'}),
  );
  t.is(after.kind, 'converged');
  t.is(after.pending?.length, 1);
});

test('a running guest is power-cycled when asked', (t) => {
  const plan = planned(
    module,
    {domain: 'imap', ...wanted, running: 'restart'},
    guest(loopback, {qemuConf: sasl, live: loopback, state: 'running'}),
  );
  t.is(doing(plan).length, 3);
  t.regex(doing(plan)[1] ?? '', /shutdown/);
  t.is(plan.pending, undefined);
});

test('a password changes live, over stdin, and shows nowhere', (t) => {
  const plan = planned(
    module,
    {domain: 'imap', password: 'hidden1', running: 'live'},
    guest(loopback, {live: loopback, state: 'running'}),
  );
  t.deepEqual(doing(plan), [
    'virsh -q -c qemu:///system define --validate /dev/stdin',
    'virsh -q -c qemu:///system update-device imap /dev/stdin --live',
  ]);
  t.is(plan.pending, undefined);
  t.notRegex(JSON.stringify(plan), /hidden1/);
  t.notRegex(doing(plan).join(), /hidden1/);
});

test('a password that nobody declares survives the edit', (t) => {
  const plan = planned(
    module,
    {domain: 'imap', keymap: 'de'},
    guest(domain(spice("port='1' autoport='no' passwd='kept1'"))),
  );
  const op = plan.kind === 'change' ? plan.ops[0] : undefined;
  t.regex(
    op?.op === 'run' && typeof op.stdin === 'object' ? op.stdin.reveal() : '',
    /passwd='kept1'[^]*464e242a|464e242a[^]*passwd='kept1'/,
  );
});

const wrong: [string, Record<string, unknown>, string[]][] = [
  ['numbers under autoport', {autoport: true, port: 1}, ['bad-combination /autoport']],
  ['one port twice', {tls_port: 2, port: 2}, ['same-port /tls_port']],
  ['two listeners', {listen: {address: '::1', socket: '/x'}}, ['bad-listen /listen']],
  [
    'compression on a socket',
    {listen: {socket: '/x'}, image_compression: 'off'},
    ['compression-on-socket /image_compression'],
  ],
  ['no such channel', {channels: {sound: 'secure'}}, ['no-channel /channels/sound']],
  ['a long password', {password: 'x'.repeat(61)}, ['long-password /password']],
  ['fine', {...wanted, password_valid_to: '2027-01-01T00:00:00'}, []],
];
for (const [title, given, expected] of wrong)
  test(`check: ${title}`, (t) => t.deepEqual(mistakes(module, {domain: 'imap', ...given}), expected));
