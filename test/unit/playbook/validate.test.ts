import test from 'ava';
import type {SiteOptions} from '../../../src/playbook/site.ts';
import {brief, play, validate} from '../../support/temp-site.ts';
import type {Files} from '../../support/temp-site.ts';

type Row = readonly [title: string, files: Files | string, found: readonly string[], options?: Partial<SiteOptions>];

const mistakes: readonly Row[] = [
  ['undefined variable', '- debug: {msg: "a {{ nix }}"}', ['site.yml:3:26 undefined-variable "nix" is undefined']],
  [
    'undefined in a variable',
    {'site.yml': play('- debug: {msg: "{{ a }}"}', '  vars: {a: "{{ nix }}"}\n')},
    ['site.yml:2:17 undefined-variable "nix" is undefined'],
  ],
  ['undefined in when', '- debug: {msg: a}\n  when: nix == 1', ['site.yml:4:13 undefined-variable "nix" is undefined']],
  [
    'undefined in a group variable',
    {'site.yml': play('- debug: {msg: "{{ a }}"}'), 'group_vars/all.yml': 'a: "{{ nix }}"\n'},
    ['group_vars/all.yml:1:8 undefined-variable "nix" is undefined'],
  ],
  [
    'two undefined in one text',
    '- debug: {msg: "{{ n1 }} {{ n2 }}"}',
    ['site.yml:3:24 undefined-variable "n1" is undefined', 'site.yml:3:33 undefined-variable "n2" is undefined'],
  ],
  [
    'defined for one host only',
    {'site.yml': play('- debug: {msg: "{{ a }}"}'), 'host_vars/h1.yml': 'a: 1\n'},
    ['site.yml:3:24 undefined-variable "a" is undefined'],
  ],
  [
    'a template that does not parse',
    '- debug: {msg: "{{ 1 + }}"}\n  when: false',
    ['site.yml:3:28 template-syntax expected an expression, got "}}"'],
  ],
  [
    'unknown filter, test and lookup in a task that does not run',
    '- debug: {msg: "{{ 1 | nof }} {{ 1 is nott }} {{ lookup(\'nol\') }}"}\n  when: false',
    [
      'site.yml:3:28 unknown-filter there is no filter "nof"',
      'site.yml:3:43 unknown-test there is no test "nott"',
      'site.yml:3:61 unknown-lookup there is no lookup "nol"',
    ],
  ],
  [
    'a condition that does not parse',
    '- debug: {msg: a}\n  when: a ==',
    ['site.yml:4:17 template-syntax expected an expression, got the end'],
  ],
  [
    'braces in when',
    '- debug: {msg: a}\n  when: "{{ true }}"',
    ['site.yml:4:13 condition-braces when: conditions are expressions already, without braces'],
  ],
  [
    'a condition that is a number',
    '- debug: {msg: a}\n  when: 1',
    ['site.yml:4:13 constant-condition when: this is no condition, so it is always true'],
  ],
  [
    'a condition that is a text',
    '- debug: {msg: a}\n  when: "\'x\'"',
    ['site.yml:4:13 constant-condition when: this is no condition, so it is always true'],
  ],
  [
    'loop over a text',
    '- debug: {msg: a}\n  loop: abc',
    ['site.yml:4:13 loop-type loop needs a list, and this is a text'],
  ],
  [
    'loop over a mapping',
    '- debug: {msg: a}\n  loop: {a: 1}',
    ['site.yml:4:13 loop-type loop needs a list, and this is a mapping'],
  ],
  [
    'a bad value in one round of a loop',
    '- file: {path: "{{ item }}"}\n  loop: [/a, b]',
    ['site.yml:3:20 bad-param file.path: expected an absolute path'],
  ],
  [
    'a handler that does not exist',
    '- command: ls\n  notify: [a]',
    ['site.yml:4:16 unknown-handler there is no handler "a"'],
  ],
  [
    'a handler that nothing notifies',
    {'site.yml': play('- command: ls', '  handlers: [{name: h, debug: {}}]\n')},
    ['site.yml:2:21 unused-handler nothing notifies the handler "h"'],
  ],
  [
    'become_user alone',
    '- command: ls\n  become_user: bob',
    ['site.yml:4:20 become-user-alone become_user has no effect without become'],
  ],
  [
    'a number that loses digits',
    '- lineinfile: {path: /a, line: 1.10}',
    ['site.yml:3:36 bad-param lineinfile.line: expected a text, and this number would lose digits'],
  ],
  [
    'a mode from a variable',
    {'site.yml': play('- file: {path: /a, mode: "{{ m }}"}', '  vars: {m: 0644}\n')},
    [
      'site.yml:2:13 yaml-octal a number with a leading zero',
      'site.yml:4:30 bad-param file.mode: expected a quoted octal string such as "0644"',
    ],
  ],
  [
    'required parameter',
    '- file: {state: directory}',
    ['site.yml:3:7 missing-param file: the parameter path is missing'],
  ],
  [
    'rules between parameters',
    '- copy: {dest: /a}',
    ['site.yml:3:7 missing-param copy: one of `src` and `content` is needed'],
  ],
  [
    'missing source file',
    '- copy: {dest: /a, src: no}',
    ['site.yml:3:29 missing-file copy: no file no on the controller'],
  ],
  ['missing template', '- template: {dest: /a, src: no.j2}', ['site.yml:3:33 missing-file there is no template no.j2']],
  [
    'a mistake in a template file',
    {'site.yml': play('- template: {dest: /a, src: t.j2}'), 'templates/t.j2': 'a\nb {{ nix }}\n'},
    ['templates/t.j2:2:6 undefined-variable "nix" is undefined'],
  ],
  [
    'missing vars file',
    {'site.yml': play('- debug: {msg: a}', '  vars_files: [no.yml]\n')},
    ['site.yml:2:16 missing-file there is no file no.yml'],
  ],
  ['missing file of include_vars', '- include_vars: no.yml', ['site.yml:3:21 missing-file there is no file no.yml']],
  [
    'invalid file below group_vars',
    {'site.yml': play('- debug: {msg: a}'), 'group_vars/all.yml': '- a\n'},
    ['group_vars/all.yml:1:1 bad-vars-file a file of variables must be a mapping of names to values'],
  ],
  ['duplicate key', '- debug: {msg: a, msg: b}', ['site.yml:3:23 duplicate-key the key "msg" is given twice']],
  [
    'no host',
    {'site.yml': '- hosts: webb\n  tasks: []\n', 'hosts.yml': 'web:\n  hosts: {h1: }\n'},
    [
      'site.yml:1:10 no-host-matched no inventory has a host or a group webb',
      'site.yml:1:10 no-hosts no play matches any host',
    ],
  ],
  [
    'a tag that no task has',
    '- debug: {msg: a}\n  tags: [web]',
    ['- unknown-tag --tags wbe: no task has this tag'],
    {tags: ['wbe']},
  ],
  [
    'a condition of assert',
    '- assert: {that: ["nix == 1", "1 =="]}',
    [
      'site.yml:3:24 undefined-variable "nix" is undefined',
      'site.yml:3:40 template-syntax expected an expression, got the end',
    ],
  ],
  [
    'a bad value in an include with a loop',
    {'site.yml': play('- include_tasks: t.yml\n  loop: [a]'), 't.yml': '- file: {path: "{{ item }}"}\n'},
    ['t.yml:1:16 bad-param file.path: expected an absolute path'],
  ],
  [
    'unknown start',
    '- name: one\n  debug: {msg: a}',
    ['- no-such-task --start-at-task: no task is called "on"'],
    {startAtTask: 'on'},
  ],
  ['a dash without a task', '- debug: {msg: a}\n-', ['site.yml:4:5 bad-task nothing follows this dash']],
  ['a misspelt block', '- bolck: []', ['site.yml:3:7 unknown-module there is no module bolck']],
  ['a parameter beside its module', '- debug:\n  msg: a', ['site.yml:4:7 unknown-key a task has no key msg']],
  [
    'a misspelt import_playbook',
    {'site.yml': '- import_playbok: a.yml\n' + play('- debug: {msg: a}')},
    ['site.yml:1:3 unknown-key a play has no key import_playbok'],
  ],
  [
    'values of keywords',
    {
      'site.yml': play(
        '- {debug: {msg: a}, notify: {a: b}, delay: -1, register: "{{ x }}"}',
        '  serial: some\n  become_method: sud\n',
      ),
    },
    [
      'site.yml:2:11 bad-keyword serial: expected a number of hosts, a percentage, or a list of them',
      'site.yml:3:18 bad-keyword become_method: expected one of sudo, su, doas',
      'site.yml:5:33 bad-keyword notify: expected a name or a list of names',
      'site.yml:5:48 bad-keyword delay: expected a number of at least 0',
      'site.yml:5:62 bad-keyword register: expected a name of letters, digits and _ that does not begin with a digit',
    ],
  ],
  [
    'a second document',
    {'site.yml': play('- debug: {msg: a}') + '---\n- hosts: all\n'},
    ['site.yml:4:1 yaml-documents a second document begins here, and nothing would read it'],
  ],
  [
    'values of variables that YAML reads in its own way',
    {'site.yml': play('- debug: {msg: a}', '  vars: {a: no, b: 1.10, c: 0755, d: off, e: 1.0, f: "no"}\n')},
    [
      'site.yml:2:13 yaml-boolean this is the text "no", not a boolean',
      'site.yml:2:20 yaml-number this number would be written as 1.1',
      'site.yml:2:29 yaml-octal a number with a leading zero',
    ],
  ],
  [
    'conditions that are not boolean',
    {
      'site.yml': play(
        '- {debug: {msg: a}, when: s}\n- {debug: {msg: a}, when: l | length}\n- {debug: {msg: a}, failed_when: l}',
        '  vars: {s: x, l: []}\n',
      ),
    },
    [
      'site.yml:4:31 condition-type when: a condition should give true or false, and this gives a text',
      'site.yml:5:31 condition-type when: a condition should give true or false, and this gives a number',
      'site.yml:6:38 condition-type failed_when: a condition should give true or false, and this gives a list',
    ],
  ],
  [
    'braces in the middle of a condition',
    '- debug: {msg: a}\n  when: "{{ a }} == 1 and {{ b }}"',
    ['site.yml:4:13 condition-braces when: braces inside a condition, which is an expression already'],
  ],
  [
    'every undefined name of a template file, though it stops at the first',
    {
      'site.yml': play('- template: {dest: /a, src: t}'),
      'templates/t': '{{ n1 }}\n{{ n2 }}\n{% if n3 %}x{% endif %}\n',
    },
    [
      'templates/t:1:4 undefined-variable "n1" is undefined',
      'templates/t:2:4 undefined-variable "n2" is undefined',
      'templates/t:3:7 undefined-variable "n3" is undefined',
    ],
  ],
  [
    'undefined beside files of variables that hang on facts',
    {
      'site.yml': '- hosts: all\n  roles: [r]\n',
      'roles/r/tasks/main.yml':
        '- include_vars: "{{ ansible_os_family }}.yml"\n- include_tasks: "setup-{{ ansible_os_family }}.yml"\n- debug: {msg: "{{ a }} {{ nix }}"}\n',
      'roles/r/tasks/setup-Debian.yml': '- debug: {msg: "{{ b }} {{ nix2 }}"}\n',
      'roles/r/vars/Debian.yml': 'a: 1\n',
      'roles/r/vars/Suse.yml': 'b: 1\n',
    },
    [
      'roles/r/tasks/setup-Debian.yml:1:28 undefined-variable "nix2" is undefined',
      'roles/r/tasks/main.yml:3:28 undefined-variable "nix" is undefined',
    ],
  ],
  [
    'facts that are nearly ones',
    '- debug: {msg: "{{ ansible_distributin }} {{ ansible_facts.os_famly }} {{ ansible_eth0 }}"}',
    [
      'site.yml:3:24 unknown-fact no host tells a fact distributin',
      'site.yml:3:50 unknown-fact no host tells a fact os_famly',
    ],
  ],
  [
    'hosts and groups that no inventory has',
    {
      'site.yml': play(
        '- {debug: {msg: a}, delegate_to: h3}\n- debug: {msg: "{{ hostvars[\'h4\'].a }} {{ groups.web }}"}\n- {debug: {msg: a}, delegate_to: db.example.com}',
      ),
      'group_vars/web.yml': 'a: 1\n',
      'host_vars/h9.yml': 'a: 1\n',
    },
    [
      'site.yml:3:38 unknown-host delegate_to: no inventory has a host h3',
      'site.yml:4:24 unknown-host no inventory has a host h4',
      'group_vars/web.yml:1:1 unknown-vars-file no inventory has a group web, so nothing reads this',
      'host_vars/h9.yml:1:1 unknown-vars-file no inventory has a host h9, so nothing reads this',
    ],
  ],
  [
    'a handler whose name is a template',
    {
      'site.yml': play(
        '- {command: ls, notify: [restart nginx, restart apache]}',
        '  vars: {svc: nginx}\n  handlers: [{name: "restart {{ svc }}", debug: {}}]\n',
      ),
    },
    ['site.yml:5:45 unknown-handler there is no handler "restart apache"'],
  ],
  [
    'tags that nobody can ask for',
    '- {debug: {msg: a}, tags: [never]}\n- {debug: {msg: a}, tags: [never, always]}\n- {debug: {msg: a}, tags: [all]}\n- {debug: {msg: a}, tags: [never, x]}',
    [
      'site.yml:3:8 unreachable-tag no tag of its own beside never: only --tags never reaches this',
      'site.yml:4:8 unreachable-tag never beside always: this runs every time',
      'site.yml:5:8 reserved-tag "all" as a tag of its own: --tags all means more than this',
    ],
  ],
  [
    'a file whose name is nearly that of another',
    {'site.yml': play('- template: {dest: /a, src: t.j3}'), 'templates/t.j2': 'x'},
    ['site.yml:3:33 missing-file there is no template t.j3'],
  ],
  [
    'names of set_fact',
    '- set_fact: {a-b: 1}\n- set_fact:',
    [
      'site.yml:3:18 bad-variable-name set_fact: "a-b" cannot be used as a variable',
      'site.yml:4:7 missing-param set_fact: no variable is named',
    ],
  ],
  [
    'a name of a task that cannot be filled in',
    '- {name: "x {{ nix }}", debug: {msg: a}}',
    ['site.yml:3:20 undefined-variable "nix" is undefined'],
  ],
  [
    'a variable that needs itself',
    {'site.yml': play('- debug: {msg: "{{ a }}"}', '  vars: {a: "{{ b }}", b: "{{ a }}"}\n')},
    ['site.yml:2:13 variable-cycle the variable a needs itself: a → b → a'],
  ],
];
for (const [title, files, found, options] of mistakes) {
  test(`found: ${title}`, async (t) => {
    const problems = await validate(typeof files === 'string' ? {'site.yml': play(files)} : files, options);
    t.deepEqual(brief(problems), found);
  });
}

