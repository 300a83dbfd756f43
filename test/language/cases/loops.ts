import type {Case} from '../compare.ts';

/** Loops: every form, their control, what is registered, and what a failing element does. */
export const loopCases: readonly Case[] = [
  {
    what: 'a failing element does not end its loop; the results of all are registered',
    tasks: `- fail: {msg: "no {{ item }}"}
  loop: [1, 2, 3]
  when: item != 2
  ignore_errors: true
  register: r
- SAY "{{ r.results | length }} {{ r.failed }} {{ r.msg }} {{ r.results | map(attribute='failed', default='none') | join(',') }}"
- command: "sh -c 'exit {{ item }}'"
  loop: [0, 1, 0]
  register: s
  ignore_errors: true
- SAY "{{ s.results | map(attribute='rc') | join(',') }} {{ s is failed }} {{ s.msg }}"
- command: "sh -c 'echo {{ item }} >>{{ playbook_dir }}/ran.{{ inventory_hostname }}; exit {{ item }}'"
  loop: [0, 1, 0]
- SAY "never"`,
    play: '',
  },
  {
    what: 'what a loop did before it failed is there',
    tasks: `- block:
    - command: "sh -c 'echo {{ item }} >>{{ playbook_dir }}/ran.{{ inventory_hostname }}.x; exit {{ item }}'"
      loop: [0, 1, 2]
      register: r
  rescue:
    - SAY "{{ r.results | length }} {{ ansible_failed_result.msg }} {{ ansible_failed_result.results | map(attribute='rc') | join(',') }}"`,
  },
  {
    what: 'loop_control: loop_var, index_var, label, extended',
    tasks: `- SAY "{{ i }} {{ it }} {{ ansible_loop_var }} {{ ansible_index_var }} {{ ansible_loop.index }}/{{ ansible_loop.length }} {{ ansible_loop.first }} {{ ansible_loop.last }} {{ ansible_loop.revindex }} {{ ansible_loop.previtem | default('-') }} {{ ansible_loop.nextitem | default('-') }} {{ ansible_loop.allitems | join }}"
  loop: [x, y, z]
  loop_control: {loop_var: it, index_var: i, label: "l{{ it }}", extended: true}
- SAY "{{ ansible_loop.allitems is defined }} {{ ansible_loop.index0 }} {{ ansible_loop.revindex0 }}"
  loop: [1, 2]
  loop_control: {extended: true, extended_allitems: false}`,
  },
  {
    what: 'what a loop registers carries its variables',
    tasks: `- debug: {msg: "{{ it }}"}
  loop: [x, y]
  loop_control: {loop_var: it, index_var: i}
  register: r
- SAY "{{ r.results.0.it }} {{ r.results.1.i }} {{ r.results.0.ansible_loop_var }} {{ r.results.0.ansible_index_var }} {{ r.msg }} {{ r.changed }} {{ r.skipped | default('undefined') }}"
- debug: {msg: "{{ item }}"}
  loop: [1, 2]
  when: item == 2
  register: s
- SAY "{{ s.results.0.skipped }} {{ s.results.0.item }} {{ s.results.1.skipped | default('no') }} {{ s is skipped }} {{ s.results.1.item }}"
- debug: {msg: "{{ item }}"}
  loop: [1, 2]
  when: item == 3
  register: u
- SAY "{{ u is skipped }} {{ u.results | length }} {{ u.skipped }} {{ u.msg }}"`,
  },
  {
    what: 'with_items, with_list, with_flattened, with_indexed_items',
    tasks: `- SAY "{{ item }}"
  with_items: [[1, 2], 3, [[4]]]
- SAY "{{ item }}"
  with_list: [[1, 2], 3]
- SAY "{{ item }}"
  with_flattened: [[1, [2, [3]]], 4]
- SAY "{{ item.0 }}={{ item.1 }}"
  with_indexed_items: [x, y]
- SAY "{{ item }}"
  with_items: "{{ [1, 2] }}"
- SAY "{{ item }}"
  with_items: ["{{ [5, 6] }}", 7]
- SAY "{{ item }}"
  with_items: one`,
  },
  {
    what: 'with_dict, with_nested, with_cartesian, with_together, with_subelements',
    play: `  vars:
    d: {k: 1, l: {m: 2}}
    users: [{n: u, keys: [1, 2]}, {n: v, keys: [3]}, {n: w}]
`,
    tasks: `- SAY "{{ item.key }} {{ item.value }}"
  with_dict: "{{ d }}"
- SAY "{{ item.key }}"
  with_dict: {x: 1, y: 2}
- SAY "{{ item.0 }}{{ item[1] }}"
  with_nested: [[a, b], [1, 2]]
- SAY "{{ item | join('-') }}"
  with_cartesian: [[a, b], [1], [x, y]]
- SAY "{{ item.0 }} {{ item.1 }}"
  with_together: [[a, b], [1, 2, 3]]
- SAY "{{ item.0.n }} {{ item.1 }}"
  with_subelements: ["{{ users }}", keys, {skip_missing: true}]
- SAY "{{ item.0.n }}{{ item.1 }}"
  loop: "{{ users[:2] | subelements('keys') }}"`,
  },
  {
    what: 'with_sequence, with_random_choice, with_lines, with_inventory_hostnames',
    tasks: `- SAY "{{ item }}"
  with_sequence: start=4 end=16 stride=4 format=t%02x
- SAY "{{ item }}"
  with_sequence: count=3
- SAY "{{ item }}"
  with_sequence: 1-3
- SAY "{{ item }}"
  with_sequence: start=5 end=1 stride=-2
- SAY "{{ item in [1, 2] }}"
  with_random_choice: [1, 2]
- SAY "{{ item }}"
  with_lines: [echo one; echo two, echo three]
- SAY "{{ item }}"
  with_inventory_hostnames: all:!b`,
  },
  {
    what: 'with_file, with_fileglob, with_first_found',
    files: {'files/one.txt': 'first\n', 'files/two.txt': 'second\n', 'files/sub/x.conf': 'x'},
    tasks: `- SAY "{{ item }}"
  with_file: [one.txt, files/two.txt]
- SAY "{{ item | basename }}"
  with_fileglob: ["t*.txt", "no*.txt"]
- SAY "{{ item | basename }}"
  with_first_found: [nothing.txt, two.txt, one.txt]
- SAY "{{ item | basename }}"
  with_first_found:
    - files: [no.conf, x.conf]
      paths: [sub, files/sub]
- SAY "{{ item }}"
  with_first_found:
    - files: [no.conf]
      skip: true
- SAY "after"`,
  },
  {
    what: 'with_template, with_vars, with_env, with_pipe',
    files: {'templates/t.j2': 'hello {{ inventory_hostname }}'},
    play: `  vars: {v1: one, v2: two}
`,
    tasks: `- SAY "{{ item }}"
  with_template: t.j2
- SAY "{{ item }}"
  with_vars: [v1, v2]
- SAY "{{ item is string }}"
  with_env: [PATH]
- SAY "{{ item }}"
  with_pipe: ["echo x"]
- SAY "{{ item }}"
  with_varnames: ["^v[12]$"]`,
  },
  {
    what: 'until, with and without a loop; retries alone',
    tasks: `- command: "sh -c 'exit 1'"
  until: r.rc == 0
  retries: 2
  delay: 0
  register: r
  ignore_errors: true
- SAY "{{ r.attempts }} {{ r.failed }} {{ r.rc }}"
- command: "echo {{ item }}"
  loop: [1, 2, 3]
  until: r.stdout != "2"
  retries: 2
  delay: 0
  register: r
  ignore_errors: true
- SAY "{{ r.results | map(attribute='attempts') | join(',') }} {{ r.results | map(attribute='failed') | join(',') }}"
- command: "true"
  until: false
  retries: 1
  delay: 0
  ignore_errors: true
  register: r
- SAY "{{ r.attempts }} {{ r is failed }}"
- command: "true"
  until: ["r is succeeded", "r.rc == 0"]
  retries: 1
  delay: 0
  register: r
- SAY "{{ r.attempts }}"
- command: "true"
  register: r
- SAY "{{ r.attempts | default('none') }}"
- command: "false"
  retries: 3
  delay: 0
  register: r
  ignore_errors: true
- SAY "{{ r.attempts | default('none') }}"`,
  },
  {
    what: 'when in a loop, conditions on the element, loops over nothing and over undefined with a false condition',
    tasks: `- SAY "{{ item }}"
  loop: [1, 2, 3]
  when: [item > 1, item < 3]
- SAY "{{ item }}"
  loop: "{{ undefined_thing }}"
  when: false
- SAY "{{ item }}"
  loop: "{{ undefined_thing | default([]) }}"
- SAY "{{ item }}"
  loop: "{{ groups['two'] }}"
- SAY "{{ item.0 }} {{ item.1 }}"
  loop: "{{ ['a', 'b'] | product([1, 2]) | list }}"
- SAY "{{ item }}"
  loop: "{{ range(3) | list }}"
- SAY "done"`,
  },
  {
    what: 'register and set_fact inside of a loop; changed_when and failed_when on the element',
    tasks: `- set_fact: {sum: "{{ sum | default(0) | int + item }}"}
  loop: [1, 2, 3]
- SAY "{{ sum }}"
- set_fact:
    list: "{{ list | default([]) + [item] }}"
  loop: [x, y]
- SAY "{{ list | join }}"
- command: "echo {{ item }}"
  loop: [1, 2]
  register: r
  changed_when: r.stdout == "2"
  failed_when: r.stdout == "9"
- SAY "{{ r.results | map(attribute='changed') | join(',') }} {{ r.changed }}"`,
  },
  {
    what: 'delegate_to, vars and names of a loop are made of its element',
    tasks: `- SAY "{{ item }} {{ v }}"
  loop: [a, b]
  vars: {v: "v-{{ item }}"}
  delegate_to: "{{ item }}"
  register: r
- SAY "{{ r.results | map(attribute='item') | join }}"
- SAY "{{ inventory_hostname }} {{ item }}"
  loop: "{{ groups.all }}"
  run_once: true
- SAY "{{ item.x }}"
  loop: [{x: "{{ inventory_hostname }}"}]`,
  },
];
