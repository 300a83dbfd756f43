// The known traps of SSH libraries, each against a real sshd.
import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {createServer, type AddressInfo, type Socket} from 'node:net';
import type {Duplex} from 'node:stream';
import anyTest from 'ava';
import {openTcp} from '../../src/remote/dial.ts';
import {LinkLost, Unreachable} from '../../src/remote/errors.ts';
import {startSshd, whyNot} from './private-sshd.ts';
import {fragment, makeConnector, optionsFor, refused, relayTo, runOnce, short, targetFor} from './support.ts';

const test = whyNot === '' ? anyTest : anyTest.skip;

test(`a login says who, from where and with which key${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  await using connection = await makeConnector(optionsFor(sshd)).connect(targetFor(sshd));
  const session = await connection.session();
  t.is(short((await session.exchange([fragment('echo hi; exit 3')]))[0]), '3|hi\n|');
  const expected = execFileSync('ssh-keygen', ['-lf', `${sshd.key}.pub`])
    .toString()
    .split(' ')[1];
  t.deepEqual({...connection.login}, {user: 'root', from: '127.0.0.1', keySha256: expected!});
  t.is(connection.via, 'ssh');
});

test(`small packets do not wait: TCP_NODELAY is set${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const calls: (boolean | undefined)[] = [];
  const openSocket: typeof openTcp = (settings) => {
    const socket = openTcp(settings);
    const original = socket.setNoDelay.bind(socket);
    socket.setNoDelay = (on?: boolean): Socket => {
      calls.push(on);
      return original(on);
    };
    return socket;
  };
  t.is(await runOnce(optionsFor(sshd, {openSocket}), targetFor(sshd), 'echo hi'), '0|hi\n|');
  t.deepEqual(calls, [true]);
});

test(`a connection that is reset in the middle of a command is lost, not successful, and ends nothing else${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  await using relay = await relayTo(sshd.port);
  const options = optionsFor(sshd);
  await using connection = await makeConnector({...options, unknownHostKeys: 'accept'}).connect(
    targetFor({...sshd, port: relay.port}),
  );
  const session = await connection.session();
  await session.exchange([fragment('true')]);
  const exchange = session.exchange([fragment('true', {label: 'one'}), fragment('sleep 30; true', {label: 'two'})]);
  setTimeout(() => relay.cut(), 300);
  const problem = await t.throwsAsync(exchange, {instanceOf: LinkLost});
  t.is(problem.during, 'two');
  await t.throwsAsync(session.exchange([fragment('true')]), {instanceOf: LinkLost});
  await t.throwsAsync(connection.session({method: 'sudo', user: 'root'}));
});

test(`a reset while nothing is under way does not end the program${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  await using relay = await relayTo(sshd.port);
  await using connection = await makeConnector(optionsFor(sshd, {unknownHostKeys: 'accept'})).connect(
    targetFor({...sshd, port: relay.port}),
  );
  relay.cut();
  await new Promise((resolve) => setTimeout(resolve, 200));
  await t.throwsAsync(connection.session().then((session) => session.exchange([fragment('true')])));
});

test(`a host that falls silent is given up after its timeout${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  await using relay = await relayTo(sshd.port);
  await using connection = await makeConnector(optionsFor(sshd, {unknownHostKeys: 'accept'})).connect(
    targetFor({...sshd, port: relay.port}, {timeoutMs: 2000}),
  );
  const session = await connection.session();
  await session.exchange([fragment('true')]);
  const exchange = session.exchange([fragment('sleep 60', {label: 'long'})]);
  relay.freeze();
  const problem = await t.throwsAsync(exchange, {instanceOf: LinkLost});
  t.is(problem.during, 'long');
});

test(`a host that accepts and says nothing is a timeout${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const held: Duplex[] = [];
  const mute = createServer((socket) => held.push(socket));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const {port} = mute.address() as AddressInfo;
  await refused(t, optionsFor(sshd), targetFor({...sshd, port}, {timeoutMs: 500}), 'timeout');
  held.forEach((socket) => socket.destroy());
  mute.close();
});

