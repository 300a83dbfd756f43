import {
  Secret,
  change,
  defineModule,
  guestProbe,
  isMapping,
  isNonEmpty,
  p,
  refuse,
  refuseAll,
  reveal,
  shutDownOp,
  spiceSettings,
  staleReasons,
  type Change,
  type GuestState,
  type Key,
  type Op,
  type Plan,
  type Problem,
  type SpiceSettings,
} from '#kit';
import {
  applySpice,
  parseSpice,
  removeSpice,
  secretXml,
  spiceChanges,
  spiceElement,
  type SpiceDesired,
  type SpiceGraphics,
  type SpiceListen,
  type SpiceMode,
} from '#formats/libvirt-xml';
import {parseXml} from '#formats/xml-tree';

const port = (doc: string) =>
  p.either(p.integer('a port', {min: 1, max: 65535}), p.choice(['none'], 'no such port'), doc);
const mode = p.choice(['secure', 'insecure', 'any'], 'how a channel travels');

const params = {
  domain: p.string('the guest, by name or UUID', {required: true, aliases: ['name']}),
  state: p.choice(['present', 'absent'], 'a console, or none', {default: 'present'}),
  tls_port: port('the port with TLS, or `none`'),
  port: port('the port without TLS, or `none`'),
  autoport: p.boolean('libvirt chooses the ports'),
  listen: p.either(
    p.string('an address, or none'),
    p.object(
      {
        address: p.string('an address'),
        network: p.string('a libvirt network'),
        socket: p.path('a Unix socket'),
      },
      'one of these',
    ),
    'where it listens: an address; {address: …}, {network: …} or {socket: /path}; or `none`',
  ),
  default_mode: p.choice(['secure', 'insecure', 'any'], 'how channels without a mode of their own travel'),
  channels: p.map(mode, 'modes by channel: main display inputs cursor playback record smartcard usbredir'),
  keymap: p.string('keyboard layout, for instance de; `none` for none'),
  image_compression: p.choice(['off', 'auto_glz', 'auto_lz', 'quic', 'glz', 'lz'], 'compression of images'),
  jpeg_compression: p.choice(['auto', 'never', 'always'], 'lossy compression over slow links'),
  zlib_compression: p.choice(['auto', 'never', 'always'], 'further compression over slow links'),
  playback_compression: p.boolean('compression of sound'),
  gl: p.boolean('OpenGL'),
  rendernode: p.path('the render node for OpenGL'),
  password: p.secret('the password of the console (not together with SASL); empty text takes it away'),
  password_valid_to: p.string('until when the password holds, UTC: 2027-01-01T00:00:00; `none` for ever', {
    pattern: '^(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d|none)$',
    describe: 'a time such as "2027-01-01T00:00:00", or none',
  }),
  streaming: p.choice(['filter', 'all', 'off'], 'video streams'),
  clipboard: p.boolean('copy and paste between client and guest'),
  file_transfer: p.boolean('files dropped on the window'),
  mouse: p.choice(['client', 'server'], 'who draws the mouse'),
  running: p.choice(
    ['report', 'live', 'restart'],
    'a running guest: say what is pending; change what libvirt can change live (the password); power-cycle it',
    {default: 'report'},
  ),
  timeout: p.integer('seconds that a guest has to shut down before a restart', {default: 120, min: 1, max: 3600}),
  force: p.boolean('turn a guest off that does not shut down in time', {default: false}),
  cascade: p.boolean('with `absent`: the devices that need SPICE too', {default: false}),
  uri: p.string('the libvirt instance', {default: 'qemu:///system'}),
};

type V = {
  readonly domain: string;
  readonly state: 'present' | 'absent';
  readonly tls_port: number | 'none' | undefined;
  readonly port: number | 'none' | undefined;
  readonly autoport: boolean | undefined;
  readonly listen: unknown;
  readonly default_mode: SpiceMode | undefined;
  readonly channels: Readonly<Record<string, SpiceMode>> | undefined;
  readonly keymap: string | undefined;
  readonly image_compression: string | undefined;
  readonly jpeg_compression: string | undefined;
  readonly zlib_compression: string | undefined;
  readonly playback_compression: boolean | undefined;
  readonly gl: boolean | undefined;
  readonly rendernode: string | undefined;
  readonly password: Secret | undefined;
  readonly password_valid_to: string | undefined;
  readonly streaming: string | undefined;
  readonly clipboard: boolean | undefined;
  readonly file_transfer: boolean | undefined;
  readonly mouse: string | undefined;
  readonly running: 'report' | 'live' | 'restart';
  readonly timeout: number;
  readonly force: boolean;
  readonly cascade: boolean;
  readonly uri: string;
};

