// Filters on text: Jinja's and Ansible's.
import {Secret} from '../../base/secret.ts';
import {elementsOf, lengthOf, textOf, truth} from '../compare.ts';
import type {Filter, Site} from '../environment.ts';
import {Misuse} from '../fault.ts';
import {formatPercent} from '../format.ts';
import {capitalized} from '../letter-case.ts';
import {entriesOf, isMapping} from '../mapping.ts';
import {lines, split, stripped, textMethod} from '../method-text.ts';
import {isNumeric, toNumber} from '../number.ts';
import {boundedText} from '../operate.ts';
import {str, typeName} from '../print.ts';
import {pretty} from '../pretty.ts';
import {isFlagged} from '../boolean.ts';
import {pythonRegex} from '../regex.ts';
import {wrapLine} from '../wrap.ts';
import {Tuple, type Named} from '../values.ts';

/** The text of any value, as `str()` gives it; for filters whose secrets have been opened. */
export function plain(value: unknown): string {
  const text = str(value);
  return typeof text === 'string' ? text : text.reveal();
}

function count(value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (!isNumeric(value)) throw new Misuse(`expected a number, not ${typeName(value)}`, 'template-type');
  boundedText(toNumber(value));
  return toNumber(value);
}

/** `< > & ' "` as HTML entities. */
export function escapedHtml(text: string): string {
  const entities: Record<string, string> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;'};
  return text.replaceAll(/[&<>'"]/g, (char) => entities[char] ?? char);
}

function indent(value: unknown, width: unknown, first: unknown, blank: unknown): string {
  const pad = textOf(width) ?? ' '.repeat(count(width, 4));
  const text = plain(value);
  // A break at the end counts as an empty last line.
  const all = text.endsWith('\n') || text === '' ? [...lines(text), ''] : lines(text);
  boundedText(all.length * pad.length);
  return all
    .map((line, i) =>
      i === 0 ? (isFlagged(first) ? pad + line : line) : line !== '' || isFlagged(blank) ? pad + line : line,
    )
    .join('\n');
}

function truncate(
  value: unknown,
  lengthGiven: unknown,
  killWords: unknown,
  endGiven: unknown,
  leewayGiven: unknown,
): string {
  const chars = Array.from(plain(value));
  const length = count(lengthGiven, 255);
  const end = endGiven === undefined ? '...' : plain(endGiven);
  if (length < Array.from(end).length)
    throw new Misuse(`truncate: the length must be at least that of "${end}"`, 'bad-argument');
  if (chars.length <= length + count(leewayGiven, 5)) return chars.join('');
  const cut = chars.slice(0, Math.max(0, length - Array.from(end).length)).join('');
  if (isFlagged(killWords)) return cut + end;
  const space = cut.lastIndexOf(' ');
  return (space < 0 ? cut : cut.slice(0, space)) + end;
}

function quoteShell(text: string): string {
  if (text === '') return "''";
  return /[^\w@%+=:,./-]/.test(text) ? `'${text.replaceAll("'", `'"'"'`)}'` : text;
}

const COMMENT_STYLES: Readonly<Record<string, Record<string, string>>> = {
  plain: {decoration: '# '},
  erlang: {decoration: '% '},
  c: {decoration: '// '},
  cblock: {beginning: '/*', decoration: ' * ', end: ' */'},
  xml: {beginning: '<!--', decoration: ' - ', end: '-->'},
};

function comment(value: unknown, style: unknown, named: Named): string {
  const base = COMMENT_STYLES[style === undefined ? 'plain' : plain(style)];
  if (base === undefined)
    throw new Misuse(
      `there is no comment style "${plain(style)}"`,
      'template-value',
      `one of ${Object.keys(COMMENT_STYLES).join(', ')}`,
    );
  const p: Record<string, string> = {
    newline: '\n',
    beginning: '',
    end: '',
    prefix_count: '1',
    postfix_count: '1',
    ...base,
  };
  for (const [key, given] of named) p[key] = plain(given);
  const get = (key: string): string => p[key] ?? '';
  const newline = get('newline');
  const decoration = get('decoration');
  const prefixMark = p['prefix'] ?? decoration.trimEnd();
  const postfixMark = p['postfix'] ?? decoration.trimEnd();
  const beginning = get('beginning') === '' ? '' : get('beginning') + newline;
  const prefix = prefixMark === '' ? '' : (prefixMark + newline).repeat(Math.min(1000, Number(get('prefix_count'))));
  const text = plain(value);
  const body = (decoration + text.replaceAll(newline, newline + decoration)).replaceAll(
    decoration + newline,
    decoration.trimEnd() + newline,
  );
  const postfix = (newline + postfixMark).repeat(postfixMark === '' ? 0 : Math.min(1000, Number(get('postfix_count'))));
  return beginning + prefix + body + postfix + (get('end') === '' ? '' : newline + get('end'));
}

function urlEncoded(value: unknown): string {
  const encode = (text: string, safe: RegExp): string =>
    Array.from(new TextEncoder().encode(text), (byte) => {
      const char = String.fromCharCode(byte);
      return byte < 128 && safe.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    }).join('');
  if (textOf(value) !== undefined || (!isMapping(value) && !Array.isArray(value)))
    return encode(plain(value), /[\w.~/-]/);
  const pairs = isMapping(value) ? entriesOf(value) : elementsOf(value).map((pair) => elementsOf(pair));
  const plus = (part: unknown): string => encode(plain(part), /[\w.~ -]/).replaceAll(' ', '+');
  return pairs.map((pair) => pair.map(plus).join('=')).join('&');
}

function fileSize(value: unknown, binary: unknown): string {
  const bytes = Number(isNumeric(value) ? toNumber(value) : plain(value));
  const two = isFlagged(binary);
  const base = two ? 1024 : 1000;
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${String(Math.trunc(bytes))} Bytes`;
  const letters = Array.from('kMGTPEZY');
  let i = 0;
  while (i < letters.length - 1 && bytes >= base ** (i + 2)) i++;
  return `${formatPercent('%.1f', bytes / base ** (i + 1))} ${two ? (letters[i] ?? '').toUpperCase() + 'iB' : `${letters[i] ?? ''}B`}`;
}

function xmlAttributes(value: unknown, autospace: unknown): string {
  if (!isMapping(value)) throw new Misuse('xmlattr needs a mapping', 'template-type');
  const parts: string[] = [];
  for (const [key, element] of entriesOf(value)) {
    if (element === null) continue;
    if (/[\s/>=]/.test(plain(key))) throw new Misuse(`"${plain(key)}" is no name of an attribute`);
    parts.push(`${escapedHtml(plain(key))}="${escapedHtml(plain(element))}"`);
  }
  const text = parts.join(' ');
  return text !== '' && (autospace === undefined || truth(autospace)) ? ` ${text}` : text;
}

function replace(site: Site, value: unknown, from: unknown, to: unknown, limit: unknown): unknown {
  if (from === undefined || to === undefined)
    throw new Misuse('replace needs the old and the new text', 'bad-argument');
  const method = textMethod(plain(value), 'replace');
  site.spend(1);
  return method?.call([plain(from), plain(to), limit ?? null], new Map());
}

function title(value: unknown): string {
  return plain(value)
    .split(/([-\s({[<]+)/)
    .map(capitalized)
    .join('');
}

function method(name: string): Filter {
  return {params: [], apply: (_site, value) => textMethod(plain(value), name)?.call([], new Map())};
}

function text(change: (text: string) => unknown): Filter {
  return {params: [], apply: (_site, value) => change(plain(value))};
}

export const textFilters: readonly (readonly [string, Filter])[] = [
  ['upper', method('upper')],
  ['lower', method('lower')],
  ['capitalize', text(capitalized)],
  ['title', {params: [], apply: (_site, value) => title(value)}],
  ['trim', {params: ['chars'], apply: (_site, value, chars?: unknown) => stripped(plain(value), chars, true, true)}],
  ['string', {params: [], mode: 'moves', apply: (_site, value) => str(value)}],
  ['safe', {params: [], mode: 'moves', apply: (_site, value) => str(value)}],
  ['escape', text(escapedHtml)],
  ['e', text(escapedHtml)],
  ['forceescape', text(escapedHtml)],
  [
    'striptags',
    text((value) =>
      unescapeHtml(
        value
          .replaceAll(/<!--[\s\S]*?-->|<[^>]*>/g, '')
          .split(/\s+/)
          .filter(Boolean)
          .join(' '),
      ),
    ),
  ],
  ['replace', {params: ['old', 'new', 'count'], apply: replace}],
  [
    'center',
    {
      params: ['width'],
      apply: (_site, value, width?: unknown) => textMethod(plain(value), 'center')?.call([count(width, 80)], new Map()),
    },
  ],
  [
    'indent',
    {
      params: ['width', 'first', 'blank'],
      apply: (_site, value, width?: unknown, first?: unknown, blank?: unknown) => indent(value, width, first, blank),
    },
  ],
  [
    'truncate',
    {
      params: ['length', 'killwords', 'end', 'leeway'],
      apply: (_site, value, length?: unknown, kill?: unknown, end?: unknown, leeway?: unknown) =>
        truncate(value, length, kill, end, leeway),
    },
  ],
  ['wordcount', text((value) => (value.match(/[\p{L}\p{N}_]+/gu) ?? []).length)],
  [
    'wordwrap',
    {
      params: ['width', 'break_long_words', 'wrapstring', 'break_on_hyphens'],
      apply: (_site, value, width?: unknown, long?: unknown, mark?: unknown, hyphens?: unknown) => {
        const breakLong = long === undefined || isFlagged(long);
        const onHyphens = hyphens === undefined || isFlagged(hyphens);
        const newline = mark === undefined ? '\n' : plain(mark);
        const columns = Math.max(1, count(width, 79));
        return lines(plain(value))
          .map((line) => wrapLine(line, columns, breakLong, onHyphens).join(newline))
          .join(newline);
      },
    },
  ],
  [
    'format',
    {
      params: ['*', '**'],
      apply: (_site, value, args: unknown[], named: Named) => {
        if (args.length > 0 && named.size > 0)
          throw new Misuse('format takes positional or named arguments, not both', 'bad-argument');
        return formatPercent(plain(value), named.size > 0 ? Object.fromEntries(named) : Tuple.from_(args));
      },
    },
  ],
  ['filesizeformat', {params: ['binary'], apply: (_site, value, binary?: unknown) => fileSize(value, binary)}],
  ['urlencode', {params: [], apply: (_site, value) => urlEncoded(value)}],
  ['xmlattr', {params: ['autospace'], apply: (_site, value, autospace?: unknown) => xmlAttributes(value, autospace)}],
  ['pprint', {params: [], apply: (_site, value) => pretty(value)}],
  ['quote', {params: [], apply: (_site, value) => quoteShell(value === null ? '' : plain(value))}],
  [
    'comment',
    {params: ['style', '**'], apply: (_site, value, style: unknown, named: Named) => comment(value, style, named)},
  ],
  [
    'split',
    {params: ['sep', 'maxsplit'], apply: (_site, value, sep?: unknown, max?: unknown) => split(plain(value), sep, max)},
  ],
  [
    'join',
    {
      params: ['d', 'attribute'],
      mode: 'moves',
      apply: (site, value, mark?: unknown, attribute?: unknown) => {
        const elements = elementsOf(value).map((element) =>
          attribute === undefined ? element : site.item(element, attribute),
        );
        const pieces: (string | Secret)[] = [];
        elements.forEach((element, i) => {
          if (i > 0 && mark !== undefined) pieces.push(str(mark));
          pieces.push(str(element));
        });
        boundedText(pieces.reduce((size, piece) => size + lengthOf(piece), 0));
        return Secret.join(pieces);
      },
    },
  ],
  [
    'regex_escape',
    {
      params: ['re_type'],
      apply: (_site, value, kind?: unknown) =>
        kind !== undefined && plain(kind) === 'posix_basic'
          ? plain(value).replaceAll(/[\].[^$*\\]/g, '\\$&')
          : plain(value).replaceAll(/[()[\]{}?*+\-|^$\\.&~# \t\n\r\v\f]/g, '\\$&'),
    },
  ],
  [
    'urlize',
    {
      params: [],
      apply: (_site, value) =>
        escapedHtml(plain(value)).replaceAll(
          pythonRegex('https?://[^\\s<]+', 'g'),
          (url) => `<a href="${url}" rel="noopener">${url}</a>`,
        ),
    },
  ],
];

function unescapeHtml(value: string): string {
  const names: Record<string, string> = {amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0'};
  return value.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (all, decimal?: string, hex?: string, name?: string) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return Object.hasOwn(names, name ?? '') ? (names[name ?? ''] ?? all) : all;
  });
}
