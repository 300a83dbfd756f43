import {
  Unknown,
  all,
  change,
  converged,
  defineModule,
  deviceFrom,
  deviceShell,
  isNonEmpty,
  list,
  p,
  quote,
  rawShell,
  read,
  refuse,
  refuseAll,
  sectionsOf,
  stdoutText,
  type Change,
  type DeviceState,
  type Key,
  type Op,
  type Plan,
  type Probe,
  type Problem,
} from '#kit';
import {contentsText} from '#formats/device-contents';
import {
  formatSize,
  parseLvs,
  parseSize,
  parseVgs,
  sizeArguments,
  wholeExtents,
  type LogicalVolume,
  type LvmSize,
  type VolumeGroup,
} from '#formats/lvm';

const params = {
  vg: p.string('the volume group', {
    required: true,
    pattern: '^[A-Za-z0-9_+.][A-Za-z0-9_+.-]*$',
    describe: 'the name of a volume group',
  }),
  name: p.string('the logical volume', {
    required: true,
    aliases: ['lv'],
    pattern: '^[A-Za-z0-9_+.][A-Za-z0-9_+.-]*$',
    describe: 'the name of a logical volume',
  }),
  state: p.choice(
    ['present', 'absent'],
    'there with at least this size, or removed (needs `expendable` where it carries anything)',
    {default: 'present'},
  ),
  size: p.string('the payload: 10G, 512M, or a share such as 100%FREE'),
  header_room: p.string('added to the size: 16M for the header of LUKS2'),
  devices: p.list(p.path('a block device'), 'blank devices that make up the group; taken in where they are missing', {
    aliases: ['pvs'],
  }),
  expendable: p.boolean('what the devices, or the volume to be removed, carry may be destroyed', {default: false}),
};

type V = {
  readonly vg: string;
  readonly name: string;
  readonly state: 'present' | 'absent';
  readonly size: string | undefined;
  readonly header_room: string | undefined;
  readonly devices: readonly string[] | undefined;
  readonly expendable: boolean;
};
type Lvm = {
  readonly installed: boolean;
  readonly deviceMapper: boolean;
  readonly problem: string | undefined;
  readonly group: VolumeGroup | undefined;
  readonly volume: LogicalVolume | undefined;
  /** physical volumes by path: the group that each belongs to, '' = none */
  readonly physical: ReadonlyMap<string, string>;
};
type State = {readonly lvm: Lvm; readonly device: DeviceState; readonly devices: readonly DeviceState[]};

const pathOf = (v: V): string => `/dev/${v.vg}/${v.name}`;
/** LVM waits for udev to make its nodes; without one they are made only when told so. */
const withoutUdev = '[ -S /run/udev/control ] || export DM_DISABLE_UDEV=1';
const mebibyte = 1024 * 1024;
/** LVM's own when a group is made. */
const defaultExtentBytes = 4 * mebibyte;

function lvmProbe(v: V): Probe<Lvm> {
  const devices = (v.devices ?? []).map(quote).join(' ');
  const fragment = `${withoutUdev}
sec() { printf '\\001%s\\n' "$1"; }
command -v lvs >/dev/null 2>&1 || { sec missing; exit 0; }
sec dm; [ -e /dev/mapper/control ] && grep -qw device-mapper /proc/misc && echo yes
sec lvs; lvs --reportformat json --units b -o lv_name,vg_name,lv_size,lv_attr,lv_uuid,lv_path 2>/dev/null
sec vgs; vgs --reportformat json --units b -o vg_name,vg_size,vg_free,vg_extent_size,vg_uuid 2>/dev/null
sec pvs; pvs --noheadings --separator '|' -o pv_name,vg_name 2>/dev/null | sed 's/^ *//' | while IFS='|' read -r pv vg; do printf '%s|%s\\n' "$(readlink -f -- "$pv")" "$vg"; done
sec real; for d in ${devices}; do readlink -f -- "$d"; done`;
  return read(
    rawShell(fragment),
    (reply) => {
      const sections = sectionsOf(stdoutText(reply));
      const text = (name: string): string => sections.get(name)?.trim() ?? '';
      const lvs = parseLvs(text('lvs'));
      const vgs = parseVgs(text('vgs'));
      const byReal = new Map(
        text('pvs')
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map((line) => line.trim().split('|') as [string, string]),
      );
      const real = text('real').split('\n');
      const problem = !lvs.ok ? lvs.problems[0].message : !vgs.ok ? vgs.problems[0].message : undefined;
      return {
        installed: !sections.has('missing'),
        deviceMapper: text('dm') === 'yes',
        problem: sections.has('missing') ? undefined : problem,
        group: vgs.ok ? vgs.value.find((one) => one.name === v.vg) : undefined,
        volume: lvs.ok ? lvs.value.find((one) => one.vg === v.vg && one.name === v.name) : undefined,
        physical: new Map(
          (v.devices ?? []).flatMap((path, i): [string, string][] => {
            const group = byReal.get(real[i] ?? '');
            return group === undefined ? [] : [[path, group]];
          }),
        ),
      };
    },
    {dependsOn: dependencies(v)},
  );
}

