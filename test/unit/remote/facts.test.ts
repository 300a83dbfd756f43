import {hostname} from 'node:os';
import test from 'ava';
import {factsProbe, parseFacts} from '../../../src/engine/facts.ts';
import type {RawRead} from '../../../src/kit/reads.ts';
import {eachShell, verdict} from './lower-shells.ts';

const head = (files: Record<string, string>): string =>
  Object.entries(files)
    .map(([path, text], i) => `${i === 0 ? '' : '\n'}==> ${path} <==\n${text}`)
    .join('');
const facts = (top: string, files: Record<string, string>) =>
  parseFacts({exit: 0, stdout: Buffer.from(`${top}==== files\n${head(files)}`), stderr: Buffer.alloc(0)}, 'all');

const leap = `NAME="openSUSE Leap"\nVERSION="15.6"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"\nPRETTY_NAME="openSUSE Leap 15.6"\n`;
const top = `has /usr/bin/zypper
has /usr/bin/systemctl
has /run/systemd/system
has /dev/kvm
x86_64
root:x:0:0:The Admin:/root:/bin/bash
2025|11|Monday|1|47|24|04|05|06|1763957106|CET|+0100
==== addresses
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: eth0    inet 10.77.0.11/24 brd 10.77.0.255 scope global eth0\\       valid_lft forever preferred_lft forever
2: eth0    inet 10.77.0.12/24 brd 10.77.0.255 scope global secondary eth0:1\\       valid_lft forever preferred_lft forever
2: eth0    inet6 fe80::1/64 scope link \\       valid_lft forever preferred_lft forever
5: vnet0@if2    inet6 fd00::5/48 scope global \\       valid_lft forever preferred_lft forever
==== route4
8.8.8.8 via 10.77.0.1 dev eth0 src 10.77.0.11 uid 0 \\    cache
default via 10.77.0.1 dev eth0
==== route6
==== space
4096 1000 400 100 60
`;
const files = {
  '/etc/os-release': leap,
  '/proc/sys/kernel/ostype': 'Linux\n',
  '/proc/sys/kernel/hostname': 'kvm1\n',
  '/proc/sys/kernel/osrelease': '6.4.0-default\n',
  '/proc/sys/kernel/version': '#1 SMP\n',
  '/etc/hosts': '127.0.0.1 localhost\n# 10.0.0.1 kvm1\n10.77.0.11\tkvm1 kvm1.lab.example  # us\n',
  '/etc/machine-id': 'abc\n',
  '/proc/1/comm': 'systemd\n',
  '/proc/self/environ': 'HOME=/root\0A=b=c\n\0',
  '/proc/uptime': '123.45 400.00\n',
  '/proc/cmdline': 'root=/dev/vda1 quiet\n',
  '/etc/ssh/ssh_host_ed25519_key.pub': 'ssh-ed25519 AAAAC3 root@kvm1\n',
  '/sys/class/dmi/id/sys_vendor': 'QEMU\n',
  '/proc/meminfo':
    'MemTotal:        2048000 kB\nMemFree:         1024000 kB\nBuffers: 1024 kB\nCached:  2048 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n',
  '/proc/cpuinfo': [0, 1, 2, 3]
    .map(
      (i) =>
        `processor\t: ${i}\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\nphysical id\t: 0\nsiblings\t: 4\ncpu cores\t: 2\n`,
    )
    .join('\n'),
  '/proc/mounts': 'proc /proc proc rw 0 0\n/dev/vda1 /with\\040space ext4 rw,relatime 0 0\nserver:/x /nfs nfs rw 0 0\n',
  '/etc/resolv.conf': 'search lab.example\nnameserver 10.77.0.1\noptions ndots:2 rotate\n',
  '/sys/class/net/eth0/address': '02:00:00:00:00:0b\n',
  '/sys/class/net/eth0/mtu': '1500\n',
  '/sys/class/net/eth0/operstate': 'up\n',
  '/sys/class/net/eth0/type': '1\n',
  '/sys/class/net/lo/address': '00:00:00:00:00:00\n',
  '/sys/class/net/lo/type': '772\n',
  '/etc/ansible/facts.d/site.fact': '{"rack": 3}',
};

