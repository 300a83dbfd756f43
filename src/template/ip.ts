// IP addresses with prefixes, as numbers. source: RFC 4291 section 2.2, RFC 5952
/** An address, perhaps with the network it is in. */
export type Address = {
  readonly version: 4 | 6;
  readonly value: bigint;
  readonly prefix: number;
  readonly hasPrefix: boolean;
};

function parse4(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const parts = match.slice(1).map(Number);
  return parts.every((part) => part < 256) ? parts.reduce((value, part) => value * 256n + BigInt(part), 0n) : undefined;
}

function parse6(text: string): bigint | undefined {
  let address = text;
  const last = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (last !== null) {
    const low = parse4(last[2] ?? '');
    if (low === undefined) return undefined;
    address = `${last[1] ?? ''}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  }
  const halves = address.split('::');
  if (halves.length > 2) return undefined;
  const groups = (half: string | undefined): string[] => (half === undefined || half === '' ? [] : half.split(':'));
  const [head, tail] = [groups(halves[0]), groups(halves[1])];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...Array.from({length: Math.max(0, missing)}, () => '0'), ...tail];
  if (!all.every((group) => /^[\da-f]{1,4}$/i.test(group))) return undefined;
  return all.reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n);
}

/** Reads `ADDRESS`, `ADDRESS/PREFIX` or `ADDRESS/NETMASK`; undefined if it is none. */
export function parseIp(text: string): Address | undefined {
  const [address = '', suffix, ...rest] = text.split('/');
  if (rest.length > 0) return undefined;
  const four = parse4(address);
  const value = four ?? parse6(address);
  if (value === undefined) return undefined;
  const version = four === undefined ? 6 : 4;
  const width = version === 4 ? 32 : 128;
  if (suffix === undefined) return {version, value, prefix: width, hasPrefix: false};
  if (/^\d+$/.test(suffix))
    return Number(suffix) <= width ? {version, value, prefix: Number(suffix), hasPrefix: true} : undefined;
  const mask = version === 4 ? parse4(suffix) : undefined;
  if (mask === undefined) return undefined;
  const bits = mask.toString(2).padStart(32, '0');
  return /^1*0*$/.test(bits) ? {version, value, prefix: bits.replace(/0+$/, '').length, hasPrefix: true} : undefined;
}

/** The usual text of an address. */
export function formatIp(value: bigint, version: 4 | 6): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => ((value >> shift) & 255n).toString()).join('.');
  const groups = Array.from({length: 8}, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  const text = groups.join(':');
  let longest: {index: number; size: number} = {index: 0, size: 0};
  for (const run of text.matchAll(/\b0(?::0)+\b/g))
    if (run[0].length > longest.size) longest = {index: run.index, size: run[0].length};
  if (longest.size === 0) return text;
  return `${text.slice(0, longest.index).replace(/:$/, '')}::${text.slice(longest.index + longest.size).replace(/^:/, '')}`;
}
