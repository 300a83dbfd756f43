// The transports on the lab's hosts: a Debian with sudo that asks, one that does not, and one that has busybox for everything.
import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import anyTest from 'ava';
import {Secret} from '../../src/base/secret.ts';
import {makeConnector} from '../../src/remote/connector.ts';
import {BecomeFailed, Unreachable} from '../../src/remote/errors.ts';
import type {Become, Fragment, Outcome, Session, Target} from '../../src/remote/session.ts';

const folder = process.env.TSPLAY_LAB ?? '/var/lib/tsplay-lab';
const there = existsSync(join(folder, 'id'));
const test = there ? anyTest.serial : anyTest.serial.skip;
const whyNot = there ? '' : ' (skipped: the lab is not up)';

const [ASKING, FREE, BUSYBOX] = ['10.77.0.52', '10.77.0.51', '10.77.0.41'] as const;
const password = Secret.of('admin-lab-only');
const connector = makeConnector({
  env: {HOME: tmpdir(), USER: 'admin', PATH: process.env.PATH},
  knownHostsFiles: [join(folder, 'known_hosts')],
});

function target(address: string, more: Partial<Target> = {}): Target {
  return {
    host: address,
    transport: 'ssh',
    address,
    user: 'admin',
    privateKeyFile: join(folder, 'id'),
    sshArgs: ['-F', 'none'],
    timeoutMs: 10_000,
    ...more,
  };
}

function fragment(shell: string, more: Partial<Fragment> = {}): Fragment {
  return {shell, group: 0, onFailure: 'go-on', label: shell.slice(0, 30), secret: false, timeoutMs: 60_000, ...more};
}

function text(outcome: Outcome | undefined): string {
  return outcome?.ran === true ? Buffer.from(outcome.reply.stdout).toString() : '(did not run)';
}

async function inSession<T>(
  where: Target,
  become: Become | undefined,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  await using connection = await connector.connect(where);
  return await use(await connection.session(become));
}

async function becomeFails(where: Target, become: Become): Promise<BecomeFailed['kind']> {
  try {
    await inSession(where, become, (session) => session.exchange([fragment('true')]));
  } catch (problem) {
    if (problem instanceof BecomeFailed) return problem.kind;
    throw problem;
  }
  return 'other';
}

/** Does something as root on a host, by the system's own ssh. */
function asRoot(address: string, command: string): void {
  execFileSync(
    'ssh',
    [
      '-F',
      'none',
      '-i',
      join(folder, 'id'),
      '-o',
      `UserKnownHostsFile=${join(folder, 'known_hosts')}`,
      `root@${address}`,
      command,
    ],
    {stdio: 'pipe'},
  );
}

test(`sudo with a password: a whole file's bytes through it, and a stuck command ended${whyNot}`, async (t) => {
  const noise = Buffer.from(Array.from({length: 700_000}, (_, i) => (i * 13 + (i >> 9)) & 0xff));
  await inSession(target(ASKING), {method: 'sudo', user: 'root', password}, async (session) => {
    const [id, bytes, stuck, after] = await session.exchange([
      fragment('id -un; echo "$HOME"'),
      fragment('cat', {stdin: noise}),
      fragment('sleep 63.5', {timeoutMs: 400}),
      fragment("ps -eo args | grep -c '[s]leep 63.5'"),
    ]);
    t.is(text(id), 'root\n/root\n');
    t.true(bytes!.ran && noise.equals(bytes!.reply.stdout));
    t.true(stuck!.ran && stuck!.timedOut);
    t.is(text(after), '0\n');
  });
});

test(`what goes wrong with sudo, told apart${whyNot}`, async (t) => {
  const sudo: Become = {method: 'sudo', user: 'root', password};
  t.is(await becomeFails(target(ASKING), {method: 'sudo', user: 'root'}), 'password-required');
  t.is(await becomeFails(target(ASKING), {...sudo, password: Secret.of('wrong')}), 'wrong-password');
  t.is(await becomeFails(target(ASKING), {...sudo, user: 'nobody-at-all'}), 'no-such-user');
  asRoot(
    ASKING,
    'useradd -m -s /bin/sh tsplay-guest; cp -r ~admin/.ssh ~tsplay-guest/; chown -R tsplay-guest ~tsplay-guest; echo tsplay-guest:admin-lab-only | chpasswd',
  );
  try {
    t.is(await becomeFails(target(ASKING, {user: 'tsplay-guest'}), sudo), 'not-allowed');
    t.is(
      await becomeFails(target(ASKING, {user: 'tsplay-guest'}), {method: 'sudo', user: 'root'}),
      'password-required',
    );
    asRoot(
      ASKING,
      "echo 'Defaults:tsplay-guest requiretty' >/etc/sudoers.d/tsplay-guest; chmod 440 /etc/sudoers.d/tsplay-guest",
    );
    t.is(await becomeFails(target(ASKING, {user: 'tsplay-guest'}), sudo), 'tty-required');
  } finally {
    asRoot(ASKING, 'rm -f /etc/sudoers.d/tsplay-guest; userdel -rf tsplay-guest 2>/dev/null');
  }
});

