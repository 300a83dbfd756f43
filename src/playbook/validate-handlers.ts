// Notifications and handlers of one play, judged when all of its tasks have been seen: roles that are included on the way bring handlers of their own.
import {error, warning} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {isTemplate, textOf} from './keywords.ts';
import type {Node} from './node.ts';
import type {Item, Play, Task} from './program.ts';

/** A notified name with its place. */
export type Notified = {readonly name: string; readonly node: Node};

/** The names that a handler's templated name may have; undefined where that is known only on the host. */
export type NamesOf = (handler: Task) => readonly string[] | undefined;

/** Gathers what a play's tasks notify. */
export class HandlerCheck {
  /** something is notified whose name is not known yet */
  unsure = false;
  /** an include could not be followed, and may bring handlers */
  incomplete = false;
  readonly #notified: Notified[] = [];
  readonly #mentioned = new Set<string>();

  notified(names: readonly Notified[]): void {
    this.#notified.push(...names);
  }

  /** Handlers of tasks that do not run here are not forgotten. */
  mention(name: string): void {
    this.#mentioned.add(name);
  }

  /** What is wrong. `quiet`: tasks that could not be read may have notified anything. */
  finish(play: Play, namesOf: NamesOf, quiet: boolean): readonly Diagnostic[] {
    const {names, open} = handlersOf(play, namesOf);
    const used = new Set<Task>();
    const problems: Diagnostic[] = [];
    const others = [...new Set(names.map(([each]) => each))];
    for (const {name, node} of this.#notified) {
      const found = names.filter(([each]) => each === name);
      for (const [, task] of found) used.add(task);
      if (found.length === 0 && !open && !this.incomplete) problems.push(unknownHandler(name, node, others));
    }
    if (quiet || open || this.unsure) return problems;
    for (const [name, task] of names) if (this.#mentioned.has(name)) used.add(task);
    for (const task of new Set(names.map(([, each]) => each))) {
      const name = textOf(task.name);
      if (used.has(task) || name === undefined) continue;
      problems.push(
        warning('unused-handler', `nothing notifies the handler "${name}"`, {span: task.name?.span ?? task.span}),
      );
    }
    return problems;
  }
}

function unknownHandler(name: string, node: Node, others: readonly string[]): Diagnostic {
  const near = nearestName(name, others);
  const listed = others
    .slice(0, 8)
    .map((other) => `"${other}"`)
    .join(', ');
  const help =
    near !== undefined
      ? `did you mean "${near}"?`
      : others.length === 0
        ? 'this play has no handlers'
        : `there are ${listed}${others.length > 8 ? ', …' : ''}`;
  return error('unknown-handler', `there is no handler "${name}"`, {span: node.span, help});
}

/** The names under which handlers can be notified. `open`: some are known only at run time. */
function handlersOf(play: Play, namesOf: NamesOf): {names: readonly (readonly [string, Task])[]; open: boolean} {
  const names: [string, Task][] = [];
  let open = false;
  const add = (task: Task, name: string): void => {
    names.push([name, task]);
    if (task.role !== undefined) names.push([`${task.role.name} : ${name}`, task]);
  };
  const look = (items: readonly Item[]): void => {
    for (const item of items) {
      if (item.item === 'include') open = true;
      else if (item.item === 'block') {
        const inside = [...item.block, ...item.rescue, ...item.always];
        look(inside);
        // an include is a handler under its own name
        const own = [textOf(item.name), ...item.keywords.listen];
        for (const task of inside.filter((each) => each.item === 'task'))
          for (const name of own) if (name !== undefined) names.push([name, task]);
      } else {
        const name = textOf(item.name);
        const given = isTemplate(item.name) ? namesOf(item) : name === undefined ? [] : [name];
        if (given === undefined) open = true;
        else for (const each of given) add(item, each);
        for (const topic of item.keywords.listen) names.push([topic, item]);
      }
    }
  };
  look(play.handlers);
  return {names, open};
}
