// Which hosts a pattern means: `web:&prod:!web3`, `db[0]`, `~web\d+`, `*.example.com`. *source*: Ansible's host patterns.
import {error, warning} from '../base/diagnostic.ts';
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import type {Inventory} from './inventory.ts';

/** Hosts in inventory order of the pattern's parts, each once; problems are names that nothing bears (warnings) and patterns that cannot be read (errors). */
export type Matched = {readonly hosts: readonly string[]; readonly problems: readonly Diagnostic[]};

/** The place of a part of the pattern's text. *units*: UTF-16 offsets in the text. */
export type Locate = (start: number, end: number) => Span | undefined;

type Part = {readonly text: string; readonly start: number; readonly sign: '' | '&' | '!'};

const localhost = new Set(['localhost', '127.0.0.1', '::1']);

/** The hosts that a pattern, or a list of patterns, selects. `localhost` that no inventory names is added to the inventory as an implicit host. */
export function matchHosts(
  inventory: Inventory,
  pattern: string | readonly string[],
  locate: Locate = () => undefined,
): Matched {
  const problems: Diagnostic[] = [];
  const texts = typeof pattern === 'string' ? [pattern] : pattern;
  for (const text of texts) {
    if (text.trim().startsWith('~') || text.split('[').length === text.split(']').length) continue;
    const span = locate(0, text.length);
    const help = 'write [0], [-1], [0:2] or [abc]';
    return {
      hosts: [],
      problems: [error('bad-pattern', `${text} has a bracket without its partner`, {...(span && {span}), help})],
    };
  }
  const parts = texts.flatMap((text) => splitPattern(text));
  const chosen = {
    '': parts.filter((p) => p.sign === ''),
    '&': parts.filter((p) => p.sign === '&'),
    '!': parts.filter((p) => p.sign === '!'),
  };
  if (parts.length === 0) return {hosts: [], problems};
  if (chosen[''].length === 0) chosen[''].push({text: 'all', start: 0, sign: ''});
  const located = (part: Part): Span | undefined =>
    typeof pattern === 'string' ? locate(part.start, part.start + part.text.length) : locate(0, 0);

  const hosts = new Set<string>();
  for (const part of chosen['']) for (const host of matchPart(inventory, part, located, problems)) hosts.add(host);
  for (const part of chosen['&']) {
    const kept = new Set(matchPart(inventory, part, located, problems));
    for (const host of hosts) if (!kept.has(host)) hosts.delete(host);
  }
  for (const part of chosen['!']) for (const host of matchPart(inventory, part, located, problems)) hosts.delete(host);
  return {hosts: [...hosts], problems};
}

/** Splits at commas, else at colons and blanks outside of brackets; a lone IPv6 address stays whole. */
function splitPattern(text: string): Part[] {
  const isAddress = /^[&!]?[\da-fA-F]*:[\da-fA-F]*:[\da-fA-F:.]*$/.test(text.trim());
  const pieces = text.includes(',')
    ? /[^,]+/g
    : isAddress || text.trim().startsWith('~')
      ? /.+/g
      : /(?:[^\s:[\]]|\[[^\]]*\])+/g;
  const parts: Part[] = [];
  for (const match of text.matchAll(pieces)) {
    const trimmed = match[0].trim();
    if (trimmed === '') continue;
    const start = match.index + match[0].indexOf(trimmed);
    if (
      text.includes(',') &&
      /:[&!]|^[\w.*-]+:[\w.*-]+$/.test(trimmed) &&
      !/:\d+$/.test(trimmed) &&
      !trimmed.startsWith('~')
    ) {
      parts.push(...splitPattern(trimmed).map((part) => ({...part, start: part.start + start})));
      continue;
    }
    const sign = trimmed.startsWith('&') ? '&' : trimmed.startsWith('!') ? '!' : '';
    const rest = trimmed.slice(sign.length).trim();
    if (rest !== '') parts.push({text: rest, start: start + trimmed.length - rest.length, sign});
  }
  return parts;
}

