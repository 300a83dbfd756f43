// Many controllers want the same host at the same moment, and some of them are killed: never two are inside, and everybody who waits gets in.
import {spawn} from 'node:child_process';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {runHere, runIn} from '../../lab/proof/lab-host.ts';
import {labMissing, ownSite, type OwnSite} from './own-site.ts';

const host = process.env['TSPLAY_TEST_LOCK_HOST'] ?? 'plain60';
const address = `10.77.1.${host.replace('plain', '')}`;
const checkout = path.dirname(path.dirname(import.meta.dirname));
let site: OwnSite;

// whoever is inside leaves a folder; whoever finds one has met somebody
const playbook = `- name: race
  hosts: all
  gather_facts: false
  tasks:
    - shell: |
        mkdir /tmp/race/inside 2>/dev/null || echo "{{ me }}" >>/tmp/race/met
        echo "{{ me }}" >>/tmp/race/came
        sleep 0.2
        rmdir /tmp/race/inside
    - copy: {dest: /tmp/race/last, content: "{{ me }}\\n"}
    - shell: "[ $(cat /tmp/race/last) = {{ me }} ] || echo {{ me }} lost the file >>/tmp/race/met"
`;

type Controller = {readonly kill: () => void; readonly ended: Promise<{exit: number | null; output: string}>};

function controller(name: string, more: readonly string[] = []): Controller {
  const child = spawn(
    process.execPath,
    [
      path.join(checkout, 'bin/tsplay.js'),
      'run',
      path.join(site.folder, 'race.yml'),
      '-i',
      `${address},`,
      '-u',
      'root',
      '-e',
      `me=${name}`,
      '--output',
      'plain',
      ...more,
    ],
    {
      cwd: checkout,
      env: {...process.env, NODE_OPTIONS: '', TSPLAY_STATE: path.join(site.folder, `state-${name}`)},
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return {
    // the pinned Node may be a child of the one that was started: the whole group is killed
    kill: () => process.kill(-child.pid!, 'SIGKILL'),
    ended: new Promise((resolve) => child.on('close', (exit) => resolve({exit, output}))),
  };
}

async function fileOf(name: string): Promise<readonly string[]> {
  const {stdout} = await runIn(host, ['sh', '-c', `cat /tmp/race/${name} 2>/dev/null || :`]);
  return stdout.split('\n').filter((line) => line !== '');
}

if (labMissing !== undefined) test.skip(`locks: ${labMissing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(60_000);
    const up = await runHere(['bash', 'lab/lab.sh', 'up', host], '', 60_000);
    t.is(up.exit, 0, up.stderr);
    site = await ownSite();
    await site.write('race.yml', playbook);
    await runIn(host, ['sh', '-c', 'rm -rf /tmp/race; mkdir /tmp/race']);
  });
  test.after.always(() => site.remove());

  test.serial(
    'ten controllers on one host, three of them killed: one at a time, and all who live get in',
    async (t) => {
      t.timeout(180_000);
      const all = [...Array(10).keys()].map((i) => ({
        name: `c${i}`,
        ...controller(`c${i}`, ['--lock-timeout', '120']),
      }));
      const open = new Set(all);
      for (const each of all) void each.ended.then(() => open.delete(each));
      const killed = new Set<string>();
      for (const came of [1, 2, 4]) {
        for (let look = 0; look < 600 && (await fileOf('came')).length < came; look++) await sleep(20);
        // whoever is inside or waits, or has not come to the host yet
        const victim = [...open][Math.floor(Math.random() * open.size)];
        if (victim === undefined) break;
        killed.add(victim.name);
        victim.kill();
        open.delete(victim);
      }
      t.true(killed.size > 0);
      for (const {name, ended} of all) {
        const {exit, output} = await ended;
        if (!killed.has(name)) t.is(exit, 0, output);
      }
      const lived = all.map(({name}) => name).filter((name) => !killed.has(name));
      t.deepEqual(await fileOf('met'), []);
      const came = await fileOf('came');
      for (const name of lived) t.is(came.filter((each) => each === name).length, 1, name);
      const left = await runIn(host, ['sh', '-c', 'ls /run/tsplay; ls -d /tmp/race/inside 2>/dev/null']);
      t.is(left.stdout, '', 'nobody has left a lock');
    },
  );

  test.serial('who does not want to wait hears who is inside, since when, and in which run', async (t) => {
    t.timeout(60_000);
    await site.write('race.yml', playbook.replace('sleep 0.2', 'sleep 4'));
    const first = controller('first');
    for (let look = 0; look < 600 && !(await fileOf('came')).includes('first'); look++) await sleep(50);
    const second = await controller('second', ['--lock-timeout', '0']).ended;
    t.is(second.exit, 2, second.output);
    t.regex(second.output, /error\[locked\].*@.* works on this host since \d{4}-.*\(run \d{8}T\d{6}-/);
    const third = await controller('third', ['--lock-timeout', '1']).ended;
    t.is(third.exit, 2, third.output);
    t.regex(third.output, /warning\[locked\].*waiting for it, 1 s at most[^]*error\[locked\].*waited 1 s/);
    t.is((await first.ended).exit, 0);
  });
}
