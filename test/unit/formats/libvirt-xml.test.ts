import test from 'ava';
import fc from 'fast-check';
import {Secret} from '../../../src/base/secret.ts';
import {
  applySpice,
  cloneDomain,
  maskXml,
  parseDomain,
  parseSpice,
  removeSpice,
  secretXml,
  secretsIn,
  SPICE_CHANNELS,
  spiceChanges,
} from '../../../src/formats/libvirt-xml.ts';
import type {SpiceDesired, SpiceGraphics} from '../../../src/formats/libvirt-xml.ts';
import type {Result} from '../../../src/base/result.ts';

const GRAPHICS = `    <graphics type='spice' tlsPort="20002" autoport='no' listen='0.0.0.0'
              keymap='de' defaultMode='secure' passwd='ge&quot;heim'>
      <listen type='address' address='0.0.0.0'/>
      <channel name='main' mode='secure'/>
      <!-- inside -->
      <image compression='auto_glz'/>
      <gl enable='no'/>
    </graphics>`;
const DOMAIN = `<?xml version='1.0'?>
<!-- edited by hand > "really" -->
<domain type='kvm' id='7' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>debianx</name>
  <uuid>89F288C9-0f22-4be0-89ac-f1e6051e6e12</uuid>
  <title>A &amp; B</title>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><nvram>/var/lib/libvirt/qemu/nvram/debianx_VARS.fd</nvram></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/var/lib/libvirt/images/x.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>
    <interface type='network'>
      <mac address='52:54:00:57:0F:d8'/>
      <source network='default'/>
      <target dev='vnet3'/>
      <model type='virtio'/>
    </interface>
    <channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>
${GRAPHICS}
    <sound model='ich6'/>
    <video><model type='qxl' heads='1'/></video>
    <redirdev bus='usb' type='spicevmc'/>
  </devices>
  <seclabel type='dynamic' model='apparmor'/>
  <qemu:commandline>
    <qemu:arg value='-foo "a > b"'/>
  </qemu:commandline>
</domain>
`;

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.problems[0].message);
  return result.value;
}
const code = (result: Result<unknown>): string | undefined => (result.ok ? undefined : result.problems[0].code);
const domainWith = (graphics: string): string => DOMAIN.replace(GRAPHICS, graphics);
const spiceOf = (graphics: string): SpiceGraphics => {
  const spice = value(parseSpice(domainWith(graphics)));
  if (spice === undefined) throw new Error('no console');
  return spice;
};

test('the view of a domain', (t) => {
  const domain = value(parseDomain(DOMAIN));
  t.like(domain, {
    name: 'debianx',
    type: 'kvm',
    uuid: '89f288c9-0f22-4be0-89ac-f1e6051e6e12',
    id: 7,
    title: 'A & B',
    graphics: ['spice'],
    video: ['qxl'],
    sound: ['ich6'],
    spiceDependents: ['channel com.redhat.spice.0', 'redirdev usb'],
  });
  t.like(domain.disks[0], {
    target: 'vda',
    type: 'file',
    source: '/var/lib/libvirt/images/x.qcow2',
    format: 'qcow2',
    bus: 'virtio',
    readonly: false,
  });
  t.like(domain.disks[1], {target: 'sda', device: 'cdrom', source: undefined, readonly: true});
  t.deepEqual(domain.interfaces, [{type: 'network', mac: '52:54:00:57:0f:d8', source: 'default', model: 'virtio'}]);
  t.like(domain.spice, {
    port: 'none',
    tlsPort: 20002,
    autoport: false,
    listen: {kind: 'address', address: '0.0.0.0'},
    defaultMode: 'secure',
    channels: {main: 'secure'},
    keymap: 'de',
    imageCompression: 'auto_glz',
    gl: false,
    copypaste: true,
    mouse: 'client',
  });
  t.is(domain.spice?.password?.reveal(), 'ge"heim');
});

test('what is no domain is said so', (t) => {
  for (const xml of [
    '',
    'hello',
    '<domain>',
    '<domain><name>x</domain>',
    '<domain><name>x</name></domain><a/>',
    '<!DOCTYPE x [<!ENTITY a "b">]><domain/>',
  ]) {
    t.is(code(parseDomain(xml)), 'xml-malformed', xml);
  }
  t.is(code(parseDomain('<network><name>x</name></network>')), 'not-a-domain');
  t.is(code(parseDomain('<domain/>')), 'not-a-domain');
});

