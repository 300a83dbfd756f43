// Compliance on a real host that no playbook manages: the audit that ships before and after something is wrong, waivers, every form of report, and secrets in none.
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {lastLine, runHere, runIn} from '../../lab/proof/lab-host.ts';
import {labMissing, ownSite, playOf, type OwnSite} from './own-site.ts';
import {troubles, tsplay, type Finished} from './run-tsplay.ts';

const host = 'bare1';
const secret = `Geheim "7261" & wört's + /x?`;
const forms = ['html', 'junit', 'sarif', 'md', 'json'] as const;
let site: OwnSite;

/** What the audit finds fault with: a weak mechanism, no TLS, credentials for all, a group that is too large, a tunnel account with a shell. */
const mess = `set -e
mkdir -p /etc/libvirt /etc/sasl2
printf 'spice_sasl = 1\\nspice_tls = 0\\n' >/etc/libvirt/qemu.conf
printf 'mech_list: digest-md5 plain\\n' >/etc/sasl2/qemu.conf
printf x >/etc/sasldb2; chmod 644 /etc/sasldb2
useradd -r -U -s /usr/sbin/nologin libvirt-qemu
useradd -m -s /bin/bash uvmb; usermod -aG libvirt-qemu uvmb
mkdir -p /home/uvmb/.ssh
echo 'permitopen="localhost:20001" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJTi9fMR/Ia5/K1DdjHddwRrivpqYP9rL4ZEwlKV05Pt "<script>alert(1)</script>"' >/home/uvmb/.ssh/authorized_keys
`;

type Verdicts = Readonly<Record<string, string | undefined>>;

function verdictsOf(finished: Finished): Verdicts {
  const {compliance} = finished.report as unknown as {
    compliance: {controls: readonly {id: string; hosts: Readonly<Record<string, string>>}[]};
  };
  return Object.fromEntries(compliance.controls.map(({id, hosts}) => [id, hosts[host]]));
}

/** `--report` for each form, and the files' texts afterwards. */
function reportFiles(name: string): {args: readonly string[]; read: () => Promise<Readonly<Record<string, string>>>} {
  const fileOf = (form: string): string => path.join(site.folder, `${name}.${form}`);
  return {
    args: forms.flatMap((form) => ['--report', `${form}=${fileOf(form)}`]),
    read: async () =>
      Object.fromEntries(
        await Promise.all(forms.map(async (form) => [form, await readFile(fileOf(form), 'utf8')] as const)),
      ),
  };
}

async function audit(args: readonly string[] = []): Promise<Finished> {
  const text = (await readFile('playbooks/audit.yml', 'utf8')).replace('hosts: all', `hosts: ${host}`);
  return site.play('check', text, {args});
}

