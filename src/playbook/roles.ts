// Roles: a folder with tasks, handlers, defaults, vars, files, templates and the roles it depends on.
import {readdirSync} from './disk.ts';
import {basename, dirname, isAbsolute, join, resolve} from 'node:path';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import {argumentSpecOf} from './argument-specs.ts';
import {roleKeys} from './keyword-table.ts';
import {given, isTemplate, keywordsOf, textOf, variablesIn} from './keywords.ts';
import {checkKeys, keepList} from './load-place.ts';
import type {Place} from './load-place.ts';
import {child} from './node.ts';
import type {MapNode, Node} from './node.ts';
import type {Block, Item, RoleContext, Task, VarsLayer} from './program.ts';
import {firstFile, firstFolder} from './yaml-files.ts';
import {soughtHelp} from './sought.ts';

/** A role as it is called. `options`: `tasks_from` and the like. */
export type RoleCall = {
  readonly name: string;
  readonly span: Span;
  readonly options: MapNode | undefined;
  readonly params?: VarsLayer;
  /** another role's meta names it */
  readonly isDependency?: boolean;
  /** its variables are seen by its own tasks only (`include_role` without `public`) */
  readonly isPrivate?: boolean;
};

type Part = 'tasks' | 'handlers' | 'vars' | 'defaults' | 'meta';

/** The folder of a role. *source*: Ansible's search: `roles/` beside the playbook, the configured paths, beside the role that asks, the playbook's folder. */
export function findRole(name: string, place: Place): {path: string | undefined; searched: readonly string[]} {
  const folders = [
    join(place.play.folder, 'roles'),
    ...place.rolePaths,
    ...(place.role === undefined ? [] : [join(place.role.path, 'roles'), dirname(place.role.path)]),
    place.play.folder,
    place.folder,
  ];
  const searched = isAbsolute(name) ? [name] : [...new Set(folders.map((folder) => resolve(folder, name)))];
  const found = firstFolder(searched);
  if (found !== undefined || !name.includes('.')) return {path: found, searched};
  // a role of a collection may lie among the site's own under its last name
  return {path: firstFolder(folders.map((folder) => join(folder, name.split('.').at(-1) ?? name))), searched};
}

/** A role's tasks, after those of the roles it depends on, as one block. *errors*: `missing-role`, `role-cycle`, and everything in it. */
export function readRole(call: RoleCall, place: Place): readonly Item[] {
  const {path, searched} = findRole(call.name, place);
  if (path === undefined) {
    place.report(
      error('missing-role', `there is no role ${call.name}`, {
        span: call.span,
        help: soughtHelp(searched, place.files.cwd),
      }),
    );
    return [];
  }
  const mark = `role:${path}`;
  const from = (key: string): string | undefined => textOf(given(child(call.options, key)));
  const again = place.stack.filter((entry) => entry === mark).length;
  // a role may run other tasks of its own (tasks_from), and itself where a condition ends it
  if (again > 0 && (place.conditional ? again > 60 : from('tasks_from') === undefined)) {
    const way = [...place.stack.slice(place.stack.indexOf(mark)), mark]
      .filter((entry) => entry.startsWith('role:'))
      .map((entry) => basename(entry));
    place.report(
      error('role-cycle', `the role ${call.name} needs itself`, {
        span: call.span,
        help: `the way is ${way.join(' → ')}`,
      }),
    );
    return [];
  }
  // roles that include or import this one; a dependency has none
  const parents =
    place.role === undefined || call.isDependency === true ? [] : [place.role.name, ...place.role.parents];
  const role: RoleContext = {name: call.name, path, parents};
  const catalog = place.catalog.with([join(path, 'modules')]);
  const base: Place = {...place, role, catalog, folder: path, stack: [...place.stack, mark]};

  const defaults = layerOf('role-defaults', 'defaults', from('defaults_from'), call, base);
  const vars = layerOf('role-vars', 'vars', from('vars_from'), call, base);
  const own = [defaults, vars].filter((layer) => layer.values.size > 0);
  if (!place.play.finished && call.isPrivate !== true) place.play.exposed.push(...own);
  const layers = keepList(place.play, [...place.vars, ...own, ...(call.params === undefined ? [] : [call.params])]);
  const inside: Place = {...base, vars: layers};
  const dependencies = again > 0 || from('tasks_from') !== undefined ? [] : readDependencies(inside);

  const handlers = readPart('handlers', from('handlers_from'), call, inside);
  addHandlers(handlers, mark, place);
  const tasks = readPart('tasks', from('tasks_from'), call, inside);
  const validation = validationOf(call, from('tasks_from'), inside);
  const block: Block = {
    item: 'block',
    name: undefined,
    span: call.span,
    keywords: place.keywords,
    block: [...dependencies, ...validation, ...tasks],
    rescue: [],
    always: [],
    vars: layers,
    role,
    folder: path,
  };
  return [block];
}

