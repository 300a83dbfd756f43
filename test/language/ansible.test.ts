// The same playbook by Debian's ansible-playbook and by us, both on this machine over `local`: the same steps in the same order, the same end.
// Each step writes its word into a trace, so that what counts is what ran, not how it is reported.
import {execFile, execFileSync} from 'node:child_process';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {withFiles} from '../support/temp-site.ts';

const checkout = path.dirname(path.dirname(import.meta.dirname));

function hasAnsible(): boolean {
  try {
    execFileSync('ansible-playbook', ['--version'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}

/** `step WORD [more keys]`: a task that writes a word into the trace. */
const step = (word: string, more = ''): string =>
  `{name: step, shell: 'echo ${word} >> "{{ trace }}"'${more === '' ? '' : `, ${more}`}}`;

type Case = readonly [what: string, play: string, handlers?: string];
const cases: readonly Case[] = [
  [
    'when, register, changed_when, failed_when, ignore_errors',
    `- ${step('one', 'register: one')}
- ${step('two', 'when: one.rc == 0 and one is changed')}
- ${step('never', 'when: one is failed')}
- ${step('quiet', 'register: quiet, changed_when: false')}
- ${step('not-changed', 'when: quiet is not changed')}
- {shell: "echo out; exit 3", register: three, failed_when: three.rc != 3}
- ${step('rc-{{ three.rc }}-{{ three.stdout }}-{{ three.failed }}')}
- {shell: "exit 4", register: four, ignore_errors: true}
- ${step('ignored-{{ four.rc }}-{{ four is failed }}')}
- {command: "true", when: false, register: skipped}
- ${step('skipped-{{ skipped is skipped }}-{{ skipped.changed }}')}
- ${step('list', 'when: [true, "one.rc == 0"]')}`,
  ],
  [
    'loops: items, index, label, nested data, results',
    `- ${step('{{ item }}', 'loop: [a, b, c], register: looped')}
- ${step('{{ i }}-{{ it.name }}', 'loop: [{name: x}, {name: y}], loop_control: {loop_var: it, index_var: i, label: "{{ it.name }}"}')}
- ${step('n-{{ looped.results | length }}-{{ looped.results | map(attribute="item") | join("+") }}-{{ looped.changed }}')}
- ${step('{{ item.key }}={{ item.value }}', 'loop: "{{ {\\"p\\": 1, \\"q\\": 2} | dict2items }}"')}
- ${step('{{ item }}', 'with_items: [[f, g], h]')}
- ${step('{{ item }}', 'with_sequence: start=1 end=3')}
- ${step('{{ item.0 }}{{ item.1 }}', 'with_nested: [[k, l], [1, 2]]')}
- ${step('{{ item }}', 'loop: [1, 2, 3, 4], when: item is even')}
- ${step('empty-{{ item }}', 'loop: [], register: nothing')}
- ${step('none-{{ nothing.results | length }}-{{ nothing is skipped }}')}`,
  ],
  [
    'blocks: rescue, always, what they know, nesting',
    `- block:
    - ${step('in')}
    - {name: breaks, shell: exit 1}
    - ${step('never')}
  rescue:
    - ${step('rescued-{{ ansible_failed_task.name }}-{{ ansible_failed_result.rc }}')}
  always:
    - ${step('always')}
- block:
    - block:
        - {shell: exit 1}
      rescue:
        - ${step('inner')}
        - {shell: exit 1}
      always:
        - ${step('inner-always')}
  rescue:
    - ${step('outer')}
- block:
    - ${step('fine')}
  rescue:
    - ${step('never')}
  always:
    - ${step('always-2')}
- block:
    - ${step('guarded')}
  when: false
- ${step('after')}`,
  ],
  [
    'a failure in a block without rescue: always runs, the play ends',
    `- block:
    - {shell: exit 1}
  always:
    - ${step('always')}
- ${step('never')}`,
  ],
  [
    'handlers: once, in their order, by listen, chained, flushed',
    `- ${step('a', 'notify: second')}
- ${step('b', 'notify: [first, second]')}
- ${step('c', 'changed_when: false, notify: never')}
- meta: flush_handlers
- ${step('d', 'notify: topic')}
- ${step('e', 'notify: chain')}`,
    `- ${step('h-first').replace('name: step', 'name: first')}
- ${step('h-second').replace('name: step', 'name: second')}
- ${step('h-never').replace('name: step', 'name: never')}
- ${step('h-listens', 'listen: topic').replace('name: step', 'name: listens')}
- ${step('h-chain', 'notify: last').replace('name: step', 'name: chain')}
- ${step('h-last').replace('name: step', 'name: last')}`,
  ],
  [
    'handlers do not run after a failure',
    `- ${step('a', 'notify: first')}
- {shell: exit 1}
- ${step('never')}`,
    `- ${step('h-first').replace('name: step', 'name: first')}`,
  ],
  [
    'until: attempts are counted, the result is the last',
    `- {shell: 'echo x >> "{{ trace }}.count"; test $(wc -l < "{{ trace }}.count") -ge 3', register: tried, until: tried.rc == 0, retries: 5, delay: 0}
- ${step('attempts-{{ tried.attempts }}')}
- {shell: exit 1, register: tired, until: tired.rc == 0, retries: 2, delay: 0, ignore_errors: true}
- ${step('gave-up-{{ tired is failed }}-{{ tired.attempts }}')}`,
  ],
  [
    'variables: set_fact, vars of task and block, precedence, facts of the play',
    `- set_fact: {kept: one, list: [1, 2]}
- ${step('{{ kept }}-{{ list | sum }}')}
- ${step('{{ kept }}', 'vars: {kept: task}')}
- block:
    - ${step('{{ inner }}-{{ given }}')}
  vars: {inner: block}
- ${step('{{ undefined_thing | default("fallback") }}')}
- ${step('{{ "yes" if kept is defined and gone is not defined else "no" }}')}
- ${step('{{ inventory_hostname }}-{{ ansible_play_hosts | length }}-{{ groups["all"] | length }}')}`,
  ],
  ['a failed assertion ends the play', `- ${step('a')}\n- {assert: {that: ["1 == 1", "1 == 2"]}}\n- ${step('never')}`],
  ['meta: end_play', `- ${step('a')}\n- meta: end_play\n- ${step('never')}`],
];

type Ended = {readonly exit: number; readonly trace: string; readonly said: string};

function ends(
  program: string,
  argv: readonly string[],
  cwd: string,
  env: Record<string, string>,
  trace: string,
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      program,
      [...argv, '-e', `trace=${trace}`],
      {cwd, env: {...process.env, NODE_OPTIONS: '', ...env}},
      (error, out, err) => {
        const exit = error === null ? 0 : Number(error.code);
        void readFile(trace, 'utf8')
          .catch(() => '')
          .then((text) => resolve({exit, trace: text, said: `${out}\n${err}`}));
      },
    );
  });
}

