/**
 * Shell that sets `S` (what outlives a reboot) and `R` (what need not): root's below /var/lib and /run, an account's own in its home. Whether we are
 * root costs no program: `/` belongs to root.
 */
export const stateDirectories = `if [ -O / ]; then S=/var/lib/tsplay R=/run/tsplay
else S=\${HOME:?}/.local/state/tsplay R=\${HOME:?}/.local/state/tsplay; fi
`;

/** A name that is safe as a file's and a unit's. *errors*: throws on any other: ids are made by us. */
export function checkedId(id: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,100}$/.test(id)) throw new TypeError(`"${id}" cannot be an id`);
  return id;
}
