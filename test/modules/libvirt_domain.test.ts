import test from 'ava';
import module from '../../modules/libvirt_domain.ts';
import {withDisks, withIdentity} from '../../src/formats/libvirt-redefine.ts';
import {staleReasons, type GuestState} from '../../src/kit/index.ts';
import {absent, debianHost, doing, fileState, mistakes, planned, told} from './bound.ts';

const xml = (more = '', devices = '') =>
  `<domain type='qemu'>\n  <name>imap</name>\n  <uuid>464e242a-5104-411d-ab03-2c5b0e700ebb</uuid>\n  <memory unit='KiB'>65536</memory>\n${more}  <devices>\n    <interface type='network'>\n      <mac address='52:54:00:11:22:33'/>\n      <source network='default'/>\n    </interface>\n${devices}  </devices>\n</domain>\n`;
const disk = (path: string) =>
  `    <disk type='block' device='disk'>\n      <driver name='qemu' type='raw'/>\n      <source dev='${path}'/>\n      <target dev='vda' bus='virtio'/>\n    </disk>\n`;
const spice = (attributes = "port='5900' autoport='no'") =>
  `    <graphics type='spice' ${attributes}>\n      <listen type='address' address='127.0.0.1'/>\n    </graphics>\n`;

const guest = (more: Partial<GuestState> = {}): GuestState => ({
  virsh: true,
  problem: '',
  names: ['imap'],
  xml: xml(),
  live: undefined,
  state: 'shut off',
  autostart: false,
  persistent: true,
  startedS: 0,
  settings: [],
  missingGids: [],
  qemuConf: '',
  saslConf: '',
  validator: false,
  others: new Map(),
  encrypted: [],
  ...more,
});
const running = (more: Partial<GuestState> = {}) => guest({live: xml(), state: 'running', startedS: 100, ...more});
const none = guest({xml: undefined, state: ''});
const state = (now: GuestState, more: object = {}) => ({
  guest: now,
  original: undefined,
  disks: [],
  crypttab: absent,
  ...more,
});
const blank = {
  kind: 'block',
  readable: true,
  sizeBytes: 1,
  contents: {signatures: [], users: [], mounts: [], sizeBytes: 1},
  unclear: undefined,
};
const ext4 = {...blank, contents: {...blank.contents, signatures: [{type: 'ext4', uuid: 'x', label: undefined}]}};

