import test from 'ava';
import fc from 'fast-check';
import module from '../../modules/firewall_rule.ts';
import {parseNftJson, sameFilters, type FilterRule, type NftRule} from '../../src/formats/nft.ts';
import type {NftState} from '../../src/kit/index.ts';
import {absent, debianHost, doing, mistakes, planned, told} from './bound.ts';

const chain = (name: string, hook: string, more: object = {}) => ({
  chain: {family: 'inet', table: 'tsplay', name, hook, policy: 'accept', ...more},
});
const hooks = [chain('input', 'input'), chain('output', 'output')];
// As nft 1.0.6 prints them.
const port = (number: number) => ({
  match: {op: '==', left: {payload: {protocol: 'tcp', field: 'dport'}}, right: number},
});
const listed = (chainName: string, comment: string, ...expr: unknown[]) => ({
  rule: {family: 'inet', table: 'tsplay', chain: chainName, handle: 1, comment, expr},
});
const from = {
  match: {op: '==', left: {payload: {protocol: 'ip', field: 'saddr'}}, right: {prefix: {addr: '10.77.0.0', len: 16}}},
};
const notLo = {match: {op: '!=', left: {meta: {key: 'iifname'}}, right: 'lo'}};
const live = [
  ...hooks,
  listed('input_first', 'tsplay: in-tcp-20002-accept', from, port(20002), {accept: null}),
  listed('input_last', 'tsplay: in-tcp-20002-accept', notLo, port(20002), {drop: null}),
];
const nft = (items: unknown[] | undefined, more: Partial<NftState> = {}): NftState => {
  const parsed = parseNftJson(JSON.stringify({nftables: items ?? []}));
  return {
    installed: items !== undefined,
    ruleset: items !== undefined && parsed.ok ? parsed.value : undefined,
    problem: '',
    file: absent,
    unitFile: absent,
    unit: {type: 'none'},
    ...more,
  };
};
const off = {running: false, zone: '', answers: []};
const state = (more: object = {}) => ({
  nft: nft([]),
  base: absent,
  firewalld: off,
  owners: [],
  sshPorts: [22],
  ...more,
});
const account = (uid: number) => ({
  type: 'account',
  uid,
  gid: uid,
  gecos: '',
  home: '/',
  shell: '',
  primaryGroup: 'x',
  groups: [],
});
const values = {port: 20002, source: ['10.77.0.0/16'], action: 'accept'};
const file = (text: string) => ({
  type: 'file',
  content: Buffer.from(text),
  mode: 0o644,
  owner: 'root',
  group: 'root',
  uid: 0,
  gid: 0,
  sizeBytes: 1,
  mtimeS: 1,
});
const stored = `add rule inet tsplay input_first ip saddr 10.77.0.0/16 tcp dport 20002 accept comment "tsplay: in-tcp-20002-accept"
add rule inet tsplay input_last iifname != "lo" tcp dport 20002 drop comment "tsplay: in-tcp-20002-accept"
`;
const base = (() => {
  const plan = planned(module, values, state());
  const ops = plan.kind === 'change' ? plan.ops.flatMap((op) => (op.op === 'guarded' ? op.ops : [op])) : [];
  const write = ops.find((op) => op.op === 'write' && op.path.endsWith('00-firewall.nft'));
  return write?.op === 'write' ? (write.content as string) : '';
})();
const settled = (more: object = {}) =>
  state({nft: nft(live, {file: file(stored) as never}), base: file(base), ...more});

