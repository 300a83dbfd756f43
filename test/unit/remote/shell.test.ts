import {spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {realAmbient} from '../../../src/remote/ambient.ts';
import {childLink} from '../../../src/remote/child-link.ts';
import {LinkLost, Unreachable} from '../../../src/remote/errors.ts';
import {connectLocal} from '../../../src/remote/local.ts';
import {batchScript, preludeScript, printBytes} from '../../../src/remote/script.ts';
import {Secret} from '../../../src/base/secret.ts';
import type {Fragment, Outcome, Session} from '../../../src/remote/session.ts';
import type {Settings} from '../../../src/remote/settings.ts';
import {ShellSession} from '../../../src/remote/shell.ts';

const settings: Settings = {
  env: {PATH: process.env.PATH, HOME: tmpdir(), USER: 'tester'},
  ambient: realAmbient,
  atExit: '',
  trace: false,
  log: () => undefined,
};

function fragment(shell: string, more: Partial<Fragment> = {}): Fragment {
  return {shell, group: 0, onFailure: 'go-on', label: shell.slice(0, 30), secret: false, timeoutMs: 60_000, ...more};
}

/** An outcome in short: exit, stdout, stderr as latin1; `-` when it did not run. */
function short(outcome: Outcome): string {
  if (!outcome.ran) return '-';
  const {exit, stdout, stderr} = outcome.reply;
  return [exit, Buffer.from(stdout).toString('latin1'), Buffer.from(stderr).toString('latin1')].join('|');
}

async function runIn(shell: readonly [string, ...string[]], fragments: readonly Fragment[]): Promise<string[]> {
  await using connection = connectLocal(settings, shell);
  const session = await connection.session();
  return (await session.exchange(fragments)).map(short);
}

const shells: readonly (readonly [string, ...string[]])[] = [
  ['/bin/sh'],
  ['/bin/dash'],
  ['/bin/busybox', 'sh'],
  ['/bin/bash'],
  ['/bin/bash', '--posix'],
];

for (const shell of shells) {
  const name = shell.join(' ');
  const run = existsSync(shell[0]) ? test : test.skip;

  run(`${name}: replies, exit statuses, both streams, in order`, async (t) => {
    // What a shell says about a killed child is its own affair.
    const replies = (
      await runIn(shell, [
        fragment('printf out; printf err >&2; exit 3'),
        fragment('true'),
        fragment("printf 'no newline'"),
        fragment('exec sh -c "kill -9 \\$\\$"'),
        fragment('cat; echo end'),
        fragment('no_such_program_at_all 2>/dev/null'),
        fragment(`printf '%s' "it's \\"quoted\\" \\\\ and ä"`),
      ])
    ).map((reply) => reply.replace(/^137.*/s, '137||'));
    t.deepEqual(replies, [
      '3|out|err',
      '0||',
      '0|no newline|',
      '137||',
      '0|end\n|',
      '127||',
      `0|it's "quoted" \\ and ${Buffer.from('ä').toString('latin1')}|`,
    ]);
  });

  run(`${name}: a fragment keeps its state, its syntax errors and its traps to itself`, async (t) => {
    const replies = await runIn(shell, [
      fragment('cd /tmp; x=1; umask 077; trap "echo bye" EXIT; exit 0'),
      fragment('pwd; echo "[$x]"; umask'),
      fragment('if ; then } )'),
      fragment("echo 'unfinished"),
      fragment('set -e; false; echo not here'),
      fragment('echo still here'),
    ]);
    t.is(replies[0], '0|bye\n|');
    t.is(replies[1], '0|/\n[]\n0022\n|');
    t.regex(replies[2]!, /^[1-9]\d*\|\|.*syntax error/is);
    t.regex(replies[3]!, /^[1-9]\d*\|\|./);
    t.is(replies[4], '1||');
    t.is(replies[5], '0|still here\n|');
  });

  run(`${name}: a known environment`, async (t) => {
    const [reply] = await runIn(shell, [
      fragment('echo "$LC_ALL $TZ ${LANGUAGE-unset} $PATH"; echo "${-}" | tr -dc i'),
    ]);
    t.is(reply, '0|C UTC unset /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n|');
  });

  run(`${name}: stdin carries any bytes, and secrets`, async (t) => {
    const all = Buffer.from(Array.from({length: 256 * 300}, (_, i) => (i * 7 + (i >> 8)) & 0xff));
    await using connection = connectLocal(settings, shell);
    const session = await connection.session();
    const outcomes = await session.exchange([
      fragment('cat', {stdin: all}),
      fragment('cat', {stdin: Secret.of("-n %s \\ ' ä\n")}),
      fragment('cat', {stdin: ''}),
      fragment('true', {stdin: Buffer.alloc(500_000, 0)}),
      fragment('cat'),
    ]);
    const out = (i: number): Buffer => {
      const outcome = outcomes[i]!;
      return outcome.ran ? Buffer.from(outcome.reply.stdout) : Buffer.from('did not run');
    };
    t.true(out(0).equals(all));
    t.is(out(1).toString(), "-n %s \\ ' ä\n");
    t.is(out(2).toString(), '');
    t.is(short(outcomes[3]!), '0||');
    t.is(out(4).toString(), '');
  });

  run(`${name}: ten megabytes, and what looks like a mark`, async (t) => {
    await using connection = connectLocal(settings, shell);
    const session = await connection.session();
    const [big, odd] = await session.exchange([
      fragment('head -c 10485760 /dev/zero; head -c 1000000 /dev/zero >&2'),
      fragment(`printf '\\036${'0'.repeat(32)}:1:0\\n\\303'`),
    ]);
    t.is(big!.ran && big!.reply.stdout.length, 10485760);
    t.is(big!.ran && big!.reply.stderr.length, 1000000);
    t.deepEqual(
      odd!.ran && Buffer.from(odd!.reply.stdout),
      Buffer.concat([Buffer.from(`\x1e${'0'.repeat(32)}:1:0\n`), Buffer.of(0xc3)]),
    );
  });

  run(`${name}: failures skip what they are said to skip`, async (t) => {
    const no = {onFailure: 'skip-group'} as const;
    t.deepEqual(
      await runIn(shell, [
        fragment('echo a', {group: 1, ...no}),
        fragment('exit 9', {group: 1, ...no}),
        fragment('echo not', {group: 1, ...no}),
        fragment('echo b', {group: 2, ...no}),
        fragment('echo not', {group: 1}),
        fragment('false', {group: 10}),
        fragment('exit 4', {group: 3, onFailure: 'stop'}),
        fragment('echo not', {group: 2}),
      ]),
      ['0|a\n|', '9||', '-', '0|b\n|', '-', '1||', '4||', '-'],
    );
  });

  run(`${name}: what takes too long is ended with all it has started; the shell lives on`, async (t) => {
    await using connection = connectLocal(settings, shell);
    const session = await connection.session();
    const started = performance.now();
    const outcomes = await session.exchange([
      fragment('echo before; (sleep 61.25 & sleep 61.25; echo never) ; echo never', {timeoutMs: 300}),
      fragment('trap "" TERM; sleep 61.25; sleep 61.25', {timeoutMs: 300}),
      fragment('echo after'),
    ]);
    const took = performance.now() - started;
    t.true(took < 30_000, `took ${took} ms`);
    const [stuck, stubborn, after] = outcomes;
    t.true(stuck!.ran && stuck!.timedOut && stuck!.reply.exit > 128);
    t.is(stuck!.ran && Buffer.from(stuck!.reply.stdout).toString(), 'before\n');
    t.true(stubborn!.ran && stubborn!.timedOut && stubborn!.reply.exit > 128);
    t.is(short(after!), '0|after\n|');
    t.is((await session.exchange([fragment('echo again')])).map(short).join(), '0|again\n|');
  });

  run(`${name}: a batch that is cut anywhere runs nothing`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'tsplay-cut-'));
    const nonce = realAmbient.nonce();
    const text = batchScript(
      [
        fragment(`echo 1 >>${folder}/1`, {onFailure: 'stop'}),
        fragment(`cat >${folder}/2`, {stdin: 'input }\n', onFailure: 'skip-group'}),
        fragment(`{ echo 3 >${folder}/3; }`),
      ],
      nonce,
    );
    const feed = (script: string): void => {
      spawnSync(shell[0], shell.slice(1), {input: preludeScript(nonce, '') + script});
    };
    for (let tenth = 0; tenth < 10; tenth++) feed(text.slice(0, Math.floor((text.length * tenth) / 10)));
    for (let last = 3; last < 60; last += 4) feed(text.slice(0, -last));
    t.deepEqual(readdirSync(folder), []);
    feed(text);
    t.deepEqual(readdirSync(folder).sort(), ['1', '2', '3']);
    rmSync(folder, {recursive: true});
  });
}

