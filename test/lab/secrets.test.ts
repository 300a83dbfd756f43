// Secrets through a whole run: of vault values, in every module that takes text, nothing may be seen in any output, in any process's words, or in a
// file that is not theirs.
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {runHere, runIn} from '../../lab/proof/lab-host.ts';
import {labMissing, ownSite, playOf, type OwnSite} from './own-site.ts';
import {watchProcesses} from './process-watch.ts';
import {troubles, tsplay, type Finished} from './run-tsplay.ts';

const host = 'bare2';
/** One secret for each way that it takes, so that a find tells where it leaked. */
const secrets = {
  copied: 'Kopie-7261-geheim',
  templated: "Vorlage-8812-'quoted' $HOME",
  line: 'Zeile-5520-geheim',
  block: 'Block-6617-geheim',
  environment: 'Umgebung-1199-geheim',
  stdin: 'Eingabe-4410-geheim',
  password: '$6$salzsalz$Hash9934geheim.',
  unlogged: 'Unlogged-3377-geheim',
  failing: 'Fehler-2093-geheim',
} as const;
const become = 'admin-lab-only';
const texts = Object.values(secrets);
let site: OwnSite;

const tasks = `- copy: {dest: /srv/secret-copy, content: "user=me password={{ vault.copied }}\\n", mode: "0600"}
- template: {src: secret.j2, dest: /srv/secret-template, mode: "0600"}
- copy: {dest: /srv/secret-lines, content: "a=1\\n", force: false, mode: "0600"}
- lineinfile: {path: /srv/secret-lines, regexp: "^password=", line: "password={{ vault.line }}"}
- blockinfile: {path: /srv/secret-lines, block: "token {{ vault.block }}\\n"}
- name: environment
  shell: printf %s "$TOKEN" | wc -c; sleep 0.4
  environment: {TOKEN: "{{ vault.environment }}"}
  register: counted
- name: stdin
  command: {argv: [sh, -c, "cat >/dev/null; sleep 0.3"], stdin: "{{ vault.stdin }}"}
- user: {name: secretive, password: "{{ vault.password }}", create_home: false}
- name: unlogged {{ vault.unlogged | length }}
  shell: "echo {{ vault.unlogged }}; echo {{ vault.unlogged }} >&2"
  no_log: true
  register: unlogged
- debug: {var: unlogged}
- debug: {msg: "{{ vault }} {{ vault.copied | b64encode }}"}
- set_fact: {kept: "{{ vault.line }}"}
- debug: {msg: "{{ kept | upper }} {{ kept | urlencode }}"}
- name: failing
  shell: "echo {{ vault.failing }} is wrong >&2; false"
  ignore_errors: true
`;

function leaks(finished: Finished, more = ''): readonly string[] {
  const all = `${finished.stdout}\n${finished.stderr}\n${more}`;
  const forms = (text: string): string[] => [
    text,
    Buffer.from(text).toString('base64').replace(/=+$/, ''),
    text.toUpperCase(),
    encodeURIComponent(text),
    JSON.stringify(text).slice(1, -1),
  ];
  return [...texts, become].filter((text) => forms(text).some((form) => all.includes(form)));
}

if (labMissing !== undefined) test.skip(`secrets: ${labMissing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(60_000);
    const reset = await runHere(['bash', 'lab/lab.sh', 'reset', host], '', 60_000);
    t.is(reset.exit, 0, reset.stderr);
    site = await ownSite();
    await site.write('vault-password', 'the vault password\n');
    const clear = await site.write('clear.yml', JSON.stringify({vault: secrets}));
    const args = ['--vault-password-file', path.join(site.folder, 'vault-password')];
    const encrypted = await tsplay(['vault', 'encrypt', clear, ...args]);
    t.is(encrypted.exit, 0, encrypted.stderr);
    t.regex(await readFile(clear, 'utf8'), /^\$ANSIBLE_VAULT/);
    await site.write('templates/secret.j2', 'host {{ inventory_hostname }}\npassword {{ vault.templated }}\n');
  });
  test.after.always(() => site.remove());

  const withVault = (): {args: readonly string[]} => ({
    args: ['--vault-password-file', path.join(site.folder, 'vault-password')],
  });
  const playbook = playOf(host, tasks, '  vars_files: [clear.yml]\n');

  test.serial('in no output, no event, no process, no stray file', async (t) => {
    t.timeout(120_000);
    const decoy = 'decoy-in-the-process-list';
    const events = path.join(site.folder, 'events.jsonl');
    const checked = await site.play('check', playbook, withVault());
    t.deepEqual(leaks(checked), [], checked.stdout);
    const stop = await watchProcesses([...texts.filter((text) => text !== secrets.environment), become, decoy]);
    await runIn(host, ['sh', '-c', `sleep 0.3; : ${decoy}`]);
    const ran = await site.play('run', playbook, {args: [...withVault().args, '-vvv', '--events', events]});
    const watched = await stop();
    t.is(ran.exit, 0, troubles(ran));
    t.deepEqual(leaks(ran, await readFile(events, 'utf8')), []);
    t.deepEqual(
      watched.found.filter(({text}) => text !== decoy),
      [],
    );
    t.true(watched.found.some(({text}) => text === decoy) && watched.looks > 20);

    // what was shown is the text around the secrets
    const diff = ran.report.tasks.map((task) => task.diff ?? '').join('');
    t.regex(diff, /user=me password=\*+/);
    t.regex(diff, /password=\*+/);

    const {stdout} = await runIn(host, [
      'grep',
      '-rlF',
      ...texts.flatMap((text) => ['-e', text]),
      '/etc',
      '/srv',
      '/root',
      '/home',
      '/tmp',
      '/var',
      '/run',
    ]);
    t.deepEqual(stdout.trim().split('\n').sort(), [
      '/etc/shadow',
      '/srv/secret-copy',
      '/srv/secret-lines',
      '/srv/secret-template',
    ]);
    const strays = await runIn(host, ['find', '/', '-xdev', '-name', '.tsplay-*']);
    t.is(strays.stdout, '');
    const kept = await runHere([
      'grep',
      '-rlF',
      ...texts.flatMap((text) => ['-e', text]),
      path.join(site.folder, 'state'),
    ]);
    t.is(kept.stdout, '');
  });

  test.serial('in no plain output either, with and without -vvv, and the second run is quiet', async (t) => {
    for (const verbose of [[], ['-vvv']]) {
      const plain = await site.play('run', playbook, {plain: true, args: [...withVault().args, ...verbose]});
      t.is(plain.exit, 0, plain.stdout);
      t.deepEqual(leaks(plain), []);
    }
    await runIn(host, ['sh', '-c', 'sed -i s/geheim/offen/ /srv/secret-lines /srv/secret-copy']);
    const repaired = await site.play('run', playbook, withVault());
    t.deepEqual(leaks(repaired), []);
    t.is(repaired.report.hosts[host]!.failed, 0, troubles(repaired));
    t.is(repaired.report.tasks.filter(({status, everyRun}) => status === 'changed' && everyRun !== true).length, 3);
  });

  test.serial('the vault cannot be read with a wrong password, and nothing is attempted', async (t) => {
    const wrong = await site.write('wrong', 'not it\n');
    const refused = await site.play('check', playbook, {args: ['--vault-password-file', wrong]});
    t.is(refused.exit, 1);
    t.deepEqual(leaks(refused), []);
  });
}
