import test from 'ava';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {placeOf} from '../../../src/base/diagnostic.ts';
import {Secret} from '../../../src/base/secret.ts';
import {Unknown} from '../../../src/base/unknown.ts';
import {encrypt} from '../../../src/secrets/vault.ts';
import {loadInventory} from '../../../src/playbook/inventory-load.ts';
import type {MapNode, Node} from '../../../src/playbook/node.ts';
import type {VarsLayer} from '../../../src/playbook/program.ts';
import {runVariables} from '../../../src/playbook/run-variables.ts';
import type {RunOptions} from '../../../src/playbook/run-variables.ts';
import type {PlayVariables} from '../../../src/playbook/scope-layers.ts';
import {makeScope} from '../../../src/playbook/scope-task.ts';
import type {TaskScope} from '../../../src/playbook/scope-task.ts';
import type {HostMemory} from '../../../src/playbook/scope.ts';
import {readExtraVars} from '../../../src/playbook/vars-extra.ts';
import {precedence} from '../../../src/playbook/vars-precedence.ts';
import {parseYaml} from '../../../src/playbook/yaml.ts';

const node = (text: string, path = 'p.yml'): Node => {
  const {node: found, problems} = parseYaml({path, text});
  if (found === undefined || problems.length > 0) throw new Error(JSON.stringify(problems.map((p) => p.message)));
  return found;
};
const vars = (text: string): ReadonlyMap<string, Node> =>
  new Map((node(text) as MapNode).entries.map(({key, value}) => [key, value]));

type Options = {
  files?: Record<string, string>;
  inventory?: string;
  play?: string;
  varsFiles?: string;
  layers?: readonly VarsLayer[];
  memory?: Record<string, Partial<HostMemory>>;
  extra?: readonly string[];
  host?: string;
  run?: Partial<RunOptions>;
  prompted?: ReadonlyMap<string, unknown>;
};

async function scopeOf(t: {teardown: (f: () => void) => void}, options: Options): Promise<TaskScope> {
  const root = mkdtempSync(join(tmpdir(), 'tsplay-scope-'));
  t.teardown(() => rmSync(root, {recursive: true}));
  const files = {'inv/hosts.yml': options.inventory ?? 'all: {hosts: {h1: , h2: }}\n', ...options.files};
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), {recursive: true});
    writeFileSync(join(root, name), text);
  }
  const {inventory} = await loadInventory(['inv'], {cwd: root});
  const memories = new Map(
    Object.entries(options.memory ?? {}).map(([host, given]): [string, HostMemory] => [
      host,
      {facts: {}, setFacts: new Map(), registered: new Map(), includedVars: new Map(), ...given},
    ]),
  );
  const run = runVariables({
    inventory,
    cwd: root,
    memoryOf: (host) => memories.get(host),
    extraVars: readExtraVars(options.extra ?? [], {cwd: root}).variables,
    ...options.run,
  });
  const play: PlayVariables = {
    name: 'the play',
    folder: join(root, 'play'),
    vars: vars(options.play ?? '{}'),
    prompted: options.prompted ?? new Map(),
    varsFiles:
      options.varsFiles === undefined
        ? []
        : [node(options.varsFiles)].flatMap((n) => (n.kind === 'list' ? n.items : [n])),
    hosts: ['h1', 'h2'],
    active: () => ['h1'],
    batch: ['h1', 'h2'],
    roleNames: [],
  };
  return makeScope({run, host: options.host ?? 'h1', play, ...(options.layers && {layers: options.layers})});
}

/** The value of a YAML text, or `code at place` of each problem. */
function value(scope: TaskScope, yaml: string): unknown {
  const result = scope.evaluate(node(yaml));
  return result.ok
    ? result.value
    : result.problems.map((p) => `${p.code} ${p.span === undefined ? '-' : placeOf(p.span)}`);
}

