// Addresses, interfaces and resolvers, by the names that Ansible gives them.
import type {HostFacts} from '../kit/host.ts';
import type {FactSource} from './fact-source.ts';

type Address = {
  readonly device: string;
  readonly family: 4 | 6;
  readonly address: string;
  readonly prefix: string;
  readonly broadcast: string;
  readonly scope: string;
  readonly label: string;
  readonly secondary: boolean;
};

/** Network facts, from `ip` where the host has it, otherwise what /sys and /proc tell (IPv6 and the interfaces). */
export function networkFacts(source: FactSource): HostFacts {
  const addresses =
    source.section('addresses').length > 0 ? addressesOf(source.section('addresses')) : addressesOfKernel(source);
  const links = source.files(/^\/sys\/class\/net\/([^/]+)\/address$/).map(([match]) => match[1]!);
  const interfaces = Object.fromEntries(links.map((name) => [name, interfaceFacts(name, addresses, source)]));
  const of = (family: 4 | 6): string[] =>
    addresses.filter((a) => a.family === family && a.device !== 'lo').map((a) => a.address);
  return {
    interfaces: links,
    all_ipv4_addresses: of(4),
    all_ipv6_addresses: of(6),
    default_ipv4: defaultRoute(4, source, addresses, interfaces),
    default_ipv6: defaultRoute(6, source, addresses, interfaces),
    dns: dnsFacts(source.file('/etc/resolv.conf')),
    ...Object.fromEntries(Object.entries(interfaces).map(([name, facts]) => [name.replaceAll(/[-:]/g, '_'), facts])),
  };
}

/** *source*: ip-address(8), one line an address: `2: eth0    inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0\ …`. */
function addressesOf(lines: readonly string[]): readonly Address[] {
  return lines.flatMap((line) => {
    const [, device = '', family, cidr = '', rest = ''] =
      /^\d+:\s+(\S+?)(?:@\S+)?\s+(inet6?)\s+(\S+)(.*)$/.exec(line) ?? [];
    if (family === undefined) return [];
    const [address = '', prefix = family === 'inet' ? '32' : '128'] = cidr.split('/');
    return [
      {
        device,
        family: family === 'inet' ? 4 : 6,
        address,
        prefix: /peer \S+\/(\d+)/.exec(rest)?.[1] ?? prefix,
        broadcast: /brd (\S+)/.exec(rest)?.[1] ?? '',
        scope: /scope (\S+)/.exec(rest)?.[1] ?? '',
        label: /scope \S+(?: \S+)*? (\S+)\\/.exec(rest)?.[1] ?? device,
        secondary: / secondary /.test(rest),
      } as const,
    ];
  });
}

/** *source*: /proc/net/if_inet6: address, interface number, prefix and scope in hex, flags, name. */
function addressesOfKernel(source: FactSource): readonly Address[] {
  const scopes: Readonly<Record<string, string>> = {'00': 'global', '10': 'host', '20': 'link', '40': 'site'};
  return source
    .file('/proc/net/if_inet6')
    .split('\n')
    .flatMap((line) => {
      const [hex, , prefix, scope = '', , device] = line.trim().split(/\s+/);
      if (hex === undefined || prefix === undefined || device === undefined) return [];
      return [
        {
          device,
          family: 6 as const,
          address: shortened(hex),
          prefix: String(parseInt(prefix, 16)),
          broadcast: '',
          scope: scopes[scope] ?? 'unknown',
          label: device,
          secondary: false,
        },
      ];
    });
}

/** *source*: RFC 5952: the longest run of zeros becomes `::`. */
function shortened(hex: string): string {
  const groups = (hex.match(/.{4}/g) ?? []).map((group) => parseInt(group, 16).toString(16));
  const runs = [...groups.join(':').matchAll(/\b0(?::0)+\b/g)].sort((a, b) => b[0].length - a[0].length);
  const longest = runs[0];
  const text = groups.join(':');
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, '');
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}

/** *source*: the kernel's if_arp.h. */
const linkTypes: Readonly<Record<string, string>> = {
  '1': 'ether',
  '32': 'infiniband',
  '512': 'ppp',
  '772': 'loopback',
  '65534': 'tunnel',
};

function interfaceFacts(name: string, addresses: readonly Address[], source: FactSource): HostFacts {
  const word = (file: string): string => source.word(`/sys/class/net/${name}/${file}`);
  const mine = addresses.filter((address) => address.device === name);
  const [first, ...others] = mine.filter((address) => address.family === 4);
  const six = mine.filter((address) => address.family === 6);
  const bridge = word('bridge/bridge_id');
  const mac = word('address');
  const speed = word('speed');
  return {
    device: name,
    active: word('operstate') !== 'down',
    ...(mac === '' || mac === '00:00:00:00:00:00' ? {} : {macaddress: mac}),
    mtu: Number(word('mtu')),
    type: bridge === '' ? (linkTypes[word('type')] ?? 'unknown') : 'bridge',
    promisc: (parseInt(word('flags') || '0', 16) & 0x100) !== 0,
    ...(speed === '' ? {} : {speed: Number(speed)}),
    ...(bridge === '' ? {} : {id: bridge}),
    ...(first === undefined ? {} : {ipv4: ipv4Facts(first)}),
    ...(others.length === 0 ? {} : {ipv4_secondaries: others.map(ipv4Facts)}),
    ...(six.length === 0 ? {} : {ipv6: six.map(({address, prefix, scope}) => ({address, prefix, scope}))}),
  };
}

function ipv4Facts({address, prefix, broadcast}: Address): HostFacts {
  const mask = Number(prefix) === 0 ? 0 : (~0 << (32 - Number(prefix))) >>> 0;
  const number = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  return {address, broadcast, netmask: dotted(mask), network: dotted((number & mask) >>> 0), prefix};
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

function defaultRoute(
  family: 4 | 6,
  source: FactSource,
  addresses: readonly Address[],
  interfaces: Readonly<Record<string, HostFacts>>,
): HostFacts {
  const route = source.section(`route${family}`).join('\n');
  const device = / dev (\S+)/.exec(route)?.[1];
  if (device === undefined) return {};
  const source_ = / src (\S+)/.exec(route)?.[1];
  const gateway = / via (\S+)/.exec(route)?.[1];
  const mine = addresses.filter((address) => address.device === device && address.family === family);
  const address = mine.find((one) => one.address === source_) ?? mine[0];
  if (address === undefined) return {};
  const {macaddress, mtu, type} = interfaces[device] ?? {};
  return {
    interface: device,
    ...(gateway === undefined ? {} : {gateway}),
    ...(macaddress === undefined ? {} : {macaddress}),
    mtu,
    type,
    ...(family === 4
      ? {...ipv4Facts(address), alias: address.label}
      : {address: address.address, prefix: address.prefix, scope: address.scope}),
  };
}

/** *source*: resolv.conf(5). */
function dnsFacts(text: string): HostFacts {
  const nameservers: string[] = [];
  const dns: Record<string, unknown> = {};
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && words[0] !== undefined) nameservers.push(words[0]);
    if (keyword === 'domain') dns['domain'] = words[0];
    if (keyword === 'search') dns['search'] = words;
    if (keyword === 'options')
      dns['options'] = Object.fromEntries(words.map((word) => [word.split(':')[0], word.split(':')[1] ?? true]));
  }
  return nameservers.length === 0 ? dns : {nameservers, ...dns};
}
