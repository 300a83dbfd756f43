// A host that really goes down and comes back: what lived in /run is gone, files stay, and tasks behind it see the new boot.
import test from 'ava';
import {runHere, runIn} from '../../lab/proof/lab-host.ts';
import {labMissing, ownSite, playOf} from './own-site.ts';
import {troubles} from './run-tsplay.ts';

const host = 'bare1';
const tasks = `
- copy: {dest: /run/of-this-boot, content: here}
- copy: {dest: /srv/stays, content: here}
- reboot: {reboot_timeout: 60, test_command: "test ! -e /run/of-this-boot"}
  register: boot
- stat: {path: /run/of-this-boot}
  register: gone
- stat: {path: /srv/stays}
  register: stays
- assert: {that: [boot.rebooted, boot.elapsed >= 0, not gone.stat.exists, stays.stat.exists]}
- wait_for_connection: {timeout: 10}
`;

/** Changes with every boot: when process 1 was started. */
async function bootMark(): Promise<string> {
  const {stdout} = await runIn(host, ['sh', '-c', 'sed "s/.*) //" /proc/1/stat | cut -d" " -f20']);
  return stdout.trim();
}

if (labMissing !== undefined) test.skip(`reboots: ${labMissing}`, () => undefined);
else
  test('check says that it would, run reboots and goes on', async (t) => {
    t.timeout(120_000);
    const reset = await runHere(['bash', 'lab/lab.sh', 'reset', host], '', 60_000);
    t.is(reset.exit, 0, reset.stderr);
    const site = await ownSite();
    try {
      const before = await bootMark();
      const checked = await site.play('check', playOf(host, tasks));
      const foretold = checked.report.tasks.find(({module}) => module === 'reboot');
      t.is(foretold?.status, 'unknown', troubles(checked));
      t.is(await bootMark(), before);

      const ran = await site.play('run', playOf(host, tasks));
      t.is(ran.exit, 0, troubles(ran));
      t.is(ran.report.tasks.find(({module}) => module === 'reboot')?.status, 'changed');
      t.not(await bootMark(), before);
    } finally {
      await site.remove();
    }
  });
