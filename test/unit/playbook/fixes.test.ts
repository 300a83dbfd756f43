// `validate --fix`: what it writes, and above all what it leaves alone.
import test from 'ava';
import {actions} from '../../../src/actions/index.ts';
import {Catalog} from '../../../src/catalog/catalog.ts';
import {applyFixes, diffOfFixes, findFixes, usedAsBooleans, yesNoNames} from '../../../src/playbook/fixes.ts';

const catalog = new Catalog({actions});

function fixed(text: string, role: 'tasks' | 'variables' = 'tasks', asBoolean: readonly string[] = []): string {
  const source = {path: 'x.yml', text};
  return applyFixes(text, findFixes(source, role, catalog, new Set(asBoolean)));
}

const tasks: readonly (readonly [before: string, after: string])[] = [
  ['- file: {path: /a, mode: 0644}', '- file: {path: /a, mode: "0644"}'],
  ['- copy:\n    mode: 0o600 # mine\n', '- copy:\n    mode: "0600" # mine\n'],
  ['- ansible.builtin.file:\n  args: {mode: 01777}', '- ansible.builtin.file:\n  args: {mode: "1777"}'],
  ['- file: {path: /a, follow: no}\n  become: Yes', '- file: {path: /a, follow: false}\n  become: true'],
  [
    '- hosts: a\n  gather_facts: no\n  tasks:\n  - block:\n    - ping:\n      ignore_errors: on\n',
    '- hosts: a\n  gather_facts: false\n  tasks:\n  - block:\n    - ping:\n      ignore_errors: true\n',
  ],
  ['- copy: {dest: /v, content: 1.10}', '- copy: {dest: /v, content: "1.10"}'],
  ['- hosts: a\n  vars: {m: 0755, l: [0600]}', '- hosts: a\n  vars: {m: "0755", l: ["0600"]}'],
];
for (const [before, after] of tasks)
  test(`fixed: ${before.replaceAll('\n', ' ')}`, (t) => {
    t.is(fixed(before), after);
    t.is(fixed(after), after, 'a second time');
  });

const left: readonly string[] = [
  '- file: {path: /a, mode: 644}', // 644 in which system?
  '- file: {path: /a, mode: "0644", state: directory}',
  '- copy: {dest: /a, content: no}', // a text
  '- copy: {dest: /a, content: 42}',
  "- file: {path: /a, follow: 'no'}",
  '- user: {name: no}',
  '- debug: {msg: yes}',
  '- hosts: a\n  vars: {answer: yes, version: 1.10, n: 10, zip: 08012}',
  '- unknown_module: {mode: 0644, become: no}',
  '- file: {path: /a, mode: 0644',
];
for (const text of left) test(`left: ${text.replaceAll('\n', ' ')}`, (t) => t.is(fixed(text), text));

test('a variable is a boolean where conditions use it and nothing prints it', (t) => {
  const names = new Set(['on_one', 'shown', 'both', 'listed', 'nested', 'unused', 'in_template']);
  const used = usedAsBooleans(names, [
    '- debug: {msg: "{{ shown }} {{ both | lower }}"}\n  when: on_one and both\n',
    '- ping:\n  when:\n    - not listed\n    - x.nested\n',
    '{% if in_template %}PermitRootLogin no{% endif %}',
  ]);
  t.deepEqual([...used], ['on_one', 'listed', 'in_template']);
  t.is(fixed('a: yes\nb: yes\nc: {a: no}\n', 'variables', ['a']), 'a: true\nb: yes\nc: {a: no}\n');
  t.deepEqual(yesNoNames({path: 'x', text: 'a: yes\nb: "yes"\nc: {d: no}'}, 'variables'), ['a']);
  t.deepEqual(yesNoNames({path: 'x', text: '- hosts: a\n  gather_facts: no\n  vars: {e: off}'}, 'tasks'), ['e']);
});

test('the diff shows the lines', (t) => {
  const source = {path: 'site.yml', text: '- file:\n    path: /a\n    mode: 0644\n'};
  const diff = diffOfFixes(source, findFixes(source, 'tasks', catalog));
  t.regex(diff, /^--- site\.yml\n\+\+\+ site\.yml\n@@ /);
  t.true(diff.includes('-    mode: 0644\n+    mode: "0644"\n'), diff);
});
