import test from 'ava';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {applySpice, missingFrom, parseSpice, spiceChanges} from '../../../src/formats/libvirt-xml.ts';
import type {SpiceDesired} from '../../../src/formats/libvirt-xml.ts';

const WANTED = `<domain type='test'>
  <name>debianx</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='i686'>hvm</type></os>
  <devices>
    <controller type='usb'/>
    <disk type='file' device='disk'><source file='/x.img'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='disk'><source file='/y.img'/><target dev='vdb' bus='virtio'/></disk>
    <interface type='network'><mac address='52:54:00:AA:BB:01'/><source network='default'/></interface>
    <interface type='network'><source network='default'/></interface>
    <graphics type='spice' tlsPort='20002' listen='0.0.0.0' keymap='de' defaultMode='secure' passwd='geheim'><gl enable='no'/></graphics>
    <channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>
    <redirdev bus='usb' type='spicevmc'/>
  </devices>
</domain>
`;
// What libvirt 9 made of it.
const PRESENT = `<domain type='test'>
  <name>debianx</name>
  <uuid>7ae63f84-a9e2-4d26-a07c-6c70a4a4a7b3</uuid>
  <memory unit='KiB'>65536</memory>
  <currentMemory unit='KiB'>65536</currentMemory>
  <vcpu placement='static'>1</vcpu>
  <os><type arch='i686' machine='pc-i440fx-7.2'>hvm</type><boot dev='hd'/></os>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/x.img'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/y.img'/><target dev='vdb' bus='virtio'/></disk>
    <controller type='usb' index='0' model='piix3-uhci'/>
    <controller type='virtio-serial' index='0'/>
    <interface type='network'><mac address='52:54:00:57:0f:d8'/><source network='default'/><model type='rtl8139'/></interface>
    <interface type='network'><mac address='52:54:00:aa:bb:01'/><source network='default'/><model type='rtl8139'/></interface>
    <channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/><address type='virtio-serial' controller='0' bus='0' port='1'/></channel>
    <graphics type='spice' tlsPort='20002' autoport='no' listen='0.0.0.0' keymap='de' defaultMode='secure' passwd='geheim'>
      <listen type='address' address='0.0.0.0'/>
      <gl enable='no'/>
    </graphics>
    <redirdev bus='usb' type='spicevmc'><address type='usb' bus='0' port='1'/></redirdev>
  </devices>
</domain>
`;

function missing(wanted: string, present: string): string[] {
  const result = missingFrom(wanted, present);
  if (!result.ok) throw new Error(result.problems[0].message);
  return result.value.map(({path, wanted: a, present: b}) => `${path}: ${String(a)} <- ${String(b)}`);
}

test('what libvirt adds is no drift', (t) => {
  t.deepEqual(missing(WANTED, PRESENT), []);
  t.deepEqual(missing(PRESENT, PRESENT), []);
});

const edits: Record<string, [wanted: [string | RegExp, string], differences: string[]]> = {
  memory: [[/'MiB'>64/, `'GiB'>1`], ['memory: 1 GiB <- 65536 KiB']],
  'another disk image': [[/\/y.img/, '/z.img'], ['devices/disk[vdb]/source@file: /z.img <- /y.img']],
  'a third disk': [
    [/<interface/, `<disk type='file'><target dev='vdc'/></disk><interface`],
    ['devices/disk[vdc]: present <- undefined'],
  ],
  'another address of the card': [
    [/AA:BB:01/, 'AA:BB:02'],
    ['devices/interface[52:54:00:aa:bb:02]: present <- undefined'],
  ],
  'a third card': [[/<graphics/, `<interface type='network'/><graphics`], ['devices/interface: present <- undefined']],
  'a port of the console': [[/20002/, '20003'], ['devices/graphics[spice]@tlsPort: 20003 <- 20002']],
  'where the console listens': [[/0\.0\.0\.0/, '::1'], ['devices/graphics[spice]@listen: ::1 <- 0.0.0.0']],
  'automatic ports': [[/tlsPort='20002'/, `autoport='yes'`], ['devices/graphics[spice]@autoport: yes <- no']],
  password: [[/geheim/, 'anders'], ['devices/graphics[spice]@passwd: ******** <- ********']],
  'an element': [[/<os>/, '<os><smbios mode="host"/>'], ['os/smbios: present <- undefined']],
  'short machine name': [[/arch='i686'/, `arch='i686' machine='pc'`], []],
  'other machine': [[/arch='i686'/, `machine='q35'`], ['os/type@machine: q35 <- pc-i440fx-7.2']],
  'the uuid, written otherwise': [[/<vcpu>/, '<uuid>7AE63F84A9E24D26A07C6C70A4A4A7B3</uuid><vcpu>'], []],
  'another order': [[/(<disk.*)\n(.*<disk.*)\n/, '$2$1'], []],
};
for (const [name, [[pattern, replacement], differences]] of Object.entries(edits)) {
  test(`declared: ${name}`, (t) => {
    const wanted = WANTED.replace(pattern, replacement);
    t.not(wanted, WANTED);
    t.deepEqual(missing(wanted, PRESENT), differences);
  });
}

test('broken XML is a located mistake', (t) => {
  t.false(missingFrom('<domain>', PRESENT).ok);
  t.false(missingFrom(WANTED, '').ok);
});

// libvirt's test driver runs in the client: a definition goes in, and what libvirt understood comes out.
function define(xml: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'libvirt-'));
  try {
    writeFileSync(join(dir, 'x.xml'), xml);
    const script = `define ${join(dir, 'x.xml')}; dumpxml --security-info --inactive debianx`;
    return execFileSync('virsh', ['-q', '-c', 'test:///default', script], {
      encoding: 'utf8',
      timeout: 20_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } finally {
    rmSync(dir, {recursive: true});
  }
}
function hasVirsh(): boolean {
  try {
    execFileSync('virsh', ['--version'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}
const available = hasVirsh();
const real = available ? test : test.skip;
const why = available ? '' : ' (skipped: virsh is not installed)';

real(`libvirt itself adds nothing that counts as drift${why}`, (t) => {
  t.deepEqual(missing(WANTED, define(WANTED)), []);
});

const consoles: SpiceDesired[] = [
  {tlsPort: 20003, listen: {kind: 'address', address: '127.0.0.1'}, channels: {main: 'secure', display: 'any'}},
  {autoport: true},
  {port: 5900, tlsPort: 'none', defaultMode: 'any', password: null, keymap: null},
  {
    listen: {kind: 'network', network: 'default'},
    imageCompression: 'off',
    jpegCompression: 'never',
    zlibCompression: 'always',
    playbackCompression: false,
  },
  {
    streaming: 'filter',
    copypaste: false,
    filetransfer: false,
    mouse: 'server',
    gl: true,
    rendernode: '/dev/dri/renderD128',
  },
  {port: 'none', tlsPort: 'none', listen: {kind: 'socket', path: '/run/spice.sock'}},
  {port: 'none', tlsPort: 'none', listen: {kind: 'none'}, password: 'x', passwordValidTo: '2027-01-31T15:30:00'},
  {port: 5900, passwordValidTo: '2027-01-31T15:30:00'},
];
for (const desired of consoles) {
  real(`libvirt understands ${JSON.stringify(desired)} as we do${why}`, (t) => {
    for (const start of [WANTED, define(WANTED), WANTED.replace(/<graphics.*\n/, '\n')]) {
      const edited = applySpice(start, desired);
      if (!edited.ok) return t.fail();
      const view = parseSpice(define(edited.value));
      t.deepEqual(view.ok && spiceChanges(view.value, desired), []);
    }
  });
}
