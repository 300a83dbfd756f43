// What scripts rely on: exit statuses, the JSON document, how often a host is asked. Every document here is held to its schema (own-site.ts).
import {spawn} from 'node:child_process';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {runHere, runIn} from '../../lab/proof/lab-host.ts';
import {labMissing, ownSite, playOf, type OwnSite} from './own-site.ts';
import {troubles} from './run-tsplay.ts';

let site: OwnSite;

type Case = readonly [what: string, mode: 'run' | 'check', playbook: string, exit: number, more?: readonly string[]];
const drift = '- copy: {dest: /srv/never, content: x}\n  when: ansible_check_mode\n';
const cases: readonly Case[] = [
  ['as declared', 'run', playOf('bare1', '- ping:\n'), 0],
  ['as declared', 'check', playOf('bare1', '- ping:\n'), 0],
  ['differences', 'check', playOf('bare1', drift), 8],
  ['`run --check` is check', 'run', playOf('bare1', drift), 8, ['--check']],
  ['an invalid site', 'run', playOf('bare1', '- copy: {dst: /srv/x, content: x}\n'), 1],
  ['no host', 'run', playOf('nobody', '- ping:\n'), 1],
  ['a limit that leaves no host', 'run', playOf('bare1', '- ping:\n'), 1, ['-l', 'bare2']],
  ['a failed task', 'run', playOf('bare1', '- command: "false"\n'), 2],
  ['a failed task that nobody minds', 'run', playOf('bare1', '- command: "false"\n  ignore_errors: true\n'), 0],
  ['a refusal', 'run', playOf('bare1', '- copy: {dest: /etc, content: x}\n'), 2],
  ['a refusal', 'check', playOf('bare1', '- copy: {dest: /etc, content: x}\n'), 2],
  ['differences and a refusal', 'check', playOf('bare1', `${drift}- copy: {dest: /etc, content: x}\n`), 10],
  ['an unreachable host', 'run', playOf('nowhere', '- ping:\n'), 4],
  ['one unreachable, one failed', 'run', playOf('nowhere:bare1', '- command: "false"\n'), 6],
  ['one unreachable, one differs', 'check', playOf('nowhere:bare1', drift), 12],
  ['only a command that would run', 'check', playOf('bare1', '- command: "true"\n'), 0],
];

