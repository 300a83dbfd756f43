/*
 * GNU dbm files, read from their bytes. openSUSE's SASL library stores its users by the ndbm interface of gdbm: `X.pag` is such a file
 * (`X.dir` is only a mark). The layout is that of C structures and depends on the machine that wrote it: byte order, width and alignment
 * of file offsets; the number of elements in a bucket tells which it was.
 * source: gdbm(3), the structures of gdbm 1.8 to 1.23, checked against files that they wrote.
 */
import {DamagedFile} from './berkeley-db.ts';
import type {Pair} from './berkeley-db.ts';

const MAGICS = [0x13579ace, 0x13579acd, 0x13579acf, 0x13579ad0, 0x13579ad1];

type Layout = {
  /** *units*: bytes */ readonly offset: 4 | 8;
  readonly dir: number;
  readonly dirSize: number;
  readonly bucketSize: number;
  readonly bucketElements: number;
  /** where the elements of a bucket begin */ readonly table: number;
  readonly element: number;
};

const LAYOUTS: readonly Layout[] = [
  {offset: 8, dir: 8, dirSize: 16, bucketSize: 24, bucketElements: 28, table: 112, element: 24},
  {offset: 8, dir: 8, dirSize: 16, bucketSize: 24, bucketElements: 28, table: 84, element: 24},
  {offset: 4, dir: 8, dirSize: 12, bucketSize: 20, bucketElements: 24, table: 60, element: 20},
];

function orderOf(bytes: Uint8Array): boolean | undefined {
  if (bytes.length < 64) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [true, false].find((little) => MAGICS.includes(view.getUint32(0, little)));
}

/** Whether the bytes begin like a gdbm file, in either byte order. */
export function isGdbm(bytes: Uint8Array): boolean {
  return orderOf(bytes) !== undefined;
}

/** All pairs of the file, in the file's order. *errors*: throws {@link DamagedFile}, or a RangeError where an offset leads out of the file. */
export function readGdbm(bytes: Uint8Array): Pair[] {
  const little = orderOf(bytes);
  if (little === undefined) throw new DamagedFile('no gdbm magic number');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const i32 = (at: number): number => view.getInt32(at, little);
  const layout = LAYOUTS.find(
    ({bucketSize, bucketElements, table, element}) =>
      i32(bucketSize) > table &&
      i32(bucketSize) <= bytes.length &&
      Math.floor((i32(bucketSize) - table) / element) === i32(bucketElements),
  );
  if (layout === undefined) throw new DamagedFile('the header of the gdbm file is inconsistent');
  const offsetAt = (at: number): number => (layout.offset === 8 ? Number(view.getBigInt64(at, little)) : i32(at));
  const part = (start: number, length: number): Uint8Array => {
    if (start < 0 || length < 0 || start + length > bytes.length) throw new DamagedFile('a pair leads out of the file');
    return bytes.subarray(start, start + length);
  };

  const directory = part(offsetAt(layout.dir), i32(layout.dirSize));
  const start = directory.byteOffset - bytes.byteOffset;
  const buckets = new Set<number>();
  for (let at = 0; at + layout.offset <= directory.length; at += layout.offset) buckets.add(offsetAt(start + at));

  const pairs: Pair[] = [];
  for (const bucket of buckets) {
    part(bucket, i32(layout.bucketSize));
    for (let i = 0; i < i32(layout.bucketElements); i++) {
      const at = bucket + layout.table + i * layout.element;
      if (i32(at) === -1) continue;
      const data = offsetAt(at + 8);
      const keySize = i32(at + 8 + layout.offset);
      const dataSize = i32(at + 12 + layout.offset);
      pairs.push({key: part(data, keySize), value: part(data + keySize, dataSize)});
    }
  }
  return pairs;
}