test(`what is no sshd, and what is not there${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const rude = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
  const {port} = rude.address() as AddressInfo;
  await refused(t, optionsFor(sshd), targetFor({...sshd, port}), 'protocol');
  await new Promise((resolve) => rude.close(resolve));
  await refused(t, optionsFor(sshd), targetFor({...sshd, port}), 'refused');
  await refused(t, optionsFor(sshd), targetFor(sshd, {address: 'no-such-host.invalid'}), 'no-such-host');
  await refused(t, optionsFor(sshd), targetFor(sshd, {address: '-oProxyCommand=touch /tmp/x'}), 'other');
});

test(`ten megabytes of UTF-8 and of noise arrive exactly, both ways${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  await using connection = await makeConnector(optionsFor(sshd)).connect(targetFor(sshd));
  const session = await connection.session();
  const text = Buffer.from('aäß→𝄞'.repeat(50_000));
  const noise = Buffer.from(Array.from({length: 1_000_000}, (_, i) => (i * 31 + (i >> 7)) & 0xff));
  const [utf8, binary, big] = await session.exchange([
    fragment('cat', {stdin: text}),
    fragment('cat; cat /dev/null >&2', {stdin: noise}),
    fragment("yes 'ä→' | head -c 10485760; yes é | head -c 3000000 >&2"),
  ]);
  t.true(utf8!.ran && text.equals(utf8!.reply.stdout));
  t.true(binary!.ran && noise.equals(binary!.reply.stdout));
  t.is(big!.ran && big!.reply.stdout.length, 10485760);
  t.is(big!.ran && big!.reply.stderr.length, 3000000);
  t.true(big!.ran && Buffer.from('ä→\n'.repeat(3000)).equals(Buffer.from(big!.reply.stdout).subarray(0, 18000)));
});

test(`what takes too long is ended through a second channel${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  await using connection = await makeConnector(optionsFor(sshd)).connect(targetFor(sshd));
  const session = await connection.session();
  const [stuck, after] = await session.exchange([
    fragment('sleep 61.5; echo never', {timeoutMs: 300}),
    fragment('echo after'),
  ]);
  t.true(stuck!.ran && stuck!.timedOut);
  t.is(short(after), '0|after\n|');
});

test(`where no second channel can be had, the link is given up and says why${whyNot}`, async (t) => {
  await using sshd = await startSshd({config: ['MaxSessions 1']});
  await using connection = await makeConnector(optionsFor(sshd)).connect(targetFor(sshd));
  const session = await connection.session();
  const problem = await t.throwsAsync(session.exchange([fragment('sleep 3', {timeoutMs: 300, label: 'stuck'})]), {
    instanceOf: LinkLost,
  });
  t.is(problem.during, 'stuck');
  t.regex(problem.message, /no end after its 0\.3 s/);
});

for (const [shell, command] of [
  ['fish', '/usr/bin/fish -c "$SSH_ORIGINAL_COMMAND"'],
  ['csh', '/bin/csh -f -c "$SSH_ORIGINAL_COMMAND"'],
  ['a noisy profile', 'echo Welcome; echo "Last login: never" >&2; eval "$SSH_ORIGINAL_COMMAND"'],
] as const) {
  const program = command.startsWith('/') ? command.split(' ')[0]! : '/bin/sh';
  const there = existsSync(program);
  const run = there ? test : anyTest.skip;
  run(`the login shell may be ${shell}${there ? whyNot : ` (skipped: there is no ${program})`}`, async (t) => {
    await using sshd = await startSshd({config: [`ForceCommand ${command}`]});
    t.is(await runOnce(optionsFor(sshd), targetFor(sshd), 'x=1; echo "$x"'), '0|1\n|');
    if (spawnSync('sudo', ['-n', '-u', 'nobody', 'true']).status !== 0) return;
    await using connection = await makeConnector(optionsFor(sshd)).connect(targetFor(sshd));
    const session = await connection.session({method: 'sudo', user: 'nobody'});
    t.is(short((await session.exchange([fragment('id -un')]))[0]), '0|nobody\n|');
    t.is(connection.login.from, '127.0.0.1');
  });
}

test(`an account without a shell is named, with what it said${whyNot}`, async (t) => {
  await using sshd = await startSshd({config: ['ForceCommand echo This account is currently not available.; exit 1']});
  await using connection = await makeConnector(optionsFor(sshd)).connect(targetFor(sshd));
  const session = await connection.session();
  const problem = await t.throwsAsync(session.exchange([fragment('true')]), {instanceOf: Unreachable});
  t.is(problem.kind, 'no-shell');
  t.regex(problem.message, /currently not available/);
});

test(`a stream that starts on the host${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const server = createServer((socket) => socket.end('hello from the far side'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  await using connection = await makeConnector(optionsFor(sshd)).connect(targetFor(sshd));
  const stream = await connection.openStream('127.0.0.1', port);
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  t.is(text, 'hello from the far side');
  await new Promise((resolve) => server.close(resolve));
  await t.throwsAsync(connection.openStream('127.0.0.1', port), {instanceOf: Unreachable});
});

test(`a login can be stopped${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const mute = createServer(() => undefined);
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const {port} = mute.address() as AddressInfo;
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 100);
  const connecting = makeConnector(optionsFor(sshd)).connect(targetFor({...sshd, port}), stop.signal);
  const problem = await t.throwsAsync(connecting, {instanceOf: Unreachable});
  t.regex(problem.message, /stopped on request/);
  mute.close();
});
