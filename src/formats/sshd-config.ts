/*
 * sshd_config(5): keywords in any case, `Keyword value` or `Keyword=value`, quotes, `Match` blocks that run to the next
 * `Match` or the end, and for most keywords the first value wins. Lines keep their exact text.
 */
import {error} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {insertRaw, lineBody, lineEnd, splitLines} from './text-lines.ts';

/** One line. `keyword` is lower case; `args` are unquoted; `other`: comments, blank lines, lines with an open quote. */
export type SshdLine =
  | {readonly kind: 'directive'; readonly raw: string; readonly keyword: string; readonly args: readonly string[]}
  | {readonly kind: 'other'; readonly raw: string};

export type SshdConfig = {readonly lines: readonly SshdLine[]};

/** Criteria of a Match block: attribute (`User`, `Group`, `Host`, `Address`, `LocalPort` …) to its comma-separated patterns; `All` has no pattern. */
export type MatchCriteria = Readonly<Record<string, string>>;

/** Lines `start … end-1` of the configuration. `criteria` is undefined for the part before the first Match; `start` is then 0, else the Match line. */
export type SshdBlock = {readonly criteria: MatchCriteria | undefined; readonly start: number; readonly end: number};

/** Keywords of which every line counts, instead of the first one only. */
const accumulating: ReadonlySet<string> = new Set(
  'acceptenv allowgroups allowusers denygroups denyusers hostcertificate hostkey include listenaddress logverbose port setenv subsystem'.split(
    ' ',
  ),
);

/** Whether every line of this keyword counts (`AllowUsers`, `HostKey`, …); otherwise the first one wins. */
export function accumulates(keyword: string): boolean {
  return accumulating.has(keyword.toLowerCase());
}

/** Reads a configuration. Never fails: what is not a directive is kept as `other`. */
export function parseSshd(text: string): SshdConfig {
  return {lines: splitLines(text).map(readLine)};
}

/** The exact text again: `printSshd(parseSshd(t)) === t`. */
export function printSshd(config: SshdConfig): string {
  return config.lines.map((line) => line.raw).join('');
}

const directive = /^(\s*)"?([A-Za-z][A-Za-z0-9]*)"?([ \t]*=[ \t]*|[ \t]+|$)(.*)$/s;

function readLine(raw: string): SshdLine {
  const [, , keyword, , rest] = directive.exec(lineBody(raw)) ?? [];
  const args = rest === undefined ? undefined : splitArgs(rest)?.args;
  if (keyword === undefined || args === undefined) return {kind: 'other', raw};
  return {kind: 'directive', raw, keyword: keyword.toLowerCase(), args};
}

/** Arguments as sshd cuts them: blanks, both quotes, backslash escapes, a word that begins with `#` ends the line. Undefined for an open quote. `end`: offset behind the last one. */
function splitArgs(text: string): {args: string[]; end: number} | undefined {
  const args: string[] = [];
  let end = 0;
  let at = 0;
  for (;;) {
    while (/\s/.test(text.charAt(at))) at++;
    if (at >= text.length || text.charAt(at) === '#') return {args, end};
    let arg = '';
    let quote = '';
    for (; at < text.length; at++) {
      const char = text.charAt(at);
      const next = text.charAt(at + 1);
      if (char === '\\' && next !== '' && (`'"\\`.includes(next) || (quote === '' && next === ' '))) {
        arg += next;
        at++;
      } else if (quote === '' && /\s/.test(char)) break;
      else if (quote === '' && (char === '"' || char === "'")) quote = char;
      else if (quote !== '' && char === quote) quote = '';
      else arg += char;
    }
    if (quote !== '') return undefined;
    args.push(arg);
    end = at;
  }
}

