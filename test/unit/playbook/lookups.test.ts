import test from 'ava';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {placeOf} from '../../../src/base/diagnostic.ts';
import {Secret} from '../../../src/base/secret.ts';
import {Unknown} from '../../../src/base/unknown.ts';
import {encrypt} from '../../../src/secrets/vault.ts';
import {Inventory} from '../../../src/playbook/inventory.ts';
import {callLookup, loopItems, withItems} from '../../../src/playbook/lookups.ts';
import type {Node} from '../../../src/playbook/node.ts';
import type {Loop} from '../../../src/playbook/program.ts';
import {runVariables} from '../../../src/playbook/run-variables.ts';
import type {RunOptions} from '../../../src/playbook/run-variables.ts';
import {makeScope} from '../../../src/playbook/scope-task.ts';
import type {TaskScope} from '../../../src/playbook/scope-task.ts';
import {parseYaml} from '../../../src/playbook/yaml.ts';

const password = {id: 'default', password: Secret.of('pw')};
const salt = new Uint8Array(32).fill(1);

const files: Readonly<Record<string, string>> = {
  'files/motd': 'hello\n\n',
  'role/files/motd': '  from the role \n',
  'role/templates/t.j2': '{{ n }}{{ extra | default("") }}',
  'list.csv': 'bob\t1\ttwo\n"quo""ted"\t3\t"a\tb"\n',
  'users.csv': 'bob,1000\nann,1001\n',
  'conf.ini': '[global]\nport = 1\n[db]\nuser: me\nuser2=you\n',
  'p.properties': 'user.name=Robert\n',
  'secret.yml': encrypt('hidden\n', {password: password.password, salt}),
  'kept.pw': 'old-one salt=abc\n',
  'files/a.conf': '',
  'files/b.conf': '',
  'files/dir/c.conf': '',
  'lf.txt': 'a\nb\n',
  'vars/Debian.yml': '',
};

function scopeOf(t: {teardown: (f: () => void) => void}, options: Partial<RunOptions> = {}, role = false): TaskScope {
  const root = mkdtempSync(join(tmpdir(), 'tsplay-lookups-'));
  t.teardown(() => rmSync(root, {recursive: true}));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), {recursive: true});
    writeFileSync(join(root, name), text);
  }
  const inventory = new Inventory();
  for (const host of ['h1', 'h2']) inventory.addHost(host);
  inventory.addGroup('web');
  inventory.addToGroup('web', 'h1');
  inventory.settle();
  const run = runVariables({
    inventory,
    cwd: root,
    memoryOf: () => undefined,
    env: {PATH: process.env['PATH'], ME: 'you'},
    vaultPasswords: [password],
    ...options,
  });
  const vars = parseYaml({
    path: 'v.yml',
    text: 'n: 5\nname: n\nbroken: "{{ nope }}"\nwaits: "{{ ansible_x }}"\nusers:\n  - {name: a, keys: [1, 2], deep: {x: [7]}}\n  - {name: b, keys: [3]}\n  - {name: c}\n',
  }).node;
  const entries = vars?.kind === 'map' ? vars.entries : [];
  const play = {
    name: 'p',
    folder: root,
    vars: new Map(entries.map(({key, value}): [string, Node] => [key, value])),
    prompted: new Map(),
    varsFiles: [],
    hosts: ['h1'],
    active: () => ['h1'],
    batch: ['h1'],
    roleNames: [],
  };
  return makeScope({
    run,
    host: 'h1',
    play,
    ...(role ? {role: {name: 'role', path: join(root, 'role'), parents: []}} : {}),
  });
}

function value(scope: TaskScope, expression: string): unknown {
  const yaml = parseYaml({path: 'p.yml', text: JSON.stringify(`{{ ${expression} }}`)}).node;
  if (yaml === undefined) return undefined;
  const result = scope.evaluate(yaml);
  return result.ok ? result.value : `${result.problems[0].code}: ${result.problems[0].message}`;
}