function dependencies(v: V): readonly Key[] {
  return [
    `device:lvm ${v.vg}`,
    `device:${pathOf(v)}`,
    'package:lvm2',
    ...(v.devices ?? []).map((path): Key => `device:${path}`),
  ];
}

function deviceProbe(path: string, dependsOn: readonly Key[]): Probe<DeviceState> {
  return read(deviceShell(path), (reply) => deviceFrom(sectionsOf(stdoutText(reply))), {dependsOn});
}

/** A logical volume, with the group and its devices where they are named. */
export default defineModule({
  name: 'lvm_volume',
  summary: 'A logical volume: made, grown, never shrunk',
  params,
  examples: [
    `- lvm_volume:
    vg: volgrp4
    name: lvimap_hd0
    size: 32M
    header_room: 16M
    devices: [/dev/ubda]
`,
    '- lvm_volume:\n    vg: volgrp4\n    name: lvimap_hd0\n    state: absent\n    expendable: true\n',
  ],
  check: (v) => {
    const problems: Problem[] = [];
    const size = v.size === undefined ? undefined : parseSize(v.size);
    if (v.state === 'present' && v.size === undefined)
      problems.push({code: 'missing-param', message: 'state present needs `size`', param: '/size', help: 'size: 10G'});
    const wrong = (param: string, problem: {message: string; help?: string}): void =>
      void problems.push({
        code: 'bad-size',
        message: problem.message,
        param,
        ...(problem.help === undefined ? {} : {help: problem.help}),
      });
    if (size?.ok === false) wrong('/size', size.problems[0]);
    const room = v.header_room === undefined ? undefined : parseSize(v.header_room);
    if (room?.ok === false) wrong('/header_room', room.problems[0]);
    if (room?.ok === true && room.value.kind === 'percent')
      wrong('/header_room', {message: 'the room for a header is a size, no share', help: 'header_room: 16M'});
    if (room !== undefined && size?.ok === true && size.value.kind === 'percent')
      problems.push({
        code: 'bad-combination',
        message: '`header_room` goes with a size, not with a share',
        param: '/header_room',
        help: 'leave it out',
      });
    return problems;
  },
  probe: (v) =>
    all({
      lvm: lvmProbe(v),
      device: deviceProbe(pathOf(v), dependencies(v)),
      devices: list((v.devices ?? []).map((path) => deviceProbe(path, [`device:${path}`, `device:lvm ${v.vg}`]))),
    }),
  plan: (v, now): Plan => (v.state === 'absent' ? planAbsent(v, now) : planPresent(v, now)),
  result: (v, before, after) => {
    const volume = (after instanceof Unknown ? before : (after as State)).lvm.volume;
    return {path: pathOf(v), size_bytes: volume?.sizeBytes ?? null};
  },
});

/** An LVM command. */
function lvm(v: V, argv: readonly string[], more: {readonly sees?: readonly Key[]} = {}): Op {
  return {
    op: 'run',
    argv: ['/bin/sh', '-c', `${withoutUdev}\nexec "$@"`, 'sh', ...argv],
    affects: [
      `device:lvm ${v.vg}`,
      `device:${pathOf(v)}`,
      `device:/dev/mapper/${v.vg.replaceAll('-', '--')}-${v.name.replaceAll('-', '--')}`,
      ...(v.devices ?? []).map((path): Key => `device:${path}`),
    ],
    timeoutMs: 300_000,
    ...more,
  };
}

