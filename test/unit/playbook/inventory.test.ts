import test from 'ava';
import {chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {placeOf} from '../../../src/base/diagnostic.ts';
import {Secret} from '../../../src/base/secret.ts';
import {encrypt} from '../../../src/secrets/vault.ts';
import {expandHosts} from '../../../src/playbook/host-range.ts';
import {loadInventory} from '../../../src/playbook/inventory-load.ts';
import type {InventoryOptions, LoadedInventory} from '../../../src/playbook/inventory-load.ts';
import type {Node} from '../../../src/playbook/node.ts';
import {originOf} from '../../../src/playbook/origins.ts';
import {runVariables} from '../../../src/playbook/run-variables.ts';

type Files = Readonly<Record<string, string>>;

function site(t: {teardown: (f: () => void) => void}, files: Files): string {
  const root = mkdtempSync(join(tmpdir(), 'tsplay-inventory-'));
  t.teardown(() => rmSync(root, {recursive: true}));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), {recursive: true});
    writeFileSync(join(root, name), text);
    if (text.startsWith('#!')) chmodSync(join(root, name), 0o755);
  }
  return root;
}

const loading = (
  cwd: string,
  sources: readonly string[],
  more: Partial<InventoryOptions> = {},
): Promise<LoadedInventory> => loadInventory(sources, {cwd, env: process.env, ...more});

function plain(node: Node): unknown {
  if (node.kind === 'list') return node.items.map(plain);
  if (node.kind === 'map') return Object.fromEntries(node.entries.map(({key, value}) => [key, plain(value)]));
  return node.value;
}

function hostVariables(
  {inventory}: LoadedInventory,
  cwd: string,
  host: string,
  playbook?: string,
): Record<string, unknown> {
  const run = runVariables({inventory, cwd, memoryOf: () => undefined});
  return Object.fromEntries(
    [...run.inventoryVariables.of(host, playbook).origins].map(([name, [first]]) => [
      name,
      plain(first.variable.value),
    ]),
  );
}

const ranges: readonly [text: string, names: readonly string[] | string, port?: number][] = [
  ['web', ['web']],
  ['web[1:3]', ['web1', 'web2', 'web3']],
  ['web[08:10].x', ['web08.x', 'web09.x', 'web10.x']],
  ['[a:c]-[1:2]', ['a-1', 'a-2', 'b-1', 'b-2', 'c-1', 'c-2']],
  ['n[0:10:5]', ['n0', 'n5', 'n10']],
  ['n[:2]', ['n0', 'n1', 'n2']],
  ['h:2222', ['h'], 2222],
  ['h[1:2]:22', ['h1', 'h2'], 22],
  ['[::1]:22', ['::1'], 22],
  ['fe80::1', ['fe80::1']],
  ['h[3:1]', 'ends before it begins'],
  ['h[01:100]', 'same number of digits'],
  ['h[1:', 'not closed'],
  ['h[1:]', 'no end'],
  ['h[1]', 'not a range'],
  ['-oProxyCommand=x', 'must not begin'],
  ['h[1:99999999]', 'million'],
];
for (const [text, names, port] of ranges) {
  test(`hosts of ${text}`, (t) => {
    const result = expandHosts(text, {source: {path: 'i', text}, start: 0, end: text.length});
    if (typeof names === 'string') t.true(!result.ok && result.problems[0].message.includes(names));
    else t.deepEqual(result, {ok: true, value: {names, port}});
  });
}