const cases: readonly [expression: string, value: unknown][] = [
  ["lookup('env', 'ME')", 'you'],
  ["lookup('env', 'NONE')", ''],
  ["lookup('env', 'NONE', default='d')", 'd'],
  ["lookup('file', 'motd')", 'hello'],
  ["lookup('file', 'motd', rstrip=false)", 'hello\n\n'],
  ["lookup('ansible.builtin.file', 'motd')", 'hello'],
  ["lookup('file', 'motd', 'lf.txt')", 'hello,a\nb'],
  ["query('file', 'motd', 'lf.txt')", ['hello', 'a\nb']],
  ["q('file', 'motd')", ['hello']],
  ["lookup('file', 'motd', wantlist=True)", ['hello']],
  ["lookup('file', 'nowhere', errors='ignore')", null],
  ["query('file', 'nowhere', errors='warn')", []],
  ["lookup('pipe', 'printf \"a\\nb\\n\\n\"')", 'a\nb'],
  ["lookup('lines', 'printf \"a\\nb\\n\"')", 'a,b'],
  ["lookup('vars', 'n')", 5],
  ["lookup('vars', name)", 5],
  ["lookup('vars', 'nope', default=1)", 1],
  ["query('varnames', '^n(ame)?$') | sort", ['n', 'name']],
  ["query('fileglob', '*.conf') | map('basename') | list", ['a.conf', 'b.conf']],
  ["query('fileglob', 'dir/*') | map('basename') | list", ['c.conf']],
  ["query('fileglob', '*.none')", []],
  ["lookup('first_found', ['nope', 'motd']) | basename", 'motd'],
  ["lookup('first_found', {'files': ['x.yml', 'Debian.yml'], 'paths': ['nope', 'vars']}) | basename", 'Debian.yml'],
  ["lookup('first_found', files=['x.yml', 'Debian.yml'], paths='vars') | basename", 'Debian.yml'],
  ["query('first_found', ['nope'], skip=true)", []],
  ["query('items', [1, [2]], 3)", [1, [2], 3]],
  ["query('list', [1, 2], 3)", [[1, 2], 3]],
  [
    "query('dict', {'a': 1, 'b': 2})",
    [
      {key: 'a', value: 1},
      {key: 'b', value: 2},
    ],
  ],
  [
    "query('nested', ['a', 'b'], [1, 2])",
    [
      ['a', 1],
      ['a', 2],
      ['b', 1],
      ['b', 2],
    ],
  ],
  [
    "query('cartesian', ['a'], [1, 2])",
    [
      ['a', 1],
      ['a', 2],
    ],
  ],
  [
    "query('together', ['a', 'b'], [1])",
    [
      ['a', 1],
      ['b', null],
    ],
  ],
  ["query('flattened', [1, [2, [3, none]]])", [1, 2, 3]],
  [
    "query('indexed_items', ['a', 'b'])",
    [
      [0, 'a'],
      [1, 'b'],
    ],
  ],
  ["query('subelements', users, 'keys', {'skip_missing': True}) | map('last') | list", [1, 2, 3]],
  ["query('subelements', users, 'deep.x', {'skip_missing': True}) | map('last') | list", [7]],
  ["query('sequence', 'start=1 end=3')", ['1', '2', '3']],
  ["query('sequence', 'end=5 stride=2 format=web%02d')", ['web01', 'web03', 'web05']],
  ["query('sequence', count=2, start=0)", ['0', '1']],
  ["query('sequence', '4-8/2:n%x')", ['n4', 'n6', 'n8']],
  ["query('sequence', 'start=3 end=1 stride=-1')", ['3', '2', '1']],
  ["query('sequence', 'count=0')", []],
  ["lookup('csvfile', 'bob file=list.csv')", '1'],
  ["lookup('csvfile', 'quo\"ted file=list.csv col=2') is defined", true],
  ["lookup('csvfile', 'ann', file='users.csv', delimiter=',')", '1001'],
  ["lookup('csvfile', 'eve', file='users.csv', delimiter=',', default='none')", 'none'],
  ["lookup('ini', 'user', section='db', file='conf.ini')", 'me'],
  ["lookup('ini', 'port section=global file=conf.ini')", '1'],
  ["query('ini', 'user.*', section='db', file='conf.ini', re=true)", ['me', 'you']],
  ["lookup('ini', 'user.name', type='properties', file='p.properties')", 'Robert'],
  ["lookup('ini', 'x', section='db', file='conf.ini', default='d')", 'd'],
  ["query('inventory_hostnames', 'all:!web')", ['h2']],
  ["lookup('config', 'DEFAULT_BECOME_USER')", 'root'],
  ["lookup('fil', 'x')", 'unknown-lookup: there is no lookup "fil"'],
  ["lookup('file', 'nowhere')", 'missing-file: there is no file nowhere'],
  ["lookup('vars', 'nam')", 'undefined-variable: "nam" is undefined'],
  ["lookup('subelements', users, 'keys')", 'lookup-argument: an element has no key "keys"'],
  ["lookup('pipe', 'exit 3')", 'lookup-failed: the command ended with exit code 3: exit 3'],
  [
    "lookup('url', 'http://x')",
    'lookup-unavailable: the lookup "url" is not available: playbooks are evaluated without the network',
  ],
  ["lookup('first_found', ['nope'])", 'missing-file: none of these files exists: nope'],
];
for (const [expression, wanted] of cases) {
  test(expression, (t) => {
    t.deepEqual(value(scopeOf(t), expression), wanted);
  });
}