const right: readonly Row[] = [
  [
    'facts',
    '- debug: {msg: "{{ ansible_os_family }} {{ ansible_facts.distribution }} {{ ansible_facts[\'mounts\'][0].mount }}"}',
    [],
  ],
  [
    'registered results',
    '- command: ls\n  register: r\n- debug: {msg: "{{ r.stdout_lines[0] }}"}\n  when: r.rc == 0 and r is changed',
    [],
  ],
  [
    'a registered loop',
    '- command: ls {{ item }}\n  loop: [1]\n  register: r\n- debug: {msg: "{{ item.stdout }}"}\n  loop: "{{ r.results }}"',
    [],
  ],
  ['set_fact', '- set_fact: {a: "{{ b | default(1) }}"}\n- debug: {msg: "{{ a }}"}', []],
  ['set_fact with a name that is a template', '- set_fact: {"{{ x }}": 1}\n- debug: {msg: "{{ x | default(2) }}"}', []],
  ['guarded by default', '- debug: {msg: "{{ a | default(1) }} {{ b.c | default(2) }}"}', []],
  ['guarded by when', '- debug: {msg: "{{ a }}"}\n  when: a is defined', []],
  [
    'guarded by when with a fact beside it',
    '- debug: {msg: "{{ a }}"}\n  when: ansible_os_family == "Debian" and a is defined',
    [],
  ],
  ['not run here', '- debug: {msg: "{{ a }}"}\n  when: inventory_hostname == "other"', []],
  [
    'defined for the hosts that use it',
    {'site.yml': play('- debug: {msg: "{{ a }}"}\n  when: inventory_hostname == "h1"'), 'host_vars/h1.yml': 'a: 1\n'},
    [],
  ],
  ['files chosen by facts', '- include_vars: "{{ ansible_distribution }}.yml"\n- debug: {msg: "{{ from_there }}"}', []],
  [
    'include_vars that is known',
    {'site.yml': play('- include_vars: v.yml\n- debug: {msg: "{{ a }}"}'), 'vars/v.yml': 'a: 1\n'},
    [],
  ],
  ['includes chosen by facts', '- include_tasks: "{{ ansible_os_family }}.yml"', []],
  ['vars_prompt', {'site.yml': play('- debug: {msg: "{{ a }}"}', '  vars_prompt: [{name: a}]\n')}, []],
  ['extra variables', '- debug: {msg: "{{ a }}"}', [], {extraVars: ['a=1']}],
  [
    'magic variables',
    '- debug: {msg: "{{ groups.all }} {{ hostvars[inventory_hostname].inventory_hostname }} {{ playbook_dir }} {{ ansible_check_mode }} {{ ansible_play_hosts }}"}',
    [],
  ],
  [
    'loops',
    '- debug: {msg: "{{ item }} {{ i }} {{ ansible_loop.index }}"}\n  loop: [a]\n  loop_control: {index_var: i, extended: true, label: "{{ item }}"}',
    [],
  ],
  ['with_dict', '- debug: {msg: "{{ item.key }} {{ item.value }}"}\n  with_dict: {a: 1}', []],
  ['a loop over facts', '- debug: {msg: "{{ item.mount }}"}\n  loop: "{{ ansible_mounts }}"', []],
  ['a loop that does not run', '- debug: {msg: "{{ item }}"}\n  loop: "{{ nix }}"\n  when: false', []],
  [
    'until and failed_when on the own result',
    '- command: ls\n  register: r\n  until: r.rc == 0\n  failed_when: "\'x\' in r.stderr"\n  changed_when: false',
    [],
  ],
  [
    'rescue',
    '- block: [{command: ls}]\n  rescue: [{debug: {msg: "{{ ansible_failed_result.msg }} {{ ansible_failed_task.name }}"}}]',
    [],
  ],
  [
    'roles see each other’s defaults',
    {
      'site.yml': '- hosts: all\n  roles: [a, b]\n',
      'roles/a/tasks/main.yml': '- debug: {msg: "{{ y }}"}\n',
      'roles/b/defaults/main.yml': 'y: 1\n',
      'roles/b/tasks/main.yml': '',
    },
    [],
  ],
  [
    'role parameters',
    {
      'site.yml': '- hosts: all\n  roles: [{role: a, x: 1}]\n',
      'roles/a/tasks/main.yml': '- debug: {msg: "{{ x }} {{ role_path }} {{ role_name }}"}\n',
    },
    [],
  ],
  [
    'handlers by topic, by role and in a list',
    {
      'site.yml': play(
        '- command: ls\n  notify: [h1, "r : h2", topic]',
        '  roles: [r]\n  handlers: [{name: h1, debug: {}}, {name: h3, listen: topic, debug: {}}]\n',
      ),
      'roles/r/handlers/main.yml': '- {name: h2, debug: {}}\n',
    },
    [],
  ],
  ['yes and no as conditions', '- {command: ls, when: yes, changed_when: no, failed_when: off}', []],
  ['yes and no where a boolean is declared', '- copy: {dest: /a, content: x, force: no}\n  become: yes', []],
  ['omit', '- file: {path: /a, mode: "{{ m | default(omit) }}"}', []],
  ['numbers for texts', '- user: {name: bob, comment: 5}', []],
  [
    'secrets in vault files are not judged before they can be read',
    "- debug: {msg: \"{{ lookup('env', 'HOME') }}\"}",
    [],
  ],
  [
    'add_host brings its variables',
    '- add_host: {name: new, groups: g, v: 1}\n- debug: {msg: "{{ hostvars[\'new\'].v }} {{ v }}"}',
    [],
  ],
  ['tasks that were not asked for', '- debug: {msg: "{{ nix }}"}\n  tags: [never, x]', []],
  [
    'files of the role',
    {
      'site.yml': '- hosts: all\n  roles: [r]\n',
      'roles/r/tasks/main.yml': '- copy: {src: f, dest: /f}\n- template: {src: t, dest: /t}\n',
      'roles/r/files/f': 'x',
      'roles/r/templates/t': '{{ inventory_hostname }}',
    },
    [],
  ],
];
for (const [title, files, found, options] of right) {
  test(`no false alarm: ${title}`, async (t) => {
    const problems = await validate(typeof files === 'string' ? {'site.yml': play(files)} : files, options);
    t.deepEqual(brief(problems), found);
  });
}