// what ansible-inventory says about the same text
test('INI: groups, children, variables and their types are as Ansible reads them', async (t) => {
  const root = site(t, {
    hosts: `lonely ansible_port=2222
[web]
web[01:02].example.com a=1 b="x y" c=True d='[1, "z"]' e=0644 f=1.50 # comment
db1:2200
[db]
db[a:b]
[prod:children]
web
db
[prod:vars]
x = 5
y=some text # 1
z={'a': [1,2], 'b': (None, -3)}
t=true
[web:vars]
x=6
[other]
db1
`,
  });
  const loaded = await loading(root, ['hosts']);
  t.deepEqual(loaded.problems, []);
  t.deepEqual(loaded.inventory.groupMembers(), {
    all: ['lonely', 'db1', 'web01.example.com', 'web02.example.com', 'dba', 'dbb'],
    ungrouped: ['lonely'],
    web: ['web01.example.com', 'web02.example.com', 'db1'],
    db: ['dba', 'dbb'],
    prod: ['web01.example.com', 'web02.example.com', 'db1', 'dba', 'dbb'],
    other: ['db1'],
  });
  const prod = {y: 'some text # 1', z: {a: [1, 2], b: [null, -3]}, t: 'true'};
  t.deepEqual(hostVariables(loaded, root, 'web01.example.com'), {
    a: 1,
    b: 'x y',
    c: true,
    d: [1, 'z'],
    e: '0644',
    f: 1.5,
    x: 6,
    ...prod,
  });
  t.deepEqual(hostVariables(loaded, root, 'db1'), {ansible_port: 2200, x: 6, ...prod});
  t.deepEqual(hostVariables(loaded, root, 'dba'), {x: 5, ...prod});
});

test('YAML: nested groups, the deeper group and then the later name wins, priority before the name', async (t) => {
  const root = site(t, {
    'hosts.yml': `all:
  vars: {v: all, w: all}
  hosts: {top: }
  children:
    east:
      vars: {v: east, ansible_group_priority: 10}
      hosts: {'e[1:2]': {h: 1}}
      children:
        deep: {vars: {w: deep}, hosts: {e2: }}
    west: {vars: {v: west}, hosts: {e1: }}
`,
  });
  const loaded = await loading(root, ['hosts.yml']);
  t.deepEqual(loaded.problems, []);
  t.deepEqual(loaded.inventory.groupsOf('e2'), ['all', 'east', 'deep']);
  t.deepEqual(hostVariables(loaded, root, 'e1'), {v: 'east', w: 'all', h: 1});
  t.deepEqual(hostVariables(loaded, root, 'e2'), {v: 'east', w: 'deep', h: 1});
  t.deepEqual(loaded.inventory.hostsOf('all'), ['top', 'e1', 'e2']);
});

test('group_vars and host_vars beside inventory and playbook, by precedence; origins name every place', async (t) => {
  const root = site(t, {
    'inv/hosts.yml':
      'all: {vars: {a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1}, children: {web: {vars: {b: 2}, hosts: {w1: {f: 6}}}}}\n',
    'inv/group_vars/all.yml': 'c: 3\n',
    'inv/group_vars/web/one.yml': 'e: x\n',
    'inv/group_vars/web/two.json': '{"e": 5}',
    'inv/group_vars/web/.hidden.yml': 'e: hidden\n',
    'inv/host_vars/w1': 'g: 7\n',
    'play/group_vars/all': 'd: 4\n',
    'play/host_vars/w1.yaml': 'h: 8\n',
  });
  const loaded = await loading(root, ['inv']);
  t.deepEqual(loaded.problems, []);
  t.deepEqual(hostVariables(loaded, root, 'w1', join(root, 'play')), {a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8});
  const run = runVariables({inventory: loaded.inventory, cwd: root, memoryOf: () => undefined});
  t.deepEqual(
    originOf(run, 'w1', 'e').map(({place, level}) => [place, level]),
    [
      ['inv/group_vars/web/two.json:1:2', 'inventory-group_vars'],
      ['inv/hosts.yml:1:38', 'inventory-all'],
    ],
  );
});

test('files of variables are read only for hosts that are asked for', async (t) => {
  const root = site(t, {
    hosts: '[a]\nh1\n[b]\nh2\n',
    'group_vars/b.yml': 'x: [\n',
    'host_vars/h2.yml': '- no mapping\n',
  });
  const {inventory, problems} = await loading(root, ['hosts']);
  t.deepEqual(problems, []);
  const run = runVariables({inventory, cwd: root, memoryOf: () => undefined});
  t.deepEqual(run.inventoryVariables.of('h1', undefined).problems, []);
  t.deepEqual(
    run.inventoryVariables.of('h2', undefined).problems.map((p) => [p.code, p.span && placeOf(p.span)]),
    [
      ['yaml-syntax', 'group_vars/b.yml:1:4'],
      ['bad-vars-file', 'host_vars/h2.yml:1:1'],
    ],
  );
});