const channelNames = ['main', 'display', 'inputs', 'cursor', 'playback', 'record', 'smartcard', 'usbredir'];

function listenOf(listen: unknown): SpiceListen | undefined {
  if (typeof listen === 'string') return listen === 'none' ? {kind: 'none'} : {kind: 'address', address: listen};
  if (!isMapping(listen)) return undefined;
  const {address, network, socket} = listen;
  if (typeof socket === 'string') return {kind: 'socket', path: socket};
  if (typeof network === 'string') return {kind: 'network', network};
  return {kind: 'address', ...(typeof address === 'string' ? {address} : {})};
}

/** What the parameters ask for; what is left out stays. */
function desiredOf(v: V): SpiceDesired {
  const listen = listenOf(v.listen);
  const removed = v.password !== undefined && reveal(v.password) === '';
  return {
    ...(v.tls_port === undefined ? {} : {tlsPort: v.tls_port}),
    ...(v.port === undefined ? {} : {port: v.port}),
    ...(v.autoport === undefined ? {} : {autoport: v.autoport}),
    ...(listen === undefined ? {} : {listen}),
    ...(v.default_mode === undefined ? {} : {defaultMode: v.default_mode}),
    ...(v.channels === undefined ? {} : {channels: v.channels}),
    ...(v.keymap === undefined ? {} : {keymap: v.keymap === 'none' ? null : v.keymap}),
    ...(v.rendernode === undefined ? {} : {rendernode: v.rendernode}),
    ...(v.password === undefined ? {} : {password: removed ? null : v.password}),
    ...(removed
      ? {passwordValidTo: null}
      : v.password_valid_to === undefined
        ? {}
        : {passwordValidTo: v.password_valid_to === 'none' ? null : v.password_valid_to}),
    ...(v.image_compression === undefined ? {} : {imageCompression: v.image_compression}),
    ...(v.jpeg_compression === undefined ? {} : {jpegCompression: v.jpeg_compression}),
    ...(v.zlib_compression === undefined ? {} : {zlibCompression: v.zlib_compression}),
    ...(v.playback_compression === undefined ? {} : {playbackCompression: v.playback_compression}),
    ...(v.streaming === undefined ? {} : {streaming: v.streaming}),
    ...(v.clipboard === undefined ? {} : {copypaste: v.clipboard}),
    ...(v.file_transfer === undefined ? {} : {filetransfer: v.file_transfer}),
    ...(v.mouse === undefined ? {} : {mouse: v.mouse}),
    ...(v.gl === undefined ? {} : {gl: v.gl}),
  };
}

/** A guest's SPICE console, in its persistent definition. */
export default defineModule({
  name: 'spice_graphics',
  summary: 'The SPICE console of a libvirt guest: ports, TLS, password, channels',
  params,
  examples: [
    `- spice_graphics:
    domain: debianx
    port: 20001
    tls_port: none
    autoport: false
    listen: 127.0.0.1
    default_mode: insecure
    image_compression: auto_glz
    keymap: de
`,
    `- qemu_conf:
    settings: {spice_tls: 1, spice_tls_x509_cert_dir: /etc/pki/libvirt-spice, spice_sasl: 1}
- spice_graphics:
    domain: debianx
    tls_port: 20002
    port: none
    autoport: false
    listen: 0.0.0.0
    default_mode: secure
    keymap: de
    gl: false
`,
  ],
  check: (v) => checkValues(v),
  probe: (v) => guestProbe(v.domain, v.uri, {others: true}),
  plan: (v, now): Plan => planConsole(v, now),
});

