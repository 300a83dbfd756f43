// The same sources given to tsplay and to Ansible's ansible-inventory: the same groups, hosts and variables.
import {execFileSync, spawnSync} from 'node:child_process';
import {chmodSync} from 'node:fs';
import {join, resolve} from 'node:path';
import test from 'ava';
import {withFiles, type Files} from '../support/temp-site.ts';

type Listed = Readonly<Record<string, {hosts?: string[]; children?: string[]; hostvars?: Record<string, unknown>}>>;

const hasAnsible = spawnSync('ansible-inventory', ['--version']).status === 0;
const oracle = hasAnsible ? test : test.skip;

const cases: readonly (readonly [title: string, files: Files, sources: readonly string[]])[] = [
  [
    'INI with ranges, ports, groups of groups and variables',
    {
      'hosts.ini':
        'lone ansible_host=10.0.0.9 a="x y" n=5 t=True\n[web]\nw[01:05:2] color=red\nw[a:c].example.com\n[db]\nd1:2222\n[prod:children]\nweb\ndb\n[prod:vars]\nenv=prod\nlist=[1, "b"]\nnum=007\n[web:vars]\nenv=web\n',
    },
    ['hosts.ini'],
  ],
  [
    'YAML with nested groups',
    {
      'hosts.yml':
        'all:\n  vars: {top: 1}\n  hosts: {lone: }\n  children:\n    web:\n      hosts:\n        w[1:3]: {color: red}\n      vars: {env: web, deep: {a: [1, two]}}\n      children:\n        inner: {hosts: {i1: , w2: {color: blue}}}\n    db: {hosts: {d1: {ansible_port: 2222}}}\n',
    },
    ['hosts.yml'],
  ],
  [
    'files of variables and their precedence',
    {
      'hosts.yml': 'web: {hosts: {w1: {c: host}, w2: }, vars: {a: inventory, b: inventory}}\n',
      'group_vars/all.yml': 'a: all\nb: all\nc: all\nd: all\n',
      'group_vars/web/one.yml': 'b: web\n',
      'group_vars/web/two.yml': 'b: web2\n',
      'host_vars/w1.yml': 'd: w1\n',
    },
    ['hosts.yml'],
  ],
  [
    'several sources: the later ones win',
    {
      'one.ini': '[web]\nw1 a=1 b=1\n[web:vars]\nx=1\n',
      'two.yml': 'web: {hosts: {w1: {a: 2}, w3: }, vars: {x: 2}}\nmore: {children: {web: }}\n',
    },
    ['one.ini', 'two.yml'],
  ],
  [
    'a folder, with a program in it',
    {
      'inv/01-hosts': '[web]\nw1\n',
      'inv/02-program':
        '#!/bin/sh\necho \'{"db": {"hosts": ["d1"], "vars": {"v": 1}, "children": ["web"]}, "_meta": {"hostvars": {"d1": {"h": [1]}}}}\'\n',
      'inv/notes.md': 'not an inventory\n',
      'inv/group_vars/db.yml': 'v: 2\n',
    },
    ['inv'],
  ],
  [
    'equal depth: by name, and by ansible_group_priority',
    {
      'hosts.yml':
        'a: {hosts: {h1: }, vars: {x: a, y: a, ansible_group_priority: 10}}\nb: {hosts: {h1: }, vars: {x: b, y: b}}\nc: {hosts: {h1: }, vars: {z: c}}\n',
    },
    ['hosts.yml'],
  ],
];

for (const [title, files, sources] of cases)
  oracle(title, (t) =>
    withFiles({...files, 'ansible.cfg': '[defaults]\n'}, (cwd) => {
      for (const file of Object.keys(files)) if (file.includes('program')) chmodSync(join(cwd, file), 0o755);
      const args = [...sources.flatMap((source) => ['-i', source]), '--list'];
      const env = {
        ...process.env,
        ANSIBLE_CONFIG: join(cwd, 'ansible.cfg'),
        ANSIBLE_DEPRECATION_WARNINGS: 'false',
        TSPLAY_STATE: join(cwd, 'state'),
      };
      const how = {cwd, env, encoding: 'utf8', stdio: 'pipe'} as const;
      const theirs = JSON.parse(execFileSync('ansible-inventory', args, how)) as Listed;
      const ours = JSON.parse(
        execFileSync(process.execPath, [resolve('bin/tsplay.js'), 'inventory', ...args], how),
      ) as Listed;
      t.deepEqual(shape(ours), shape(theirs));
    }),
  );

/** Hosts and children of each group without their order; groups without either count as not there. Variables of hosts as they are. */
function shape(listed: Listed): unknown {
  const groups = Object.entries(listed)
    .filter(([name]) => name !== '_meta')
    .map(([name, {hosts = [], children = []}]) => {
      const filled = children.filter((child) => child !== 'ungrouped');
      return [name, {hosts: hosts.toSorted(), children: filled.toSorted()}] as const;
    })
    .filter(([, {hosts, children}]) => hosts.length + children.length > 0);
  const hostvars = Object.entries(listed['_meta']?.hostvars ?? {}).filter(
    ([, values]) => Object.keys(values as object).length > 0,
  );
  return {groups: Object.fromEntries(groups), hostvars: Object.fromEntries(hostvars)};
}
