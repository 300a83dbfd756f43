// include_* and import_*: one meaning for both. What can be read now is read now and stands in the program as a block; what hangs on a value of the
// host, or on a condition that the included tasks themselves change, is read when its turn comes, by the same code.
import {dirname, isAbsolute, join, resolve} from 'node:path';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {isNonEmpty} from '../base/nonempty.ts';
import type {Result} from '../base/result.ts';
import {withoutCollection} from '../catalog/names.ts';
import {splitPieces} from './free-form.ts';
import {checkControl} from './control.ts';
import {given, isTemplate, keywordsOf, textOf} from './keywords.ts';
import {withVars} from './load-place.ts';
import type {Place} from './load-place.ts';
import {child} from './node.ts';
import type {Entry, MapNode, Node} from './node.ts';
import type {Block, Include, Item, Keywords} from './program.ts';
import {readRole} from './roles.ts';
import {soughtHelp} from './sought.ts';
import {spanWithin} from './scalar-place.ts';
import {firstFile} from './yaml-files.ts';

type Call = {readonly name: string; readonly entry: Entry; readonly params: Node | undefined};
type Given = {readonly map: MapNode; readonly call: Call; readonly keywords: Keywords};

/** Beyond this depth an include that comes back to itself will not end by itself. */
const deepest = 60;

/** Reads an include: as a block where everything is known, else as an Include. */
export function readInclude(included: Given, place: Place): readonly Item[] {
  const {map, call} = included;
  const kind = withoutCollection(call.name);
  if (kind === 'import_playbook') {
    place.report(error('misplaced', 'import_playbook stands among plays, not among tasks', {span: call.entry.keySpan}));
    return [];
  }
  const what = kind === 'include_role' || kind === 'import_role' ? 'role' : 'tasks';
  const target = targetOf(what, call, place);
  if (target === undefined) return [];
  const {loop} = included.keywords;
  const apply = given(child(call.params, 'apply'));
  let keywords: Keywords = {...included.keywords, loop: undefined, register: undefined};
  if (apply?.kind === 'map') keywords = keywordsOf(apply, keywords);
  const itsControl = given(child(apply, 'control'));
  if (itsControl !== undefined) checkControl(itsControl, place.report);
  const inside = withVars({...place, keywords}, map, 'include');
  const applied = apply?.kind === 'map' ? withVars(inside, apply, 'include') : inside;
  const name = given(child(map, 'name'));
  const options = call.params?.kind === 'map' ? call.params : undefined;
  const span = call.entry.keySpan;
  const shows = given(child(options, 'public'));
  const isPrivate = kind === 'include_role' && !(shows?.kind === 'scalar' && /^(?:true|yes|on|1)$/i.test(shows.raw));
  const read = (file: string, at: Place): readonly Item[] =>
    what === 'role'
      ? readRole({name: file, span: target.span, options, isPrivate}, at)
      : readTasksFile(file, target.span, at);

  const later = (condition: boolean): Include => {
    // conditions and loop are the include's own; the items inside do not repeat them
    const outer = condition ? {...keywords, when: place.keywords.when} : keywords;
    const dynamic: Place = {...applied, keywords: outer, conditional: true};
    return {
      item: 'include',
      span,
      what,
      file: target,
      name,
      keywords: {...keywords, loop},
      options,
      vars: applied.vars,
      role: place.role,
      folder: place.folder,
      load: (file) => collect(dynamic, (at) => read(file, at)),
    };
  };
  const file = textOf(target);
  if (loop !== undefined || isTemplate(target) || file === undefined) return [later(true)];
  if (place.conditional || keywords.when.length > place.keywords.when.length) {
    // a file that includes itself under a condition ends when the condition does
    const path = what === 'tasks' ? findTasks(file, place).path : undefined;
    if (path !== undefined && place.stack.includes(path)) return [later(true)];
  }
  const items = read(file, applied);
  if (
    keywords.when.length > place.keywords.when.length &&
    changesCondition(items, keywords.when.slice(place.keywords.when.length))
  )
    return [later(true)];
  const block: Block = {
    item: 'block',
    name,
    span,
    keywords,
    block: items,
    rescue: [],
    always: [],
    vars: applied.vars,
    role: place.role,
    folder: place.folder,
  };
  return [block];
}

/** Runs a part of the loader with problems of its own, while the play runs. */
function collect(place: Place, read: (at: Place) => readonly Item[]): Result<readonly Item[]> {
  const problems: Diagnostic[] = [];
  const items = read({...place, report: (problem) => problems.push(problem)});
  const errors = problems.filter((problem) => problem.severity === 'error');
  return isNonEmpty(errors) ? {ok: false, problems: errors} : {ok: true, value: items};
}