function planPresent(v: V, {lvm: now, devices}: State): Plan {
  if (!now.installed)
    return refuse('no-lvm', 'LVM is not installed on this host', {help: 'a task before: package: {name: lvm2}'});
  if (now.problem !== undefined) return refuse('lvm-report', now.problem, {help: 'use `become: true`'});
  if (!now.deviceMapper)
    return refuse('no-device-mapper', 'the kernel of this host has no device-mapper: it can have no logical volumes', {
      help: 'load the module dm_mod',
    });
  const changes: Change[] = [];
  const ops: Op[] = [];
  const group = planGroup(v, now, devices);
  if (group.refusal !== undefined) return group.refusal;
  changes.push(...group.changes);
  ops.push(...group.ops);

  const parsed = parseSize(v.size ?? '');
  if (!parsed.ok) return refuse('bad-size', parsed.problems[0].message, {param: '/size'});
  const extentBytes = now.group?.extentBytes ?? defaultExtentBytes;
  const freeBytes = (now.group?.freeBytes ?? 0) + group.addedBytes;
  const totalBytes = (now.group?.sizeBytes ?? 0) + group.addedBytes;
  const volume = now.volume;
  const wanted = targetBytes(v, parsed.value, {extentBytes, freeBytes, totalBytes, nowBytes: volume?.sizeBytes ?? 0});
  const more = wanted - (volume?.sizeBytes ?? 0);
  const path = pathOf(v);
  if (volume !== undefined && more < 0)
    return refuse(
      'would-shrink',
      `${path} has ${formatSize(volume.sizeBytes)}, declared are ${formatSize(wanted)}: a volume is never shrunk`,
      {
        param: '/size',
        help: 'what lies on it would be cut off; shrink it by hand, the file system first',
      },
    );
  if (more > freeBytes || wanted === 0)
    return refuse(
      'no-space',
      `${v.vg} has ${formatSize(freeBytes)} free, ${formatSize(Math.max(more, extentBytes))} are needed`,
      {param: '/size', help: 'add a device with `devices`'},
    );
  const pending: string[] = [];
  if (volume === undefined) {
    changes.push({what: path, before: undefined, after: formatSize(wanted)});
    const size =
      parsed.value.kind === 'percent' ? sizeArguments(parsed.value) : ['--extents', String(wanted / extentBytes)];
    ops.push(lvm(v, ['lvcreate', '--yes', '--wipesignatures', 'y', '--zero', 'y', '--name', v.name, ...size, v.vg]));
  } else {
    if (more > 0) {
      changes.push({what: `${path}: size`, before: formatSize(volume.sizeBytes), after: formatSize(wanted)});
      ops.push(lvm(v, ['lvextend', '--extents', String(wanted / extentBytes), `${v.vg}/${v.name}`]));
      if (volume.open) pending.push(`resize what lies on ${path}: it still has its old size`);
    }
    if (!volume.active) {
      changes.push({what: path, before: 'inactive', after: 'active'});
      ops.push(lvm(v, ['lvchange', '--activate', 'y', `${v.vg}/${v.name}`]));
    }
  }
  return change(changes, ops, pending.length === 0 ? {} : {pending});
}

/** The size in whole extents. A share of what is free is met by any size, unless it is all of it. */
function targetBytes(
  v: V,
  size: LvmSize,
  at: {
    readonly extentBytes: number;
    readonly freeBytes: number;
    readonly totalBytes: number;
    readonly nowBytes: number;
  },
): number {
  const whole = (bytes: number): number => Math.floor(bytes / at.extentBytes) * at.extentBytes;
  if (size.kind === 'bytes') {
    const room = v.header_room === undefined ? undefined : parseSize(v.header_room);
    const roomBytes = room?.ok === true && room.value.kind === 'bytes' ? room.value.bytes : 0;
    return wholeExtents(size.bytes + roomBytes, at.extentBytes);
  }
  if (size.of === 'FREE')
    return at.nowBytes > 0 && size.percent < 100
      ? at.nowBytes
      : whole(at.nowBytes + (at.freeBytes * size.percent) / 100);
  return Math.max(at.nowBytes, whole((at.totalBytes * size.percent) / 100));
}

type GroupPlan = {
  readonly changes: readonly Change[];
  readonly ops: readonly Op[];
  readonly addedBytes: number;
  readonly refusal?: Plan;
};

