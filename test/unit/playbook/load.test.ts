import test from 'ava';
import type {Node} from '../../../src/playbook/node.ts';
import type {Item, Play, Task} from '../../../src/playbook/program.ts';
import {isImplicit} from '../../../src/playbook/select.ts';
import {brief, load, play} from '../../support/temp-site.ts';
import type {Files} from '../../support/temp-site.ts';

/** A node as plain data. */
function data(node: Node | undefined): unknown {
  if (node === undefined) return undefined;
  if (node.kind === 'list') return node.items.map(data);
  if (node.kind === 'map') return Object.fromEntries(node.entries.map(({key, value}) => [key, data(value)]));
  return node.value;
}

function tasksIn(items: readonly Item[]): Task[] {
  return items.flatMap((item) => {
    if (item.item === 'task') return isImplicit(item) ? [] : [item];
    return item.item === 'block' ? tasksIn([...item.block, ...item.rescue, ...item.always]) : [];
  });
}

async function tasks(files: Files | string): Promise<Task[]> {
  const {program, problems} = await load(typeof files === 'string' ? {'site.yml': play(files)} : files);
  if (problems.length > 0) throw new Error(brief(problems).join('\n'));
  return program.plays.flatMap((each) => tasksIn(each.items));
}

async function onePlay(files: Files): Promise<Play> {
  const {program, problems} = await load(files);
  if (problems.length > 0) throw new Error(brief(problems).join('\n'));
  return program.plays[0]!;
}

const forms: readonly [title: string, yaml: string, params: unknown][] = [
  ['a mapping', '- copy: {src: a, dest: /b}', {src: 'a', dest: '/b'}],
  ['a collection name', '- ansible.builtin.copy: {src: a, dest: /b}', {src: 'a', dest: '/b'}],
  ['k=v', '- copy: src=a dest=/b', {src: 'a', dest: '/b'}],
  ['k=v with quotes', `- debug: msg="hello 'you' there"`, {msg: "hello 'you' there"}],
  ['k=v with a template', '- debug: msg={{ a | default("x y") }}', {msg: '{{ a | default("x y") }}'}],
  ['k=v with a quoted template', '- debug: msg="{{ a }} b"', {msg: '{{ a }} b'}],
  ['free-form command', '- command: ls -l "a b"', {cmd: 'ls -l "a b"'}],
  [
    'command with options behind',
    '- command: make install creates=/x chdir=/src',
    {cmd: 'make install', creates: '/x', chdir: '/src'},
  ],
  ['command with options in front', '- shell: creates=/x echo a=b   > /x', {cmd: 'echo a=b   > /x', creates: '/x'}],
  ['command with options amid', '- command: a creates=/x b', {cmd: 'a b', creates: '/x'}],
  ['args', '- command: ls\n  args: {chdir: /tmp}', {cmd: 'ls', chdir: '/tmp'}],
  ['a shell script keeps its lines', '- shell: |\n    a\n      b', {cmd: 'a\n  b\n'}],
  ['action with a text', '- action: copy src=a dest=/b', {src: 'a', dest: '/b'}],
  ['action with a mapping', '- action: {module: copy, src: a, dest: /b}', {src: 'a', dest: '/b'}],
  ['no parameters', '- ping:', undefined],
  ['free form of an action', '- meta: flush_handlers', {do: 'flush_handlers'}],
  ['a template for all parameters', '- file: "{{ options }}"', '{{ options }}'],
];
for (const [title, yaml, params] of forms) {
  test(`parameters: ${title}`, async (t) => {
    const [task] = await tasks(yaml);
    t.deepEqual(data(task?.params), params);
  });
}

test('a value from k=v has the place where it stands', async (t) => {
  const text = play('- copy: src=abc dest="/b c"');
  const {program} = await load({'site.yml': text});
  const [task] = tasksIn(program.plays[0]!.items);
  const places =
    task?.params?.kind === 'map' ? task.params.entries.map(({value: {span}}) => text.slice(span.start, span.end)) : [];
  t.deepEqual(places, ['abc', '/b c']);
});

