/*
 * libvirt's own configuration files (qemu.conf, libvirtd.conf): `key = value` with integers, quoted strings and lists that may
 * run over lines. The shipped file documents every key as a comment (`#spice_tls = 1`): a newly set key goes right below it.
 */
import {insertRaw, splitLines} from './text-lines.ts';

/** A value as libvirt types it; switches are the integers 0 and 1. */
export type QemuValue = number | string | readonly (number | string)[];

/** One statement with all its lines, or one line of something else (comment, blank, broken). */
export type QemuConfPart =
  | {
      readonly kind: 'setting';
      readonly raw: string;
      readonly key: string;
      readonly value: QemuValue;
      /** where the value stands in `raw` */
      readonly valueStart: number;
      readonly valueEnd: number;
    }
  | {readonly kind: 'other'; readonly raw: string};

export type QemuConf = {readonly parts: readonly QemuConfPart[]};

/** Reads a file. Never fails: a line that libvirt could not read either is kept as `other`. */
export function parseQemuConf(text: string): QemuConf {
  const parts: QemuConfPart[] = [];
  let at = 0;
  while (at < text.length) {
    const lineBreak = text.indexOf('\n', at);
    const part = readSetting(text, at) ?? {
      kind: 'other',
      raw: text.slice(at, lineBreak < 0 ? undefined : lineBreak + 1),
    };
    parts.push(part);
    at += part.raw.length;
  }
  return {parts};
}

function readSetting(text: string, start: number): QemuConfPart | undefined {
  const head = /[ \t]*([A-Za-z_][\w.-]*)[ \t]*=[ \t]*/y;
  head.lastIndex = start;
  const match = head.exec(text);
  const parsed = match === null ? undefined : readValue(text, head.lastIndex);
  if (match === null || parsed === undefined) return undefined;
  const rest = /[ \t\r]*(?:#[^\n]*)?(?:\n|$)/y;
  rest.lastIndex = parsed.end;
  if (rest.exec(text) === null) return undefined;
  return {
    kind: 'setting',
    raw: text.slice(start, rest.lastIndex),
    key: match[1] ?? '',
    value: parsed.value,
    valueStart: head.lastIndex - start,
    valueEnd: parsed.end - start,
  };
}

function readScalar(text: string, start: number): {value: number | string; end: number} | undefined {
  // libvirt knows no escapes inside quotes; three double quotes may hold anything.
  const scalar = /(-?\d+)|"""([\s\S]*?)"""|"([^"\n]*)"|'([^'\n]*)'/y;
  scalar.lastIndex = start;
  const match = scalar.exec(text);
  if (match === null) return undefined;
  const [, digits, ...quoted]: (string | undefined)[] = match;
  const value = digits === undefined ? (quoted.find((part) => part !== undefined) ?? '') : Number(digits);
  return {value, end: scalar.lastIndex};
}

function readValue(text: string, start: number): {value: QemuValue; end: number} | undefined {
  if (text.charAt(start) !== '[') return readScalar(text, start);
  const items: (number | string)[] = [];
  const gap = /(?:\s|#[^\n]*(?:\n|$))*/y;
  const skip = (at: number): number => {
    gap.lastIndex = at;
    gap.exec(text);
    return gap.lastIndex;
  };
  let at = skip(start + 1);
  for (;;) {
    if (text.charAt(at) === ']') return {value: items, end: at + 1};
    const item = readScalar(text, at);
    if (item === undefined) return undefined;
    items.push(item.value);
    at = skip(item.end);
    if (text.charAt(at) === ',') at = skip(at + 1);
    else if (text.charAt(at) !== ']') return undefined;
  }
}

/** The exact text again: `printQemuConf(parseQemuConf(t)) === t`. */
export function printQemuConf(conf: QemuConf): string {
  return conf.parts.map((part) => part.raw).join('');
}

/** The value in effect (the first one of a key); undefined where libvirt's default holds. */
export function qemuValue(conf: QemuConf, key: string): QemuValue | undefined {
  return settingsOf(conf).get(key);
}

/** All values in effect. */
export function settingsOf(conf: QemuConf): ReadonlyMap<string, QemuValue> {
  const values = new Map<string, QemuValue>();
  for (const part of conf.parts) if (part.kind === 'setting' && !values.has(part.key)) values.set(part.key, part.value);
  return values;
}

/** Whether two values mean the same: type and content; the layout of lists does not count, their order does. */
export function sameQemuValue(a: QemuValue | undefined, b: QemuValue | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A value as it is written. A string with a double quote and an apostrophe gets three double quotes. */
export function renderQemuValue(value: QemuValue): string {
  if (typeof value === 'object') return `[ ${value.map(renderQemuValue).join(', ')} ]`.replace('[  ]', '[]');
  if (typeof value === 'number') return String(value);
  if (value.includes('\n') || (value.includes('"') && value.includes("'"))) return `"""${value}"""`;
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}

/**
 * The file with this value. An existing first setting is changed in place (a comment behind it stays); a new one goes below
 * its commented default, else to the end. Nothing changes where the value is the same.
 */
export function setQemuKey(conf: QemuConf, key: string, value: QemuValue): QemuConf {
  const found = conf.parts.findIndex((part) => part.kind === 'setting' && part.key === key);
  const part = conf.parts[found];
  if (part?.kind === 'setting') {
    if (sameQemuValue(part.value, value)) return conf;
    const written = renderQemuValue(value);
    const raw = part.raw.slice(0, part.valueStart) + written + part.raw.slice(part.valueEnd);
    return {parts: conf.parts.with(found, {...part, raw, value, valueEnd: part.valueStart + written.length})};
  }
  const added = parseQemuConf(`${key} = ${renderQemuValue(value)}\n`);
  return {parts: insertRaw(conf.parts, newPlace(conf, key), added.parts)};
}

function newPlace(conf: QemuConf, key: string): number {
  const escaped = key.replaceAll('.', '\\.');
  const commented = new RegExp(`^[ \\t]*#[ \\t]*${escaped}[ \\t]*=[ \\t]*(.*)`);
  const index = conf.parts.findLastIndex((part) => part.kind === 'other' && commented.test(part.raw));
  if (index < 0) return conf.parts.length;
  let end = index;
  // A commented list runs on over the following comment lines.
  const opening = commented.exec(conf.parts[index]?.raw ?? '')?.[1] ?? '';
  if (opening.startsWith('[') && !opening.includes(']')) {
    for (let i = index + 1; conf.parts[i]?.raw.trimStart().startsWith('#') === true; i++) {
      if (conf.parts[i]?.raw.includes(']') === true) {
        end = i;
        break;
      }
    }
  }
  return end + 1;
}

/** The file without any setting of this key; commented defaults stay. */
export function removeQemuKey(conf: QemuConf, key: string): QemuConf {
  return {parts: conf.parts.filter((part) => part.kind !== 'setting' || part.key !== key)};
}

/** Lines (1-based) that libvirt cannot read: with one of them the daemon does not start. */
export function brokenQemuLines(conf: QemuConf): readonly number[] {
  let line = 1;
  return conf.parts.flatMap((part) => {
    const here = line;
    line += splitLines(part.raw).length;
    return part.kind === 'other' && !/^\s*(#|$)/.test(part.raw) ? [here] : [];
  });
}
