import type {Key} from './key.ts';
import type {Probe} from './probe.ts';
import {read, stdoutText} from './reads.ts';
import {quote, rawShell} from './shell.ts';
import {sectionsOf} from './device-probe.ts';
import {
  SPICE_CHANNELS,
  missingFrom,
  parseDomain,
  spiceChanges,
  type SpiceDesired,
  type SpiceGraphics,
} from '../formats/libvirt-xml.ts';
import {parseQemuConf, qemuValue, type QemuValue} from '../formats/qemu-conf.ts';
import {mechanismsOf, parseSaslConf, saslValue} from '../formats/sasl-conf.ts';

/**
 * A guest as libvirt has it, with the host's settings that it was, or would be, started with. Both XML texts hold the console's password.
 * *units*: times in seconds since the epoch.
 */
export type GuestState = {
  readonly virsh: boolean;
  /** why libvirt does not answer, '' = it does */
  readonly problem: string;
  readonly names: readonly string[];
  /** the persistent definition; undefined = no such guest */
  readonly xml: string | undefined;
  /** what runs; undefined = nothing does */
  readonly live: string | undefined;
  /** `running`, `paused`, `shut off`, …, '' = no such guest */
  readonly state: string;
  readonly autostart: boolean;
  readonly persistent: boolean;
  readonly startedS: number;
  /** files that QEMU reads when a guest starts, with their times of change */
  readonly settings: readonly {readonly path: string; readonly mtimeS: number}[];
  /** groups of the QEMU account that the running process is not in */
  readonly missingGids: readonly string[];
  readonly qemuConf: string;
  readonly saslConf: string;
  readonly validator: boolean;
  /** definitions of all guests by name, without passwords, where they were asked for */
  readonly others: ReadonlyMap<string, string>;
  /** block devices below /dev/mapper that are opened encrypted volumes */
  readonly encrypted: readonly string[];
};

/** Reads a guest by name or UUID. `others`: the definitions of all guests too. */
export function guestProbe(
  name: string,
  uri: string,
  options: {others?: boolean; dependsOn?: readonly Key[]} = {},
): Probe<GuestState> {
  const fragment = `name=${quote(name)}
sec() { printf '\\001%s\\n' "$1"; }
v() { virsh -q -c ${quote(uri)} "$@"; }
command -v virsh >/dev/null 2>&1 || { sec missing; exit 0; }
sec names; names=$(v list --all --name 2>&1) || { sec problem; printf '%s\\n' "$names"; exit 0; }
printf '%s\\n' "$names"
state=$(v domstate "$name" 2>/dev/null) && {
sec state; printf '%s\\n' "$state"
sec info; v dominfo "$name"
sec xml; v dumpxml --inactive --security-info "$name"
real=$(v dominfo "$name" | sed -n 's/^Name: *//p')
case $state in 'shut off'|crashed) ;; *)
sec live; v dumpxml --security-info "$name"
pidfile=/run/libvirt/qemu/$real.pid
if [ -r "$pidfile" ]; then sec started; stat -c %Y "$pidfile"; pid=; read -r pid <"$pidfile" || :
sec missing-gids; u=$(stat -c %U "/proc/$pid" 2>/dev/null); have=" $(sed -n 's/^Gid:\\|^Groups://p' "/proc/$pid/status" | tr '\\t\\n' '  ') "
for g in $(id -G "$u" 2>/dev/null); do case $have in *" $g "*) ;; *) echo "$g" ;; esac; done; fi ;; esac
}
sec settings; stat -c '%Y %n' /etc/libvirt/qemu.conf /etc/sasl2/qemu.conf /etc/pki/libvirt-spice/*.pem 2>/dev/null
sec qemuconf; cat /etc/libvirt/qemu.conf 2>/dev/null
sec saslconf; cat /etc/sasl2/qemu.conf 2>/dev/null
sec validator; command -v virt-xml-validate
sec encrypted; for d in /sys/class/block/dm-*; do [ -r "$d/dm/uuid" ] && case $(cat "$d/dm/uuid") in CRYPT-*) printf '/dev/mapper/%s\\n' "$(cat "$d/dm/name")" ;; esac; done
${options.others === true ? `printf '%s\\n' "$names" | while IFS= read -r one; do [ -n "$one" ] || continue; sec "other $one"; v dumpxml --inactive "$one" 2>/dev/null; done` : ''}
:`;
  return read(rawShell(fragment), (reply) => parseGuest(stdoutText(reply)), {
    dependsOn: [
      options.others === true ? 'domain:*' : `domain:${name}`,
      'file:/etc/libvirt/qemu.conf',
      'file:/etc/sasl2/qemu.conf',
      'tree:/etc/pki/libvirt-spice',
      'unit:libvirtd.service',
      'package:libvirt-daemon-system',
      'package:libvirt-clients',
      ...(options.dependsOn ?? []),
    ],
    secret: true,
  });
}