/** What is included: the text of `include_tasks: FILE`, or `file:`/`name:` of a mapping. */
function targetOf(what: 'tasks' | 'role', call: Call, place: Place): Node | undefined {
  const value = given(call.params);
  const key = what === 'tasks' ? 'file' : 'name';
  const node =
    value?.kind === 'map'
      ? given(child(value, key) ?? (what === 'tasks' ? child(value, '_raw_params') : child(value, 'role')))
      : value?.kind === 'scalar'
        ? firstWord(value, key)
        : undefined;
  if (node === undefined && value?.kind === 'map') {
    const near = value.entries.find((entry) => nearestName(entry.key, [key]) !== undefined);
    if (near !== undefined) {
      const help = `did you mean ${key}?`;
      place.report(
        error('unknown-param', `${call.name}: there is no parameter ${near.key}`, {span: near.keySpan, help}),
      );
      return undefined;
    }
  }
  if (node === undefined) {
    place.report(
      error('bad-include', `${call.name} names no ${what === 'tasks' ? 'file' : 'role'}`, {
        span: value?.span.start === value?.span.end ? call.entry.keySpan : (value?.span ?? call.entry.keySpan),
        help: what === 'tasks' ? `${call.name}: FILE.yml` : `${call.name}: {name: ROLE}`,
      }),
    );
  }
  return node;
}

/** `include_tasks: file.yml a=b`, `include_role: name=x`: the first word, without its `name=`. */
function firstWord(node: Node, key: string): Node {
  if (node.kind !== 'scalar' || typeof node.value !== 'string' || isTemplate(node)) return node;
  const [piece] = splitPieces(node.value);
  if (piece === undefined) return node;
  const start = node.value.startsWith(`${key}=`, piece.start) ? piece.start + key.length + 1 : piece.start;
  const text = node.value.slice(start, piece.end);
  return text === node.value
    ? node
    : {...node, style: 'plain', value: text, raw: text, span: spanWithin(node, start, piece.end)};
}

/** The file of tasks that a name means. *source*: Ansible's search for includes: beside the including file, the role's tasks, the playbook. */
export function findTasks(file: string, place: Place): {path: string | undefined; searched: readonly string[]} {
  if (isAbsolute(file)) return {path: firstFile([file]), searched: [file]};
  const folders = [
    place.folder,
    ...(place.role === undefined ? [] : [join(place.role.path, 'tasks'), place.role.path]),
    ...place.stack
      .filter((entry) => isAbsolute(entry))
      .map((entry) => dirname(entry))
      .toReversed(),
    join(place.play.folder, 'tasks'),
    place.play.folder,
  ];
  const searched = [...new Set(folders.map((folder) => resolve(folder, file)))];
  return {path: firstFile(searched), searched};
}

/** The tasks of a file. *errors*: `missing-file`, `include-cycle`, and everything in it. */
export function readTasksFile(file: string, span: Span, place: Place): readonly Item[] {
  const {path, searched} = findTasks(file, place);
  if (path === undefined) {
    place.report(missing(`there is no file ${file}`, span, searched, place.files.cwd));
    return [];
  }
  const again = place.stack.filter((entry) => entry === path).length;
  if (place.conditional ? again >= deepest : again > 0) {
    const way = [...place.stack.slice(place.stack.indexOf(path)), path].map((entry) => place.files.shown(entry));
    place.report(
      error('include-cycle', `${place.files.shown(path)} includes itself`, {
        span,
        help: `the way is ${way.join(' → ')}`,
      }),
    );
    return [];
  }
  const read = place.files.read(path, span);
  for (const problem of read.problems) place.report(problem);
  return place.readItems(read.node, {...place, folder: dirname(path), stack: [...place.stack, path]});
}

/** `missing-file`, with the places that were looked at. */
export function missing(message: string, span: Span, searched: readonly string[], cwd: string): Diagnostic {
  return error('missing-file', message, {span, help: soughtHelp(searched, cwd)});
}

/** Whether tasks set a variable that one of the conditions uses: then the condition must be judged once, before them. */
function changesCondition(items: readonly Item[], conditions: readonly Node[]): boolean {
  const words = new Set(
    conditions.flatMap((node) => (node.kind === 'scalar' ? ((textOf(node) ?? '').match(/[A-Za-z_]\w*/g) ?? []) : [])),
  );
  const changes = (item: Item): boolean => {
    if (item.item === 'include') return true;
    if (item.item === 'block') return [...item.block, ...item.rescue, ...item.always].some(changes);
    if (item.keywords.register !== undefined && words.has(item.keywords.register)) return true;
    if (item.doing.do !== 'action') return false;
    if (item.doing.action === 'include_vars') return true;
    return (
      item.doing.action === 'set_fact' &&
      (item.params?.kind !== 'map' || item.params.entries.some(({key}) => words.has(key)))
    );
  };
  return items.some(changes);
}
