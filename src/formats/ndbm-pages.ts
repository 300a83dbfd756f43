/*
 * The classic ndbm (and sdbm) `.pag` file: pages of 1024 bytes, each a list of 16-bit offsets at its start and the pairs from its end
 * downwards. There is no header and no magic number, so a file is of this kind when every page is consistent.
 * source: ndbm(3), sdbm's description of its page; checked against files that sdbm wrote.
 */
import {DamagedFile} from './berkeley-db.ts';
import type {Pair} from './berkeley-db.ts';

const PAGE_BYTES = 1024;

/** All pairs of the file in its order, or undefined if this is no such file. Nothing in it says in which byte order it was written: the one that fits. */
export function readNdbmPages(bytes: Uint8Array): Pair[] | undefined {
  if (bytes.length % PAGE_BYTES !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const little of [true, false]) {
    try {
      const pairs: Pair[] = [];
      for (let page = 0; page < bytes.length; page += PAGE_BYTES) pairs.push(...pairsOnPage(bytes, view, page, little));
      return pairs;
    } catch (problem) {
      if (!(problem instanceof DamagedFile)) throw problem;
    }
  }
  return undefined;
}

function pairsOnPage(bytes: Uint8Array, view: DataView, page: number, little: boolean): Pair[] {
  const offsets = view.getUint16(page, little);
  if (offsets % 2 !== 0 || 2 + 2 * offsets > PAGE_BYTES) throw new DamagedFile('an odd number of items');
  const pairs: Pair[] = [];
  let end = PAGE_BYTES;
  for (let i = 1; i <= offsets; i += 2) {
    const key = view.getUint16(page + 2 * i, little);
    const value = view.getUint16(page + 2 * i + 2, little);
    if (key > end || value > key || value < 2 + 2 * offsets) throw new DamagedFile('an item leads out of its page');
    pairs.push({key: bytes.subarray(page + key, page + end), value: bytes.subarray(page + value, page + key)});
    end = value;
  }
  return pairs;
}