function parseGuest(output: string): GuestState {
  const sections = sectionsOf(output);
  const text = (name: string): string => sections.get(name)?.trim() ?? '';
  const listed = (name: string): string[] =>
    text(name)
      .split('\n')
      .filter((line) => line !== '');
  const info = text('info');
  return {
    virsh: !sections.has('missing'),
    problem: text('problem'),
    names: listed('names'),
    xml: sections.get('xml'),
    live: sections.get('live'),
    state: text('state'),
    autostart: /^Autostart:\s+enable/m.test(info),
    persistent: /^Persistent:\s+yes/m.test(info),
    startedS: Number(text('started')) || 0,
    settings: listed('settings').map((line) => ({path: line.replace(/^\d+ /, ''), mtimeS: Number(line.split(' ')[0])})),
    missingGids: listed('missing-gids'),
    qemuConf: sections.get('qemuconf') ?? '',
    saslConf: sections.get('saslconf') ?? '',
    validator: text('validator') !== '',
    others: new Map(
      [...sections].flatMap(([key, value]): [string, string][] =>
        key.startsWith('other ') ? [[key.slice('other '.length), value]] : [],
      ),
    ),
    encrypted: listed('encrypted'),
  };
}

/** What QEMU's settings say of SPICE. */
export type SpiceSettings = {
  readonly tls: boolean;
  readonly sasl: boolean;
  readonly mechanisms: readonly string[];
  readonly listen: string | undefined;
};

/** Reads them out of the two files. Without `mech_list` every installed mechanism is offered: no list. */
export function spiceSettings(guest: Pick<GuestState, 'qemuConf' | 'saslConf'>): SpiceSettings {
  const conf = parseQemuConf(guest.qemuConf);
  const on = (value: QemuValue | undefined): boolean => value === 1;
  const listen = qemuValue(conf, 'spice_listen');
  return {
    tls: on(qemuValue(conf, 'spice_tls')),
    sasl: on(qemuValue(conf, 'spice_sasl')),
    mechanisms: mechanismsOf(saslValue(parseSaslConf(guest.saslConf), 'mech_list') ?? ''),
    listen: typeof listen === 'string' ? listen : undefined,
  };
}

/** Why a running guest is not what it would be after a power-cycle; empty when it is, or does not run. */
export function staleReasons(guest: GuestState): readonly string[] {
  if (guest.live === undefined || guest.xml === undefined) return [];
  const domain = parseDomain(guest.xml);
  const reasons: string[] = [];
  const different = definitionChanges(guest.xml, guest.live);
  if (different.length > 0) reasons.push(`its definition has changed (${different.slice(0, 3).join(', ')})`);
  if (domain.ok && domain.value.spice !== undefined && guest.startedS > 0) {
    const newer = guest.settings.filter((one) => one.mtimeS > guest.startedS).map((one) => one.path);
    if (newer.length > 0) reasons.push(`${newer.join(', ')} changed after it was started`);
    if (guest.missingGids.length > 0) reasons.push('the QEMU account has joined groups after it was started');
  }
  return reasons;
}

/**
 * What of the persistent definition the running guest does not have, or has still. libvirt spells out the CPU and the addresses of a running guest, so
 * those are not compared; its console is compared by meaning.
 */
function definitionChanges(xml: string, live: string): readonly string[] {
  const [wanted, present] = [parseDomain(xml), parseDomain(live)];
  const missing = missingFrom(xml, live);
  if (!wanted.ok || !present.ok || !missing.ok) return [];
  const plain = missing.value
    .map((one) => one.path)
    .filter((path) => !/^cpu([@/]|$)/.test(path) && !path.startsWith('devices/graphics[spice]'));
  const [next, last] = [wanted.value, present.value];
  const console =
    next.spice === undefined
      ? last.spice === undefined
        ? []
        : ['its SPICE console']
      : spiceChanges(last.spice, wholeConsole(next.spice)).map((one) => one.what);
  const gone = [
    ...last.disks
      .filter((disk) => !next.disks.some((one) => one.target === disk.target))
      .map((disk) => `disk ${disk.target}`),
    ...(last.interfaces.length > next.interfaces.length ? ['interfaces'] : []),
  ];
  return [...plain.map((path) => path.replace(/^devices\//, '')), ...console, ...gone];
}

/** A console as a wish that leaves nothing open but what libvirt chooses at start. */
function wholeConsole(spice: SpiceGraphics): SpiceDesired {
  const {
    port,
    tlsPort,
    listen,
    moreListens: _more,
    channels,
    keymap,
    rendernode,
    password,
    passwordValidTo,
    ...rest
  } = spice;
  return {
    ...rest,
    ...(port === 'auto' ? {} : {port}),
    ...(tlsPort === 'auto' ? {} : {tlsPort}),
    ...(listen.kind === 'address' && listen.address === undefined ? {} : {listen}),
    channels: Object.fromEntries(SPICE_CHANNELS.map((name) => [name, channels[name] ?? 'any'])),
    keymap: keymap ?? null,
    ...(rendernode === undefined ? {} : {rendernode}),
    password: password ?? null,
    passwordValidTo: passwordValidTo ?? null,
  };
}
