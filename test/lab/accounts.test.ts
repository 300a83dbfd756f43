// Who logs in, who becomes whom, and with which shell: what the command line says of each, on real hosts.
import test from 'ava';
import {runHere, runIn} from '../../lab/proof/lab-host.ts';
import {labMissing, ownSite, playOf, type OwnSite} from './own-site.ts';
import {troubles} from './run-tsplay.ts';

let site: OwnSite;

const whoAmI =
  '- command: id -un\n  register: me\n  changed_when: false\n  check_mode: false\n- debug: {msg: "{{ me.stdout }}"}\n';
const asked = (password: string): readonly string[] => ['-e', `ansible_become_password=${password}`];

type Trouble = readonly [what: string, prepare: string, args: readonly string[], code: string, message: RegExp];
const troublesOfSudo: readonly Trouble[] = [
  ['a wrong password', 'true', asked('wrong'), 'become-wrong-password', /password/i],
  ['no password', 'true', ['-e', '{"ansible_become_password": null}'], 'become-password-required', /password/i],
  [
    'an account that is not in sudoers',
    'gpasswd -d admin sudo; rm -f /etc/sudoers.d/*admin*; grep -rl admin /etc/sudoers.d /etc/sudoers | xargs -r sed -i /admin/d',
    asked('admin-lab-only'),
    'become-not-allowed',
    /sudoers|not allowed/i,
  ],
  [
    'a sudo that requires a terminal',
    "printf 'Defaults requiretty\\n' >/etc/sudoers.d/zz-tty",
    asked('admin-lab-only'),
    'become-tty-required',
    /terminal|tty/i,
  ],
  ['an account that does not exist', 'true', ['-e', 'ansible_become_user=nobody-here'], 'become-', /nobody-here/],
];

const reset = async (host: string): Promise<number> =>
  (await runHere(['bash', 'lab/lab.sh', 'reset', host], '', 60_000)).exit;