const sameMeaning: [string, string, SpiceDesired][] = [
  [
    'listen as an attribute',
    `<graphics type='spice' port='5900' listen='127.0.0.1'/>`,
    {listen: {kind: 'address', address: '127.0.0.1'}, port: 5900},
  ],
  ['automatic by -1', `<graphics type='spice' port='-1' tlsPort='-1'/>`, {autoport: true, port: 5901}],
  [
    'no default mode is any',
    `<graphics type='spice' port='5900'/>`,
    {defaultMode: 'any', tlsPort: 'none', autoport: false},
  ],
  [
    'a channel has the default mode',
    `<graphics type='spice' tlsPort='1' defaultMode='secure'/>`,
    {channels: {main: 'secure'}},
  ],
  [
    'defaults of QEMU',
    `<graphics type='spice' port='5900'/>`,
    {
      imageCompression: 'auto_glz',
      gl: false,
      copypaste: true,
      filetransfer: true,
      streaming: 'off',
      playbackCompression: true,
    },
  ],
  ['nothing asked', `<graphics type='spice' autoport='yes'/>`, {}],
];
for (const [name, graphics, desired] of sameMeaning) {
  test(`means the same: ${name}`, (t) => {
    const xml = domainWith(graphics);
    t.deepEqual(spiceChanges(value(parseSpice(xml)), desired), []);
    t.is(value(applySpice(xml, desired)), xml);
  });
}

test('an edit changes what it means and not a byte more', (t) => {
  const edited = value(
    applySpice(DOMAIN, {
      tlsPort: 20003,
      listen: {kind: 'address', address: '127.0.0.1'},
      keymap: null,
      channels: {main: 'any', display: 'insecure', inputs: 'secure'},
      imageCompression: 'quic',
      copypaste: false,
      password: null,
      gl: true,
      rendernode: '/dev/dri/renderD128',
    }),
  );
  t.is(
    edited,
    domainWith(`    <graphics type='spice' tlsPort="20003" autoport='no' defaultMode='secure'>
      <listen type='address' address='127.0.0.1'/>
      <!-- inside -->
      <image compression='quic'/>
      <gl enable='yes' rendernode='/dev/dri/renderD128'/>
      <channel name='display' mode='insecure'/>
      <clipboard copypaste='no'/>
    </graphics>`),
  );
});

test('changes are named in the words of the XML, passwords stay hidden', (t) => {
  const changes = spiceChanges(value(parseSpice(DOMAIN)), {
    port: 5900,
    listen: {kind: 'none'},
    password: Secret.of('other'),
    imageCompression: 'off',
  });
  t.deepEqual(JSON.parse(JSON.stringify(changes)), [
    {what: 'port', before: 'none', after: '5900'},
    {what: 'listen', before: '0.0.0.0', after: 'none'},
    {what: 'image compression', before: 'auto_glz', after: 'off'},
    {what: 'passwd', before: '********', after: '********'},
  ]);
});

test('a console where there was none', (t) => {
  const bare = `<domain type='kvm'>\n  <name>x</name>\n  <devices>\n    <emulator>/usr/bin/q</emulator>\n  </devices>\n</domain>\n`;
  const desired: SpiceDesired = {
    tlsPort: 20002,
    listen: {kind: 'address', address: '0.0.0.0'},
    defaultMode: 'secure',
    gl: false,
  };
  t.is(
    value(applySpice(bare, desired)),
    bare.replace(
      '\n  </devices>',
      `
    <graphics type='spice' tlsPort='20002' autoport='no' defaultMode='secure'>
      <listen type='address' address='0.0.0.0'/>
      <gl enable='no'/>
    </graphics>
  </devices>`,
    ),
  );
  t.like(spiceChanges(undefined, desired)[0], {what: 'graphics', after: 'spice'});
  for (const small of [
    `<domain type='kvm'/>`,
    `<domain type='kvm'><devices/></domain>`,
    `<domain type='kvm'><devices></devices></domain>`,
  ]) {
    t.is(value(parseSpice(value(applySpice(small, {}))))?.autoport, true, small);
  }
});

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, {nil: undefined});
const mode = fc.constantFrom('secure' as const, 'insecure' as const, 'any' as const);
const port = fc.oneof(fc.integer({min: 1, max: 65535}), fc.constant('none' as const));
const desiredConsole = fc
  .record({
    port: optional(port),
    tlsPort: optional(port),
    autoport: optional(fc.boolean()),
    listen: optional(
      fc.constantFrom(
        {kind: 'address', address: '::1'} as const,
        {kind: 'address'} as const,
        {kind: 'network', network: 'lan'} as const,
        {kind: 'socket', path: '/run/a&b'} as const,
        {kind: 'none'} as const,
      ),
    ),
    defaultMode: optional(mode),
    channels: optional(fc.dictionary(fc.constantFrom(...SPICE_CHANNELS), mode)),
    keymap: optional(fc.constantFrom('de', 'en-us', null)),
    password: optional(
      fc.oneof(fc.constant(null), fc.string({unit: fc.constantFrom('a', '"', "'", '<', '&', '>', ' ', 'ü', '\t')})),
    ),
    imageCompression: optional(fc.constantFrom('off', 'quic', 'auto_glz')),
    streaming: optional(fc.constantFrom('filter', 'all', 'off')),
    copypaste: optional(fc.boolean()),
    mouse: optional(fc.constantFrom('client', 'server')),
    gl: optional(fc.boolean()),
    rendernode: optional(fc.constantFrom('/dev/dri/x', null)),
  })
  .map((all) => Object.fromEntries(Object.entries(all).filter(([, one]) => one !== undefined)) as SpiceDesired);

