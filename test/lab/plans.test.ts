// Saved plans on real hosts: what is applied is what was planned, whatever has become of the playbook; a host that has moved on is refused by name, and the
// others go on; no secret can be read from the file.
import {mkdir, mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {Ajv} from 'ajv';
import test from 'ava';
import {labFolder, runHere, runIn} from '../../lab/proof/lab-host.ts';
import {outputSchema} from '../../src/report/output-schema.ts';
import {planSchema} from '../../src/report/plan-schema.ts';
import {labMissing} from './own-site.ts';
import {troubles, tsplay, type Finished} from './run-tsplay.ts';

const moving = 'bare1';
const steady = 'plain60';
const addresses = {[moving]: '10.77.0.51', [steady]: '10.77.1.60'};

const ajv = new Ajv({strict: true, allErrors: true});
const isReport = ajv.compile(outputSchema);
const isPlan = ajv.compile(planSchema);
let folder: string;

const write = async (name: string, text: string): Promise<string> => {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), {recursive: true});
  await writeFile(file, text, {mode: 0o600});
  return file;
};
const at = (name: string): string => path.join(folder, name);

/** A command on this test's site, with a JSON document; `state`: another controller. */
async function run(words: readonly string[], state = 'state'): Promise<Finished> {
  const finished = await tsplay([...words, '--output', 'json'], {TSPLAY_STATE: at(state)}, folder);
  if (words[0] !== 'show' && !isReport(finished.report)) throw new Error(JSON.stringify(isReport.errors));
  return finished;
}
const plan = (name: string, playbook: string, ...more: string[]): Promise<Finished> =>
  run(['plan', playbook, '-i', at('hosts.yml'), '-o', at(name), ...more]);
const apply = (name: string, ...more: string[]): Promise<Finished> => run(['apply', at(name), ...more]);
const on = async (host: string, shell: string): Promise<string> => (await runIn(host, ['sh', '-c', shell])).stdout;
const statusOf = (finished: Finished, host: string): string[] =>
  finished.report.tasks.filter((task) => task.host === host).map(({task, status}) => `${task}: ${status}`);

const playOf = (tasks: string, more = ''): string =>
  `- name: plans\n  hosts: all\n  gather_facts: false\n${more}  tasks:\n${tasks.trimEnd().replaceAll(/^(?=.)/gm, '    ')}\n`;

