import test from 'ava';
import fc from 'fast-check';
import module from '../../modules/firewall_rule.ts';
import {parseNftJson, sameFilters, type FilterRule, type NftRule} from '../../src/formats/nft.ts';
import type {NftState} from '../../src/kit/index.ts';
import {absent, debianHost, doing, mistakes, planned, told} from './bound.ts';

const chain = (name: string, hook: string, more: object = {}) => ({
  chain: {family: 'inet', table: 'tsplay', name, hook, policy: 'accept', ...more},
});
const ranks = ['first', 'second', 'third', 'last'];
const jump = (hook: string, target: string) => ({
  rule: {family: 'inet', table: 'tsplay', chain: hook, handle: 1, expr: [{jump: {target}}]},
});
const hooks = ['input', 'output'].flatMap((hook) => [
  chain(hook, hook),
  ...ranks.flatMap((rank) => [
    {chain: {family: 'inet', table: 'tsplay', name: `${hook}_${rank}`}},
    jump(hook, `${hook}_${rank}`),
  ]),
]);
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
const off = {running: false, zone: '', items: [], problem: ''};
const items = (...list: [item: string, now: boolean, boot: boolean, shared?: boolean][]) => ({
  firewalld: {
    running: true,
    zone: 'public',
    problem: '',
    items: list.map(([item, now, boot, shared = false]) => ({zone: 'public', item, now, boot, shared})),
  },
});
const inWords =
  'rich-rule=rule priority="-200" family="ipv4" source address="10.77.0.0/16" port port="20002" protocol="tcp" accept';
const dropWords = 'rich-rule=rule priority="-100" port port="20002" protocol="tcp" drop';
const state = (more: object = {}) => ({
  nft: nft([]),
  base: absent,
  firewalld: off,
  record: absent,
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
    /nftables rule in-tcp-20002-accept: there, but packets do not pass it ->/,
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
    {port: 20001, except: ['root'], action: 'reject'},
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
    state(items(['port=20002/tcp', true, false])),
    [
      'firewalld zone public (at boot): absent -> 20002/tcp',
      '/etc/tsplay-firewalld.d/in-tcp-20002-accept: absent -> public port=20002/tcp\n',
    ],
  ],
  [
    'firewalld as declared',
    {port: 20002, action: 'accept'},
    state(items(['port=20002/tcp', true, true])),
    ['converged'],
  ],
  [
    'firewalld absent',
    {port: 20002, action: 'accept', state: 'absent'},
    state(items(['port=20002/tcp', true, false])),
    ['firewalld zone public: 20002/tcp -> absent'],
  ],
  [
    'firewalld with a source: all others are refused before anything else in the zone',
    values,
    state(items([inWords, false, true], [dropWords, false, true])),
    /^firewalld zone public: absent -> rule priority="-200" .* accept\n.*: absent -> rule priority="-100" .* drop\n.*: absent -> public rich-rule=/,
  ],
  [
    'firewalld: what an earlier run declared goes',
    {...values, others: 'leave'},
    state({
      ...items([inWords.replace(' priority="-200"', ''), true, true], [inWords, true, true], [dropWords, true, false]),
      record: file(`public ${inWords}\npublic ${dropWords}\n`),
    }),
    /^firewalld zone public: rule priority="-200".* -> absent\nf.*\(at boot\): .*-200.* -> absent\nf.*: rule priority="-100".* -> absent\n.*tsplay-firewalld/,
  ],
  [
    'firewalld: unless another rule needs it too',
    {name: 'in-tcp-20002-accept', state: 'absent'},
    state({
      ...items([inWords, true, true], [dropWords, true, true, true]),
      record: file(`public ${inWords}\npublic ${dropWords}\n`),
    }),
    /^f.*-200.* -> absent\nf.*-200.* -> absent\n\/etc\/tsplay-firewalld.d[^]* -> absent$/,
  ],
  [
    'firewalld: the rule from before it ran',
    {port: 20002, action: 'accept'},
    state({...items(['port=20002/tcp', true, true]), nft: nft(live, {file: file(stored) as never})}),
    /^nftables rule in-tcp-20002-accept \(at boot\): [^]*\nnftables rule in-tcp-20002-accept: loaded -> absent$/,
  ],
  [
    'firewalld answers with an error',
    {port: 20002, action: 'accept', zone: 'nozone'},
    state({firewalld: {running: true, zone: 'nozone', items: [], problem: 'Error: INVALID_ZONE: nozone'}}),
    ['refuse firewalld-refuses'],
  ],
  ['firewalld knows no interface', {port: 1, interface: 'eth0', action: 'drop'}, state(items()), ['refuse needs-zone']],
  [
    'firewalld knows no owners: nftables',
    {port: 20001, owner: ['x'], action: 'drop'},
    state({owners: [account(7)], ...items()}),
    /-> meta skuid 7 tcp dport 20001 drop/,
  ],
  ['by name alone', {name: 'in-tcp-20002-accept', state: 'absent'}, settled(), /loaded -> absent$/],
  ['ports', {port: [20002, '1-3', 4, 20001], action: 'drop'}, state(), /-> tcp dport \{ 1-4, 20001-20002 \} drop$/],
  [
    'some before all',
    {port: 1, source: '10.0.0.1', action: 'drop'},
    state(),
    /add rule inet tsplay input_second ip saddr/,
  ],
  ['all, accepted', {port: 1, action: 'accept'}, state(), /add rule inet tsplay input_third tcp/],
  ['a uid for an owner', {port: 1, owner: ['4711'], action: 'drop'}, state({owners: [absent]}), /meta skuid 4711/],
  ['lockout: among several ports', {port: [80, 22], action: 'drop'}, state(), ['refuse lockout']],
  [
    'lockout: others than those of an interface',
    {port: 22, interface: 'eth1', action: 'accept'},
    state(),
    ['refuse lockout'],
  ],
  ['no lockout: loopback only', {port: 22, interface: 'lo', action: 'drop'}, state(), /-> iifname "lo"/],
  ['lockout: replies', {destination: ['192.0.2.0/24'], direction: 'out', action: 'drop'}, state(), ['refuse lockout']],
  ['lockout: replies by port', {port: '1024-65535', direction: 'out', action: 'drop'}, state(), ['refuse lockout']],
  [
    'lockout: replies, for owners',
    {destination: ['192.0.2.0/24'], owner: ['root'], action: 'drop'},
    state({owners: [account(0)]}),
    ['refuse lockout'],
  ],
  [
    'no lockout: sshd’s end is root’s',
    {destination: ['192.0.2.0/24'], except: ['root'], action: 'drop'},
    state({owners: [account(0)]}),
    /-> meta skuid != 0/,
  ],
  ['no lockout: udp', {port: 22, proto: 'udp', action: 'drop'}, state(), /-> udp dport 22 drop/],
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
    ports: [[1, 9]],
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
  t.false(sameFilters(rows, [{...rule, ports: [[1, 1]]}]));
});

