import type {HostFacts} from '../kit/host.ts';
import type {FactSource} from './fact-source.ts';

/** `selinux`, `apparmor`: whether and how they are on. */
export function securityFacts(source: FactSource): HostFacts {
  const enforce = source.word('/sys/fs/selinux/enforce');
  const config = source.file('/etc/selinux/config');
  const setting = (name: string): string | undefined => new RegExp(`^${name}=(\\S+)`, 'm').exec(config)?.[1];
  const mode = enforce === '1' ? 'enforcing' : 'permissive';
  return {
    selinux:
      enforce === ''
        ? {status: 'disabled'}
        : {
            status: 'enabled',
            mode,
            config_mode: setting('SELINUX') ?? 'unknown',
            type: setting('SELINUXTYPE') ?? 'unknown',
            policyvers: Number(source.word('/sys/fs/selinux/policyvers')) || 'unknown',
          },
    apparmor: {status: source.word('/sys/module/apparmor/parameters/enabled') === 'Y' ? 'enabled' : 'disabled'},
  };
}

/** What a vendor's or product's name says of the hypervisor. *source*: systemd-detect-virt(1) and what hypervisors put into DMI. */
const byDmi: readonly (readonly [RegExp, string])[] = [
  [/VMware/i, 'VMware'],
  [/VirtualBox|innotek/i, 'virtualbox'],
  [/Parallels/i, 'parallels'],
  [/Microsoft Corporation.*Virtual Machine|Virtual Machine.*Microsoft/is, 'VirtualPC'],
  [/RHEV|oVirt/i, 'RHEV'],
  [/OpenStack/i, 'openstack'],
  [/Xen|HVM domU/i, 'xen'],
  [/QEMU|KVM|Bochs|Amazon EC2|Google|DigitalOcean|Hetzner|Standard PC|NUTANIX/i, 'kvm'],
];

/** `virtualization_*`: the innermost layer that the host is a guest of, or what it hosts. */
export function virtualizationFacts(source: FactSource): HostFacts {
  const guests: string[] = [];
  const container =
    source.word('/run/systemd/container') ||
    (/(?:^|\0)container=([^\0]+)/.exec(source.file('/proc/1/environ'))?.[1] ?? '');
  if (source.has('/.dockerenv')) guests.push('docker', 'container');
  else if (source.has('/run/.containerenv')) guests.push('podman', 'container');
  // a manager that Ansible does not know by name is just that
  else if (/^(?:docker|lxc|podman)$/.test(container)) guests.push(container, 'container');
  else if (container !== '') guests.push('container', container);
  const dmi = ['product_name', 'sys_vendor', 'bios_vendor', 'product_version']
    .map((name) => source.word(`/sys/class/dmi/id/${name}`))
    .join('\n');
  const hypervisor = byDmi.find(([pattern]) => pattern.test(dmi))?.[1];
  if (hypervisor !== undefined) guests.push(hypervisor);
  else if (source.word('/sys/hypervisor/type') === 'xen' || source.has('/proc/xen')) guests.push('xen');
  if (source.has('/proc/vz')) guests.push('openvz');
  const hosts = source.has('/dev/kvm') || source.has('/sys/module/kvm') ? ['kvm'] : [];
  const type = guests[0] ?? hosts[0] ?? 'NA';
  return {
    virtualization_type: type,
    virtualization_role: guests.length > 0 ? 'guest' : hosts.length > 0 ? 'host' : 'NA',
    virtualization_tech_guest: guests,
    virtualization_tech_host: hosts,
  };
}
