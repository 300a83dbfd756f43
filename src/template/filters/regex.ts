// Ansible's filters with regular expressions.
import {isFlagged} from '../boolean.ts';
import type {Filter} from '../environment.ts';
import {Misuse} from '../fault.ts';
import {boundedText} from '../operate.ts';
import {expandReplacement, pythonRegex} from '../regex.ts';
import {Tuple} from '../values.ts';
import {plain} from './text.ts';

function flags(ignorecase: unknown, multiline: unknown): string {
  return (isFlagged(ignorecase) ? 'i' : '') + (isFlagged(multiline) ? 'm' : '');
}

function replaced(text: string, pattern: string, by: string, mode: string, limit: number): string {
  let out = '';
  let at = 0;
  let done = 0;
  for (const match of text.matchAll(pythonRegex(pattern, `g${mode}`))) {
    if (limit > 0 && done >= limit) break;
    done++;
    out += text.slice(at, match.index) + expandReplacement(by, match);
    at = match.index + match[0].length;
    boundedText(out.length);
  }
  return out + text.slice(at);
}

/** What `re.findall` gives: whole matches, the only group, or tuples of groups. */
function found(text: string, pattern: string, mode: string): unknown[] {
  return Array.from(text.matchAll(pythonRegex(pattern, `g${mode}`)), (match) => {
    if (match.length === 1) return match[0];
    const groups = match.slice(1).map((group: string | undefined) => group ?? '');
    return groups.length === 1 ? groups[0] : Tuple.from_(groups);
  });
}

function searched(text: string, pattern: string, groups: readonly unknown[], mode: string): unknown {
  const match = pythonRegex(pattern, mode).exec(text);
  if (match === null) return null;
  if (groups.length === 0) return match[0];
  return groups.map((group) => {
    const name = plain(group);
    const number = /^\\(\d+)$/.exec(name);
    const named = /^\\g<(\w+)>$/.exec(name);
    if (number === null && named === null)
      throw new Misuse(`unknown argument "${name}"`, 'bad-argument', String.raw`write '\\1' or '\\g<name>'`);
    if (number !== null) {
      if (Number(number[1]) >= match.length) throw new Misuse(`no such group: ${name}`, 'bad-regex');
      return match[Number(number[1])] ?? null;
    }
    const key = named?.[1] ?? '';
    if (/^\d+$/.test(key)) return match[Number(key)] ?? null;
    if (!match.groups || !Object.hasOwn(match.groups, key)) throw new Misuse(`no such group: ${name}`, 'bad-regex');
    return match.groups[key] ?? null;
  });
}

export const regexFilters: readonly (readonly [string, Filter])[] = [
  [
    'regex_replace',
    {
      params: ['pattern', 'replacement', 'ignorecase', 'multiline', 'count', 'mandatory_count'],
      apply: (_site, value, pattern?: unknown, by?: unknown, ignore?: unknown, multi?: unknown, count?: unknown) =>
        replaced(plain(value), plain(pattern ?? ''), plain(by ?? ''), flags(ignore, multi), Number(count ?? 0)),
    },
  ],
  [
    'regex_findall',
    {
      params: ['regex', 'multiline', 'ignorecase'],
      apply: (_site, value, pattern: unknown, multi?: unknown, ignore?: unknown) =>
        found(plain(value), plain(pattern), flags(ignore, multi)),
    },
  ],
  [
    'regex_search',
    {
      params: ['regex', '*', '**'],
      apply: (_site, value, pattern: unknown, groups: unknown[], named: ReadonlyMap<string, unknown>) =>
        searched(plain(value), plain(pattern), groups, flags(named.get('ignorecase'), named.get('multiline'))),
    },
  ],
];
