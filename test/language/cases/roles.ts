import type {Case} from '../compare.ts';

const say = (text: string): string => `- SAY "${text}"\n`;

const small = {
  'roles/r/tasks/main.yml': say(
    "main {{ d }} {{ v }} {{ p | default('-') }} {{ role_name }} {{ role_path | basename }}",
  ),
  'roles/r/tasks/other.yml': say("other {{ d }} {{ v }} {{ p | default('-') }}"),
  'roles/r/defaults/main.yml': 'd: default\n',
  'roles/r/defaults/alt.yml': 'd: alternative\n',
  'roles/r/vars/main.yml': 'v: vars\n',
  'roles/r/vars/alt.yml': 'v: other vars\n',
  'roles/r/handlers/main.yml': '- {name: rh, debug: {msg: "handler {{ d }}"}}\n',
  'roles/r/handlers/alt.yml': '- {name: rh, debug: {msg: "alternative handler"}}\n',
};

/** Roles: their parts, ways to call them, how often they run, what they depend on and show. */
export const roleCases: readonly Case[] = [
  {
    what: 'roles: with parameters, vars, conditions, tags',
    files: {
      ...small,
      'site.yml': `- hosts: two
  gather_facts: false
  roles:
    - r
    - {role: r, p: 1}
    - {role: r, p: 1}
    - {role: r, vars: {q: 2}}
    - {role: r, d: given, when: inventory_hostname == 'a'}
    - {name: r, tags: [x], p: 3}
`,
    },
  },
  {
    what: 'include_role and import_role with tasks_from, vars_from, defaults_from, handlers_from',
    files: small,
    tasks: `- include_role: {name: r}
- include_role: {name: r, tasks_from: other}
- include_role: {name: r, tasks_from: other.yml, vars_from: alt}
- include_role: {name: r, defaults_from: alt}
- import_role: {name: r, tasks_from: other}
  vars: {q: imported}
- include_role: {name: r}
  vars: {d: strong, p: 7}
- import_role: {name: r}
  when: inventory_hostname == 'c'`,
  },
  {
    what: 'include_role: handlers_from',
    files: small,
    tasks: `- include_role: {name: r, handlers_from: alt}
- SAY "x"
  changed_when: true
  notify: rh`,
  },
  {
    what: 'what a role shows to the play: roles and import_role do, include_role with public does',
    files: {...small, 'roles/s/defaults/main.yml': 's: s\n', 'roles/s/tasks/main.yml': say('s')},
    tasks: `- include_role: {name: r}
- include_role: {name: r, public: true}
- SAY "{{ d | default('hidden') }} {{ v | default('hidden') }}"
- import_role: {name: s}
- SAY "{{ s }}"`,
  },
  {
    what: 'roles in a loop, by a template, on a condition of the element',
    files: {...small, 'roles/q/tasks/main.yml': say("q {{ item | default('-') }}")},
    tasks: `- include_role: {name: "{{ item }}"}
  loop: [r, q]
- include_role: {name: r, tasks_from: other}
  loop: [1, 2, 3]
  loop_control: {loop_var: p}
  when: p != 2
- include_role: {name: "{{ which }}"}
  vars: {which: q}`,
  },
  {
    what: 'dependencies: before, once, with parameters, conditions and duplicates',
    files: {
      'roles/top/meta/main.yml': `dependencies:
  - base
  - {role: base}
  - {role: named, n: 1}
  - {role: named, n: 2}
  - {role: many, vars: {n: x}}
  - {role: many, vars: {n: x}}
  - {role: base, when: inventory_hostname == 'b'}
`,
      'roles/top/tasks/main.yml': say('top {{ ansible_parent_role_names | default([]) | join }}'),
      'roles/base/tasks/main.yml': say('base {{ ansible_parent_role_names | default([]) | join }}'),
      'roles/named/tasks/main.yml': say('named {{ n }}'),
      'roles/many/tasks/main.yml': say('many {{ n }}'),
      'roles/many/meta/main.yml': 'allow_duplicates: true\n',
      'site.yml': '- {hosts: two, gather_facts: false, roles: [top, base]}\n',
    },
  },
  {
    what: 'the same role again by include and import runs again',
    files: {...small, 'roles/q/meta/main.yml': 'dependencies: [r]\n', 'roles/q/tasks/main.yml': say('q')},
    tasks: `- import_role: {name: q}
- import_role: {name: q}
- include_role: {name: q}
- include_role: {name: r}`,
  },
  {
    what: 'pre_tasks, roles, tasks, post_tasks in this order',
    files: {
      ...small,
      'site.yml': `- hosts: a
  gather_facts: false
  post_tasks: [{debug: {msg: post}}]
  tasks: [{debug: {msg: "tasks {{ ansible_play_role_names | join }}"}}]
  roles: [r]
  pre_tasks: [{debug: {msg: "pre {{ d }}"}}]
`,
    },
  },
  {
    what: 'apply and the include`s own keywords',
    args: ['--tags', 'x'],
    files: {...small, 'inc.yml': `${say("inc {{ z | default('-') }}")}- SAY "never-tagged"\n  tags: y\n`},
    tasks: `- include_tasks: {file: inc.yml, apply: {tags: x, vars: {z: applied}}}
  tags: x
- include_tasks: inc.yml
  tags: x
- include_role: {name: r, apply: {tags: x}}
  tags: [x]
- include_tasks: inc.yml
- import_tasks: inc.yml
  tags: x`,
    ours: {
      why: 'tags are inherited the same way through every include (docs/playbooks.md)',
      trace: [
        'inc applied',
        'never-tagged',
        'inc -',
        'never-tagged',
        'main default vars - r r',
        'inc -',
        'never-tagged',
      ]
        .flatMap((word) => ['a', 'b', 'c'].map((host) => `${host}: ${word}`))
        .concat(['END a ok', 'END b ok', 'END c ok']),
    },
  },
  {
    what: 'include_tasks in a loop with variables; nested includes; relative names',
    files: {
      'sub/one.yml': `- SAY "one {{ item }} {{ v }}"
- include_tasks: two.yml
  loop: [x, y]
  loop_control: {loop_var: inner}
`,
      'sub/two.yml': '- SAY "two {{ item }} {{ inner }} {{ v }}"\n- set_fact: {last: "{{ item }}{{ inner }}"}\n',
    },
    tasks: `- include_tasks: sub/one.yml
  loop: [1, 2]
  vars: {v: "v{{ item }}"}
- SAY "{{ last }} {{ item | default('gone') }}"
- include_tasks: "sub/{{ name }}.yml"
  vars: {name: one, item: direct, v: w}
- include_tasks: {file: sub/two.yml}
  vars: {item: 9, inner: 8, v: 7}
  when: inventory_hostname == 'b'`,
  },
  {
    what: 'a condition of include_tasks and import_tasks is judged once',
    ours: {
      why: 'includes and imports have one meaning (docs/playbooks.md)',
      trace: ['a', 'b', 'c'].flatMap((host) => ['1', '2', '1', '2'].map((word) => `${host}: ${word}`)),
    },
    files: {'inc.yml': '- SAY "1"\n- set_fact: {go: false}\n- SAY "2"\n'},
    tasks: `- set_fact: {go: true}
- include_tasks: inc.yml
  when: go
- set_fact: {go: true}
- import_tasks: inc.yml
  when: go`,
  },
  {
    what: 'a failing task in an include, rescued around it',
    files: {'inc.yml': '- SAY "1"\n- fail: {msg: in include}\n- SAY "never"\n'},
    tasks: `- block:
    - include_tasks: inc.yml
  rescue:
    - SAY "{{ ansible_failed_result.msg }}"
- SAY "end"`,
  },
  {
    what: 'include_vars: file, dir, name, in a loop, precedence',
    files: {
      'vars/one.yml': 'v: one\nw: {x: 1}\n',
      'vars/two.yml': 'v: two\n',
      'vars/dir/01.yml': 'a1: first\na2: first\n',
      'vars/dir/02.yml': 'a2: second\n',
      'vars/dir/skip.txt': 'a3: text\n',
    },
    play: '  vars: {v: play}\n',
    tasks: `- SAY "{{ v }}"
- include_vars: one.yml
- SAY "{{ v }} {{ w.x }}"
- include_vars: {file: two.yml, name: box}
- SAY "{{ v }} {{ box.v }}"
- include_vars: {dir: vars/dir, extensions: [yml, txt], ignore_files: [skip.txt]}
- SAY "{{ a1 }} {{ a2 }} {{ a3 | default('-') }}"
- include_vars: "{{ item }}"
  with_first_found: ["{{ inventory_hostname }}.yml", two.yml]
  register: r
- SAY "{{ v }}"
- SAY "{{ v }}"
  vars: {v: task}
- set_fact: {v: fact}
- SAY "{{ v }}"
- include_vars: one.yml
- SAY "{{ v }}"`,
  },
  {
    what: 'argument_specs: defaults are not applied, what fits passes, what does not fails by its name',
    files: {
      'roles/s/meta/argument_specs.yml': `argument_specs:
  main:
    short_description: s
    options:
      n: {type: int, required: true}
      c: {type: str, choices: [x, y], default: x}
      l: {type: list, elements: int}
      d:
        type: dict
        options:
          k: {type: str, required: true}
          b: {type: bool}
  other:
    options:
      z: {type: str, required: true}
`,
      'roles/s/defaults/main.yml': 'c: x\n',
      'roles/s/tasks/main.yml': say('s {{ n }} {{ c }}'),
      'roles/s/tasks/other.yml': say('other {{ z }}'),
    },
    tasks: `- include_role: {name: s}
  vars: {n: "5", l: [1, "2"], d: {k: x, b: "yes"}}
- include_role: {name: s, tasks_from: other}
  vars: {z: zed}
- block:
    - include_role: {name: s}
      vars: {n: "{{ inventory_hostname }}"}
  rescue:
    - SAY "{{ ansible_failed_task.name }} {{ ansible_failed_result.argument_errors | length }}"
- block:
    - include_role: {name: s}
      vars: {n: "{{ 1 + 1 }}", c: "{{ 'z' }}", l: "{{ ['x', 3] }}", d: "{{ {'u': 1} }}"}
  rescue:
    - SAY "{{ ansible_failed_result.argument_errors | length }}"
- include_role: {name: s, rolespec_validate: false}
  vars: {n: "{{ 'text' }}"}
- SAY "end"`,
  },
];
