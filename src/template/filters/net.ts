// `ipaddr` and its family (ansible.utils), the queries that people use.
import type {Filter} from '../environment.ts';
import {Misuse} from '../fault.ts';
import {isInt} from '../number.ts';
import {formatIp, parseIp, type Address} from '../ip.ts';
import {textOf} from '../compare.ts';
import {plain} from './text.ts';

type Answer = string | number | bigint | boolean | null;

function width(ip: Address): number {
  return ip.version === 4 ? 32 : 128;
}

function size(ip: Address): bigint {
  return 1n << BigInt(width(ip) - ip.prefix);
}

function network(ip: Address): bigint {
  return ip.value & ~(size(ip) - 1n);
}

function show(ip: Address, value: bigint): string {
  return formatIp(value, ip.version);
}

function broadcast(ip: Address): bigint {
  return network(ip) + size(ip) - 1n;
}

/** Whether the text gives a network itself and not a host in it. */
function isNetwork(ip: Address): boolean {
  return ip.value === network(ip) && size(ip) > 1n;
}

function number(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

const RANGES: Readonly<Record<string, readonly string[]>> = {
  private: [
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '127.0.0.0/8',
    '169.254.0.0/16',
    'fc00::/7',
    'fe80::/10',
    '::1/128',
  ],
  loopback: ['127.0.0.0/8', '::1/128'],
  multicast: ['224.0.0.0/4', 'ff00::/8'],
  'link-local': ['169.254.0.0/16', 'fe80::/10'],
};

function within(ip: Address, range: string): boolean {
  const outer = parseIp(range);
  if (outer?.version !== ip.version) return false;
  return network(ip) >= network(outer) && broadcast(ip) <= broadcast(outer);
}

function inRange(ip: Address, name: string): boolean {
  return (RANGES[name] ?? []).some((range) => within(ip, range));
}

/** The answer to a query; null where the address does not have what is asked for. */
function ask(ip: Address, query: string, text: string): Answer {
  switch (query) {
    case '':
      return text;
    case 'address':
    case 'ip':
      return isNetwork(ip) && ip.hasPrefix ? null : show(ip, ip.value);
    case 'host':
      return isNetwork(ip) && ip.hasPrefix ? null : `${show(ip, ip.value)}/${ip.prefix}`;
    case 'host/prefix':
    case 'address/prefix':
      return isNetwork(ip) ? null : `${show(ip, ip.value)}/${ip.prefix}`;
    case 'net':
      return ip.value === network(ip) && ip.prefix < width(ip) ? `${show(ip, network(ip))}/${ip.prefix}` : null;
    case 'network':
    case 'network_id':
      return show(ip, network(ip));
    case 'network/prefix':
    case 'subnet':
    case 'cidr':
      return `${show(ip, network(ip))}/${ip.prefix}`;
    case 'prefix':
      return ip.prefix;
    case 'netmask':
      return show(ip, (1n << BigInt(width(ip))) - size(ip));
    case 'hostmask':
    case 'wildcard':
      return show(ip, size(ip) - 1n);
    case 'broadcast':
      return ip.version === 4 && size(ip) > 2n ? show(ip, broadcast(ip)) : null;
    case 'size':
      return number(size(ip));
    case 'first_usable':
      return show(ip, network(ip) + (size(ip) > 2n ? 1n : 0n));
    case 'last_usable':
      return show(ip, broadcast(ip) - (size(ip) > 2n && ip.version === 4 ? 1n : 0n));
    case 'next_usable':
      return ip.value + 1n < broadcast(ip) ? show(ip, ip.value + 1n) : null;
    case 'previous_usable':
      return ip.value - 1n > network(ip) ? show(ip, ip.value - 1n) : null;
    case 'range_usable':
      return `${show(ip, network(ip) + (size(ip) > 2n ? 1n : 0n))}-${show(ip, broadcast(ip) - (size(ip) > 2n ? 1n : 0n))}`;
    case 'int':
      return ip.hasPrefix ? `${ip.value.toString()}/${ip.prefix}` : number(ip.value);
    case 'bool':
      return true;
    case 'version':
      return ip.version;
    case 'revdns':
      return reverseName(ip);
    case 'ipv4':
      return ip.version === 4 ? text : null;
    case 'ipv6':
      return ip.version === 6 ? text : null;
    case 'private':
    case 'loopback':
    case 'multicast':
    case 'link-local':
      return inRange(ip, query) ? text : null;
    case 'lo':
      return inRange(ip, 'loopback') ? text : null;
    case 'public':
      return !Object.keys(RANGES).some((name) => inRange(ip, name)) ? text : null;
    case 'unicast':
      return inRange(ip, 'multicast') ? null : text;
    default:
      break;
  }
  if (/^-?\d+$/.test(query)) {
    const index = BigInt(query);
    const found = index < 0n ? size(ip) + index : index;
    return found < 0n || found >= size(ip) ? null : `${show(ip, network(ip) + found)}/${ip.prefix}`;
  }
  const outer = parseIp(query);
  if (outer === undefined) throw new Misuse(`ipaddr: unknown query "${query}"`, 'bad-argument');
  return within(ip, query) ? text : null;
}

function reverseName(ip: Address): string {
  if (ip.version === 4) return `${show(ip, ip.value).split('.').reverse().join('.')}.in-addr.arpa.`;
  return `${Array.from(ip.value.toString(16).padStart(32, '0')).reverse().join('.')}.ip6.arpa.`;
}

function ipaddr(value: unknown, query: string, version?: 4 | 6): unknown {
  if (Array.isArray(value))
    return value
      .map((one: unknown) => ipaddr(one, query, version))
      .filter((answer) => answer !== false && answer !== null);
  if (value === null || typeof value === 'boolean') return false;
  const text = isInt(value) ? formatIp(BigInt(value), BigInt(value) > 0xffffffffn ? 6 : 4) : plain(value);
  const ip = parseIp(text);
  if (ip === undefined || (version !== undefined && ip.version !== version)) return false;
  return ask(ip, query, text);
}

function family(version?: 4 | 6): Filter {
  return {
    params: ['query', 'alias'],
    apply: (_site, value, query?: unknown) =>
      ipaddr(value, query === undefined || query === null ? '' : plain(query), version),
  };
}

function subnet(value: unknown, prefix: unknown, index: unknown): unknown {
  const ip = parseIp(plain(value));
  if (ip === undefined) return false;
  if (prefix === undefined || plain(prefix) === '') return `${show(ip, network(ip))}/${ip.prefix}`;
  const wanted = Number(plain(prefix));
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > width(ip)) return false;
  if (index === undefined) return wanted < ip.prefix ? false : (1n << BigInt(wanted - ip.prefix)).toString();
  if (wanted < ip.prefix) throw new Misuse('ipsubnet: the prefix is shorter than that of the network', 'bad-argument');
  const count = 1n << BigInt(wanted - ip.prefix);
  const at = BigInt(plain(index)) < 0n ? count + BigInt(plain(index)) : BigInt(plain(index));
  if (at < 0n || at >= count) return false;
  return `${show(ip, network(ip) + (at << BigInt(width(ip) - wanted)))}/${wanted}`;
}

