import {
  settingLine,
  lineChange,
  MASK,
  Secret,
  all,
  change,
  converged,
  defineModule,
  file,
  followed,
  list,
  nearestName,
  p,
  platformOf,
  platforms,
  powerCycle,
  presentText,
  read,
  refuse,
  reveal,
  rewrite,
  runningGuests,
  sh,
  unit,
  unitKey,
  type Change,
  type Host,
  type Op,
  type Problem,
  type RunningGuest,
  type UnitState,
  type Values,
} from '#kit';
import {
  brokenQemuLines,
  parseQemuConf,
  printQemuConf,
  qemuValue,
  removeQemuKey,
  renderQemuValue,
  sameQemuValue,
  setQemuKey,
  type QemuConf,
  type QemuValue,
} from '#formats/qemu-conf';
import {isQemuPassword, qemuKeys} from '#formats/qemu-conf-keys';

const params = {
  settings: p.map(
    p.any('a number, text, boolean (1 or 0), list, or null'),
    "settings by their names; null takes a setting out, so that libvirt's default holds",
    {
      required: true,
    },
  ),
  path: p.path('the file', {default: '/etc/libvirt/qemu.conf'}),
  restart: p.boolean('restart libvirt where it runs with older settings; running guests are left alone', {
    default: true,
  }),
};
type V = Values<typeof params>;

/** A setting as libvirt shall have it: null = not set. `secret`: never to be shown. */
type Wanted = {readonly key: string; readonly value: QemuValue | null; readonly secret: boolean};
type Misfit = {readonly key: string; readonly problem: string; readonly help?: string};

function wantedOf(key: string, given: unknown): Wanted | Misfit {
  const type = qemuKeys.get(key) ?? 'any';
  const secret = given instanceof Secret || isQemuPassword(key);
  const plain: unknown = given instanceof Secret ? given.reveal() : given;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return {key, problem: 'is no name of a setting'};
  if (plain === null || plain === undefined) return {key, value: null, secret};
  const wrong = (expected: string, help: string): Misfit => ({key, problem: `expected ${expected}`, help});
  switch (type) {
    case 'integer': {
      const value =
        typeof plain === 'boolean'
          ? Number(plain)
          : typeof plain === 'string' && /^-?\d+$/.test(plain)
            ? Number(plain)
            : plain;
      return Number.isSafeInteger(value)
        ? {key, value: value as number, secret}
        : wrong('a number or true/false', `${key}: 1`);
    }
    case 'string':
      if (typeof plain === 'number') return {key, value: String(plain), secret};
      return typeof plain === 'string' ? text(key, plain, secret) : wrong('text', `${key}: "…"`);
    case 'list':
      return Array.isArray(plain) ? listOf(key, plain, secret) : wrong('a list', `${key}: ["…"]`);
    case 'any':
      if (typeof plain === 'boolean') return {key, value: Number(plain), secret};
      if (Number.isSafeInteger(plain)) return {key, value: plain as number, secret};
      if (typeof plain === 'string') return text(key, plain, secret);
      return Array.isArray(plain)
        ? listOf(key, plain, secret)
        : wrong('a number, text, true/false or a list', `${key}: 1`);
  }
}

/** libvirt's strings know no escapes. */
function text(key: string, value: string, secret: boolean): Wanted | Misfit {
  const impossible = value.includes('\0') || (value.includes('"""') && (value.includes("'") || value.includes('\n')));
  return impossible ? {key, problem: 'holds characters that qemu.conf cannot express together'} : {key, value, secret};
}

function listOf(key: string, value: readonly unknown[], secret: boolean): Wanted | Misfit {
  const items = value.map((item) => (item instanceof Secret ? item.reveal() : item));
  const fits = items.every(
    (item) => Number.isSafeInteger(item) || (typeof item === 'string' && !('problem' in text(key, item, false))),
  );
  return fits
    ? {key, value: items as (string | number)[], secret: secret || value.some((item) => item instanceof Secret)}
    : {key, problem: 'expected a list of texts or numbers'};
}

