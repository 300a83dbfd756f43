// Ways to a host that are not a plain socket.
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import anyTest from 'ava';
import {acceptHostKeys, surveyHostKeys} from '../../src/remote/hostkeys.ts';
import {startSshd, whyNot, type PrivateSshd} from './private-sshd.ts';
import {fragment, makeConnector, optionsFor, refused, runOnce, short, sshSettings, targetFor} from './support.ts';

const test = whyNot === '' ? anyTest : anyTest.skip;

/** A host behind two others: all accept the key of the last; one known_hosts file knows all. */
async function chain(): Promise<
  {first: PrivateSshd; second: PrivateSshd; last: PrivateSshd; config: string} & AsyncDisposable
> {
  const last = await startSshd();
  const authorized = (): string => readFileSync(`${last.key}.pub`, 'utf8').trim();
  const first = await startSshd({authorized});
  const second = await startSshd({authorized});
  writeFileSync(last.knownHosts, [last, first, second].map((sshd) => readFileSync(sshd.knownHosts, 'utf8')).join(''));
  const config = join(last.folder, 'ssh_config');
  return {
    first,
    second,
    last,
    config,
    async [Symbol.asyncDispose]() {
      for (const sshd of [last, second, first]) await sshd[Symbol.asyncDispose]();
    },
  };
}

test(`through one jump host, and through two, one behind the other${whyNot}`, async (t) => {
  await using hosts = await chain();
  const {first, second, last, config} = hosts;
  const hop = (name: string, sshd: PrivateSshd): string =>
    `Host ${name}\n HostName 127.0.0.1\n Port ${sshd.port}\n User root\n`;
  writeFileSync(
    config,
    `${hop('first', first)}${hop('second', second)}Host inner\n HostName 127.0.0.1\n ProxyJump first,second\n`,
  );
  const options = optionsFor(last);
  const one = targetFor(last, {sshArgs: ['-F', config, '-J', `root@127.0.0.1:${first.port}`]});
  t.is(await runOnce(options, one, 'echo hi'), '0|hi\n|');
  t.is(await runOnce(options, targetFor(last, {address: 'inner', sshArgs: ['-F', config]}), 'echo hi'), '0|hi\n|');
  // Each hop was reached from the one before: two logins on the first, one on the second, two on the last.
  t.is(first.log().split('Accepted publickey').length - 1, 2);
  t.is(second.log().split('Accepted publickey').length - 1, 1);
  t.is(last.log().split('Accepted publickey').length - 1, 2);
});

test(`the jump host's key is verified too${whyNot}`, async (t) => {
  await using hosts = await chain();
  const {first, last} = hosts;
  writeFileSync(last.knownHosts, `[127.0.0.1]:${last.port} ${readFileSync(`${last.hostKey}.pub`, 'utf8')}`);
  const target = targetFor(last, {sshArgs: ['-F', 'none', '-J', `root@127.0.0.1:${first.port}`]});
  const problem = await refused(t, optionsFor(last), target, 'host-key-unknown');
  t.regex(problem.message, /jump host/);
  const survey = await surveyHostKeys([target], sshSettings(optionsFor(last)));
  t.is(survey.unknown.length, 1);
  t.is(survey.unknown[0]?.port, first.port);
  acceptHostKeys(survey.unknown);
  t.is(await runOnce(optionsFor(last), target, 'echo hi'), '0|hi\n|');
});

test(`an unknown host behind a jump host is greeted through it${whyNot}`, async (t) => {
  await using hosts = await chain();
  const {first, last} = hosts;
  writeFileSync(last.knownHosts, readFileSync(first.knownHosts));
  const target = targetFor(last, {sshArgs: ['-F', 'none', '-J', `root@127.0.0.1:${first.port}`]});
  const survey = await surveyHostKeys([target], sshSettings(optionsFor(last)));
  t.deepEqual(
    survey.unknown.map(({port}) => port),
    [last.port],
  );
});

test(`a jump host that lets nobody in is named${whyNot}`, async (t) => {
  await using last = await startSshd();
  await using first = await startSshd();
  writeFileSync(last.knownHosts, readFileSync(last.knownHosts, 'utf8') + readFileSync(first.knownHosts, 'utf8'));
  const target = targetFor(last, {sshArgs: ['-F', 'none', '-J', `root@127.0.0.1:${first.port}`]});
  const problem = await refused(t, optionsFor(last), target, 'jump');
  t.regex(problem.message, new RegExp(`jump host 127\\.0\\.0\\.1 .*${first.port}.*login refused`));
});

test(`twenty hosts through one jump host: no more handshakes at once than it takes${whyNot}`, async (t) => {
  await using last = await startSshd({config: ['MaxStartups 100']});
  const authorized = (): string => readFileSync(`${last.key}.pub`, 'utf8').trim();
  await using first = await startSshd({authorized, config: ['MaxStartups 9:100:9']});
  writeFileSync(last.knownHosts, readFileSync(last.knownHosts, 'utf8') + readFileSync(first.knownHosts, 'utf8'));
  const connector = makeConnector(optionsFor(last));
  const target = targetFor(last, {sshArgs: ['-F', 'none', '-J', `root@127.0.0.1:${first.port}`], timeoutMs: 30_000});
  const replies = await Promise.all(
    Array.from({length: 20}, async (_, i) => {
      await using connection = await connector.connect(target);
      const session = await connection.session();
      return short((await session.exchange([fragment(`echo ${i}`)]))[0]);
    }),
  );
  t.deepEqual(
    replies,
    Array.from({length: 20}, (_, i) => `0|${i}\n|`),
  );
});

test(`ProxyCommand, and what it says when it fails${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const relay = `${process.execPath} -e "const s=require('net').connect(%p,'%h');process.stdin.pipe(s).pipe(process.stdout)"`;
  const through = (command: string): readonly string[] => ['-F', 'none', '-o', `ProxyCommand=${command}`];
  t.is(await runOnce(optionsFor(sshd), targetFor(sshd, {sshArgs: through(relay)}), 'echo hi'), '0|hi\n|');
  const failing = targetFor(sshd, {sshArgs: through("sh -c 'echo no way through >&2; exit 7'")});
  const problem = await refused(t, optionsFor(sshd), failing, 'jump');
  t.regex(problem.message, /exit 7: no way through/);
});
