/*
 * The SPICE console of a libvirt guest, compared by meaning and edited in place. libvirt knows several ways to say one thing: the `listen`
 * attribute and the `<listen>` element, `port='-1'` and `autoport='yes'`, a missing element and its default.
 * source: libvirt's "Domain XML format", Graphical framebuffers; QEMU's -spice option for the defaults; checked against libvirt 9.
 */
import {error} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {Secret, reveal} from '../base/secret.ts';
import {appendChildren, applyEdits, printNode, removeElement, replaceElement, setAttribute} from './xml-edit.ts';
import type {XmlEdit, XmlNode} from './xml-edit.ts';
import {attribute, child, children, parseXml} from './xml-tree.ts';
import type {XmlElement} from './xml-tree.ts';

export type SpiceMode = 'secure' | 'insecure' | 'any';

/** The channels that can have a mode of their own. */
export const SPICE_CHANNELS = [
  'main',
  'display',
  'inputs',
  'cursor',
  'playback',
  'record',
  'smartcard',
  'usbredir',
] as const;
export type SpiceChannel = (typeof SPICE_CHANNELS)[number];

/** Where the console listens; an address left out is libvirt's default (`spice_listen` of qemu.conf, else loopback). */
export type SpiceListen =
  | {readonly kind: 'address'; readonly address?: string}
  | {readonly kind: 'network'; readonly network: string}
  | {readonly kind: 'socket'; readonly path?: string}
  | {readonly kind: 'none'};

/** The settings that are one attribute of one child element; what is not said has QEMU's default. */
type Options = {
  readonly imageCompression: string;
  readonly jpegCompression: string;
  readonly zlibCompression: string;
  readonly playbackCompression: boolean;
  readonly streaming: string;
  readonly copypaste: boolean;
  readonly filetransfer: boolean;
  readonly mouse: string;
  readonly gl: boolean;
};

/** A guest's console as it is. `port` and `tlsPort`: `auto` is chosen by libvirt at start, `none` is no such port. */
export type SpiceGraphics = Options & {
  readonly port: number | 'auto' | 'none';
  readonly tlsPort: number | 'auto' | 'none';
  readonly autoport: boolean;
  readonly listen: SpiceListen;
  /** further `<listen>` elements than the first */ readonly moreListens: number;
  readonly defaultMode: SpiceMode;
  /** the modes that are declared */ readonly channels: Readonly<Partial<Record<SpiceChannel, SpiceMode>>>;
  readonly keymap: string | undefined;
  readonly rendernode: string | undefined;
  readonly password: Secret | undefined;
  /** UTC, `2027-01-31T15:30:00`; means nothing, and libvirt drops it, where there is no password */ readonly passwordValidTo:
    string | undefined;
};

/**
 * What a console is to be; what is left out stays as it is. `null` takes the setting away.
 * A number for a port means `autoport: false` unless that is said too; under automatic ports numbers mean nothing.
 */
export type SpiceDesired = {
  readonly port?: number | 'none';
  readonly tlsPort?: number | 'none';
  readonly autoport?: boolean;
  readonly listen?: SpiceListen;
  readonly defaultMode?: SpiceMode;
  readonly channels?: Readonly<Partial<Record<SpiceChannel, SpiceMode>>>;
  readonly keymap?: string | null;
  readonly rendernode?: string | null;
  readonly password?: string | Secret | null;
  readonly passwordValidTo?: string | null;
} & Partial<Options>;

/** One fact that differs, in the words of the XML (`tlsPort`, `image compression`). Undefined: not there. */
export type SpiceChange = {
  readonly what: string;
  readonly before: string | Secret | undefined;
  readonly after: string | Secret | undefined;
};