if (labMissing !== undefined) test.skip(`compliance: ${labMissing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(60_000);
    const reset = await runHere(['bash', 'lab/lab.sh', 'reset', host], '', 60_000);
    t.is(reset.exit, 0, reset.stderr);
    site = await ownSite();
    await site.write('vault-password', 'the vault password\n');
    const clear = await site.write('clear.yml', JSON.stringify({token: secret}));
    const encrypted = await tsplay([
      'vault',
      'encrypt',
      clear,
      '--vault-password-file',
      path.join(site.folder, 'vault-password'),
    ]);
    t.is(encrypted.exit, 0, encrypted.stderr);
  });
  test.after.always(() => site.remove());

  test.serial('a host that nothing is wrong with, because nothing is there: no control applies', async (t) => {
    const finished = await audit();
    t.is(finished.exit, 0, troubles(finished));
    t.deepEqual(new Set(Object.values(verdictsOf(finished))), new Set(['not-applicable']));
    t.is(finished.report.hosts[host]?.roundTrips, 1);
  });

  test.serial('what is wrong is found; a waiver takes one from the exit status, an expired one does not', async (t) => {
    const done = await runIn(host, ['sh', '-c', mess]);
    t.is(done.exit, 0, lastLine(done.stderr));
    const failing = ['CONSOLE-1', 'CONSOLE-2', 'CREDENTIALS-1', 'CREDENTIALS-2', 'TUNNEL-1'];
    const first = await audit();
    t.is(first.exit, 8, troubles(first));
    t.deepEqual(
      Object.entries(verdictsOf(first)).flatMap(([id, verdict]) => (verdict === 'fail' ? [id] : [])),
      failing,
    );
    const entry = (control: string, expires: string): string =>
      `- {control: ${control}, hosts: ${host}, owner: jane@example.org, reason: soon gone, expires: ${expires}}\n`;
    const some = await site.write('some.yml', `${entry('TUNNEL-1', '2999-12-31')}${entry('CONSOLE-1', '2020-01-01')}`);
    const reports = reportFiles('audit');
    const second = await audit(['--waivers', some, ...reports.args]);
    t.is(second.exit, 8);
    t.like(verdictsOf(second), {'TUNNEL-1': 'waived', 'CONSOLE-1': 'fail'});
    t.regex(second.stderr, /warning\[waiver-expired\].*CONSOLE-1/);
    const texts = await reports.read();
    for (const form of forms) t.regex(texts[form] ?? '', /jane@example\\?\.org/, form);
    t.notRegex(texts['html'] ?? '', /<script/);
    t.regex(texts['html'] ?? '', /expired<\/span>/);
    t.regex(texts['html'] ?? '', /unrestricted-key/);
    const all = await site.write('all.yml', failing.map((id) => entry(id, '2999-12-31')).join(''));
    const third = await audit(['--waivers', all]);
    t.is(third.exit, 0, troubles(third));
    t.true(
      third.report.tasks.some(({findings}) => (findings ?? []).length > 0),
      'the evidence is still there',
    );
  });

  test.serial(
    'a control that cannot be judged is an error and 2; assertions are verdicts and let the host go on',
    async (t) => {
      const finished = await site.play(
        'check',
        playOf(
          host,
          `- {command: "false", check_mode: false, ignore_errors: true, control: {id: E}}
- {assert: {that: 1 > 2}, control: {id: F}}
- {ping: , when: false, control: {id: N}}
- {command: uptime, control: {id: U}}
- {file: {path: "/etc/{{ item }}", state: file}, loop: [passwd, hostname], control: {id: P}}
- {file: {path: "/{{ item }}", state: directory, mode: "0700"}, loop: [root, srv], control: {id: L}}
`,
        ),
      );
      t.is(finished.exit, 10, troubles(finished));
      t.deepEqual(verdictsOf(finished), {
        E: 'error',
        F: 'fail',
        N: 'not-applicable',
        U: 'unknown',
        P: 'pass',
        L: 'fail',
      });
    },
  );

  test.serial('an unreachable host is an error under each of its controls', async (t) => {
    const finished = await site.play(
      'check',
      playOf('nowhere', '- ping:\n  control: {id: A}\n- file: {path: /x}\n  control: {id: B}\n'),
    );
    t.is(finished.exit, 4);
    const {compliance} = finished.report as unknown as {compliance: {controls: readonly {hosts: Verdicts}[]}};
    t.deepEqual(
      compliance.controls.map(({hosts}) => hosts['nowhere']),
      ['error', 'error'],
    );
  });

  test.serial('no secret in any report, however the host or a template spells it', async (t) => {
    const spelled = [
      secret,
      Buffer.from(secret).toString('base64'),
      encodeURIComponent(secret),
      `'${secret.replaceAll("'", `'"'"'`)}'`,
      JSON.stringify(secret).slice(1, -1),
    ];
    const leak = await runIn(host, ['sh', '-c', 'cat >/srv/leak'], spelled.join('\n'));
    t.is(leak.exit, 0);
    const reports = reportFiles('secret');
    const tasks = `- name: file
  copy: {dest: /srv/app.conf, content: "a={{ token }}\\nb={{ token | b64encode }}\\nc={{ token | urlencode }}\\nd={{ token | quote }}\\n"}
  control: {id: S-1}
- name: says it
  shell: cat /srv/leak; cat /srv/leak >&2; false
  check_mode: false
  ignore_errors: true
  control: {id: S-2, title: "about {{ token }}"}
- name: "named {{ token | b64encode }}"
  assert: {that: false, fail_msg: "{{ token | urlencode }} {{ token | quote }} {{ token }}"}
  control: {id: S-3}
`;
    const finished = await site.play(
      'check',
      playOf(host, tasks, `  vars_files: [${path.join(site.folder, 'clear.yml')}]\n`),
      {args: [...reports.args, '--vault-password-file', path.join(site.folder, 'vault-password')]},
    );
    t.is(finished.exit, 10, troubles(finished));
    const texts = {...(await reports.read()), stdout: finished.stdout, stderr: finished.stderr};
    // markup escapes some of these characters, so that the words between them are looked for too
    for (const [form, text] of Object.entries(texts))
      for (const one of [...spelled, 'Geheim', '7261', spelled[1]!.slice(4, 24)])
        t.false(text.includes(one), `${form}: ${one}`);
  });
}
