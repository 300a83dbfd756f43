/*
 * Berkeley DB files (versions 3 to 5 and 18), hash and btree, read from their bytes: a host that keeps SASL passwords has the library, the
 * controller need not. Only what a key-value file needs: no duplicates, no sub-databases, no encryption.
 * source: the page layouts of libdb 5.3, checked against files that it wrote.
 */

/** One pair of a key-value file. */
export type Pair = {readonly key: Uint8Array; readonly value: Uint8Array};

/** A file that is not whole, or of a kind that is not supported; `message` says which. Caught where a parser's result is made. */
export class DamagedFile extends Error {}

const HASH_MAGIC = 0x061561;
const BTREE_MAGIC = 0x053162;
const META = {
  magic: 12,
  version: 16,
  pageSize: 20,
  encryption: 24,
  flags: 26,
  lastPage: 32,
  maxBucket: 72,
  spares: 96,
  root: 88,
};
const PAGE = {next: 16, entries: 20, length: 22, type: 25, items: 26};
const PAGE_TYPE = {unused: 0, hashUnsorted: 2, btreeInternal: 3, btreeLeaf: 5, overflow: 7, hash: 13};
const HASH_ITEM = {inline: 1, overflow: 3};
const BTREE_ITEM = {inline: 1, overflow: 3, deleted: 0x80};
const WITH_CHECKSUM = 1;

type File = {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly little: boolean;
  readonly pageSize: number;
  /** where the list of items begins on a page */ readonly items: number;
};

/** Whether the bytes begin like a Berkeley DB hash or btree file, in either byte order. */
export function isBerkeleyDb(bytes: Uint8Array): boolean {
  return magicOf(bytes) !== undefined;
}

function magicOf(bytes: Uint8Array): {kind: 'hash' | 'btree'; little: boolean} | undefined {
  if (bytes.length < 512) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const little of [true, false]) {
    const magic = view.getUint32(META.magic, little);
    if (magic === HASH_MAGIC) return {kind: 'hash', little};
    if (magic === BTREE_MAGIC) return {kind: 'btree', little};
  }
  return undefined;
}

/** All pairs of the file, in the file's order. *errors*: throws {@link DamagedFile}, or a RangeError where an offset leads out of the file. */
export function readBerkeleyDb(bytes: Uint8Array): Pair[] {
  const magic = magicOf(bytes);
  if (magic === undefined) throw new DamagedFile('no Berkeley DB magic number');
  const {little} = magic;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(META.version, little);
  const oldest = magic.kind === 'hash' ? 5 : 6;
  if (version < oldest || version > 10)
    throw new DamagedFile(`Berkeley DB ${magic.kind} version ${version} is not supported`);
  if (bytes[META.encryption] !== 0) throw new DamagedFile('the file is encrypted by Berkeley DB');
  const pageSize = view.getUint32(META.pageSize, little);
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0)
    throw new DamagedFile(`page size ${pageSize}`);
  if ((view.getUint32(META.lastPage, little) + 1) * pageSize > bytes.length)
    throw new DamagedFile('the file is cut off');
  const checksums = ((bytes[META.flags] ?? 0) & WITH_CHECKSUM) !== 0;
  const file: File = {bytes, view, little, pageSize, items: checksums ? PAGE.items + 6 : PAGE.items};
  return magic.kind === 'hash' ? hashPairs(file) : btreePairs(file);
}

function u16(file: File, at: number): number {
  return file.view.getUint16(at, file.little);
}

function u32(file: File, at: number): number {
  return file.view.getUint32(at, file.little);
}

/** The offsets of a chain of pages; a chain that bites its tail is damage, not an endless loop. */
function* chain(file: File, first: number, types: readonly number[]): Generator<number> {
  const seen = new Set<number>();
  for (let page = first; page !== 0; page = u32(file, page * file.pageSize + PAGE.next)) {
    if (seen.has(page)) throw new DamagedFile(`page ${page} follows itself`);
    seen.add(page);
    const at = page * file.pageSize;
    const type = file.view.getUint8(at + PAGE.type);
    if (!types.includes(type)) throw new DamagedFile(`page ${page} is of type ${type}`);
    yield at;
  }
}