function checkValues(v: V): readonly Problem[] {
  const problems: Problem[] = [];
  const listen = listenOf(v.listen);
  if (v.autoport === true && (typeof v.port === 'number' || typeof v.tls_port === 'number'))
    problems.push({
      code: 'bad-combination',
      message: 'with `autoport` libvirt chooses the ports: numbers would mean nothing',
      param: '/autoport',
      help: 'autoport: false',
    });
  if (typeof v.port === 'number' && v.port === v.tls_port)
    problems.push({
      code: 'same-port',
      message: 'both ports are the same',
      param: '/tls_port',
      help: 'choose another number',
    });
  if (isMapping(v.listen) && Object.values(v.listen).filter((one) => one !== undefined).length !== 1)
    problems.push({
      code: 'bad-listen',
      message: '`listen` takes exactly one of address, network, socket',
      param: '/listen',
    });
  if (listen?.kind === 'socket' && v.image_compression !== undefined)
    problems.push({
      code: 'compression-on-socket',
      message: 'a guest with image compression and a Unix socket does not start',
      param: '/image_compression',
      help: 'leave it out',
    });
  if (listen?.kind === 'socket' && (typeof v.port === 'number' || typeof v.tls_port === 'number'))
    problems.push({
      code: 'bad-combination',
      message: 'a console on a Unix socket has no ports',
      param: '/listen',
      help: 'port: none, tls_port: none',
    });
  for (const name of Object.keys(v.channels ?? {}))
    if (!channelNames.includes(name))
      problems.push({
        code: 'no-channel',
        message: `SPICE has no channel ${name}`,
        param: `/channels/${name}`,
        help: `one of ${channelNames.join(', ')}`,
      });
  if (
    v.password !== undefined &&
    reveal(v.password) === '' &&
    v.password_valid_to !== undefined &&
    v.password_valid_to !== 'none'
  )
    problems.push({
      code: 'bad-combination',
      message: 'there is no password that could expire',
      param: '/password_valid_to',
    });
  if (v.password !== undefined && reveal(v.password).length > 60)
    problems.push({code: 'long-password', message: 'SPICE passwords have at most 60 characters', param: '/password'});
  if (v.cascade && v.state === 'present')
    problems.push({
      code: 'bad-combination',
      severity: 'warning',
      message: '`cascade` goes with `state: absent`',
      param: '/cascade',
    });
  return problems;
}

function planConsole(v: V, guest: GuestState): Plan {
  if (!guest.virsh)
    return refuse('no-libvirt', 'virsh is not installed on this host', {
      help: 'install libvirt first (libvirt-clients, libvirt-daemon-system)',
    });
  if (guest.problem !== '')
    return refuse('libvirt-down', `libvirt does not answer: ${guest.problem.split('\n').at(-1) ?? ''}`, {
      param: '/uri',
      help: 'start libvirtd, or use `become: true`',
    });
  if (guest.xml === undefined)
    return refuse('no-domain', `there is no guest ${v.domain} on this host`, {
      param: '/domain',
      help: `the guests here: ${guest.names.join(', ') || 'none'}`,
    });
  const present = parseSpice(guest.xml);
  if (!present.ok) return refuse(present.problems[0].code, present.problems[0].message);
  if (v.state === 'absent') return planAbsent(v, guest, guest.xml, present.value);

  const desired = desiredOf(v);
  const differences = spiceChanges(present.value, desired);
  const edited = applySpice(guest.xml, desired);
  if (!edited.ok) return refuse(edited.problems[0].code, edited.problems[0].message);
  const result = parseSpice(edited.value);
  const console = result.ok ? result.value : undefined;
  if (console === undefined) return refuse('xml-malformed', 'the edited definition cannot be read');
  const settings = spiceSettings(guest);
  const problems = obstacles(v, guest, console, settings, elementText(edited.value));
  if (isNonEmpty(problems)) return refuseAll(problems);
  const changes: Change[] = differences.map((one) => ({...one}));
  const ops: Op[] = differences.length === 0 ? [] : [define(v, guest, edited.value)];
  return withRunning(v, guest, edited.value, changes, ops, policy(v, guest, console, settings));
}

const touched = (v: V): readonly Key[] => ['domain:*', `domain:${v.domain}`];

function define(v: V, guest: GuestState, xml: string): Op {
  return {
    op: 'run',
    argv: ['virsh', '-q', '-c', v.uri, 'define', ...(guest.validator ? ['--validate'] : []), '/dev/stdin'],
    stdin: secretXml(xml),
    affects: touched(v),
    sees: [`domain:${v.domain}`],
  };
}

/** The text of the console's element; '' where there is none. */
function elementText(xml: string): string {
  const root = parseXml(xml);
  const element = root.ok ? spiceElement(root.value) : undefined;
  return element === undefined ? '' : xml.slice(element.start, element.end);
}

