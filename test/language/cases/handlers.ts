import type {Case} from '../compare.ts';

const change = (word: string, notify: string): string => `- SAY "${word}"\n  changed_when: true\n  notify: ${notify}\n`;

/** Handlers: when, in which order, by which name, and after failures. */
export const handlerCases: readonly Case[] = [
  {
    what: 'order of definition, once, by listen, by template, by role name',
    play: `  vars: {which: h2, topic: t}
  handlers:
    - {name: h1, debug: {msg: h1}}
    - {name: h2, debug: {msg: h2}, listen: [t, u]}
    - {name: h3, debug: {msg: h3}, listen: t}
    - {name: "h {{ which }}", debug: {msg: templated}}
`,
    tasks: `${change('a', '[h3, h1]')}${change('b', '"{{ which }}"')}- meta: flush_handlers
${change('c', '"{{ topic }}"')}- meta: flush_handlers
${change('d', 'h h2')}`,
  },
  {
    what: 'a handler of the same name: the last one counts; listeners all run',
    play: `  handlers:
    - {name: h, debug: {msg: first}}
    - {name: h, debug: {msg: last}}
    - {name: l1, listen: t, debug: {msg: l1}}
    - {name: l2, listen: t, debug: {msg: l2}}
`,
    tasks: change('a', '[h, t]'),
  },
  {
    what: 'chains forwards and backwards',
    play: `  handlers:
    - {name: h1, debug: {msg: h1}, changed_when: true, notify: h3}
    - {name: h2, debug: {msg: h2}, changed_when: true, notify: h1}
    - {name: h3, debug: {msg: h3}}
`,
    tasks: change('a', 'h2'),
  },
  {
    what: 'conditions, loops, blocks and includes in handlers',
    files: {'more.yml': '- SAY "included {{ x }}"\n- SAY "included two"\n'},
    play: `  handlers:
    - {name: h1, debug: {msg: "h1 {{ item }}"}, loop: [1, 2]}
    - {name: h2, debug: {msg: h2}, when: inventory_hostname == 'a'}
    - {name: h3, include_tasks: more.yml, vars: {x: 1}}
    - {name: h4, debug: {msg: h4}}
`,
    tasks: change('a', '[h1, h2, h3, h4]'),
  },
  {
    what: 'pre_tasks, roles, tasks and post_tasks flush their own',
    files: {
      'site.yml': `- hosts: a
  gather_facts: false
  handlers:
    - {name: h, debug: {msg: handled}}
  pre_tasks:
    - {debug: {msg: pre}, changed_when: true, notify: h}
  tasks:
    - {debug: {msg: tasks}, changed_when: true, notify: h}
    - {debug: {msg: tasks2}}
  post_tasks:
    - {debug: {msg: post}, changed_when: true, notify: h}
`,
    },
  },
  {
    what: 'handlers of two roles with one name; ROLE : NAME',
    files: {
      'site.yml': `- hosts: a
  gather_facts: false
  roles: [r1, r2]
  tasks:
    - {debug: {msg: t}, changed_when: true, notify: "r1 : h"}
    - {meta: flush_handlers}
    - {debug: {msg: u}, changed_when: true, notify: h}
`,
      'roles/r1/handlers/main.yml': '- {name: h, debug: {msg: "h of r1"}}\n',
      'roles/r2/handlers/main.yml': '- {name: h, debug: {msg: "h of r2"}}\n',
      'roles/r1/tasks/main.yml': '- {debug: {msg: r1}, changed_when: true, notify: "r1 : h"}\n',
      'roles/r2/tasks/main.yml': '- {debug: {msg: r2}}\n',
    },
  },
  {
    what: 'a failed host runs no handlers; the others do',
    play: '  handlers:\n    - {name: h, debug: {msg: h}}\n',
    tasks: `${change('a', 'h')}- fail:\n  when: inventory_hostname == 'a'\n- SAY "end"`,
  },
  {
    what: 'force_handlers of the play',
    play: '  force_handlers: true\n  handlers:\n    - {name: h, debug: {msg: h}}\n',
    tasks: `${change('a', 'h')}- fail:\n  when: inventory_hostname == 'a'\n- SAY "end"`,
  },
  {
    what: '--force-handlers',
    args: ['--force-handlers'],
    play: '  handlers:\n    - {name: h, debug: {msg: h}}\n',
    tasks: `${change('a', 'h')}- fail:\n- SAY "end"`,
  },
  {
    what: 'a failing handler ends the host; with ignore_errors it goes on',
    play: `  handlers:
    - {name: h1, fail: {msg: x}, ignore_errors: "{{ inventory_hostname == 'a' }}"}
    - {name: h2, debug: {msg: h2}}
`,
    tasks: change('a', '[h1, h2]'),
  },
  {
    what: 'notified in a loop and by include; flushed inside of a block',
    files: {'inc.yml': change('inc', 'h2')},
    play: `  handlers:
    - {name: h1, debug: {msg: h1}}
    - {name: h2, debug: {msg: h2}}
`,
    tasks: `- SAY "{{ item }}"
  loop: [1, 2]
  changed_when: item == 2
  notify: h1
- include_tasks: inc.yml
- block:
    - meta: flush_handlers
    - SAY "flushed"
- SAY "end"`,
  },
  {
    what: 'variables of the play, not of the notifying task, in handlers; facts of the host',
    play: `  vars: {v: play}
  handlers:
    - {name: h, debug: {msg: "{{ v }} {{ f }}"}}
`,
    tasks: `- set_fact: {f: fact}
- SAY "a"
  changed_when: true
  notify: h
  vars: {v: task}`,
  },
  {
    what: 'handlers by import, tags do not keep them back',
    args: ['--tags', 'x'],
    files: {'hs.yml': '- {name: h, debug: {msg: h}}\n- {name: i, debug: {msg: i}, tags: never}\n'},
    play: '  handlers:\n    - import_tasks: hs.yml\n',
    tasks: `- SAY "a"
  changed_when: true
  notify: [h, i]
  tags: x
- SAY "not"`,
  },
];