function matchPart(
  inventory: Inventory,
  part: Part,
  located: (part: Part) => Span | undefined,
  problems: Diagnostic[],
): readonly string[] {
  const known = inventory.host(part.text);
  if (known !== undefined) return [part.text];
  const {name, slice} = part.text.startsWith('~') ? {name: part.text, slice: undefined} : splitSlice(part.text);
  const matches = matcherOf(name);
  const span = located(part);
  if (matches === undefined) {
    problems.push(error('bad-pattern', `${name} is no regular expression that can be read`, {...(span && {span})}));
    return [];
  }
  const hosts = new Set<string>();
  let anyGroup = false;
  const literal = inventory.group(name);
  for (const group of literal === undefined ? inventory.groupNames() : [name]) {
    if (!matches(group)) continue;
    anyGroup = true;
    for (const host of inventory.hostsOf(group)) hosts.add(host);
  }
  if (!anyGroup || /^~|[.?*[]/.test(name)) {
    for (const host of inventory.hostNames())
      if (inventory.host(host)?.implicit !== true && matches(host)) hosts.add(host);
  }
  if (hosts.size === 0 && localhost.has(name)) {
    inventory.addImplicitLocalhost(name);
    return [name];
  }
  if (hosts.size === 0 && !anyGroup && name !== 'all' && name !== '*') problems.push(noMatch(inventory, name, span));
  if (slice === undefined) return [...hosts];
  const chosen = slice([...hosts]);
  if (chosen.length === 0 && hosts.size > 0) {
    const count = `${name} has ${String(hosts.size)} host${hosts.size === 1 ? '' : 's'}, counted from 0`;
    problems.push(warning('no-host-matched', `${part.text} matches no host`, {...(span && {span}), help: count}));
  }
  return chosen;
}

function noMatch(inventory: Inventory, name: string, span: Span | undefined): Diagnostic {
  const near = /[*?[~]/.test(name)
    ? undefined
    : nearestName(name, [...inventory.groupNames(), ...inventory.hostNames()]);
  const help = near === undefined ? undefined : `did you mean "${near}"?`;
  const message = /[*?[~]/.test(name)
    ? `${name} matches no host and no group`
    : `no inventory has a host or a group ${name}`;
  return warning('no-host-matched', message, {...(span && {span}), ...(help === undefined ? {} : {help})});
}

type Slice = (hosts: readonly string[]) => readonly string[];

/** `web[0]`, `web[-1]`, `web[1:3]` (both ends count), `web[2:]`. */
function splitSlice(text: string): {name: string; slice: Slice | undefined} {
  const match = /^(.+)\[(?:(-?\d+)|(\d+)[:-](\d*))\]$/.exec(text);
  if (match?.[1] === undefined) return {name: text, slice: undefined};
  const single = match[2];
  if (single !== undefined) {
    return {name: match[1], slice: (hosts) => hosts.slice(Number(single)).slice(0, 1)};
  }
  const first = Number(match[3]);
  const last = match[4] === undefined || match[4] === '' ? Infinity : Number(match[4]);
  return {name: match[1], slice: (hosts) => hosts.slice(first, last + 1)};
}

/** Shell globs, regular expressions after `~`; both must match from the start, globs to the end. */
function matcherOf(name: string): ((candidate: string) => boolean) | undefined {
  try {
    if (name.startsWith('~')) {
      const expression = new RegExp(`^(?:${name.slice(1).replaceAll('(?P<', '(?<').replaceAll('\\Z', '$')})`);
      return (candidate) => expression.test(candidate);
    }
    if (!/[*?[]/.test(name)) return (candidate) => candidate === name;
    const body = name.replace(/\[!?[^\]]+\]|[^]/g, (piece) => {
      if (piece === '*') return '.*';
      if (piece === '?') return '.';
      if (piece.length > 1) return piece.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
      return piece.replace(/[\\^$.|+(){}[\]]/, '\\$&');
    });
    const expression = new RegExp(`^${body}$`, 's');
    return (candidate) => expression.test(candidate);
  } catch {
    return undefined;
  }
}
