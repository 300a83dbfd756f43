// Waivers: who answers for which control failing on which hosts, why, and until when. The file is data: nothing in it is a template.
import {existsSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {error, placeOf, warning} from '../base/diagnostic.ts';
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import type {Inventory} from './inventory.ts';
import {listOf, textOf} from './keywords.ts';
import {child} from './node.ts';
import type {MapNode, Node} from './node.ts';
import {matchHosts} from './patterns.ts';
import {spanWithin} from './scalar-place.ts';
import {YamlFiles} from './yaml-files.ts';

/** An entry of a waivers file. `expires` is the last day on which it holds (ISO 8601, UTC); `at` is its `file:line:column`. */
export type WaiverEntry = {
  readonly controls: readonly string[];
  readonly hosts: ReadonlySet<string>;
  /** the pattern of hosts as it is written */
  readonly pattern: string;
  readonly owner: string;
  readonly reason: string;
  readonly expires: string;
  readonly at: string;
  readonly span: Span;
};

const keys = ['control', 'hosts', 'owner', 'reason', 'expires'] as const;

const example =
  '- control: SSH-1\n  hosts: web1\n  owner: jane@example.org\n  reason: replaced in March, ticket 4711\n  expires: 2027-03-31';

/** What waivers are judged against. `controls`: ids that are known; `open`: there may be more of them than can be known. */
export type WaiverContext = {
  readonly inventory: Inventory;
  readonly controls: readonly string[];
  readonly open: boolean;
  readonly cwd: string;
};

/** The files that hold waivers: those that were named, else `waivers.yml` of the site and beside its playbooks. Absolute paths. */
export function waiverFiles(named: readonly string[], playbooks: readonly string[], cwd: string): readonly string[] {
  if (named.length > 0) return [...new Set(named.map((file) => resolve(cwd, file)))];
  const folders = [cwd, ...playbooks.map((file) => dirname(resolve(cwd, file)))];
  const paths = folders.flatMap((folder) => ['waivers.yml', 'waivers.yaml'].map((name) => join(folder, name)));
  return [...new Set(paths)].filter((path) => existsSync(path));
}

/** Reads files of waivers; all their mistakes at once. *errors*: `bad-waiver`, `unknown-key`, and those of YAML; warnings for controls and hosts that nobody knows. */
export function readWaivers(
  files: readonly string[],
  context: WaiverContext,
): {waivers: readonly WaiverEntry[]; problems: readonly Diagnostic[]} {
  const yaml = new YamlFiles(context.cwd);
  const problems: Diagnostic[] = [];
  const waivers: WaiverEntry[] = [];
  const report = (problem: Diagnostic): number => problems.push(problem);
  for (const file of files) {
    const {node, problems: found} = yaml.read(file);
    problems.push(...found);
    if (node === undefined || (node.kind === 'scalar' && node.value === null)) continue;
    if (node.kind !== 'list') {
      report(error('bad-waiver', 'expected a list of waivers', {span: node.span, help: example}));
      continue;
    }
    for (const item of node.items) {
      const waiver = readWaiver(item, context, report);
      if (waiver !== undefined) waivers.push(waiver);
    }
  }
  return {waivers, problems};
}

function readWaiver(
  item: Node,
  context: WaiverContext,
  report: (problem: Diagnostic) => unknown,
): WaiverEntry | undefined {
  const mistakes: Diagnostic[] = [];
  const wrong = (message: string, span: Span, help?: string): void => {
    mistakes.push(error('bad-waiver', message, {span, ...(help === undefined ? {} : {help})}));
  };
  if (item.kind !== 'map') {
    report(error('bad-waiver', 'a waiver is a mapping', {span: item.span, help: example}));
    return undefined;
  }
  for (const {key, keySpan} of item.entries) {
    if ((keys as readonly string[]).includes(key)) continue;
    const near = nearestName(key, keys);
    report(
      error('unknown-key', `a waiver has no key ${key}`, {
        span: keySpan,
        help: near === undefined ? `it takes ${keys.join(', ')}` : `did you mean ${near}?`,
      }),
    );
  }
  const text = (key: (typeof keys)[number]): string => textIn(item, key, wrong);
  const list = (key: 'control' | 'hosts'): readonly Node[] => listOf(child(item, key));
  const [owner, reason, expires] = [text('owner'), text('reason'), text('expires')];
  for (const key of ['control', 'hosts'] as const) {
    if (list(key).length === 0) wrong(`a waiver needs ${key}`, item.span, example);
    for (const node of list(key))
      if ((textOf(node) ?? '').trim() === '') wrong(`${key}: expected a text or a list of texts`, node.span);
  }
  if (expires !== '' && !isDate(expires))
    wrong('expires: expected a date such as 2027-03-31', child(item, 'expires')?.span ?? item.span);
  for (const mistake of mistakes) report(mistake);
  if (mistakes.length > 0) return undefined;
  for (const node of list('hosts')) for (const problem of oddHosts(node, context.inventory)) report(problem);
  const patterns = list('hosts').map((node) => textOf(node) ?? '');
  for (const node of list('control')) checkKnown(node, context, report);
  return {
    controls: list('control').map((node) => (textOf(node) ?? '').trim()),
    hosts: new Set(matchHosts(context.inventory, patterns).hosts),
    pattern: patterns.join(', '),
    owner,
    reason,
    expires,
    at: placeOf(item.span),
    span: child(item, 'expires')?.span ?? item.span,
  };
}

function textIn(
  item: MapNode,
  key: (typeof keys)[number],
  wrong: (message: string, span: Span, help?: string) => void,
): string {
  const node = child(item, key);
  const text = textOf(node)?.trim() ?? '';
  if (node === undefined) wrong(`a waiver needs ${key}`, item.span, example);
  else if (text === '') wrong(`${key}: expected a text`, node.span);
  return text;
}

/** A day that the calendar has. */
function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** What is odd about a pattern of hosts, at its place. */
function oddHosts(node: Node, inventory: Inventory): readonly Diagnostic[] {
  return matchHosts(inventory, textOf(node) ?? '', (start, end) =>
    node.kind === 'scalar' ? spanWithin(node, start, end) : node.span,
  ).problems;
}

function checkKnown(node: Node, {controls, open}: WaiverContext, report: (problem: Diagnostic) => unknown): void {
  const id = (textOf(node) ?? '').trim();
  if (open || controls.includes(id)) return;
  const near = nearestName(id, controls);
  report(
    warning('unknown-control', `no selected task has the control ${id}`, {
      span: node.span,
      ...(near === undefined ? {} : {help: `did you mean ${near}?`}),
    }),
  );
}

/** A warning for each waiver that no longer holds at a time (ISO 8601, UTC): what it was about counts again. */
export function expiredWaivers(waivers: readonly WaiverEntry[], at: string): readonly Diagnostic[] {
  return waivers
    .filter((waiver) => waiver.expires < at.slice(0, 10))
    .map((waiver) =>
      warning(
        'waiver-expired',
        `the waiver of ${waiver.controls.join(', ')} for ${waiver.pattern} expired on ${waiver.expires}; it belongs to ${waiver.owner}`,
        {span: waiver.span, help: 'mend what it is about and delete it, or agree on a new date'},
      ),
    );
}
