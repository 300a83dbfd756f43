// One play: its keywords, its sections with the handlers flushed in between, its roles.
import {join} from 'node:path';
import {error, warning} from '../base/diagnostic.ts';
import type {Span} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {playKeys} from './keyword-table.ts';
import {given, isTemplate, keywordsOf, listOf, textOf, variablesIn} from './keywords.ts';
import {checkKeys, keepList, unknownKey, warnUnsupported} from './load-place.ts';
import type {Place, PlayDraft} from './load-place.ts';
import {child} from './node.ts';
import type {MapNode, Node} from './node.ts';
import type {Item, Keywords, Play, Task, VarsLayer, VarsPrompt} from './program.ts';
import {readRoleEntry} from './roles.ts';

const strategies = ['free', 'linear', 'host_pinned', 'debug'] as const;
const orders = ['inventory', 'reverse_inventory', 'sorted', 'reverse_sorted', 'shuffle'] as const;

/** What an `import_playbook` around a play adds to it. */
export type Around = {
  readonly keywords: Keywords;
  readonly vars: ReadonlyMap<string, Node>;
  readonly layer: VarsLayer | undefined;
};

/** Reads a play. `place` has the playbook's folder and an empty draft. */
export function readPlay(map: MapNode, place: Place, around: Around): Play {
  const {play, report} = place;
  checkKeys(map, playKeys, 'a play', report);
  warnUnsupported(map, report);
  const get = (key: string): Node | undefined => given(child(map, key));
  const hosts = hostsOf(map, place);
  const keywords = keywordsOf(map, around.keywords);
  const inside: Place = {
    ...place,
    keywords,
    catalog: place.catalog.with([join(play.folder, 'modules')]),
    moduleDefaults: get('module_defaults') === undefined ? [] : [child(map, 'module_defaults')!],
    vars: around.layer === undefined ? keepList(play, []) : keepList(play, [around.layer]),
  };
  // roles first: their variables are seen by every task of the play
  const roles = rolesOf(get('roles'), inside);
  const preTasks = inside.readItems(get('pre_tasks'), inside);
  const tasks = inside.readItems(get('tasks'), inside);
  const postTasks = inside.readItems(get('post_tasks'), inside);
  const handlers = inside.readItems(get('handlers'), {...inside, keywords: {...keywords, tags: []}});
  play.handlers.push(...handlers);
  finish(play);
  const flush = (): readonly Item[] => [flushTask(map, inside)];
  const sections = [preTasks, [...roles, ...tasks], postTasks];
  const filled = sections.filter((section) => section.length > 0);
  const flushes = play.handlers.length > 0 || sections.flat().some(mayAddHandlers);
  return {
    name: textOf(get('name')) ?? textIn(hosts),
    span: map.entries.find(({key}) => key === 'hosts')?.keySpan ?? map.span,
    hosts,
    keywords,
    gatherFacts: truthOf(get('gather_facts')),
    serial: get('serial'),
    strategy: choiceOf(get('strategy'), strategies, 'strategy', place),
    order: choiceOf(get('order'), orders, 'order', place),
    forceHandlers: get('force_handlers'),
    maxFailPercentage: get('max_fail_percentage'),
    vars: new Map([...around.vars, ...playVars(get('vars'), place)]),
    varsPrompt: promptsOf(get('vars_prompt'), place),
    varsFiles: listOf(get('vars_files')).filter(({kind}) => kind !== 'map'),
    items: flushes ? filled.flatMap((section) => [...section, ...flush()]) : filled.flat(),
    handlers: play.handlers,
    folder: play.folder,
  };
}

function hostsOf(map: MapNode, place: Place): Node {
  const hosts = given(child(map, 'hosts'));
  const nothing: Node = {kind: 'list', items: [], span: map.span};
  if (hosts === undefined) {
    const entry = map.entries.find(({key}) => key === 'hosts');
    const first = map.entries[0];
    place.report(
      error('no-hosts', 'this play does not say for which hosts it is', {
        span: entry?.keySpan ?? first?.keySpan ?? map.span,
        help: 'hosts: all',
      }),
    );
    return nothing;
  }
  if (hosts.kind === 'map' || (hosts.kind === 'list' && hosts.items.some((item) => item.kind !== 'scalar'))) {
    place.report(error('bad-keyword', 'hosts: expected a pattern or a list of patterns', {span: hosts.span}));
    return nothing;
  }
  if (hosts.kind === 'list' && hosts.items.length === 0)
    place.report(error('no-hosts', 'this play is for no hosts', {span: hosts.span, help: 'hosts: all'}));
  return hosts;
}

