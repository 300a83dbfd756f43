/*
 * A second guest out of the definition of a first: new name, UUID and MACs, disks of its own. What would make both use one thing at the same time
 * is taken out or refused.
 */
import {error} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {appendChildren, applyEdits, escapeXml, removeElement, replaceElement, setAttribute} from './xml-edit.ts';
import type {XmlEdit, XmlNode} from './xml-edit.ts';
import {attribute, child, children, parseXml} from './xml-tree.ts';
import type {XmlElement} from './xml-tree.ts';

/** Where a disk of the clone lies. A block device is raw; `discard: 'unmap'` passes trims on to it. */
export type CloneDisk = {
  /** which disk, by its name in the guest: vda */ readonly target: string;
  readonly kind: 'block' | 'file';
  readonly path: string;
  readonly format?: string;
  readonly discard?: 'unmap' | 'ignore';
};

/** What the clone has of its own. MACs are given to the interfaces in order; where none is left, libvirt makes one up. */
export type CloneWishes = {
  readonly name: string;
  readonly uuid: string;
  readonly macs?: readonly string[];
  readonly disks?: readonly CloneDisk[];
};

/**
 * The definition of the clone. A UEFI variable store, socket paths that libvirt made and the names of host-side interfaces are left out, so that libvirt makes new ones.
 *
 * *errors*: xml-malformed, not-a-domain, clone-disk (a writable disk would be shared with the original, or a disk is named that there is not).
 */
export function cloneDomain(xml: string, wishes: CloneWishes): Result<string> {
  const root = parseXml(xml);
  if (!root.ok) return root;
  const domain = root.value;
  const name = child(domain, 'name');
  if (domain.name !== 'domain' || name === undefined)
    return bad(error('not-a-domain', 'the XML describes no libvirt domain'));
  const devices = child(domain, 'devices');
  const disks = new Map((wishes.disks ?? []).map((disk) => [disk.target, disk]));
  const edits: XmlEdit[] = [...setAttribute(domain, 'id', undefined)];
  edits.push(replaceElement(xml, name, {name: 'name', text: wishes.name}));
  const uuid = child(domain, 'uuid');
  if (uuid === undefined)
    edits.push({start: name.end, end: name.end, text: `\n  <uuid>${escapeXml(wishes.uuid)}</uuid>`});
  else edits.push(replaceElement(xml, uuid, {name: 'uuid', text: wishes.uuid}));

  const shared: string[] = [];
  for (const disk of children(devices, 'disk')) {
    const target = attribute(child(disk, 'target'), 'dev') ?? '';
    const own = disks.get(target);
    disks.delete(target);
    if (own !== undefined) edits.push(...diskEdits(xml, disk, own));
    else if (isSharedDanger(disk)) shared.push(target);
  }
  if (disks.size > 0) return bad(error('clone-disk', `the domain has no disk ${[...disks.keys()].join(', ')}`));
  if (shared.length > 0) {
    const message = `the clone would write to the same disk as the original: ${shared.join(', ')}`;
    return bad(error('clone-disk', message, {help: 'name a disk of its own for each'}));
  }

  const macs = [...(wishes.macs ?? [])];
  for (const card of children(devices, 'interface')) {
    const present = child(card, 'mac');
    const mac = macs.shift();
    if (present === undefined) {
      if (mac !== undefined) edits.push(...appendChildren(xml, card, [{name: 'mac', attributes: {address: mac}}]));
    } else if (mac === undefined) edits.push(removeElement(xml, present));
    else edits.push(...setAttribute(present, 'address', mac));
    const hostSide = child(card, 'target');
    if (hostSide !== undefined && /^(?:vnet|vif|macvtap|macvlan)\d/.test(attribute(hostSide, 'dev') ?? '')) {
      edits.push(removeElement(xml, hostSide));
    }
  }
  for (const channel of children(devices, 'channel')) {
    const source = child(channel, 'source');
    if (attribute(channel, 'type') === 'unix' && attribute(source, 'mode') === 'bind' && source !== undefined) {
      edits.push(removeElement(xml, source));
    }
  }
  const nvram = child(child(domain, 'os'), 'nvram');
  if (nvram !== undefined) edits.push(removeElement(xml, nvram));
  return ok(applyEdits(xml, edits));
}

/** Whether two guests on this disk would spoil it. */
function isSharedDanger(disk: XmlElement): boolean {
  const device = attribute(disk, 'device') ?? 'disk';
  return (
    (device === 'disk' || device === 'lun') &&
    child(disk, 'source') !== undefined &&
    child(disk, 'readonly') === undefined &&
    child(disk, 'shareable') === undefined
  );
}

function diskEdits(xml: string, disk: XmlElement, own: CloneDisk): XmlEdit[] {
  const edits = setAttribute(disk, 'type', own.kind);
  const added: XmlNode[] = [];
  const source: XmlNode = {name: 'source', attributes: {[own.kind === 'block' ? 'dev' : 'file']: own.path}};
  const present = child(disk, 'source');
  if (present === undefined) added.push(source);
  else edits.push(replaceElement(xml, present, source));
  const format = own.format ?? (own.kind === 'block' ? 'raw' : undefined);
  const driver = child(disk, 'driver');
  if (driver === undefined) {
    if (format !== undefined || own.discard !== undefined) {
      added.push({name: 'driver', attributes: {name: 'qemu', type: format, discard: own.discard}});
    }
  } else {
    if (format !== undefined) edits.push(...setAttribute(driver, 'type', format));
    if (own.discard !== undefined) edits.push(...setAttribute(driver, 'discard', own.discard));
  }
  // The chain of the original's images is not that of the clone.
  const chain = child(disk, 'backingStore');
  if (chain !== undefined) edits.push(removeElement(xml, chain));
  return [...edits, ...appendChildren(xml, disk, added)];
}
