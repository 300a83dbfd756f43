/*
 * IP addresses and networks as ranges of numbers: the only form in which two spellings of the same thing are equal, and in which it can be
 * said what a network holds.
 */

/** All addresses of a network, first and last; a single address is a range of one. */
export type AddressRange = {readonly version: 4 | 6; readonly first: bigint; readonly last: bigint};

/** The parts of an address: four bytes, or eight groups of 16 bits. */
function partsOf(address: string): {readonly parts: readonly number[]; readonly width: number} | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) {
    const parts = address.split('.').map(Number);
    return parts.every((part) => part < 256) ? {parts, width: 8} : undefined;
  }
  // The WHATWG URL parser knows every spelling of RFC 4291, the embedded IPv4 address too, and gives back the one of RFC 5952.
  if (!/^[\da-f:.]+$/i.test(address) || !address.includes(':') || !URL.canParse(`http://[${address}]`))
    return undefined;
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)));
  const [front, back] = [groups(head), groups(tail ?? '')];
  return {parts: [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back], width: 16};
}

/** Reads `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`; bits behind the prefix do not count. Undefined for what is neither. */
export function parseNetwork(text: string): AddressRange | undefined {
  const [address = '', length, ...rest] = text.split('/');
  if (rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return undefined;
  const read = partsOf(address);
  if (read === undefined) return undefined;
  const total = read.parts.length * read.width;
  const bits = length === undefined ? total : Number(length);
  if (bits > total) return undefined;
  const value = read.parts.reduce((sum, part) => (sum << BigInt(read.width)) | BigInt(part), 0n);
  const span = 1n << BigInt(total - bits);
  const first = value - (value % span);
  return {version: read.width === 8 ? 4 : 6, first, last: first + span - 1n};
}

/** Whether the first network holds the whole of the second; false where one of them is none. */
export function networkHolds(network: string, inner: string): boolean {
  const [wide, narrow] = [parseNetwork(network), parseNetwork(inner)];
  return (
    wide !== undefined && wide.version === narrow?.version && wide.first <= narrow.first && narrow.last <= wide.last
  );
}

/** The same numbers with as few ranges as possible, in order: what overlaps or touches becomes one. */
export function mergeRanges<N extends bigint | number>(
  ranges: readonly (readonly [first: N, last: N])[],
): readonly (readonly [first: N, last: N])[] {
  const merged: (readonly [N, N])[] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const before = merged.at(-1);
    if (before === undefined || BigInt(first) > BigInt(before[1]) + 1n) merged.push([first, last]);
    else if (last > before[1]) merged[merged.length - 1] = [before[0], last];
  }
  return merged;
}
