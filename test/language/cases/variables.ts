import type {Case} from '../compare.ts';

// every level sets the names of all levels above it: v01 is set by all, v02 by all but the weakest, …
const levels = 17;
const from = (level: number): string =>
  Array.from({length: levels - level + 1}, (_, i) => level + i).length === 0
    ? ''
    : Array.from({length: level}, (_, i) => `v${String(i + 1).padStart(2, '0')}: L${level}`).join('\n') + '\n';
const inline = (level: number): string => `{${from(level).trim().replaceAll('\n', ', ')}}`;

/** Variables: where they come from and which one counts. */
export const variableCases: readonly Case[] = [
  {
    what: 'the table of precedence, level by level',
    args: ['-i', 'inv/hosts.yml', '-e', '@extra.yml'],
    files: {
      'inv/hosts.yml': `all:
  vars: ${inline(2)}
  hosts:
    a: {ansible_connection: local, ansible_python_interpreter: /usr/bin/python3, ${inline(7).slice(1)}
  children:
    grp: {hosts: {a: }, vars: ${inline(4)}}
`,
      'inv/group_vars/all.yml': from(3),
      'group_vars/all.yml': '',
      'inv/group_vars/grp.yml': from(5),
      'group_vars/grp.yml': from(6),
      'inv/host_vars/a.yml': from(8),
      'host_vars/a.yml': from(9),
      'roles/r/defaults/main.yml': from(1),
      'roles/r/vars/main.yml': from(12),
      'roles/r/tasks/main.yml': `- include_vars: {file: inc.yml}
- set_fact: ${inline(15)}
- include_tasks: {file: say.yml}
  vars: ${inline(16)}
`,
      'roles/r/vars/inc.yml': from(14),
      'roles/r/tasks/say.yml': `- SAY "${Array.from({length: levels}, (_, i) => `{{ v${String(i + 1).padStart(2, '0')} }}`).join(' ')}"
  vars: ${inline(13)}
`,
      'play.yml': from(11),
      'extra.yml': from(17),
      'site.yml': `- hosts: a
  gather_facts: false
  vars: ${inline(10)}
  vars_files: [play.yml]
  roles: [r]
`,
    },
  },
  ...(
    [
      ['role parameters over set_fact', '{role: r, v: param}', '', '- set_fact: {v: fact}\n'],
      ['role vars over vars_files and play', 'r', 'v: rolevars\n', ''],
      ['include_vars over role vars', 'r', 'v: rolevars\n', '- include_vars: files/x.yml\n'],
      ['set_fact over include_vars', 'r', '', '- include_vars: files/x.yml\n- set_fact: {v: fact}\n'],
      ['include_vars after set_fact', 'r', '', '- set_fact: {v: fact}\n- include_vars: files/x.yml\n'],
      ['registered over set_fact', 'r', '', '- set_fact: {v: fact}\n- command: echo x\n  register: v\n'],
      ['set_fact over registered', 'r', '', '- command: echo x\n  register: v\n- set_fact: {v: fact}\n'],
    ] as const
  ).map(([what, role, vars, tasks]): Case => ({
    what: `precedence: ${what}`,
    files: {
      'site.yml': `- hosts: a\n  gather_facts: false\n  vars: {v: play}\n  vars_files: [pf.yml]\n  roles:\n    - ${role}\n`,
      'pf.yml': 'v: playfile\n',
      'roles/r/vars/main.yml': vars === '' ? '{}\n' : vars,
      'roles/r/defaults/main.yml': 'v: default\n',
      'roles/r/files/x.yml': 'v: included\n',
      'roles/r/tasks/main.yml': `${tasks}- SAY "{{ v.stdout | default(v) }}"\n- SAY "{{ v.stdout | default(v) }}"\n  vars: {v: task}\n- block:\n    - SAY "{{ v.stdout | default(v) }}"\n  vars: {v: block}\n`,
    },
  })),
  {
    what: 'groups: depth, priority, several parents',
    files: {
      'hosts.yml': `all:
  vars: {ansible_connection: local, ansible_python_interpreter: /usr/bin/python3, deep: all}
  children:
    parent:
      vars: {deep: parent, p: parent, q: parent}
      children:
        zchild: {hosts: {a: }, vars: {deep: zchild, same: zchild, prio: z}}
        achild: {hosts: {a: }, vars: {deep: achild, same: achild, prio: a, ansible_group_priority: 5}}
    beside: {hosts: {a: }, vars: {q: beside, same: beside}}
`,
    },
    tasks: '- SAY "{{ deep }} {{ p }} {{ q }} {{ same }} {{ prio }} {{ group_names | join }}"',
  },
  {
    what: 'vars_files: lists of alternatives, templates, order',
    files: {
      'one.yml': 'x: 1\ny: 1\n',
      'two.yml': 'y: 2\n',
      'vars/three.yml': 'z: 3\n',
      'a.yml': 'h: of a\n',
      'def.yml': 'h: other\n',
    },
    play: `  vars_files:
    - one.yml
    - two.yml
    - vars/three.yml
    - [ "{{ inventory_hostname }}.yml", def.yml ]
`,
    tasks: '- SAY "{{ x }} {{ y }} {{ z }} {{ h }}"',
  },
  {
    what: 'values are templates, evaluated where they are used',
    play: '  vars: {t: "<{{ item | default(inventory_hostname) }}>", list: [1, "{{ t }}"], num: "{{ 1 + 1 }}", nested: {a: {b: "{{ num }}"}}}\n',
    tasks: `- SAY "{{ t }} {{ list | join }} {{ num }} {{ nested.a.b }}"
- SAY "{{ t }}"
  loop: [x]
- set_fact: {frozen: "{{ t }}"}
- SAY "{{ frozen }}"
  loop: [y]
- SAY "{{ missing | default('d') }} {{ nested.no | default('e') }} {{ nested.a.no.deeper | default('f') }} {{ '' | default('g', true) }}"
- SAY "{{ vars['inventory_hostname'] }} {{ lookup('vars', 'num') }} {{ lookup('vars', 'nothing', default='h') }}"
- SAY "{{ '{{ num }}' }}"
- debug: {msg: !unsafe "{{ num }}"}`,
  },
  {
    what: 'omit, with and without other parameters',
    tasks: `- command: "{{ 'pwd' }}"
  args: {chdir: "{{ nowhere | default(omit) }}", creates: "{{ omit }}"}
  register: r
- SAY "{{ r.rc }}"
- set_fact: {x: "{{ omit }}", y: 1}
- SAY "{{ y }}"
- SAY "{{ [1, omit] | length }}"
- debug: {msg: "{{ nothing | default(omit) }}"}`,
  },
  {
    what: 'facts that tasks set: cacheable, of other types, deleted by clear_facts',
    tasks: `- set_fact: {c: 1, b: true, t: "yes", n: 1.5, l: [1], d: {k: "{{ inventory_hostname }}"}, cacheable: true}
- SAY "{{ c }} {{ b }} {{ n }} {{ l | join }} {{ d.k }} {{ ansible_facts.c | default('-') }}"
- set_fact: one=1 two="{{ 1 + 1 }}"
- SAY "{{ one }} {{ two }} {{ one is string }}"
- set_fact: {e: plain}
- meta: clear_facts
- SAY "{{ e | default('gone') }} {{ c | default('gone') }}"`,
  },
  {
    what: 'magic variables',
    args: ['-e', 'x=1'],
    tasks: `- SAY "{{ inventory_hostname }} {{ inventory_hostname_short }} {{ ansible_play_name }} {{ playbook_dir | basename | length > 0 }} {{ inventory_file | basename }} {{ inventory_dir == playbook_dir }} {{ ansible_forks is number }} {{ ansible_check_mode }} {{ ansible_diff_mode }} {{ ansible_version.major }} {{ ansible_run_tags | join }} {{ ansible_skip_tags | join }} {{ role_name | default('none') }} {{ ansible_verbosity }} {{ x is string }} {{ ansible_host | default('undefined') }}"
- SAY "{{ hostvars[inventory_hostname].x }} {{ groups.ungrouped | default([]) | join }}"`,
  },
  {
    what: 'extra variables: words, YAML, JSON, files; they win over everything',
    args: ['-e', 'n=1 t="two words"', '-e', '{"j": [1, 2], "m": {"k": true}}', '-e', '@e.yml'],
    files: {'e.yml': 'y: 3\nn2: {z: 1}\n'},
    play: '  vars: {n: play, y: play}\n',
    tasks: `- set_fact: {n: fact}
- SAY "{{ n }} {{ n is string }} {{ t }} {{ j | sum }} {{ m.k }} {{ y }} {{ n2.z }}"
- SAY "{{ n }}"
  vars: {n: task}`,
  },
  {
    what: 'undefined variables fail, with a condition they do not matter',
    tasks: `- SAY "{{ nothing_here }}"
  when: false
- SAY "{{ nothing_here }}"
  ignore_errors: true
- SAY "on"
- SAY "x"
  when: nothing_here is defined and nothing_here.x
- SAY "{{ hostvars['a'].nothing | default('none') }}"`,
    args: [],
    ours: {
      why: 'a name that nothing defines is a mistake, found before the first task',
      trace: [],
    },
  },
  {
    what: 'conditions: texts, numbers, lists, booleans in words',
    play: '  vars: {t: "true", f: "false", n: 0, s: "", y: "yes", cond: "inventory_hostname == \'a\'"}\n',
    tasks: `- SAY "1"
  when: t
- SAY "2"
  when: f | bool
- SAY "3"
  when: n
- SAY "4"
  when: s
- SAY "5"
  when: y | bool
- SAY "6"
  when: cond
- SAY "7"
  when: [true, "1 == 1"]
- SAY "8"
  when: "'a' in inventory_hostname or inventory_hostname in ['b']"
- SAY "9"
  when: inventory_hostname is match('[ab]')
- SAY "10"
  when: not (n | bool)
- SAY "11"
  when: "{{ true }}"`,
  },
];
