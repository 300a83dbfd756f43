/*
 * Shell assignments as in /etc/default and /etc/sysconfig: `KEY=value`, `KEY="two words"`. The last assignment of a key wins.
 * Only the value of an assignment is ever rewritten; everything else (comments, code) keeps its bytes.
 */
import {insertRaw} from './text-lines.ts';

/** One assignment with all its lines, or one line of something else. */
export type EnvFilePart =
  | {
      readonly kind: 'assignment';
      readonly raw: string;
      readonly key: string;
      /** without quotes; `$name` and `` `command` `` are not expanded */
      readonly value: string;
      /** the shell would expand something in it, so `value` is not what the program sees */
      readonly dynamic: boolean;
      readonly valueStart: number;
      readonly valueEnd: number;
    }
  | {readonly kind: 'other'; readonly raw: string};

export type EnvFile = {readonly parts: readonly EnvFilePart[]};

/** Reads a file. Never fails: what is not an assignment is kept as `other`. */
export function parseEnvFile(text: string): EnvFile {
  const parts: EnvFilePart[] = [];
  let at = 0;
  while (at < text.length) {
    const lineBreak = text.indexOf('\n', at);
    const part = readAssignment(text, at) ?? {
      kind: 'other',
      raw: text.slice(at, lineBreak < 0 ? undefined : lineBreak + 1),
    };
    parts.push(part);
    at += part.raw.length;
  }
  return {parts};
}

function readAssignment(text: string, start: number): EnvFilePart | undefined {
  const head = /[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=/y;
  head.lastIndex = start;
  const key = head.exec(text)?.[1];
  const word = key === undefined ? undefined : readWord(text, head.lastIndex);
  if (key === undefined || word === undefined) return undefined;
  const rest = /[ \t\r]*(?:;[ \t\r]*)?(?:(?<=[ \t;])#[^\n]*)?(?:\n|$)/y;
  rest.lastIndex = word.end;
  // `KEY=value command` sets the key for that command only.
  if (rest.exec(text) === null) return undefined;
  const valueStart = head.lastIndex - start;
  const raw = text.slice(start, rest.lastIndex);
  return {
    kind: 'assignment',
    raw,
    key,
    value: word.value,
    dynamic: word.dynamic,
    valueStart,
    valueEnd: word.end - start,
  };
}

function readWord(text: string, start: number): {value: string; dynamic: boolean; end: number} | undefined {
  let value = '';
  let dynamic = false;
  let at = start;
  let quote = '';
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote === "'") {
      if (char === "'") quote = '';
      else value += char;
    } else if (char === '\\') {
      const next = text.charAt(++at);
      if (next === '\n') continue;
      value += quote === '"' && !'$`"\\'.includes(next) ? `\\${next}` : next;
    } else if (quote === '"') {
      if (char === '"') quote = '';
      else {
        value += char;
        dynamic ||= char === '$' || char === '`';
      }
    } else if (char === '"' || char === "'") quote = char;
    else if (/[\s;]/.test(char)) break;
    else if (/[&|<>()]/.test(char)) return undefined;
    else {
      value += char;
      dynamic ||= char === '$' || char === '`';
    }
  }
  return quote === '' ? {value, dynamic, end: at} : undefined;
}

/** The exact text again: `printEnvFile(parseEnvFile(t)) === t`. */
export function printEnvFile(file: EnvFile): string {
  return file.parts.map((part) => part.raw).join('');
}

/** The value in effect (the last one); undefined where the key is not assigned. */
export function envValue(file: EnvFile, key: string): string | undefined {
  const part = file.parts.findLast((one) => one.kind === 'assignment' && one.key === key);
  return part?.kind === 'assignment' ? part.value : undefined;
}

/** A value as the shell has to see it, in the quotes it had (`old`) where they can hold it. */
function writeValue(value: string, old: string): string {
  const plain = /^[\w./:@%+,=-]*$/.test(value) && value !== '';
  if (old.startsWith("'") && !value.includes("'")) return `'${value}'`;
  if (plain && !old.startsWith('"')) return value;
  return `"${value.replace(/[$`"\\]/g, '\\$&')}"`;
}

/**
 * The file with this value: the last assignment changed in place, or a new line below the commented one (`#KEY=…`), else at the end.
 * Nothing changes where the value is the same already.
 */
export function setEnvKey(file: EnvFile, key: string, value: string): EnvFile {
  const found = file.parts.findLastIndex((part) => part.kind === 'assignment' && part.key === key);
  const part = file.parts[found];
  if (part?.kind === 'assignment') {
    if (part.value === value && !part.dynamic) return file;
    const old = part.raw.slice(part.valueStart, part.valueEnd);
    const raw = part.raw.slice(0, part.valueStart) + writeValue(value, old) + part.raw.slice(part.valueEnd);
    return {parts: file.parts.with(found, readAssignment(raw, 0) ?? {kind: 'other', raw})};
  }
  const added = parseEnvFile(`${key}=${writeValue(value, '')}\n`);
  const commented = new RegExp(`^[ \\t]*#[ \\t]*(export[ \\t]+)?${key}=`);
  const example = file.parts.findLastIndex((one) => one.kind === 'other' && commented.test(one.raw));
  return {parts: insertRaw(file.parts, example < 0 ? file.parts.length : example + 1, added.parts)};
}

/** The file without any assignment of this key; commented ones stay. */
export function removeEnvKey(file: EnvFile, key: string): EnvFile {
  return {parts: file.parts.filter((part) => part.kind !== 'assignment' || part.key !== key)};
}
