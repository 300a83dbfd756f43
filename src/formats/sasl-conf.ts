/* Cyrus SASL application configuration (`/etc/sasl2/qemu.conf`): `key: value` lines, `#` comments; the first line of a key wins. */
import {insertRaw, lineBody, lineEnd, splitLines} from './text-lines.ts';

/** One line; `key` is lower case. `other`: comments, blank and broken lines. */
export type SaslConfLine =
  | {readonly kind: 'setting'; readonly raw: string; readonly key: string; readonly value: string}
  | {readonly kind: 'other'; readonly raw: string};

export type SaslConf = {readonly lines: readonly SaslConfLine[]};

const setting = /^(\s*)([A-Za-z0-9_-]+)(:\s*)(.*?)(\s*)$/s;

function readLine(raw: string): SaslConfLine {
  const match = setting.exec(lineBody(raw));
  const [, , key = '', , value = ''] = match ?? [];
  // libsasl takes an empty value for a mistake that spoils the whole file.
  return match === null || value === '' ? {kind: 'other', raw} : {kind: 'setting', raw, key: key.toLowerCase(), value};
}

/** Reads a file. Never fails: what is not a setting is kept as `other`. */
export function parseSaslConf(text: string): SaslConf {
  return {lines: splitLines(text).map(readLine)};
}

/** The exact text again: `printSaslConf(parseSaslConf(t)) === t`. */
export function printSaslConf(conf: SaslConf): string {
  return conf.lines.map((line) => line.raw).join('');
}

/** The value in effect, as written. */
export function saslValue(conf: SaslConf, key: string): string | undefined {
  const line = conf.lines.find((one) => one.kind === 'setting' && one.key === key.toLowerCase());
  return line?.kind === 'setting' ? line.value : undefined;
}

/** All values in effect, keys in lower case. */
export function saslSettings(conf: SaslConf): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of conf.lines) if (line.kind === 'setting' && !values.has(line.key)) values.set(line.key, line.value);
  return values;
}

/** The mechanisms of a `mech_list`, upper case (`SCRAM-SHA-256`), each once, in order. */
export function mechanismsOf(value: string): readonly string[] {
  return [
    ...new Set(
      value
        .toUpperCase()
        .split(/\s+/)
        .filter((word) => word !== ''),
    ),
  ];
}

/** Whether two values of a key mean the same: `mech_list` is a set of case-insensitive names, other lists of words are compared word by word. */
export function sameSaslValue(key: string, a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (key.toLowerCase() === 'mech_list')
    return mechanismsOf(a).toSorted().join(' ') === mechanismsOf(b).toSorted().join(' ');
  return a.trim().split(/\s+/).join(' ') === b.trim().split(/\s+/).join(' ');
}

/** The file with this value: the first line of the key changed in place, or a new last line. Nothing changes where it means the same. */
export function setSaslKey(conf: SaslConf, key: string, value: string): SaslConf {
  const found = conf.lines.findIndex((line) => line.kind === 'setting' && line.key === key.toLowerCase());
  const line = conf.lines[found];
  if (line?.kind !== 'setting') {
    return {lines: insertRaw(conf.lines, conf.lines.length, [readLine(`${key}: ${value}\n`)])};
  }
  if (sameSaslValue(key, line.value, value)) return conf;
  const [, blank = '', name = '', colon = '', , tail = ''] = setting.exec(lineBody(line.raw)) ?? [];
  return {lines: conf.lines.with(found, readLine(blank + name + colon + value + tail + lineEnd(line.raw)))};
}

/** The file without any line of this key. */
export function removeSaslKey(conf: SaslConf, key: string): SaslConf {
  return {lines: conf.lines.filter((line) => line.kind !== 'setting' || line.key !== key.toLowerCase())};
}

/** Lines (1-based) that libsasl cannot read: with one of them the whole file counts as wrong. */
export function brokenSaslLines(conf: SaslConf): readonly number[] {
  return conf.lines.flatMap((line, i) => (line.kind === 'other' && !/^\s*(#|$)/.test(line.raw) ? [i + 1] : []));
}
