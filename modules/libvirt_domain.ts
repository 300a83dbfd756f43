import {
  Unknown,
  all,
  change,
  converged,
  defineModule,
  deviceFrom,
  deviceShell,
  file,
  guestProbe,
  list,
  map,
  nothing,
  p,
  read,
  refuse,
  reveal,
  sectionsOf,
  sha256,
  shutDownOp,
  staleReasons,
  stdoutText,
  textOf,
  type Change,
  type DeviceState,
  type FileState,
  type GuestState,
  type Host,
  type Key,
  type Op,
  type Plan,
  type Problem,
  type Secret,
} from '#kit';
import {crypttabEntry, parseCrypttab} from '#formats/crypttab';
import {contentsText} from '#formats/device-contents';
import {withDisks, withIdentity, type DiskPlace} from '#formats/libvirt-redefine';
import {cloneDomain, missingFrom, parseDomain, secretXml, type Domain} from '#formats/libvirt-xml';

const params = {
  name: p.string('the guest', {required: true, pattern: '^[^/\\s]+$', describe: 'a guest name'}),
  state: p.choice(
    ['defined', 'running', 'shut_off', 'absent'],
    '`defined`: there, running or not; `absent`: undefined, its disks stay',
    {default: 'defined'},
  ),
  autostart: p.boolean('started with the host'),
  xml: p.text('what the definition must hold; what it says beyond that stays'),
  clone_from: p.string('the guest that a missing one is made from, with a new UUID and new MACs'),
  disks: p.list(
    p.object(
      {
        target: p.string('the disk by its name in the guest', {default: 'vda'}),
        path: p.path('block device or image on the host', {required: true}),
        format: p.string('raw, qcow2, …; default raw for a block device'),
        discard: p.choice(['unmap', 'ignore'], 'what becomes of trims'),
        copy: p.boolean('for a clone: copy what the original’s disk holds', {default: true}),
      },
      'a disk',
    ),
    'where its disks lie',
    {aliases: ['disk'], default: []},
  ),
  power_cycle: p.choice(
    ['never', 'if_pending'],
    'a running guest that is older than its settings: report it, or power-cycle it',
    {default: 'never'},
  ),
  timeout: p.integer('seconds that a guest has to shut down', {default: 120, min: 1, max: 3600}),
  force: p.boolean('turn a guest off that does not shut down in time', {default: false}),
  expendable: p.boolean('what the disks of a clone carry may be overwritten', {default: false}),
  uri: p.string('the libvirt instance', {default: 'qemu:///system'}),
};

type Disk = {
  readonly target: string;
  readonly path: string;
  readonly format: string | undefined;
  readonly discard: 'unmap' | 'ignore' | undefined;
  readonly copy: boolean;
};
type V = {
  readonly name: string;
  readonly state: 'defined' | 'running' | 'shut_off' | 'absent';
  readonly autostart: boolean | undefined;
  readonly xml: string | Secret | undefined;
  readonly clone_from: string | undefined;
  readonly disks: readonly Disk[];
  readonly power_cycle: 'never' | 'if_pending';
  readonly timeout: number;
  readonly force: boolean;
  readonly expendable: boolean;
  readonly uri: string;
};
type State = {
  readonly guest: GuestState;
  readonly original: GuestState | undefined;
  readonly disks: readonly DeviceState[];
  readonly crypttab: FileState;
};

const touched = (v: V): readonly Key[] => [`domain:${v.name}`];

function virsh(
  v: V,
  args: readonly string[],
  more: {readonly stdin?: string | Secret; readonly sees?: readonly Key[]} = {},
): Op {
  return {op: 'run', argv: ['virsh', '-q', '-c', v.uri, ...args], affects: touched(v), ...more};
}

/** Asks the guest to shut down and waits; turns it off only where that is allowed. */
function shutDown(v: V): Op {
  return shutDownOp(v, [`domain:${v.name}`]);
}

