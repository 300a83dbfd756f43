// Runs that are broken off: the controller is killed in the middle of a batch. The host keeps each file whole, old or new, and the next run goes on
// from there and leaves nothing behind.
import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {runHere, runIn} from '../../lab/proof/lab-host.ts';
import {labMissing, ownSite, playOf, type OwnSite} from './own-site.ts';
import {troubles} from './run-tsplay.ts';

const host = 'bare2';
let site: OwnSite;

const sum = (text: string): string => createHash('sha256').update(text).digest('hex');
const big = (letter: string): string => `${letter.repeat(99)}\n`.repeat(60_000);

const tasks = `- copy: {src: big, dest: /srv/broken/big, mode: "0640"}
- lineinfile: {path: /srv/broken/small, line: "state {{ state }}", regexp: "^state"}
- shell: sleep 0.4
- copy: {dest: /srv/broken/last, content: "{{ state }}\\n"}
`;

if (labMissing !== undefined) test.skip(`broken off: ${labMissing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(60_000);
    const reset = await runHere(['bash', 'lab/lab.sh', 'reset', host], '', 60_000);
    t.is(reset.exit, 0, reset.stderr);
    site = await ownSite();
    await runIn(host, ['sh', '-c', 'mkdir /srv/broken; echo state 0 >/srv/broken/small; echo 0 >/srv/broken/last']);
    await site.write('files/big', big('0'));
    const first = await site.play('run', playOf(host, tasks), {args: ['-e', 'state=0']});
    t.is(first.exit, 0, troubles(first));
  });
  test.after.always(() => site.remove());

  test.serial('kill -9 at any moment', async (t) => {
    t.timeout(120_000);
    const legal = {big: new Set([sum(big('0'))]), small: new Set(['state 0']), last: new Set(['0'])};
    for (const [i, delayMs] of [0, 40, 90, 160, 300, 500].entries()) {
      const state = String(i + 1);
      await site.write('files/big', big(state));
      legal.big.add(sum(big(state)));
      legal.small.add(`state ${state}`);
      legal.last.add(state);
      const file = await site.write('broken.yml', playOf(host, tasks));
      const events = path.join(site.folder, `events${i}.jsonl`);
      const child = spawn(
        process.execPath,
        [
          'bin/tsplay.js',
          'run',
          file,
          '-i',
          path.join(site.folder, 'hosts.yml'),
          '-e',
          `state=${state}`,
          '--events',
          events,
        ],
        {
          env: {...process.env, NODE_OPTIONS: '', TSPLAY_STATE: path.join(site.folder, 'state')},
          stdio: 'ignore',
          detached: true,
        },
      );
      const ended = new Promise((resolve) => child.on('close', resolve));
      for (let look = 0; look < 400; look++) {
        if ((await readFile(events, 'utf8').catch(() => '')).includes('"exchange"')) break;
        await sleep(10);
      }
      await sleep(delayMs);
      // the pinned Node may be a child of the one that was started: the whole group is killed
      process.kill(-child.pid!, 'SIGKILL');
      await ended;

      const {stdout} = await runIn(host, [
        'sh',
        '-c',
        'sha256sum </srv/broken/big; cat /srv/broken/small /srv/broken/last',
      ]);
      const [bigSum = '', small = '', last = ''] = stdout.split('\n');
      t.true(legal.big.has(bigSum.split(' ')[0]!), `big after ${delayMs} ms`);
      t.true(legal.small.has(small), small);
      t.true(legal.last.has(last), last);
    }
    let next = await site.play('run', playOf(host, tasks), {args: ['-e', 'state=9']});
    for (let tries = 0; next.exit !== 0 && tries < 20; tries++) {
      // the shell that was left alone may still be busy: it holds the lock until it ends
      t.regex(JSON.stringify(next.report.problems), /locked/);
      await sleep(250);
      next = await site.play('run', playOf(host, tasks), {args: ['-e', 'state=9']});
    }
    t.is(next.exit, 0, troubles(next));
    const left = await runIn(host, ['find', '/', '-xdev', '-name', '.tsplay-*', '-o', '-path', '/run/tsplay/lock']);
    t.is(left.stdout, '');
    t.is((await runIn(host, ['cat', '/srv/broken/small', '/srv/broken/last'])).stdout, 'state 9\n9\n');
  });

  test.serial('a connection that dies in the middle is unreachable, and the next run goes on', async (t) => {
    const playbook = playOf(
      host,
      `- copy: {dest: /srv/broken/before, content: x}
- shell: pkill -KILL -o -f '^sshd.*admin@notty' || pkill -KILL -u admin sshd; sleep 1
- copy: {dest: /srv/broken/after, content: x}
`,
    );
    const cut = await site.play('run', playbook);
    t.is(cut.exit, 4, troubles(cut));
    t.regex(cut.report.problems[0]?.message ?? '', /lost/);
    await sleep(1500);
    const rest = await site.play('run', playOf(host, '- copy: {dest: /srv/broken/after, content: x}\n'));
    t.is(rest.exit, 0, troubles(rest));
  });
}
