// What is in an archive of the controller, so that a plan knows what has to lie on the host without unpacking anything.
// *source*: pax(1) and tar(5) for ustar, GNU long names and pax headers; APPNOTE.TXT for zip.
import {gunzipSync, inflateRawSync} from 'node:zlib';
import {sha256} from './content.ts';

/** One thing in an archive. `path` has no leading `/` or `./` and no trailing slash; `sha256` hex, of files. */
export type ArchiveEntry = {readonly path: string} & (
  | {readonly type: 'directory'}
  | {readonly type: 'file'; readonly sha256: string; readonly sizeBytes: number}
  | {readonly type: 'link'; readonly target: string}
);
export type ArchiveKind = 'tar' | 'zip';

/** *units*: bytes that an archive may have unpacked: what is compared is held in memory. */
const largest = 256 * 1024 * 1024;

/** Entries in the archive's order, the last of several with one path; a text says why it cannot be read. */
export function readArchive(bytes: Uint8Array): {kind: ArchiveKind; entries: readonly ArchiveEntry[]} | string {
  try {
    const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const kind = data.subarray(0, 4).toString('latin1') === 'PK\u0003\u0004' ? 'zip' : 'tar';
    const found =
      kind === 'zip' ? readZip(data) : readTar(isGzip(data) ? gunzipSync(data, {maxOutputLength: largest}) : data);
    if (typeof found === 'string') return found;
    if (found.some(({path}) => path.split('/').includes('..'))) return 'it holds a path with `..`';
    const last = new Map(found.filter(({path}) => path !== '').map((entry) => [entry.path, entry]));
    return {kind, entries: [...last.values()]};
  } catch (error) {
    return `it is damaged (${(error as Error).message})`;
  }
}

function isGzip(data: Buffer): boolean {
  return data[0] === 0x1f && data[1] === 0x8b;
}

function clean(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function readTar(data: Buffer): ArchiveEntry[] | string {
  const entries: ArchiveEntry[] = [];
  let long: {path?: string; target?: string; size?: number} = {};
  let at = 0;
  while (at + 512 <= data.length) {
    const header = data.subarray(at, at + 512);
    if (header.every((byte) => byte === 0)) break;
    if (checksumOf(header) !== numberAt(header, 148, 8)) return 'it is no tar archive (plain or gzip)';
    const text = (from: number, length: number): string => textUpToNul(header.subarray(from, from + length));
    const size = long.size ?? numberAt(header, 124, 12);
    const body = data.subarray(at + 512, at + 512 + size);
    if (body.length < size) return 'it ends in the middle';
    at += 512 + Math.ceil(size / 512) * 512;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === 'L') long = {...long, path: textUpToNul(body)};
    else if (type === 'K') long = {...long, target: textUpToNul(body)};
    else if (type === 'x') long = {...long, ...paxOf(body)};
    else if (type !== 'g') {
      const prefix = text(257, 5) === 'ustar' && text(257, 8) !== 'ustar  ' ? text(345, 155) : '';
      const path = clean(long.path ?? (prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`));
      const target = long.target ?? text(157, 100);
      long = {};
      if (type === '5') entries.push({path, type: 'directory'});
      else if (type === '2') entries.push({path, type: 'link', target});
      else if (type === '1') {
        const same = entries.findLast((entry) => entry.path === clean(target));
        if (same?.type === 'file') entries.push({...same, path});
      } else if (type === '0' || type === '\0' || type === '7')
        entries.push({path, type: 'file', sha256: sha256(body), sizeBytes: size});
    }
  }
  return entries;
}

function textUpToNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** Octal text, or (first bit set) a big-endian number. */
function numberAt(header: Buffer, from: number, length: number): number {
  const field = header.subarray(from, from + length);
  if (((field[0] ?? 0) & 0x80) !== 0) return field.subarray(1).reduce((n, byte) => n * 256 + byte, 0);
  return parseInt(textUpToNul(field).trim() || '0', 8);
}

function checksumOf(header: Buffer): number {
  return header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 0x20 : byte), 0);
}

/** Records `LENGTH KEY=VALUE\n`. */
function paxOf(body: Buffer): {path?: string; target?: string; size?: number} {
  const found: {path?: string; target?: string; size?: number} = {};
  let at = 0;
  while (at < body.length) {
    const length = parseInt(body.toString('latin1', at, at + 20), 10);
    if (!(length > 0)) break;
    const [, key, value = ''] = /^\d+ ([^=]+)=(.*)\n$/s.exec(body.toString('utf8', at, at + length)) ?? [];
    if (key === 'path') found.path = value;
    if (key === 'linkpath') found.target = value;
    if (key === 'size') found.size = Number(value);
    at += length;
  }
  return found;
}

function readZip(data: Buffer): ArchiveEntry[] | string {
  const end = data.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  if (end < 0) return 'it ends in the middle';
  const count = data.readUInt16LE(end + 10);
  let at = data.readUInt32LE(end + 16);
  const entries: ArchiveEntry[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    if (data.readUInt32LE(at) !== 0x02014b50) return 'its table of contents is damaged';
    const method = data.readUInt16LE(at + 10);
    const [packed, unpacked] = [data.readUInt32LE(at + 20), data.readUInt32LE(at + 24)];
    const [names, extras, comments] = [
      data.readUInt16LE(at + 28),
      data.readUInt16LE(at + 30),
      data.readUInt16LE(at + 32),
    ];
    const isLink = data.readUInt32LE(at + 38) >>> 28 === 0o12;
    const local = data.readUInt32LE(at + 42);
    const raw = data.toString('utf8', at + 46, at + 46 + names);
    at += 46 + names + extras + comments;
    total += unpacked;
    if (total > largest) return 'it is too large unpacked';
    const path = clean(raw);
    if (raw.endsWith('/')) {
      entries.push({path, type: 'directory'});
      continue;
    }
    const start = local + 30 + data.readUInt16LE(local + 26) + data.readUInt16LE(local + 28);
    const body = data.subarray(start, start + packed);
    if (method !== 0 && method !== 8) return `it is packed by a method (${method}) that is not known here`;
    const content = method === 0 ? body : inflateRawSync(body, {maxOutputLength: largest});
    if (isLink) entries.push({path, type: 'link', target: content.toString('utf8')});
    else entries.push({path, type: 'file', sha256: sha256(content), sizeBytes: unpacked});
  }
  return entries;
}
