// A run on a real host is put back: files, folders, links, modes, what sshd reads, and how units stand. What was changed since is refused by name.
import test from 'ava';
import {runHere, runIn} from '../../lab/proof/lab-host.ts';
import {labMissing, ownSite, playOf, type OwnSite} from './own-site.ts';
import {troubles, tsplay, type Finished} from './run-tsplay.ts';

const host = process.env['TSPLAY_TEST_HOST'] ?? 'bare1';
let site: OwnSite;

const unit = (text: string): string =>
  `[Service]\\nExecStart=/bin/sleep ${text}\\n[Install]\\nWantedBy=multi-user.target\\n`;
const first = `- copy: {dest: /etc/systemd/system/rb.service, content: "${unit('infinity')}"}
- systemd: {name: rb, state: started, enabled: true}
- copy: {dest: /srv/rb/public, content: "one\\n"}
- copy: {dest: /srv/rb/private, content: "hidden words\\n", mode: "0600"}
- copy: {dest: /srv/rb/tree/sub/file, content: "kept\\n"}
- file: {path: /srv/rb/link, src: /here, state: link}
`;
const second = `- copy: {dest: /etc/systemd/system/rb.service, content: "${unit('9999')}"}
- systemd: {name: rb, state: stopped, enabled: false}
- lineinfile: {path: /srv/rb/public, line: two}
- copy: {dest: /srv/rb/private, content: "other hidden words\\n", mode: "0640"}
- file: {path: /srv/rb/tree, state: absent}
- file: {path: /srv/rb/link, src: /there, state: link, force: true}
- file: {path: /srv/rb/made/below, state: directory}
- lineinfile: {path: /etc/ssh/sshd_config, line: "# a remark of the second run"}
`;

const look = `cd /srv/rb && find . -printf '%p %y %m %u %l\\n' | sort; find . -type f | sort | xargs cat; cat /etc/systemd/system/rb.service /etc/ssh/sshd_config; systemctl is-active rb; systemctl is-enabled rb; ps -o args= -C sleep`;

async function stateOf(): Promise<string> {
  return (await runIn(host, ['sh', '-c', look])).stdout;
}

function rollback(run: string, ...more: readonly string[]): Promise<Finished> {
  return tsplay(['rollback', run, '-i', `${site.folder}/hosts.yml`, '--output', 'json', ...more], {
    TSPLAY_STATE: `${site.folder}/state`,
    TSPLAY_KNOWN_HOSTS: `${site.folder}/known_hosts`,
  });
}

if (labMissing !== undefined) test.skip(`rollback: ${labMissing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(60_000);
    const reset = await runHere(['bash', 'lab/lab.sh', 'reset', host], '', 60_000);
    t.is(reset.exit, 0, reset.stderr);
    site = await ownSite();
    await runIn(host, ['sh', '-c', 'mkdir -p /srv/rb/tree/sub']);
  });
  test.after.always(() => site.remove());

  test.serial(
    'everything comes back, guarded because sshd reads some of it; a second time nothing is left to do; and back again',
    async (t) => {
      t.timeout(60_000);
      const begun = await site.play('run', playOf(host, first));
      t.is(begun.exit, 0, troubles(begun));
      const before = await stateOf();
      t.regex(before, /\nactive\nenabled\n/);
      const changed = await site.play('run', playOf(host, second));
      t.is(changed.exit, 0, troubles(changed));
      const after = await stateOf();
      t.not(after, before);

      const foreseen = await rollback('last', '--check');
      t.is(foreseen.exit, 8, troubles(foreseen));
      t.is(await stateOf(), after);
      const done = await rollback('last');
      t.is(done.exit, 0, troubles(done));
      t.is(await stateOf(), before);
      t.false(/hidden words/.test(JSON.stringify(done.report)), 'what not everybody may read is not shown');
      t.deepEqual(
        done.report.tasks
          .filter(({status}) => status === 'changed')
          .map(({task}) => task)
          .sort(),
        foreseen.report.tasks
          .filter(({status}) => status === 'changed')
          .map(({task}) => task)
          .sort(),
      );

      const again = await rollback('last~1');
      t.is(again.exit, 0, troubles(again));
      t.true(
        again.report.tasks.every(({status}) => status === 'ok' || status === 'skipped'),
        troubles(again),
      );

      const forth = await rollback('last~1');
      t.is(forth.exit, 0, troubles(forth));
      t.is(await stateOf(), after, 'a rollback is a run that can be put back');
    },
  );

  test.serial('what was changed since is refused by name; the rest comes back', async (t) => {
    t.timeout(60_000);
    const run = await site.play(
      'run',
      playOf(
        host,
        '- copy: {dest: /srv/rb/mine, content: "ours\\n"}\n- copy: {dest: /srv/rb/ours, content: "ours\\n"}\n',
      ),
    );
    t.is(run.exit, 0, troubles(run));
    await runIn(host, ['sh', '-c', 'echo "by hand" >>/srv/rb/mine']);
    const done = await rollback('last');
    t.is(done.exit, 2, troubles(done));
    t.deepEqual(
      done.report.tasks.map(({task, status, message}) => [task, status, message]),
      [
        ['/srv/rb/mine', 'refused', 'changed since that run'],
        ['/srv/rb/ours', 'changed', ''],
      ],
    );
    const {stdout} = await runIn(host, ['sh', '-c', 'cat /srv/rb/mine; ls /srv/rb/ours 2>&1; ls /run/tsplay']);
    t.regex(stdout, /^ours\nby hand\nls: /);
  });

  test.serial('a run that has replaced nothing, and one that nobody knows', async (t) => {
    t.timeout(30_000);
    const calm = await site.play('check', playOf(host, '- lineinfile: {path: /srv/rb/public, line: never}\n'));
    t.is(calm.exit, 8, troubles(calm));
    t.is((await rollback('last')).exit, 1);
    t.is((await rollback('20200101T000000-abcdef')).exit, 1);
    const elsewhere = await rollback('20200101T000000-abcdef', '--limit', host);
    t.is(elsewhere.exit, 0, troubles(elsewhere));
    t.is(elsewhere.report.problems[0]?.code, 'no-copies');
  });
}