/** The task that judges the role's arguments, where the role says what they must be. *source*: Ansible's role argument validation. */
function validationOf(call: RoleCall, tasksFrom: string | undefined, place: Place): readonly Item[] {
  const wanted = given(child(call.options, 'rolespec_validate'));
  if (wanted?.kind === 'scalar' && /^(?:false|no|off|0)$/i.test(wanted.raw)) return [];
  const entryPoint = (tasksFrom ?? 'main').replace(/\.(?:ya?ml|json)$/, '');
  const metas = ['argument_specs', 'main'].flatMap((name) =>
    endings.slice(1).map((ending) => join(place.role?.path ?? place.folder, 'meta', `${name}${ending}`)),
  );
  for (const path of metas) {
    if (firstFile([path]) === undefined) continue;
    const read = place.files.read(path, call.span);
    for (const problem of read.problems) place.report(problem);
    const spec = argumentSpecOf(given(child(given(read.node), 'argument_specs')), entryPoint);
    if (spec === undefined) continue;
    const title = `Validating arguments against arg spec '${entryPoint}'${spec.summary === undefined ? '' : ` - ${spec.summary}`}`;
    const name: Node = {kind: 'scalar', value: title, raw: title, style: 'double', span: call.span, tag: '!unsafe'};
    const task: Task = {
      item: 'task',
      name,
      span: call.span,
      spelled: 'validate_argument_spec',
      doing: {do: 'action', action: 'validate_argument_spec'},
      params: undefined,
      keywords: {...place.keywords, tags: [...new Set([...place.keywords.tags, 'always'])], notify: undefined},
      role: place.role,
      vars: place.vars,
      folder: place.folder,
      argumentSpec: spec,
    };
    return [task];
  }
  return [];
}

/** Handlers of a role belong to the play, once. */
function addHandlers(handlers: readonly Item[], mark: string, place: Place): void {
  const key = `handlers ${mark}`;
  if (handlers.length === 0 || place.play.ran.has(key)) return;
  place.play.ran.add(key);
  place.play.handlers.push(...handlers);
}

const endings = ['', '.yml', '.yaml', '.json'];

/** The file of a part; undefined if the role has none. *errors*: `missing-file` for one that was asked for. */
function fileOf(part: Part, asked: string | undefined, call: RoleCall, place: Place): string | undefined {
  const folder = join(place.role?.path ?? place.folder, part);
  const name = asked ?? 'main';
  const paths = endings.map((ending) => join(folder, `${name}${ending}`));
  const path = firstFile(asked === undefined ? paths.slice(1).concat(paths[0] ?? []) : paths);
  if (path === undefined && asked !== undefined && !asked.includes('{{')) {
    const span = child(call.options, `${part}_from`)?.span ?? call.span;
    place.report(
      error('missing-file', `the role ${call.name} has no ${part}/${asked}`, {
        span,
        help: `looked for ${place.files.shown(join(folder, asked))}.yml`,
      }),
    );
  }
  return path;
}

/** The files of a role's variables: `vars/main.yml`, or all files of the folder `vars/main`. */
function filesOf(part: Part, asked: string | undefined, call: RoleCall, place: Place): readonly string[] {
  const folder = join(place.role?.path ?? place.folder, part, asked ?? 'main');
  if (firstFolder([folder]) !== undefined) {
    return readdirSync(folder)
      .filter((name) => /\.(?:ya?ml|json)$/.test(name))
      .sort()
      .map((name) => join(folder, name));
  }
  const path = fileOf(part, asked, call, place);
  return path === undefined ? [] : [path];
}

function readPart(
  part: 'tasks' | 'handlers',
  asked: string | undefined,
  call: RoleCall,
  place: Place,
): readonly Item[] {
  const path = fileOf(part, asked, call, place);
  if (path === undefined) return [];
  const read = place.files.read(path, call.span);
  for (const problem of read.problems) place.report(problem);
  // handlers run on their own account: conditions, loops and tags of the role's caller are not theirs
  const keywords = part === 'handlers' ? {...place.keywords, when: [], notify: undefined, tags: []} : place.keywords;
  return place.readItems(read.node, {...place, keywords, folder: dirname(path), stack: [...place.stack, path]});
}