if (labMissing !== undefined) test.skip(`plans: ${labMissing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(120_000);
    const up = await runHere(['bash', 'lab/lab.sh', 'up', moving, steady], '', 90_000);
    t.is(up.exit, 0, up.stderr);
    folder = await mkdtemp(path.join(tmpdir(), 'tsplay-plans-'));
    await write(
      'tsplay.yml',
      `known_hosts: ${path.join(labFolder, 'known_hosts')}\nprivate_key: ${path.join(labFolder, 'id')}\n`,
    );
    const hosts = Object.entries(addresses).map(([name, address]) => `    ${name}: {ansible_host: ${address}}\n`);
    await write('hosts.yml', `all:\n  vars: {ansible_user: admin, ansible_become: true}\n  hosts:\n${hosts.join('')}`);
  });
  test.beforeEach(async (t) => {
    for (const host of [moving, steady]) {
      const reset = await runHere(['bash', 'lab/lab.sh', 'reset', host], '', 60_000);
      t.is(reset.exit, 0, reset.stderr);
    }
  });
  test.after.always(() => rm(folder, {recursive: true, force: true}));

  test.serial(
    'plan, look, apply: exactly that, though everything was edited since; a host that moved is refused by name',
    async (t) => {
      const playbook = await write(
        'site.yml',
        playOf(
          `- name: motd
  copy: {dest: /etc/motd, content: "hello {{ inventory_hostname }}\\n", mode: "0644"}
  notify: tell
- name: line
  lineinfile: {path: /etc/motd, line: second}
- name: folders
  file: {path: "/srv/{{ item }}", state: directory}
  loop: "{{ ['a', 'b', 'c'] | shuffle }}"
- name: template
  template: {src: t.j2, dest: /srv/a/t}
- name: luck
  copy: {dest: /srv/luck, content: "{{ 1000000 | random }}\\n"}
- include_tasks: more.yml
- name: left out
  copy: {dest: /srv/never, content: "x\\n"}
  when: inventory_hostname == 'nobody'
`,
          '  handlers:\n    - name: tell\n      shell: echo told >> /srv/told\n',
        ),
      );
      await write('templates/t.j2', 'template for {{ inventory_hostname }}\n');
      await write('more.yml', '- name: included\n  copy: {dest: /srv/included, content: "one\\n"}\n');
      const planned = await plan('p1', playbook);
      t.is(planned.exit, 8, troubles(planned));
      t.is(planned.report.run.mode, 'plan');
      t.is((await stat(at('p1'))).mode & 0o777, 0o600);
      t.is(await on(steady, 'ls /srv | grep -v repo'), '');

      const shown = await run(['show', at('p1')]);
      t.is(shown.exit, 0, shown.stderr);
      const document = JSON.parse(shown.stdout) as {
        verified: boolean;
        tasks: {decided: string; ops?: string[]; diff: string}[];
      };
      t.true(isPlan(document), JSON.stringify(isPlan.errors));
      t.true(isPlan(JSON.parse(await readFile(at('p1'), 'utf8'))), JSON.stringify(isPlan.errors));
      t.true(document.verified);
      t.true(
        document.tasks.some(({ops}) => ops?.[0] === 'write /etc/motd (12 bytes), mode 0644'),
        shown.stdout,
      );
      const plain = await tsplay(['show', at('p1')], {TSPLAY_STATE: at('state')}, folder);
      t.regex(plain.stdout, /will write \/etc\/motd/);

      for (const name of ['site.yml', 'templates/t.j2', 'more.yml'])
        await write(name, (await readFile(at(name), 'utf8')).replaceAll(/hello|second|template for|one/g, 'EDITED'));
      await on(moving, 'echo by hand >> /etc/motd');
      const applied = await apply('p1');
      t.is(applied.exit, 2, troubles(applied));
      t.is(applied.report.run.mode, 'apply');
      t.deepEqual(statusOf(applied, moving), ['motd: refused']);
      t.regex(
        applied.report.tasks.find(({status}) => status === 'refused')?.message ?? '',
        /moved since the plan: file \/etc\/motd: planned on content/,
      );
      t.is(await on(moving, 'ls /srv | grep -v repo'), '');
      t.is(applied.report.hosts[steady]?.status, 'changed', troubles(applied));
      t.is(
        await on(steady, 'cat /etc/motd /srv/a/t /srv/included /srv/told; ls /srv/b /srv/c /srv/never 2>/dev/null'),
        `hello ${steady}\nsecond\ntemplate for ${steady}\none\ntold\n/srv/b:\n\n/srv/c:\n`,
      );

      // the diff of the plan is the diff of the apply, luck and all
      const diffs = (finished: Finished): string[] =>
        finished.report.tasks
          .filter(({host, status, everyRun}) => host === steady && status === 'changed' && everyRun !== true)
          .map(({task, item, diff}) => `${task} ${String(item)}: ${diff ?? ''}`)
          .sort();
      t.deepEqual(diffs(applied), diffs(planned));

      const again = await apply('p1', '-l', steady);
      t.is(again.exit, 0, troubles(again));
      t.is(again.report.hosts[steady]?.changed, 0);
      t.is(await on(steady, 'cat /srv/told'), 'told\n');
    },
  );

  test.serial(
    'secrets are sealed with the vault password; without one a plan is of this controller only',
    async (t) => {
      const secret = "It's $ecret/9+ &x<y";
      const quiet = 'unlogged-5512';
      await write('password', 'the vault password\n');
      const clear = await write('vault.yml', JSON.stringify({pw: secret}));
      const vault = ['--vault-password-file', at('password')];
      const encrypted = await tsplay(['vault', 'encrypt', clear, ...vault]);
      t.is(encrypted.exit, 0, encrypted.stderr);
      const playbook = await write(
        'secret.yml',
        playOf(
          `- copy: {dest: /srv/file, content: "pw={{ pw }}\\n", mode: "0600"}
- copy: {dest: /srv/encoded, content: "{{ pw | b64encode }} {{ pw | urlencode }} {{ pw | quote }}\\n"}
- name: shell
  shell: printf '%s' {{ pw | quote }} > /srv/shell
- name: environment
  shell: printf '%s' "$PW" > /srv/environment
  environment: {PW: "{{ pw }}"}
- copy: {dest: /srv/quiet, content: "${quiet}\\n"}
  no_log: true
`,
          '  vars_files: [vault.yml]\n',
        ),
      );
      const planned = await plan('p2', playbook, ...vault);
      t.is(planned.exit, 8, troubles(planned));
      const file = await readFile(at('p2'), 'utf8');
      const base64 = (shift: number): string =>
        Buffer.from(`${'x'.repeat(shift)}${secret}`)
          .toString('base64')
          .slice(4, 4 + 20);
      const forms = [
        secret,
        'ecret/9',
        ...[0, 1, 2].map(base64),
        encodeURIComponent(secret),
        secret.replaceAll("'", `'"'"'`),
        secret.replaceAll("'", `'\\''`),
        Buffer.from(secret).toString('hex'),
        'the vault password',
      ];
      for (const text of [file, planned.stdout, (await run(['show', at('p2'), ...vault])).stdout])
        t.deepEqual(
          forms.filter((form) => text.includes(form)),
          [],
        );
      t.false(file.includes(quiet));

      // another controller: it has the password, but neither the state nor the key of the first
      const elsewhere = await run(['apply', at('p2'), ...vault, '-l', steady], 'other-state');
      t.is(elsewhere.exit, 0, troubles(elsewhere));
      t.deepEqual(
        forms.filter((form) => elsewhere.stdout.includes(form)),
        [],
      );
      t.is(await on(steady, 'cat /srv/file /srv/shell /srv/environment'), `pw=${secret}\n${secret}${secret}`);
      const without = await run(['apply', at('p2')]);
      t.is(without.exit, 1);
      t.regex(without.stderr, /p2:\d+:1 error\[vault-no-password\] the plan is sealed/);

      const other = await write('plain.yml', playOf('- copy: {dest: /srv/x, content: "x\\n"}\n'));
      t.is((await plan('p3', other)).exit, 8);
      const foreign = await run(['apply', at('p3')], 'other-state');
      t.is(foreign.exit, 1);
      t.regex(foreign.stderr, /error\[plan-elsewhere\] .*key of another controller/);
      const unverified = await run(['show', at('p3')], 'other-state');
      t.is(unverified.exit, 0);
      t.regex(unverified.stderr, /warning\[plan-unverified\]/);
    },
  );

  test.serial(
    'what waits for a command is decided when the plan is applied, and with --exact not at all',
    async (t) => {
      const playbook = await write(
        'late.yml',
        playOf(`- name: asks
  command: cat /etc/hostname
  register: asked
- name: waits
  copy: {dest: /srv/name, content: "{{ asked.stdout }}\\n"}
- name: once
  copy: {dest: /srv/once, content: "{{ inventory_hostname }}\\n"}
  run_once: true
- name: elsewhere
  copy: {dest: "/srv/from-{{ inventory_hostname }}", content: "x\\n"}
  delegate_to: ${moving}
- block:
    - name: fails
      command: "false"
  rescue:
    - name: rescued
      copy: {dest: /srv/rescued, content: "{{ ansible_failed_task.name }}\\n"}
- name: counts
  shell: echo x >> /srv/count; wc -l < /srv/count
  register: count
  until: count.stdout | int >= 2
  delay: 0
`),
      );
      t.is((await plan('p4', playbook)).exit, 8);
      const head = JSON.parse(await readFile(at('p4'), 'utf8')) as {
        tasks: {task: string; host: string; decided: string}[];
      };
      const decided = head.tasks.filter(({host}) => host === steady).map(({task, decided: when}) => `${task}: ${when}`);
      t.deepEqual(decided.slice(0, 2), ['asks: at plan', 'waits: at apply']);
      const exact = await apply('p4', '--exact', '-l', steady);
      t.is(exact.exit, 2);
      t.deepEqual(statusOf(exact, steady).slice(0, 2), ['asks: changed', 'waits: refused']);
      const applied = await apply('p4');
      t.is(applied.exit, 0, troubles(applied));
      t.is(await on(steady, 'cat /srv/name /srv/rescued; wc -l < /srv/count'), `${steady}\nfails\n2\n`);
      t.is(await on(moving, `cat /srv/once; ls /srv | grep from`), `${moving}\nfrom-${moving}\nfrom-${steady}\n`);
      const again = await apply('p4');
      t.is(again.exit, 0, troubles(again));
      t.is(await on(steady, 'wc -l < /srv/count'), '2\n');
    },
  );

  test.serial('of two plans the second is refused, and an edited plan is not applied at all', async (t) => {
    const first = await write(
      'one.yml',
      playOf('- copy: {dest: /srv/x, content: "one\\n"}\n- file: {path: /srv/x, mode: "0600"}\n'),
    );
    const second = await write('two.yml', playOf('- copy: {dest: /srv/x, content: "two\\n"}\n'));
    t.is((await plan('p5', first, '-l', steady)).exit, 8);
    t.is((await plan('p6', second, '-l', steady)).exit, 8);
    t.is((await apply('p5')).exit, 0);
    const stale = await apply('p6');
    t.is(stale.exit, 2);
    t.deepEqual(statusOf(stale, steady), ['copy: refused']);
    t.is(await on(steady, 'cat /srv/x; stat -c %a /srv/x'), 'one\n600\n');

    const text = await readFile(at('p6'), 'utf8');
    await writeFile(at('p6'), text.replace('(4 bytes)', '(5 bytes)'));
    const edited = await apply('p6');
    t.is(edited.exit, 1);
    t.regex(edited.stderr, /p6:\d+:1 error\[plan-edited\]/);
    t.is((await run(['show', at('p6')]).catch(() => ({exit: 1}))).exit, 1);
    t.is((await apply('none')).exit, 1);
  });

  test.serial('another inventory, a host that is gone, a file of the controller that changed', async (t) => {
    const big = 'x'.repeat(1_500_000);
    await write('files/big', big);
    const playbook = await write(
      'files.yml',
      playOf(
        `- copy: {dest: /srv/big, src: big}\n  when: inventory_hostname == '${moving}'\n- copy: {dest: /srv/v, content: "{{ v }}\\n"}\n`,
      ),
    );
    t.is((await plan('p7', playbook, '-e', 'v=given')).exit, 8);
    t.false((await readFile(at('p7'), 'utf8')).includes('v=given'));
    const hosts = await readFile(at('hosts.yml'), 'utf8');
    const other = await write('other.yml', hosts.replace(new RegExp(`^ +${moving}:.*\\n`, 'm'), ''));
    const elsewhere = await apply('p7', '-i', other);
    t.is(elsewhere.exit, 2);
    t.deepEqual(Object.keys(elsewhere.report.hosts), [steady]);
    t.regex(elsewhere.stderr, new RegExp(`warning\\[plan-host-gone\\] ${moving} is refused`));
    t.is(await on(steady, 'cat /srv/v'), 'given\n');

    await write('files/big', `${big}!`);
    const changed = await apply('p7');
    t.is(changed.exit, 2);
    t.is(changed.report.hosts[moving]?.refused, 1);
    t.is(changed.report.hosts[steady]?.status, 'ok');
    t.true(
      changed.report.problems.some(
        ({code, message}) => code === 'plan-moved' && message.startsWith(`${moving}: ${at('files/big')}`),
      ),
    );
    await write('files/big', big);
    t.is((await apply('p7', '-l', moving)).exit, 0);
    t.is(await on(moving, 'wc -c < /srv/big; cat /srv/v'), '1500000\ngiven\n');
  });
}