test('keywords come from play, blocks and task; when, tags and environment add up', async (t) => {
  const [task] = await tasks({
    'site.yml': play(
      '- block:\n    - debug: {msg: x}\n      when: c\n      tags: [t3]\n      become: false\n      environment: {C: 3}\n  when: [a, b]\n  tags: t1, t2\n  become_user: bob\n  environment: {B: 2}',
      '  become: true\n  tags: t0\n  environment: {A: 1}\n',
    ),
  });
  const {keywords} = task!;
  t.deepEqual(keywords.tags, ['t0', 't1', 't2', 't3']);
  t.deepEqual(keywords.when.map(data), ['a', 'b', 'c']);
  t.deepEqual(keywords.environment.map(data), [{A: 1}, {B: 2}, {C: 3}]);
  t.is(data(keywords.become), false);
  t.is(data(keywords.becomeUser), 'bob');
});

test('local_action delegates to localhost', async (t) => {
  const [task] = await tasks('- local_action: command ls');
  t.is(data(task?.keywords.delegateTo), 'localhost');
  t.deepEqual(data(task?.params), {cmd: 'ls'});
});

test('loops', async (t) => {
  const [a, b] = await tasks(
    '- debug: {msg: x}\n  loop: [1]\n  loop_control: {loop_var: v, index_var: i, label: L, extended: true}\n- debug: {msg: y}\n  with_dict: {a: 1}',
  );
  t.like(a?.keywords.loop, {form: 'loop', loopVar: 'v', indexVar: 'i', extended: true});
  t.like(b?.keywords.loop, {form: 'dict', loopVar: 'item', indexVar: undefined, extended: false});
});

test('module_defaults are below the task’s own parameters', async (t) => {
  const [task] = await tasks({
    'site.yml': play(
      '- file: {path: /a, mode: "0600"}',
      '  module_defaults:\n    ansible.builtin.file: {owner: bob, mode: "0644"}\n',
    ),
  });
  t.deepEqual(data(task?.params), {owner: 'bob', mode: '0600', path: '/a'});
});

test('sections run in order with handlers flushed in between', async (t) => {
  const {items} = await onePlay({
    'site.yml':
      '- hosts: all\n  post_tasks: [{debug: {msg: 3}}]\n  pre_tasks: [{debug: {msg: 1}}]\n  tasks: [{debug: {msg: 2}}]\n  handlers: [{name: h, debug: {msg: h}}]\n',
  });
  t.deepEqual(
    items.map((item) => (item.item === 'task' ? [item.spelled, data(item.params)] : item.item)),
    [
      ['debug', {msg: 1}],
      ['flush_handlers', {do: 'flush_handlers'}],
      ['debug', {msg: 2}],
      ['flush_handlers', {do: 'flush_handlers'}],
      ['debug', {msg: 3}],
      ['flush_handlers', {do: 'flush_handlers'}],
    ],
  );
});

const role: Files = {
  'site.yml':
    '- hosts: all\n  roles:\n    - {role: web, http_port: 80, tags: [w], when: on}\n    - web2\n  tasks: [{debug: {msg: t}}]\n',
  'roles/web/tasks/main.yml': '- debug: {msg: web}\n',
  'roles/web/defaults/main.yml': 'a: 1\n',
  'roles/web/vars/main.yml': 'b: 2\n',
  'roles/web/handlers/main.yml': '- name: restart\n  debug: {msg: h}\n',
  'roles/web/meta/main.yml': 'dependencies: [base]\n',
  'roles/web2/tasks/main.yml': '- debug: {msg: web2}\n',
  'roles/web2/meta/main.yml': 'dependencies: [{role: base}]\n',
  'roles/base/tasks/main.yml': '- debug: {msg: base}\n',
  'roles/base/defaults/main.yml': 'c: 3\n',
};

