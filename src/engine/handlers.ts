import type {Item} from '../playbook/program.ts';

/** A handler as it is notified: what runs, and the names it answers to. */
export type Handler = {
  readonly item: Item;
  /** by which it is notified alone; of several handlers with a name one answers */
  readonly names: readonly string[];
  /** topics that it listens to; all listeners of a topic answer */
  readonly listens: readonly string[];
  /** the list that it stands in: the play's own, or a role's */
  readonly group: string;
};

/**
 * Handlers in the order in which they run: those of an imported file one by one, an include under its own name as one.
 * `nameOf` gives an item's rendered name.
 */
export function handlersOf(items: readonly Item[], nameOf: (item: Item) => string): readonly Handler[] {
  return items.flatMap((item): readonly Handler[] => {
    const name = nameOf(item);
    const isPlain = item.item === 'block' && item.rescue.length === 0 && item.always.length === 0;
    if (isPlain && name === '' && item.keywords.listen.length === 0) return handlersOf(item.block, nameOf);
    const inside = item.item === 'block' ? handlersOf(item.block, nameOf) : [];
    const names = name === '' ? [] : item.role === undefined ? [name] : [name, `${item.role.name} : ${name}`];
    const listens = item.keywords.listen;
    const group = item.role?.path ?? '';
    if (name !== '' && inside.length > 0) return [{item, names, listens, group}, ...inside];
    return [
      {
        item,
        names: [...names, ...inside.flatMap((one) => one.names)],
        listens: [...listens, ...inside.flatMap((one) => one.listens)],
        group,
      },
    ];
  });
}

/** The handlers that a name means: the first of that name in the list that was read last, and all that listen to it. */
export function handlersFor(name: string, handlers: readonly Handler[]): readonly Handler[] {
  const named = handlers.filter((handler) => handler.names.includes(name));
  const group = named.at(-1)?.group;
  const first = named.find((handler) => handler.group === group);
  return handlers.filter((handler) => handler === first || handler.listens.includes(name));
}
