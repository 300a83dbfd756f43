/*
 * LVM's reports (`lvs`, `vgs`, `pvs` with `--reportformat json --units b`) and its sizes.
 * source: lvmreport(7), lvcreate(8).
 */
import {error} from '../base/diagnostic.ts';
import {isMapping} from '../base/json.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';

/** A logical volume. `attributes` is LVM's string: `-wi-ao----`. */
export type LogicalVolume = {
  readonly name: string;
  readonly vg: string;
  readonly sizeBytes: number;
  readonly attributes: string;
  readonly uuid: string | undefined;
  readonly path: string | undefined;
  readonly active: boolean;
  /** somebody has it open: a file system is mounted, a container or a guest runs on it */ readonly open: boolean;
};

/** A volume group. */
export type VolumeGroup = {
  readonly name: string;
  readonly sizeBytes: number;
  readonly freeBytes: number;
  readonly extentBytes: number | undefined;
  readonly uuid: string | undefined;
};

/** A size as users write it: bytes, or a share of something (`100%FREE`). */
export type LvmSize =
  | {readonly kind: 'bytes'; readonly bytes: number}
  | {readonly kind: 'percent'; readonly percent: number; readonly of: 'FREE' | 'VG' | 'PVS' | 'ORIGIN'};

/** The volumes in a report of `lvs -o lv_name,vg_name,lv_size,lv_attr,lv_uuid,lv_path` (uuid and path may be missing). *errors*: lvm-report. */
export function parseLvs(json: string): Result<LogicalVolume[]> {
  return rowsOf(json, 'lv', (row) => {
    const [name, vg, size, attributes] = ['lv_name', 'vg_name', 'lv_size', 'lv_attr'].map((key) => row[key]);
    const sizeBytes = reportedBytes(size);
    if (name === undefined || vg === undefined || sizeBytes === undefined || attributes === undefined) return undefined;
    const [active, open] = [attributes[4] === 'a', attributes[5] === 'o'];
    return {name, vg, sizeBytes, attributes, uuid: row['lv_uuid'], path: row['lv_path'], active, open};
  });
}

/** The groups in a report of `vgs -o vg_name,vg_size,vg_free,vg_extent_size,vg_uuid` (the last two may be missing). *errors*: lvm-report. */
export function parseVgs(json: string): Result<VolumeGroup[]> {
  return rowsOf(json, 'vg', (row) => {
    const [sizeBytes, freeBytes] = [reportedBytes(row['vg_size']), reportedBytes(row['vg_free'])];
    const name = row['vg_name'];
    if (name === undefined || sizeBytes === undefined || freeBytes === undefined) return undefined;
    return {name, sizeBytes, freeBytes, extentBytes: reportedBytes(row['vg_extent_size']), uuid: row['vg_uuid']};
  });
}

function rowsOf<T>(
  json: string,
  kind: string,
  read: (row: Partial<Record<string, string>>) => T | undefined,
): Result<T[]> {
  const fail = (reason: string): Result<T[]> =>
    bad(error('lvm-report', `the report of LVM is not understood: ${reason}`));
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch {
    return fail('it is no JSON');
  }
  const reports: unknown = isMapping(data) ? data['report'] : undefined;
  if (!Array.isArray(reports)) return fail('there is no "report"');
  const found: T[] = [];
  for (const report of reports as unknown[]) {
    const rows = isMapping(report) ? report[kind] : undefined;
    if (!Array.isArray(rows)) return fail(`there is no list "${kind}"`);
    for (const row of rows as unknown[]) {
      const read1 = isMapping(row) ? read(textsOf(row)) : undefined;
      if (read1 === undefined) return fail('a column is missing, or a size is not in bytes');
      found.push(read1);
    }
  }
  return ok(found);
}

function textsOf(row: Record<string, unknown>): Partial<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(row).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== ''),
  );
}

// `--units b` prints `4194304B`, with `--nosuffix` only the digits; another unit would be rounded and is not taken.
function reportedBytes(text: string | undefined): number | undefined {
  const digits = /^(\d+)B?$/.exec(text ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const BYTES: Readonly<Record<string, number>> = {
  e: 1024 ** 6,
  p: 1024 ** 5,
  t: 1024 ** 4,
  g: 1024 ** 3,
  m: 1024 ** 2,
  k: 1024,
  s: 512,
  b: 1,
};

/**
 * Reads a size as `lvcreate` does: a number with a unit, in either case powers of 1024 (`10G` is `10g` is 10 GiB), MiB without one, `s` for sectors;
 * or a percentage with what it is of. *errors*: lvm-size.
 */
export function parseSize(text: string): Result<LvmSize> {
  const share = /^(\d{1,3})%(FREE|VG|PVS|ORIGIN)$/i.exec(text.trim());
  if (share !== null) {
    const of = (share[2] ?? '').toUpperCase() as 'FREE' | 'VG' | 'PVS' | 'ORIGIN';
    const percent = Number(share[1]);
    if (percent > 0 && (percent <= 100 || of === 'ORIGIN')) return ok({kind: 'percent', percent, of});
  }
  const amount = /^(\d+(?:\.\d+)?)\s*([bskmgtpe])?(?:iB)?$/i.exec(text.trim());
  if (amount !== null) {
    const bytes = Math.ceil(Number(amount[1]) * (BYTES[(amount[2] ?? 'm').toLowerCase()] ?? 1));
    if (bytes > 0 && Number.isSafeInteger(bytes)) return ok({kind: 'bytes', bytes});
  }
  const help = /^[\d.]+\s*[kmgtpe]B$/i.test(text.trim())
    ? 'LVM counts in powers of 1024: write "10G" or "10GiB"'
    : 'for instance "10G", "512M" or "100%FREE"';
  return bad(error('lvm-size', `"${text}" is not a size`, {help}));
}

/** A number of bytes in the largest unit that divides it: `10g`, `1536m`, `513b`; {@link parseSize} gives it back. */
export function formatSize(bytes: number): string {
  const found = Object.entries(BYTES).find(([unit, size]) => unit !== 's' && bytes > 0 && bytes % size === 0);
  return found === undefined ? `${bytes}b` : `${bytes / found[1]}${found[0]}`;
}

/** The options of lvcreate and lvresize that ask for a size. */
export function sizeArguments(size: LvmSize): readonly [string, string] {
  return size.kind === 'bytes' ? ['--size', `${size.bytes}b`] : ['--extents', `${size.percent}%${size.of}`];
}

/** The size that LVM makes of one: whole extents, rounded up. */
export function wholeExtents(bytes: number, extentBytes: number): number {
  return Math.ceil(bytes / extentBytes) * extentBytes;
}