/** What becomes of a running guest. */
function withRunning(
  v: V,
  guest: GuestState,
  xml: string,
  changes: readonly Change[],
  ops: readonly Op[],
  findings: readonly Problem[],
): Plan {
  if (guest.live === undefined) return change(changes, ops, {findings});
  const more: Change[] = [];
  const moreOps: Op[] = [];
  if (v.running === 'live') {
    const wanted = parseSpice(xml);
    const live = parseSpice(guest.live);
    if (
      wanted.ok &&
      live.ok &&
      wanted.value !== undefined &&
      live.value !== undefined &&
      wanted.value.password !== undefined
    ) {
      const desired: SpiceDesired = {
        password: wanted.value.password,
        passwordValidTo: wanted.value.passwordValidTo ?? null,
      };
      const differences = spiceChanges(live.value, desired);
      const edited = applySpice(guest.live, desired);
      if (differences.length > 0 && edited.ok) {
        more.push(...differences.map((one) => ({...one, what: `running guest: ${one.what}`})));
        moreOps.push({
          op: 'run',
          argv: ['virsh', '-q', '-c', v.uri, 'update-device', v.domain, '/dev/stdin', '--live'],
          stdin: secretXml(elementText(edited.value)),
          affects: touched(v),
        });
      }
    }
  }
  const liveAfter = moreOps.length === 0 ? guest.live : livePassword(guest.live, xml);
  const reasons = staleReasons({...guest, xml, live: liveAfter});
  if (reasons.length > 0 && v.running === 'restart') {
    more.push({what: 'power', before: `on since before ${reasons.join('; ')}`, after: 'cycled'});
    moreOps.push(shutDownOp({uri: v.uri, name: v.domain, timeout: v.timeout, force: v.force}, touched(v)), {
      op: 'run',
      argv: ['virsh', '-q', '-c', v.uri, 'start', v.domain],
      affects: touched(v),
    });
    return change([...changes, ...more], [...ops, ...moreOps], {findings});
  }
  const pending = reasons.map((reason) => `power-cycle guest ${v.domain}: ${reason}`);
  return change([...changes, ...more], [...ops, ...moreOps], {findings, ...(pending.length === 0 ? {} : {pending})});
}

/** The running guest's definition once its password has been changed. */
function livePassword(live: string, xml: string): string {
  const wanted = parseSpice(xml);
  if (!wanted.ok || wanted.value?.password === undefined) return live;
  const next = applySpice(live, {
    password: wanted.value.password,
    passwordValidTo: wanted.value.passwordValidTo ?? null,
  });
  return next.ok ? next.value : live;
}

function isLoopback(address: string | undefined): boolean {
  return address === undefined || address === 'localhost' || address === '::1' || address.startsWith('127.');
}

/** Where the console can be reached from: this host only, or others too. */
function reachable(console: SpiceGraphics, settings: SpiceSettings): boolean {
  if (console.port === 'none' && console.tlsPort === 'none') return false;
  if (console.listen.kind === 'network') return true;
  return console.listen.kind === 'address' && !isLoopback(console.listen.address ?? settings.listen);
}

/** Whether a client gets as far as a login without TLS. QEMU turns it away before that only where every channel is secure. */
function plainPort(console: SpiceGraphics): boolean {
  const secured = console.defaultMode === 'secure' && Object.values(console.channels).every((one) => one === 'secure');
  return console.port !== 'none' && !secured;
}

/** What keeps the guest from starting, or gives passwords away. */
function obstacles(
  v: V,
  guest: GuestState,
  console: SpiceGraphics,
  settings: SpiceSettings,
  element: string,
): readonly Problem[] {
  const problems: Problem[] = [];
  if (console.password !== undefined && settings.sasl)
    problems.push({
      code: 'password-with-sasl',
      message: `${v.domain} would not start: a SPICE password and SASL (spice_sasl = 1 in qemu.conf) exclude each other`,
      param: '/password',
      help: 'take one of them away: password: ""',
    });
  if (console.listen.kind === 'socket' && /<image\s[^>]*compression\s*=/.test(element))
    problems.push({
      code: 'compression-on-socket',
      message: `${v.domain} would not start: image compression does not go with a Unix socket`,
      param: '/listen',
      help: 'remove <image compression=…> from the definition, or listen on 127.0.0.1',
    });
  if (typeof console.tlsPort === 'number' && !settings.tls)
    problems.push({
      code: 'no-tls',
      message: `${v.domain} would not start: a TLS port needs spice_tls = 1 in /etc/libvirt/qemu.conf`,
      param: '/tls_port',
      help: 'a task before: qemu_conf: {settings: {spice_tls: 1}}',
    });
  const clear = settings.mechanisms.filter((one) => ['plain', 'login'].includes(one.toLowerCase()));
  if (settings.sasl && clear.length > 0 && plainPort(console) && reachable(console, settings))
    problems.push({
      code: 'cleartext-password',
      message: `the plain port ${console.port} would take passwords in clear text: SASL offers ${clear.join(', ')}`,
      param: '/port',
      help: 'port: none, and tls_port with default_mode: secure',
    });
  const taken = takenBy(guest, v, console, settings);
  if (taken !== undefined) problems.push(taken);
  return problems;
}