/** The group, made or extended with devices that carry nothing. */
function planGroup(v: V, now: Lvm, states: readonly DeviceState[]): GroupPlan {
  const none: GroupPlan = {changes: [], ops: [], addedBytes: 0};
  const devices = v.devices ?? [];
  if (now.group === undefined && devices.length === 0)
    return {
      ...none,
      refusal: refuse('no-group', `there is no volume group ${v.vg} on this host`, {
        param: '/vg',
        help: 'name blank devices for it: devices: [/dev/sdb]',
      }),
    };
  const missing = devices
    .map((path, i) => ({path, state: states[i], group: now.physical.get(path)}))
    .filter((one) => one.group !== v.vg);
  const problems = missing.flatMap(({path, state, group}): Problem[] => {
    const param = `/devices/${devices.indexOf(path)}`;
    if (state === undefined || state.kind !== 'block')
      return [{code: 'no-device', message: `${path} is no block device`, param, help: 'name a disk or a partition'}];
    if (group !== undefined && group !== '')
      return [
        {
          code: 'device-in-use',
          message: `${path} belongs to the volume group ${group}`,
          param,
          help: `vgreduce ${group} ${path} takes it out`,
        },
      ];
    const {mounts, users} = state.contents;
    const found = contentsText(state.contents);
    if (mounts.length > 0 || users.length > 0)
      return [
        {
          code: 'device-in-use',
          message: `${path} is in use: ${found.join(', ')}`,
          param,
          help: 'unmount or close what uses it',
        },
      ];
    if (state.unclear !== undefined)
      return [
        {
          code: 'device-unclear',
          message: `it cannot be seen what ${path} carries: ${state.unclear}`,
          param,
          help: 'install util-linux (blkid, wipefs)',
        },
      ];
    if (group === undefined && found.length > 0 && !v.expendable)
      return [
        {
          code: 'device-not-empty',
          message: `${path} carries data: ${found.join(', ')}`,
          param,
          help: 'it would be destroyed; if that is meant, set `expendable: true`',
        },
      ];
    return [];
  });
  if (isNonEmpty(problems)) return {...none, refusal: refuseAll(problems)};
  if (missing.length === 0) return none;
  const ops: Op[] = [];
  const changes: Change[] = [];
  for (const {path, state, group} of missing) {
    if (group !== undefined) continue;
    const found = contentsText(state!.contents).join(', ');
    if (found !== '') ops.push(lvm(v, ['wipefs', '--all', '--quiet', path], {sees: [`device:${path}`]}));
    ops.push(lvm(v, ['pvcreate', '--yes', path], found === '' ? {sees: [`device:${path}`]} : {}));
    changes.push({what: path, before: found === '' ? undefined : found, after: 'physical volume'});
  }
  const paths = missing.map((one) => one.path);
  const before = now.group === undefined ? undefined : 'without them';
  changes.push({what: `volume group ${v.vg}`, before, after: `with ${paths.join(', ')}`});
  ops.push(lvm(v, [now.group === undefined ? 'vgcreate' : 'vgextend', '--yes', v.vg, ...paths]));
  const extentBytes = now.group?.extentBytes ?? defaultExtentBytes;
  // LVM's own data take the first MiB of each device.
  const addedBytes = missing.reduce(
    (sum, {state}) => sum + Math.floor(Math.max(0, (state?.sizeBytes ?? 0) - mebibyte) / extentBytes) * extentBytes,
    0,
  );
  return {changes, ops, addedBytes};
}

/** Removed; the group and its devices stay. */
function planAbsent(v: V, {lvm: now, device}: State): Plan {
  if (!now.installed) return converged();
  if (now.problem !== undefined) return refuse('lvm-report', now.problem, {help: 'use `become: true`'});
  if (now.volume === undefined) return converged();
  const path = pathOf(v);
  const found = contentsText(device.contents);
  if (now.volume.open || device.contents.mounts.length > 0 || device.contents.users.length > 0)
    return refuse('device-in-use', `${path} is in use${found.length === 0 ? '' : `: ${found.join(', ')}`}`, {
      param: '/state',
      help: 'unmount it, close it, or shut the guest down first',
    });
  if (!v.expendable && (found.length > 0 || device.unclear !== undefined || !now.volume.active))
    return refuse(
      'device-not-empty',
      `${path} carries data: ${found.length === 0 ? (device.unclear ?? 'it is inactive, so nobody can tell') : found.join(', ')}`,
      {
        param: '/state',
        help: 'removing it destroys them; if that is meant, set `expendable: true`',
      },
    );
  return change(
    [{what: path, before: formatSize(now.volume.sizeBytes), after: undefined}],
    [lvm(v, ['lvremove', '--yes', `${v.vg}/${v.name}`], {sees: [`device:${path}`]})],
  );
}