const wantedSettings = (v: V): (Wanted | Misfit)[] =>
  Object.entries(v.settings).map(([key, given]) => wantedOf(key, given));
const isWanted = (setting: Wanted | Misfit): setting is Wanted => 'value' in setting;

/** Directories that must be there, or libvirtd ends right after its start (*source*: libvirt's qemu driver; seen with 9.0). */
const certificateDirectories = (v: V): string[] =>
  wantedSettings(v).flatMap((setting) =>
    isWanted(setting) &&
    setting.key.endsWith('_tls_x509_cert_dir') &&
    typeof setting.value === 'string' &&
    setting.value.startsWith('/')
      ? [setting.value]
      : [],
  );

const packages = platforms.map((row) => `package:${row.libvirtPackage}` as const);
const present = read(
  sh`[ -d /etc/libvirt ] || command -v libvirtd >/dev/null || command -v virtqemud >/dev/null`,
  (reply) => reply.exit === 0,
  {dependsOn: packages},
);

/** The text with every password marked as a secret. */
function content(conf: QemuConf, hidden: ReadonlySet<string>): string | Secret {
  return Secret.join(
    conf.parts.flatMap((part) =>
      part.kind === 'setting' && (hidden.has(part.key) || isQemuPassword(part.key))
        ? [
            part.raw.slice(0, part.valueStart),
            Secret.of(part.raw.slice(part.valueStart, part.valueEnd)),
            part.raw.slice(part.valueEnd),
          ]
        : [part.raw],
    ),
  );
}

function shown(value: QemuValue | null | undefined, secret: boolean): string | Secret | undefined {
  if (value === null || value === undefined) return undefined;
  return secret ? Secret.of(renderQemuValue(value)) : renderQemuValue(value);
}

/** What is wrong with the settings as they would stand, whoever has set them. */
function policy(conf: QemuConf, settings: readonly Wanted[], readableByAll: boolean): Problem[] {
  const on = (key: string): boolean => qemuValue(conf, key) === 1;
  const value = (key: string): string => {
    const found = qemuValue(conf, key);
    return typeof found === 'string' ? found : '';
  };
  const findings: Problem[] = [];
  const say = (code: string, severity: 'error' | 'warning', message: string, help: string): void =>
    void findings.push({code, severity, message, help});
  if (on('spice_sasl') && !on('spice_tls'))
    say(
      'sasl-without-tls',
      'error',
      'SPICE consoles ask for a SASL login, but TLS is off: PLAIN sends passwords in the clear',
      'spice_tls: 1, with a certificate (x509_certificate)',
    );
  if (on('spice_sasl') && value('spice_password') !== '')
    say(
      'password-with-sasl',
      'error',
      'spice_password and spice_sasl together keep guests from starting',
      'spice_password: null',
    );
  if (!on('spice_sasl') && value('spice_password') === '' && isOpen(value('spice_listen')))
    say(
      'open-console',
      'warning',
      `SPICE consoles listen on ${value('spice_listen')} by default, without SASL login or password`,
      'spice_sasl: 1, or spice_listen: 127.0.0.1',
    );
  if (on('vnc_sasl') && !on('vnc_tls'))
    say('sasl-without-tls', 'warning', 'VNC consoles ask for a SASL login, but TLS is off', 'vnc_tls: 1');
  if (readableByAll && [...qemuKeys.keys()].some((key) => isQemuPassword(key) && value(key) !== ''))
    say(
      'credentials-readable',
      'error',
      'the file holds a password and everybody may read it',
      'give it mode 0600 (file module)',
    );
  for (const {key} of settings.filter((one) => !qemuKeys.has(one.key))) {
    const near = nearestName(key, qemuKeys.keys());
    findings.push({
      code: 'unknown-setting',
      severity: 'warning',
      message: `libvirt does not document a setting ${key}`,
      param: `/settings/${key}`,
      ...(near === undefined ? {} : {help: `did you mean ${near}?`}),
    });
  }
  return findings;
}

