// Facts by Ansible's names, so that conditions and templates carry over. Most are in files: one `head` brings them all, and what is
// made of them is worked out here. Only a host that is not in its own /etc/hosts asks its name service, for 2 s at most.
import {distributionFacts, parseOsRelease, type OsRelease} from '../formats/os-release.ts';
import type {HostFacts} from '../kit/host.ts';
import type {Probe} from '../kit/probe.ts';
import {read, stdoutText, type Reply} from '../kit/reads.ts';
import {rawShell} from '../kit/shell.ts';
import {hardwareFacts} from './facts-hardware.ts';
import {networkFacts} from './facts-network.ts';
import {FactSource} from './fact-source.ts';
import {securityFacts, virtualizationFacts} from './facts-platform.ts';

/** `base`: what nearly every condition asks for. `all`: addresses, memory, processors, mounts, devices too, for a few more programs. */
export type WantedFacts = 'base' | 'all';

const baseFiles = [
  '/etc/os-release /usr/lib/os-release /etc/debian_version /etc/lsb-release',
  '/proc/sys/kernel/ostype /proc/sys/kernel/hostname /proc/sys/kernel/osrelease /proc/sys/kernel/version',
  '/etc/hosts /etc/machine-id /var/lib/dbus/machine-id /proc/1/comm /proc/1/environ /proc/self/environ /proc/uptime /proc/cmdline',
  '/run/systemd/container /sys/hypervisor/type /proc/sys/crypto/fips_enabled',
  '/sys/fs/selinux/enforce /sys/fs/selinux/policyvers /etc/selinux/config /sys/module/apparmor/parameters/enabled',
  '/etc/ssh/ssh_host_*_key.pub',
  ...[
    'product_name',
    'product_version',
    'sys_vendor',
    'bios_vendor',
    'bios_version',
    'bios_date',
    'board_name',
    'board_vendor',
    'chassis_vendor',
  ].map((name) => `/sys/class/dmi/id/${name}`),
];
const moreFiles = [
  '/proc/meminfo /proc/cpuinfo /proc/loadavg /proc/net/if_inet6 /etc/resolv.conf /proc/mounts',
  '/sys/class/net/*/address /sys/class/net/*/mtu /sys/class/net/*/operstate /sys/class/net/*/type /sys/class/net/*/speed /sys/class/net/*/flags /sys/class/net/*/bridge/bridge_id',
  '/sys/block/[!lr]*/size /sys/block/[!lr]*/removable /sys/block/[!lr]*/queue/rotational /sys/block/[!lr]*/device/model /sys/block/[!lr]*/device/vendor',
  '/sys/class/dmi/id/product_serial /sys/class/dmi/id/product_uuid /etc/ansible/facts.d/*.fact',
];
/** Programs and places that tell how packages and services are managed. */
const landmarks =
  '/usr/bin/apt-get /usr/bin/zypper /usr/bin/dnf /usr/bin/dnf5 /usr/bin/yum /sbin/apk /usr/bin/pacman /usr/bin/xbps-install /usr/bin/emerge /bin/systemctl /usr/bin/systemctl /run/systemd/system /sbin/openrc /etc/init.d /.dockerenv /run/.containerenv /usr/bin/lsb_release /dev/kvm /sys/module/kvm /proc/vz /proc/xen';

/** *units*: bytes read of one file; no file that we know is longer, whatever somebody has put there. */
const FILE_BYTES = 262_144;

function script(wanted: WantedFacts): string {
  const files = [...baseFiles, ...(wanted === 'all' ? moreFiles : [])].join(' ');
  return `for f in ${landmarks}; do if [ -e $f ]; then echo "has $f"; fi; done
u=$(id -u)
uname -m
getent passwd "$u" 2>/dev/null || grep "^[^:]*:[^:]*:$u:" /etc/passwd || echo ":x:$u:$(id -g)::$HOME:"
( unset TZ; date '+%Y|%m|%A|%w|%W|%d|%H|%M|%S|%s|%Z|%z' )
read -r h </proc/sys/kernel/hostname
k=
set -f
while read -r a r; do for w in $r; do if [ "$w" = "$h" ]; then k=1; fi; done; done </etc/hosts
set +f
[ -n "$k" ] || ! command -v getent >/dev/null || { echo '==== hosts'; timeout 2 getent hosts "$h"; }
${wanted === 'all' ? network : ''}echo '==== files'
head -v -c ${FILE_BYTES} -- ${files} 2>/dev/null
:`;
}

// A route is only looked up: nothing is sent to the addresses (which are those that Ansible looks up).
const network = `if command -v ip >/dev/null 2>&1; then
echo '==== addresses'; ip -o addr show
echo '==== route4'; ip -4 route get 8.8.8.8 2>/dev/null; ip -4 route show default
echo '==== route6'; ip -6 route get 2404:6800:400a:800::1012 2>/dev/null; ip -6 route show default
fi
echo '==== python'; p=$(command -v python3) && echo "$p $("$p" -V 2>&1)"
echo '==== space'
m=; while read -r d p r; do case $d in /*) m="$m $p" ;; esac; done </proc/mounts
[ -z "$m" ] || stat -f -c '%S %b %a %c %d' -- $m 2>/dev/null
`;

