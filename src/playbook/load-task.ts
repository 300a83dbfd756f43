// Tasks and blocks: which key is the module, what belongs to the language, what surrounds it.
import {error} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {canonicalParam} from '../catalog/bind.ts';
import {includeNames} from '../catalog/catalog.ts';
import type {Found} from '../catalog/catalog.ts';
import {isElsewhere} from '../catalog/elsewhere.ts';
import {withoutCollection} from '../catalog/names.ts';
import {blockKeys, taskKeys} from './keyword-table.ts';
import {given, keywordsOf, textOf} from './keywords.ts';
import {readInclude} from './includes.ts';
import {readLoop} from './load-loop.ts';
import {readParameters} from './load-params.ts';
import {checkKeys, layered, unknownKey, warnUnsupported, withVars} from './load-place.ts';
import type {Place} from './load-place.ts';
import {child} from './node.ts';
import type {Entry, MapNode, Node} from './node.ts';
import type {Block, Doing, Item, Task} from './program.ts';

/** Reads a list of tasks and blocks. What is wrong is reported and left out, so that the rest is looked at in the same run. */
export function readItems(node: Node | undefined, place: Place): readonly Item[] {
  const list = given(node);
  if (list === undefined) return [];
  if (list.kind !== 'list') {
    place.report(
      error('bad-tasks', 'expected a list of tasks', {
        span: list.span,
        help: 'each task begins with a dash: `- name: …`',
      }),
    );
    return [];
  }
  return list.items.flatMap((item) => readItem(item, place));
}

function readItem(node: Node, place: Place): readonly Item[] {
  if (given(node) === undefined) {
    const {start, source} = node.span;
    // an empty value begins behind its dash
    const dash = source.text.lastIndexOf('-', start);
    place.report(
      error('bad-task', 'nothing follows this dash', {
        span: node.span.end > start || dash < 0 ? node.span : {source, start: dash, end: dash + 1},
        help: 'remove it, or write a task behind it',
      }),
    );
    return [];
  }
  if (node.kind !== 'map') {
    const name = node.kind === 'scalar' ? textOf(node) : undefined;
    const known = name !== undefined && place.catalog.canonical(name) !== undefined;
    place.report(
      error('bad-task', 'a task is a mapping', {
        span: node.span,
        help: known ? `- ${name}:` : 'write it as `- name: …` with the module below',
      }),
    );
    return [];
  }
  if (node.entries.some(({key}) => key === 'block')) return [readBlock(node, place)];
  const stray = node.entries.find(({key}) => key === 'rescue' || key === 'always');
  if (stray !== undefined) {
    place.report(
      error('block-missing', `${stray.key} belongs to a block, and there is none here`, {span: stray.keySpan}),
    );
    return [];
  }
  return readTask(node, place);
}

function readBlock(map: MapNode, place: Place): Block {
  checkKeys(map, blockKeys, 'a block', (problem) => {
    const key = keyOf(map, problem);
    const isLoop = key === 'loop' || key?.startsWith('with_') === true;
    place.report(
      isLoop
        ? {...problem, help: 'put its tasks into a file, and loop over `include_tasks`'}
        : key !== undefined && Object.hasOwn(taskKeys, key)
          ? {...problem, help: `${key} belongs to the tasks inside`}
          : problem,
    );
  });
  warnUnsupported(map, place.report);
  const keywords = keywordsOf(map, place.keywords);
  const inside = withVars({...place, keywords}, map, 'block');
  const part = (key: string): readonly Item[] => place.readItems(child(map, key), inside);
  return {
    item: 'block',
    name: given(child(map, 'name')),
    span: map.entries.find(({key}) => key === 'block')?.keySpan ?? map.span,
    keywords,
    block: part('block'),
    rescue: part('rescue'),
    always: part('always'),
    vars: inside.vars,
    role: place.role,
    folder: place.folder,
  };
}

