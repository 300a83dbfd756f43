// The system's ssh as transport, and when it is chosen by itself.
import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {createServer, type AddressInfo} from 'node:net';
import {join} from 'node:path';
import anyTest from 'ava';
import {Secret} from '../../src/base/secret.ts';
import {LinkLost} from '../../src/remote/errors.ts';
import {fingerprint} from '../../src/remote/known-hosts.ts';
import {makeKey, startSshd, whyNot} from './private-sshd.ts';
import {fragment, makeConnector, optionsFor, refused, relayTo, runOnce, short, targetFor} from './support.ts';

const test = whyNot === '' ? anyTest : anyTest.skip;
const openssh = {transport: 'openssh'} as const;

test(`a session, its facts, bytes and a stuck command${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const noise = Buffer.from(Array.from({length: 300_000}, (_, i) => (i * 31) & 0xff));
  await using connection = await makeConnector(optionsFor(sshd)).connect(targetFor(sshd, openssh));
  t.is(connection.via, 'openssh');
  const session = await connection.session();
  const [bytes, stuck, after] = await session.exchange([
    fragment('cat', {stdin: noise}),
    fragment('sleep 62.5', {timeoutMs: 300}),
    fragment('echo after'),
  ]);
  t.true(bytes!.ran && noise.equals(bytes!.reply.stdout));
  t.true(stuck!.ran && stuck!.timedOut);
  t.is(short(after), '0|after\n|');
  const expected = execFileSync('ssh-keygen', ['-lf', `${sshd.key}.pub`])
    .toString()
    .split(' ')[1];
  t.deepEqual({...connection.login}, {user: 'root', from: '127.0.0.1', keySha256: expected!});
});

test(`a passphrase reaches ssh through a pipe; nothing of it in arguments or environment${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  execFileSync('ssh-keygen', ['-q', '-p', '-f', sshd.key, '-P', '', '-N', 'open sesame']);
  const options = optionsFor(sshd);
  await using connection = await makeConnector(options).connect(
    targetFor(sshd, {...openssh, passphrase: Secret.of('open sesame')}),
  );
  const session = await connection.session();
  t.is(short((await session.exchange([fragment('echo hi')]))[0]), '0|hi\n|');
  const seen = spawnSync('sh', [
    '-c',
    "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | grep -ac '[o]pen sesame'",
  ]).stdout.toString();
  t.is(seen.trim(), '0');
  await refused(t, options, targetFor(sshd, {...openssh, passphrase: Secret.of('wrong')}), 'auth');
  await refused(t, options, targetFor(sshd, openssh), 'auth');
});

test(`host keys: unknown, accepted, changed${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  writeFileSync(sshd.knownHosts, '');
  await refused(t, optionsFor(sshd), targetFor(sshd, openssh), 'host-key-unknown');
  t.is(await runOnce(optionsFor(sshd, {unknownHostKeys: 'accept'}), targetFor(sshd, openssh), 'echo hi'), '0|hi\n|');
  t.is(await runOnce(optionsFor(sshd), targetFor(sshd, openssh), 'echo hi'), '0|hi\n|');
  const old = makeKey(join(sshd.folder, 'old'));
  writeFileSync(sshd.knownHosts, `[127.0.0.1]:${sshd.port} ${old}\n`);
  const problem = await refused(
    t,
    optionsFor(sshd, {unknownHostKeys: 'accept'}),
    targetFor(sshd, openssh),
    'host-key-changed',
  );
  for (const line of [old, readFileSync(`${sshd.hostKey}.pub`, 'utf8')]) {
    t.true(problem.message.includes(fingerprint(Buffer.from(line.split(' ')[1]!, 'base64'))), problem.message);
  }
});

test(`what goes wrong is told apart${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const other = join(sshd.folder, 'other');
  makeKey(other);
  await refused(t, optionsFor(sshd), targetFor(sshd, {...openssh, privateKeyFile: other}), 'auth');
  await refused(t, optionsFor(sshd), targetFor({...sshd, port: 1}, openssh), 'refused');
  await refused(t, optionsFor(sshd), targetFor(sshd, {...openssh, address: 'no-such-host.invalid'}), 'no-such-host');
});

