// Which of several values of one variable counts. Ansible's order, once, in one table; docs/variables.md shows the same table to users.

/** Where a variable's value may come from, from the weakest to the strongest. *source*: Ansible's documentation, "Understanding variable precedence". */
export const precedence = [
  {
    level: 'connection',
    title: 'what the connection itself says (`ansible_host` = the name in the inventory, `ansible_user`, …)',
  },
  {level: 'role-defaults', title: "a role's `defaults/main.yml`"},
  {level: 'inventory-all', title: 'inventory file: variables of the group `all`'},
  {level: 'inventory-group', title: 'inventory file: variables of other groups'},
  {level: 'inventory-group_vars-all', title: '`group_vars/all` beside the inventory'},
  {level: 'playbook-group_vars-all', title: '`group_vars/all` beside the playbook'},
  {level: 'inventory-group_vars', title: '`group_vars/GROUP` beside the inventory'},
  {level: 'playbook-group_vars', title: '`group_vars/GROUP` beside the playbook'},
  {level: 'inventory-host', title: 'inventory file: variables of the host'},
  {level: 'inventory-host_vars', title: '`host_vars/HOST` beside the inventory'},
  {level: 'playbook-host_vars', title: '`host_vars/HOST` beside the playbook'},
  {level: 'facts', title: 'facts of the host'},
  {level: 'play', title: "a play's `vars`"},
  {level: 'prompt', title: "a play's `vars_prompt`"},
  {level: 'vars_files', title: "a play's `vars_files`"},
  {level: 'role-vars', title: "a role's `vars/main.yml`"},
  {level: 'task', title: '`vars` of blocks and of the task, the inner one over the outer one'},
  {level: 'include_vars', title: '`include_vars`'},
  {level: 'set', title: '`set_fact` and `register`'},
  {level: 'role-params', title: 'parameters given to a role'},
  {level: 'include', title: '`vars` of `include_*` and `import_*`'},
  {level: 'extra', title: '`-e` on the command line'},
  {level: 'magic', title: 'what tsplay itself says (`inventory_hostname`, `groups`, …)'},
  {level: 'loop', title: 'the variable of a loop'},
] as const;

/** A level of {@link precedence}. */
export type Level = (typeof precedence)[number]['level'];

/** How strong a level is; a higher number wins. */
export function strengthOf(level: Level): number {
  return precedence.findIndex((entry) => entry.level === level);
}

/** The words for a level, without the marks of Markdown. */
export function titleOf(level: Level): string {
  return precedence.find((entry) => entry.level === level)?.title.replaceAll('`', '') ?? level;
}