/** What a task calls: the name as it is spelled, where it stands, and its parameters. */
type Call = {
  readonly name: string;
  readonly entry: Entry;
  readonly params: Node | undefined;
  readonly local: boolean;
  /** a module that others have and we do not */
  readonly missing?: true;
};

function readTask(map: MapNode, place: Place): readonly Item[] {
  const call = callOf(map, place);
  const isInclude = call !== undefined && includeNames.has(withoutCollection(call.name));
  const meant = call === undefined || given(call.params) !== undefined ? undefined : place.catalog.find(call.name);
  const report = (problem: Diagnostic): void => {
    const key = keyOf(map, problem);
    const outside = key !== undefined && meant?.ok === true && isParameter(meant.value, key);
    place.report(
      outside
        ? {...problem, help: `${key} is a parameter of ${call?.name ?? ''}: indent it below the module's line`}
        : problem,
    );
  };
  checkKeys(map, taskKeys, 'a task', isInclude || call !== undefined ? report : (): void => undefined, (key) => {
    return (
      key === call?.entry.key ||
      /^with_[a-z]/.test(key) ||
      (!Object.hasOwn(taskKeys, key) && (call === undefined || isKnown(key, place)))
    );
  });
  if (call === undefined) return [];
  warnUnsupported(map, place.report);
  const loop = readLoop(map, place.report);
  const own = keywordsOf(map, place.keywords);
  const local: Node = {kind: 'scalar', value: 'localhost', raw: 'localhost', style: 'plain', span: call.entry.keySpan};
  const keywords = {...own, loop, ...(call.local ? {delegateTo: local} : {})};
  if (isInclude) return readInclude({map, call, keywords}, place);

  const found = call.missing === true ? undefined : place.catalog.find(call.name);
  if (found === undefined && call.missing !== true) return [];
  if (found?.ok === false) {
    for (const problem of found.problems) place.report(problem);
    return [];
  }
  const inside = withVars(place, map, 'task');
  const task: Task = {
    item: 'task',
    name: given(child(map, 'name')),
    span: call.entry.keySpan,
    spelled: call.name,
    doing: found === undefined ? {do: 'missing', name: call.name} : doingOf(found.value),
    params: found === undefined ? undefined : readParameters(found.value, call.params, map, inside),
    keywords,
    role: place.role,
    vars: inside.vars === place.vars ? layered(place) : inside.vars,
    folder: place.folder,
  };
  return [task];
}

/** The unknown key that a problem is about. */
function keyOf(map: MapNode, {code, span}: Diagnostic): string | undefined {
  return code === 'unknown-key' ? map.entries.find(({keySpan}) => keySpan.start === span?.start)?.key : undefined;
}

function isParameter(found: Found, key: string): boolean {
  const {params} = found.found === 'module' ? found.module : found.action;
  return Object.hasOwn(params, canonicalParam(params, key));
}

function doingOf(found: Found): Doing {
  return found.found === 'module' ? {do: 'module', module: found.module} : {do: 'action', action: found.action.name};
}