test('several sources are one inventory; lists of names and folders among them', async (t) => {
  const root = site(t, {
    'one.yml': 'all: {children: {web: {hosts: {w1: {x: 1, y: 1}}}}}\n',
    'dir/a.ini': '[web]\nw2\n',
    'dir/b.yml': 'web: {hosts: {w1: {y: 2}}}\n',
    'dir/notes.md': 'no inventory',
    'dir/group_vars/web.yml': 'z: 3\n',
  });
  const loaded = await loading(root, ['one.yml', 'dir', 'n1,n[2:3]:22,']);
  t.deepEqual(loaded.problems, []);
  t.deepEqual(loaded.inventory.hostsOf('web'), ['w1', 'w2']);
  t.deepEqual(loaded.inventory.hostsOf('ungrouped'), ['n1', 'n2', 'n3']);
  t.deepEqual(hostVariables(loaded, root, 'w1'), {x: 1, y: 2, z: 3});
  t.deepEqual(hostVariables(loaded, root, 'n3'), {ansible_port: 22});
});

test('programs and modules give inventories', async (t) => {
  const root = site(t, {
    dyn: `#!/bin/sh
echo '{"web": {"hosts": ["w1"], "vars": {"x": 1}, "children": ["sub"]}, "sub": ["s1"], "_meta": {"hostvars": {"w1": {"y": [1.5, null]}}}}'
`,
    old: `#!/bin/sh
if [ "$1" = --host ]; then echo "{\\"me\\": \\"$2\\"}"; else echo '{"g": {"hosts": ["o1", "o2"]}}'; fi
`,
    'mod.mjs': 'export default async () => ({all: {hosts: {m1: {z: 2}}}});\n',
    'dynmod.ts': 'export default (): object => ({grp: {hosts: ["d1"] as string[]}});\n',
  });
  const loaded = await loading(root, ['dyn', 'old', 'mod.mjs', 'dynmod.ts']);
  t.deepEqual(loaded.problems, []);
  t.deepEqual(hostVariables(loaded, root, 'w1'), {x: 1, y: [1.5, null]});
  t.deepEqual(hostVariables(loaded, root, 's1'), {x: 1});
  t.deepEqual(hostVariables(loaded, root, 'o2'), {me: 'o2'});
  t.deepEqual(hostVariables(loaded, root, 'm1'), {z: 2});
  t.deepEqual(loaded.inventory.hostsOf('grp'), ['d1']);
});

test('programs that fail, hang or say nonsense are problems that name them', async (t) => {
  const root = site(t, {
    fails: '#!/bin/sh\necho "no credentials" >&2\nexit 3\n',
    hangs: '#!/bin/sh\nsleep 600\n',
    mumbles: '#!/bin/sh\necho hello\n',
    nobody: '#!/no/such/interpreter\n',
    'throws.mjs': 'export default () => { throw new Error("boom"); };\n',
  });
  const {problems} = await loading(root, ['fails', 'hangs', 'mumbles', 'nobody', 'throws.mjs', 'nowhere.yml'], {
    timeoutMs: 1500,
  });
  t.deepEqual(
    problems.map((p) => [p.code, p.message, p.help]),
    [
      ['inventory-failed', 'fails --list ended with exit code 3', 'no credentials'],
      ['inventory-failed', 'hangs --list gave no answer within 1.5 s', undefined],
      ['bad-inventory', problems[2]?.message ?? '', undefined],
      [
        'inventory-failed',
        'nobody --list cannot be started: the interpreter in its first line does not exist',
        undefined,
      ],
      ['inventory-failed', 'throws.mjs failed: boom', undefined],
      ['no-inventory', 'there is no inventory nowhere.yml', undefined],
    ],
  );
  t.regex(problems[2]?.message ?? '', /mumbles --list .*no JSON/);
});