export const netFilters: readonly (readonly [string, Filter])[] = [
  ['ipaddr', family()],
  ['ipv4', family(4)],
  ['ipv6', family(6)],
  ['ipwrap', {params: [], apply: (_site, value) => wrap(value)}],
  [
    'ipsubnet',
    {
      params: ['query', 'index'],
      apply: (_site, value, prefix?: unknown, index?: unknown) => subnet(value, prefix, index),
    },
  ],
  [
    'nthhost',
    {
      params: ['query'],
      apply: (_site, value, index: unknown) => {
        const ip = parseIp(plain(value));
        if (ip === undefined) return false;
        const n = BigInt(plain(index));
        return show(ip, network(ip) + (n < 0n ? size(ip) + n : n));
      },
    },
  ],
  [
    'hwaddr',
    {
      params: ['query'],
      apply: (_site, value, query?: unknown) => {
        const digits = plain(value).replaceAll(/[:.-]/g, '').toLowerCase();
        if (!/^[\da-f]{12}$/.test(digits)) return false;
        const style = query === undefined ? '' : plain(query);
        const pairs = digits.match(/../g) ?? [];
        if (style === 'bare') return digits.toUpperCase();
        if (style === 'cisco') return (digits.match(/.{4}/g) ?? []).join('.');
        if (style === 'linux' || style === 'unix') return pairs.join(':');
        if (style === 'win' || style === 'eui48') return pairs.join('-').toUpperCase();
        return plain(value);
      },
    },
  ],
];

function wrap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wrap);
  const text = textOf(value);
  const ip = text === undefined ? undefined : parseIp(text);
  if (ip?.version !== 6 || text === undefined) return value;
  const [address = '', prefix] = text.split('/');
  return prefix === undefined ? `[${address}]` : `[${address}]/${prefix}`;
}
