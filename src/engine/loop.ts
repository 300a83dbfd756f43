import {valueOr} from './known.ts';
import {ok, type Result} from '../base/result.ts';
import {Unknown} from '../base/unknown.ts';
import type {Loop} from '../playbook/program.ts';
import type {Scope} from '../playbook/scope.ts';
import {loopItems} from '../playbook/lookups.ts';
import type {TaskScope} from '../playbook/scope-task.ts';

/** One round of a loop: the variables it sets, the element, and what stands for it in reports. */
export type Element = {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly item: unknown;
  readonly label: unknown;
};

/** The rounds of a loop, in order. *errors*: a located problem when the source is no list. An Unknown list gives an Unknown value. */
export function loopElements(loop: Loop, scope: Scope): Result<readonly Element[]> {
  const items = loopItems(scope as TaskScope, loop);
  if (!items.ok) return items;
  if (items.value instanceof Unknown) return ok(items.value as unknown as readonly Element[]);
  const list: readonly unknown[] = items.value;
  return ok(
    list.map((item, index) => {
      const variables: Record<string, unknown> = {[loop.loopVar]: item};
      if (loop.indexVar !== undefined) {
        variables[loop.indexVar] = index;
        variables['ansible_index_var'] = loop.indexVar;
      }
      variables['ansible_loop_var'] = loop.loopVar;
      if (loop.extended) variables['ansible_loop'] = extended(list, index, loop.allItems);
      const label: unknown =
        loop.label === undefined ? item : valueOr(scope.with(variables).evaluate(loop.label), item);
      return {variables, item, label};
    }),
  );
}

/** *source*: Ansible's `loop_control: extended`. */
function extended(list: readonly unknown[], index: number, allItems: boolean): Record<string, unknown> {
  return {
    ...(allItems ? {allitems: list} : {}),
    index: index + 1,
    index0: index,
    revindex: list.length - index,
    revindex0: list.length - index - 1,
    first: index === 0,
    last: index === list.length - 1,
    length: list.length,
    ...(index > 0 ? {previtem: list[index - 1]} : {}),
    ...(index < list.length - 1 ? {nextitem: list[index + 1]} : {}),
  };
}