/** The facts as a read, to travel with all others. `parse` never fails: what a host does not tell is `NA` or left out, as with Ansible. */
export function factsProbe(wanted: WantedFacts): Probe<HostFacts> {
  return read(rawShell(script(wanted)), (reply) => parseFacts(reply, wanted), {dependsOn: []});
}

/** What the fragment printed, as facts. */
export function parseFacts(reply: Reply, wanted: WantedFacts): HostFacts {
  const source = new FactSource(stdoutText(reply));
  const facts: Record<string, unknown> = {
    ...systemFacts(source),
    ...nameFacts(source),
    ...userFacts(source),
    date_time: dateFacts(source.lines.at(-1) ?? ''),
    ...securityFacts(source),
    ...virtualizationFacts(source),
    ...sshKeyFacts(source),
    is_chroot: false,
    module_setup: true,
    gather_subset: [wanted === 'all' ? 'all' : 'min'],
  };
  return wanted === 'base'
    ? facts
    : {...facts, ...hardwareFacts(source), ...networkFacts(source), ...pythonFacts(source)};
}

function systemFacts(source: FactSource): HostFacts {
  const os = parseOsRelease(source.file('/etc/os-release') || source.file('/usr/lib/os-release'));
  const distribution = distributionFacts(os, source.file('/etc/debian_version'));
  const machine = source.lines[0] ?? '';
  return {
    ...distribution,
    distribution_file_parsed: true,
    distribution_file_path: distribution.os_family === 'RedHat' ? '/etc/redhat-release' : '/etc/os-release',
    distribution_file_variety: varietyOf(distribution),
    distribution_minor_version: distribution.distribution_version.split('.')[1] ?? 'NA',
    system: source.word('/proc/sys/kernel/ostype') || 'Linux',
    kernel: source.word('/proc/sys/kernel/osrelease'),
    kernel_version: source.word('/proc/sys/kernel/version'),
    machine,
    architecture: /^i[3-6]86$/.test(machine) ? 'i386' : machine,
    userspace_bits: /64|s390x/.test(machine) ? '64' : '32',
    userspace_architecture: /^i[3-6]86$/.test(machine) ? 'i386' : machine,
    machine_id: source.word('/var/lib/dbus/machine-id') || source.word('/etc/machine-id'),
    pkg_mgr: packageManagerOf(distribution.os_family, source),
    service_mgr: serviceManagerOf(source),
    uptime_seconds: Math.trunc(Number(source.file('/proc/uptime').split(' ')[0])),
    cmdline: commandLine(source.word('/proc/cmdline')),
    proc_cmdline: commandLine(source.word('/proc/cmdline')),
    lsb: lsbFacts(source, os),
    fips: source.word('/proc/sys/crypto/fips_enabled') === '1',
  };
}

/** Ansible's name for the kind of file that told the distribution. */
function varietyOf({os_family: family, distribution}: {os_family: string; distribution: string}): string {
  if (family === 'Suse') return 'SUSE';
  return family === 'RedHat' && /^(?:CentOS|OracleLinux|Amazon)$/.test(distribution) ? distribution : family;
}

/** The Python that a host has; nothing here needs one, but roles for Python's own packages ask. */
function pythonFacts(source: FactSource): HostFacts {
  const [, executable, major, minor, micro] =
    /^(\S+) Python (\d+)\.(\d+)\.(\d+)/.exec(source.section('python')[0] ?? '') ?? [];
  if (executable === undefined) return {};
  const numbers = [Number(major), Number(minor), Number(micro)] as const;
  return {
    python_version: numbers.join('.'),
    discovered_interpreter_python: executable,
    python: {
      executable,
      type: 'cpython',
      has_sslcontext: true,
      version: {major: numbers[0], minor: numbers[1], micro: numbers[2], releaselevel: 'final', serial: 0},
      version_info: [...numbers, 'final', 0],
    },
  };
}

function packageManagerOf(family: string, source: FactSource): string {
  const has = (path: string): boolean => source.has(path);
  if (family === 'Debian' && has('/usr/bin/apt-get')) return 'apt';
  if (family === 'Suse' && has('/usr/bin/zypper')) return 'zypper';
  const known: readonly (readonly [string, string])[] = [
    ['/usr/bin/dnf5', 'dnf5'],
    ['/usr/bin/dnf', 'dnf'],
    ['/usr/bin/yum', 'yum'],
    ['/sbin/apk', 'apk'],
    ['/usr/bin/pacman', 'pacman'],
    ['/usr/bin/zypper', 'zypper'],
    ['/usr/bin/apt-get', 'apt'],
    ['/usr/bin/emerge', 'portage'],
    ['/usr/bin/xbps-install', 'xbps'],
  ];
  return known.find(([path]) => has(path))?.[1] ?? 'unknown';
}

