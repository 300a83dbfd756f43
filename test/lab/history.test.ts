// What a run on a real host leaves in the history: who, what, the diffs without secrets; and what two checks tell when they are compared.
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {runHere, runIn} from '../../lab/proof/lab-host.ts';
import {labMissing, ownSite, type OwnSite} from './own-site.ts';
import {troubles, tsplay, type Finished} from './run-tsplay.ts';

const host = 'plain60';
const inventory = '10.77.1.60,';
let site: OwnSite;

const playbook = `- hosts: all
  gather_facts: false
  vars: {word: "{{ db_password }}"}
  tasks:
    - copy: {dest: /srv/history/a, content: "one\\n"}
    - copy: {dest: /srv/history/b, content: "{{ word }} and two\\n"}
      no_log: true
`;

function command(...argv: readonly string[]): Promise<Finished> {
  return tsplay(argv, {TSPLAY_STATE: path.join(site.folder, 'state')});
}

if (labMissing !== undefined) test.skip(`history: ${labMissing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(60_000);
    const up = await runHere(['bash', 'lab/lab.sh', 'up', host], '', 60_000);
    t.is(up.exit, 0, up.stderr);
    site = await ownSite();
    await runIn(host, ['sh', '-c', 'rm -rf /srv/history; mkdir /srv/history']);
  });
  test.after.always(() => site.remove());

  test.serial('a run and its checks: shown, compared, verified; no secret is kept', async (t) => {
    t.timeout(60_000);
    const file = await site.write('site.yml', playbook);
    const reach = ['-i', inventory, '-u', 'root', '-e', 'db_password=Tr0ub4dor', '--output', 'json'];
    const run = await command('run', file, ...reach);
    t.is(run.exit, 0, troubles(run));
    t.is((await command('check', file, ...reach)).exit, 0);
    await runIn(host, ['sh', '-c', 'echo by hand >/srv/history/a']);
    t.is((await command('check', file, ...reach)).exit, 8);

    const list = await command('history', '--host', '10.77.1.60', '--output', 'plain');
    t.deepEqual(
      list.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/ {2,}/).slice(1, 3).join(' ')),
      ['check differs', 'check ok', 'run changed'],
    );
    const shown = await command('history', 'show', 'last', '--output', 'plain');
    t.true(shown.stdout.includes('-by hand\n    +one\n'), shown.stdout);
    const compared = await command('history', 'compare', 'last~1', 'last', '--output', 'plain');
    t.regex(compared.stdout, /^new {7}10\.77\.1\.60 {2}copy \(copy\) ok → changed/);
    const verified = await command('history', 'verify', '--output', 'plain');
    t.is(verified.exit, 0, verified.stdout);
    const folder = path.join(site.folder, 'state/history/runs');
    for (const name of readdirSync(folder))
      t.false(readFileSync(path.join(folder, name), 'utf8').includes('Tr0ub4dor'), name);
  });
}
