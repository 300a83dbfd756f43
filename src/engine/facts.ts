// Facts by Ansible's names, so that conditions and templates carry over. Most are in files: one `head` brings them all, and what is
// made of them is worked out here. Nothing waits on a network.
import {distributionFacts, parseOsRelease} from '../formats/os-release.ts';
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
  ...['product_name', 'product_version', 'sys_vendor', 'bios_vendor', 'bios_version', 'bios_date', 'board_name', 'board_vendor', 'chassis_vendor'].map(
    (name) => `/sys/class/dmi/id/${name}`,
  ),
];
const moreFiles = [
  '/proc/meminfo /proc/cpuinfo /proc/loadavg /proc/net/if_inet6 /etc/resolv.conf /proc/mounts /proc/modules',
  '/sys/class/net/*/address /sys/class/net/*/mtu /sys/class/net/*/operstate /sys/class/net/*/type /sys/class/net/*/speed',
  '/sys/block/[!lr]*/size /sys/block/[!lr]*/removable /sys/block/[!lr]*/queue/rotational /sys/block/[!lr]*/device/model /sys/block/[!lr]*/device/vendor',
  '/sys/class/dmi/id/product_serial /sys/class/dmi/id/product_uuid /etc/ansible/facts.d/*.fact',
];
/** Programs and places that tell how packages and services are managed. */
const landmarks =
  '/usr/bin/apt-get /usr/bin/zypper /usr/bin/dnf /usr/bin/dnf5 /usr/bin/yum /sbin/apk /usr/bin/pacman /usr/bin/xbps-install /usr/bin/emerge /bin/systemctl /usr/bin/systemctl /run/systemd/system /sbin/openrc /etc/init.d /.dockerenv /run/.containerenv /dev/kvm /proc/vz /proc/xen';

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
while read -r a r; do case " $(echo $r) " in *" $h "*) k=1; break ;; esac; done <<.
.
${wanted === 'all' ? network : ''}echo '==== files'
head -v -c ${FILE_BYTES} -- ${files} 2>/dev/null
:`;
}

const network = `if command -v ip >/dev/null 2>&1; then
echo '==== addresses'; ip -o addr show
echo '==== route4'; ip -4 route get 192.0.2.1 2>/dev/null; ip -4 route show default
echo '==== route6'; ip -6 route get 2001:db8::1 2>/dev/null; ip -6 route show default
fi
echo '==== space'
m=; while read -r d p r; do case $d in /*) m="$m $p" ;; esac; done </proc/mounts
[ -z "$m" ] || stat -f -c '%S %b %a %c %d' -- $m 2>/dev/null
`;

/** The facts as a read, to travel with all others. `parse` never fails: what a host does not tell is `NA` or left out, as with Ansible. */
export function factsProbe(wanted: WantedFacts): Probe<HostFacts> {
  return read(rawShell(script(wanted)), (reply) => parseFacts(reply, wanted), {dependsOn: []});
}
