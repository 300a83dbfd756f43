// The schemas that editors get: what the loader takes, they take; the mistakes that people make, they mark.
import {readdirSync, readFileSync} from 'node:fs';
import {Ajv} from 'ajv';
import test from 'ava';
import {load} from 'js-yaml';
import {actions} from '../../../src/actions/index.ts';
import {Catalog} from '../../../src/catalog/catalog.ts';
import {inventorySchema, playbookSchema} from '../../../src/playbook/editor-schema.ts';
import {eventsSchema} from '../../../src/report/events-schema.ts';

const catalog = new Catalog({actions});
const callables = catalog.names().flatMap((name) => {
  const found = catalog.find(name);
  if (found?.ok !== true) return [];
  return [found.value.found === 'module' ? found.value.module : found.value.action];
});
// union types and conditions without a type are what makes such schemas short
const ajv = new Ajv({allErrors: true, strict: true, allowUnionTypes: true, strictRequired: false, strictTypes: false});
const isPlaybook = ajv.compile(playbookSchema(callables));
const isInventory = ajv.compile(inventorySchema());

/** Tags are no matter of the schema. */
const read = (text: string): unknown => load(text.replaceAll(/!(?:vault|unsafe)\b/g, ''));

test('every example of every module and action is a valid task', (t) => {
  for (const {name, examples} of callables)
    for (const example of examples)
      t.true(isPlaybook(read(example)), `${name}: ${JSON.stringify(isPlaybook.errors?.slice(0, 3))}\n${example}`);
});

test("the project's own playbooks and inventory are valid", (t) => {
  for (const file of readdirSync('playbooks').filter((name) => name.endsWith('.yml')))
    t.true(
      isPlaybook(read(readFileSync(`playbooks/${file}`, 'utf8'))),
      `${file}: ${JSON.stringify(isPlaybook.errors?.slice(0, 3))}`,
    );
  t.true(isInventory(read(readFileSync('inventory/hosts.yml', 'utf8'))), JSON.stringify(isInventory.errors));
});

const good: readonly string[] = [
  '- file: {path: /a, mode: "{{ m }}", state: "{{ s }}"}',
  '- file: path=/a mode=0644',
  '- ansible.builtin.copy: {dest: "{{ d }}", content: 12, backup: yes}',
  '- command: uptime\n  changed_when: false\n  register: up',
  '- block: [{ping: }]\n  rescue: [{debug: {msg: x}}]\n  when: [a, "b is defined"]',
  '- hosts: [a, b]\n  become: "yes"\n  roles: [one, {role: two, colour: green, tags: x}]',
  '- import_playbook: other.yml',
  '- include_tasks: "{{ os }}.yml"\n  loop: [1]',
  '- debug: {msg: hi}\n  with_items: [1]',
  '- set_fact: {anything: 1}',
  '- community.mysql.mysql_user: {name: x}',
];
for (const text of good)
  test(`taken: ${text.split('\n')[0]!}`, (t) => t.true(isPlaybook(load(text)), JSON.stringify(isPlaybook.errors)));

const wrong: readonly string[] = [
  '- file: {path: /a, mode: 644}',
  '- file: {path: relative}',
  '- file: {path: /a, colour: red}',
  '- file: {state: directory}',
  '- fil: {path: /a}',
  '- file: {path: /a, state: gone}',
  '- hosts: all\n  taks: []',
  '- tasks: []',
  '- ping:\n  become: perhaps',
  '- ping:\n  register: not a name',
  '- block: [{nonsense: {}}]',
  '- hosts: all\n  tasks: [{service: {name: x, state: begun}}]',
];
for (const text of wrong) test(`marked: ${text.replaceAll('\n', ' ')}`, (t) => t.false(isPlaybook(load(text))));

for (const [text, isValid] of [
  ['all: {hosts: {a: , b: {ansible_port: 22, x: [1]}}, children: {web: {vars: {y: 1}}}}', true],
  ['web: {host: {a: }}', false],
  ['all: {hosts: [a]}', false],
  ['hosts: {a: }', false],
  ['all: {vars: {not-a-name: 1}}', false],
] as const)
  test(`inventory, ${isValid ? 'taken' : 'marked'}: ${text}`, (t) => t.is(isInventory(load(text)), isValid));

test('the schema of events compiles and knows every kind of event', (t) => {
  const isLine = ajv.compile(eventsSchema);
  const at = '2026-01-01T00:00:00.000Z';
  t.true(isLine({at, event: 'message', text: 'x'}), JSON.stringify(isLine.errors));
  t.false(isLine({at, event: 'massage', text: 'x'}));
  const source = readFileSync('src/engine/event.ts', 'utf8');
  const kinds = [...source.matchAll(/readonly event: '([^']+)'/g)].map((match) => match[1]);
  const known = (eventsSchema['oneOf'] as readonly {properties: {event: {const: string}}}[]).map(
    (one) => one.properties.event.const,
  );
  t.deepEqual([...known].sort(), [...new Set(kinds)].sort());
});