test('roles: dependencies first and once, variables for all tasks of the play, handlers for the play', async (t) => {
  const whole = await onePlay(role);
  const found = tasksIn(whole.items);
  t.deepEqual(
    found.map((task) => (data(task.params) as {msg: string}).msg),
    ['base', 'web', 'web2', 't'],
  );
  t.deepEqual(
    found.map((task) => task.role?.name),
    ['base', 'web', 'web2', undefined],
  );
  t.deepEqual(found[1]?.keywords.tags, ['w']);
  const layers = (task: Task): string[] =>
    task.vars.map((layer) => `${layer.kind}: ${[...layer.values.keys()].join()}`);
  t.deepEqual(layers(found[3]!), ['role-defaults: a', 'role-vars: b', 'role-defaults: c']);
  t.deepEqual(layers(found[1]!).slice(3), ['role-defaults: a', 'role-vars: b', 'role-params: http_port']);
  t.is(whole.handlers.length, 1);
  t.is(whole.handlers[0]!.role?.name, 'web');
  t.deepEqual(whole.handlers[0]!.keywords.tags, []);
});

test('static includes are blocks; the tags and conditions around them are their tasks’', async (t) => {
  const files: Files = {
    'site.yml': play(
      '- include_tasks: sub/a.yml\n  tags: x\n  when: c\n  vars: {v: 1}\n- import_role: {name: r, tasks_from: other}',
    ),
    'sub/a.yml': '- import_tasks: b.yml\n',
    'sub/b.yml': '- debug: {msg: b}\n',
    'roles/r/tasks/other.yml': '- debug: {msg: other}\n',
  };
  const [b, other] = await tasks(files);
  t.deepEqual(b?.keywords.tags, ['x']);
  t.deepEqual(b!.keywords.when.map(data), ['c']);
  t.deepEqual(
    b!.vars.map((layer) => layer.kind),
    ['include'],
  );
  t.is(other?.role?.name, 'r');
});

test('an include whose condition its own tasks change is judged once', async (t) => {
  const files: Files = {
    'site.yml': play('- include_tasks: a.yml\n  when: done is not defined'),
    'a.yml': '- set_fact: {done: true}\n- debug: {msg: still}\n',
  };
  const {items} = await onePlay(files);
  const [include] = items;
  t.is(include?.item, 'include');
});

test('an include with a template or a loop is read later, by the same code', async (t) => {
  await t.notThrowsAsync(async () => {
    const {program} = await load({
      'site.yml': play('- include_tasks: "{{ f }}.yml"\n  tags: x\n- include_tasks: a.yml\n  loop: [1]'),
      'a.yml': '- debug: {msg: a}\n',
    });
    t.deepEqual(
      program.plays[0]!.items.map((item) => [item.item, item.keywords.tags]),
      [
        ['include', ['x']],
        ['include', []],
        ['task', ['always']],
      ],
    );
  });
});

test('import_playbook gives its tags, conditions and variables to the plays', async (t) => {
  const {program} = await load({
    'site.yml': '- import_playbook: sub/p.yml\n  tags: x\n  when: c\n  vars: {v: 1}\n',
    'sub/p.yml': '- hosts: web\n  tasks:\n    - include_tasks: t.yml\n',
    'sub/t.yml': '- debug: {msg: x}\n',
  });
  const [only] = program.plays;
  const [task] = tasksIn(only!.items);
  t.is(only!.name, 'web');
  t.deepEqual(task?.keywords.tags, ['x']);
  t.deepEqual(task!.keywords.when.map(data), ['c']);
  t.deepEqual([...only!.vars.keys()], ['v']);
});