test('the whole table of precedence: each level wins over all below it', async (t) => {
  const at: Record<string, string> = Object.fromEntries(precedence.map(({level}) => [level, `x: ${level}`]));
  const text = (level: string): string => `${at[level] ?? ''}\n`;
  const inYaml = (level: string): string => `{${at[level] ?? ''}}`;
  const layer = (kind: VarsLayer['kind'], level: string): VarsLayer => ({kind, values: vars(text(level))});
  const levels = precedence.map(({level}) => level).filter((level) => level !== 'magic');
  for (const [i, strongest] of levels.entries()) {
    const on = (level: string): boolean => levels.indexOf(level as (typeof levels)[number]) <= i;
    const file = (level: string): string => (on(level) ? text(level) : '{}\n');
    const map = (level: string): string => (on(level) ? inYaml(level) : '{}');
    const layers: VarsLayer[] = [
      ...(on('role-defaults') ? [layer('role-defaults', 'role-defaults')] : []),
      ...(on('role-params') ? [layer('role-params', 'role-params')] : []),
      ...(on('role-vars') ? [layer('role-vars', 'role-vars')] : []),
      ...(on('task') ? [{kind: 'block' as const, values: vars('x: outer')}, layer('task', 'task')] : []),
      ...(on('include') ? [layer('include', 'include')] : []),
    ];
    let scope = await scopeOf(t, {
      inventory: `all: {vars: ${map('inventory-all')}, children: {g: {vars: ${map('inventory-group')}, hosts: {h1: ${map('inventory-host')}}}}}\n`,
      files: {
        'inv/group_vars/all.yml': file('inventory-group_vars-all'),
        'inv/group_vars/g.yml': file('inventory-group_vars'),
        'inv/host_vars/h1.yml': file('inventory-host_vars'),
        'play/group_vars/all.yml': file('playbook-group_vars-all'),
        'play/group_vars/g.yml': file('playbook-group_vars'),
        'play/host_vars/h1.yml': file('playbook-host_vars'),
        'play/v.yml': file('vars_files'),
      },
      play: map('play'),
      varsFiles: '[v.yml]',
      prompted: new Map(on('prompt') ? [['x', 'prompt']] : []),
      layers,
      memory: {
        h1: {
          includedVars: new Map(on('include_vars') ? [['x', node('include_vars')]] : []),
          setFacts: new Map(on('set') ? [['x', 'set']] : []),
        },
      },
      extra: on('extra') ? ['x=extra'] : [],
      run: {connectionValues: () => ({x: 'connection'})},
    });
    if (on('loop')) scope = scope.with({x: 'loop'});
    // facts bear other names; they have a test of their own
    const wanted = strongest === 'facts' ? 'playbook-host_vars' : strongest;
    t.is(value(scope, '"{{ x }}"'), wanted);
  }
});

test('the table for users is the table of the code', (t) => {
  const page = readFileSync(new URL('../../../docs/variables.md', import.meta.url), 'utf8');
  t.deepEqual(
    [...page.matchAll(/^\| \d+ \| (.*) \|$/gm)].map(([, title]) => title),
    precedence.map(({title}): string => title),
  );
});

test('facts stand above the inventory and below the play', async (t) => {
  const memory = {h1: {facts: {os_family: 'Debian', a: 'fact', b: 'fact'}}};
  const scope = await scopeOf(t, {
    inventory: 'all: {hosts: {h1: {ansible_a: inventory}}}',
    play: 'ansible_b: play',
    memory,
  });
  t.deepEqual(
    value(scope, '["{{ ansible_a }}", "{{ ansible_b }}", "{{ ansible_facts.b }}", "{{ ansible_os_family }}"]'),
    ['fact', 'play', 'fact', 'Debian'],
  );
});