test('a role has its own files first', (t) => {
  const scope = scopeOf(t, {}, true);
  t.is(value(scope, "lookup('file', 'motd', lstrip=true)"), 'from the role');
  t.is(value(scope, "lookup('template', 't.j2')"), '5');
  t.is(value(scope, "lookup('template', 't.j2', template_vars={'extra': '!'})"), '5!');
  t.is(value(scope, "lookup('file', 'lf.txt')"), 'a\nb');
});

test('what comes from outside is data, never a template', (t) => {
  const scope = scopeOf(t, {env: {ME: '{{ n }}'}});
  t.is(value(scope, "lookup('env', 'ME')"), '{{ n }}');
  t.is(value(scope, "lookup('env', 'ME') ~ '!'"), '{{ n }}!');
});

test('vaults open to secrets', (t) => {
  const scope = scopeOf(t);
  for (const expression of ["lookup('file', 'secret.yml')", "lookup('unvault', 'secret.yml')"]) {
    const found = value(scope, expression);
    t.is(found instanceof Secret ? found.reveal().trim() : found, 'hidden');
  }
  t.regex(String(value(scopeOf(t, {vaultPasswords: []}), "lookup('file', 'secret.yml')")), /^vault-no-password/);
});

test('password: kept in a file of mode 0600, made once, not at all when only looking', (t) => {
  const scope = scopeOf(t);
  const kept = value(scope, "lookup('password', 'kept.pw')");
  t.is(kept instanceof Secret && kept.reveal(), 'old-one');
  const made = value(scope, "lookup('password', 'new/x.pw length=12 chars=digits')");
  const path = join(scope.folders[0] ?? '', 'new/x.pw');
  t.regex(made instanceof Secret ? made.reveal() : '', /^\d{12}$/);
  t.is(readFileSync(path, 'utf8'), `${made instanceof Secret ? made.reveal() : ''}\n`);
  t.is(statSync(path).mode & 0o777, 0o600);
  t.deepEqual(value(scope, "lookup('password', 'new/x.pw length=12 chars=digits')"), made);
  const looking = scopeOf(t, {readOnly: true});
  t.true(value(looking, "lookup('password', 'other.pw')") instanceof Unknown);
  t.false(existsSync(join(looking.folders[0] ?? '', 'other.pw')));
});

test('a program runs once in a run', (t) => {
  const scope = scopeOf(t);
  const command = "lookup('pipe', 'echo x >> ran; wc -l < ran')";
  t.is(String(value(scope, command)).trim(), '1');
  t.is(String(value(scope.with({item: 1}), command)).trim(), '1');
});