test('nft merges what overlaps or touches in a set: the same rule', (t) => {
  // As nft 1.0.6 lists `ip saddr { 10.0.0.0/8, 10.1.0.0/16, 192.168.0.1, 192.168.0.2 } tcp dport { 5000-5010, 5011-5020 }`.
  const set = {
    match: {
      op: '==',
      left: {payload: {protocol: 'ip', field: 'saddr'}},
      right: {set: [{prefix: {addr: '10.0.0.0', len: 8}}, {range: ['192.168.0.1', '192.168.0.2']}]},
    },
  };
  const range = {
    match: {op: '==', left: {payload: {protocol: 'tcp', field: 'dport'}}, right: {set: [{range: [5000, 5020]}]}},
  };
  const rows = [listed('input_first', 'c', set, range, {accept: null}).rule as unknown as NftRule];
  const rule: FilterRule = {
    chain: 'input_first',
    comment: 'c',
    protocol: 'tcp',
    ports: [
      [5000, 5010],
      [5011, 5020],
    ],
    sources: ['192.168.0.2', '10.0.0.0/8', '10.1.0.0/16', '192.168.0.1'],
    action: 'accept',
  };
  t.true(sameFilters(rows, [rule]));
  t.false(sameFilters(rows, [{...rule, sources: ['192.168.0.2', '10.0.0.0/8', '192.168.0.3']}]));
  t.false(sameFilters(rows, [{...rule, ports: [[5000, 5019]]}]));
});

test('a rule alone is loaded without the others, and reads of the others stay true', (t) => {
  const plan = planned(module, {...values, source: ['10.78.0.0/16'], guard: 'off'}, settled());
  const run = plan.kind === 'change' ? plan.ops.find((op) => op.op === 'run') : undefined;
  t.deepEqual(run?.op === 'run' ? run.affects : undefined, ['firewall:nft/50-in-tcp-20002-accept']);
  const first = planned(module, {...values, guard: 'off'}, state());
  const all = first.kind === 'change' ? first.ops.find((op) => op.op === 'run') : undefined;
  t.true(all?.op === 'run' && all.affects?.includes('firewall:nft'));
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
  ['no port', {port: 70000, action: 'drop'}, ['bad-port /port/0']],
  ['a range backwards', {port: '9-1', action: 'drop'}, ['bad-port /port/0']],
  ['a name for an address', {port: 1, source: ['lan'], action: 'drop'}, ['bad-address /source/0']],
  ['a long prefix', {port: 1, source: ['10.0.0.0/33'], action: 'drop'}, ['bad-address /source/0']],
  ['nobody', {port: 1, source: [], action: 'drop'}, ['empty-list /source']],
  ['incoming with an owner', {port: 1, owner: ['x'], direction: 'in', action: 'drop'}, ['bad-combination /direction']],
  ['everything', {action: 'drop'}, ['missing-param /port']],
  ['no action', {port: 1}, ['missing-param /action']],
  ['no ports', {port: [], action: 'drop'}, ['empty-list /port']],
  ['both owners', {port: 1, owner: ['x'], except: ['y'], action: 'drop'}, ['bad-combination /except']],
  ['nothing but a name, to be gone', {name: 'x', state: 'absent'}, []],
  [
    'two versions',
    {port: 1, source: ['::1'], destination: ['1.1.1.1'], action: 'drop'},
    ['bad-combination /destination'],
  ],
  ['fine', {...values, source: 'fd00::/8'}, []],
];
for (const [title, given, expected] of wrong)
  test(`check: ${title}`, (t) => t.deepEqual(mistakes(module, given), expected));