const cases: [string, Record<string, unknown>, unknown, string[] | RegExp][] = [
  ['no libvirt', {}, state(guest({virsh: false})), ['refuse no-libvirt']],
  ['no libvirt, nothing wanted', {state: 'absent'}, state(guest({virsh: false})), ['converged']],
  ['libvirtd is down', {}, state(guest({problem: 'error: failed to connect'})), ['refuse libvirt-down']],
  ['no such guest', {}, state(none), ['refuse no-domain']],
  ['defined', {}, state(guest()), ['converged']],
  ['defined leaves a running guest alone', {}, state(running()), ['converged']],
  ['running', {state: 'running'}, state(guest()), ['state: shut off -> running']],
  ['runs already', {state: 'running'}, state(running()), ['converged']],
  ['paused', {state: 'running'}, state(running({state: 'paused'})), ['state: paused -> running']],
  ['shut off', {state: 'shut_off'}, state(running()), ['state: running -> shut off']],
  ['autostart', {autostart: true}, state(guest()), ['autostart: false -> true']],
  ['no word about autostart', {}, state(guest({autostart: true})), ['converged']],
  ['absent', {state: 'absent'}, state(running()), /^state: running -> shut off\nimap: <domain/],
  ['absent already', {state: 'absent'}, state(none), ['converged']],
  [
    'XML contained',
    {xml: '<domain type="qemu"><name>imap</name><memory unit="MiB">64</memory></domain>'},
    state(guest()),
    ['converged'],
  ],
  [
    'XML differs',
    {xml: '<domain type="qemu"><name>imap</name><memory unit="MiB">128</memory></domain>'},
    state(guest()),
    ['memory: 65536 KiB -> 128 MiB'],
  ],
  [
    'a disk moved',
    {disks: [{path: '/dev/mapper/cr'}]},
    state(guest({xml: xml('', disk('/dev/vg/lv'))}), {disks: [blank]}),
    ['disk vda: /dev/vg/lv, raw -> /dev/mapper/cr, raw'],
  ],
  ['no such disk', {disks: [{path: '/dev/mapper/cr'}]}, state(guest(), {disks: [blank]}), ['refuse no-disk']],
  ['clone of nothing', {clone_from: 'x'}, state(none, {original: none}), ['refuse no-domain']],
  [
    'clone',
    {clone_from: 'x'},
    state(none, {original: guest()}),
    /^imap: absent -> <domain[^]*<uuid>(?!464e242a)[0-9a-f-]{36}<[^]*mac address='52:54:00:(?!11:22:33)/,
  ],
  [
    'clone would share the disk',
    {clone_from: 'x'},
    state(none, {original: guest({xml: xml('', disk('/dev/vg/lv'))})}),
    ['refuse clone-disk'],
  ],
  [
    'clone of a running guest',
    {clone_from: 'x', disks: [{path: '/dev/mapper/cr'}]},
    state(none, {original: running({xml: xml('', disk('/dev/vg/lv'))}), disks: [blank]}),
    ['refuse clone-running'],
  ],
  [
    'clone onto data',
    {clone_from: 'x', disks: [{path: '/dev/mapper/cr'}]},
    state(none, {original: guest({xml: xml('', disk('/dev/vg/lv'))}), disks: [ext4]}),
    ['refuse device-not-empty'],
  ],
  [
    'clone onto a volume',
    {clone_from: 'x', disks: [{path: '/dev/mapper/cr', discard: 'unmap'}]},
    state(none, {original: guest({xml: xml('', disk('/dev/vg/lv'))}), disks: [blank]}),
    /^\/dev\/mapper\/cr: absent -> copy of \/dev\/vg\/lv\nimap: absent -> [^]*discard='unmap'[^]*dev='\/dev\/mapper\/cr'/,
  ],
  [
    'original and clone never together',
    {clone_from: 'x', state: 'running'},
    state(guest(), {original: running()}),
    ['refuse original-running'],
  ],
  [
    'power-cycled when pending',
    {power_cycle: 'if_pending', state: 'running'},
    state(
      running({
        xml: xml('', spice()),
        live: xml('', spice()),
        settings: [{path: '/etc/libvirt/qemu.conf', mtimeS: 101}],
      }),
    ),
    ['power: on since before /etc/libvirt/qemu.conf changed after it was started -> cycled'],
  ],
  ['not power-cycled without need', {power_cycle: 'if_pending', state: 'running'}, state(running()), ['converged']],
];
for (const [title, given, now, expected] of cases)
  test(title, (t) => {
    const lines = told(planned(module, {name: 'imap', ...given}, now));
    if (Array.isArray(expected)) t.deepEqual(lines, expected);
    else t.regex(lines.join('\n'), expected);
  });

const reasons: [string, Partial<GuestState>, RegExp | undefined][] = [
  ['nothing', {}, undefined],
  ['not running', {live: undefined, settings: [{path: '/x', mtimeS: 101}]}, undefined],
  ['older settings', {settings: [{path: '/x', mtimeS: 99}]}, undefined],
  ['newer settings', {settings: [{path: '/x', mtimeS: 101}]}, /^\/x changed/],
  ['new groups', {missingGids: ['45']}, /joined groups/],
  [
    'a plain port that is to go',
    {xml: xml('', spice("tlsPort='20002' autoport='no'"))},
    /definition has changed \(port, tlsPort\)/,
  ],
  ['memory', {xml: xml('  <vcpu>2</vcpu>\n', spice())}, /definition has changed \(vcpu\)/],
  ['the CPU as libvirt spells it out', {xml: xml("  <cpu mode='host-model'/>\n", spice())}, undefined],
  [
    'an address that libvirt chose',
    {xml: xml('', "    <graphics type='spice' port='5900' autoport='no'/>\n")},
    undefined,
  ],
  ['the console removed', {xml: xml()}, /SPICE console/],
];
for (const [title, more, expected] of reasons)
  test(`pending: ${title}`, (t) => {
    const found = staleReasons(running({xml: xml('', spice()), live: xml('', spice()), ...more})).join('; ');
    if (expected === undefined) t.is(found, '');
    else t.regex(found, expected);
  });

