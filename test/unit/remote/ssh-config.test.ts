import {spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import anyTest from 'ava';
import {Unreachable} from '../../../src/remote/errors.ts';
import {expandTokens, parseHostSettings, parseJump} from '../../../src/remote/host-settings.ts';
import {SshConfig} from '../../../src/remote/ssh-config.ts';

const hasSsh = spawnSync('ssh', ['-V']).error === undefined;
const real = hasSsh ? anyTest : anyTest.skip;

const env = {HOME: '/home/me', USER: 'me', PATH: process.env.PATH, SSH_AUTH_SOCK: '/run/agent'};

anyTest('what ssh -G prints, understood', (t) => {
  const output = [
    'user admin',
    'hostname kvm1.lab',
    'port 2222',
    'identitiesonly yes',
    'identityfile ~/.ssh/id_a',
    'identityfile "%d/keys/%h-%r"',
    'stricthostkeychecking true',
    'hashknownhosts yes',
    'userknownhostsfile /home/me/.ssh/known_hosts /home/me/.ssh/known_hosts2',
    'globalknownhostsfile /etc/ssh/ssh_known_hosts',
    'proxyjump first,me@second:23',
    'addressfamily inet6',
    'hostkeyalias kvm',
  ].join('\n');
  const settings = parseHostSettings(output, env);
  t.like(settings, {
    user: 'admin',
    hostname: 'kvm1.lab',
    port: 2222,
    identitiesOnly: true,
    strictHostKeyChecking: true,
    hashKnownHosts: true,
    addressFamily: 6,
    hostKeyAlias: 'kvm',
    agentSocket: '/run/agent',
    proxyCommand: undefined,
  });
  t.deepEqual(settings.identityFiles, ['/home/me/.ssh/id_a', '/home/me/keys/kvm1.lab-admin']);
  t.deepEqual(settings.jumps, ['first', 'me@second:23']);
  t.deepEqual(settings.knownHostsFiles, ['/home/me/.ssh/known_hosts', '/home/me/.ssh/known_hosts2']);
});

anyTest('agents', (t) => {
  const socketOf = (line: string): string | undefined => parseHostSettings(line, {...env, OTHER: '/o'}).agentSocket;
  t.is(socketOf(''), '/run/agent');
  t.is(socketOf('identityagent SSH_AUTH_SOCK'), '/run/agent');
  t.is(socketOf('identityagent none'), undefined);
  t.is(socketOf('identityagent ~/agent'), '/home/me/agent');
  t.is(socketOf('identityagent $OTHER'), '/o');
  t.is(parseHostSettings('', {HOME: '/h'}).agentSocket, undefined);
});

const jumps: readonly [string, unknown][] = [
  ['host', {host: 'host'}],
  ['me@host:23', {user: 'me', host: 'host', port: 23}],
  ['ssh://me@host:23', {user: 'me', host: 'host', port: 23}],
  ['[fe80::1]:22', {host: 'fe80::1', port: 22}],
  ['a b:c:d', undefined],
];
for (const [text, expected] of jumps) anyTest(`jump: ${text}`, (t) => t.deepEqual(parseJump(text), expected as never));

anyTest('tokens', (t) => {
  const about = {hostname: 'h', user: 'r', port: 1, env, original: 'n'};
  t.is(expandTokens('~/%h %n %p %r %u %d %% %z ${USER}', about), '/home/me/h n 1 r me /home/me % %z me');
});

for (const address of ['-oProxyCommand=id', '', 'a b', '-']) {
  anyTest(`no host: ${JSON.stringify(address)}`, async (t) => {
    await t.throwsAsync(new SshConfig(env).settings({address, sshArgs: ['-F', 'none']}), {instanceOf: Unreachable});
  });
}
anyTest('no user: -lroot', async (t) => {
  const question = {address: 'host', user: '-lroot', sshArgs: ['-F', 'none']};
  await t.throwsAsync(new SshConfig(env).settings(question), {instanceOf: Unreachable});
});

anyTest('without an ssh program: its defaults and what the arguments say', async (t) => {
  const config = new SshConfig({HOME: '/home/me', USER: 'me', PATH: '/nowhere'}, 'no-such-ssh-program');
  const settings = await config.settings({
    address: 'box',
    sshArgs: ['-o', 'HostKeyAlias=other', '-J', 'hop', '-i', '~/k', '-oIdentitiesOnly yes'],
  });
  t.like(settings, {hostname: 'box', port: 22, user: 'me', hostKeyAlias: 'other', identitiesOnly: true});
  t.deepEqual(settings.jumps, ['hop']);
  t.deepEqual(settings.identityFiles, ['/home/me/k']);
  const plain = await config.settings({address: 'box', port: 2222, user: 'you', sshArgs: []});
  t.like(plain, {port: 2222, user: 'you'});
  t.true(plain.identityFiles.includes('/home/me/.ssh/id_ed25519'));
  t.deepEqual(plain.knownHostsFiles[0], '/home/me/.ssh/known_hosts');
});

function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tsplay-sc-'));
  return use(folder).finally(() => rmSync(folder, {recursive: true}));
}

real('one call serves all hosts where the configuration makes no difference between them', (t) =>
  inFolder(async (folder) => {
    const file = join(folder, 'config');
    writeFileSync(file, 'User someone\nHost *\n Port 2200\nMatch all\n HashKnownHosts yes\n');
    const config = new SshConfig(env);
    const all = await Promise.all(
      Array.from({length: 20}, (_, i) => config.settings({address: `kvm${i}`, sshArgs: ['-F', file]})),
    );
    t.is(config.calls, 1);
    t.deepEqual(
      all.map(({hostname, port, user}) => [hostname, port, user]),
      Array.from({length: 20}, (_, i) => [`kvm${i}`, 2200, 'someone']),
    );
  }),
);

real('hosts that differ are asked for one by one, and once', (t) =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, '.ssh'));
    const file = join(folder, 'config');
    writeFileSync(file, 'Include part*\n');
    writeFileSync(join(folder, '.ssh/part1'), 'Host kvm1\n Port 2201\n HostName 10.0.0.1\nHost kvm2\n User root\n');
    const included = file.replace(/config$/, '.ssh/part1');
    writeFileSync(file, `Include ${included}\n`);
    const config = new SshConfig({...env, HOME: folder});
    const ask = (address: string): Promise<{hostname: string; port: number; user: string}> =>
      config.settings({address, sshArgs: ['-F', file]});
    t.like(await ask('kvm1'), {hostname: '10.0.0.1', port: 2201});
    t.like(await ask('kvm2'), {hostname: 'kvm2', port: 22, user: 'root'});
    t.like(await ask('kvm1'), {port: 2201});
    t.is(config.calls, 2);
    // A changed file is read again.
    writeFileSync(included, 'Host kvm1\n Port 2299\n');
    utimesSync(included, new Date(), new Date(Date.now() + 5000));
    t.like(await ask('kvm1'), {hostname: 'kvm1', port: 2299});
  }),
);

real('a configuration that ssh refuses is said in its words', (t) =>
  inFolder(async (folder) => {
    const file = join(folder, 'config');
    writeFileSync(file, 'NoSuchOption yes\n');
    const problem = await t.throwsAsync(new SshConfig(env).settings({address: 'kvm1', sshArgs: ['-F', file]}), {
      instanceOf: Unreachable,
    });
    t.regex(problem.message, /nosuchoption/i);
  }),
);
