// The keys of plays, blocks, tasks and role entries, in one table: what each may hold. *source*: Ansible's "Playbook Keywords".

/** What a keyword's value may be, as far as it can be said without evaluating it. `truth`: also `yes`/`no`; all but `names` and `parts` may be templates. */
export type KeywordKind =
  | 'truth'
  | 'number'
  | 'count'
  | 'size'
  | 'text'
  | 'method'
  | 'conditions'
  | 'mapping'
  | 'mappings'
  | 'names'
  | 'files'
  | 'identifier'
  | 'parts'
  | 'control'
  | 'any';

const shared: Readonly<Record<string, KeywordKind>> = {
  name: 'text',
  any_errors_fatal: 'truth',
  become: 'truth',
  become_exe: 'text',
  become_flags: 'text',
  become_method: 'method',
  become_user: 'text',
  check_mode: 'truth',
  collections: 'names',
  connection: 'text',
  control: 'control',
  debugger: 'text',
  diff: 'truth',
  environment: 'mappings',
  ignore_errors: 'truth',
  ignore_unreachable: 'truth',
  module_defaults: 'mappings',
  no_log: 'truth',
  port: 'number',
  remote_user: 'text',
  run_once: 'truth',
  tags: 'names',
  throttle: 'number',
  timeout: 'number',
  vars: 'mappings',
};

const conditional: Readonly<Record<string, KeywordKind>> = {
  when: 'conditions',
  delegate_to: 'text',
  delegate_facts: 'truth',
};

/** Keys of a task, except module names and `with_…`. */
export const taskKeys: Readonly<Record<string, KeywordKind>> = {
  ...shared,
  ...conditional,
  action: 'any',
  args: 'mapping',
  async: 'number',
  changed_when: 'conditions',
  delay: 'count',
  failed_when: 'conditions',
  listen: 'names',
  local_action: 'any',
  loop: 'any',
  loop_control: 'mapping',
  notify: 'names',
  poll: 'number',
  register: 'identifier',
  retries: 'count',
  until: 'conditions',
};

/** Keys of a block. */
export const blockKeys: Readonly<Record<string, KeywordKind>> = {
  ...shared,
  ...conditional,
  notify: 'names',
  listen: 'names',
  block: 'parts',
  rescue: 'parts',
  always: 'parts',
};

/** Keys of an entry below `roles:` or `dependencies:`; every other key is a parameter of the role. */
export const roleKeys: Readonly<Record<string, KeywordKind>> = {
  ...shared,
  ...conditional,
  role: 'text',
  tasks_from: 'text',
  vars_from: 'text',
  defaults_from: 'text',
  handlers_from: 'text',
  allow_duplicates: 'truth',
};

/** Keys of a play. */
export const playKeys: Readonly<Record<string, KeywordKind>> = {
  ...shared,
  fact_path: 'text',
  force_handlers: 'truth',
  gather_facts: 'truth',
  gather_subset: 'any',
  gather_timeout: 'number',
  handlers: 'parts',
  hosts: 'any',
  max_fail_percentage: 'number',
  order: 'text',
  post_tasks: 'parts',
  pre_tasks: 'parts',
  roles: 'parts',
  serial: 'size',
  strategy: 'text',
  tasks: 'parts',
  user: 'text',
  vars_files: 'files',
  vars_prompt: 'any',
};

/** Keys beside `import_playbook`. */
export const importPlaybookKeys: Readonly<Record<string, KeywordKind>> = {
  import_playbook: 'text',
  name: 'text',
  control: 'control',
  tags: 'names',
  vars: 'mappings',
  when: 'conditions',
};

/** What a kind accepts, as the end of the sentence "expected …". */
export function describeKeywordKind(kind: KeywordKind): string {
  switch (kind) {
    case 'truth':
      return 'true or false';
    case 'number':
      return 'a number';
    case 'text':
      return 'a text';
    case 'conditions':
      return 'a condition or a list of conditions';
    case 'mapping':
      return 'a mapping';
    case 'mappings':
      return 'a mapping of names to values';
    case 'names':
      return 'a name or a list of names';
    case 'identifier':
      return 'a name of letters, digits and _ that does not begin with a digit';
    case 'parts':
      return 'a list';
    case 'control':
      return 'a control: {id, title, severity, rationale, refs}';
    case 'size':
      return 'a number of hosts, a percentage, or a list of them';
    case 'method':
      return 'one of sudo, su, doas';
    case 'files':
      return 'the name of a file or a list of names';
    case 'count':
      return 'a number of at least 0';
    case 'any':
      return 'a value';
  }
}