/** Finds the module key. *errors*: `no-module`, `two-modules`, `unknown-module`, `unknown-key`. */
function callOf(map: MapNode, place: Place): Call | undefined {
  const action = map.entries.find(({key}) => key === 'action' || key === 'local_action');
  const others = map.entries.filter(({key}) => !Object.hasOwn(taskKeys, key) && !/^with_[a-z]/.test(key));
  const known = others.filter(({key}) => isKnown(key, place));
  if (action !== undefined) {
    for (const {key, keySpan} of known) place.report(twoModules(action.key, key, keySpan));
    for (const {key, keySpan} of others)
      if (!isKnown(key, place)) place.report(unknownKey(key, keySpan, Object.keys(taskKeys), 'a task'));
    return callOfAction(action, place);
  }
  const [entry, second] = known;
  if (entry !== undefined) {
    if (second !== undefined) place.report(twoModules(entry.key, second.key, second.keySpan));
    const params = entry.value;
    return {name: entry.key, entry: {...entry, key: entry.key}, params, local: false};
  }
  if (others.length === 0) {
    const name = map.entries.find(({key}) => key === 'name') ?? map.entries[0];
    place.report(
      error('no-module', 'this task says nothing to do: it names no module', {
        span: name?.keySpan ?? map.span,
        help: 'add a module, such as `copy:` or `command:`',
      }),
    );
    return undefined;
  }
  // of several unknown keys, those that look like a misspelt keyword are that; the others are meant as the module
  const misspelt = others.filter(({key}) => others.length > 1 && nearestName(key, Object.keys(taskKeys)) !== undefined);
  for (const {key, keySpan} of others) {
    if (misspelt.some((m) => m.key === key)) place.report(unknownKey(key, keySpan, Object.keys(taskKeys), 'a task'));
    else if (!isElsewhere(key, place.catalog)) place.report(unknownModule(key, keySpan, place));
  }
  const elsewhere = others.find(({key}) => isElsewhere(key, place.catalog));
  return elsewhere === undefined ? undefined : missing(elsewhere.key, elsewhere, false);
}

function missing(name: string, entry: Entry, local: boolean): Call {
  return {name, entry, params: undefined, local, missing: true};
}

function isKnown(key: string, place: Place): boolean {
  return includeNames.has(withoutCollection(key)) || place.catalog.canonical(key) !== undefined;
}

function callOfAction(entry: Entry, place: Place): Call | undefined {
  const local = entry.key === 'local_action';
  const {value} = entry;
  const refuse = (problem: Diagnostic): undefined => {
    place.report(problem);
    return undefined;
  };
  if (value.kind === 'map') {
    const name = textOf(child(value, 'module'));
    if (name === undefined) {
      return refuse(
        error('no-module', `${entry.key} names no module`, {
          span: entry.keySpan,
          help: `${entry.key}: {module: copy, …}`,
        }),
      );
    }
    if (!isKnown(name, place))
      return isElsewhere(name, place.catalog)
        ? missing(name, entry, local)
        : refuse(unknownModule(name, child(value, 'module')?.span ?? value.span, place));
    const entries = value.entries.filter(({key}) => key !== 'module');
    return {name, entry, params: {...value, entries}, local};
  }
  const text = value.kind === 'scalar' && typeof value.value === 'string' ? value.value : '';
  const name = /^\s*(\S+)/.exec(text)?.[1];
  if (value.kind !== 'scalar' || name === undefined)
    return refuse(
      error('no-module', `${entry.key} names no module`, {
        span: entry.keySpan,
        help: `${entry.key}: copy src=a dest=/b`,
      }),
    );
  if (!isKnown(name, place))
    return isElsewhere(name, place.catalog)
      ? missing(name, entry, local)
      : refuse(unknownModule(name, value.span, place));
  const at = text.indexOf(name) + name.length;
  const rest = text.slice(at).trimStart();
  const offset = text.length - rest.length;
  const params: Node | undefined =
    rest === ''
      ? undefined
      : {
          kind: 'scalar',
          value: rest,
          raw: rest,
          style: 'plain',
          span: {
            source: value.span.source,
            start: value.span.start + (value.style === 'plain' ? offset : offset + 1),
            end: value.span.end,
          },
        };
  return {name, entry, params, local};
}

function twoModules(first: string, second: string, span: Diagnostic['span']): Diagnostic {
  return error('two-modules', `${second} beside ${first}: a task names one module`, {
    ...(span && {span}),
    help: 'make two tasks of it, or indent what belongs to the first module',
  });
}

function unknownModule(name: string, span: Diagnostic['span'], place: Place): Diagnostic {
  const near =
    place.catalog.nearest(name) ??
    nearestName(name, [...Object.keys(taskKeys), ...Object.keys(blockKeys), ...includeNames]);
  return error('unknown-module', `there is no module ${name}`, {
    ...(span && {span}),
    help: near === undefined ? '`tsplay doc` lists the modules' : `did you mean ${near}?`,
  });
}
