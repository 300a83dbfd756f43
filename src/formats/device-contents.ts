/*
 * What a block device carries, put together from what util-linux says about it. Formatting asks this first: whatever is found here is named in
 * the refusal.
 */
import {error} from '../base/diagnostic.ts';
import {isMapping} from '../base/json.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';

/** A signature on the device: `type` is `ext4`, `crypto_LUKS`, `LVM2_member`, `gpt`, `swap` … */
export type DeviceSignature = {
  readonly type: string;
  readonly uuid: string | undefined;
  readonly label: string | undefined;
};

/** What is on a device and what uses it. All lists empty: nothing that is known of. */
export type DeviceContents = {
  readonly signatures: readonly DeviceSignature[];
  /** partitions, open mappings and logical volumes on it, by path */ readonly users: readonly {
    readonly path: string;
    /** part, crypt, lvm, raid1, dm … */ readonly type: string;
  }[];
  /** where it, or something on it, is mounted; `[SWAP]` for swap in use */ readonly mounts: readonly string[];
  readonly sizeBytes: number | undefined;
};

/**
 * Reads what programs said, each of which may be left out: `blkid -p -o export DEV` (empty for a blank device, and with exit code 8 where signatures contradict each other: wipefs lists them all), `wipefs -J -n DEV`,
 * `lsblk -J -b -o NAME,PATH,TYPE,FSTYPE,UUID,LABEL,PTTYPE,MOUNTPOINTS,SIZE DEV`.
 *
 * *errors*: device-output (an output that is not the program's JSON).
 */
export function describeDevice(said: {
  readonly blkid?: string;
  readonly wipefs?: string;
  readonly lsblk?: string;
}): Result<DeviceContents> {
  const signatures: DeviceSignature[] = [];
  const note = (type: unknown, uuid: unknown, label: unknown): void => {
    if (typeof type !== 'string' || type === '') return;
    const text = (value: unknown): string | undefined =>
      typeof value === 'string' && value !== '' ? value : undefined;
    if (signatures.some((one) => one.type === type && (one.uuid === text(uuid) || text(uuid) === undefined))) return;
    signatures.push({type, uuid: text(uuid), label: text(label)});
  };

  if (said.blkid !== undefined) {
    const fields = new Map(
      said.blkid.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
    );
    note(fields.get('TYPE'), fields.get('UUID'), unescapeBlkid(fields.get('LABEL')));
    note(fields.get('PTTYPE'), fields.get('PTUUID'), undefined);
  }
  if (said.wipefs !== undefined && said.wipefs.trim() !== '') {
    const found = listOf(said.wipefs, 'signatures');
    if (!found.ok) return found;
    for (const one of found.value) note(one['type'], one['uuid'], one['label']);
  }
  const users: {path: string; type: string}[] = [];
  const mounts: string[] = [];
  let sizeBytes: number | undefined;
  if (said.lsblk !== undefined && said.lsblk.trim() !== '') {
    const found = listOf(said.lsblk, 'blockdevices');
    if (!found.ok) return found;
    const visit = (device: Record<string, unknown>, outermost: boolean): void => {
      const listed: unknown[] = Array.isArray(device['mountpoints']) ? device['mountpoints'] : [];
      const points = [...listed, device['mountpoint']];
      for (const one of points) if (typeof one === 'string' && !mounts.includes(one)) mounts.push(one);
      if (outermost) {
        note(device['fstype'], device['uuid'], device['label']);
        note(device['pttype'], undefined, undefined);
        if (device['size'] !== undefined) sizeBytes = Number(device['size']);
      } else {
        const path = device['path'] ?? device['name'];
        users.push({
          path: typeof path === 'string' ? path : '',
          type: typeof device['type'] === 'string' ? device['type'] : '',
        });
      }
      for (const below of Array.isArray(device['children']) ? device['children'] : []) {
        if (isMapping(below)) visit(below, false);
      }
    };
    const [device] = found.value;
    if (device !== undefined) visit(device, true);
  }
  return ok({signatures, users, mounts, sizeBytes});
}

function listOf(json: string, name: string): Result<Record<string, unknown>[]> {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch {
    data = undefined;
  }
  const list = isMapping(data) ? data[name] : undefined;
  if (!Array.isArray(list)) return bad(error('device-output', `the output has no list of ${name}`));
  return ok(list.filter((one) => isMapping(one)));
}

// blkid writes bytes that shells would trip over as `\x20`, and a backslash before other signs.
function unescapeBlkid(text: string | undefined): string | undefined {
  return text?.replace(/\\x([0-9a-f]{2})|\\(.)/gi, (_, hex?: string, sign?: string) =>
    hex === undefined ? (sign ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

const NAMES: Record<string, string> = {
  crypto_LUKS: 'LUKS container',
  LVM2_member: 'LVM physical volume',
  linux_raid_member: 'member of a software RAID',
  swap: 'swap space',
  gpt: 'partition table (GPT)',
  dos: 'partition table (MBR)',
};

/** What the device carries, in words for a refusal (`ext4 file system "data"`, `mounted at /srv`); empty when it is blank and unused. */
export function contentsText(contents: DeviceContents): string[] {
  const signatures = contents.signatures.map(({type, label}) => {
    const name = NAMES[type] ?? `${type} file system`;
    return label === undefined ? name : `${name} "${label}"`;
  });
  const users = contents.users.map(({path, type}) =>
    type === 'crypt' ? `open as ${path}` : `in use by ${path} (${type})`,
  );
  const mounts = contents.mounts.map((place) => (place === '[SWAP]' ? 'used as swap' : `mounted at ${place}`));
  return [...signatures, ...users, ...mounts];
}