test('bytes survive printf in dash, busybox and bash', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 300}), (bytes) => {
      const script = printBytes(bytes);
      return shells
        .filter(([program]) => existsSync(program))
        .every(([program, ...args]) => spawnSync(program, [...args, '-c', script]).stdout.equals(Buffer.from(bytes)));
    }),
    {numRuns: 40},
  );
  t.pass();
});

function sessionOver(program: string, args: readonly string[], readyMs = 5000): Session {
  const child = spawn(program, args, {stdio: 'pipe'});
  return new ShellSession({
    link: childLink(child, program),
    ambient: realAmbient,
    name: 'tester@here',
    readyMs,
    atExit: '',
  });
}

test('noise before the shell answers is ignored', async (t) => {
  await using session = sessionOver('/bin/sh', [
    '-c',
    'echo Welcome to this host; echo "You have mail" >&2; exec /bin/sh',
  ]);
  t.deepEqual((await session.exchange([fragment('echo hi')])).map(short), ['0|hi\n|']);
});

test('noise between two batches is ignored', async (t) => {
  await using session = sessionOver('/bin/sh', []);
  await session.exchange([fragment('(sleep 0.2; echo late; echo late >&2) & true')]);
  await new Promise((resolve) => setTimeout(resolve, 400));
  t.deepEqual((await session.exchange([fragment('echo hi')])).map(short), ['0|hi\n|']);
});

