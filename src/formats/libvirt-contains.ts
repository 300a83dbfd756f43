/*
 * Whether a wanted definition is contained in a present one. libvirt adds to what it is given (addresses, aliases, UUID, MACs, default controllers,
 * units converted to KiB, machine types spelt out), so equality would see drift for ever: everything that is declared must be there, the rest is
 * libvirt's own.
 */
import {ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {Secret} from '../base/secret.ts';
import {readSpice, spiceChanges} from './libvirt-spice.ts';
import type {SpiceDesired} from './libvirt-spice.ts';
import {attribute, child, parseXml} from './xml-tree.ts';
import type {XmlElement} from './xml-tree.ts';

/** Something declared that is not there or other than declared. `path` as `devices/disk[vda]/driver@cache`. */
export type XmlDifference = {
  readonly path: string;
  readonly wanted: string | Secret;
  readonly present: string | Secret | undefined;
};

/** What of `wantedXml` is not in `presentXml` (as `virsh dumpxml --inactive --security-info` prints it); empty when all of it is. *errors*: xml-malformed. */
export function missingFrom(wantedXml: string, presentXml: string): Result<XmlDifference[]> {
  const wanted = parseXml(wantedXml);
  if (!wanted.ok) return wanted;
  const present = parseXml(presentXml);
  if (!present.ok) return present;
  return ok(differences(wanted.value, present.value, ''));
}

function differences(wanted: XmlElement, present: XmlElement, path: string): XmlDifference[] {
  const spice = isSpice(wanted) && isSpice(present);
  const found: XmlDifference[] = spice ? spiceDifferences(wanted, present, path) : [];
  for (const {name, value} of wanted.attributes) {
    if (name === 'xmlns' || name.startsWith('xmlns:') || name === 'unit' || (spice && SPICE_ATTRIBUTES.has(name)))
      continue;
    const there = attribute(present, name);
    if (there !== undefined && sameValue(wanted, name, value, there)) continue;
    const hide = (text: string): string | Secret => (name === 'passwd' ? Secret.of(text) : text);
    found.push({path: `${path}@${name}`, wanted: hide(value), present: there === undefined ? undefined : hide(there)});
  }
  const text = wanted.text.trim();
  if (text !== '' && !sameText(wanted, present)) {
    found.push({path, wanted: withUnit(wanted), present: present.text.trim() === '' ? undefined : withUnit(present)});
  }
  const declared = spice ? wanted.children.filter((one) => !SPICE_CHILDREN.has(one.name)) : wanted.children;
  for (const [one, partner] of pairUp(declared, present.children)) {
    const at = `${path === '' ? '' : `${path}/`}${labelOf(one)}`;
    if (partner === undefined) found.push({path: at, wanted: 'present', present: undefined});
    else found.push(...differences(one, partner, at));
  }
  return found;
}

/** Each wanted element with the present one that it means: an equal one, else the one of the same identity, else the most similar. */
function pairUp(wanted: readonly XmlElement[], present: readonly XmlElement[]): [XmlElement, XmlElement | undefined][] {
  const free = new Set(present);
  const partner = new Map<XmlElement, XmlElement>();
  const take = (one: XmlElement, other: XmlElement | undefined): void => {
    if (other === undefined) return;
    partner.set(one, other);
    free.delete(other);
  };
  const candidates = (one: XmlElement): XmlElement[] =>
    [...free].filter((other) => localName(other) === localName(one) && other.namespace === one.namespace);
  for (const one of wanted) {
    take(
      one,
      candidates(one).find((other) => differences(one, other, '').length === 0),
    );
  }
  for (const one of wanted) {
    const identity = identityOf(one);
    if (partner.has(one) || identity === undefined) continue;
    take(
      one,
      candidates(one).find((other) => identityOf(other) === identity),
    );
  }
  for (const one of wanted) {
    if (partner.has(one)) continue;
    // One that is declared under a name of its own is another thing than one under another name.
    const similar = candidates(one).filter((other) => identityOf(one) === undefined || identityOf(other) === undefined);
    const ranked = similar.map((other) => ({other, distance: differences(one, other, '').length}));
    take(one, ranked.sort((a, b) => a.distance - b.distance)[0]?.other);
  }
  return wanted.map((one) => [one, partner.get(one)]);
}

function localName(element: XmlElement): string {
  return element.name.replace(/^.*:/, '');
}

function labelOf(element: XmlElement): string {
  const identity = identityOf(element);
  return identity === undefined ? element.name : `${element.name}[${identity}]`;
}

/** What tells elements of one name apart. */
function identityOf(element: XmlElement): string | undefined {
  const of = (...values: (string | undefined)[]): string | undefined =>
    values.includes(undefined) ? undefined : values.join(' ');
  switch (element.name) {
    case 'disk':
      return attribute(child(element, 'target'), 'dev');
    case 'interface':
      return attribute(child(element, 'mac'), 'address')?.toLowerCase();
    case 'controller':
      return of(attribute(element, 'type'), attribute(element, 'index'));
    case 'graphics':
      return attribute(element, 'type');
    case 'channel':
      return attribute(child(element, 'target'), 'name') ?? attribute(element, 'name');
    case 'filesystem':
      return attribute(child(element, 'target'), 'dir');
    case 'feature':
    case 'timer':
      return attribute(element, 'name');
    default:
      return undefined;
  }
}

function sameValue(element: XmlElement, name: string, wanted: string, present: string): boolean {
  if (wanted === present) return true;
  if (element.name === 'mac' && name === 'address') return wanted.toLowerCase() === present.toLowerCase();
  // libvirt replaces the short name of a machine by the newest version of it.
  if (element.name === 'type' && name === 'machine') {
    const family = {pc: 'pc-i440fx-', q35: 'pc-q35-'}[wanted] ?? `${wanted}-`;
    return present.startsWith(family);
  }
  const number = (text: string): number => (/^(?:0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN);
  return number(wanted) === number(present);
}

function sameText(wanted: XmlElement, present: XmlElement): boolean {
  const [a, b] = [wanted.text.trim(), present.text.trim()];
  if (a === b && attribute(wanted, 'unit') === attribute(present, 'unit')) return true;
  if (wanted.name === 'uuid') return a.toLowerCase().replaceAll('-', '') === b.toLowerCase().replaceAll('-', '');
  if (['memory', 'currentMemory', 'maxMemory'].includes(wanted.name)) {
    // libvirt rounds up to whole KiB, QEMU to whole MiB.
    const [wantedBytes, presentBytes] = [bytesOf(wanted), bytesOf(present)];
    return (
      wantedBytes !== undefined &&
      presentBytes !== undefined &&
      Math.ceil(wantedBytes / 1024) === Math.ceil(presentBytes / 1024)
    );
  }
  return a === b;
}

function withUnit(element: XmlElement): string {
  const unit = attribute(element, 'unit');
  return unit === undefined ? element.text.trim() : `${element.text.trim()} ${unit}`;
}

// libvirt: KiB is meant when nothing is said; `KB` is 1000, `K` and `k` and `KiB` are 1024.
function bytesOf(element: XmlElement): number | undefined {
  const unit = (attribute(element, 'unit') ?? 'KiB').toLowerCase();
  const amount = Number(element.text.trim());
  if (unit === 'b' || unit === 'bytes') return amount;
  const power = 'kmgtpe'.indexOf(unit[0] ?? '') + 1;
  if (power === 0 || !/^.(?:b|ib)?$/.test(unit)) return undefined;
  return amount * (unit.slice(1) === 'b' ? 1000 : 1024) ** power;
}

const SPICE_ATTRIBUTES = new Set([
  'type',
  'port',
  'tlsPort',
  'autoport',
  'listen',
  'defaultMode',
  'keymap',
  'passwd',
  'passwdValidTo',
]);
const SPICE_CHILDREN = new Set([
  'listen',
  'channel',
  'image',
  'jpeg',
  'zlib',
  'playback',
  'streaming',
  'clipboard',
  'filetransfer',
  'mouse',
  'gl',
]);

function isSpice(element: XmlElement): boolean {
  return element.name === 'graphics' && attribute(element, 'type') === 'spice';
}

/** A console is compared by meaning; only what the wanted element says counts. */
function spiceDifferences(wanted: XmlElement, present: XmlElement, path: string): XmlDifference[] {
  const view = readSpice(wanted);
  const says = (name: string): boolean => attribute(wanted, name) !== undefined;
  const has = (name: string, key: string): boolean => attribute(child(wanted, name), key) !== undefined;
  const desired: SpiceDesired = {
    ...(view.autoport || says('autoport') ? {autoport: view.autoport} : {}),
    ...(typeof view.port === 'number' && {port: view.port}),
    ...(typeof view.tlsPort === 'number' && {tlsPort: view.tlsPort}),
    ...((says('listen') || child(wanted, 'listen') !== undefined) && {listen: view.listen}),
    ...(says('defaultMode') && {defaultMode: view.defaultMode}),
    channels: view.channels,
    ...(view.keymap !== undefined && {keymap: view.keymap}),
    ...(view.password !== undefined && {password: view.password}),
    ...(view.passwordValidTo !== undefined && {passwordValidTo: view.passwordValidTo}),
    ...(has('image', 'compression') && {imageCompression: view.imageCompression}),
    ...(has('jpeg', 'compression') && {jpegCompression: view.jpegCompression}),
    ...(has('zlib', 'compression') && {zlibCompression: view.zlibCompression}),
    ...(has('playback', 'compression') && {playbackCompression: view.playbackCompression}),
    ...(has('streaming', 'mode') && {streaming: view.streaming}),
    ...(has('clipboard', 'copypaste') && {copypaste: view.copypaste}),
    ...(has('filetransfer', 'enable') && {filetransfer: view.filetransfer}),
    ...(has('mouse', 'mode') && {mouse: view.mouse}),
    ...(has('gl', 'enable') && {gl: view.gl}),
    ...(view.rendernode !== undefined && {rendernode: view.rendernode}),
  };
  return spiceChanges(readSpice(present), desired).map(({what, before, after}) => ({
    path: `${path}@${what.replace(' ', '/')}`,
    wanted: after ?? 'absent',
    present: before,
  }));
}