/** A guest of libvirt: its definition, whether it runs, clones. */
export default defineModule({
  name: 'libvirt_domain',
  summary: 'A guest: defined, running or not, autostart, clones, power-cycles',
  params,
  examples: [
    '- libvirt_domain:\n    name: debianx\n    state: running\n    autostart: true\n',
    '- libvirt_domain:\n    name: debianx\n    state: running\n    power_cycle: if_pending\n    timeout: 5\n    force: true\n',
    '- libvirt_domain:\n    name: debianx\n    state: shut_off\n    timeout: 5\n    force: true\n- libvirt_domain:\n    name: debiany\n    clone_from: debianx\n',
  ],
  check: (v) => {
    const problems: Problem[] = [];
    if (v.xml !== undefined) {
      const domain = parseDomain(reveal(v.xml));
      if (!domain.ok)
        problems.push({code: domain.problems[0].code, message: domain.problems[0].message, param: '/xml'});
      else if (domain.value.name !== v.name)
        problems.push({
          code: 'other-name',
          message: `the XML defines the guest ${domain.value.name}`,
          param: '/xml',
          help: `<name>${v.name}</name>`,
        });
    }
    if (v.xml !== undefined && v.clone_from !== undefined)
      problems.push({
        code: 'bad-combination',
        message: '`xml` and `clone_from` are two ways to say what the guest is',
        param: '/clone_from',
      });
    if (v.clone_from === v.name)
      problems.push({code: 'bad-combination', message: 'a guest cannot be its own clone', param: '/clone_from'});
    if (v.state === 'absent' && (v.autostart === true || v.clone_from !== undefined))
      problems.push({code: 'bad-combination', message: 'an absent guest has no settings', param: '/state'});
    const twice = v.disks.find((disk, i) => v.disks.findIndex((one) => one.target === disk.target) !== i);
    if (twice !== undefined)
      problems.push({code: 'same-disk', message: `the disk ${twice.target} is declared twice`, param: '/disks'});
    return problems;
  },
  probe: (v) =>
    all({
      guest: guestProbe(v.name, v.uri),
      original:
        v.clone_from === undefined
          ? nothing(undefined as GuestState | undefined)
          : map(guestProbe(v.clone_from, v.uri), (state): GuestState | undefined => state),
      disks: list(
        v.disks.map(({path}) =>
          read(deviceShell(path), (reply) => deviceFrom(sectionsOf(stdoutText(reply))), {
            dependsOn: [`device:${path}`, `file:${path}`],
          }),
        ),
      ),
      crypttab: file('/etc/crypttab', {content: 'always'}),
    }),
  plan: (v, now, host): Plan => planDomain(v, now, host),
  result: (v, before, after) => {
    const {guest} = after instanceof Unknown ? before : (after as State);
    const domain = guest.xml === undefined ? undefined : parseDomain(guest.xml);
    return {name: v.name, state: guest.state, uuid: domain?.ok === true ? (domain.value.uuid ?? null) : null};
  },
});

function planDomain(v: V, now: State, host: Host): Plan {
  const {guest} = now;
  if (!guest.virsh) {
    if (v.state === 'absent') return converged();
    return refuse('no-libvirt', 'virsh is not installed on this host', {
      help: 'install libvirt first (libvirt-clients, libvirt-daemon-system)',
    });
  }
  if (guest.problem !== '')
    return refuse('libvirt-down', `libvirt does not answer: ${guest.problem.split('\n').at(-1) ?? ''}`, {
      param: '/uri',
      help: 'start libvirtd, or use `become: true`',
    });
  if (v.state === 'absent') return planAbsent(v, guest);

  const changes: Change[] = [];
  const ops: Op[] = [];
  const definition = guest.xml === undefined ? created(v, now, host) : redefined(v, now, guest.xml);
  if ('refusal' in definition) return definition.refusal;
  changes.push(...definition.changes);
  ops.push(...definition.ops);
  if (v.autostart !== undefined && v.autostart !== guest.autostart) {
    changes.push({what: 'autostart', before: String(guest.autostart), after: String(v.autostart)});
    ops.push(virsh(v, ['autostart', v.name, ...(v.autostart ? [] : ['--disable'])]));
  }
  const parsed = parseDomain(definition.xml);
  const domain = parsed.ok ? parsed.value : undefined;
  const findings = boot(v, domain, now);
  const power = planPower(v, now, definition.changes.length > 0);
  if ('refusal' in power) return power.refusal;
  changes.push(...power.changes);
  ops.push(...power.ops);
  return change(changes, ops, {findings, ...(power.pending.length === 0 ? {} : {pending: power.pending})});
}