const values: readonly [yaml: string, value: unknown][] = [
  ['"{{ n }}"', 5],
  ['"{{ n + 1 }}"', 6],
  ['"v{{ n }}"', 'v5'],
  ['"{{ later }}"', 'is 5'],
  ['{a: "{{ n }}", b: ["{{ l }}"], c: 1.5}', {a: 5, b: [[1, 2]], c: 1.5}],
  ['{a: 1, b: "{{ omit }}", c: "{{ nope | default(omit) }}"}', {a: 1}],
  ['"{{ omit }}"', undefined],
  ['!unsafe "{{ n }}"', '{{ n }}'],
  ['"{{ raw }}"', '{{ n }}'],
  ['"{{ fromhost }}"', '{{ n }}'],
  ['"{{ nope is defined }}"', false],
  ['"{{ broken is defined }}"', false],
  ['"{{ broken | default(7) }}"', 7],
  ['"{{ inventory_hostname }}|{{ group_names }}"', "h1.example.com|['g']"],
  ['"{{ inventory_hostname_short }}"', 'h1'],
  ['"{{ groups.g }}"', ['h1.example.com', 'h2']],
  ['"{{ hostvars.h2.port }}"', 82],
  ["\"{{ hostvars['h2']['url'] }}\"", 'http://h2:82'],
  ['"{{ hostvars.h2.seen.stdout }}"', '{{ n }}'],
  ['"{{ hostvars.h2.ansible_facts.kernel }} {{ hostvars[\'h2\'].ansible_kernel }}"', '6.1 6.1'],
  ["\"{{ groups.g | map('extract', hostvars, 'port') | list }}\"", [81, 82]],
  ['"{{ hostvars.keys() | list }}"', ['h1.example.com', 'h2']],
  ['"{{ \'h3\' in hostvars }}"', false],
  ['"{{ hostvars.h3 is defined }}"', false],
  ['"{{ hostvars.h2.n is defined }}"', false],
  ['"{{ vars.n }} {{ vars[\'later\'] }}"', '5 is 5'],
  ['"{{ ansible_host }}"', 'h1.example.com'],
  ['"{{ ansible_play_hosts }} {{ ansible_play_hosts_all }}"', "['h1'] ['h1', 'h2']"],
  ['"{{ ansible_version.full }} {{ ansible_check_mode }}"', '2.16.0 False'],
  ['"{{ role_path is defined }}"', false],
  ['"{{ big }}"', 2 ** 53],
  ['"{{ half }}"', 2],
  ['"x{{ half }}"', 'x2.0'],
];
for (const [yaml, wanted] of values) {
  test(`evaluates ${yaml}`, async (t) => {
    const scope = await scopeOf(t, {
      inventory:
        'g: {vars: {url: "http://{{ inventory_hostname }}:{{ port }}"}, hosts: {h1.example.com: {port: 81}, h2: {port: 82}}}\n',
      host: 'h1.example.com',
      play: 'n: 5\nl: [1, 2]\nlater: "is {{ n }}"\nraw: !unsafe "{{ n }}"\nbroken: "{{ nope.x }}"\nbig: 9007199254740992\nhalf: 2.0\n',
      memory: {
        'h1.example.com': {setFacts: new Map([['fromhost', '{{ n }}']])},
        h2: {facts: {kernel: '6.1'}, registered: new Map([['seen', {stdout: '{{ n }}'}]])},
      },
    });
    t.deepEqual(value(scope, yaml), wanted);
  });
}

