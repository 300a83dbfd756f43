// What `validate --fix` may write into a user's files: only what has one possible meaning. Modes get their quotes, numbers that stand for a text keep their
// digits, and yes/no become the booleans that they are read as. Everything is found in the text's own tree, so that comments and layout stay.
import {createTwoFilesPatch} from 'diff';
import type {Source} from '../base/diagnostic.ts';
import {canonicalParam} from '../catalog/bind.ts';
import type {Catalog} from '../catalog/catalog.ts';
import type {Kind, Params} from '../kit/schema.ts';
import {blockKeys, playKeys, roleKeys, taskKeys, type KeywordKind} from './keyword-table.ts';
import {child, type MapNode, type Node, type ScalarNode} from './node.ts';
import {parseYaml} from './yaml.ts';

/** Puts `text` in place of a stretch of the source. *units*: UTF-16 offsets. */
export type Fix = {readonly start: number; readonly end: number; readonly text: string};

/** What a file holds: plays and tasks, or nothing but variables. */
export type FileRole = 'tasks' | 'variables';

/** The fixes of one file, in order; none where it cannot be read as YAML. `asBoolean`: variables of which it is known that they are used as booleans. */
export function findFixes(
  source: Source,
  role: FileRole,
  catalog: Catalog,
  asBoolean: ReadonlySet<string> = new Set(),
): readonly Fix[] {
  const {node, problems} = parseYaml(source);
  if (node === undefined || source.secret === true || problems.some(({severity}) => severity === 'error')) return [];
  const found = new Map<number, Fix>();
  const fixer = new Fixer(catalog, asBoolean, (fix) => found.set(fix.start, fix));
  if (role === 'tasks') fixer.items(node);
  else fixer.variables(node);
  return [...found.values()].sort((a, b) => a.start - b.start);
}

/** The text with its fixes made. */
export function applyFixes(text: string, fixes: readonly Fix[]): string {
  let fixed = text;
  for (const {start, end, text: by} of fixes.toSorted((a, b) => b.start - a.start))
    fixed = fixed.slice(0, start) + by + fixed.slice(end);
  return fixed;
}

/** The fixes as a unified diff. */
export function diffOfFixes({path, text}: Source, fixes: readonly Fix[]): string {
  return (
    createTwoFilesPatch(path, path, text, applyFixes(text, fixes), undefined, undefined, {
      context: 1,
      maxEditLength: 5000,
    })?.replace(/^(?:Index: .*\n)?=+\n/, '') ?? ''
  );
}

/**
 * Variables that conditions use and no other text does: there `yes` can only be meant as a boolean. `texts` are all files of the site that hold expressions,
 * its templates too.
 */
export function usedAsBooleans(names: ReadonlySet<string>, texts: readonly string[]): ReadonlySet<string> {
  const conditions = texts.flatMap((text) => [
    ...text.matchAll(/^[ \t-]*(?:when|changed_when|failed_when|until|that)\s*:(.*(?:\n[ \t]*- .*)*)$/gm),
    ...text.matchAll(/\{%-?\s*(?:el)?if\b(.*?)%\}/gs),
  ]);
  const printed = texts.flatMap((text) => [...text.matchAll(/\{\{(.*?)\}\}/gs)]);
  const mentions = (matches: readonly RegExpMatchArray[], name: string): boolean =>
    matches.some((match) => new RegExp(`(?<![\\w.'"])${name}(?!\\w)`).test(match[1] ?? ''));
  return new Set([...names].filter((name) => mentions(conditions, name) && !mentions(printed, name)));
}

/** Names of the variables of a file that are written as yes or no. */
export function yesNoNames(source: Source, role: FileRole): readonly string[] {
  const {node} = parseYaml(source);
  const names: string[] = [];
  const walk = (at: Node | undefined, inVariables: boolean): void => {
    if (at?.kind === 'list') for (const item of at.items) walk(item, inVariables);
    if (at?.kind !== 'map') return;
    for (const {key, value} of at.entries) {
      if (inVariables && value.kind === 'scalar' && truthOf(value) !== undefined) names.push(key);
      walk(value, role === 'variables' ? false : key === 'vars');
    }
  };
  walk(node, role === 'variables');
  return names;
}

const truths: Readonly<Record<string, string>> = {
  yes: 'true',
  on: 'true',
  y: 'true',
  no: 'false',
  off: 'false',
  n: 'false',
};

/** What an unquoted word that YAML 1.2 takes for a text means where a boolean is declared. */
function truthOf(node: ScalarNode): string | undefined {
  const word = node.raw.toLowerCase();
  return node.style === 'plain' && node.tag === undefined && Object.hasOwn(truths, word) ? truths[word] : undefined;
}

const partKeys: ReadonlySet<string> = new Set([
  'tasks',
  'pre_tasks',
  'post_tasks',
  'handlers',
  'block',
  'rescue',
  'always',
]);