type Definition =
  {readonly xml: string; readonly changes: readonly Change[]; readonly ops: readonly Op[]} | {readonly refusal: Plan};

/** A guest that is not there: from the given XML, or as a clone. */
function created(v: V, now: State, host: Host): Definition {
  const place = (refusal: Plan): Definition => ({refusal});
  if (v.clone_from !== undefined) return cloned(v, now, host, v.clone_from);
  if (v.xml === undefined)
    return place(
      refuse('no-domain', `there is no guest ${v.name} on this host`, {
        param: '/name',
        help: 'give its definition (`xml`) or the guest that it is a clone of (`clone_from`)',
      }),
    );
  const xml = withDisks(reveal(v.xml), placesOf(v, now));
  if (!xml.ok) return place(refuse(xml.problems[0].code, xml.problems[0].message, {param: '/disks'}));
  return {
    xml: xml.value,
    changes: [{what: v.name, before: undefined, after: secretXml(xml.value)}],
    ops: [define(v, xml.value)],
  };
}

function define(v: V, xml: string): Op {
  return virsh(v, ['define', '/dev/stdin'], {stdin: secretXml(xml)});
}

function placesOf(v: V, now: State): readonly DiskPlace[] {
  return v.disks.map((disk, i) => ({
    target: disk.target,
    path: disk.path,
    kind: now.disks[i]?.kind === 'block' || disk.path.startsWith('/dev/') ? 'block' : 'file',
    ...(disk.format === undefined ? {} : {format: disk.format}),
    ...(disk.discard === undefined ? {} : {discard: disk.discard}),
  }));
}

/** Digits from names alone, so that the same playbook makes the same clone in check and run. */
function digits(...parts: readonly string[]): string {
  return sha256(parts.join('\n'));
}

