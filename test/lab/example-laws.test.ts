// The laws of a module on a real host, for what its examples say: check changes not one byte, its diff is the run's diff, and after a run nothing
// is left to do. Nothing here lists the modules: a new one is tried at once, on a plain Debian host.
import test from 'ava';
import {runHere} from '../../lab/proof/lab-host.ts';
import {plainTar} from '../fixtures/archives.ts';
import {everyModule} from '../laws/every-module.ts';
import {differing, everyInode, labMissing, ownSite, playOf, type OwnSite} from './own-site.ts';
import {troubles, type Finished} from './run-tsplay.ts';

/** What a module's examples need first: tasks that prepare the host. */
const first: Readonly<Record<string, string>> = {
  get_url: `- package: {name: [curl, nginx-light]}
- lineinfile: {path: /etc/hosts, line: 127.0.0.1 downloads.example.test}
- copy: {dest: /var/www/html/thing-1.0.txt, content: "thing, release 1.0\\n"}
- service: {name: nginx, state: started}
`,
  luks_volume: '- package: {name: [cryptsetup]}\n',
  sasl_conf: '- package: {name: [libsasl2-modules, libsasl2-modules-db]}\n',
  sasl_user: '- package: {name: [sasl2-bin]}\n',
};

/** Modules whose examples a plain Debian host cannot serve; the site's tests try them where it can. */
const elsewhere: Readonly<Record<string, string>> = {
  libvirt_domain: 'needs libvirt with a guest: kvm1, by the site',
  spice_graphics: 'needs libvirt with a guest: kvm1, by the site',
  qemu_conf: 'needs libvirt: kvm1 and kvm2, by the site',
  lvm_volume: 'needs an empty disk: crypt1, by the site',
};

const host = 'bare1';
let site: OwnSite;

const rounds = Math.max(...everyModule.map(([, module]) => module.examples.length));

if (labMissing !== undefined) test.skip(`laws on hosts: ${labMissing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(120_000);
    const reset = await runHere(['bash', 'lab/lab.sh', 'reset', host], '', 60_000);
    t.is(reset.exit, 0, reset.stderr);
    site = await ownSite();
    // sudo's first success leaves a mark in the home: https://www.sudo.ws, --enable-admin-flag
    const known = await site.play('check', playOf(host, '- ping:\n'));
    t.is(known.exit, 0, troubles(known));
    await site.write('files/reports.tar', plainTar({'reports.txt': 'one\n'}));
    await site.write('files/survey.sh', '#!/bin/sh\nuname -a; echo "$@"\n');
    await site.write('templates/greeting.j2', 'welcome to {{ inventory_hostname }}\n');
  });
  test.after.always(() => site.remove());

  test.serial('every module is tried, or named with a reason', (t) => {
    const names = everyModule.map(([name]) => name);
    for (const name of [...Object.keys(first), ...Object.keys(elsewhere)])
      t.true(names.includes(name), `${name} is no module any more`);
    for (const [name, reason] of Object.entries(elsewhere)) t.log(`${name}: ${reason}`);
  });

  for (let round = 0; round < rounds; round++)
    test.serial(`examples, number ${round + 1} of each module`, async (t) => {
      t.timeout(180_000);
      const tried = everyModule.filter(
        ([name, {examples}]) => elsewhere[name] === undefined && examples.length > round,
      );
      const needs = tried.map(([name]) => first[name] ?? '').join('');
      if (needs !== '') {
        const prepared = await site.play('run', playOf(host, needs));
        t.is(prepared.exit, 0, troubles(prepared));
      }
      const playbook = playOf(host, tried.map(([, module]) => module.examples[round]!).join('\n'));

      const before = await everyInode(host);
      const checked = await site.play('check', playbook);
      t.true([0, 8].includes(checked.exit), troubles(checked));
      t.deepEqual(differing(before, await everyInode(host)), []);

      const ran = await site.play('run', playbook);
      t.is(ran.exit, 0, troubles(ran));
      compare(t, checked, ran);

      const again = await site.play('run', playbook);
      t.is(again.exit, 0, troubles(again));
      const settled = await everyInode(host);
      for (const task of again.report.tasks)
        if (task.everyRun !== true) t.not(task.status, 'changed', `${task.task}: ${task.diff ?? ''}`);
      const last = await site.play('check', playbook);
      t.is(last.exit, 0, troubles(last));
      t.deepEqual(differing(settled, await everyInode(host)), []);
    });
}

/** Task by task: what check said would change is what run changed; where check could not know, it names what it waits for. */
function compare(
  t: {is: (a: unknown, b: unknown, message?: string) => unknown; true: (a: boolean, m?: string) => unknown},
  checked: Finished,
  ran: Finished,
): void {
  t.is(checked.report.tasks.length, ran.report.tasks.length);
  for (const [i, task] of ran.report.tasks.entries()) {
    const foretold = checked.report.tasks[i]!;
    if (foretold.status === 'unknown') {
      t.true(
        task.everyRun === true || /known only after/.test(foretold.message ?? ''),
        `${task.task}: ${foretold.message ?? ''}`,
      );
      continue;
    }
    t.is(foretold.status, task.status, `${task.module}: ${foretold.message ?? ''} / ${task.message ?? ''}`);
    t.is(foretold.diff, task.diff, task.module);
  }
}
