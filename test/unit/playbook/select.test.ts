import test from 'ava';
import {split, tagTable} from '../../support/tag-table.ts';
import {everyItem, isImplicit, isSelected, listPlays, startAt, titleOf} from '../../../src/playbook/select.ts';
import type {Program} from '../../../src/playbook/program.ts';
import {load, play, withFiles} from '../../support/temp-site.ts';
import {Catalog} from '../../../src/catalog/catalog.ts';
import {loadPlaybooks} from '../../../src/playbook/load.ts';
import {actions} from '../../support/actions.ts';

for (const [own, tags, skip, expected] of tagTable) {
  test(`tags [${own}] --tags ${tags || '-'} --skip-tags ${skip || '-'}`, (t) => {
    t.is(isSelected(split(own), {tags: split(tags), skipTags: split(skip)}), expected);
  });
}

const files = {
  'site.yml': play(
    '- name: first\n  debug: {msg: 1}\n- block:\n    - name: inner one\n      debug: {msg: 2}\n    - name: inner two\n      debug: {msg: 3}\n      tags: b\n  tags: a\n- include_tasks: later.yml\n  when: x is not defined\n- name: last\n  debug: {msg: 5}',
    '  handlers: [{name: h, debug: {}}]\n',
  ),
  'later.yml': '- set_fact: {x: 1}\n- name: in the include\n  debug: {msg: 4}\n',
};

function titles(program: Program): string[] {
  return [...everyItem(program, true)].flatMap(({item, part}) =>
    item.item === 'task' && part === 'items' && !isImplicit(item) ? [titleOf(item)] : [],
  );
}

function program<T>(use: (program: Program) => T): Promise<T> {
  return withFiles(files, (cwd) =>
    use(loadPlaybooks(['site.yml'], {catalog: new Catalog({actions, cwd}), cwd}).program),
  );
}

const starts: readonly [name: string, rest: readonly string[]][] = [
  ['first', ['first', 'inner one', 'inner two', 'set_fact', 'in the include', 'last']],
  ['inner two', ['inner two', 'set_fact', 'in the include', 'last']],
  ['inner*', ['inner one', 'inner two', 'set_fact', 'in the include', 'last']],
  ['in the inc?ude', ['in the include', 'last']],
  ['last', ['last']],
];
for (const [name, rest] of starts) {
  test(`--start-at-task "${name}"`, (t) =>
    program((whole) => {
      const cut = startAt(whole, name);
      t.is(cut.problem, undefined);
      t.deepEqual(titles(cut.program), rest);
      t.is(cut.program.plays[0]?.handlers.length, 1);
    }));
}

test('--start-at-task with an unknown name says which was meant', (t) =>
  program((whole) => {
    t.like(startAt(whole, 'frist').problem, {code: 'no-such-task', help: 'did you mean "first"?'});
  }));

test('lists of tasks and tags', (t) =>
  program((whole) => {
    const [only] = listPlays(whole, {tags: [], skipTags: ['b']});
    t.deepEqual(only!.tags, ['a', 'b']);
    t.deepEqual(
      only!.tasks.map(({title, at}) => `${at} ${title}`),
      [
        'site.yml:5:7 first',
        'site.yml:8:11 inner one',
        'site.yml:13:7 include_tasks: later.yml',
        'later.yml:1:3 set_fact',
        'later.yml:3:3 in the include',
        'site.yml:16:7 last',
      ],
    );
  }));

test('tasks of roles bear its name', async (t) => {
  const {program: whole} = await load({
    'site.yml': '- hosts: all\n  roles: [r]\n',
    'roles/r/tasks/main.yml': '- name: x\n  debug: {}\n',
  });
  t.deepEqual(titles(whole), ['r : x']);
});
