import test from 'ava';
import {parseNftJson} from '../../src/formats/nft.ts';
import {parseEffective} from '../../src/formats/sshd-config.ts';
import {sha256, type FileState, type Host, type NftState} from '../../src/kit/index.ts';
import module from '../../modules/ssh_restrict.ts';
import {debianHost, doing, mistakes, planned, suseHost, told} from './bound.ts';

const blob = 'AAAAC3NzaC1lZDI1NTE5AAAAIHUZ3zFTSrUzmF+zzo2QGFGyUnsCq9C9HWZzEVNrw3cL';
const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGGGGGFTSrUzmF+zzo2QGFGyUnsCq9C9HWZzEVNrw3cL old@host';
const values = {
  user: 'uvmb',
  keys: [`ssh-ed25519 ${blob} myself@mylap`],
  from: ['192.168.0.5'],
  permit_open: ['localhost:20001'],
};
const line = `restrict,port-forwarding,permitopen="localhost:20001",from="192.168.0.5" ssh-ed25519 ${blob} myself@mylap\n`;
const inode = {mode: 0o644, owner: 'root', group: 'root', uid: 0, gid: 0, sizeBytes: 1, mtimeS: 1};
const file = (text: string, more: object = {}): FileState => ({
  type: 'file',
  ...inode,
  content: Buffer.from(text),
  sha256: sha256(text),
  ...more,
});
const uvmb = {
  type: 'account',
  uid: 1001,
  gid: 1001,
  gecos: '',
  home: '/home/uvmb',
  shell: '/usr/sbin/nologin',
  primaryGroup: 'uvmb',
  groups: [],
};
const folder = {type: 'directory', ...inode};
const absent = {type: 'absent'};
const noNft: NftState = {
  installed: false,
  ruleset: undefined,
  problem: '',
  file: {type: 'absent'},
  unitFile: {type: 'absent'},
  unit: {type: 'none'},
};
const ruleset = parseNftJson('{"nftables": []}');
const emptyNft = {...noNft, installed: true, ruleset: ruleset.ok ? ruleset.value : undefined};

const dropIn = `# Limits of the tunnel account uvmb. Written by tsplay.
Match User uvmb
    AllowTcpForwarding local
    PermitOpen localhost:20001
    AllowStreamLocalForwarding no
    AllowAgentForwarding no
    X11Forwarding no
    GatewayPorts no
    PermitTunnel no
    PermitTTY no
    PermitUserRC no
    ForceCommand /usr/sbin/nologin
    AuthenticationMethods publickey
`;
const printed = `allowtcpforwarding local
permitopen localhost:20001
allowstreamlocalforwarding no
allowagentforwarding no
x11forwarding no
gatewayports no
permittunnel no
permittty no
permituserrc no
forcecommand /usr/sbin/nologin
authenticationmethods publickey
`;
const effective = (text: string, user = 'uvmb') => ({
  user,
  address: '192.168.0.5',
  values: parseEffective(text),
  problem: text,
});
const sshd = (more: object = {}) => ({installed: true, stale: [], files: [], effective: [effective(printed)], ...more});
const keysAt = (text: string | undefined, more: object = {}) => ({
  path: '/home/uvmb/.ssh/authorized_keys',
  home: '/home/uvmb',
  homeState: folder,
  folder: text === undefined ? absent : folder,
  file: text === undefined ? absent : file(text, {owner: 'uvmb', group: 'uvmb', mode: 0o600}),
  ...more,
});
const state = (more: object = {}) => ({
  account: uvmb,
  except: [],
  keys: keysAt(line),
  dropIn: file(dropIn),
  main: file('Include /etc/ssh/sshd_config.d/*.conf\nPort 22\n'),
  sshd: sshd(),
  nft: undefined,
  ...more,
});
const deny = {...values, deny_others: true, except: ['root']};
const root = {...uvmb, uid: 0};