function cloned(v: V, now: State, host: Host, from: string): Definition {
  const place = (refusal: Plan): Definition => ({refusal});
  const original = now.original;
  if (original?.xml === undefined)
    return place(
      refuse('no-domain', `there is no guest ${from} to clone`, {
        param: '/clone_from',
        help: 'name a guest of this host',
      }),
    );
  const domain = parseDomain(original.xml);
  if (!domain.ok) return place(refuse(domain.problems[0].code, `${from}: ${domain.problems[0].message}`));
  if (original.live !== undefined && v.disks.some((disk) => disk.copy))
    return place(
      refuse('clone-running', `${from} is running: a copy of its disks would be torn`, {
        param: '/clone_from',
        help: `shut it down first: libvirt_domain: {name: ${from}, state: shut_off}`,
      }),
    );
  const hex = digits(host.name, domain.value.uuid ?? from, v.name);
  const uuid = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
  const macs = domain.value.interfaces.map(
    (_, i) => `52:54:00:${(digits(hex, String(i)).slice(0, 6).match(/../g) ?? []).join(':')}`,
  );
  const places = placesOf(v, now);
  const xml = cloneDomain(original.xml, {
    name: v.name,
    uuid,
    macs,
    disks: places.map((one) => ({
      target: one.target,
      kind: one.kind,
      path: one.path,
      ...(one.format === undefined ? {} : {format: one.format}),
      ...(one.discard === 'unmap' || one.discard === 'ignore' ? {discard: one.discard} : {}),
    })),
  });
  if (!xml.ok) {
    const {code, message, help} = xml.problems[0];
    return place(refuse(code, message, {param: '/disks', ...(help === undefined ? {} : {help})}));
  }
  const changes: Change[] = [];
  const ops: Op[] = [];
  for (const [i, disk] of v.disks.entries()) {
    if (!disk.copy) continue;
    const source = domain.value.disks.find((one) => one.target === disk.target);
    const target = now.disks[i];
    if (source?.source === undefined || target === undefined) continue;
    if (source.type !== 'file' && source.type !== 'block')
      return place(
        refuse('clone-disk', `the disk ${disk.target} of ${from} lies in a ${source.type}: it cannot be copied`, {
          param: `/disks/${i}`,
          help: 'copy: false',
        }),
      );
    const found = contentsText(target.contents);
    if (target.contents.users.length > 0 || target.contents.mounts.length > 0)
      return place(refuse('device-in-use', `${disk.path} is in use: ${found.join(', ')}`, {param: `/disks/${i}/path`}));
    if ((found.length > 0 || target.kind === 'file') && !v.expendable)
      return place(
        refuse(
          'device-not-empty',
          `${disk.path} carries data: ${found.length === 0 ? 'a file is there' : found.join(', ')}`,
          {
            param: `/disks/${i}/path`,
            help: 'the copy would overwrite it; if that is meant, set `expendable: true`',
          },
        ),
      );
    const format = disk.format ?? 'raw';
    changes.push({
      what: disk.path,
      before: found.length === 0 ? undefined : found.join(', '),
      after: `copy of ${source.source}`,
    });
    ops.push({
      op: 'run',
      argv: [
        'qemu-img',
        'convert',
        ...(target.kind === 'block' ? ['-n'] : []),
        '-f',
        source.format ?? 'raw',
        '-O',
        format,
        source.source,
        disk.path,
      ],
      affects: [...touched(v), `device:${disk.path}`, `file:${disk.path}`],
      sees: [`device:${disk.path}`, `domain:${from}`],
      timeoutMs: 6 * 3600 * 1000,
    });
  }
  changes.push({what: v.name, before: undefined, after: secretXml(xml.value)});
  ops.push(define(v, xml.value));
  return {xml: xml.value, changes, ops};
}

/** A guest that is there: what the declaration says and the definition does not. */
function redefined(v: V, now: State, present: string): Definition {
  const place = (refusal: Plan): Definition => ({refusal});
  let xml = present;
  const changes: Change[] = [];
  if (v.xml !== undefined) {
    const missing = missingFrom(reveal(v.xml), present);
    if (!missing.ok) return place(refuse(missing.problems[0].code, missing.problems[0].message, {param: '/xml'}));
    // A disk that is declared by itself wins over what the XML says of it.
    const own = new Set(v.disks.map((disk) => `devices/disk[${disk.target}]`));
    const differences = missing.value.filter((one) => ![...own].some((path) => one.path.startsWith(path)));
    if (differences.length > 0) {
      const next = withIdentity(reveal(v.xml), present);
      if (!next.ok) return place(refuse(next.problems[0].code, next.problems[0].message, {param: '/xml'}));
      xml = next.value;
      changes.push(...differences.map((one): Change => ({what: one.path, before: one.present, after: one.wanted})));
    }
  }
  const moved = withDisks(xml, placesOf(v, now));
  if (!moved.ok) return place(refuse(moved.problems[0].code, moved.problems[0].message, {param: '/disks'}));
  if (moved.value !== xml) {
    const [before, after] = [parseDomain(present), parseDomain(moved.value)];
    for (const disk of v.disks) {
      const show = (domain: typeof before): string | undefined => {
        const one = domain.ok ? domain.value.disks.find((d) => d.target === disk.target) : undefined;
        return one === undefined
          ? undefined
          : [one.source, one.format, one.discard].filter((part) => part !== undefined).join(', ');
      };
      if (show(before) !== show(after))
        changes.push({what: `disk ${disk.target}`, before: show(before), after: show(after)});
    }
    xml = moved.value;
  }
  return changes.length === 0 ? {xml: present, changes: [], ops: []} : {xml, changes, ops: [define(v, xml)]};
}