test('unknown arguments make the result unknown, undefined ones are mistakes at their place', (t) => {
  const scope = scopeOf(t, {factsPending: () => true});
  t.true(value(scope, "lookup('file', waits)") instanceof Unknown);
  t.is(value(scope, "lookup('file', broken)"), 'undefined-variable: "nope" is undefined');
});

test('random_choice takes one of its elements, from the randomness it is given', (t) => {
  const found = value(scopeOf(t), "lookup('random_choice', ['a', 'b'])");
  t.true(found === 'a' || found === 'b');
});

const loops: readonly [form: string, yaml: string, items: unknown][] = [
  ['loop', '[1, "{{ n }}"]', [1, 5]],
  ['loop', '"{{ users | map(attribute=\'name\') }}"', ['a', 'b', 'c']],
  ['loop', '"{{ n }}"', 'loop-type: loop needs a list, and this is a number'],
  ['loop', '{a: 1}', 'loop-type: loop needs a list, and this is a mapping'],
  ['items', '[1, [2, 3]]', [1, 2, 3]],
  ['items', '["{{ [1, 2] }}", "{{ [3] }}"]', [1, 2, 3]],
  ['items', '"{{ n }}"', [5]],
  ['list', '[[1], [2]]', [[1], [2]]],
  ['dict', '{a: {b: 1}}', [{key: 'a', value: {b: 1}}]],
  [
    'nested',
    '[[a, b], [1]]',
    [
      ['a', 1],
      ['b', 1],
    ],
  ],
  [
    'together',
    '[[a, b], [1, 2]]',
    [
      ['a', 1],
      ['b', 2],
    ],
  ],
  [
    'subelements',
    '["{{ users[:2] }}", keys]',
    [1, 2, 3].map((key, i) => [
      {name: i < 2 ? 'a' : 'b', keys: i < 2 ? [1, 2] : [3], ...(i < 2 ? {deep: {x: [7]}} : {})},
      key,
    ]),
  ],
  ['sequence', 'start=1 end=2', ['1', '2']],
  ['sequence', '["count=2"]', ['1', '2']],
  ['indexed_items', '[a]', [[0, 'a']]],
  ['flattened', '[[1, [2]], 3]', [1, 2, 3]],
  ['file', '[motd]', ['hello']],
  ['lines', 'echo a; echo b', ['a', 'b']],
  ['inventory_hostnames', 'web', ['h1']],
  ['first_found', '[{files: [nope], skip: true}]', []],
  ['nosuch', '[1]', 'unknown-lookup: there is no lookup "nosuch"'],
];
for (const [form, yaml, items] of loops) {
  test(`with ${form}: ${yaml}`, (t) => {
    const source = parseYaml({path: 'p.yml', text: yaml}).node;
    if (source === undefined) return t.fail();
    const loop: Loop = {
      form,
      source,
      span: source.span,
      loopVar: 'item',
      indexVar: undefined,
      label: undefined,
      pauseS: undefined,
      extended: false,
      allItems: true,
    };
    const result = loopItems(scopeOf(t), loop);
    t.deepEqual(result.ok ? result.value : `${result.problems[0].code}: ${result.problems[0].message}`, items);
    if (!result.ok) t.is(result.problems[0].span && placeOf(result.problems[0].span), 'p.yml:1:1');
  });
}

test('loops over what is not known yet are not known yet', (t) => {
  const site = scopeOf(t).lookupSite();
  const waits = new Unknown('task "a"');
  t.deepEqual(withItems('items', waits, site), {ok: true, value: waits});
  t.deepEqual(withItems('dict', [{a: waits}], site), {ok: true, value: waits});
  t.deepEqual(withItems('items', [waits, 1], site), {ok: true, value: [waits, 1]});
});

test("the site's own lookups hide the built-in ones", (t) => {
  const own = new Map([['env', () => ['mine']]]);
  const scope = scopeOf(t, {lookups: own});
  t.is(value(scope, "lookup('env', 'ME')"), 'mine');
  t.is(callLookup(['env', 'ME'], new Map(), false, scope.lookupSite()), 'mine');
});