test(`a connection that is cut is lost${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  await using relay = await relayTo(sshd.port);
  const options = optionsFor(sshd, {unknownHostKeys: 'accept'});
  await using connection = await makeConnector(options).connect(targetFor({...sshd, port: relay.port}, openssh));
  const session = await connection.session();
  await session.exchange([fragment('true')]);
  const exchange = session.exchange([fragment('sleep 30', {label: 'long'})]);
  setTimeout(() => relay.cut(), 300);
  const problem = await t.throwsAsync(exchange, {instanceOf: LinkLost});
  t.is(problem.during, 'long');
});

test(`a stream that starts on the host${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const server = createServer((socket) => socket.end('hello from the far side'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using connection = await makeConnector(optionsFor(sshd)).connect(targetFor(sshd, openssh));
  const stream = await connection.openStream('127.0.0.1', (server.address() as AddressInfo).port);
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  t.is(text, 'hello from the far side');
  server.close();
});

test(`chosen for a host that is known by its authority${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const authority = join(sshd.folder, 'ca');
  const publicAuthority = makeKey(authority);
  execFileSync('ssh-keygen', ['-q', '-s', authority, '-I', 'box', '-h', '-n', '127.0.0.1', `${sshd.hostKey}.pub`]);
  await using certified = await startSshd({
    config: [`HostKey ${sshd.hostKey}`, `HostCertificate ${sshd.hostKey}-cert.pub`],
    authorized: () => readFileSync(`${sshd.key}.pub`, 'utf8').trim(),
  });
  writeFileSync(sshd.knownHosts, `@cert-authority [127.0.0.1]:* ${publicAuthority}\n`);
  const target = targetFor({...sshd, port: certified.port});
  await using connection = await makeConnector(optionsFor(sshd)).connect(target);
  t.regex(connection.via, /^openssh: .*certificate authority/);
  const session = await connection.session();
  t.is(short((await session.exchange([fragment('echo hi')]))[0]), '0|hi\n|');
});

test(`chosen for a key with a certificate${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const authority = join(sshd.folder, 'ca');
  const publicAuthority = makeKey(authority);
  writeFileSync(join(sshd.folder, 'authorized_keys'), `cert-authority ${publicAuthority}\n`);
  execFileSync('ssh-keygen', ['-q', '-s', authority, '-I', 'me', '-n', 'root', `${sshd.key}.pub`]);
  await using connection = await makeConnector(optionsFor(sshd)).connect(targetFor(sshd));
  t.regex(connection.via, /^openssh: .*certificate/);
});

test(`chosen for a host that insists on post-quantum key exchange${whyNot}`, async (t) => {
  await using sshd = await startSshd({config: ['KexAlgorithms sntrup761x25519-sha512@openssh.com']});
  await using connection = await makeConnector(optionsFor(sshd)).connect(targetFor(sshd));
  t.regex(connection.via, /^openssh: .*algorithms/);
  const session = await connection.session();
  t.is(short((await session.exchange([fragment('echo hi')]))[0]), '0|hi\n|');
});

test(`a jump host's key is judged by the same files${whyNot}`, async (t) => {
  await using last = await startSshd();
  const authorized = (): string => readFileSync(`${last.key}.pub`, 'utf8').trim();
  await using first = await startSshd({authorized});
  const config = join(last.folder, 'config');
  writeFileSync(config, `Host *\n IdentityFile ${last.key}\n`);
  const target = targetFor(last, {...openssh, sshArgs: ['-F', config, '-J', `root@127.0.0.1:${first.port}`]});
  await t.throwsAsync(makeConnector(optionsFor(last)).connect(target));
  writeFileSync(last.knownHosts, readFileSync(last.knownHosts, 'utf8') + readFileSync(first.knownHosts, 'utf8'));
  t.is(await runOnce(optionsFor(last), target, 'echo hi'), '0|hi\n|');
});