const mistakes: readonly [
  file: string,
  text: string,
  problems: readonly [code: string, place: string, says: RegExp][],
][] = [
  [
    'hosts.ini',
    '[web]\nw1 a\n[web:chidren]\n[we:vars]\nx 1\ny=2\n[p:children]\nnobody\nw[1:\n"x\n',
    [
      ['bad-inventory', '2:4', /name=value/],
      ['bad-inventory', '3:1', /children/],
      ['bad-inventory', '5:1', /name=value in \[we:vars\]/],
      ['unknown-group', '4:1', /did you mean "web"/],
      ['unknown-group', '8:1', /nobody/],
      ['unknown-group', '9:1', /w\[1:/],
      ['unknown-group', '10:1', /"x/],
    ],
  ],
  ['h.ini', '[a:children]\nb\n[b:children]\na\n', [['group-cycle', '4:1', /contains/]]],
  ['h.ini', '[a]\nx "y\n', [['unclosed-quote', '2:3', /not closed/]]],
  [
    'h.yml',
    'all:\n  hosts:\n    - a\n  childen: {}\n  children:\n    b: [x]\n    c: {hosts: {"h[2:1]": , ok: 5}, vars: 7}\nhosts: {}\n',
    [
      ['bad-inventory', '3:7', /write "a:"/],
      ['bad-inventory', '4:3', /did you mean "children"/],
      ['bad-inventory', '6:8', /mapping/],
      ['bad-host-range', '7:17', /ends before/],
      ['bad-inventory', '7:33', /variables of the host ok/],
      ['bad-inventory', '7:43', /must be a mapping/],
      ['bad-inventory', '8:1', /below "all:"/],
    ],
  ],
  ['h.yml', 'a: {children: {b: {children: {a: }}}}\n', [['group-cycle', '1:31', /itself|contains/]]],
  ['h.yml', 'plugin: aws_ec2\n', [['inventory-plugin', '1:1', /--list/]]],
  ['h.yml', '- a\n', [['bad-inventory', '1:1', /mapping of groups/]]],
  ['h.yml', 'a: {hosts: {x: }}\nx: {hosts: {y: }}\n', [['same-name', '2:1', /host and a group/]]],
];
for (const [file, text, expected] of mistakes) {
  test(`mistakes in ${file}: ${JSON.stringify(text)}`, async (t) => {
    const root = site(t, {[file]: text});
    const {problems} = await loading(root, [file]);
    t.deepEqual(
      problems.map((p) => [p.code, p.span && placeOf(p.span)]),
      expected.map(([code, place]) => [code, `${file}:${place}`]),
    );
    problems.forEach((p, i) => t.regex(`${p.message} ${p.help ?? ''}`, expected[i]?.[2] ?? /^$/));
  });
}

test('a vault as a whole file is opened, its texts are never shown', async (t) => {
  const password = {id: 'default', password: Secret.of('pw')};
  const vault = encrypt('k: s3cret\n', {password: password.password, salt: new Uint8Array(32).fill(1)});
  const root = site(t, {hosts: 'h1\n', 'host_vars/h1.yml': vault});
  const {inventory} = await loading(root, ['hosts']);
  const closed = runVariables({inventory, cwd: root, memoryOf: () => undefined});
  t.deepEqual(
    closed.inventoryVariables.of('h1', undefined).problems.map((p) => [p.code, p.span && placeOf(p.span)]),
    [['vault-no-password', 'host_vars/h1.yml:1:1']],
  );
  const opened = runVariables({inventory, cwd: root, memoryOf: () => undefined, vaultPasswords: [password]});
  const [origin] = opened.inventoryVariables.of('h1', undefined).origins.get('k') ?? [];
  t.true(origin?.variable.value.span.source.secret);
});

test('add_host and group_by: caches follow', async (t) => {
  const root = site(t, {hosts: '[web]\nw1\n', 'group_vars/new.yml': 'n: 1\n'});
  const loaded = await loading(root, ['hosts']);
  const {inventory} = loaded;
  const run = runVariables({inventory, cwd: root, memoryOf: () => undefined});
  t.false(run.inventoryVariables.of('w1', undefined).origins.has('n'));
  inventory.addGroup('new');
  inventory.addHost('w2');
  inventory.addToGroup('new', 'w1');
  inventory.settle();
  t.true(run.inventoryVariables.of('w1', undefined).origins.has('n'));
  t.deepEqual(inventory.hostsOf('ungrouped'), ['w2']);
  t.deepEqual(inventory.hostsOf('all'), ['w2', 'w1']);
});
