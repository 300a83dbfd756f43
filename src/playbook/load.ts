// From playbook files to the program that the engine interprets. Everything wrong is reported with its place and left out, so that one run finds it all.
import {dirname, isAbsolute, join, resolve} from 'node:path';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import type {Catalog} from '../catalog/catalog.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import {importPlaybookKeys, playKeys} from './keyword-table.ts';
import {given, isTemplate, keywordsOf, noKeywords, textOf, variablesIn} from './keywords.ts';
import {readPlay} from './load-play.ts';
import type {Around} from './load-play.ts';
import {checkKeys, unknownKey} from './load-place.ts';
import type {Place, PlayDraft} from './load-place.ts';
import {readItems} from './load-task.ts';
import {child} from './node.ts';
import type {Entry, MapNode, Node} from './node.ts';
import type {Play, Program} from './program.ts';
import {YamlFiles} from './yaml-files.ts';

export type LoadOptions = {
  readonly catalog: Catalog;
  /** relative paths start here, and paths are shown relative to it */
  readonly cwd: string;
  readonly vaultPasswords?: readonly VaultPassword[];
  /** folders with roles, besides `roles/` beside the playbook; absolute */
  readonly rolePaths?: readonly string[];
  /** home folder, for `~/.ansible/roles` */
  readonly home?: string;
};

/** A program, and everything that is wrong with its files; with an error among the problems it is not complete. */
export type Loaded = {readonly program: Program; readonly problems: readonly Diagnostic[]};

/** Reads playbooks, in order, with everything they name that can be read without a host. */
export function loadPlaybooks(paths: readonly string[], options: LoadOptions): Loaded {
  const loader = new Loader(options);
  const absolute = paths.map((path) => resolve(options.cwd, path));
  const plays = absolute.flatMap((path) => loader.playbook(path));
  return {
    program: {plays, playbooks: paths, root: absolute[0] === undefined ? options.cwd : dirname(absolute[0])},
    problems: loader.problems,
  };
}

const nothingAround: Around = {keywords: noKeywords, vars: new Map(), layer: undefined};

class Loader {
  readonly problems: Diagnostic[] = [];
  readonly #options: LoadOptions;
  readonly #files: YamlFiles;
  readonly #seen = new Set<string>();

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#files = new YamlFiles(options.cwd, options.vaultPasswords);
  }

  /** The plays of a file and of those that it imports. */
  playbook(path: string, stack: readonly string[] = [], around: Around = nothingAround, by?: Span): readonly Play[] {
    const file = this.#files.read(path, by);
    for (const problem of file.problems) this.#report(problem);
    const node = given(file.node);
    if (node === undefined) {
      if (file.problems.length === 0) {
        const span: Span = {source: file.source, start: 0, end: 0};
        this.#report(error('empty-playbook', 'this playbook has no plays', {span, help: '- hosts: all\n  tasks: []'}));
      }
      return [];
    }
    if (node.kind !== 'list') {
      const help =
        node.kind === 'map' && child(node, 'hosts') !== undefined
          ? 'begin the play with a dash: `- hosts: …`'
          : 'a playbook is a list: each play begins with a dash';
      this.#report(error('bad-playbook', 'expected a list of plays', {span: node.span, help}));
      return [];
    }
    return node.items.flatMap((item) => this.#play(item, path, [...stack, path], around));
  }

  #play(node: Node, path: string, stack: readonly string[], around: Around): readonly Play[] {
    if (given(node) === undefined) return [];
    if (node.kind !== 'map') {
      this.#report(error('bad-playbook', 'a play is a mapping', {span: node.span, help: '- hosts: all\n  tasks: []'}));
      return [];
    }
    const imported = node.entries.find(({key}) => /^(?:ansible\.builtin\.)?(?:import_playbook|include)$/.test(key));
    if (imported !== undefined) return this.#import(node, imported, path, stack, around);
    const misspelt = child(node, 'hosts') === undefined ? node.entries.find(looksLikeImport) : undefined;
    if (misspelt !== undefined) {
      this.#report(unknownKey(misspelt.key, misspelt.keySpan, ['import_playbook'], 'a play'));
      return [];
    }
    return [readPlay(node, this.#place(path), around)];
  }

  #import(map: MapNode, entry: Entry, path: string, stack: readonly string[], around: Around): readonly Play[] {
    const keys = {...importPlaybookKeys, [entry.key]: 'text' as const};
    checkKeys(
      map,
      keys,
      'import_playbook',
      (problem) => this.#report(problem),
      (key) => Object.hasOwn(playKeys, key) && key !== 'hosts' && key !== 'tasks',
    );
    const name = textOf(given(entry.value))?.split(/\s+/)[0];
    const {span} = entry.value;
    if (name === undefined || name === '' || isTemplate(entry.value)) {
      const why = isTemplate(entry.value)
        ? 'the name of a playbook cannot be a template'
        : 'import_playbook names no playbook';
      this.#report(error('bad-include', why, {span: isTemplate(entry.value) ? span : entry.keySpan}));
      return [];
    }
    const target = isAbsolute(name) ? name : join(dirname(path), name);
    if (stack.includes(target)) {
      const way = [...stack.slice(stack.indexOf(target)), target].map((p) => this.#files.shown(p));
      this.#report(
        error('include-cycle', `${this.#files.shown(target)} imports itself`, {
          span,
          help: `the way is ${way.join(' → ')}`,
        }),
      );
      return [];
    }
    const values = variablesIn(child(map, 'vars'));
    const vars = new Map([...around.vars, ...values]);
    const inner: Around = {
      keywords: keywordsOf(map, around.keywords),
      vars,
      layer: vars.size === 0 ? undefined : {kind: 'include', values: vars},
    };
    return this.playbook(target, stack, inner, span);
  }

  #place(path: string): Place {
    const {catalog, rolePaths = [], home} = this.#options;
    const folder = dirname(path);
    const play: PlayDraft = {folder, handlers: [], exposed: [], layerLists: new Set(), ran: new Set(), finished: false};
    const usual = home === undefined ? [] : [join(home, '.ansible/roles')];
    return {
      files: this.#files,
      catalog,
      rolePaths: [...rolePaths, ...usual, '/usr/share/ansible/roles', '/etc/ansible/roles'],
      report: (problem) => this.#report(problem),
      play,
      folder,
      keywords: noKeywords,
      vars: [],
      role: undefined,
      moduleDefaults: [],
      stack: [path],
      conditional: false,
      readItems,
    };
  }

  /** The same mistake is said once, though a file may be included from many places. */
  #report(problem: Diagnostic): void {
    const {span} = problem;
    const key = `${problem.code}\n${problem.message}\n${span?.source.path ?? ''}:${span?.start ?? -1}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.problems.push(problem);
  }
}

/** A misspelt `import_playbook`, or one of another collection. */
function looksLikeImport({key}: Entry): boolean {
  return !Object.hasOwn(playKeys, key) && nearestName(key, ['import_playbook']) !== undefined;
}