const consoles = [
  GRAPHICS,
  '',
  `<graphics type='spice'/>`,
  `<graphics type='spice' autoport='yes' listen='1.2.3.4'/>`,
  `<graphics type='spice' port='-1' tlsPort='-1'></graphics>`,
  `<graphics port="5900" type="spice"><listen type='address'/><listen type='none'/></graphics>`,
  `<graphics type='spice' port='5900' tlsPort='5901'>\n<gl enable='yes' rendernode='/dev/dri/y'/><channel name="cursor" mode="any"/></graphics>`,
];
test('what is applied is there, and applying it again changes nothing', (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...consoles), desiredConsole, (graphics, desired) => {
      const xml = domainWith(graphics);
      const edited = value(applySpice(xml, desired));
      t.deepEqual(spiceChanges(value(parseSpice(edited)), desired), [], edited);
      t.is(value(applySpice(edited, desired)), edited);
      const [head, tail] = DOMAIN.split(GRAPHICS);
      t.true(edited.startsWith((head ?? '').trimEnd()));
      t.true(graphics === '' || edited.endsWith((tail ?? '').trimStart()));
      t.is(edited === xml, graphics !== '' && spiceChanges(spiceOf(graphics), desired).length === 0);
    }),
    {numRuns: 500},
  );
});

test('taking the console away', (t) => {
  t.is(code(removeSpice(DOMAIN, {cascade: false})), 'spice-needed');
  const gone = value(removeSpice(DOMAIN, {cascade: true}));
  t.notRegex(gone, /spice/);
  t.regex(gone, /<sound model='ich6'\/>\n {4}<video>/);
  t.is(value(removeSpice(gone, {cascade: false})), gone);
  const alone = DOMAIN.replace(/.*type='spicevmc'.*\n/g, '');
  t.is(value(removeSpice(alone, {cascade: false})), alone.replace(`\n${GRAPHICS}`, ''));
});

test('passwords in XML', (t) => {
  const xml = DOMAIN.replace(
    '<sound',
    `<graphics type="vnc" passwd="a'b&#x41;"/><graphics type='vnc' passwd=''/><sound`,
  );
  t.deepEqual(
    secretsIn(xml).map((one) => one.reveal()),
    ['ge"heim', "a'bA"],
  );
  t.notRegex(maskXml(xml), /heim|a'b/);
  t.regex(maskXml(xml), /passwd='\*{8}'>/);
  const marked = secretXml(xml);
  t.true(marked instanceof Secret && marked.reveal() === xml);
  t.is(secretXml('<domain/>'), '<domain/>');
  t.notRegex(maskXml(`<broken <graphics passwd='geheim'`), /geheim/);
});

test('a clone has nothing of its own in common with the original', (t) => {
  const clone = value(
    cloneDomain(DOMAIN, {
      name: 'second & last',
      uuid: '00000000-0000-4000-8000-000000000001',
      disks: [{target: 'vda', kind: 'block', path: '/dev/mapper/cr_imap', discard: 'unmap'}],
    }),
  );
  const view = value(parseDomain(clone));
  t.like(view, {name: 'second & last', uuid: '00000000-0000-4000-8000-000000000001', id: undefined});
  t.like(view.disks[0], {type: 'block', source: '/dev/mapper/cr_imap', format: 'raw', discard: 'unmap'});
  t.is(view.interfaces[0]?.mac, undefined);
  t.notRegex(clone, /vnet3|VARS|qcow2/);
  t.true(clone.includes(GRAPHICS) && clone.includes(`value='-foo "a > b"'`));

  const named = value(
    cloneDomain(DOMAIN, {
      name: 'n',
      uuid: 'u',
      macs: ['52:54:00:00:00:01'],
      disks: [{target: 'vda', kind: 'file', path: '/y', format: 'raw'}],
    }),
  );
  t.is(value(parseDomain(named)).interfaces[0]?.mac, '52:54:00:00:00:01');
  t.is(code(cloneDomain(DOMAIN, {name: 'n', uuid: 'u'})), 'clone-disk');
  t.is(
    code(cloneDomain(DOMAIN, {name: 'n', uuid: 'u', disks: [{target: 'vdb', kind: 'file', path: '/y'}]})),
    'clone-disk',
  );
});
