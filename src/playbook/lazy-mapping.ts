// `hostvars` has an entry for each host, and each of them hundreds of variables; a template uses two. So these mappings compute a value when it
// is asked for, and look like plain objects to everything that reads own properties.

/** A mapping whose keys are known and whose values are computed on use, each at most once. */
export function lazyMapping(
  keys: () => Iterable<string>,
  valueOf: (key: string) => unknown,
  has?: (key: string) => boolean,
): Record<string, unknown> {
  const computed = new Map<string, unknown>();
  const get = (key: string): unknown => {
    if (!computed.has(key)) computed.set(key, valueOf(key));
    return computed.get(key);
  };
  let known: ReadonlySet<string> | undefined;
  const all = (): ReadonlySet<string> => (known ??= new Set(keys()));
  const owns = has ?? ((key: string): boolean => all().has(key));
  return new Proxy<Record<string, unknown>>(
    {},
    {
      get: (_, key) => (typeof key === 'string' && owns(key) ? get(key) : undefined),
      has: (_, key) => typeof key === 'string' && owns(key),
      ownKeys: () => [...all()],
      getOwnPropertyDescriptor: (_, key) =>
        typeof key === 'string' && owns(key) ? {configurable: true, enumerable: true, get: () => get(key)} : undefined,
      set: () => false,
      defineProperty: () => false,
      deleteProperty: () => false,
    },
  );
}