function rolesOf(node: Node | undefined, place: Place): readonly Item[] {
  return node?.kind === 'list'
    ? node.items.flatMap((entry) => (given(entry) === undefined ? [] : readRoleEntry(entry, place)))
    : [];
}

function playVars(node: Node | undefined, place: Place): ReadonlyMap<string, Node> {
  const values = variablesIn(node);
  for (const map of listOf(node)) {
    for (const entry of map.kind === 'map' ? map.entries : []) {
      if (!/^[A-Za-z_]\w*$/.test(entry.key)) {
        place.report(
          warning('bad-variable-name', `"${entry.key}" cannot be used as a variable`, {
            span: entry.keySpan,
            help: 'names consist of letters, digits and _, and do not begin with a digit',
          }),
        );
      }
    }
  }
  return values;
}

/** Puts the roles' variables in front of all tasks' own, and keeps the draft for what is loaded during the run. */
function finish(play: PlayDraft): void {
  for (const list of play.layerLists) list.unshift(...play.exposed);
  play.layerLists.clear();
  play.finished = true;
}

/** A task that runs notified handlers at the end of a section. */
function flushTask(map: MapNode, place: Place): Task {
  const span: Span = map.entries.find(({key}) => key === 'hosts')?.keySpan ?? map.span;
  const value: Node = {kind: 'scalar', value: 'flush_handlers', raw: 'flush_handlers', style: 'plain', span};
  return {
    item: 'task',
    name: undefined,
    span,
    spelled: 'flush_handlers',
    doing: {do: 'action', action: 'meta'},
    params: {kind: 'map', entries: [{key: 'do', keySpan: span, value}], span},
    keywords: {
      ...place.keywords,
      when: [],
      tags: ['always'],
      runOnce: undefined,
      delegateTo: undefined,
      throttle: undefined,
      anyErrorsFatal: undefined,
    },
    role: undefined,
    vars: place.vars,
    folder: place.folder,
  };
}

/** Whether an include may bring handlers with it. */
function mayAddHandlers(item: Item): boolean {
  if (item.item === 'block') return [...item.block, ...item.rescue, ...item.always].some(mayAddHandlers);
  return item.item === 'include';
}

function promptsOf(node: Node | undefined, place: Place): readonly VarsPrompt[] {
  if (node === undefined) return [];
  const keys = new Set(['name', 'prompt', 'private', 'default', 'confirm', 'encrypt', 'salt', 'salt_size', 'unsafe']);
  return listOf(node).flatMap((entry) => {
    const name = textOf(given(child(entry, 'name')));
    if (entry.kind !== 'map' || name === undefined) {
      place.report(
        error('bad-keyword', 'vars_prompt: expected mappings with a name', {
          span: entry.span,
          help: 'vars_prompt: [{name: answer, prompt: "Which one?"}]',
        }),
      );
      return [];
    }
    for (const {key, keySpan} of entry.entries)
      if (!keys.has(key)) place.report(unknownKey(key, keySpan, keys, 'vars_prompt'));
    const prompt: VarsPrompt = {
      name,
      prompt: textOf(given(child(entry, 'prompt'))) ?? name,
      isPrivate: truthOf(given(child(entry, 'private'))) ?? true,
      default: given(child(entry, 'default')),
      confirm: truthOf(given(child(entry, 'confirm'))) ?? false,
      encrypt: textOf(given(child(entry, 'encrypt'))),
      salt: textOf(given(child(entry, 'salt'))),
      saltSize: Number(textOf(given(child(entry, 'salt_size')))) || undefined,
      span: entry.span,
    };
    return [prompt];
  });
}

function truthOf(node: Node | undefined): boolean | undefined {
  if (node?.kind !== 'scalar' || isTemplate(node)) return undefined;
  if (/^(?:true|yes|on|1|y|t)$/i.test(node.raw)) return true;
  return /^(?:false|no|off|0|n|f)$/i.test(node.raw) ? false : undefined;
}

function choiceOf<T extends string>(
  node: Node | undefined,
  values: readonly T[],
  key: string,
  place: Place,
): T | undefined {
  const text = textOf(node);
  if (node === undefined || text === undefined || isTemplate(node)) return undefined;
  const short = text.split('.').at(-1);
  const found = values.find((value) => value === short);
  if (found === undefined) {
    const near = nearestName(text, values);
    place.report(
      error('bad-keyword', `${key}: expected one of ${values.join(', ')}`, {
        span: node.span,
        ...(near === undefined ? {} : {help: `did you mean ${near}?`}),
      }),
    );
  }
  return found;
}

function textIn(node: Node): string {
  return listOf(node)
    .map((item) => textOf(item) ?? '')
    .join(',');
}