test('pending is told, not hidden', (t) => {
  const plan = planned(
    module,
    {name: 'imap', state: 'running'},
    state(running({missingGids: ['45'], xml: xml('', spice()), live: xml('', spice())})),
  );
  t.is(plan.kind, 'converged');
  t.deepEqual(plan.pending, ['power-cycle guest imap: the QEMU account has joined groups after it was started']);
});

test('the console’s password travels over stdin and is not shown', (t) => {
  const given = {name: 'imap', xml: xml('  <vcpu>2</vcpu>\n')};
  const plan = planned(
    module,
    given,
    state(guest({xml: xml('', spice("port='5900' autoport='no' passwd='hidden1'"))})),
  );
  t.notRegex(JSON.stringify(plan), /hidden1/);
  t.notRegex(doing(plan).join('\n'), /hidden1/);
});

test('a clone is the same in check and run, and another on another host', (t) => {
  const plan = (name: string) =>
    told(planned(module, {name: 'imap', clone_from: 'x'}, state(none, {original: guest()}), {...debianHost, name}));
  t.deepEqual(plan('a'), plan('a'));
  t.notDeepEqual(plan('a'), plan('b'));
});

test('a guest that starts with the host on a volume that does not', (t) => {
  const now = guest({autostart: true, xml: xml('', disk('/dev/mapper/cr')), encrypted: ['/dev/mapper/cr']});
  t.is(planned(module, {name: 'imap'}, state(now)).findings?.[0]?.code, 'volume-closed-at-boot');
  t.is(
    planned(module, {name: 'imap'}, state(now, {crypttab: fileState('cr /dev/vg/lv none luks\n')})).findings?.length,
    0,
  );
});

test('a redefinition keeps UUID, MACs and password', (t) => {
  const next = withIdentity(
    '<domain><name>imap</name><devices><interface type="network"/><graphics type="spice"/></devices></domain>',
    xml('', spice("port='1' passwd='p'")),
  );
  const text = next.ok ? next.value : '';
  t.regex(text, /464e242a-5104-411d-ab03-2c5b0e700ebb/);
  t.regex(text, /52:54:00:11:22:33/);
  t.regex(text, /passwd='p'/);
  t.false(withIdentity('<domain/>', xml()).ok);
});

test('a disk in place changes no byte', (t) => {
  const text = xml('', disk('/dev/vg/lv'));
  const same = withDisks(text, [{target: 'vda', kind: 'block', path: '/dev/vg/lv'}]);
  t.is(same.ok ? same.value : '', text);
});

const wrong: [string, Record<string, unknown>, string[]][] = [
  ['XML of another guest', {xml: xml()}, ['other-name /xml']],
  ['broken XML', {xml: '<domain>'}, ['xml-malformed /xml']],
  ['two origins', {name: 'imap', xml: xml(), clone_from: 'x'}, ['bad-combination /clone_from']],
  ['its own clone', {clone_from: 'a'}, ['bad-combination /clone_from']],
  ['one disk twice', {disks: [{path: '/a'}, {path: '/b'}]}, ['same-disk /disks']],
];
for (const [title, given, expected] of wrong)
  test(`check: ${title}`, (t) => t.deepEqual(mistakes(module, {name: 'a', ...given}), expected));
