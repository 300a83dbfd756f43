import type {Case} from '../compare.ts';

/** Blocks, their rescue and always, what fails where, and who hears of it. */
export const blockCases: readonly Case[] = [
  {
    what: 'rescue knows the failed task and its result',
    tasks: `- block:
    - name: breaks {{ inventory_hostname }}
      fail: {msg: because}
  rescue:
    - SAY "{{ ansible_failed_task.name }} {{ ansible_failed_task.action }} {{ ansible_failed_result.msg }} {{ ansible_failed_result.failed }}"
  always:
    - SAY "always {{ ansible_failed_task is defined }}"
- SAY "after {{ ansible_failed_task is defined }}"`,
  },
  {
    what: 'a failing rescue, a failing always, and blocks within',
    tasks: `- block:
    - block:
        - fail:
      rescue:
        - SAY "inner rescue"
        - fail:
      always:
        - SAY "inner always"
  rescue:
    - SAY "outer rescue"
- block:
    - SAY "fine"
  always:
    - SAY "always"
    - fail:
    - SAY "never"
- SAY "never"`,
  },
  {
    what: 'conditions, variables, environment of a block are its tasks`; inner ones win',
    tasks: `- block:
    - SAY "{{ v }} {{ w }}"
      vars: {w: task}
    - block:
        - SAY "{{ v }} {{ w }}"
      vars: {v: inner}
  vars: {v: outer, w: block}
- block:
    - SAY "{{ inventory_hostname }}"
    - set_fact: {cond: false}
    - SAY "judged again for every task {{ inventory_hostname }}"
  when: cond | default(true)
- block:
    - command: sh -c 'echo $A-$B'
      environment: {B: task}
      register: r
  environment: {A: block, B: block}
- SAY "{{ r.stdout }}"`,
  },
  {
    what: 'a block of one host fails, the others go on',
    tasks: `- block:
    - fail:
      when: inventory_hostname == 'b'
    - SAY "not b"
  rescue:
    - SAY "only b"
- block:
    - fail:
      when: inventory_hostname == 'c'
  always:
    - SAY "all"
- SAY "not c"`,
  },
  {
    what: 'ignore_errors and no_log of a block',
    tasks: `- block:
    - fail: {msg: x}
    - SAY "goes on"
  ignore_errors: true
- SAY "after"`,
  },
  {
    what: 'notify in a block and in its rescue',
    play: `  handlers:
    - {name: h1, debug: {msg: h1}}
    - {name: h2, debug: {msg: h2}}
    - {name: h3, debug: {msg: h3}}
`,
    tasks: `- block:
    - SAY "one"
      changed_when: true
    - fail:
  rescue:
    - SAY "two"
      changed_when: true
      notify: h2
  always:
    - SAY "three"
      changed_when: true
      notify: [h3, h1]`,
  },
  {
    what: 'any_errors_fatal on a block and on a task: the others end too, after their rescue and always',
    ordered: true,
    play: '  strategy: linear\n',
    tasks: `- block:
    - SAY "one"
    - fail:
      when: inventory_hostname == 'a'
    - SAY "never"
  any_errors_fatal: true
  rescue:
    - SAY "rescued"
  always:
    - SAY "always"
- SAY "after"
- fail:
  when: inventory_hostname == 'b'
  any_errors_fatal: true
- SAY "never"`,
  },
  {
    what: 'any_errors_fatal on a task ends the play for all',
    tasks: `- fail:
  when: inventory_hostname == 'b'
  any_errors_fatal: true
- SAY "never"`,
  },
  {
    what: 'any_errors_fatal of the play ends the plays after it too',
    files: {
      'site.yml': `- hosts: two
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - fail:
      when: inventory_hostname == 'a'
    - SAY "never"
- hosts: all
  gather_facts: false
  tasks:
    - SAY "second"
`,
    },
  },
  {
    what: 'meta in a block; end_host within',
    tasks: `- block:
    - SAY "one"
    - meta: end_host
      when: inventory_hostname == 'a'
    - SAY "two"
  always:
    - SAY "always"
- SAY "three"`,
  },
  {
    what: 'clear_host_errors brings failed hosts back in the plays after it',
    files: {
      'site.yml': `- hosts: all
  gather_facts: false
  tasks:
    - fail:
      when: inventory_hostname != 'c'
    - SAY "only c"
    - meta: clear_host_errors
- hosts: all
  gather_facts: false
  tasks:
    - SAY "all again"
    - fail:
`,
    },
  },
  {
    what: 'unreachable: ignore_unreachable goes on; in a block it can be rescued',
    ours: {
      why: 'rescue and always are for unreachable hosts too (docs/playbooks.md)',
      trace: [
        'a: False False False',
        'b: True True False',
        'a: reached',
        'b: rescue',
        'a: always',
        'b: always',
        'a: after',
        'b: after',
      ],
    },
    files: {
      'hosts.yml': `all:
  hosts:
    a: {ansible_connection: local, ansible_python_interpreter: /usr/bin/python3}
    b: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}
`,
    },
    tasks: `- ping:
  ignore_unreachable: true
  register: r
- SAY "{{ r.unreachable | default(false) }} {{ r is unreachable }} {{ r is failed }}"
- block:
    - ping:
    - SAY "reached"
  rescue:
    - SAY "rescue"
  always:
    - SAY "always"
- SAY "after"`,
  },
];