type Option = {
  element: string;
  attribute: string;
  words?: readonly [yes: string, no: string];
  standard: string | boolean;
};
const OPTIONS: Record<keyof Options, Option> = {
  imageCompression: {element: 'image', attribute: 'compression', standard: 'auto_glz'},
  jpegCompression: {element: 'jpeg', attribute: 'compression', standard: 'auto'},
  zlibCompression: {element: 'zlib', attribute: 'compression', standard: 'auto'},
  playbackCompression: {element: 'playback', attribute: 'compression', words: ['on', 'off'], standard: true},
  streaming: {element: 'streaming', attribute: 'mode', standard: 'off'},
  copypaste: {element: 'clipboard', attribute: 'copypaste', words: ['yes', 'no'], standard: true},
  filetransfer: {element: 'filetransfer', attribute: 'enable', words: ['yes', 'no'], standard: true},
  mouse: {element: 'mouse', attribute: 'mode', standard: 'client'},
  gl: {element: 'gl', attribute: 'enable', words: ['yes', 'no'], standard: false},
};
const OPTION_NAMES = Object.keys(OPTIONS) as (keyof Options)[];
const MODES: readonly string[] = ['secure', 'insecure', 'any'];

/** The `<graphics type='spice'>` of a domain; libvirt allows one. */
export function spiceElement(domain: XmlElement): XmlElement | undefined {
  return children(child(domain, 'devices'), 'graphics').find((one) => attribute(one, 'type') === 'spice');
}

/** The console of a domain, undefined if it has none. *errors*: xml-malformed. */
export function parseSpice(xml: string): Result<SpiceGraphics | undefined> {
  const root = parseXml(xml);
  if (!root.ok) return root;
  const element = spiceElement(root.value);
  return ok(element && readSpice(element));
}

/** The console that an element describes. */
export function readSpice(element: XmlElement): SpiceGraphics {
  const get = (name: string): string | undefined => attribute(element, name);
  const autoport = get('autoport') === 'yes' || (get('port') === '-1' && get('tlsPort') === '-1');
  const port = (name: string): number | 'auto' | 'none' => {
    const number = Number(get(name) ?? 0);
    return number > 0 ? number : autoport ? 'auto' : 'none';
  };
  const options = Object.fromEntries(
    OPTION_NAMES.map((name) => {
      const {element: tag, attribute: key, words, standard} = OPTIONS[name];
      const said = attribute(child(element, tag), key);
      return [name, said === undefined ? standard : words === undefined ? said : said === words[0]];
    }),
  ) as Options;
  const channels: Partial<Record<SpiceChannel, SpiceMode>> = {};
  for (const one of children(element, 'channel')) {
    const name = attribute(one, 'name');
    const own = mode(attribute(one, 'mode'));
    if (own !== 'any' && SPICE_CHANNELS.includes(name as SpiceChannel)) channels[name as SpiceChannel] = own;
  }
  const password = get('passwd');
  return {
    ...options,
    autoport,
    port: port('port'),
    tlsPort: port('tlsPort'),
    listen: readListen(element),
    moreListens: Math.max(0, children(element, 'listen').length - 1),
    defaultMode: mode(get('defaultMode')),
    channels,
    keymap: get('keymap'),
    rendernode: attribute(child(element, 'gl'), 'rendernode'),
    password: password === undefined ? undefined : Secret.of(password),
    passwordValidTo: password === undefined ? undefined : get('passwdValidTo'),
  };
}

function mode(text: string | undefined): SpiceMode {
  return text !== undefined && MODES.includes(text) ? (text as SpiceMode) : 'any';
}

function readListen(element: XmlElement): SpiceListen {
  const legacy = attribute(element, 'listen');
  const inherited = legacy === undefined || legacy === '' ? undefined : legacy;
  const first = child(element, 'listen');
  if (first === undefined) {
    if (inherited !== undefined) return {kind: 'address', address: inherited};
    // Without any port and any word about listening there is nothing that could listen.
    const ports = ['port', 'tlsPort', 'autoport'].some(
      (name) => !['0', 'no', undefined].includes(attribute(element, name)),
    );
    return ports ? {kind: 'address'} : {kind: 'none'};
  }
  switch (attribute(first, 'type')) {
    case 'network':
      return {kind: 'network', network: attribute(first, 'network') ?? ''};
    case 'socket': {
      const path = attribute(first, 'socket');
      return {kind: 'socket', ...(path !== undefined && {path})};
    }
    case 'none':
      return {kind: 'none'};
    default: {
      const address = attribute(first, 'address') ?? inherited;
      return {kind: 'address', ...(address !== undefined && {address})};
    }
  }
}

