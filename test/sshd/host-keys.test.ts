// Host keys against a real sshd: known, unknown, changed, revoked, and the survey before a run.
import {appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import anyTest from 'ava';
import {acceptHostKeys, surveyHostKeys} from '../../src/remote/hostkeys.ts';
import {fingerprint} from '../../src/remote/known-hosts.ts';
import {freePort, makeKey, startSshd, whyNot} from './private-sshd.ts';
import {makeConnector, optionsFor, refused, runOnce, sshSettings, targetFor} from './support.ts';

const test = whyNot === '' ? anyTest : anyTest.skip;

function blobOf(line: string): Buffer {
  return Buffer.from(
    line.split(' ').find((word) => word.startsWith('AAAA'))!,
    'base64',
  );
}

test(`a host that no file knows is refused, with its fingerprint${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  writeFileSync(sshd.knownHosts, '');
  const problem = await refused(t, optionsFor(sshd), targetFor(sshd), 'host-key-unknown');
  t.true(problem.message.includes(fingerprint(blobOf(readFileSync(`${sshd.hostKey}.pub`, 'utf8')))));
  t.is(readFileSync(sshd.knownHosts, 'utf8'), '');
});

test(`accepting new keys writes them down, once, and only for us to read${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const file = join(sshd.folder, 'new/known_hosts');
  const options = optionsFor(sshd, {knownHostsFiles: [file], unknownHostKeys: 'accept'});
  t.is(await runOnce(options, targetFor(sshd), 'echo hi'), '0|hi\n|');
  t.is(await runOnce(options, targetFor(sshd), 'echo hi'), '0|hi\n|');
  t.is(readFileSync(file, 'utf8').trim().split('\n').length, 1);
  t.is(statSync(file).mode & 0o777, 0o600);
});

test(`"StrictHostKeyChecking yes" keeps new keys out; "no" does not let them in${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  writeFileSync(sshd.knownHosts, '');
  const strict = targetFor(sshd, {sshArgs: ['-F', 'none', '-o', 'StrictHostKeyChecking=yes']});
  await refused(t, optionsFor(sshd, {unknownHostKeys: 'accept'}), strict, 'host-key-unknown');
  const lax = targetFor(sshd, {sshArgs: ['-F', 'none', '-o', 'StrictHostKeyChecking=no']});
  await refused(t, optionsFor(sshd), lax, 'host-key-unknown');
});

test(`a changed key is refused with both fingerprints and the place of the old one, whatever the policy${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const old = makeKey(join(sshd.folder, 'old'));
  writeFileSync(sshd.knownHosts, `# a comment\n[127.0.0.1]:${sshd.port} ${old}\n`);
  for (const unknownHostKeys of ['refuse', 'accept'] as const) {
    const problem = await refused(t, optionsFor(sshd, {unknownHostKeys}), targetFor(sshd), 'host-key-changed');
    t.true(problem.message.includes(fingerprint(blobOf(old))));
    t.true(problem.message.includes(fingerprint(blobOf(readFileSync(`${sshd.hostKey}.pub`, 'utf8')))));
    t.true(problem.message.includes(`${sshd.knownHosts}:2`));
  }
});

test(`a revoked key is refused although it is also listed as good${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  appendFileSync(sshd.knownHosts, `@revoked * ${readFileSync(`${sshd.hostKey}.pub`, 'utf8')}`);
  const problem = await refused(t, optionsFor(sshd), targetFor(sshd), 'host-key-revoked');
  t.true(problem.message.includes(`${sshd.knownHosts}:2`));
});

test(`the type of key that is known is asked for first${whyNot}`, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tsplay-types-'));
  for (const type of ['rsa', 'ecdsa']) {
    const path = join(folder, type);
    const publicKey = makeKey(path, {type});
    await using sshd = await startSshd({config: [`HostKey ${path}`]});
    writeFileSync(sshd.knownHosts, `[127.0.0.1]:${sshd.port} ${publicKey}\n`);
    t.is(await runOnce(optionsFor(sshd), targetFor(sshd), 'echo hi'), '0|hi\n|');
  }
  rmSync(folder, {recursive: true});
});

test(`the survey greets only unknown hosts, and one decision lets them all in${whyNot}`, async (t) => {
  await using one = await startSshd();
  await using two = await startSshd();
  await using three = await startSshd();
  const options = optionsFor(one);
  const targets = [
    targetFor(one, {host: 'one'}),
    targetFor(two, {host: 'two'}),
    targetFor(three, {host: 'three'}),
    targetFor({...one, port: await freePort()}, {host: 'down'}),
    {...targetFor(one), host: 'here', transport: 'local' as const},
  ];
  const before = one.log();
  const survey = await surveyHostKeys(targets, sshSettings(options));
  t.is(one.log(), before, 'a known host was greeted');
  t.deepEqual(survey.known.map(({host}) => host).sort(), ['here', 'one']);
  t.deepEqual(survey.unknown.map(({target}) => target.host).sort(), ['three', 'two']);
  t.deepEqual(
    survey.unreachable.map(({target, problem}) => [target.host, problem.kind]),
    [['down', 'refused']],
  );
  const keyOfTwo = blobOf(readFileSync(`${two.hostKey}.pub`, 'utf8'));
  const found = survey.unknown.find(({target}) => target.host === 'two');
  t.is(found?.sha256, fingerprint(keyOfTwo));
  t.is(found?.keyType, 'ssh-ed25519');
  acceptHostKeys(survey.unknown);
  const again = await surveyHostKeys(targets.slice(0, 3), sshSettings(options));
  t.is(again.unknown.length, 0);
  await using connection = await makeConnector(options).connect(targetFor({...two, key: two.key}));
  t.is(connection.login.user, 'root');
});
