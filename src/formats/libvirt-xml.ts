/*
 * A libvirt domain as its modules need to see it. Reading makes this view; editing works on the text itself (libvirt-spice, libvirt-clone), so that
 * nothing that is not known here can be lost.
 */
import {error} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {Secret, masked} from '../base/secret.ts';
import {dependentText, readSpice, spiceDependents, spiceElement} from './libvirt-spice.ts';
import type {SpiceGraphics} from './libvirt-spice.ts';
import {attribute, child, children, parseXml} from './xml-tree.ts';
import type {XmlElement} from './xml-tree.ts';

export * from './libvirt-spice.ts';
export {missingFrom} from './libvirt-contains.ts';
export type {XmlDifference} from './libvirt-contains.ts';
export {cloneDomain} from './libvirt-clone.ts';
export type {CloneDisk, CloneWishes} from './libvirt-clone.ts';

/** A disk: `source` is the path, volume or URL name, undefined for an empty drive. */
export type DomainDisk = {
  readonly target: string;
  readonly bus: string | undefined;
  /** file, block, volume, network … */ readonly type: string;
  /** disk, cdrom, floppy, lun */ readonly device: string;
  readonly source: string | undefined;
  readonly format: string | undefined;
  readonly discard: string | undefined;
  readonly readonly: boolean;
  readonly shareable: boolean;
};

/** A network interface. */
export type DomainInterface = {
  readonly type: string;
  readonly mac: string | undefined;
  readonly source: string | undefined;
  readonly model: string | undefined;
};

/** A domain. `id` is there in the XML of a running one only. */
export type Domain = {
  readonly name: string;
  readonly type: string;
  readonly uuid: string | undefined;
  readonly id: number | undefined;
  readonly title: string | undefined;
  /** types of all consoles */ readonly graphics: readonly string[];
  readonly spice: SpiceGraphics | undefined;
  /** devices that need the SPICE console, in words */ readonly spiceDependents: readonly string[];
  readonly video: readonly string[];
  readonly sound: readonly string[];
  readonly disks: readonly DomainDisk[];
  readonly interfaces: readonly DomainInterface[];
};

/** The view of a domain's XML. *errors*: xml-malformed, not-a-domain. */
export function parseDomain(xml: string): Result<Domain> {
  const root = parseXml(xml);
  if (!root.ok) return root;
  const domain = root.value;
  const name = child(domain, 'name')?.text.trim();
  if (domain.name !== 'domain' || name === undefined || name === '') {
    return bad(error('not-a-domain', 'the XML describes no libvirt domain with a name'));
  }
  const devices = child(domain, 'devices');
  const spice = spiceElement(domain);
  const id = attribute(domain, 'id');
  const models = (tag: string): string[] =>
    children(devices, tag).map((one) => attribute(child(one, 'model'), 'type') ?? attribute(one, 'model') ?? '');
  return ok({
    name,
    type: attribute(domain, 'type') ?? '',
    uuid: child(domain, 'uuid')?.text.trim().toLowerCase(),
    id: id === undefined ? undefined : Number(id),
    title: child(domain, 'title')?.text.trim(),
    graphics: children(devices, 'graphics').map((one) => attribute(one, 'type') ?? ''),
    spice: spice && readSpice(spice),
    spiceDependents: spiceDependents(domain).map(dependentText),
    video: models('video'),
    sound: models('sound'),
    disks: children(devices, 'disk').map(readDisk),
    interfaces: children(devices, 'interface').map(readInterface),
  });
}

function readDisk(disk: XmlElement): DomainDisk {
  const source = child(disk, 'source');
  const driver = child(disk, 'driver');
  const volume = attribute(source, 'volume');
  const named = ['dev', 'file', 'dir', 'name', 'path']
    .map((key) => attribute(source, key))
    .find((one) => one !== undefined);
  return {
    target: attribute(child(disk, 'target'), 'dev') ?? '',
    bus: attribute(child(disk, 'target'), 'bus'),
    type: attribute(disk, 'type') ?? 'file',
    device: attribute(disk, 'device') ?? 'disk',
    source: volume === undefined ? named : `${attribute(source, 'pool') ?? ''}/${volume}`,
    format: attribute(driver, 'type'),
    discard: attribute(driver, 'discard'),
    readonly: child(disk, 'readonly') !== undefined,
    shareable: child(disk, 'shareable') !== undefined,
  };
}

function readInterface(element: XmlElement): DomainInterface {
  const source = child(element, 'source');
  return {
    type: attribute(element, 'type') ?? '',
    mac: attribute(child(element, 'mac'), 'address')?.toLowerCase(),
    source: ['network', 'bridge', 'dev', 'name'].map((key) => attribute(source, key)).find((one) => one !== undefined),
    model: attribute(child(element, 'model'), 'type'),
  };
}

const PASSWORD = /(\spasswd\s*=\s*)(?:"([^"]*)"|'([^']*)')/g;

/**
 * The XML with the passwords of its consoles marked as secret ranges; the plain text where there is none.
 * It looks at the text alone, so that XML that is broken cannot show what it holds.
 */
export function secretXml(xml: string): string | Secret {
  const pieces: (string | Secret)[] = [];
  let at = 0;
  for (const found of xml.matchAll(PASSWORD)) {
    const value = found[2] ?? found[3] ?? '';
    const start = found.index + (found[1] ?? '').length + 1;
    if (value === '') continue;
    pieces.push(xml.slice(at, start), Secret.of(value));
    at = start + value.length;
  }
  return at === 0 ? xml : Secret.join([...pieces, xml.slice(at)]);
}

/** The XML as it may be shown. */
export function maskXml(xml: string): string {
  return masked(secretXml(xml));
}

/** The passwords in the XML, decoded, for the redactor. */
export function secretsIn(xml: string): Secret[] {
  const names: Record<string, string> = {lt: '<', gt: '>', amp: '&', quot: '"', apos: "'"};
  return [...xml.matchAll(PASSWORD)]
    .map((found) => found[2] ?? found[3] ?? '')
    .filter((value) => value !== '')
    .map((value) =>
      Secret.of(
        value.replace(
          /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
          (whole: string, hex?: string, decimal?: string, name?: string) => {
            if (name !== undefined) return names[name] ?? whole;
            const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
            return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
          },
        ),
      ),
    );
}