test('what is wrong is located where it stands, all of it at once', async (t) => {
  const scope = await scopeOf(t, {
    play: 'a: "{{ b }}"\nb: "{{ c }}"\nc: "{{ a }}"\nuses: "x {{ nope }}"\nbad: "{{ 1 + }}"\nfilter: "{{ 1 | nofilter }}"',
  });
  t.deepEqual(value(scope, '"{{ a }}"'), ['variable-cycle p.yml:1:4']);
  t.deepEqual(value(scope, 'p: "{{ nope }}"\nq: "xx {{ uses }}"\nr: "{{ bad }}"\ns: "{{ inventory_hostnam }}"'), [
    'undefined-variable p.yml:1:8',
    'undefined-variable p.yml:4:13',
    'template-syntax p.yml:5:14',
    'undefined-variable p.yml:4:8',
  ]);
  const cycle = scope.evaluate(node('"{{ a }}"'));
  t.true(!cycle.ok && cycle.problems[0].message.includes('a → b → c → a'));
  const near = scope.evaluate(node('"{{ inventory_hostnam }}"'));
  t.is(near.ok ? undefined : near.problems[0].help, 'did you mean "inventory_hostname"?');
  t.is(scope.lookup('nope'), undefined);
  t.false(scope.lookup('uses')?.ok ?? true);
  t.regex(String(value(scope, '"{{ filter }}"')), /^unknown-filter p\.yml:6:/);
});

test('a cycle over two hosts is found', async (t) => {
  const scope = await scopeOf(t, {
    inventory: 'all: {hosts: {h1: {a: "{{ hostvars.h2.b }}"}, h2: {b: "{{ hostvars.h1.a }}"}}}',
  });
  t.regex(String(value(scope, '"{{ a }}"')), /^variable-cycle/);
});

test('conditions are expressions without braces', async (t) => {
  const scope = await scopeOf(t, {
    play: 'n: 5\nflag: "yes"',
    run: {factsPending: () => true},
    memory: {h1: {facts: {known: 1}}},
  });
  const judge = (yaml: string): unknown => {
    const result = scope.evaluateExpression(node(yaml));
    return result.ok ? result.value : result.problems[0].code;
  };
  t.is(judge('n == 5 and flag == "yes"'), true);
  t.is(judge('true'), true);
  t.is(judge('"{{ n > 7 }}"'), false);
  t.is(judge('n > nope'), 'undefined-variable');
  t.is(judge('n >'), 'template-syntax');
  t.true(judge('ansible_os_family == "Debian"') instanceof Unknown);
  t.true(judge('ansible_facts.os_family == "Debian"') instanceof Unknown);
  t.is(judge('ansible_known == 1 and ansible_facts["known"] == 1'), true);
  t.is(judge('ansible_port is defined'), false);
});

test('vault values become secrets on use, also by way of other variables; whole vault files too', async (t) => {
  const password = {id: 'default', password: Secret.of('pw')};
  const salt = new Uint8Array(32).fill(1);
  const inline = encrypt('hunter2', {password: password.password, salt}).trimEnd().replaceAll('\n', '\n    ');
  const file = encrypt('token: "{{ prefix }}-abc"\nport: 5\n', {password: password.password, salt});
  const options = {
    play: `pw: !vault |\n    ${inline}\nurl: "db://u:{{ pw }}@h"\nprefix: P\n`,
    files: {'inv/host_vars/h1.yml': file},
  };
  const scope = await scopeOf(t, {...options, run: {vaultPasswords: [password]}});
  const url = value(scope, '"{{ url }}"');
  t.true(url instanceof Secret);
  t.is(String(url), 'db://u:********@h');
  t.is((url as Secret).reveal(), 'db://u:hunter2@h');
  const token = value(scope, '"{{ token }}"');
  t.is(token instanceof Secret && token.reveal(), 'P-abc');
  t.is(value(scope, '"{{ port }}"'), 5);
  const without = await scopeOf(t, options);
  t.deepEqual(value(without, '"{{ url }}"'), ['vault-no-password p.yml:1:12']);
  t.deepEqual(
    without.fileProblems().map((p) => p.code),
    ['vault-no-password'],
  );
});