if (labMissing !== undefined) test.skip(`accounts: ${labMissing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(60_000);
    site = await ownSite();
    t.is(await reset('bare2'), 0);
    t.is(await reset('bare1'), 0);
  });
  test.after.always(() => site.remove());

  test.serial('sudo with its password makes root', async (t) => {
    const ran = await site.play('run', playOf('bare2', whoAmI));
    t.is(ran.exit, 0, troubles(ran));
    t.is(ran.report.tasks[1]!.message, 'root');
  });

  const codes = new Set<string>();
  for (const [what, prepare, args, code, message] of troublesOfSudo)
    test.serial(`sudo: ${what}`, async (t) => {
      t.timeout(60_000);
      t.is(await reset('bare2'), 0);
      await runIn('bare2', ['sh', '-c', prepare]);
      const ran = await site.play('run', playOf('bare2', whoAmI), {args});
      t.is(ran.exit, 2, ran.stdout);
      const problem = ran.report.problems.find((p) => p.code.startsWith('become'));
      t.true(problem?.code.startsWith(code), JSON.stringify(ran.report.problems));
      t.regex(problem!.message, message);
      t.false(codes.has(problem!.message), 'the messages differ');
      codes.add(problem!.message);
    });

  test.serial('without become nothing is root, and what needs root says so', async (t) => {
    t.is(await reset('bare2'), 0);
    const args = ['-e', '{"ansible_become": false}'];
    const fine = await site.play(
      'run',
      playOf('bare2', `${whoAmI}- copy: {dest: /home/admin/mine, content: "x\\n"}\n`),
      {args},
    );
    t.is(fine.exit, 0, troubles(fine));
    t.is(fine.report.tasks[1]!.message, 'admin');
    const refused = await site.play('run', playOf('bare2', '- copy: {dest: /etc/not-mine, content: x}\n'), {args});
    t.is(refused.exit, 2);
    t.regex(refused.report.tasks[0]!.message ?? '', /\/etc/);
    const unreadable = await site.play('check', playOf('bare2', '- lineinfile: {path: /etc/shadow, line: x}\n'), {
      args,
    });
    t.is(unreadable.exit, 2);
    t.regex(JSON.stringify(unreadable.report.tasks[0]), /become: true/);
  });

  test.serial('several accounts in one play: each costs an exchange of its own', async (t) => {
    const tasks = `- copy: {dest: /srv/by-root, content: a}
- copy: {dest: /home/admin/by-admin, content: b}
  become: false
- copy: {dest: /tmp/by-daemon, content: c}
  become_user: daemon
`;
    const playbook = playOf('as-admin', tasks, '  become: true\n');
    const ran = await site.play('run', playbook);
    t.is(ran.exit, 0, troubles(ran));
    const owners = await runIn('bare1', ['stat', '-c', '%U', '/srv/by-root', '/home/admin/by-admin', '/tmp/by-daemon']);
    t.is(owners.stdout, 'root\nadmin\ndaemon\n');
    const again = await site.play('run', playbook);
    t.is(again.report.hosts['as-admin']!.changed, 0, troubles(again));
    t.is(again.report.hosts['as-admin']!.roundTrips, 3);
  });

  const everyday = `- file: {path: /srv/any/shell, state: directory, mode: "0750"}
- copy: {dest: "/srv/any/it's", content: "a b \\\\ $HOME \`id\`\\n", mode: "0640", force: false}
- lineinfile: {path: "/srv/any/it's", line: ä}
- blockinfile: {path: "/srv/any/it's", block: "two\\nlines\\n"}
- shell: cat "/srv/any/it's" | wc -l
  register: counted
- assert: {that: counted.stdout | int == 6}
- {group: {name: any}, when: inventory_hostname != 'busybox1'}
- command: {cmd: touch /srv/any/made, creates: /srv/any/made}
- stat: {path: /srv/any/made}
  register: made
- assert: {that: made.stat.exists}
`;
  /**
   * A login shell that has of sh's grammar only what csh and fish share with it: one command with words in single quotes, on one line. No variables
   * set in front, no blocks, no lists, no redirections outside of quotes.
   */
  const strange = `#!/bin/sh
[ "$1" = -c ] || { echo "strange: no terminal" >&2; exit 1; }
bare=$(printf '%s\\n' "$2" | sed "s/'[^']*'//g")
case $bare in *[\\{\\}\\;\\|\\&=\\$\\<\\>\\(\\)\\"]*) echo "strange: syntax error" >&2; exit 1 ;; esac
[ "$(printf '%s\\n' "$2" | wc -l)" -eq 1 ] || { echo "strange: unmatched quote" >&2; exit 1; }
eval "$2"
`;
  const hosts: readonly (readonly [what: string, host: string, prepare: string])[] = [
    ['dash', 'bare1', 'true'],
    ['busybox', 'busybox1', 'rm -rf /srv/any'],
    [
      'a login shell that is no sh',
      'bare1',
      `rm -rf /srv/any; printf '%s' '${strange.replaceAll("'", `'\\''`)}' >/usr/local/bin/strange; chmod 755 /usr/local/bin/strange; usermod -s /usr/local/bin/strange admin`,
    ],
    [
      'a login shell that talks first',
      'bare1',
      "rm -rf /srv/any; usermod -s /bin/bash admin; printf 'echo hello from bashrc\\nPATH=/nowhere\\nalias ls=false\\n' >/home/admin/.bashrc",
    ],
  ];
  for (const [what, host, prepare] of hosts)
    test.serial(`hosts with ${what}`, async (t) => {
      const prepared = await runIn(host, ['sh', '-c', prepare]);
      t.is(prepared.exit, 0, prepared.stderr);
      const checked = await site.play('check', playOf(host, everyday));
      t.true([0, 8].includes(checked.exit), troubles(checked));
      const ran = await site.play('run', playOf(host, everyday));
      t.is(ran.exit, 0, troubles(ran));
      const text = await runIn(host, ['cat', "/srv/any/it's"]);
      t.is(
        text.stdout,
        'a b \\ $HOME `id`\nä\n# BEGIN ANSIBLE MANAGED BLOCK\ntwo\nlines\n# END ANSIBLE MANAGED BLOCK\n',
      );
      const again = await site.play('run', playOf(host, everyday));
      t.is(
        again.report.tasks.filter((task) => task.status === 'changed' && task.everyRun !== true).length,
        0,
        troubles(again),
      );
    });

  test.serial('a login that is not possible is unreachable, with a reason', async (t) => {
    await runIn('bare1', ['usermod', '-s', '/bin/false', 'admin']);
    const ran = await site.play('run', playOf('as-admin', '- ping:\n'));
    t.is(ran.exit, 4, ran.stdout);
    t.true((ran.report.problems[0]?.message ?? '').length > 20);
    const asRoot = await site.play('run', playOf('bare1', '- ping:\n'));
    t.is(asRoot.exit, 2, asRoot.stdout);
    t.regex(asRoot.report.problems[0]?.message ?? '', /shell/);
    t.is(await reset('bare1'), 0);
  });
}