test('what is no shell is named, with what it printed', async (t) => {
  await using session = sessionOver('/bin/sh', ['-c', 'echo "This account is \\033[31mnot available"; exit 1']);
  const problem = await t.throwsAsync(session.exchange([fragment('echo hi')]), {instanceOf: Unreachable});
  t.is(problem.kind, 'no-shell');
  t.regex(problem.message, /not available/);
  t.false(problem.message.includes('\x1b'));
});

test('a host that stays silent is no shell', async (t) => {
  await using session = sessionOver('/bin/sleep', ['30'], 200);
  const problem = await t.throwsAsync(session.exchange([fragment('echo hi')]), {instanceOf: Unreachable});
  t.is(problem.kind, 'no-shell');
});

test('a secret is not sent before the shell has proved to be there', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tsplay-secret-'));
  await using session = sessionOver('/bin/sh', ['-c', `timeout 2 cat >${folder}/seen; exit 1`], 1000);
  await t.throwsAsync(session.exchange([fragment('cat', {stdin: Secret.of('hunter2')})]), {instanceOf: Unreachable});
  t.is(
    spawnSync('grep', ['-c', 'hunter2', `${folder}/seen`])
      .stdout.toString()
      .trim(),
    '0',
  );
  rmSync(folder, {recursive: true});
});

test('a shell that ends in the middle is a lost link that names the fragment', async (t) => {
  await using session = sessionOver('/bin/sh', []);
  const exchange = session.exchange([
    fragment('true', {label: 'first'}),
    fragment('kill -9 $$; sleep 1', {label: 'second'}),
  ]);
  const problem = await t.throwsAsync(exchange, {instanceOf: LinkLost});
  t.is(problem.during, 'second');
  await t.throwsAsync(session.exchange([fragment('true')]), {instanceOf: LinkLost});
});

test('an abort ends the exchange', async (t) => {
  await using session = sessionOver('/bin/sh', []);
  const stop = new AbortController();
  const exchange = session.exchange([fragment('sleep 30', {label: 'long'})], {signal: stop.signal});
  setTimeout(() => stop.abort(), 200);
  const problem = await t.throwsAsync(exchange, {instanceOf: LinkLost});
  t.is(problem.during, 'long');
});

test('silence is told with what is awaited, again and again', async (t) => {
  const child = spawn('/bin/sh', {stdio: 'pipe'});
  const link = childLink(child, 'sh');
  await using session = new ShellSession({
    link,
    ambient: realAmbient,
    name: 'x',
    readyMs: 5000,
    silenceMs: 100,
    atExit: '',
  });
  const told: string[] = [];
  await session.exchange([fragment('true', {label: 'quick'}), fragment('sleep 2', {label: 'slow'})], {
    onSilence: (label, silentMs) => told.push(silentMs >= 90 ? label : `too early: ${silentMs}`),
  });
  // on a busy machine the quick one may be waited for as well
  t.true(told.filter((label) => label === 'slow').length >= 2, told.join());
  t.false(
    told.some((label) => label.startsWith('too early')),
    told.join(),
  );
});

test('exchanges at the same time are queued, and counted', async (t) => {
  await using session = sessionOver('/bin/sh', []);
  const replies = await Promise.all([1, 2, 3].map((n) => session.exchange([fragment(`sleep 0.${4 - n}; echo ${n}`)])));
  t.deepEqual(replies.flat().map(short), ['0|1\n|', '0|2\n|', '0|3\n|']);
  t.is(session.roundTrips, 3);
});

test('the shell runs atExit when it ends, by itself or because the link is gone', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tsplay-exit-'));
  for (const how of ['dispose', 'cut'] as const) {
    const connection = connectLocal({...settings, atExit: `echo bye >${folder}/${how}`});
    const session = await connection.session();
    if (how === 'cut') {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 200);
      await t.throwsAsync(session.exchange([fragment('sleep 0.5')], {signal: stop.signal}));
    } else await session.exchange([fragment('true')]);
    await connection[Symbol.asyncDispose]();
  }
  for (let i = 0; i < 50 && readdirSync(folder).length < 2; i++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  t.deepEqual(readdirSync(folder).sort(), ['cut', 'dispose']);
  rmSync(folder, {recursive: true});
});