const cases: [string, Record<string, unknown>, unknown, string[] | RegExp][] = [
  [
    'new',
    values,
    state(),
    /in-tcp-20002-accept \(at boot\): absent -> add rule[^]*00-firewall.nft: absent -> [^]*nftables rule in-tcp-20002-accept: absent -> ip saddr/,
  ],
  ['as declared', values, settled(), ['converged']],
  [
    'live rule gone',
    values,
    settled({nft: nft(hooks, {file: file(stored) as never})}),
    [
      'nftables rule in-tcp-20002-accept: absent -> ip saddr 10.77.0.0/16 tcp dport 20002 accept\niifname != "lo" tcp dport 20002 drop',
    ],
  ],
  [
    'chains unhooked',
    values,
    settled({nft: nft(live.slice(1), {file: file(stored) as never})}),
    /nftables rule in-tcp-20002-accept: absent ->/,
  ],
  [
    'file gone',
    values,
    settled({nft: nft(live)}),
    /^nftables rule in-tcp-20002-accept \(at boot\): absent -> add rule[^]*20002 drop comment "tsplay: in-tcp-20002-accept"\n$/,
  ],
  ['another source', {...values, source: ['10.78.0.0/16']}, settled(), /10\.77[^]*-> [^]*10\.78/],
  ['no firewall at all', values, state({nft: nft(undefined)}), ['refuse no-firewall']],
  [
    'not root',
    values,
    state({nft: {...nft([]), ruleset: undefined, problem: 'Operation not permitted'}}),
    ['refuse no-firewall'],
  ],
  ['owner missing', {port: 1, owner: ['x'], action: 'reject'}, state({owners: [absent]}), ['refuse account-missing']],
  [
    'owner',
    {port: 20001, except_owner: ['root'], action: 'reject'},
    state({owners: [account(0)], base: file(base)}),
    /-> meta skuid != 0 tcp dport 20001 reject with tcp reset$/,
  ],
  [
    'absent',
    {...values, state: 'absent'},
    settled(),
    /\(at boot\): add rule[^]*-> absent\nnftables rule in-tcp-20002-accept: [^]* -> absent$/,
  ],
  ['absent already', {...values, state: 'absent'}, state(), ['converged']],
  ['absent without any firewall', {...values, state: 'absent'}, state({nft: nft(undefined)}), ['converged']],
  ['lockout: ssh for others only', {port: 22, source: ['10.0.0.0/8'], action: 'accept'}, state(), ['refuse lockout']],
  ['lockout: in a range', {port: '1-1024', action: 'drop'}, state(), ['refuse lockout']],
  ['lockout: on another port', {port: 2222, action: 'drop'}, state({sshPorts: [2222]}), ['refuse lockout']],
  ['no lockout: our address is in', {port: 22, source: ['192.0.2.0/24'], action: 'accept'}, state(), /-> ip saddr/],
  [
    'no lockout: somebody else is dropped',
    {port: 22, source: ['198.51.100.7'], action: 'drop'},
    state(),
    /-> ip saddr/,
  ],
  ['lockout allowed', {port: 22, action: 'drop', allow_lockout: true}, state(), /-> tcp dport 22 drop/],
  [
    'firewalld',
    {port: 20002, action: 'accept'},
    state({firewalld: {running: true, zone: 'public', answers: [{now: true, boot: false}]}}),
    ['firewalld zone public (at boot): absent -> 20002/tcp'],
  ],
  [
    'firewalld as declared',
    {port: 20002, action: 'accept'},
    state({firewalld: {running: true, zone: 'public', answers: [{now: true, boot: true}]}}),
    ['converged'],
  ],
  [
    'firewalld absent',
    {port: 20002, action: 'accept', state: 'absent'},
    state({firewalld: {running: true, zone: 'public', answers: [{now: true, boot: false}]}}),
    ['firewalld zone public: 20002/tcp -> absent'],
  ],
  [
    'firewalld with a source',
    values,
    state({firewalld: {running: true, zone: 'public', answers: [{now: false, boot: true}]}}),
    [
      'firewalld zone public: absent -> rule family="ipv4" source address="10.77.0.0/16" port port="20002" protocol="tcp" accept',
    ],
  ],
  [
    'firewalld knows no interface',
    {port: 1, interface: 'eth0', action: 'drop'},
    state({firewalld: {running: true, zone: 'public', answers: []}}),
    ['refuse needs-zone'],
  ],
  [
    'firewalld knows no owners: nftables',
    {port: 20001, owner: ['x'], action: 'drop'},
    state({owners: [account(7)], firewalld: {running: true, zone: 'public', answers: []}}),
    /-> meta skuid 7 tcp dport 20001 drop/,
  ],
];
for (const [title, given, now, expected] of cases)
  test(title, (t) => {
    const lines = told(planned(module, given, now));
    if (Array.isArray(expected)) t.deepEqual(lines, expected);
    else t.regex(lines.join('\n'), expected);
  });