function slice(file: File, start: number, length: number): Uint8Array {
  if (length < 0 || start + length > file.bytes.length) throw new DamagedFile('an item leads out of the file');
  return file.bytes.subarray(start, start + length);
}

/** An item too large for its page lies on a chain of pages of its own. */
function overflow(file: File, first: number, length: number): Uint8Array {
  if (length > file.bytes.length) throw new DamagedFile('an item is larger than the file');
  const whole = new Uint8Array(length);
  let filled = 0;
  for (const at of chain(file, first, [PAGE_TYPE.overflow])) {
    const part = slice(file, at + file.items, u16(file, at + PAGE.length));
    if (filled + part.length > length) throw new DamagedFile('an item is longer than it says');
    whole.set(part, filled);
    filled += part.length;
  }
  if (filled !== length) throw new DamagedFile('an item is shorter than it says');
  return whole;
}

// Buckets were added in doublings; `spares` holds for each doubling what to add to a bucket's number to get its page.
function hashPairs(file: File): Pair[] {
  const pairs: Pair[] = [];
  const buckets = u32(file, META.maxBucket) + 1;
  if (buckets * file.pageSize > file.bytes.length) throw new DamagedFile('more buckets than pages');
  for (let bucket = 0; bucket < buckets; bucket++) {
    const doubling = Math.ceil(Math.log2(bucket + 1));
    const first = bucket + u32(file, META.spares + 4 * doubling);
    // A bucket that never held anything has room in the file, but no page was made of it.
    if (file.view.getUint8(first * file.pageSize + PAGE.type) === PAGE_TYPE.unused) continue;
    for (const at of chain(file, first, [PAGE_TYPE.hash, PAGE_TYPE.hashUnsorted])) {
      const entries = u16(file, at + PAGE.entries);
      for (let i = 0; i + 1 < entries; i += 2) {
        pairs.push({key: hashItem(file, at, i), value: hashItem(file, at, i + 1)});
      }
    }
  }
  return pairs;
}

function hashItem(file: File, page: number, index: number): Uint8Array {
  const offset = (i: number): number => u16(file, page + file.items + 2 * i);
  const start = offset(index);
  const end = index === 0 ? file.pageSize : offset(index - 1);
  if (end > file.pageSize || start >= end) throw new DamagedFile('an item leads out of its page');
  const at = page + start;
  const type = file.view.getUint8(at);
  if (type === HASH_ITEM.inline) return slice(file, at + 1, end - start - 1);
  if (type === HASH_ITEM.overflow) return overflow(file, u32(file, at + 4), u32(file, at + 8));
  throw new DamagedFile(`hash items of type ${type} are not supported`);
}

function btreePairs(file: File): Pair[] {
  let page = u32(file, META.root);
  for (let depth = 0; file.view.getUint8(page * file.pageSize + PAGE.type) === PAGE_TYPE.btreeInternal; depth++) {
    if (depth > 64) throw new DamagedFile('the tree has no leaves');
    const at = page * file.pageSize;
    page = u32(file, at + u16(file, at + file.items) + 4);
  }
  const pairs: Pair[] = [];
  for (const at of chain(file, page, [PAGE_TYPE.btreeLeaf])) {
    const entries = u16(file, at + PAGE.entries);
    for (let i = 0; i + 1 < entries; i += 2) {
      const key = btreeItem(file, at, i);
      const value = btreeItem(file, at, i + 1);
      if (key !== undefined && value !== undefined) pairs.push({key, value});
    }
  }
  return pairs;
}

function btreeItem(file: File, page: number, index: number): Uint8Array | undefined {
  const at = page + u16(file, page + file.items + 2 * index);
  const type = file.view.getUint8(at + 2);
  if ((type & BTREE_ITEM.deleted) !== 0) return undefined;
  if (type === BTREE_ITEM.inline) return slice(file, at + 3, u16(file, at));
  if (type === BTREE_ITEM.overflow) return overflow(file, u32(file, at + 4), u32(file, at + 8));
  throw new DamagedFile(`btree items of type ${type} are not supported`);
}
