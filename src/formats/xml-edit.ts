/*
 * Edits of an XML text by place: each names the bytes it replaces. Several are collected against one tree and made at once.
 */
import type {XmlElement} from './xml-tree.ts';

/** Text that comes in place of `[start, end)`. *units*: UTF-16 offsets. */
export type XmlEdit = {readonly start: number; readonly end: number; readonly text: string};

/** A new element: name, attributes (undefined ones are left out), and children or text. */
export type XmlNode = {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string | undefined>>;
  readonly children?: readonly XmlNode[];
  readonly text?: string;
};

/** The text with all edits made. Edits may not overlap; those at one place are made in their order. */
export function applyEdits(text: string, edits: readonly XmlEdit[]): string {
  const sorted = edits.map((edit, index) => ({...edit, index}));
  sorted.sort((a, b) => a.start - b.start || a.end - b.end || a.index - b.index);
  let out = '';
  let at = 0;
  for (const edit of sorted) {
    if (edit.start < at) throw new Error('edits overlap');
    out += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return out + text.slice(at);
}

/** A text as it stands inside quotes or between tags; line ends and tabs survive attribute normalisation. */
export function escapeXml(text: string): string {
  const names: Record<string, string> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;'};
  return text.replace(/[&<>"'\n\r\t]/g, (sign) => names[sign] ?? `&#${sign.charCodeAt(0)};`);
}

/** Sets, changes or (undefined) removes an attribute; no edit where it has the value already. */
export function setAttribute(element: XmlElement, name: string, value: string | undefined): XmlEdit[] {
  const present = element.attributes.find((one) => one.name === name);
  if (present?.value === value) return [];
  if (value === undefined) {
    if (present === undefined) return [];
    const previous = element.attributes.findLast((one) => one.end <= present.start);
    const start = previous?.end ?? element.start + 1 + element.name.length;
    return [{start, end: present.end, text: ''}];
  }
  if (present !== undefined) return [{start: present.valueStart, end: present.valueEnd, text: escapeXml(value)}];
  const at = element.attributes.at(-1)?.end ?? element.start + 1 + element.name.length;
  return [{start: at, end: at, text: ` ${name}='${escapeXml(value)}'`}];
}

/** Removes an element with the blanks before it, so that no empty line stays. */
export function removeElement(text: string, element: XmlElement): XmlEdit {
  const before = text.slice(0, element.start);
  return {start: before.trimEnd().length, end: element.end, text: ''};
}

/** Replaces an element by another, on the same indentation. */
export function replaceElement(text: string, element: XmlElement, node: XmlNode): XmlEdit {
  return {start: element.start, end: element.end, text: printNode(node, indentOf(text, element))};
}

/** Adds elements as the last children of one. */
export function appendChildren(text: string, element: XmlElement, nodes: readonly XmlNode[]): XmlEdit[] {
  if (nodes.length === 0) return [];
  const outer = indentOf(text, element);
  const last = element.children.at(-1);
  const inner = last === undefined ? `${outer}  ` : indentOf(text, last);
  const added = nodes.map((node) => `\n${inner}${printNode(node, inner)}`).join('');
  if (element.selfClosed) {
    const open = text.slice(element.start, element.openEnd).replace(/\s*\/>$/, '');
    const start = element.start + open.length;
    return [{start, end: element.end, text: `>${added}\n${outer}</${element.name}>`}];
  }
  const at = element.openEnd + text.slice(element.openEnd, element.closeStart).trimEnd().length;
  const tail = at === element.closeStart ? `\n${outer}` : '';
  return [{start: at, end: at, text: added + tail}];
}

function indentOf(text: string, element: XmlElement): string {
  const line = text.slice(text.lastIndexOf('\n', element.start - 1) + 1, element.start);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

/** A new element as libvirt would print it: single quotes, two blanks a level. */
export function printNode(node: XmlNode, indent = ''): string {
  const attributes = Object.entries(node.attributes ?? {})
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) => ` ${name}='${escapeXml(value)}'`)
    .join('');
  const open = `<${node.name}${attributes}`;
  if (node.text !== undefined) return `${open}>${escapeXml(node.text)}</${node.name}>`;
  if (node.children === undefined || node.children.length === 0) return `${open}/>`;
  const inner = `${indent}  `;
  return `${open}>\n${node.children.map((one) => inner + printNode(one, inner)).join('\n')}\n${indent}</${node.name}>`;
}