const cases: [string, Record<string, unknown>, unknown, string[] | RegExp, Host?][] = [
  ['all as declared', values, state(), ['converged']],
  ['no account', values, state({account: absent}), ['refuse account-missing']],
  ['no sshd', values, state({sshd: sshd({installed: false})}), ['refuse no-sshd']],
  [
    'the account of this connection',
    values,
    state(),
    ['refuse lockout'],
    {...debianHost, connection: {user: 'uvmb', from: '192.0.2.9'}},
  ],
  [
    '… allowed',
    {...values, allow_lockout: true},
    state(),
    ['converged'],
    {...debianHost, connection: {user: 'uvmb', from: '192.0.2.9'}},
  ],
  ['no Include', values, state({main: file('Port 22\n')}), ['refuse sshd-no-include']],
  [
    'Include only in a Match block',
    values,
    state({main: file('Match User x\nInclude /etc/ssh/sshd_config.d/*.conf\n')}),
    ['refuse sshd-include-in-match'],
  ],
  ['unreadable main file', values, state({main: {type: 'file', ...inode, denied: true}}), ['refuse unreadable']],
  ['home missing', values, state({keys: keysAt(undefined, {homeState: absent})}), ['refuse no-home']],
  [
    'key missing',
    values,
    state({keys: keysAt(`# mine\n${other}\n`)}),
    /authorized_keys: # mine\nssh-ed25519 .* -> # mine\nssh-ed25519 .*\nrestrict,port-forwarding/s,
  ],
  [
    'key without restrict',
    values,
    state({keys: keysAt(`ssh-ed25519 ${blob} myself@mylap\n`)}),
    /-> restrict,port-forwarding,permitopen="localhost:20001",from="192.168.0.5"/,
  ],
  ['a foreign key stays', values, state({keys: keysAt(`${other}\n${line}`)}), ['converged']],
  [
    'a foreign key goes with exclusive',
    {...values, exclusive: true},
    state({keys: keysAt(`${other}\n${line}`)}),
    /old@host.* -> restrict/s,
  ],
  [
    'a narrower option of an existing line stays',
    {...values, from: undefined},
    state({
      keys: keysAt(line.replace('restrict', 'restrict,expiry-time="20300101"')),
      sshd: sshd({effective: [effective(printed)]}),
    }),
    ['converged'],
  ],
  [
    'daemon overridden by an earlier Match',
    values,
    state({
      sshd: sshd({
        effective: [effective(printed.replace('permittty no', 'permittty yes'))],
        files: [{path: '/etc/ssh/sshd_config.d/10-a.conf', text: 'Match User uv*\nPermitTTY yes\n'}],
      }),
    }),
    ['refuse sshd-overridden'],
  ],
  [
    'daemon has not read the file',
    values,
    state({sshd: sshd({stale: ['/x.conf']})}),
    ['sshd: started before /x.conf changed -> reloaded'],
  ],
  [
    'sshd cannot read its files',
    values,
    state({sshd: sshd({effective: [{...effective('bad line'), values: undefined}]})}),
    ['refuse sshd-broken'],
  ],
  [
    'drop-in changed by hand',
    values,
    state({dropIn: file(dropIn.replace('20001', '20002'))}),
    /50-tsplay-uvmb.conf: .*20002.* -> .*20001/s,
  ],
  ['deny_others without nft', deny, state({except: [root], nft: noNft}), ['refuse no-nft']],
  [
    'deny_others: an excepted account is missing',
    deny,
    state({except: [absent], nft: emptyNft}),
    ['refuse account-missing'],
  ],
  [
    'deny_others on a host without systemd',
    deny,
    state({except: [root], nft: emptyNft}),
    /table inet tsplay_ssh_uvmb: absent -> only uvmb, root may connect to localhost:20001/,
  ],
  ['absent, nothing there', {user: 'uvmb', state: 'absent'}, state({dropIn: absent, nft: noNft}), ['converged']],
  [
    'absent, no account',
    {user: 'uvmb', state: 'absent'},
    state({account: absent, keys: {...keysAt(undefined), path: undefined}, dropIn: absent, nft: noNft}),
    ['converged'],
  ],
  [
    'absent, all there',
    {...values, state: 'absent'},
    state({nft: noNft}),
    /authorized_keys: restrict.*-> \(empty\).*50-tsplay-uvmb.conf: .* -> absent/s,
  ],
];

for (const [title, given, now, expected, host] of cases)
  test(title, (t) => {
    const lines = told(planned(module, given, now, host ?? debianHost));
    if (Array.isArray(expected)) t.deepEqual(lines, expected);
    else t.regex(lines.join('\n'), expected);
  });

test('the command that stands for a shell follows the platform', (t) => {
  const plan = planned(module, values, state({dropIn: absent}), suseHost);
  t.regex(told(plan).join('\n'), /ForceCommand \/sbin\/nologin/);
});

test('the daemon is asked before it is told, behind a guard', (t) => {
  const plan = planned(module, values, state({dropIn: absent}));
  t.is(plan.kind === 'change' && plan.ops.at(-1)?.op, 'guarded');
  const [write, proof, reload] = doing(plan);
  t.is(write, 'write /etc/ssh/sshd_config.d/50-tsplay-uvmb.conf');
  t.regex(proof ?? '', /sshd -T -C/);
  t.regex(reload ?? '', /systemctl reload/);
  const off = planned(module, {...values, guard: 'off'}, state({dropIn: absent}));
  t.true(off.kind === 'change' && off.ops.every((op) => op.op !== 'guarded'));
});

test('keys of another account alone need no guard', (t) => {
  const plan = planned(module, values, state({keys: keysAt('')}));
  t.deepEqual(doing(plan), ['write /home/uvmb/.ssh/authorized_keys']);
});

test('findings: login shell, unrestricted keys', (t) => {
  const plan = planned(
    module,
    values,
    state({account: {...uvmb, shell: '/bin/bash'}, keys: keysAt(`${other}\n${line}`)}),
  );
  t.deepEqual(
    plan.findings?.map((one) => `${one.severity ?? 'error'} ${one.code}`),
    ['error tunnel-login-shell', 'warning unrestricted-key'],
  );
});

const wrong: [string, Record<string, unknown>, string[]][] = [
  ['no targets', {...values, permit_open: undefined}, ['missing-param /permit_open']],
  ['no port', {...values, permit_open: ['localhost']}, ['bad-target /permit_open/0']],
  ['a name cannot be denied', {...deny, permit_open: ['vmhost.lan:22']}, ['bad-target /permit_open/0']],
  ['no key', {...values, keys: ['hello']}, ['bad-key /keys/0']],
  ['options on the key', {...values, keys: [line.trim()]}, ['key-options /keys/0']],
  ['exclusive without keys', {user: 'a', permit_open: [], exclusive: true}, ['bad-combination /exclusive']],
  ['deny nothing', {user: 'a', permit_open: [], deny_others: true}, ['bad-combination /deny_others']],
  ['fine', {...deny, permit_open: ['[::1]:20001', '127.0.0.1:1', '10.0.0.1:80']}, []],
];
for (const [title, given, expected] of wrong)
  test(`check: ${title}`, (t) => t.deepEqual(mistakes(module, given), expected));