test(`sudo without a password, with one given although none is asked for, and to another account${whyNot}`, async (t) => {
  const who = (become: Become): Promise<string> =>
    inSession(target(FREE), become, async (session) => text((await session.exchange([fragment('id -un')]))[0]));
  t.is(await who({method: 'sudo', user: 'root'}), 'root\n');
  t.is(await who({method: 'sudo', user: 'root', password}), 'root\n');
  t.is(await who({method: 'sudo', user: 'nobody'}), 'nobody\n');
});

test(`su with a password${whyNot}`, async (t) => {
  const become: Become = {method: 'su', user: 'admin', password};
  asRoot(
    FREE,
    'useradd -m -s /bin/sh tsplay-guest; cp -r ~admin/.ssh ~tsplay-guest/; chown -R tsplay-guest ~tsplay-guest; echo admin:admin-lab-only | chpasswd',
  );
  try {
    const where = target(FREE, {user: 'tsplay-guest'});
    const reply = await inSession(where, become, async (session) =>
      text((await session.exchange([fragment('id -un; cat', {stdin: 'a\0b'})]))[0]),
    );
    t.is(reply, 'admin\na\0b');
    t.is(await becomeFails(where, {...become, password: Secret.of('wrong')}), 'wrong-password');
    t.is(await becomeFails(where, {method: 'su', user: 'admin'}), 'password-required');
  } finally {
    asRoot(FREE, 'userdel -rf tsplay-guest 2>/dev/null');
  }
});

test(`doas without a password, not permitted, and with one${whyNot}`, async (t) => {
  const become: Become = {method: 'doas', user: 'root'};
  const where = target(BUSYBOX);
  t.is(await becomeFails(target(FREE), become), 'missing');
  asRoot(BUSYBOX, 'echo permit nopass admin as root > /etc/doas.conf; chmod 600 /etc/doas.conf');
  try {
    const reply = await inSession(where, become, async (session) =>
      text((await session.exchange([fragment('id -un; cat', {stdin: 'a\0b'})]))[0]),
    );
    t.is(reply, 'root\na\0b');
    t.is(await becomeFails(where, {...become, user: 'nobody'}), 'not-allowed');
    t.is(await becomeFails(where, {...become, password}), 'tty-required');
    asRoot(BUSYBOX, 'echo permit admin as root > /etc/doas.conf');
    t.is(await becomeFails(where, become), 'password-required');
  } finally {
    asRoot(BUSYBOX, 'rm -f /etc/doas.conf');
  }
});

test(`a host that has busybox for everything${whyNot}`, async (t) => {
  const noise = Buffer.from(Array.from({length: 300_000}, (_, i) => (i * 17) & 0xff));
  await inSession(target(BUSYBOX, {user: 'root'}), undefined, async (session) => {
    const [bytes, stuck, after] = await session.exchange([
      fragment('cat', {stdin: noise}),
      fragment('sleep 63', {timeoutMs: 400}),
      fragment('echo after'),
    ]);
    t.true(bytes!.ran && noise.equals(bytes!.reply.stdout));
    t.true(stuck!.ran && stuck!.timedOut);
    t.is(text(after), 'after\n');
  });
});

test(`a real password login, right and wrong${whyNot}`, async (t) => {
  const {privateKeyFile: _key, ...rest} = target(ASKING, {password});
  t.truthy(_key);
  await using connection = await connector.connect(rest);
  t.is(connection.login.keySha256, undefined);
  const problem = await t.throwsAsync(connector.connect({...rest, password: Secret.of('wrong')}), {
    instanceOf: Unreachable,
  });
  t.is(problem.kind, 'auth');
});

test(`a password through the system's ssh, right and wrong${whyNot}`, async (t) => {
  const {privateKeyFile: _key, ...rest} = target(ASKING, {password, transport: 'openssh'});
  t.truthy(_key);
  await using connection = await connector.connect(rest);
  const session = await connection.session({method: 'sudo', user: 'root', password});
  t.is(text((await session.exchange([fragment('id -un')]))[0]), 'root\n');
  const problem = await t.throwsAsync(connector.connect({...rest, password: Secret.of('wrong')}), {
    instanceOf: Unreachable,
  });
  t.is(problem.kind, 'auth');
});