function layerOf(
  kind: 'role-defaults' | 'role-vars',
  part: 'defaults' | 'vars',
  asked: string | undefined,
  call: RoleCall,
  place: Place,
): VarsLayer {
  const values = new Map<string, Node>();
  for (const path of filesOf(part, asked, call, place)) {
    const read = place.files.read(path, call.span);
    for (const problem of read.problems) place.report(problem);
    const node = given(read.node);
    if (node !== undefined && node.kind !== 'map') {
      place.report(
        error('bad-vars-file', 'a file of variables must be a mapping of names to values', {span: node.span}),
      );
    }
    for (const [name, value] of variablesIn(node)) values.set(name, value);
  }
  return {kind, values};
}

function readDependencies(place: Place): readonly Item[] {
  const path = firstFile(
    endings.slice(1).map((ending) => join(place.role?.path ?? place.folder, 'meta', `main${ending}`)),
  );
  if (path === undefined) return [];
  const read = place.files.read(path);
  for (const problem of read.problems) place.report(problem);
  const meta = given(read.node);
  const list = given(child(meta, 'dependencies'));
  if (list !== undefined && list.kind !== 'list') {
    place.report(error('bad-keyword', 'dependencies: expected a list of roles', {span: list.span}));
    return [];
  }
  return (list?.items ?? []).flatMap((entry) => readRoleEntry(entry, place, true));
}

/** An entry below `roles:` or `dependencies:`: a name, or a mapping with `role:`, keywords and parameters. */
export function readRoleEntry(node: Node, place: Place, isDependency = false): readonly Item[] {
  const named = node.kind === 'map' ? given(child(node, 'role') ?? child(node, 'name') ?? child(node, 'src')) : node;
  const name = textOf(named);
  if (named === undefined || name === undefined || isTemplate(named)) {
    const help = 'use include_role, which may have a template';
    const problem: Diagnostic =
      named !== undefined && isTemplate(named)
        ? error('bad-role', 'the name of a role cannot be a template here', {span: named.span, help})
        : error('bad-role', 'expected the name of a role, or a mapping with `role:`', {span: node.span});
    place.report(problem);
    return [];
  }
  if (node.kind !== 'map') return once(node, {name, span: named.span, options: undefined, isDependency}, place);
  checkKeys(node, roleKeys, 'a role', place.report, () => true);
  const params = new Map([
    ...node.entries
      .filter(({key}) => !Object.hasOwn(roleKeys, key) && key !== 'src')
      .map(({key, value}) => [key, value] as const),
    ...variablesIn(child(node, 'vars')),
  ]);
  const keywords = keywordsOf(node, place.keywords);
  const layer: VarsLayer = {kind: 'role-params', values: params};
  return once(
    node,
    {name, span: named.span, options: node, isDependency, ...(params.size === 0 ? {} : {params: layer})},
    {...place, keywords},
  );
}

/** A role that was called in the same way before does not run again in the play. *source*: Ansible's `allow_duplicates`. */
function once(node: Node, call: RoleCall, place: Place): readonly Item[] {
  const {path} = findRole(call.name, place);
  const written =
    node.kind === 'map'
      ? node.entries
          .map((entry) => `${entry.key}=${textIn(entry.value)}`)
          .sort()
          .join('\n')
      : '';
  const key = `${path ?? call.name}\n${written.replace(/^(?:role|name)=.*$/gm, '')}`;
  const again = place.play.ran.has(key) && !place.stack.includes(`role:${path ?? ''}`);
  if (again && path !== undefined && !allowsDuplicates(path, place)) return [];
  place.play.ran.add(key);
  return readRole(call, place);
}

function textIn(node: Node): string {
  return node.span.source.text.slice(node.span.start, node.span.end);
}

function allowsDuplicates(path: string, place: Place): boolean {
  const meta = firstFile(endings.slice(1).map((ending) => join(path, 'meta', `main${ending}`)));
  if (meta === undefined) return false;
  const node = given(child(place.files.read(meta).node, 'allow_duplicates'));
  return node?.kind === 'scalar' && /^(?:true|yes|on|1)$/i.test(node.raw);
}