const mistakes: readonly [title: string, files: Files | string, found: readonly string[]][] = [
  ['unknown task key', '- debug: {msg: x}\n  whn: a', ['site.yml:4:7 unknown-key a task has no key whn']],
  ['unknown play key', {'site.yml': '- hosts: all\n  tsks: []\n'}, ['site.yml:2:3 unknown-key a play has no key tsks']],
  ['unknown module', '- coppy: {src: a}', ['site.yml:3:7 unknown-module there is no module coppy']],
  ['no module', '- name: nothing', ['site.yml:3:7 no-module this task says nothing to do: it names no module']],
  [
    'two modules',
    '- debug: {msg: x}\n  command: ls',
    ['site.yml:4:7 two-modules command beside debug: a task names one module'],
  ],
  [
    'module and misspelt key',
    '- nmae: x\n  coppy: {}',
    ['site.yml:3:7 unknown-key a task has no key nmae', 'site.yml:4:7 unknown-module there is no module coppy'],
  ],
  [
    'a list of parameters',
    '- file: [a]',
    ['site.yml:3:13 bad-params file: expected a mapping of parameters, not a list'],
  ],
  [
    'text for a module without free form',
    '- file: abc',
    ['site.yml:3:13 bad-params file: expected a mapping of parameters'],
  ],
  ['a word that is no k=v', '- file: path=/a b', ['site.yml:3:21 bad-free-form expected name=value, not "b"']],
  [
    'two loops',
    '- debug: {msg: x}\n  loop: []\n  with_items: []',
    ['site.yml:5:7 two-loops with_items beside loop: a task has one loop'],
  ],
  [
    'loop_control key',
    '- debug: {msg: x}\n  loop: []\n  loop_control: {lop_var: x}',
    ['site.yml:5:22 unknown-key loop_control has no key lop_var'],
  ],
  [
    'bad register',
    '- debug: {msg: x}\n  register: a-b',
    ['site.yml:4:17 bad-keyword register: expected a name of letters, digits and _ that does not begin with a digit'],
  ],
  [
    'become is no boolean',
    '- debug: {msg: x}\n  become: maybe',
    ['site.yml:4:15 bad-keyword become: expected true or false'],
  ],
  ['no hosts', {'site.yml': '- tasks: []\n'}, ['site.yml:1:3 no-hosts this play does not say for which hosts it is']],
  [
    'bad strategy',
    {'site.yml': '- hosts: all\n  strategy: fre\n'},
    ['site.yml:2:13 bad-keyword strategy: expected one of free, linear, host_pinned, debug'],
  ],
  ['not a list', {'site.yml': 'hosts: all\n'}, ['site.yml:1:1 bad-playbook expected a list of plays']],
  ['empty', {'site.yml': '# nothing\n'}, ['site.yml:1:1 empty-playbook this playbook has no plays']],
  ['rescue alone', '- rescue: []', ['site.yml:3:7 block-missing rescue belongs to a block, and there is none here']],
  ['missing include', '- include_tasks: no.yml', ['site.yml:3:22 missing-file there is no file no.yml']],
  ['missing role', '- include_role: {name: no}', ['site.yml:3:28 missing-role there is no role no']],
  [
    'missing tasks_from',
    {'site.yml': play('- import_role: {name: r, tasks_from: x}'), 'roles/r/tasks/main.yml': ''},
    ['site.yml:3:42 missing-file the role r has no tasks/x'],
  ],
  [
    'import_playbook among tasks',
    '- import_playbook: x.yml',
    ['site.yml:3:7 misplaced import_playbook stands among plays, not among tasks'],
  ],
  [
    'include cycle',
    {
      'site.yml': play('- include_tasks: a.yml'),
      'a.yml': '- import_tasks: b.yml\n',
      'b.yml': '- import_tasks: a.yml\n',
    },
    ['b.yml:1:17 include-cycle a.yml includes itself'],
  ],
  [
    'playbook cycle',
    {'site.yml': '- import_playbook: b.yml\n', 'b.yml': '- import_playbook: site.yml\n'},
    ['b.yml:1:20 include-cycle site.yml imports itself'],
  ],
  [
    'role cycle',
    {
      'site.yml': '- hosts: all\n  roles: [a]\n',
      'roles/a/meta/main.yml': 'dependencies: [b]\n',
      'roles/b/meta/main.yml': 'dependencies: [a]\n',
    },
    ['roles/b/meta/main.yml:1:16 role-cycle the role a needs itself'],
  ],
  [
    'an oddity that has no effect',
    '- command: sleep 1\n  async: 10\n  poll: 0',
    ['site.yml:5:7 no-effect poll: 0 has no effect: the command is waited for'],
  ],
];
for (const [title, files, found] of mistakes) {
  test(`mistake: ${title}`, async (t) => {
    const {problems} = await load(typeof files === 'string' ? {'site.yml': play(files)} : files);
    t.deepEqual(brief(problems), found);
  });
}

test('a file that includes itself under a condition is no cycle', async (t) => {
  const {problems} = await load({
    'site.yml': play('- include_tasks: a.yml'),
    'a.yml': '- debug: {msg: x}\n- include_tasks: a.yml\n  when: again\n',
  });
  t.deepEqual(brief(problems), []);
});