test('a host in Ansible’s words', (t) => {
  const all = facts(top, files);
  t.like(all, {
    os_family: 'Suse',
    distribution: 'openSUSE Leap',
    distribution_version: '15.6',
    distribution_major_version: '15',
    distribution_release: '6',
    system: 'Linux',
    kernel: '6.4.0-default',
    architecture: 'x86_64',
    hostname: 'kvm1',
    nodename: 'kvm1',
    fqdn: 'kvm1.lab.example',
    domain: 'lab.example',
    user_id: 'root',
    user_uid: 0,
    user_gecos: 'The Admin',
    user_shell: '/bin/bash',
    env: {HOME: '/root', A: 'b=c\n'},
    pkg_mgr: 'zypper',
    service_mgr: 'systemd',
    machine_id: 'abc',
    uptime_seconds: 123,
    cmdline: {root: '/dev/vda1', quiet: true},
    virtualization_type: 'kvm',
    virtualization_role: 'guest',
    virtualization_tech_host: ['kvm'],
    selinux: {status: 'disabled'},
    ssh_host_key_ed25519_public: 'AAAAC3',
    ssh_host_key_ed25519_public_keytype: 'ssh-ed25519',
    memtotal_mb: 2000,
    memfree_mb: 1000,
    processor: [
      '0',
      'GenuineIntel',
      'Xeon',
      '1',
      'GenuineIntel',
      'Xeon',
      '2',
      'GenuineIntel',
      'Xeon',
      '3',
      'GenuineIntel',
      'Xeon',
    ],
    processor_count: 1,
    processor_cores: 2,
    processor_threads_per_core: 2,
    processor_vcpus: 4,
    all_ipv4_addresses: ['10.77.0.11', '10.77.0.12'],
    all_ipv6_addresses: ['fe80::1', 'fd00::5'],
    local: {site: {rack: 3}},
    product_name: 'NA',
  });
  t.like(all['date_time'], {
    date: '2025-11-24',
    time: '04:05:06',
    epoch: '1763957106',
    iso8601: '2025-11-24T04:05:06Z',
    tz: 'CET',
    tz_offset: '+0100',
  });
  t.deepEqual(all['default_ipv4'], {
    interface: 'eth0',
    gateway: '10.77.0.1',
    macaddress: '02:00:00:00:00:0b',
    mtu: 1500,
    type: 'ether',
    address: '10.77.0.11',
    broadcast: '10.77.0.255',
    netmask: '255.255.255.0',
    network: '10.77.0.0',
    prefix: '24',
    alias: 'eth0',
  });
  t.deepEqual(all['default_ipv6'], {});
  t.deepEqual(all['dns'], {nameservers: ['10.77.0.1'], search: ['lab.example'], options: {ndots: '2', rotate: true}});
  t.like(all['eth0'], {
    active: true,
    ipv4: {address: '10.77.0.11'},
    ipv4_secondaries: {0: {address: '10.77.0.12'}},
    ipv6: {0: {scope: 'link'}},
  });
  t.like(all['lo'], {type: 'loopback'});
  t.false('macaddress' in (all['lo'] as object));
  t.like((all['mounts'] as object[])[0], {
    mount: '/with space',
    size_total: 4096000,
    size_available: 409600 * 4,
    inode_used: 40,
  });
  t.deepEqual((all['mounts'] as object[])[1], {
    device: 'server:/x',
    mount: '/nfs',
    fstype: 'nfs',
    options: 'rw',
    uuid: 'N/A',
  });
});

test('how services and packages are managed', (t) => {
  const with_ = (landmarks: string, more: Record<string, string>) =>
    facts(`${landmarks}x86_64\nroot:x:0:0::/root:/bin/sh\n\n`, {...files, ...more});
  t.is(with_('has /sbin/openrc\nhas /sbin/apk\n', {'/proc/1/comm': 'init\n'})['service_mgr'], 'openrc');
  t.is(with_('has /sbin/openrc\nhas /sbin/apk\n', {})['pkg_mgr'], 'apk');
  t.is(with_('has /etc/init.d\n', {'/proc/1/comm': 'bash\n'})['service_mgr'], 'sysvinit');
  t.is(with_('', {'/proc/1/comm': 'sh\n'})['service_mgr'], 'service');
  t.is(with_('', {'/proc/1/comm': 'runit-init\n'})['service_mgr'], 'runit');
  t.is(with_('', {})['pkg_mgr'], 'unknown');
});

test('a host that tells nothing has facts all the same', (t) => {
  t.notThrows(() => parseFacts({exit: 1, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0)}, 'all'));
});

eachShell('facts of this machine', async (t, place) => {
  for (const wanted of ['base', 'all'] as const) {
    const read = factsProbe(wanted).reads[0] as RawRead;
    const [outcome] = await place.run([
      {shell: read.fragment.shell, group: 0, onFailure: 'go-on', label: 'facts', secret: false, timeoutMs: 60_000},
    ]);
    t.is(verdict(outcome), '0');
    const found = outcome?.ran === true ? parseFacts(outcome.reply, wanted) : {};
    t.like(found, {system: 'Linux', nodename: hostname(), user_uid: process.getuid!(), is_chroot: false});
    t.truthy(found['os_family']);
    t.regex((found['date_time'] as {date: string}).date, /^\d{4}-\d\d-\d\d$/);
    t.is('memtotal_mb' in found, wanted === 'all');
    if (wanted === 'all') t.true((found['interfaces'] as string[]).includes('lo'));
  }
});