/** A first process that is neither init nor a shell speaks for itself. *source*: what Ansible's setup reports on such hosts. */
function serviceManagerOf(source: FactSource): string {
  const first = source.word('/proc/1/comm');
  if (first !== '' && first !== 'init' && !first.endsWith('sh')) {
    const known: Readonly<Record<string, string>> = {
      procd: 'openwrt_init',
      'runit-init': 'runit',
      svscan: 'svc',
      'openrc-init': 'openrc',
    };
    return known[first] ?? first;
  }
  if (source.has('/run/systemd/system')) return 'systemd';
  if (source.has('/sbin/openrc')) return 'openrc';
  return source.has('/etc/init.d') ? 'sysvinit' : 'service';
}

function commandLine(text: string): Readonly<Record<string, string | true>> {
  const facts: Record<string, string | true> = {};
  for (const word of text.split(/\s+/)) {
    const equals = word.indexOf('=');
    if (word !== '') facts[equals < 0 ? word : word.slice(0, equals)] = equals < 0 ? true : word.slice(equals + 1);
  }
  return facts;
}

/** From the file where there is one; otherwise, where the program is, what it would make of os-release. */
function lsbFacts(source: FactSource, os: OsRelease): HostFacts {
  const text = source.file('/etc/lsb-release');
  const field = (name: string): string | undefined => new RegExp(`^DISTRIB_${name}="?(.*?)"?$`, 'm').exec(text)?.[1];
  const written = {
    id: field('ID'),
    release: field('RELEASE'),
    codename: field('CODENAME'),
    description: field('DESCRIPTION'),
  };
  const made = {
    id: os.name.split(' ')[0],
    release: os.versionId,
    codename: os.versionCodename,
    description: os.prettyName,
  };
  if (written.id === undefined && !source.has('/usr/bin/lsb_release')) return {};
  const lsb = written.id === undefined ? made : written;
  return {...lsb, major_release: lsb.release?.split('.')[0]};
}

/**
 * As C's resolver finds it in /etc/hosts: the address of the first line with our name, and of the first line with that address the first
 * name with a dot, or else its first name. *source*: Python's socket.getfqdn, which Ansible uses.
 */
function nameFacts(source: FactSource): HostFacts {
  const nodename = source.word('/proc/sys/kernel/hostname');
  const rows = `${source.file('/etc/hosts')}\n${source.section('hosts').join('\n')}`
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
    .filter(([address, name]) => address !== undefined && name !== undefined);
  const mine = rows.find((row) => row.slice(1).includes(nodename));
  const names = rows.find((row) => row[0] === mine?.[0])?.slice(1) ?? [nodename];
  const fqdn = names.find((name) => name.includes('.')) ?? names[0] ?? nodename;
  return {
    nodename,
    hostname: nodename.split('.')[0],
    fqdn,
    domain: fqdn.split('.').slice(1).join('.'),
  };
}

function userFacts(source: FactSource): HostFacts {
  const [name = '', , uid = '', gid = '', gecos = '', home = '', shell = ''] = (source.lines[1] ?? '').split(':');
  const environment = source
    .file('/proc/self/environ')
    .split('\0')
    .filter((entry) => entry.includes('='))
    .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]);
  return {
    user_id: name,
    user_uid: Number(uid),
    user_gid: Number(gid),
    user_gecos: gecos,
    user_dir: home,
    user_shell: shell,
    real_user_id: Number(uid),
    effective_user_id: Number(uid),
    real_group_id: Number(gid),
    effective_group_id: Number(gid),
    env: Object.fromEntries(environment) as unknown,
  };
}

/** `date`'s fields in the host's own time zone. *units*: `epoch` seconds. */
function dateFacts(line: string): HostFacts {
  const [
    year = '',
    month = '',
    weekday = '',
    number = '',
    week = '',
    day = '',
    hour = '',
    minute = '',
    second = '',
    epoch = '',
    tz = '',
    offset = '',
  ] = line.split('|');
  const utc = new Date(Number(epoch) * 1000).toISOString();
  return {
    year,
    month,
    weekday,
    weekday_number: number,
    weeknumber: week,
    day,
    hour,
    minute,
    second,
    epoch,
    epoch_int: epoch,
    date: `${year}-${month}-${day}`,
    time: `${hour}:${minute}:${second}`,
    iso8601: utc.replace(/\.\d+Z/, 'Z'),
    iso8601_micro: utc.replace('Z', '000Z'),
    iso8601_basic: `${year}${month}${day}T${hour}${minute}${second}000000`,
    iso8601_basic_short: `${year}${month}${day}T${hour}${minute}${second}`,
    tz,
    tz_dst: tz,
    tz_offset: offset,
  };
}

function sshKeyFacts(source: FactSource): HostFacts {
  const facts: Record<string, string> = {};
  for (const [path, text] of source.files(/^\/etc\/ssh\/ssh_host_(.*)_key\.pub$/)) {
    const [type = '', key = ''] = text.split(/\s+/);
    const kind = path[1] ?? '';
    facts[`ssh_host_key_${kind}_public`] = key;
    facts[`ssh_host_key_${kind}_public_keytype`] = type;
  }
  return facts;
}
