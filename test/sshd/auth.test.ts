// Who we say we are: keys, agents and passphrases against a real sshd; passwords and the order of things against a server
// of ssh2's own, which can be told what to accept.
import {execFileSync, spawn} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import anyTest from 'ava';
import type {AuthContext, Connection as ServerSide, Server} from 'ssh2';
import {Secret} from '../../src/base/secret.ts';
import {loadSsh2} from '../../src/remote/ssh-login.ts';
import {makeKey, startSshd, whyNot, type PrivateSshd} from './private-sshd.ts';
import {makeConnector, optionsFor, refused, runOnce, targetFor, withoutKey} from './support.ts';

const test = whyNot === '' ? anyTest : anyTest.skip;

test(`an encrypted key: with its passphrase, without, with a wrong one${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  execFileSync('ssh-keygen', ['-q', '-p', '-f', sshd.key, '-P', '', '-N', 'open sesame']);
  const options = optionsFor(sshd);
  const right = targetFor(sshd, {passphrase: Secret.of('open sesame')});
  t.is(await runOnce(options, right, 'echo hi'), '0|hi\n|');
  const without = await refused(t, options, targetFor(sshd), 'auth');
  t.regex(without.message, /encrypted and no passphrase/);
  const wrong = await refused(t, options, targetFor(sshd, {passphrase: Secret.of('sesame')}), 'auth');
  t.regex(wrong.message, /passphrase is wrong/);
  t.false(`${wrong.message}${wrong.help ?? ''}`.includes('sesame'));
});

test(`a named key that is not there, or is none${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const absent = await refused(t, optionsFor(sshd), targetFor(sshd, {privateKeyFile: '~/nothing'}), 'auth');
  t.true(absent.message.includes(`${sshd.folder}/nothing`));
  t.regex(absent.message, /no such file/);
  const publicKey = await refused(t, optionsFor(sshd), targetFor(sshd, {privateKeyFile: `${sshd.key}.pub`}), 'auth');
  t.regex(publicKey.message, /public key, not a private one/);
});

test(`a refused login names what was tried and what the host accepts${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const other = join(sshd.folder, 'other');
  makeKey(other);
  const problem = await refused(t, optionsFor(sshd), targetFor(sshd, {privateKeyFile: other}), 'auth');
  t.true(problem.message.includes(`tried key ${other}; the host accepts publickey`), problem.message);
});

test(`keys of ssh_config, and the usual ones of the home directory${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const config = join(sshd.folder, 'config');
  writeFileSync(config, `Host 127.0.0.*\n IdentityFile ${sshd.key}\n`);
  t.is(await runOnce(optionsFor(sshd), withoutKey(sshd, {sshArgs: ['-F', config]}), 'echo hi'), '0|hi\n|');
});

/** An agent of one's own with these keys, ended by its pid. */
async function startAgent(sshd: PrivateSshd, keys: readonly string[]): Promise<{socket: string} & AsyncDisposable> {
  const socket = join(sshd.folder, 'agent');
  const child = spawn('ssh-agent', ['-D', '-a', socket], {stdio: ['ignore', 'pipe', 'ignore']});
  await new Promise((resolve) => child.stdout.once('data', resolve));
  execFileSync('ssh-add', ['-q', ...keys], {env: {...process.env, SSH_AUTH_SOCK: socket}, stdio: 'ignore'});
  return {
    socket,
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill();
      await ended;
    },
  };
}

test(`agents: the right key among several; an encrypted file that the agent holds; IdentitiesOnly${whyNot}`, async (t) => {
  await using sshd = await startSshd({config: ['MaxAuthTries 3']});
  const others = ['a', 'b', 'c', 'd'].map((name) => {
    makeKey(join(sshd.folder, name));
    return join(sshd.folder, name);
  });
  const publicKey = readFileSync(`${sshd.key}.pub`, 'utf8');
  await using agent = await startAgent(sshd, [...others, sshd.key]);
  const env = {HOME: sshd.folder, USER: 'root', PATH: process.env.PATH, SSH_AUTH_SOCK: agent.socket};
  const options = optionsFor(sshd, {env});
  // Five keys are too many for this host: the message says what to do about it.
  const many = await refused(t, options, withoutKey(sshd), 'auth');
  t.regex(many.help ?? '', /IdentitiesOnly/, many.message);
  // The key that a file names goes first.
  execFileSync('ssh-keygen', ['-q', '-p', '-f', sshd.key, '-P', '', '-N', 'open sesame']);
  t.is(await runOnce(options, targetFor(sshd), 'echo hi'), '0|hi\n|');
  const config = join(sshd.folder, 'config');
  writeFileSync(config, `IdentityFile ${sshd.key}\nIdentitiesOnly yes\n`);
  t.is(await runOnce(options, withoutKey(sshd, {sshArgs: ['-F', config]}), 'echo hi'), '0|hi\n|');
  writeFileSync(config, `IdentityFile ${others[0]!}\nIdentitiesOnly yes\n`);
  const only = await refused(t, options, withoutKey(sshd, {sshArgs: ['-F', config]}), 'auth');
  t.is(only.message.split(' key ').length - 1, 1, only.message);
  t.truthy(publicKey);
});

