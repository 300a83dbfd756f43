/**
 * Names one thing on a host whose state can be read or changed. Reads say which keys they depend on, ops which they
 * affect; from the two the engine knows what is stale and what may run in one exchange.
 * *shape*: `kind:name`, such as `file:/etc/motd`, `unit:ssh.service`, `account:uvmb`, `domain:debianx`, `device:/dev/vg/lv`.
 */
export type Key =
  `${'file' | 'unit' | 'package' | 'account' | 'group' | 'domain' | 'device' | 'port' | 'firewall' | 'tree' | 'raw'}:${string}`;

/** The key of the file at an absolute path. */
export function fileKey(path: string): Key {
  return `file:${path}`;
}

/** The unit's key; names without a suffix are services, as for systemctl. */
export function unitKey(name: string): Key {
  return `unit:${unitName(name)}`;
}

/** The full unit name: `ssh` is `ssh.service`. *source*: systemctl(1). */
export function unitName(name: string): string {
  return /\.(service|socket|timer|target|path|mount|automount|swap|slice|scope|device)$/.test(name)
    ? name
    : `${name}.service`;
}

/**
 * Whether a change of `changed` may alter what a read that depends on `dependency` gives.
 * Equal keys do; `tree:/etc` stands for everything below a folder, and a key ending in `:*` for every key of its kind.
 */
export function touches(changed: Key, dependency: Key): boolean {
  if (changed === dependency) return true;
  return covers(changed, dependency) || covers(dependency, changed);
}

function covers(wide: Key, narrow: Key): boolean {
  if (wide.endsWith(':*')) return narrow.startsWith(wide.slice(0, -1));
  if (!wide.startsWith('tree:')) return false;
  const folder = wide.slice('tree:'.length);
  const path = narrow.startsWith('file:') || narrow.startsWith('tree:') ? narrow.slice('file:'.length) : undefined;
  return path !== undefined && (path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`));
}
