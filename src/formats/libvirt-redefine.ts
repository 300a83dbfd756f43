/*
 * A definition that takes the place of another one of the same guest. What the new text does not say, and the guest would notice (UUID, MACs, the
 * console's password), comes from the old one.
 */
import {error} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {appendChildren, applyEdits, replaceElement, setAttribute, type XmlEdit} from './xml-edit.ts';
import {attribute, child, children, parseXml, type XmlElement} from './xml-tree.ts';

/**
 * `wanted` with the identity of `present`. Interfaces without a MAC get, in order, those of the old ones that the text does not name itself.
 * *errors*: xml-malformed, not-a-domain.
 */
export function withIdentity(wanted: string, present: string): Result<string> {
  const next = parseXml(wanted);
  if (!next.ok) return next;
  const last = parseXml(present);
  if (!last.ok) return last;
  const name = child(next.value, 'name');
  if (next.value.name !== 'domain' || name === undefined)
    return bad(error('not-a-domain', 'the XML describes no libvirt domain with a name'));
  const edits: XmlEdit[] = [];
  const uuid = child(last.value, 'uuid')?.text.trim();
  if (uuid !== undefined) {
    const old = child(next.value, 'uuid');
    if (old === undefined) edits.push({start: name.end, end: name.end, text: `\n  <uuid>${uuid}</uuid>`});
    else if (old.text.trim() !== uuid) edits.push(replaceElement(wanted, old, {name: 'uuid', text: uuid}));
  }
  const cards = children(child(next.value, 'devices'), 'interface');
  const macOf = (card: XmlElement): string | undefined => attribute(child(card, 'mac'), 'address')?.toLowerCase();
  const named = new Set(cards.map(macOf));
  const free = children(child(last.value, 'devices'), 'interface')
    .map(macOf)
    .filter((mac) => mac !== undefined && !named.has(mac));
  for (const card of cards) {
    if (macOf(card) !== undefined) continue;
    const mac = free.shift();
    if (mac !== undefined) edits.push(...appendChildren(wanted, card, [{name: 'mac', attributes: {address: mac}}]));
  }
  const spice = (root: XmlElement): XmlElement | undefined =>
    children(child(root, 'devices'), 'graphics').find((one) => attribute(one, 'type') === 'spice');
  const console = spice(next.value);
  for (const key of ['passwd', 'passwdValidTo']) {
    const value = attribute(spice(last.value), key);
    if (console !== undefined && value !== undefined && attribute(console, key) === undefined)
      edits.push(...setAttribute(console, key, value));
  }
  return ok(applyEdits(wanted, edits));
}

/** Where a disk of a guest lies. */
export type DiskPlace = {
  readonly target: string;
  readonly kind: 'block' | 'file';
  readonly path: string;
  readonly format?: string;
  readonly discard?: string;
};

/** The definition with these disks where they are said to lie; everything else of it stays. *errors*: xml-malformed, no-disk. */
export function withDisks(xml: string, disks: readonly DiskPlace[]): Result<string> {
  const root = parseXml(xml);
  if (!root.ok) return root;
  const edits: XmlEdit[] = [];
  for (const wanted of disks) {
    const disk = children(child(root.value, 'devices'), 'disk').find(
      (one) => attribute(child(one, 'target'), 'dev') === wanted.target,
    );
    if (disk === undefined) return bad(error('no-disk', `the domain has no disk ${wanted.target}`));
    const source = child(disk, 'source');
    const key = wanted.kind === 'block' ? 'dev' : 'file';
    const moved = attribute(source, key) !== wanted.path || attribute(disk, 'type') !== wanted.kind;
    if (moved) {
      edits.push(...setAttribute(disk, 'type', wanted.kind));
      const node = {name: 'source', attributes: {[key]: wanted.path}};
      if (source === undefined) edits.push(...appendChildren(xml, disk, [node]));
      else edits.push(replaceElement(xml, source, node));
    }
    const driver = child(disk, 'driver');
    const format = wanted.format ?? (moved && wanted.kind === 'block' ? 'raw' : undefined);
    if (driver === undefined) {
      if (format !== undefined || wanted.discard !== undefined)
        edits.push(
          ...appendChildren(xml, disk, [
            {name: 'driver', attributes: {name: 'qemu', type: format, discard: wanted.discard}},
          ]),
        );
    } else {
      if (format !== undefined) edits.push(...setAttribute(driver, 'type', format));
      if (wanted.discard !== undefined) edits.push(...setAttribute(driver, 'discard', wanted.discard));
    }
  }
  return ok(applyEdits(xml, edits));
}