function isOpen(address: string): boolean {
  return address !== '' && !/^(127\.|::1$|localhost$)/.test(address);
}

/** Guests that run with other settings than those of the file. */
function outdated(v: V, guests: readonly RunningGuest[], conf: QemuConf, changedS: number): readonly RunningGuest[] {
  const spiceOnly = Object.keys(v.settings).every((key) => key.startsWith('spice_'));
  const sasl = qemuValue(conf, 'spice_sasl');
  return guests
    .filter((guest) => guest.spice || !spiceOnly)
    .filter(
      (guest) =>
        guest.startedS < changedS ||
        (guest.spice && sasl !== undefined && 'spice_sasl' in v.settings && guest.sasl !== (sasl === 1)),
    );
}

// With a setting that it cannot accept libvirtd starts, says so in its log, and ends a moment later with exit status 0.
const restartAndProve = `systemctl restart "$1" || { systemctl reset-failed "$1" && systemctl restart "$1"; } || exit
if command -v virsh >/dev/null; then virsh -r -c qemu:///system uri >/dev/null; else sleep 2; fi && systemctl is-active --quiet "$1" && exit 0
echo "$1 does not serve with this configuration" >&2
journalctl -q -n 5 -o cat -u "$1" >&2
exit 1`;

/** After every start that is known: what a restarted unit shows in the rest of a check. *units*: seconds since the epoch. */
const laterS = 8_640_000_000_000;

function restarts(
  v: V,
  units: readonly (readonly [string, UnitState])[],
  changedS: number,
): {changes: Change[]; ops: Op[]; pending: string[]} {
  const changes: Change[] = [];
  const ops: Op[] = [];
  const pending: string[] = [];
  for (const [name, state] of units) {
    if (state.type !== 'unit' || state.load === 'not-found') continue;
    const failed = state.active === 'failed';
    if (!failed && (state.active !== 'active' || state.startedS >= changedS)) continue;
    if (!v.restart) {
      pending.push(`restart ${name}: it ${failed ? 'has failed' : 'runs with older settings'}`);
      continue;
    }
    changes.push({what: name, before: failed ? 'failed' : 'runs with older settings', after: 'restarted'});
    ops.push({
      op: 'run',
      argv: ['/bin/sh', '-c', restartAndProve, 'sh', name],
      affects: [unitKey(name)],
      predicts: [{key: unitKey(name), value: {...state, active: 'active', sub: 'running', startedS: laterS}}],
    });
  }
  return {changes, ops, pending};
}

