// Playbooks call modules by several names; files have one. Everything here is known without importing a module.

/** Names of other modules that ours stand in for. A test holds this table to the `aliases` that the modules declare. */
const aliases: Readonly<Record<string, string>> = {
  systemd_service: 'systemd',
  yum: 'dnf',
  dnf5: 'dnf',
};

/** Collections whose modules ours stand in for, where we have one of that name. */
const collection =
  /^(?:ansible\.(?:builtin|legacy|posix|utils|netcommon)|community\.[a-z_]+|fedora\.linux_system_roles|containers\.[a-z_]+)\.(?=[a-z_]+$)/;

/** A module's name without its collection: `ansible.builtin.copy` → `copy`. */
export function withoutCollection(name: string): string {
  return name.replace(collection, '');
}

/** The name under which a module's file is found. */
export function canonicalName(name: string): string {
  const short = withoutCollection(name);
  return Object.hasOwn(aliases, short) ? (aliases[short] ?? short) : short;
}

/** Other names that lead to a module. */
export function aliasesOf(name: string): readonly string[] {
  return Object.keys(aliases).filter((alias) => aliases[alias] === name);
}