/** A listener as words: `0.0.0.0`, `network lan`, `socket /run/x`, `none`. */
export function listenText(listen: SpiceListen): string {
  switch (listen.kind) {
    case 'address':
      return listen.address ?? 'address';
    case 'network':
      return `network ${listen.network}`;
    case 'socket':
      return listen.path === undefined ? 'socket' : `socket ${listen.path}`;
    case 'none':
      return 'none';
  }
}

/** Whether ports are to be chosen by libvirt once `desired` is reached. */
function willBeAutomatic(now: SpiceGraphics | undefined, desired: SpiceDesired): boolean {
  if (desired.autoport !== undefined) return desired.autoport;
  const numbered = typeof desired.port === 'number' || typeof desired.tlsPort === 'number';
  if (now !== undefined) return now.autoport && !numbered;
  return (
    !numbered &&
    (desired.listen === undefined || desired.listen.kind === 'address' || desired.listen.kind === 'network')
  );
}

/**
 * What has to change, by meaning. `any` for a channel is libvirt's word for "no mode of its own": the default mode counts for it.
 * Empty when the console is as desired. `now` undefined: there is no console yet.
 */
export function spiceChanges(now: SpiceGraphics | undefined, desired: SpiceDesired): SpiceChange[] {
  const changes: SpiceChange[] = [];
  const differ = (what: string, before: string | undefined, after: string | undefined): void => {
    if (before !== after) changes.push({what, before, after});
  };
  if (now === undefined) differ('graphics', undefined, 'spice');
  const auto = willBeAutomatic(now, desired);
  if (now === undefined ? auto || desired.autoport !== undefined : true) {
    differ('autoport', now && yesNo(now.autoport), yesNo(auto));
  }
  for (const name of ['port', 'tlsPort'] as const) {
    if (!auto && desired[name] !== undefined) differ(name, now && String(now[name]), String(desired[name]));
  }
  if (desired.listen !== undefined) {
    const more = now !== undefined && now.moreListens > 0 ? ` and ${now.moreListens} more` : '';
    differ('listen', now && listenText(now.listen) + more, listenText(desired.listen));
  }
  if (desired.defaultMode !== undefined) differ('defaultMode', now?.defaultMode, desired.defaultMode);
  const standard = desired.defaultMode ?? now?.defaultMode ?? 'any';
  for (const name of SPICE_CHANNELS) {
    const wanted = desired.channels?.[name];
    if (wanted === undefined) continue;
    const before = now && (now.channels[name] ?? (wanted === 'any' ? 'any' : standard));
    if (now === undefined && wanted === 'any') continue;
    differ(`channel ${name}`, before, wanted);
  }
  if (desired.keymap !== undefined) differ('keymap', now?.keymap, desired.keymap ?? undefined);
  if (desired.rendernode !== undefined) differ('gl rendernode', now?.rendernode, desired.rendernode ?? undefined);
  const locked = desired.password === undefined ? now?.password !== undefined : desired.password !== null;
  if (desired.passwordValidTo !== undefined && locked) {
    differ('passwdValidTo', now?.passwordValidTo, desired.passwordValidTo ?? undefined);
  }
  for (const name of OPTION_NAMES) {
    const wanted = desired[name];
    const {element, attribute: key} = OPTIONS[name];
    if (wanted !== undefined) differ(`${element} ${key}`, now && optionText(name, now[name]), optionText(name, wanted));
  }
  if (desired.password !== undefined) {
    const before = now?.password;
    const after = desired.password === null ? undefined : Secret.of(reveal(desired.password));
    if (before?.reveal() !== after?.reveal()) changes.push({what: 'passwd', before, after});
  }
  return changes;
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

function optionText(name: keyof Options, value: string | boolean): string {
  const {words} = OPTIONS[name];
  return typeof value === 'string' ? value : (words ?? ['yes', 'no'])[value ? 0 : 1];
}

/**
 * The domain's XML with the desired console; every byte that this does not concern stays. The same text comes back when nothing differs.
 * It carries the password, if there is one: {@link secretXml} marks it. *errors*: xml-malformed, not-a-domain.
 */
export function applySpice(xml: string, desired: SpiceDesired): Result<string> {
  const root = parseXml(xml);
  if (!root.ok) return root;
  const devices = child(root.value, 'devices');
  if (root.value.name !== 'domain')
    return bad(error('not-a-domain', `the XML describes a <${root.value.name}>, not a <domain>`));
  const element = spiceElement(root.value);
  if (element !== undefined) return ok(applyEdits(xml, editsOf(xml, element, desired)));
  const node: XmlNode = newSpice(desired);
  const edits = devices
    ? appendChildren(xml, devices, [node])
    : appendChildren(xml, root.value, [{name: 'devices', children: [node]}]);
  return ok(applyEdits(xml, edits));
}

function editsOf(xml: string, element: XmlElement, desired: SpiceDesired): XmlEdit[] {
  const now = readSpice(element);
  const changed = new Set(spiceChanges(now, desired).map(({what}) => what));
  const edits: XmlEdit[] = [];
  const added: XmlNode[] = [];
  const set = (name: string, value: string | undefined): void => {
    edits.push(...setAttribute(element, name, value));
  };
  const setChild = (name: string, key: string, value: string | undefined): void => {
    const present = child(element, name);
    if (present !== undefined) edits.push(...setAttribute(present, key, value));
    else if (value !== undefined) added.push({name, attributes: {[key]: value}});
  };

  const auto = willBeAutomatic(now, desired);
  for (const name of ['port', 'tlsPort'] as const) {
    if (changed.has('autoport') && auto) set(name, undefined);
    else if (changed.has(name)) set(name, desired[name] === 'none' ? undefined : String(desired[name]));
    else if (changed.has('autoport') && desired[name] === undefined) set(name, undefined);
  }
  if (changed.has('autoport')) set('autoport', yesNo(auto));
  // Without a word about listening, whether there are ports decides; so it is said as soon as the ports change.
  const inferred = child(element, 'listen') === undefined && attribute(element, 'listen') === undefined;
  const moved = inferred && ['autoport', 'port', 'tlsPort'].some((name) => changed.has(name));
  if (desired.listen !== undefined && (changed.has('listen') || moved)) {
    const [first, ...more] = children(element, 'listen');
    if (first === undefined) added.push(listenNode(desired.listen));
    else edits.push(replaceElement(xml, first, listenNode(desired.listen)));
    for (const one of more) edits.push(removeElement(xml, one));
    // The attribute only repeats the first element, and libvirt refuses a domain in which they differ.
    set('listen', undefined);
  }
  if (changed.has('keymap')) set('keymap', desired.keymap ?? undefined);
  if (changed.has('defaultMode')) set('defaultMode', desired.defaultMode);
  if (changed.has('passwd')) set('passwd', desired.password == null ? undefined : reveal(desired.password));
  if (changed.has('passwdValidTo')) set('passwdValidTo', desired.passwordValidTo ?? undefined);
  for (const name of SPICE_CHANNELS) {
    if (!changed.has(`channel ${name}`)) continue;
    const present = children(element, 'channel').find((one) => attribute(one, 'name') === name);
    if (desired.channels?.[name] === 'any') {
      if (present !== undefined) edits.push(removeElement(xml, present));
    } else if (present !== undefined) edits.push(...setAttribute(present, 'mode', desired.channels?.[name]));
    else added.push({name: 'channel', attributes: {name, mode: desired.channels?.[name]}});
  }
  const gl = changed.has('gl enable') || changed.has('gl rendernode');
  for (const name of OPTION_NAMES) {
    const {element: tag, attribute: key} = OPTIONS[name];
    const wanted = desired[name];
    if (name !== 'gl' && wanted !== undefined && changed.has(`${tag} ${key}`))
      setChild(tag, key, optionText(name, wanted));
  }
  if (gl && child(element, 'gl') === undefined) {
    added.push({
      name: 'gl',
      attributes: {enable: yesNo(desired.gl ?? now.gl), rendernode: desired.rendernode ?? undefined},
    });
  } else if (gl) {
    if (changed.has('gl enable')) setChild('gl', 'enable', yesNo(desired.gl ?? now.gl));
    if (changed.has('gl rendernode')) setChild('gl', 'rendernode', desired.rendernode ?? undefined);
  }
  return [...edits, ...appendChildren(xml, element, added)];
}

function listenNode(listen: SpiceListen): XmlNode {
  switch (listen.kind) {
    case 'address':
      return {name: 'listen', attributes: {type: 'address', address: listen.address}};
    case 'network':
      return {name: 'listen', attributes: {type: 'network', network: listen.network}};
    case 'socket':
      return {name: 'listen', attributes: {type: 'socket', socket: listen.path}};
    case 'none':
      return {name: 'listen', attributes: {type: 'none'}};
  }
}

function newSpice(desired: SpiceDesired): XmlNode {
  const auto = willBeAutomatic(undefined, desired);
  const port = (value: number | 'none' | undefined): string | undefined =>
    auto || value === 'none' || value === undefined ? undefined : String(value);
  const nodes: XmlNode[] = [];
  if (desired.listen !== undefined) nodes.push(listenNode(desired.listen));
  for (const name of SPICE_CHANNELS) {
    const wanted = desired.channels?.[name];
    if (wanted !== undefined && wanted !== 'any') nodes.push({name: 'channel', attributes: {name, mode: wanted}});
  }
  for (const name of OPTION_NAMES) {
    const wanted = desired[name];
    const {element, attribute: key} = OPTIONS[name];
    const rendernode = name === 'gl' ? (desired.rendernode ?? undefined) : undefined;
    if (wanted === undefined && rendernode === undefined) continue;
    nodes.push({name: element, attributes: {[key]: optionText(name, wanted ?? false), rendernode}});
  }
  const withPorts = auto || port(desired.port) !== undefined || port(desired.tlsPort) !== undefined;
  return {
    name: 'graphics',
    attributes: {
      type: 'spice',
      port: port(desired.port),
      tlsPort: port(desired.tlsPort),
      autoport: withPorts ? yesNo(auto) : undefined,
      keymap: desired.keymap ?? undefined,
      defaultMode: desired.defaultMode,
      passwd: desired.password == null ? undefined : reveal(desired.password),
      passwdValidTo: desired.passwordValidTo ?? undefined,
    },
    children: nodes,
  };
}

/** A new console as XML, for a domain that is put together elsewhere. */
export function printSpice(desired: SpiceDesired): string {
  return printNode(newSpice(desired));
}

/** The devices of a domain that work through the SPICE console and keep the guest from starting without one, as `channel com.redhat.spice.0`. */
export function spiceDependents(domain: XmlElement): XmlElement[] {
  return (child(domain, 'devices')?.children ?? []).filter((device) => {
    const type = attribute(device, 'type') ?? '';
    return device.name === 'audio' ? type === 'spice' : type === 'spicevmc' || type === 'spiceport';
  });
}

/** A device that depends on SPICE, in words. */
export function dependentText(device: XmlElement): string {
  const name =
    attribute(child(device, 'target'), 'name') ??
    attribute(child(device, 'source'), 'channel') ??
    attribute(device, 'bus');
  return name === undefined ? `${device.name} (${attribute(device, 'type') ?? ''})` : `${device.name} ${name}`;
}

/**
 * The domain's XML without its SPICE console; the same text when it has none. Devices that need the console go with it when `cascade` says so;
 * the video device stays, also a qxl one, which serves other consoles too. *errors*: xml-malformed, spice-needed (without `cascade`: names them).
 */
export function removeSpice(xml: string, {cascade}: {readonly cascade: boolean}): Result<string> {
  const root = parseXml(xml);
  if (!root.ok) return root;
  const element = spiceElement(root.value);
  const dependents = spiceDependents(root.value);
  if (!cascade && element !== undefined && dependents.length > 0) {
    const names = dependents.map(dependentText).join(', ');
    return bad(
      error('spice-needed', `these devices need the SPICE console: ${names}`, {help: 'cascade: true removes them too'}),
    );
  }
  const gone = [...(element ? [element] : []), ...(cascade ? dependents : [])];
  return ok(
    applyEdits(
      xml,
      gone.map((one) => removeElement(xml, one)),
    ),
  );
}