test(`an agent that is not there is a note, not the end${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const env = {HOME: sshd.folder, USER: 'root', PATH: process.env.PATH, SSH_AUTH_SOCK: `${sshd.folder}/gone`};
  t.is(await runOnce(optionsFor(sshd, {env}), targetFor(sshd), 'echo hi'), '0|hi\n|');
  const problem = await refused(t, optionsFor(sshd, {env}), withoutKey(sshd), 'auth');
  t.regex(problem.message, /agent at .* could not be asked/);
});

/** A server that keeps a list of what was offered. `judge`: whether an attempt is good; a list = partial, go on with these. */
async function startServer(
  sshd: PrivateSshd,
  accepts: readonly AuthContext['method'][],
  judge: (attempt: AuthContext) => boolean | readonly AuthContext['method'][] | 'wait',
): Promise<{port: number; tried: string[]} & AsyncDisposable> {
  const {Server: ServerClass} = await loadSsh2();
  const tried: string[] = [];
  const clients: ServerSide[] = [];
  const server: Server = new ServerClass({hostKeys: [readFileSync(sshd.hostKey)]}, (client) => {
    clients.push(client);
    client.on('error', () => undefined);
    client.on('authentication', (attempt) => {
      tried.push(attempt.method);
      const verdict = judge(attempt);
      if (verdict === 'wait') return;
      if (verdict === true) attempt.accept();
      else if (verdict === false) attempt.reject([...accepts]);
      else attempt.reject([...verdict], true);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  writeFileSync(sshd.knownHosts, `[127.0.0.1]:${port} ${readFileSync(`${sshd.hostKey}.pub`, 'utf8')}`);
  return {
    port,
    tried,
    async [Symbol.asyncDispose]() {
      clients.forEach((client) => client.end());
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

test(`no probing: the first thing sent is the named key${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  await using server = await startServer(sshd, ['publickey'], (attempt) => attempt.method === 'publickey');
  await using connection = await makeConnector(optionsFor(sshd)).connect(targetFor({...sshd, port: server.port}));
  t.is(server.tried[0], 'publickey');
  t.false(server.tried.includes('none'));
  t.is(connection.login.user, 'root');
});

test(`a password: right, and wrong but sent only once${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  await using server = await startServer(
    sshd,
    ['publickey', 'password', 'keyboard-interactive'],
    (attempt) => attempt.method === 'password' && attempt.password === 'right',
  );
  const with_ = (password: string) => withoutKey({...sshd, port: server.port}, {password: Secret.of(password)});
  await using connection = await makeConnector(optionsFor(sshd)).connect(with_('right'));
  t.is(connection.login.keySha256, undefined);
  server.tried.length = 0;
  const problem = await refused(t, optionsFor(sshd), with_('wrong secret'), 'auth');
  t.deepEqual(server.tried, ['password']);
  t.regex(problem.message, /tried the password; the host accepts publickey, password/);
  t.false(problem.message.includes('wrong secret'));
});

test(`a host that only asks questions gets the password as the answer, but not to other questions${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const heard: string[][] = [];
  let prompts: {prompt: string; echo: boolean}[] = [{prompt: 'Password: ', echo: false}];
  await using server = await startServer(sshd, ['keyboard-interactive'], (attempt) => {
    if (attempt.method !== 'keyboard-interactive') return false;
    attempt.prompt(prompts, (answers) => {
      heard.push([...answers]);
      if (answers[0] === 'right') attempt.accept();
      else attempt.reject(['keyboard-interactive']);
    });
    return 'wait';
  });
  const target = withoutKey({...sshd, port: server.port}, {password: Secret.of('right')});
  await using connection = await makeConnector(optionsFor(sshd)).connect(target);
  t.is(connection.login.user, 'root');
  prompts = [{prompt: 'Verification code: ', echo: false}];
  await refused(t, optionsFor(sshd), target, 'auth');
  t.deepEqual(heard, [['right'], ['']]);
});

test(`key and password, one after the other${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  let keyGood = false;
  await using server = await startServer(sshd, ['publickey'], (attempt) => {
    if (attempt.method === 'publickey' && attempt.signature !== undefined) keyGood = true;
    if (attempt.method === 'publickey') return attempt.signature === undefined ? true : ['password'];
    return keyGood && attempt.method === 'password' && attempt.password === 'right';
  });
  const target = targetFor({...sshd, port: server.port}, {password: Secret.of('right')});
  await using connection = await makeConnector(optionsFor(sshd)).connect(target);
  t.is(connection.login.user, 'root');
  t.is(server.tried.at(-1), 'password');
});

test(`nothing to offer: the message says what would be welcome${whyNot}`, async (t) => {
  await using sshd = await startSshd();
  const problem = await refused(t, optionsFor(sshd), withoutKey(sshd), 'auth');
  t.regex(problem.message, /nothing to offer; the host accepts publickey/);
});
