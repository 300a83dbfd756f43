import type {Case} from '../compare.ts';

/** Plays: batches, orders, strategies, who does what once or elsewhere, and how plays end. */
export const playCases: readonly Case[] = [
  {
    what: 'serial: a number; ansible_play_batch, ansible_play_hosts',
    ordered: true,
    play: '  serial: 2\n  strategy: linear\n',
    tasks: `- SAY "{{ ansible_play_batch | join(',') }} {{ ansible_play_hosts | join(',') }} {{ ansible_play_hosts_all | join(',') }} {{ play_hosts | join(',') }}"`,
  },
  {
    what: 'serial: a percentage and a list',
    ordered: true,
    play: '  serial: [1, "50%", 100%]\n  strategy: linear\n',
    tasks: `- SAY "{{ ansible_play_batch | join(',') }}"`,
  },
  {
    what: 'serial: a batch that fails as a whole ends the play',
    play: '  serial: 1\n',
    tasks: `- SAY "x"
- fail:
  when: inventory_hostname == 'a'
- SAY "y"`,
  },
  {
    what: 'serial: a batch that fails in part does not',
    play: '  serial: 2\n',
    tasks: `- SAY "x"
- fail:
  when: inventory_hostname == 'a'
- SAY "{{ ansible_play_hosts | join(',') }} {{ ansible_play_batch | join(',') }}"`,
  },
  {
    what: 'max_fail_percentage: more than so many end the play for all',
    ordered: true,
    play: '  max_fail_percentage: 30\n',
    tasks: `- fail:
  when: inventory_hostname == 'a'
- SAY "never"`,
  },
  {
    what: 'max_fail_percentage: exactly so many do not',
    ordered: true,
    play: '  max_fail_percentage: 34\n',
    tasks: `- fail:
  when: inventory_hostname == 'a'
- SAY "b and c"
- fail:
  when: inventory_hostname == 'b'
- SAY "never"`,
  },
  {
    what: 'max_fail_percentage with serial',
    ordered: true,
    play: '  serial: 2\n  max_fail_percentage: 49\n',
    tasks: `- fail:
  when: inventory_hostname == 'a'
- SAY "never"`,
  },
  {
    what: 'order: sorted, reverse_sorted',
    ordered: true,
    files: {
      'site.yml': ['sorted', 'reverse_sorted']
        .map(
          (order) =>
            `- hosts: all\n  gather_facts: false\n  order: ${order}\n  strategy: linear\n  tasks:\n    - SAY "${order}"\n`,
        )
        .join(''),
    },
  },
  {
    what: 'linear: every task on all hosts before the next',
    ordered: true,
    play: '  strategy: linear\n',
    tasks: `- SAY "one"
- SAY "two"
- block:
    - SAY "three"
    - fail:
      when: inventory_hostname == 'b'
    - SAY "four"
  rescue:
    - SAY "rescue"
- SAY "five"`,
  },
  {
    what: 'strategies free, host_pinned and debug are known',
    files: {
      'site.yml': ['free', 'host_pinned', 'linear', 'ansible.builtin.free']
        .map(
          (strategy) =>
            `- hosts: all\n  gather_facts: false\n  strategy: ${strategy}\n  tasks:\n    - SAY "1 ${strategy}"\n    - SAY "2 ${strategy}"\n`,
        )
        .join(''),
    },
  },
  {
    what: 'run_once: by the first host, registered for all; with a loop, a condition, delegation',
    tasks: `- SAY "{{ inventory_hostname }}"
  run_once: true
- command: echo {{ inventory_hostname }}
  run_once: true
  register: r
- SAY "{{ r.stdout }}"
- command: echo {{ item }}
  loop: [1, 2]
  run_once: true
  register: s
- SAY "{{ s.results | map(attribute='stdout') | join }}"
- set_fact: {once: "{{ inventory_hostname }}"}
  run_once: true
- SAY "{{ once }}"
- block:
    - SAY "in a block, {{ inventory_hostname }}"
  run_once: true
- SAY "skipped by the first host"
  run_once: true
  when: inventory_hostname != 'a'`,
  },
  {
    what: 'run_once that fails fails for all',
    tasks: `- fail:
  run_once: true
- SAY "never"`,
  },
  {
    what: 'run_once under a strategy of batches: once in each',
    play: '  serial: 1\n',
    tasks: `- SAY "{{ inventory_hostname }}"
  run_once: true`,
  },
  {
    what: 'delegate_to: whose variables, whose names; delegate_facts',
    files: {'host_vars/a.yml': 'mine: of-a\n', 'host_vars/b.yml': 'mine: of-b\n', 'host_vars/c.yml': 'mine: of-c\n'},
    tasks: `- SAY "{{ inventory_hostname }} {{ mine }} {{ ansible_delegated_vars is defined }}"
  delegate_to: b
- set_fact: {f: "{{ inventory_hostname }}"}
  delegate_to: b
  when: inventory_hostname == 'a'
- SAY "{{ f | default('none') }} {{ hostvars['b'].f | default('none') }}"
- set_fact: {g: "{{ inventory_hostname }}"}
  delegate_to: c
  delegate_facts: true
  when: inventory_hostname == 'a'
- SAY "{{ g | default('none') }} {{ hostvars['c'].g | default('none') }}"
- set_fact: {h: "{{ item }}"}
  delegate_to: "{{ item }}"
  delegate_facts: true
  loop: "{{ groups.all }}"
  when: inventory_hostname == 'a'
- SAY "{{ h }}"
- command: echo {{ mine }}
  delegate_to: localhost
  register: r
- SAY "{{ r.stdout }}"
- local_action: command echo local {{ mine }}
  register: r
- SAY "{{ r.stdout }}"`,
  },
  {
    what: 'hostvars of others: what is written down, set, registered',
    files: {'host_vars/a.yml': 'h: 1\n', 'group_vars/two.yml': 'g: two\n'},
    tasks: `- set_fact: {s: "set-{{ inventory_hostname }}"}
- command: echo reg-{{ inventory_hostname }}
  register: r
- SAY "{{ hostvars['b'].s }} {{ hostvars['c']['r'].stdout }} {{ hostvars.a.h }} {{ hostvars.b.g }} {{ hostvars['c'].g | default('none') }}"
- SAY "{{ groups.all | map('extract', hostvars, 's') | join(',') }}"
- SAY "{{ groups['two'] | join }} {{ groups | sort | join }} {{ group_names | join }} {{ hostvars['a'].inventory_hostname }} {{ hostvars['b'].group_names | join }}"`,
  },
  {
    what: 'add_host and group_by: hosts and groups for later plays',
    files: {
      'site.yml': `- hosts: all
  gather_facts: false
  tasks:
    - add_host:
        name: new{{ item }}
        groups: [fresh, more]
        colour: "red{{ item }}"
        ansible_connection: local
      loop: [1, 2]
    - group_by: {key: "kind_{{ 'ab' if inventory_hostname in groups.two else 'c' }}"}
    - SAY "{{ groups.fresh | join }} {{ groups.kind_ab | default([]) | sort | join }}"
- hosts: fresh
  gather_facts: false
  tasks:
    - SAY "{{ colour }} {{ group_names | join(',') }}"
- hosts: kind_*
  gather_facts: false
  tasks:
    - SAY "{{ group_names | join(',') }}"
`,
    },
  },
  {
    what: 'end_play ends it for all, end_batch for the batch, end_host for one',
    files: {
      'site.yml': `- hosts: all
  gather_facts: false
  strategy: linear
  tasks:
    - SAY "1"
    - meta: end_host
      when: inventory_hostname == 'b'
    - SAY "2"
- hosts: all
  gather_facts: false
  strategy: linear
  tasks:
    - SAY "3"
    - meta: end_play
      when: inventory_hostname == 'a'
    - SAY "4"
- hosts: all
  gather_facts: false
  serial: 2
  strategy: linear
  tasks:
    - SAY "5"
    - meta: end_batch
    - SAY "never"
- hosts: all
  gather_facts: false
  serial: 2
  strategy: linear
  tasks:
    - SAY "6"
    - meta: end_play
    - SAY "never"
`,
    },
  },
  {
    what: 'the other meta tasks',
    tasks: `- meta: noop
- meta: refresh_inventory
- set_fact: {kept: 1}
- meta: clear_facts
- SAY "{{ kept | default('gone') }}"
- meta: reset_connection
- meta: flush_handlers
- SAY "end"`,
  },
  {
    what: 'a failed host stays out of the plays after it',
    files: {
      'site.yml': `- hosts: all
  gather_facts: false
  tasks:
    - fail:
      when: inventory_hostname == 'a'
- hosts: all
  gather_facts: false
  tasks:
    - SAY "{{ ansible_play_hosts | join(',') }} {{ ansible_play_hosts_all | join(',') }}"
`,
    },
  },
  {
    what: 'a play in which all fail ends the playbook',
    files: {
      'site.yml': `- hosts: two
  gather_facts: false
  tasks:
    - fail:
- hosts: one
  gather_facts: false
  tasks:
    - SAY "never"
`,
    },
  },
  {
    what: 'import_playbook with variables, a condition and tags',
    args: ['--skip-tags', 'left'],
    files: {
      'site.yml': `- import_playbook: sub/one.yml
  vars: {v: given}
- import_playbook: sub/one.yml
  vars: {v: again}
  when: inventory_hostname == 'a'
- import_playbook: sub/one.yml
  tags: left
`,
      'sub/one.yml': `- hosts: all
  gather_facts: false
  vars: {w: own}
  tasks:
    - SAY "{{ v }} {{ w }} {{ playbook_dir | basename }}"
    - import_tasks: more.yml
`,
      'sub/more.yml': '- SAY "more {{ v }}"\n',
    },
  },
  {
    what: 'throttle and several hosts; nothing is lost',
    play: '  strategy: linear\n',
    tasks: `- SAY "{{ inventory_hostname }}"
  throttle: 1
- block:
    - SAY "again"
  throttle: 2`,
  },
  {
    what: 'vars_prompt without a terminal takes the default; -e answers',
    args: ['-e', 'second=given'],
    play: `  vars_prompt:
    - {name: first, prompt: first, default: one, private: false}
    - {name: second, prompt: second, default: two}
    - {name: third, prompt: third, default: "t", unsafe: true}
`,
    tasks: '- SAY "{{ first }} {{ second }} {{ third }}"',
  },
  {
    what: 'hosts by pattern, template and limit',
    args: ['-e', 'which=two', '--limit', 'b,c'],
    files: {
      'site.yml': `- hosts: "{{ which }}"
  gather_facts: false
  tasks: [{debug: {msg: "1"}}]
- hosts: all:!c
  gather_facts: false
  tasks: [{debug: {msg: "2"}}]
- hosts: two:&all
  gather_facts: false
  tasks: [{debug: {msg: "3"}}]
- hosts: [one, "~^b$"]
  gather_facts: false
  tasks: [{debug: {msg: "4 {{ ansible_limit }}"}}]
- hosts: nobody
  gather_facts: false
  tasks: [{debug: {msg: "5"}}]
`,
    },
  },
  {
    what: 'module_defaults: of play, block, task, groups; arguments win',
    play: `  module_defaults:
    debug: {msg: of the play}
    ansible.builtin.fail: {msg: default}
`,
    tasks: `- debug:
- debug: {msg: own}
- block:
    - debug:
    - debug:
      module_defaults:
        debug: {msg: of the task}
  module_defaults:
    ansible.builtin.debug: {msg: of the block}
- fail:
  ignore_errors: true
  register: r
- SAY "{{ r.msg }}"`,
  },
  {
    what: 'action, local_action and args in all their spellings',
    tasks: `- action: debug msg=one
- action: debug msg="two words"
- action: {module: debug, msg: three}
- action:
    module: ansible.builtin.debug
  args: {msg: four}
- ansible.builtin.debug:
    msg: five
- debug: msg=six
- debug: msg="{{ inventory_hostname }} seven"
- command: sh -c 'pwd'
  args: {chdir: /}
  register: r
- SAY "{{ r.stdout }}"
- command: chdir=/usr pwd
  register: r
- SAY "{{ r.stdout }}"
- command: {argv: [echo, "a b"]}
  register: r
- SAY "{{ r.stdout }}"
- shell: |
    echo one
    echo two
  register: r
- SAY "{{ r.stdout_lines | join('+') }}"
- local_action: {module: debug, msg: eight}`,
  },
  {
    what: 'environment: list, template, of play and task',
    play: '  environment: {A: play, B: play}\n  vars: {extra: {C: var}}\n',
    tasks: `- shell: echo $A $B $C
  environment: [{B: task}, "{{ extra }}"]
  register: r
- SAY "{{ r.stdout }}"
- shell: echo $A $B $C
  environment: "{{ extra }}"
  register: r
- SAY "{{ r.stdout }}"`,
  },
  {
    what: 'check_mode: of the task, in a run',
    tasks: `- command: echo ran
  check_mode: true
  register: r
- SAY "{{ ansible_check_mode }}"
- SAY "{{ ansible_check_mode }}"
  check_mode: true`,
  },
  {
    what: 'check mode: what runs, what registers',
    args: ['--check'],
    tasks: `- command: echo ran
  check_mode: false
  register: r
- SAY "{{ ansible_check_mode }} {{ r.stdout }}"
- set_fact: {f: 1}
- SAY "{{ f }}"
- SAY "only in a run"
  when: not ansible_check_mode`,
  },
  {
    what: 'failed_when and changed_when: lists, results, false, on a skipped task',
    tasks: `- command: "false"
  failed_when: false
  register: r
- SAY "{{ r.rc }} {{ r.failed }} {{ r.failed_when_result }} {{ r is failed }}"
- command: echo err
  register: r
  failed_when: ["'err' in r.stdout", "r.rc == 0"]
  ignore_errors: true
- SAY "{{ r.failed }} {{ r.failed_when_result }}"
- command: echo x
  register: r
  changed_when: ["r.rc == 0", "'y' in r.stdout"]
- SAY "{{ r.changed }}"
- command: echo x
  register: r
  when: false
  failed_when: true
- SAY "{{ r is skipped }} {{ r.skip_reason }} {{ r is changed }} {{ r is failed }} {{ r is succeeded }}"
- debug: {msg: m}
  register: r
- SAY "{{ r.msg }} {{ r.changed }} {{ r.failed }}"`,
  },
  {
    what: 'assert, its messages; several hosts',
    tasks: `- assert:
    that: [1 == 1, inventory_hostname != 'z']
    success_msg: fine
  register: r
- SAY "{{ r.msg }} {{ r.changed }}"
- assert: {that: inventory_hostname == 'a', fail_msg: "not {{ inventory_hostname }}"}
  ignore_errors: true
  register: r
- SAY "{{ r.msg }} {{ r.assertion | default('-') }} {{ r.evaluated_to | default('-') }}"
- assert: {that: inventory_hostname == 'a', msg: x, quiet: true}
- SAY "only a"`,
  },
  {
    what: 'timeout fails the task',
    tasks: `- command: sleep 5
  timeout: 1
  register: r
  ignore_errors: true
- SAY "{{ r is failed }}"`,
  },
  {
    what: 'no_log in a loop: results are registered all the same',
    tasks: `- command: echo {{ item }}
  loop: [x, y]
  no_log: true
  register: r
- SAY "{{ r.results | map(attribute='stdout') | join }}"`,
  },
];