test('behind a guard, unless it is switched off', (t) => {
  const plan = planned(module, values, state());
  t.is(plan.kind === 'change' ? plan.ops[0].op : '', 'guarded');
  const unguarded = planned(module, {...values, guard: 'off'}, state());
  t.false(unguarded.kind === 'change' && unguarded.ops.some((op) => op.op === 'guarded'));
  t.regex(doing(plan).at(-1) ?? '', /nft -f -/);
});

test('another table that drops is a finding', (t) => {
  const plan = planned(
    module,
    values,
    state({nft: nft([{chain: {family: 'inet', table: 'filter', name: 'input', hook: 'input', policy: 'drop'}}])}),
  );
  t.true(plan.findings?.some((one) => one.code === 'other-firewall'));
});

test('rules listed are compared whatever their order and spelling of addresses', (t) => {
  const rule: FilterRule = {
    chain: 'input_first',
    comment: 'c',
    protocol: 'tcp',
    ports: [1, 9],
    sources: ['10.0.0.1/8', '10.1.0.0/32', 'fd00:0:0::1'],
    action: 'reject',
  };
  const source = (protocol: string, right: unknown) => ({
    match: {op: '==', left: {payload: {protocol, field: 'saddr'}}, right},
  });
  const range = {match: {op: '==', left: {payload: {protocol: 'tcp', field: 'dport'}}, right: {range: [1, 9]}}};
  const reject = {reject: {type: 'tcp reset'}};
  const rows = [
    listed('input_first', 'c', source('ip6', 'fd00::1'), range, reject),
    listed(
      'input_first',
      'c',
      source('ip', {set: ['10.1.0.0', {prefix: {addr: '10.0.0.0', len: 8}}]}),
      range,
      {counter: {packets: 1}},
      reject,
    ),
  ].map((one) => one.rule) as unknown as NftRule[];
  t.true(sameFilters(rows, [rule]));
  t.false(sameFilters(rows.slice(1), [rule]));
  t.false(sameFilters(rows, [{...rule, ports: [1]}]));
});

test('whatever the address, a rule that lets it alone in never locks it out', (t) => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({min: 0, max: 32}), (address, bits) => {
      const host = {...debianHost, connection: {user: 'a', from: address}};
      const plan = planned(module, {port: 22, source: [`${address}/${bits}`], action: 'accept'}, state(), host);
      return plan.kind === 'change';
    }),
  );
  t.pass();
});

const wrong: [string, Record<string, unknown>, string[]][] = [
  ['no port', {port: 70000, action: 'drop'}, ['bad-port /port']],
  ['a range backwards', {port: '9-1', action: 'drop'}, ['bad-port /port']],
  ['a name for an address', {port: 1, source: ['lan'], action: 'drop'}, ['bad-address /source/0']],
  ['a long prefix', {port: 1, source: ['10.0.0.0/33'], action: 'drop'}, ['bad-address /source/0']],
  ['nobody', {port: 1, source: [], action: 'drop'}, ['empty-list /source']],
  ['incoming with an owner', {port: 1, owner: ['x'], direction: 'in', action: 'drop'}, ['bad-combination /direction']],
  ['everything', {action: 'drop'}, ['missing-param /port']],
  [
    'two versions',
    {port: 1, source: ['::1'], destination: ['1.1.1.1'], action: 'drop'},
    ['bad-combination /destination'],
  ],
  ['fine', {...values, source: 'fd00::/8'}, []],
];
for (const [title, given, expected] of wrong)
  test(`check: ${title}`, (t) => t.deepEqual(mistakes(module, given), expected));
