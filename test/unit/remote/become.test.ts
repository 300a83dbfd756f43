// Programs that answer as sudo, su and doas do, in their own words (C locale), in place of the real ones: those are tried
// on the lab's hosts.
import {spawn} from 'node:child_process';
import {chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Secret} from '../../../src/base/secret.ts';
import {realAmbient} from '../../../src/remote/ambient.ts';
import {becomeCommand, passBecome} from '../../../src/remote/become.ts';
import {childLink} from '../../../src/remote/child-link.ts';
import {BecomeFailed, LinkLost} from '../../../src/remote/errors.ts';
import type {ShellLink} from '../../../src/remote/link.ts';
import type {Become} from '../../../src/remote/session.ts';
import {ShellSession} from '../../../src/remote/shell.ts';

const GOOD = 'correct horse';

/** Starts the real command line with our program in place of sudo; `$1`… are its arguments, `run` starts what it was asked to. */
async function become(folder: string, what: Become, program: string, answerMs = 5000): Promise<ShellLink> {
  const path = join(folder, what.method);
  const prelude = `#!/bin/sh
echo "$@" >>${folder}/argv
prompt= ; flags=
while [ $# -gt 0 ]; do
  case $1 in
    -p) prompt=$2; shift 2 ;;
    -u) shift 2 ;;
    -s) shift 2 ;;
    -c) set -- /bin/sh -c "$2"; break ;;
    -*) flags=$flags$1; shift ;;
    root|daemon) shift ;;
    *) break ;;
  esac
done
`;
  writeFileSync(path, `${prelude}${program}\n`);
  chmodSync(path, 0o755);
  const nonce = realAmbient.nonce();
  const child = spawn('/bin/sh', ['-c', becomeCommand(what, nonce)], {
    stdio: 'pipe',
    env: {PATH: `${folder}:${process.env.PATH ?? ''}`},
  });
  return passBecome(childLink(child, 'sh'), what, nonce, 'me@box', () => undefined, answerMs);
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'tsplay-become-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

async function works(t: ExecutionContext, link: ShellLink): Promise<void> {
  await using session = new ShellSession({link, ambient: realAmbient, name: 'x', readyMs: 5000, atExit: ''});
  const [outcome] = await session.exchange([
    {shell: 'cat', stdin: 'in', group: 0, onFailure: 'go-on', label: 'cat', secret: false, timeoutMs: 5000},
  ]);
  t.is(outcome!.ran && Buffer.from(outcome!.reply.stdout).toString(), 'in');
}

const sudo: Become = {method: 'sudo', user: 'root'};
const withPassword: Become = {...sudo, password: Secret.of(GOOD)};
const asks = `printf '%s' "$prompt" >&2; read -r answer; [ "$answer" = '${GOOD}' ] && exec "$@"
echo 'Sorry, try again.' >&2; printf '%s' "$prompt" >&2; read -r answer; echo 'sudo: 1 incorrect password attempt' >&2; exit 1`;

test('a password goes out when it is asked for; never as an argument', (t) =>
  inFolder(async (folder) => {
    await works(t, await become(folder, withPassword, asks));
    t.false(readFileSync(join(folder, 'argv'), 'utf8').includes(GOOD));
  }));

test('where none is asked for, none is sent: it would become a command', (t) =>
  inFolder(async (folder) => {
    await works(t, await become(folder, {...sudo, password: Secret.of(`touch ${folder}/ran`)}, `exec "$@"`));
    t.false(existsSync(join(folder, 'ran')));
  }));

test('a wrong password is sent once', (t) =>
  inFolder(async (folder) => {
    const counting = `printf '%s' "$prompt" >&2; read -r a; echo x >>${folder}/asked; echo 'Sorry, try again.' >&2; printf '%s' "$prompt" >&2; read -r a && echo x >>${folder}/asked; exit 1`;
    const problem = await t.throwsAsync(become(folder, withPassword, counting), {instanceOf: BecomeFailed});
    t.is(problem.kind, 'wrong-password');
    t.is(readFileSync(join(folder, 'asked'), 'utf8'), 'x\n');
    t.false(`${problem.message}${problem.help ?? ''}`.includes(GOOD));
  }));

/** A link whose end came without an exit status: it speaks, and is gone. */
async function cutAfter(words: string): Promise<unknown> {
  const child = spawn('/bin/sh', ['-c', `printf '%s\\n' "$1" >&2; exit 9`, 'sh', words], {stdio: 'pipe'});
  return passBecome(childLink(child, 'sh', 9), sudo, 'nonce', 'me@box').then(
    () => undefined,
    (problem: unknown) => problem,
  );
}

test('an end without a status: what was said counts, and only silence is a lost link', async (t) => {
  const told = await cutAfter('sudo: unknown user nobody-here');
  t.true(told instanceof BecomeFailed && told.kind === 'no-such-user', String(told));
  t.true((await cutAfter('')) instanceof LinkLost);
});

const failures: readonly [string, Become, string, BecomeFailed['kind']][] = [
  ['no password', sudo, `echo 'sudo: a password is required' >&2; exit 1`, 'password-required'],
  [
    'no password, old words',
    sudo,
    `echo 'sudo: sorry, a password is required to run sudo' >&2; exit 1`,
    'password-required',
  ],
  [
    'no password, no terminal to ask on',
    sudo,
    `echo 'sudo: a terminal is required to read the password; either use the -S option to read from standard input' >&2; exit 1`,
    'password-required',
  ],
  ['requiretty', sudo, `echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1`, 'tty-required'],
  ['not in sudoers', withPassword, `echo 'me is not in the sudoers file.' >&2; exit 1`, 'not-allowed'],
  [
    'not in sudoers, after the password',
    withPassword,
    `printf '%s' "$prompt" >&2; read -r a; echo 'me is not in the sudoers file.' >&2; exit 1`,
    'not-allowed',
  ],
  [
    'not this account',
    withPassword,
    `echo 'Sorry, user me is not allowed to execute /bin/sh as root on box.' >&2; exit 1`,
    'not-allowed',
  ],
  ['may not run sudo', withPassword, `echo 'Sorry, user me may not run sudo on box.' >&2; exit 1`, 'not-allowed'],
  ['no such user', withPassword, `echo 'sudo: unknown user root' >&2; exit 1`, 'no-such-user'],
  ['no such user, old words', withPassword, `echo 'sudo: unknown user: root' >&2; exit 1`, 'no-such-user'],
  [
    'wrong password, one try',
    withPassword,
    `printf '%s' "$prompt" >&2; read -r a; echo 'sudo: 1 incorrect password attempt' >&2; exit 1`,
    'wrong-password',
  ],
  ['asks for ever', withPassword, 'sleep 20', 'prompt-timeout'],
  ['broken', withPassword, `echo 'sudo: /etc/sudoers is world writable' >&2; exit 1`, 'other'],
];
for (const [title, what, program, kind] of failures) {
  test(`sudo: ${title}`, (t) =>
    inFolder(async (folder) => {
      const problem = await t.throwsAsync(become(folder, what, program, kind === 'prompt-timeout' ? 300 : 5000), {
        instanceOf: BecomeFailed,
      });
      t.is(problem.kind, kind, problem.message);
      t.regex(problem.message, /^me@box: /);
    }));
}

test('su: asks on its error stream', (t) =>
  inFolder(async (folder) => {
    const su: Become = {method: 'su', user: 'daemon', password: Secret.of(GOOD)};
    const program = `printf 'Password: ' >&2; read -r a; [ "$a" = '${GOOD}' ] && exec "$@"; echo 'su: Authentication failure' >&2; exit 1`;
    await works(t, await become(folder, su, program));
    const wrong = await t.throwsAsync(become(folder, {...su, password: Secret.of('x')}, program), {
      instanceOf: BecomeFailed,
    });
    t.is(wrong.kind, 'wrong-password');
    const none = await t.throwsAsync(become(folder, {method: 'su', user: 'daemon'}, program), {
      instanceOf: BecomeFailed,
    });
    t.is(none.kind, 'password-required');
  }));

test('doas: without a password only', (t) =>
  inFolder(async (folder) => {
    await works(t, await become(folder, {method: 'doas', user: 'root'}, `exec "$@"`));
    const refuses = `echo 'doas: Operation not permitted' >&2; exit 1`;
    const problem = await t.throwsAsync(become(folder, {method: 'doas', user: 'root'}, refuses), {
      instanceOf: BecomeFailed,
    });
    t.is(problem.kind, 'not-allowed');
    t.throws(() => becomeCommand({...withPassword, method: 'doas'}, 'n'), {instanceOf: BecomeFailed});
  }));

for (const user of ['-u', 'a b', "a'b", 'a;b', '', '$(id)', 'a\nb']) {
  test(`no account is called ${JSON.stringify(user)}`, (t) => {
    const problem = t.throws(() => becomeCommand({method: 'sudo', user}, 'n'), {instanceOf: BecomeFailed});
    t.is(problem.kind, 'no-such-user');
  });
}

test('the command passes through any login shell in single quotes', (t) => {
  for (const method of ['sudo', 'su', 'doas'] as const) {
    t.notRegex(becomeCommand({method, user: 'some.one@lab'}, realAmbient.nonce()), /['!\n\\]/);
  }
});