test('vars_files: templates in names, the first of several that exists, missing ones are located', async (t) => {
  const scope = await scopeOf(t, {
    inventory: 'all: {hosts: {h1: {os: debian}}}',
    files: {'play/vars/debian.yml': 'pkg: deb\n', 'play/default.yml': 'pkg: any\nother: 1\n'},
    varsFiles: '- default.yml\n- ["{{ os }}-12.yml", "{{ os }}.yml", default.yml]\n- gone.yml\n',
    play: 'pkg: play',
  });
  t.is(value(scope, '"{{ pkg }}{{ other }}"'), 'deb1');
  t.deepEqual(
    scope.fileProblems().map((p) => `${p.code} ${p.span === undefined ? '' : placeOf(p.span)}`),
    ['missing-file p.yml:3:3'],
  );
});

test('vars_files whose name is not known yet make what they may hold unknown', async (t) => {
  const scope = await scopeOf(t, {
    varsFiles: '["{{ ansible_os_family }}.yml"]',
    run: {factsPending: () => true},
    play: 'known: 1',
  });
  t.true(value(scope, '"{{ pkg }}"') instanceof Unknown);
  t.is(value(scope, '"{{ known }}"'), 1);
});

test('template files: includes beside them, places in them, variables of this place', async (t) => {
  const scope = await scopeOf(t, {
    files: {
      'play/templates/a.j2': 'n={{ n }}\n{% include "part.j2" %}\n',
      'play/templates/part.j2': '[{{ inventory_hostname }}]',
      'play/templates/bad.j2': 'one\n{{ nope }}\n',
    },
    play: 'n: 5',
  });
  const file = (name: string): string => join(scope.folders[0] ?? '', 'templates', name);
  t.deepEqual(scope.renderFile(file('a.j2')), {ok: true, value: 'n=5\n[h1]\n'});
  const bad = scope.renderFile(file('bad.j2'));
  t.is(bad.ok ? '' : placeOf(bad.problems[0].span!), 'play/templates/bad.j2:2:4');
  t.false(scope.renderFile(file('none.j2')).ok);
});

test('extra vars: words, mappings, files; mistakes in their own source', async (t) => {
  const scope = await scopeOf(t, {
    files: {'inv/host_vars/h1.yml': 'a: 1\n'},
    extra: ['a=2 b="x y"', '{"c": [1], d: "{{ a }}!"}', 'e: 5'],
  });
  t.deepEqual(value(scope, '["{{ a }}", "{{ b }}", "{{ c }}", "{{ d }}", "{{ e }}"]'), ['2', 'x y', [1], '2!', 5]);
  const {problems} = readExtraVars(['ok=1', 'oops', '@none.yml', '{a: [}'], {cwd: '/'});
  t.deepEqual(
    problems.map((p) => `${p.code} ${placeOf(p.span!)}`),
    ['bad-extra-vars <-e #2>:1:1', 'bad-extra-vars <-e #3>:1:1', 'yaml-syntax <-e #4>:1:6'],
  );
});

test('evaluating changes nothing and gives the same again; each place has its own values', async (t) => {
  const scope = await scopeOf(t, {play: 'greet: "hi {{ item }}"'});
  const first = scope.with({item: 'a'});
  const second = scope.with({item: 'b'});
  t.is(value(first, '"{{ greet }}"'), 'hi a');
  t.is(value(second, '"{{ greet }}"'), 'hi b');
  t.is(value(first, '"{{ greet }}"'), 'hi a');
  t.deepEqual(value(scope, '"{{ greet }}"'), ['undefined-variable p.yml:1:15']);
});

test('5,000 hosts with one of them used: only its own files are opened', async (t) => {
  const hosts = Array.from({length: 5000}, (_, i) => `h${String(i)}: {n: ${String(i)}}`).join(', ');
  const scope = await scopeOf(t, {
    inventory: `all: {hosts: {${hosts}}}\n`,
    files: {'inv/host_vars/h7.yml': 'mine: "{{ n + 1 }}"\n', 'inv/host_vars/h8.yml': 'broken: [\n'},
    host: 'h7',
  });
  t.is(value(scope, '"{{ mine }}"'), 8);
  t.deepEqual(scope.fileProblems(), []);
});