class Fixer {
  readonly #catalog: Catalog;
  readonly #asBoolean: ReadonlySet<string>;
  readonly #add: (fix: Fix) => void;

  constructor(catalog: Catalog, asBoolean: ReadonlySet<string>, add: (fix: Fix) => void) {
    this.#catalog = catalog;
    this.#asBoolean = asBoolean;
    this.#add = add;
  }

  /** Plays, blocks and tasks. */
  items(node: Node | undefined): void {
    if (node?.kind !== 'list') return;
    for (const item of node.items) {
      if (item.kind !== 'map') continue;
      const isPlay = child(item, 'hosts') !== undefined || child(item, 'roles') !== undefined;
      const isBlock = child(item, 'block') !== undefined;
      this.#keywords(item, isPlay ? playKeys : isBlock ? blockKeys : taskKeys);
      for (const {key, value} of item.entries) {
        if (partKeys.has(key)) this.items(value);
        else if (key === 'vars') this.variables(value);
        else if (key === 'roles' && value.kind === 'list') for (const role of value.items) this.#role(role);
      }
      if (!isPlay && !isBlock) this.#call(item);
    }
  }

  /** Values of which only their use tells what they are: octal numbers never are what YAML makes of them. */
  variables(node: Node | undefined): void {
    if (node?.kind === 'list') for (const item of node.items) this.variables(item);
    if (node?.kind !== 'map') return;
    for (const {key, value} of node.entries) {
      if (value.kind !== 'scalar') this.#octals(value);
      else if (!this.#mode(value) && this.#asBoolean.has(key)) this.#truth(value);
    }
  }

  #octals(node: Node): void {
    if (node.kind === 'scalar') this.#mode(node);
    else if (node.kind === 'list') for (const item of node.items) this.#octals(item);
    else for (const {value} of node.entries) this.#octals(value);
  }

  #role(node: Node): void {
    if (node.kind !== 'map') return;
    this.#keywords(node, roleKeys);
    for (const {key, value} of node.entries) if (key === 'vars') this.variables(value);
  }

  #keywords(map: MapNode, table: Readonly<Record<string, KeywordKind>>): void {
    for (const {key, value} of map.entries)
      if (Object.hasOwn(table, key) && table[key] === 'truth' && value.kind === 'scalar') this.#truth(value);
  }

  #call(task: MapNode): void {
    for (const {key, value} of task.entries) {
      if (Object.hasOwn(taskKeys, key) || key.startsWith('with_')) continue;
      const found = this.#catalog.find(key);
      if (found?.ok !== true) continue;
      const {params} = found.value.found === 'module' ? found.value.module : found.value.action;
      this.#params(params, value);
      const more = child(task, 'args');
      if (more !== undefined) this.#params(params, more);
    }
  }

  #params(params: Params, node: Node): void {
    if (node.kind !== 'map') return;
    for (const {key, value} of node.entries) {
      const name = canonicalParam(params, key);
      const param = Object.hasOwn(params, name) ? params[name] : undefined;
      if (param !== undefined) this.#value(param.kind, value);
    }
  }

  #value(kind: Kind, node: Node): void {
    switch (kind.kind) {
      case 'boolean':
        if (node.kind === 'scalar') this.#truth(node);
        return;
      case 'mode':
        if (node.kind === 'scalar') this.#mode(node);
        return;
      case 'string':
      case 'text':
      case 'secret':
        if (node.kind === 'scalar') this.#digits(node);
        return;
      case 'list':
        if (node.kind === 'list') for (const item of node.items) this.#value(kind.of, item);
        return;
      case 'map':
        if (node.kind === 'map') for (const {value} of node.entries) this.#value(kind.of, value);
        return;
      case 'object':
        this.#params(kind.params, node);
        return;
      case 'either':
        if (kind.of.some((one) => one.kind === 'mode') && node.kind === 'scalar') this.#mode(node);
        return;
      default:
        return;
    }
  }

  #truth(node: ScalarNode): void {
    const truth = truthOf(node);
    if (truth !== undefined) this.#replace(node, truth);
  }

  /** `0644` and `0o644`; a number without a leading zero may be meant in either system, so a person has to say. */
  #mode(node: ScalarNode): boolean {
    const octal = /^0o?([0-7]{3,4})$/.exec(node.raw)?.[1];
    if (octal === undefined || node.style !== 'plain' || typeof node.value !== 'number') return false;
    this.#replace(node, `"${octal.padStart(4, '0')}"`);
    return true;
  }

  /** A number that would lose digits where a text is declared: `1.10`. */
  #digits(node: ScalarNode): void {
    if (
      node.style === 'plain' &&
      node.tag === undefined &&
      typeof node.value === 'number' &&
      String(node.value) !== node.raw
    )
      this.#replace(node, `"${node.raw}"`);
  }

  #replace({span}: ScalarNode, text: string): void {
    this.#add({start: span.start, end: span.end, text});
  }
}
