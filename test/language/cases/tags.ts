import type {Case} from '../compare.ts';

const files = {
  'site.yml': `- hosts: a
  gather_facts: false
  tags: play
  tasks:
    - SAY "play only"
    - SAY "x"
      tags: x
    - SAY "never"
      tags: never
    - SAY "never and n"
      tags: [never, n]
    - SAY "always"
      tags: always
    - block:
        - SAY "block"
        - SAY "block and y"
          tags: y
      tags: b
    - import_tasks: inc.yml
      tags: i
    - import_role: {name: r}
      tags: [rr]
- hosts: a
  gather_facts: false
  roles:
    - {role: r, tags: "one,two"}
  tasks:
    - SAY "untagged"
    - SAY "text"
      tags: p, q
`,
  'inc.yml': '- SAY "inc"\n- SAY "inc and z"\n  tags: z\n',
  'roles/r/tasks/main.yml': '- SAY "role"\n- SAY "role and t"\n  tags: t\n',
};

const selected = (...args: string[]): Case => ({what: `tags: ${args.join(' ')}`, files, args});

/** Which tasks take part, and where a run starts. */
export const tagCases: readonly Case[] = [
  selected(),
  selected('--tags', 'x'),
  selected('--tags', 'x,y,z'),
  selected('--tags', 'never'),
  selected('--tags', 'n'),
  selected('--tags', 'tagged'),
  selected('--tags', 'untagged'),
  selected('--tags', 'all', '--skip-tags', 'always'),
  selected('--skip-tags', 'tagged'),
  selected('--skip-tags', 'x,b,one'),
  selected('--tags', 'play', '--skip-tags', 'i'),
  selected('--tags', 'rr'),
  selected('--tags', 'p', '--tags', 'two'),
  selected('--tags', 'all,never'),
  selected('--tags', 'always'),
  {
    what: 'start-at-task in the middle; a role`s task; a glob',
    args: ['--start-at-task', 'two'],
    tasks: `- {name: one, debug: {msg: one}}
- block:
    - {name: one and a half, debug: {msg: half}}
    - {name: two, debug: {msg: two}}
  when: inventory_hostname == 'a'
- {name: three, debug: {msg: three}}`,
  },
  {
    what: 'start-at-task: by a glob',
    args: ['--start-at-task', 't*'],
    tasks: `- {name: one, debug: {msg: one}}
- {name: two, debug: {msg: two}}
- {name: three, debug: {msg: three}}`,
  },
  {
    what: 'ansible_run_tags and ansible_skip_tags',
    args: ['--tags', 'x,y', '--skip-tags', 'z'],
    tasks: '- SAY "{{ ansible_run_tags | sort | join }} {{ ansible_skip_tags | join }}"\n  tags: x',
  },
];
