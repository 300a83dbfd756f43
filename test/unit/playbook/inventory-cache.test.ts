// Answers of inventories that are programs are kept for a while, by the program and its time of change.
import {chmodSync, readFileSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {loadInventory} from '../../../src/playbook/inventory-load.ts';
import {withFiles} from '../../support/temp-site.ts';

const program =
  '#!/bin/sh\necho x >>asked\necho \'{"web": {"hosts": ["h1"]}, "_meta": {"hostvars": {"h1": {"a": 1}}}}\'\n';
const module = `import {appendFileSync} from 'node:fs';
export default ({cwd}) => { appendFileSync(cwd + '/asked', 'x\\n'); return {all: {hosts: {h1: {a: 1}}}}; };
`;

for (const [name, text] of [
  ['hosts.sh', program],
  ['hosts.mjs', module],
] as const)
  test(`kept for as long as it is said: ${name}`, (t) =>
    withFiles({[name]: text, asked: ''}, async (cwd) => {
      chmodSync(join(cwd, name), 0o755);
      const asked = (): number => readFileSync(join(cwd, 'asked'), 'utf8').length / 2;
      const load = async (seconds: number, refresh = false): Promise<number> => {
        const cache = {folder: join(cwd, 'cache'), seconds, refresh};
        const {inventory, problems} = await loadInventory([name], {cwd, env: process.env, cache});
        t.deepEqual(problems, []);
        t.deepEqual([...inventory.hostNames()], ['h1']);
        t.is(inventory.host('h1')?.variables.has('a'), true);
        return asked();
      };
      t.is(await load(0), 1);
      t.is(await load(100), 2);
      t.is(await load(100), 2);
      t.is(await load(100, true), 3);
      t.is(statSync(join(cwd, 'cache')).mode & 0o777, 0o700);
      utimesSync(join(cwd, name), new Date(), new Date(1e12));
      t.is(await load(100), 4);
    }));

test('what fails is not kept', (t) =>
  withFiles({'hosts.sh': '#!/bin/sh\necho nonsense\n'}, async (cwd) => {
    chmodSync(join(cwd, 'hosts.sh'), 0o755);
    const cache = {folder: join(cwd, 'cache'), seconds: 100, refresh: false};
    const first = await loadInventory(['hosts.sh'], {cwd, env: process.env, cache});
    t.is(first.problems[0]?.code, 'bad-inventory');
    writeFileSync(join(cwd, 'hosts.sh'), '#!/bin/sh\necho \'{"web": ["h1"], "_meta": {"hostvars": {}}}\'\n');
    utimesSync(join(cwd, 'hosts.sh'), new Date(), new Date(1e12));
    t.deepEqual((await loadInventory(['hosts.sh'], {cwd, env: process.env, cache})).problems, []);
  }));

test('plugins are asked after all other sources, and unknown ones are named', (t) =>
  withFiles(
    {'a.yml': 'plugin: made\nhosts: web\ncache: 60\n', 'b.yml': 'plugin: mode\n', 'c.yml': 'web: {hosts: {w1: }}\n'},
    async (cwd) => {
      let asked = 0;
      const plugins = new Map([
        [
          'made',
          (settings: Readonly<Record<string, unknown>>) => {
            asked++;
            const host = `guest-of-${String(settings['hosts'])}`;
            return Promise.resolve({data: {made: [host], _meta: {hostvars: {[host]: {b: 2}}}}, problems: []});
          },
        ],
      ]);
      const cache = {folder: join(cwd, 'cache'), seconds: 0, refresh: false};
      const load = () => loadInventory(['a.yml', 'b.yml', 'c.yml'], {cwd, plugins, cache});
      const {inventory, problems} = await load();
      t.deepEqual([...inventory.hostNames()], ['w1', 'guest-of-web']);
      t.deepEqual(
        problems.map(({code, help}) => [code, help]),
        [['unknown-plugin', 'did you mean made?']],
      );
      await load();
      t.is(asked, 1);
    },
  ));
