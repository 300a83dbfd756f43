// `--limit`: patterns, and files of hosts by `@file` (as they are written for a rerun of failed hosts).
import {readFileSync} from './disk.ts';
import {resolve} from 'node:path';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Source} from '../base/diagnostic.ts';
import type {Inventory} from './inventory.ts';
import {matchHosts} from './patterns.ts';

/** The hosts that `--limit` leaves; undefined when there is no limit. */
export type Limit = {readonly hosts: ReadonlySet<string> | undefined; readonly problems: readonly Diagnostic[]};

/** Reads the values of `--limit`. *errors*: `bad-limit` for a file that cannot be read, `no-host-matched` (an error here). */
export function readLimit(inventory: Inventory, given: readonly string[], cwd: string): Limit {
  if (given.length === 0) return {hosts: undefined, problems: []};
  const problems: Diagnostic[] = [];
  const patterns: string[] = [];
  const sources: Source[] = [];
  for (const text of given) {
    for (const piece of text.split(',').map((part) => part.trim())) {
      if (piece === '') continue;
      if (!piece.startsWith('@')) {
        patterns.push(piece);
        sources.push({path: '<--limit>', text});
        continue;
      }
      try {
        const content = readFileSync(resolve(cwd, piece.slice(1)), 'utf8');
        for (const match of content.matchAll(/[^\n]+/g)) {
          const line = match[0].trim();
          if (line === '' || line.startsWith('#')) continue;
          patterns.push(line);
          sources.push({path: piece.slice(1), text: content});
        }
      } catch (cause) {
        problems.push(error('bad-limit', `the file of --limit ${piece} cannot be read: ${(cause as Error).message}`));
      }
    }
  }
  // every piece on its own first, for the places; then all together, because & and ! concern the whole
  patterns.forEach((pattern, i) => {
    const source = sources[i] ?? {path: '<--limit>', text: pattern};
    const base = source.text.indexOf(pattern);
    const matched = matchHosts(inventory, pattern, (start, end) => ({source, start: base + start, end: base + end}));
    problems.push(...matched.problems.map((problem): Diagnostic => ({...problem, severity: 'error'})));
  });
  const {hosts} = matchHosts(inventory, patterns);
  return {hosts: new Set(hosts), problems};
}