/** One argument as it has to be written, quoted only where sshd needs it. */
export function quoteSshdArg(arg: string): string {
  return arg === '' || /[\s"']|^#|\\/.test(arg) ? `"${arg.replace(/["\\]/g, '\\$&')}"` : arg;
}

/** The blocks in order; the first is always the global part (perhaps empty). */
export function blocksOf(config: SshdConfig): readonly SshdBlock[] {
  const starts = config.lines.flatMap((line, index) => (isMatch(line) ? [index] : []));
  const ends = [...starts, config.lines.length];
  return ends.map((end, i): SshdBlock => {
    const start = starts[i - 1];
    if (start === undefined) return {criteria: undefined, start: 0, end};
    const line = config.lines[start];
    return {criteria: criteriaOf(line?.kind === 'directive' ? line.args : []), start, end};
  });
}

function isMatch(line: SshdLine): boolean {
  return line.kind === 'directive' && line.keyword === 'match';
}

/** Criteria from the arguments of a Match line; attributes in lower case. */
export function criteriaOf(args: readonly string[]): MatchCriteria {
  const criteria: Record<string, string> = {};
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? '';
    const [attribute = '', pattern] = word.split(/=(.*)/s);
    const name = attribute.toLowerCase();
    criteria[name] = name === 'all' || name === 'canonical' || name === 'final' ? '' : (pattern ?? args[++i] ?? '');
  }
  return criteria;
}

/** Whether two sets of criteria name the same connections as written: order and case of attributes and order of patterns do not count. */
export function sameCriteria(a: MatchCriteria, b: MatchCriteria): boolean {
  return canonicalCriteria(a) === canonicalCriteria(b);
}

function canonicalCriteria(criteria: MatchCriteria): string {
  return Object.entries(criteria)
    .map(([attribute, patterns]) => `${attribute.toLowerCase()} ${patterns.split(',').sort().join(',')}`)
    .sort()
    .join('\n');
}

function findBlock(config: SshdConfig, scope: MatchCriteria | undefined): SshdBlock | undefined {
  return blocksOf(config).find((block) =>
    scope === undefined || block.criteria === undefined
      ? scope === block.criteria
      : sameCriteria(scope, block.criteria),
  );
}

function positionsIn(config: SshdConfig, block: SshdBlock, keyword: string): readonly number[] {
  const wanted = keyword.toLowerCase();
  return config.lines.flatMap((line, index) =>
    index >= block.start && index < block.end && line.kind === 'directive' && line.keyword === wanted ? [index] : [],
  );
}

/** The arguments that a keyword has in one block of this file: of the first line, or of all lines of an accumulating keyword. Undefined: not set there. */
export function valueOf(config: SshdConfig, keyword: string, scope?: MatchCriteria): readonly string[] | undefined {
  const block = findBlock(config, scope);
  if (block === undefined) return undefined;
  const values = positionsIn(config, block, keyword).map((index) => argsAt(config, index));
  return accumulates(keyword) && values.length > 0 ? values.flat() : values[0];
}

function argsAt(config: SshdConfig, index: number): readonly string[] {
  const line = config.lines[index];
  return line?.kind === 'directive' ? line.args : [];
}

/**
 * Sets a keyword in the global part, or in the Match block of `scope` (made at the end of the file where there is none).
 * `values` are the arguments; for an accumulating keyword each is a line of its own. Only lines that say something else are rewritten;
 * later lines of a first-wins keyword have no effect and stay.
 */
export function setKeyword(
  config: SshdConfig,
  keyword: string,
  values: readonly string[],
  scope?: MatchCriteria,
): SshdConfig {
  const block = findBlock(config, scope);
  if (block === undefined) {
    const added = parseSshd(renderMatchBlock(scope ?? {}, [[keyword, values]]));
    return {lines: insertRaw(config.lines, config.lines.length, added.lines)};
  }
  const found = positionsIn(config, block, keyword);
  const wanted = accumulates(keyword) ? values.map((value) => [value]) : [values];
  // `AllowUsers a b` is one line with two values: as long as the sum agrees, nothing has to be written.
  if (accumulates(keyword) && found.flatMap((index) => argsAt(config, index)).join('\0') === values.join('\0'))
    return config;
  let lines = [...config.lines];
  wanted.slice(0, found.length).forEach((args, i) => {
    const index = found[i] ?? 0;
    if (argsAt(config, index).join('\0') !== args.join('\0')) lines[index] = withArgs(lines[index]?.raw ?? '', args);
  });
  const missing = wanted.slice(found.length);
  const surplus = accumulates(keyword) ? found.slice(wanted.length) : [];
  if (missing.length > 0) {
    const at = found.length > 0 ? (found.at(-1) ?? 0) + 1 : newPlace(config, block, keyword);
    const indent = block.criteria === undefined ? '' : indentOf(config, block);
    const added = missing.map((args) => readLine(`${indent}${keyword} ${args.map(quoteSshdArg).join(' ')}\n`));
    lines = insertRaw(lines, at, added);
  }
  return {lines: lines.filter((_, index) => !surplus.includes(index))};
}

function withArgs(raw: string, args: readonly string[]): SshdLine {
  const body = lineBody(raw);
  const [, , , separator = ' ', rest = ''] = directive.exec(body) ?? [];
  const head = body.slice(0, body.length - rest.length);
  const tail = rest.slice(splitArgs(rest)?.end ?? rest.length);
  const gap = separator === '' ? ' ' : '';
  return readLine(`${head}${gap}${args.map(quoteSshdArg).join(' ')}${tail}${lineEnd(raw)}`);
}

/** Behind the commented default (`#Port 22`) where one stands in the block, else behind the last directive. */
function newPlace(config: SshdConfig, block: SshdBlock, keyword: string): number {
  const commented = new RegExp(`^\\s*#\\s?${keyword}(\\s|=)`, 'i');
  const inBlock = config.lines.slice(block.start, block.end);
  const example = inBlock.findLastIndex((line) => line.kind === 'other' && commented.test(line.raw));
  if (example >= 0) return block.start + example + 1;
  const last = inBlock.findLastIndex((line) => line.kind === 'directive');
  // Without any directive the text before a Match is its comment; then the part begins at the top.
  if (last < 0) return block.end === config.lines.length ? block.end : block.start;
  return block.start + last + 1;
}

function indentOf(config: SshdConfig, block: SshdBlock): string {
  const line = config.lines.slice(block.start + 1, block.end).find(({kind}) => kind === 'directive');
  return line === undefined ? '    ' : (/^[ \t]*/.exec(line.raw)?.[0] ?? '');
}

/** The configuration without any line of a keyword in the global part, or in the Match block of `scope`. */
export function removeKeyword(config: SshdConfig, keyword: string, scope?: MatchCriteria): SshdConfig {
  const block = findBlock(config, scope);
  if (block === undefined) return config;
  const gone = positionsIn(config, block, keyword);
  return gone.length === 0 ? config : {lines: config.lines.filter((_, index) => !gone.includes(index))};
}

/** The configuration without the Match block of `scope`; comments that stand before the next block stay. */
export function removeMatch(config: SshdConfig, scope: MatchCriteria): SshdConfig {
  const block = findBlock(config, scope);
  if (block === undefined) return config;
  const inBlock = config.lines.slice(block.start, block.end);
  const count = inBlock.findLastIndex((line) => line.kind === 'directive') + 1;
  return {lines: config.lines.toSpliced(block.start, count)};
}

/** Text of one Match block: `[['PermitTTY', ['no']], …]`. */
export function renderMatchBlock(
  criteria: MatchCriteria,
  settings: readonly (readonly [keyword: string, args: readonly string[]])[],
): string {
  const heads = Object.entries(criteria).map(([attribute, patterns]) =>
    patterns === '' ? attribute : `${attribute} ${quoteSshdArg(patterns)}`,
  );
  const body = settings.flatMap(([keyword, args]) =>
    (accumulates(keyword) ? args.map((arg) => [arg]) : [args]).map(
      (line) => `    ${keyword} ${line.map(quoteSshdArg).join(' ')}\n`,
    ),
  );
  return `Match ${heads.join(' ')}\n${body.join('')}`;
}

/**
 * A drop-in with one Match block. A Match block ends with its file, so nothing has to close it.
 * `header` is a comment without `#`, one or more lines.
 */
export function renderDropIn(
  criteria: MatchCriteria,
  settings: readonly (readonly [keyword: string, args: readonly string[]])[],
  header?: string,
): string {
  const comment =
    header === undefined
      ? ''
      : header
          .split('\n')
          .map((line) => `${`# ${line}`.trimEnd()}\n`)
          .join('');
  return comment + renderMatchBlock(criteria, settings);
}

/** Whether and how the main file reads a drop-in. `earlier`: keywords (lower case) that the main file sets before it, which therefore win over it. */
export type DropInPlace = {readonly line: number; readonly pattern: string; readonly earlier: readonly string[]};

/**
 * Where the main file includes `path` for every connection.
 * Problems: `sshd-no-include` (no Include covers the path), `sshd-include-in-match` (only inside a Match block, so it holds for some connections only).
 * Relative patterns stand below `/etc/ssh`.
 */
export function dropInPlace(main: SshdConfig, path: string): Result<DropInPlace> {
  let inMatch: number | undefined;
  const earlier: string[] = [];
  let matched = false;
  for (const [index, line] of main.lines.entries()) {
    if (line.kind !== 'directive') continue;
    if (line.keyword === 'match') matched = line.args[0]?.toLowerCase() !== 'all';
    else if (line.keyword !== 'include') {
      if (!matched) earlier.push(line.keyword);
    } else {
      const pattern = line.args.find((arg) => globMatches(arg.startsWith('/') ? arg : `/etc/ssh/${arg}`, path));
      if (pattern === undefined) continue;
      if (!matched) return ok({line: index, pattern, earlier: [...new Set(earlier)]});
      inMatch ??= index;
    }
  }
  if (inMatch === undefined) return bad(error('sshd-no-include', `no Include of sshd_config reads ${path}`));
  return bad(
    error('sshd-include-in-match', `sshd_config reads ${path} only inside a Match block (line ${inMatch + 1})`),
  );
}

/** glob(7) without brace expansion: `*` and `?` stop at `/`. */
function globMatches(pattern: string, path: string): boolean {
  const source = pattern.replace(/\[!?[^\]]*\]|[*?]|[.+^${}()|\\/[\]]/g, (part) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    return part.length > 1 ? part.replace(/^\[!/, '[^') : `\\${part}`;
  });
  return new RegExp(`^${source}$`).test(path);
}

/** The output of `sshd -T`: keyword (lower case) to its values, one per printed line, as printed. */
export function parseEffective(text: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const line of splitLines(text)) {
    const [, keyword, value = ''] = /^(\S+)(?:\s+(.*?))?\s*$/s.exec(line) ?? [];
    if (keyword === undefined) continue;
    const known = values.get(keyword.toLowerCase());
    if (known === undefined) values.set(keyword.toLowerCase(), [value]);
    else known.push(value);
  }
  return values;
}