// serial: this machine is one host, and a host is changed by one run at a time
const compared = hasAnsible() ? test.serial : test.serial.skip;
for (const [what, tasks, handlers] of cases)
  compared(`as ansible-playbook does: ${what}`, async (t) => {
    t.timeout(120_000);
    const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '    ');
    const site = `- hosts: all\n  gather_facts: false\n  vars: {given: play}\n  tasks:\n${indented(tasks)}\n${handlers === undefined ? '' : `  handlers:\n${indented(handlers)}\n`}`;
    const hosts =
      'all:\n  vars: {ansible_connection: local, ansible_python_interpreter: /usr/bin/python3}\n  hosts:\n    h1:\n';
    await withFiles({'site.yml': site, 'hosts.yml': hosts}, async (cwd) => {
      const argv = ['-i', 'hosts.yml', 'site.yml'];
      const theirs = await ends(
        'ansible-playbook',
        argv,
        cwd,
        {
          ANSIBLE_LOCALHOST_WARNING: 'false',
          ANSIBLE_HOME: path.join(cwd, 'ansible'),
          ANSIBLE_LOCAL_TEMP: path.join(cwd, 'tmp'),
          ANSIBLE_REMOTE_TEMP: path.join(cwd, 'remote'),
        },
        path.join(cwd, 'theirs'),
      );
      const ours = await ends(
        process.execPath,
        [path.join(checkout, 'bin', 'tsplay.js'), 'run', ...argv],
        cwd,
        {TSPLAY_STATE: path.join(cwd, 'state'), HOME: cwd},
        path.join(cwd, 'ours'),
      );
      t.not(theirs.trace, '', theirs.said);
      t.is(ours.trace, theirs.trace, ours.said);
      t.is(ours.exit, theirs.exit, ours.said);
    });
  });
