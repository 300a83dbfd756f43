// Where ours differs from real Jinja2 or Ansible on purpose. docs/template-differences.md explains each for users.

/** `ours` as the test tags values, or `{error: ''}`. */
export type Difference = {readonly ours: unknown; readonly because: string};

export const differences: ReadonlyMap<string, Difference> = new Map<string, Difference>([]);