/** Another guest with one of these ports on an address that overlaps. */
function takenBy(guest: GuestState, v: V, console: SpiceGraphics, settings: SpiceSettings): Problem | undefined {
  const own = parseXml(guest.xml ?? '');
  const name = own.ok ? own.value.children.find((one) => one.name === 'name')?.text.trim() : v.domain;
  const everywhere = (address: string | undefined): boolean => address === '0.0.0.0' || address === '::';
  const addressOf = (one: SpiceGraphics): string | undefined =>
    one.listen.kind === 'address' ? (one.listen.address ?? settings.listen ?? '127.0.0.1') : undefined;
  for (const [other, xml] of guest.others) {
    if (other === name) continue;
    const parsed = parseSpice(xml);
    if (!parsed.ok || parsed.value === undefined) continue;
    const [a, b] = [addressOf(console), addressOf(parsed.value)];
    if (a !== undefined && b !== undefined && a !== b && !everywhere(a) && !everywhere(b)) continue;
    const theirs = [parsed.value.port, parsed.value.tlsPort];
    const both = [console.port, console.tlsPort].find((one) => typeof one === 'number' && theirs.includes(one));
    if (both !== undefined)
      return {
        code: 'port-taken',
        message: `the guest ${other} has the port ${both} already`,
        param: both === console.tlsPort ? '/tls_port' : '/port',
        help: 'choose another port',
      };
  }
  return undefined;
}

/** What works, but should not be. */
function policy(v: V, guest: GuestState, console: SpiceGraphics, settings: SpiceSettings): readonly Problem[] {
  const findings: Problem[] = [];
  const both = console.port !== 'none' && console.tlsPort !== 'none' && (settings.tls || console.tlsPort !== 'auto');
  if (both && console.defaultMode !== 'secure')
    findings.push({
      severity: 'error',
      code: 'tls-fallback',
      message: `the console of ${v.domain} has both ports and default_mode ${console.defaultMode}: clients fall back to clear text silently`,
      help: 'default_mode: secure, or port: none',
    });
  const weak = Object.entries(console.channels).filter(([, one]) => one === 'insecure');
  if (console.defaultMode === 'secure' && weak.length > 0 && reachable(console, settings))
    findings.push({
      severity: 'error',
      code: 'insecure-channel',
      message: `the console of ${v.domain} sends ${weak.map(([name]) => name).join(', ')} without TLS`,
      help: 'channels: {main: secure}',
    });
  const open = reachable(console, settings);
  if (open && console.password === undefined && !settings.sasl)
    findings.push({
      severity: 'error',
      code: 'open-console',
      message: `the console of ${v.domain} is open to whoever reaches its port: neither SASL nor a password`,
      help: 'qemu_conf: {settings: {spice_sasl: 1}}, or listen: 127.0.0.1',
    });
  else if (open && settings.sasl && plainPort(console))
    findings.push({
      severity: 'error',
      code: 'tls-not-enforced',
      message: `the console of ${v.domain} takes SASL logins without TLS (port ${console.port})`,
      help: 'port: none',
    });
  return findings;
}

/** The console gone from the definition. */
function planAbsent(v: V, guest: GuestState, xml: string, console: SpiceGraphics | undefined): Plan {
  if (console === undefined && !v.cascade) return withRunning(v, guest, xml, [], [], []);
  const removed = removeSpice(xml, {cascade: v.cascade});
  if (!removed.ok) {
    const {code, message, help} = removed.problems[0];
    return refuse(code, message, {param: '/state', ...(help === undefined ? {} : {help})});
  }
  if (removed.value === xml) return withRunning(v, guest, xml, [], [], []);
  return withRunning(
    v,
    guest,
    removed.value,
    [{what: 'graphics', before: console === undefined ? 'devices that need it' : 'spice', after: undefined}],
    [define(v, guest, removed.value)],
    [],
  );
}