type Power =
  | {readonly changes: readonly Change[]; readonly ops: readonly Op[]; readonly pending: readonly string[]}
  | {readonly refusal: Plan};

function planPower(v: V, {guest, original}: State, redefinedNow: boolean): Power {
  const runs = guest.live !== undefined;
  const none = {changes: [], ops: [], pending: []};
  const before = guest.state === '' ? undefined : guest.state;
  if (v.state === 'shut_off') {
    if (!runs) return none;
    return {...none, changes: [{what: 'state', before, after: 'shut off'}], ops: [shutDown(v)]};
  }
  if (v.state === 'running' && !runs) {
    if (original?.live !== undefined)
      return {
        refusal: refuse(
          'original-running',
          `${v.clone_from ?? ''}, the original, is running: both have the same address inside`,
          {
            param: '/clone_from',
            help: `shut it down first: libvirt_domain: {name: ${v.clone_from ?? ''}, state: shut_off}`,
          },
        ),
      };
    return {...none, changes: [{what: 'state', before, after: 'running'}], ops: [virsh(v, ['start', v.name])]};
  }
  if (v.state === 'running' && guest.state === 'paused')
    return {...none, changes: [{what: 'state', before, after: 'running'}], ops: [virsh(v, ['resume', v.name])]};
  if (!runs) return none;
  const reasons = [...staleReasons(guest), ...(redefinedNow ? ['its definition changes'] : [])];
  if (reasons.length === 0) return none;
  if (v.power_cycle === 'never')
    return {...none, pending: reasons.map((reason) => `power-cycle guest ${v.name}: ${reason}`)};
  return {
    ...none,
    changes: [{what: 'power', before: `on since before ${reasons.join('; ')}`, after: 'cycled'}],
    ops: [shutDown(v), virsh(v, ['start', v.name])],
  };
}

/** A guest that starts with the host needs its volume open by then. */
function boot(v: V, domain: Domain | undefined, now: State): readonly Problem[] {
  const autostart = v.autostart ?? now.guest.autostart;
  if (!autostart || domain === undefined) return [];
  const text =
    now.crypttab.type === 'file' && now.crypttab.content !== undefined ? (textOf(now.crypttab.content) ?? '') : '';
  const tab = parseCrypttab(text);
  return domain.disks.flatMap((disk): Problem[] => {
    const source = disk.source ?? '';
    if (!now.guest.encrypted.includes(source) || crypttabEntry(tab, source.slice('/dev/mapper/'.length)) !== undefined)
      return [];
    return [
      {
        severity: 'warning',
        code: 'volume-closed-at-boot',
        message: `${v.name} starts with the host, but ${source} is not in /etc/crypttab: it will not start`,
        help: 'luks_volume: {crypttab: {keyfile: none, options: [luks]}}',
      },
    ];
  });
}

function planAbsent(v: V, guest: GuestState): Plan {
  if (guest.xml === undefined) return converged();
  const runs = guest.live !== undefined;
  return change(
    [
      ...(runs ? [{what: 'state', before: guest.state, after: 'shut off'}] : []),
      {what: v.name, before: secretXml(guest.xml), after: undefined},
    ],
    [
      ...(runs ? [shutDown(v)] : []),
      ...(guest.persistent
        ? [virsh(v, ['undefine', v.name, '--managed-save', '--snapshots-metadata', '--nvram'])]
        : []),
    ] as readonly Op[],
  );
}
