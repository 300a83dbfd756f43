// Which tasks a run is about: --tags, --skip-tags, --start-at-task, and what the --list options show.
import {placeOf} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {error, warning} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {textOf} from './keywords.ts';
import type {Item, Play, Program, Task} from './program.ts';

/** What was asked for; empty `tags` mean all. */
export type Selection = {readonly tags: readonly string[]; readonly skipTags: readonly string[]};

/**
 * Whether something with these tags takes part. *source*: Ansible's tags: `always` takes part unless skipped, `never` only when one of its own tags
 * is asked for; `tagged`, `untagged` and `all` may be asked for and skipped.
 */
export function isSelected(tags: readonly string[], {tags: wanted, skipTags: skipped}: Selection): boolean {
  const own = new Set(tags.length === 0 ? ['untagged'] : tags);
  const asked = wanted.length === 0 ? ['all'] : wanted;
  const run =
    own.has('always') ||
    asked.some((tag) => own.has(tag)) ||
    (!own.has('never') && (asked.includes('all') || (asked.includes('tagged') && tags.length > 0)));
  if (!run) return false;
  if (skipped.includes('all')) return own.has('always') && !skipped.includes('always');
  return !skipped.some((tag) => own.has(tag)) && !(skipped.includes('tagged') && tags.length > 0);
}

const special = new Set(['all', 'always', 'never', 'tagged', 'untagged']);

/** Tags that were asked for and that nothing bears. */
export function strangeTags(program: Program, {tags, skipTags}: Selection): readonly Diagnostic[] {
  const all = new Set<string>();
  let open = false;
  for (const {item} of everyItem(program)) {
    for (const tag of item.keywords.tags) all.add(tag);
    // a file that is known only on the host may bring any tag
    if (item.item === 'include') open = true;
  }
  if (open || [...all].some((tag) => tag.includes('{{'))) return [];
  const report = (option: string, names: readonly string[]): Diagnostic[] =>
    names
      .filter((tag) => !special.has(tag) && !all.has(tag))
      .map((tag) => {
        const near = nearestName(tag, all);
        return warning('unknown-tag', `${option} ${tag}: no task has this tag`, {
          ...(near !== undefined
            ? {help: `did you mean ${near}?`}
            : all.size > 0
              ? {help: `there are ${[...all].sort().join(', ')}`}
              : {}),
        });
      });
  const strange = [...report('--tags', tags), ...report('--skip-tags', skipTags)];
  if (strange.length > 0 || (tags.length === 0 && skipTags.length === 0)) return strange;
  for (const {item, part} of everyItem(program)) {
    if (
      part === 'items' &&
      item.item === 'task' &&
      !isImplicit(item) &&
      isSelected(item.keywords.tags, {tags, skipTags})
    )
      return [];
  }
  return [warning('no-task-selected', '--tags and --skip-tags leave no task')];
}

/** Tags that can never do what they seem to: names with a meaning of their own, `never` beside `always`, `never` without a tag to ask for. */
export function oddTags(program: Program): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const look = (items: readonly Item[]): void => {
    for (const item of items) {
      const problem = oddTagsOf(item);
      if (problem !== undefined) problems.push(problem);
      else if (item.item === 'block') look([...item.block, ...item.rescue, ...item.always]);
    }
  };
  for (const {items} of program.plays) look(items);
  return problems;
}

function oddTagsOf(item: Item): Diagnostic | undefined {
  const {tags} = item.keywords;
  const reserved = tags.find((tag) => tag === 'all' || tag === 'tagged' || tag === 'untagged');
  const {span} = item;
  if (reserved !== undefined)
    return warning('reserved-tag', `"${reserved}" as a tag of its own: --tags ${reserved} means more than this`, {
      span,
    });
  if (!tags.includes('never')) return undefined;
  if (tags.includes('always'))
    return warning('unreachable-tag', 'never beside always: this runs every time', {span, help: 'keep one of them'});
  const inside = item.item === 'block' && [...item.block, ...item.rescue, ...item.always].some(hasOwnTag);
  return tags.length > 1 || inside || item.item === 'include'
    ? undefined
    : warning('unreachable-tag', 'no tag of its own beside never: only --tags never reaches this', {
        span,
        help: 'tags: [never, NAME], and ask for it by --tags NAME',
      });
}

function hasOwnTag(item: Item): boolean {
  if (item.keywords.tags.some((tag) => !special.has(tag))) return true;
  return (
    item.item === 'include' ||
    (item.item === 'block' && [...item.block, ...item.rescue, ...item.always].some(hasOwnTag))
  );
}

/** An item with where it belongs. */
export type Listed = {
  readonly play: Play;
  readonly item: Item;
  readonly depth: number;
  readonly part: 'items' | 'handlers';
};

/** Every item of a program in the order in which it stands; what is included statically is among it. `into`: also those of includes that can be read now. */
export function* everyItem(program: Program, into = false): Generator<Listed> {
  for (const play of program.plays) {
    for (const item of play.items) yield* below(play, item, 0, 'items', into);
    for (const item of [...play.handlers]) yield* below(play, item, 0, 'handlers', into);
  }
}