test('many hosts cost little more than one: the mistake of a single host among them is found', async (t) => {
  const hosts = Array.from(
    {length: 2000},
    (_, i) => `    h${i}: {ansible_host: 10.0.0.${i % 250}, size: ${i === 1500 ? 'big' : '1'}}`,
  ).join('\n');
  const problems = await validate({
    'hosts.yml': `all:\n  hosts:\n${hosts}\n`,
    'site.yml': play('- wait_for: {port: "{{ size }}"}\n- debug: {msg: "{{ inventory_hostname }}"}'),
  });
  t.deepEqual(brief(problems), ['site.yml:3:24 bad-param wait_for.port: expected an integer from 1 to 65535']);
});

test('hashing passwords slowly is left to the run, but its arguments are judged', async (t) => {
  const problems = await validate({
    'site.yml': play(
      `- debug: {msg: "{{ 'a' | password_hash('sha512', 'salt', rounds=4000000) }}"}\n- debug: {msg: "{{ 'a' | password_hash('md5') }}"}\n- debug: {msg: "{{ 'a' | password_hash('sha512', 'salt', rounds=3) }}"}`,
    ),
  });
  t.deepEqual(
    problems.map(({message}) => message),
    ['password_hash cannot make "md5"', 'rounds must be between 1000 and 5000000'],
  );
});