if (labMissing !== undefined) test.skip(`reports: ${labMissing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(60_000);
    const reset = await runHere(['bash', 'lab/lab.sh', 'reset', 'bare1'], '', 60_000);
    t.is(reset.exit, 0, reset.stderr);
    site = await ownSite();
  });
  test.after.always(() => site.remove());

  for (const [what, mode, playbook, exit, more = []] of cases)
    test.serial(`exit ${exit}: ${mode}, ${what}`, async (t) => {
      const finished = await site.play(mode, playbook, {args: more});
      t.is(finished.exit, exit, troubles(finished));
      t.is(finished.report.run.exit, exit);
      t.is(finished.report.run.mode, more.includes('--check') ? 'check' : mode);
      if (exit === 1) t.true(finished.report.problems.some(({severity}) => severity === 'error'));
    });

  test.serial('counts and marks: refused, ignored, everyRun, items, notified, handlers', async (t) => {
    const playbook = `${playOf(
      'bare1',
      `- {name: every, command: "true", notify: told}
- {name: mind, command: "false", ignore_errors: true}
- {name: items, debug: {msg: "{{ item }}"}, loop: [one, {two: 2}]}
- {name: skip, ping: , when: false}
- {name: refuse, copy: {dest: /etc, content: x}}
`,
    )}  handlers:\n    - {name: told, ping: }\n`;
    const {report, exit} = await site.play('run', playbook);
    t.is(exit, 2);
    const {status, ok, changed, failed, skipped, refused, ignored} = report.hosts['bare1']!;
    t.deepEqual(
      {status, ok, changed, failed, skipped, refused, ignored},
      {status: 'failed', ok: 2, changed: 1, failed: 0, skipped: 1, refused: 1, ignored: 1},
    );
    const of = (name: string) => report.tasks.filter(({task}) => task === name);
    t.true(of('every')[0]!.everyRun);
    t.deepEqual(of('every')[0]!.notified, ['told']);
    t.deepEqual(
      of('items').map(({item}) => item),
      ['one', {two: 2}],
    );
    t.is(of('refuse')[0]!.findings?.[0]?.severity, 'error');
    const checked = await site.play('check', playbook);
    t.deepEqual([of('every')[0]!.status, checked.report.tasks[0]!.status], ['changed', 'unknown']);
    t.regex(checked.report.tasks[0]!.message ?? '', /^would run/);
  });

  test.serial('pending is told, of a converged host too', async (t) => {
    await site.write(
      'modules/waits.ts',
      `import {converged, defineModule, nothing} from 'tsplay/kit';
export default defineModule({name: 'waits', summary: 'waits for somebody', params: {}, examples: ['- waits:\\n'],
  probe: () => nothing(null), plan: () => converged({pending: ['power-cycle guest debianx']})});\n`,
    );
    const {report, exit} = await site.play('check', playOf('bare1', '- waits:\n'));
    t.is(exit, 0);
    t.deepEqual(report.tasks[0]!.pending, ['power-cycle guest debianx']);
    const plain = await site.play('check', playOf('bare1', '- waits:\n'), {plain: true});
    t.regex(plain.stdout, /power-cycle guest debianx/);
  });

  test.serial(
    'a converged host is asked once, whatever is declared; plain drift costs one exchange more',
    async (t) => {
      const many = Array.from({length: 12}, (_, i) =>
        [
          `- file: {path: /srv/many/${i}, state: directory, mode: "0750"}`,
          `- copy: {dest: /srv/many/${i}/copied, content: "${i}", mode: "0640"}`,
          `- lineinfile: {path: /srv/many/${i}/lines, line: "line ${i}", create: true}`,
          `- blockinfile: {path: /srv/many/${i}/lines, block: "block ${i}"}`,
          `- group: {name: many${i}, system: true}`,
          `- {user: {name: many${i}, group: many${i}, create_home: false}, when: ansible_system == 'Linux'}`,
        ].join('\n'),
      ).join('\n');
      const tasks = `${many}\n- systemd: {name: systemd-journald, state: started}\n- package: {name: openssh-server}\n`;
      const playbook = playOf('bare1', tasks);
      const first = await site.play('run', playbook);
      t.is(first.exit, 0, troubles(first));
      const again = await site.play('run', playbook);
      t.is(again.report.tasks.length, 74);
      t.is(again.report.hosts['bare1']!.changed, 0, troubles(again));
      t.is(again.report.hosts['bare1']!.roundTrips, 1);
      t.is((await site.play('check', playbook)).report.hosts['bare1']!.roundTrips, 1);
      await runIn('bare1', [
        'sh',
        '-c',
        'echo drifted > /srv/many/3/copied; chmod 700 /srv/many/7; rm /srv/many/9/lines',
      ]);
      const repaired = await site.play('run', playbook);
      t.is(repaired.exit, 0, troubles(repaired));
      t.is(repaired.report.hosts['bare1']!.changed, 4, troubles(repaired));
      t.is(repaired.report.hosts['bare1']!.roundTrips, 2);
    },
  );

  test.serial('an interrupt ends the run with 130, and the next one finds the host free', async (t) => {
    const file = await site.write('sleeps.yml', playOf('bare1', '- command: sleep 20.5\n'));
    const events = path.join(site.folder, 'events.jsonl');
    const child = spawn(
      process.execPath,
      ['bin/tsplay.js', 'run', file, '-i', path.join(site.folder, 'hosts.yml'), '--output', 'json', '--events', events],
      {
        env: {...process.env, NODE_OPTIONS: '', TSPLAY_STATE: path.join(site.folder, 'state')},
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    for (let look = 0; look < 200; look++) {
      const seen = await readFile(events, 'utf8').catch(() => '');
      if (seen.includes('task-started')) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill('SIGINT');
    t.is(await ended, 130);
    t.is((JSON.parse(out) as {run: {exit: number}}).run.exit, 130);
    const next = await site.play('run', playOf('bare1', '- ping:\n'));
    t.is(next.exit, 0, troubles(next));
    t.is((await runIn('bare1', ['pgrep', '-f', '^sleep 20.5'])).stdout, '');
  });

  test.serial('the events file holds the results as they come, one JSON object a line', async (t) => {
    const events = path.join(site.folder, 'lines.jsonl');
    await site.play('run', playOf('bare1', '- ping:\n- debug: {msg: hello}\n'), {args: ['--events', events]});
    const lines = (await readFile(events, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as {event: string});
    t.is(lines[0]!.event, 'run-started');
    t.is(lines.filter(({event}) => event === 'task-finished').length, 2);
    t.is(lines.at(-1)!.event, 'run-finished');
  });
}