function* below(
  play: Play,
  item: Item,
  depth: number,
  part: Listed['part'],
  into: boolean,
  seen = 0,
): Generator<Listed> {
  yield {play, item, depth, part};
  if (item.item === 'block') {
    for (const inner of [...item.block, ...item.rescue, ...item.always])
      yield* below(play, inner, depth + 1, part, into, seen);
  } else if (into && item.item === 'include' && seen < 8) {
    const name = textOf(item.file);
    if (name === undefined || name.includes('{{')) return;
    const loaded = item.load(name);
    for (const inner of loaded.ok ? loaded.value : []) yield* below(play, inner, depth + 1, part, into, seen + 1);
  }
}

/** How a task is called in lists: its name, or its module. */
export function titleOf(task: Task): string {
  const name = textOf(task.name) ?? '';
  const own = name === '' ? task.spelled : name;
  return task.role === undefined ? own : `${task.role.name} : ${own}`;
}

export type ListedTask = {readonly title: string; readonly tags: readonly string[]; readonly at: string};
export type ListedPlay = {
  readonly name: string;
  readonly at: string;
  readonly tasks: readonly ListedTask[];
  readonly tags: readonly string[];
};

/** What `--list-tasks` and `--list-tags` show: the selected tasks of each play, and all tags there are. */
export function listPlays(program: Program, selection: Selection): readonly ListedPlay[] {
  return program.plays.map((play) => {
    const tags = new Set<string>();
    const tasks: ListedTask[] = [];
    for (const item of play.items) {
      for (const {item: each} of below(play, item, 0, 'items', true)) {
        if (each.item === 'task' && isImplicit(each)) continue;
        for (const tag of each.keywords.tags) tags.add(tag);
        if (each.item === 'block') continue;
        if (!isSelected(each.keywords.tags, selection)) continue;
        const title = each.item === 'task' ? titleOf(each) : `include_${each.what}: ${textOf(each.file) ?? ''}`;
        tasks.push({title, tags: each.keywords.tags, at: placeOf(each.span)});
      }
    }
    return {name: play.name, at: placeOf(play.span), tasks, tags: [...tags].filter((tag) => tag !== '').sort()};
  });
}

/** A task that nobody wrote: handlers flushed between the sections of a play. */
export function isImplicit(task: Task): boolean {
  return task.spelled === 'flush_handlers';
}

/**
 * The program from a task on (`--start-at-task`): everything before it is left out, handlers stay. The name may be a glob, and may be that of a task in an
 * include, which then becomes part of the program. *errors*: `no-such-task`, with the nearest name.
 */
export function startAt(program: Program, name: string): {program: Program; problem?: Diagnostic} {
  const matches = matcherOf(name);
  let begun = false;
  const found = (): boolean => begun;
  const cut = (items: readonly Item[], seen: number): readonly Item[] =>
    items.flatMap((item): readonly Item[] => {
      if (found()) return [item];
      if (item.item === 'task') {
        begun = matches(item);
        return begun ? [item] : [];
      }
      if (item.item === 'block') {
        const block = cut(item.block, seen);
        const rescue = found() ? item.rescue : cut(item.rescue, seen);
        const always = found() ? item.always : cut(item.always, seen);
        return found() ? [{...item, block, rescue, always}] : [];
      }
      const file = textOf(item.file);
      if (item.keywords.loop !== undefined || file === undefined || file.includes('{{') || seen > 8) return [];
      const loaded = item.load(file);
      const inner = loaded.ok ? cut(loaded.value, seen + 1) : [];
      // the rest of the include runs under the include's own conditions
      return found() ? [{...item, load: () => ({ok: true, value: inner})}] : [];
    });
  const plays = program.plays.flatMap((play) => (found() ? [play] : [{...play, items: cut(play.items, 0)}]));
  if (found()) return {program: {...program, plays: plays.filter((play) => play.items.length > 0)}};
  const titles = [...everyItem(program, true)].flatMap(({item}) =>
    item.item === 'task' && !isImplicit(item) ? [textOf(item.name) ?? item.spelled] : [],
  );
  const near = nearestName(name, titles);
  const problem = error(
    'no-such-task',
    `--start-at-task: no task is called "${name}"`,
    near === undefined ? {} : {help: `did you mean "${near}"?`},
  );
  return {program, problem};
}

function matcherOf(name: string): (task: Task) => boolean {
  const pattern = name
    .split(/([*?])/)
    .map((piece) => (piece === '*' ? '.*' : piece === '?' ? '.' : piece.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')))
    .join('');
  const expression = new RegExp(`^${pattern}$`, 's');
  return (task) => {
    if (isImplicit(task)) return false;
    const own = textOf(task.name) ?? task.spelled;
    return own === name || expression.test(own) || expression.test(titleOf(task)) || titleOf(task) === name;
  };
}
