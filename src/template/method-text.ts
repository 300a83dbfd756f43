// The methods of texts. On a Secret they give Secrets, except where the answer is a number or a boolean.
import {Secret} from '../base/secret.ts';
import {bind} from './arguments.ts';
import {elementsOf, textOf, truth, unknownIn} from './compare.ts';
import {Misuse} from './fault.ts';
import {formatBraces} from './format.ts';
import {isMapping, valueOf} from './mapping.ts';
import {isInt} from './number.ts';
import {boundedText} from './operate.ts';
import {typeName} from './print.ts';
import {closed, discreet, hasSecret, opened} from './secrecy.ts';
import {capitalized, swapped, titled} from './letter-case.ts';
import {Func, Tuple, Undefined, Waits, type Named} from './values.ts';

// What Python counts as white space; JavaScript's \s has a byte order mark more and some separators less.
const SPACES = String.raw`\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;
const SPACE = new RegExp(`^[${SPACES}]$`);
const WORDS = new RegExp(`[^${SPACES}]+`, 'g');
const TRAILING = new RegExp(`[${SPACES}]+$`);

type Method = {params: readonly string[]; apply: (text: string, ...args: unknown[]) => unknown};

function textArgument(value: unknown): string {
  const text = textOf(value);
  if (text === undefined) throw new Misuse(`expected a text, not ${typeName(value)}`, 'template-type');
  return text;
}

function charSet(chars: unknown): (char: string) => boolean {
  if (chars === undefined || chars === null) return (char) => SPACE.test(char);
  const set = new Set(Array.from(textArgument(chars)));
  return (char) => set.has(char);
}

/** Python's `strip`: from the left, the right or both ends. */
export function stripped(text: string, chars: unknown, left: boolean, right: boolean): string {
  const inSet = charSet(chars);
  const list = Array.from(text);
  let from = 0;
  let to = list.length;
  while (left && from < to && inSet(list[from] ?? '')) from++;
  while (right && to > from && inSet(list[to - 1] ?? '')) to--;
  return list.slice(from, to).join('');
}

/** Python's `split` (or `rsplit`). */
export function split(text: string, separator: unknown, maxSplit: unknown, fromRight = false): string[] {
  const limit = maxSplit === undefined || Number(maxSplit) < 0 ? Infinity : Number(maxSplit);
  if (separator === undefined || separator === null) {
    const words = [...text.matchAll(WORDS)].map((match) => [match[0], match.index] as const);
    if (words.length <= limit + 1) return words.map(([word]) => word);
    if (fromRight) {
      const kept = words.slice(words.length - limit);
      return [text.slice(0, kept[0]?.[1] ?? text.length).replace(TRAILING, ''), ...kept.map(([word]) => word)];
    }
    return [...words.slice(0, limit).map(([word]) => word), text.slice(words[limit]?.[1] ?? 0)];
  }
  const mark = textArgument(separator);
  if (mark === '') throw new Misuse('empty separator');
  const parts = text.split(mark);
  if (parts.length <= limit + 1) return parts;
  if (fromRight) return [parts.slice(0, parts.length - limit).join(mark), ...parts.slice(parts.length - limit)];
  return [...parts.slice(0, limit), parts.slice(limit).join(mark)];
}

function affix(text: string, wanted: unknown, test: (text: string, part: string) => boolean): boolean {
  const parts = wanted instanceof Tuple ? [...wanted] : [wanted];
  return parts.some((part) => test(text, textArgument(part)));
}

function padded(text: string, width: unknown, fill: unknown, place: 'left' | 'right' | 'center'): string {
  const count = Number(width);
  boundedText(count);
  const char = fill === undefined ? ' ' : textArgument(fill);
  const room = Math.max(0, count - Array.from(text).length);
  if (place === 'left') return text + char.repeat(room);
  if (place === 'right') return char.repeat(room) + text;
  const left = Math.floor(room / 2) + (room & count & 1);
  return char.repeat(left) + text + char.repeat(room - left);
}

function replaced(text: string, from: unknown, to: unknown, count: unknown): string {
  const limit = count === undefined || count === null || Number(count) < 0 ? Infinity : Number(count);
  const old = textArgument(from);
  const parts = old === '' ? ['', ...Array.from(text), ''] : text.split(old);
  const by = textArgument(to);
  boundedText(text.length + parts.length * by.length);
  let out = parts[0] ?? '';
  for (let i = 1; i < parts.length; i++) out += (i <= limit ? by : old) + (parts[i] ?? '');
  return out;
}

function find(text: string, part: unknown, from: unknown, to: unknown, last = false): number {
  const chars = Array.from(text);
  const start =
    from === undefined || from === null
      ? 0
      : Math.max(0, Number(from) < 0 ? Number(from) + chars.length : Number(from));
  const area = chars.slice(start, to === undefined || to === null ? undefined : Number(to)).join('');
  const found = last ? area.lastIndexOf(textArgument(part)) : area.indexOf(textArgument(part));
  return found < 0 ? -1 : start + Array.from(area.slice(0, found)).length;
}

function partition(text: string, mark: unknown, last: boolean): Tuple {
  const separator = textArgument(mark);
  const at = last ? text.lastIndexOf(separator) : text.indexOf(separator);
  if (at < 0) return Tuple.from_(last ? ['', '', text] : [text, '', '']);
  return Tuple.from_([text.slice(0, at), separator, text.slice(at + separator.length)]);
}

/** Python's `splitlines`. */
export function lines(text: string, keepEnds?: unknown): string[] {
  const found =
    text.match(/[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|$)/gu) ?? [];
  if (found.at(-1) === '') found.pop();
  return keepEnds !== undefined && truth(keepEnds)
    ? [...found]
    : found.map((line) => line.replace(/(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])$/u, ''));
}

function every(pattern: RegExp): Method {
  return {params: [], apply: (text) => text !== '' && Array.from(text).every((char) => pattern.test(char))};
}

function cased(text: string, same: string): boolean {
  return text === same && text.toLowerCase() !== text.toUpperCase();
}

function read(value: unknown, name: string, item: boolean): unknown {
  const found = isMapping(value)
    ? valueOf(value, name)
    : item && Array.isArray(value)
      ? (value as unknown[])[Number(name)]
      : undefined;
  if (found === undefined)
    throw new Misuse(`'${typeName(value)}' object has no attribute '${name}'`, 'undefined-attribute');
  return found;
}

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['upper', {params: [], apply: (text) => text.toUpperCase()}],
  ['lower', {params: [], apply: (text) => text.toLowerCase()}],
  ['casefold', {params: [], apply: (text) => text.toLowerCase().replaceAll('ß', 'ss')}],
  ['title', {params: [], apply: (text) => titled(text)}],
  ['capitalize', {params: [], apply: (text) => capitalized(text)}],
  ['swapcase', {params: [], apply: (text) => swapped(text)}],
  ['strip', {params: ['chars'], apply: (text, chars) => stripped(text, chars, true, true)}],
  ['lstrip', {params: ['chars'], apply: (text, chars) => stripped(text, chars, true, false)}],
  ['rstrip', {params: ['chars'], apply: (text, chars) => stripped(text, chars, false, true)}],
  ['split', {params: ['sep', 'maxsplit'], apply: (text, sep, max) => split(text, sep, max)}],
  ['rsplit', {params: ['sep', 'maxsplit'], apply: (text, sep, max) => split(text, sep, max, true)}],
  ['splitlines', {params: ['keepends'], apply: (text, keep) => lines(text, keep)}],
  ['partition', {params: ['sep'], apply: (text, sep) => partition(text, sep, false)}],
  ['rpartition', {params: ['sep'], apply: (text, sep) => partition(text, sep, true)}],
  ['join', {params: ['values'], apply: (text, values) => elementsOf(values).map(textArgument).join(text)}],
  ['replace', {params: ['old', 'new', 'count'], apply: (text, from, to, count) => replaced(text, from, to, count)}],
  [
    'removeprefix',
    {
      params: ['prefix'],
      apply: (text, part) => (text.startsWith(textArgument(part)) ? text.slice(textArgument(part).length) : text),
    },
  ],
  [
    'removesuffix',
    {
      params: ['suffix'],
      apply: (text, part) =>
        part !== '' && text.endsWith(textArgument(part))
          ? text.slice(0, text.length - textArgument(part).length)
          : text,
    },
  ],
  [
    'startswith',
    {
      params: ['prefix', 'start'],
      apply: (text, part, start) => affix(text.slice(Number(start ?? 0)), part, (a, b) => a.startsWith(b)),
    },
  ],
  ['endswith', {params: ['suffix'], apply: (text, part) => affix(text, part, (a, b) => a.endsWith(b))}],
  ['find', {params: ['sub', 'start', 'end'], apply: (text, part, from, to) => find(text, part, from, to)}],
  ['rfind', {params: ['sub', 'start', 'end'], apply: (text, part, from, to) => find(text, part, from, to, true)}],
  [
    'index',
    {
      params: ['sub', 'start', 'end'],
      apply: (text, part, from, to) => {
        const at = find(text, part, from, to);
        if (at < 0) throw new Misuse('substring not found');
        return at;
      },
    },
  ],
  [
    'count',
    {
      params: ['sub'],
      apply: (text, part) => (part === '' ? Array.from(text).length + 1 : text.split(textArgument(part)).length - 1),
    },
  ],
  ['ljust', {params: ['width', 'fill'], apply: (text, width, fill) => padded(text, width, fill, 'left')}],
  ['rjust', {params: ['width', 'fill'], apply: (text, width, fill) => padded(text, width, fill, 'right')}],
  ['center', {params: ['width', 'fill'], apply: (text, width, fill) => padded(text, width, fill, 'center')}],
  [
    'zfill',
    {
      params: ['width'],
      apply: (text, width) => {
        boundedText(Number(width));
        const sign = /^[-+]/.exec(text)?.[0] ?? '';
        return sign + text.slice(sign.length).padStart(Number(width) - sign.length, '0');
      },
    },
  ],
  [
    'expandtabs',
    {
      params: ['tabsize'],
      apply: (text, tab) => {
        const width = isInt(tab) ? Number(tab) : 8;
        boundedText(text.length * Math.max(1, width));
        let column = 0;
        return Array.from(text, (char) => {
          if (char === '\t') {
            const spaces = width <= 0 ? 0 : width - (column % width);
            column += spaces;
            return ' '.repeat(spaces);
          }
          column = char === '\n' || char === '\r' ? 0 : column + 1;
          return char;
        }).join('');
      },
    },
  ],
  [
    'format',
    {params: ['*', '**'], apply: (text, args, named) => formatBraces(text, args as unknown[], named as Named, read)},
  ],
  ['isdigit', every(/^\p{Nd}$/u)],
  ['isdecimal', every(/^\p{Nd}$/u)],
  ['isnumeric', every(/^\p{N}$/u)],
  ['isalpha', every(/^\p{L}$/u)],
  ['isalnum', every(/^[\p{L}\p{N}]$/u)],
  ['isspace', every(SPACE)],
  ['isascii', {params: [], apply: (text) => Array.from(text).every((char) => char <= '\x7f')}],
  ['isidentifier', {params: [], apply: (text) => /^[\p{L}_][\p{L}\p{N}_]*$/u.test(text)}],
  ['islower', {params: [], apply: (text) => cased(text, text.toLowerCase())}],
  ['isupper', {params: [], apply: (text) => cased(text, text.toUpperCase())}],
  ['istitle', {params: [], apply: (text) => cased(text, titled(text))}],
]);

export const TEXT_METHODS: readonly string[] = [...METHODS.keys()];

/** The bound method of a text; undefined if there is none of that name. */
export function textMethod(text: string | Secret, name: string): Func | undefined {
  const method = METHODS.get(name);
  if (method === undefined) return undefined;
  return new Func(
    name,
    (args, named) => {
      for (const arg of [...args, ...named.values()])
        if (arg instanceof Undefined) throw new Misuse('an argument is undefined', 'undefined-variable');
      const waiting = unknownIn(args) ?? unknownIn([...named.values()]);
      if (waiting !== undefined) throw new Waits(waiting);
      if (name === 'join') return joined(text, args[0]);
      const secret = text instanceof Secret || hasSecret(args) || hasSecret([...named.values()]);
      if (!secret) return method.apply(text, ...bind(method.params, args, named, `${name}()`));
      const open = new Map([...named].map(([key, value]) => [key, opened(value)]));
      const list = opened(args) as unknown[];
      return closed(
        discreet(name, () => method.apply(textOf(text) ?? '', ...bind(method.params, list, open, `${name}()`))),
      );
    },
    {raw: true},
  );
}

function joined(text: string | Secret, values: unknown): string | Secret {
  const elements = elementsOf(values);
  const pieces: (string | Secret)[] = [];
  elements.forEach((element, i) => {
    if (i > 0) pieces.push(text);
    if (textOf(element) === undefined) textArgument(element);
    pieces.push(element as string | Secret);
  });
  return Secret.join(pieces);
}