/** Settings of libvirt's QEMU driver. *source*: the comments of qemu.conf; libvirt's virconf reader for its syntax. */
export default defineModule({
  name: 'qemu_conf',
  summary: "Settings of libvirt's QEMU driver: TLS and SASL of consoles, and all the others",
  params,
  examples: [
    '- qemu_conf:\n    settings:\n      spice_tls: 1\n      spice_tls_x509_cert_dir: /etc/pki/libvirt-spice\n      spice_sasl: 1\n',
    '- qemu_conf:\n    settings: {spice_password: null}\n',
  ],
  check: (v) => {
    const settings = wantedSettings(v);
    const value = (key: string): unknown => settings.filter(isWanted).find((one) => one.key === key)?.value;
    return [
      ...(settings.length === 0
        ? [
            {
              code: 'missing-param',
              message: 'name at least one setting',
              param: '/settings',
              help: 'settings: {spice_tls: 1}',
            },
          ]
        : []),
      ...settings.flatMap((setting): Problem[] =>
        isWanted(setting)
          ? []
          : [
              {
                code: 'bad-setting',
                message: `${setting.key}: ${setting.problem}`,
                param: `/settings/${setting.key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
                ...(setting.help === undefined ? {} : {help: setting.help}),
              },
            ],
      ),
      ...(value('spice_sasl') === 1 && typeof value('spice_password') === 'string'
        ? [
            {
              code: 'bad-combination',
              message: 'spice_password and spice_sasl together keep guests from starting',
              param: '/settings/spice_password',
              help: 'spice_password: null',
            },
          ]
        : []),
    ];
  },
  probe: (v) =>
    all({
      file: file(v.path, {content: 'always', secret: true}),
      libvirtd: unit('libvirtd'),
      virtqemud: unit('virtqemud'),
      guests: runningGuests(),
      certificates: list(certificateDirectories(v).map((path) => file(path))),
      present,
    }),
  plan: (v, now, host: Host) => {
    const before = presentText(v.path, now.file);
    if ('kind' in before) return before;
    if (before.text === undefined && !now.present) {
      const {libvirtPackage} = platformOf(host.facts);
      return refuse('no-libvirt', 'libvirt with its QEMU driver is not installed here', {
        help: `install package ${libvirtPackage} first`,
      });
    }
    const conf = parseQemuConf(before.text ?? '');
    const broken = brokenQemuLines(conf);
    if (broken.length > 0)
      return refuse(
        'broken-file',
        `${v.path} has lines that libvirt cannot read (${broken.join(', ')}): it would not start with them`,
        {
          help: 'repair or remove these lines by hand',
        },
      );
    const settings = wantedSettings(v).filter(isWanted);
    const missing = certificateDirectories(v).filter((_, i) => followed(now.certificates[i]!).type !== 'directory');
    if (missing.length > 0)
      return refuse(
        'no-certificate-directory',
        `there is no directory ${missing.join(', ')}: libvirtd would end with this setting`,
        {
          help: 'put the certificates there first (x509_certificate), in an earlier task',
        },
      );
    const changes: Change[] = [];
    let edited = conf;
    for (const {key, value, secret} of settings) {
      const old = qemuValue(conf, key);
      if (value === null ? old === undefined : sameQemuValue(old, value)) continue;
      edited = value === null ? removeQemuKey(edited, key) : setQemuKey(edited, key, value);
      changes.push({what: key, before: shown(old, secret), after: shown(value, secret)});
    }
    const printed = printQemuConf(edited);
    for (const [i, one] of changes.entries())
      changes[i] = lineChange(one, before.text ?? '', printed, settingLine(one.what, '='));
    const hidden = new Set(settings.filter((one) => one.secret).map((one) => one.key));
    const readableByAll = before.inode !== undefined && (before.inode.mode & 0o004) !== 0;
    const findings = policy(edited, settings, readableByAll);
    const changedS = changes.length > 0 ? Infinity : (before.inode?.mtimeS ?? 0);
    const units = [
      ['libvirtd.service', now.libvirtd],
      ['virtqemud.service', now.virtqemud],
    ] as const;
    const restart = restarts(v, units, changedS);
    const write: Op[] =
      changes.length === 0
        ? []
        : [rewrite(v.path, before, content(edited, hidden), {mode: '0600', owner: 'root', group: 'root'})];
    const pending = [
      ...restart.pending,
      ...powerCycle(outdated(v, now.guests, edited, changedS), `it was started before ${v.path} changed`),
    ];
    const notes = {findings, pending};
    if (changes.length + restart.changes.length === 0) return converged(notes);
    return change([...changes, ...restart.changes], [...write, ...restart.ops], notes);
  },
  result: (v, before) => {
    const text = presentText(v.path, before.file);
    if ('kind' in text) return {path: v.path};
    const conf = parseQemuConf(text.text ?? '');
    const shownValue = (key: string, value: QemuValue): string =>
      isQemuPassword(key) || v.settings[key] instanceof Secret ? MASK : reveal(renderQemuValue(value));
    return {
      path: v.path,
      before: Object.fromEntries(
        Object.keys(v.settings).flatMap((key) => {
          const value = qemuValue(conf, key);
          return value === undefined ? [] : [[key, shownValue(key, value)]];
        }),
      ),
    };
  },
});
