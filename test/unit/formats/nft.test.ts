import test from 'ava';
import {
  parseNftJson,
  renderRule,
  renderTable,
  renderTableEdit,
  rulesOfTable,
  sameRule,
  sameTable,
} from '../../../src/formats/nft.ts';
import type {FirewallRule, NftRuleset} from '../../../src/formats/nft.ts';
// What `nft -j list ruleset` (1.0.6) printed after loading renderTable('tsplay', rules).
import listed from './nft-ruleset.json' with {type: 'json'};

const rules: readonly FirewallRule[] = [
  {kind: 'input', comment: 'all', protocol: 'tcp', port: 20002, action: 'accept'},
  {
    kind: 'input',
    comment: 'some',
    protocol: 'tcp',
    port: 20002,
    sources: ['192.168.0.5', '10.0.0.0/8', 'fd00::/8'],
    action: 'accept',
  },
  {kind: 'input', comment: 'udp', protocol: 'udp', port: 53, sources: ['192.168.0.5/32'], action: 'reject'},
  {kind: 'input', comment: 'rest', protocol: 'tcp', port: 20002, action: 'drop'},
  {kind: 'input', comment: 'rej', protocol: 'tcp', port: 99, action: 'reject'},
  {kind: 'owner', comment: 'tunnel', port: 20001, refused: {except: [64055, 0]}, destinations: 'loopback'},
  {kind: 'owner', comment: 'one', port: 20001, refused: {except: [0]}, destinations: ['127.0.0.1']},
  {kind: 'owner', comment: 'bob', port: 20002, refused: {only: [1000]}, destinations: 'any'},
  {kind: 'owner', comment: 'nobody', port: 20003, refused: {except: []}, destinations: 'loopback'},
];

function ruleset(): NftRuleset {
  const result = parseNftJson(JSON.stringify(listed));
  if (!result.ok) throw new Error(result.problems[0].message);
  return result.value;
}

function rule(comment: string): FirewallRule {
  return rules.find((one) => one.comment === comment)!;
}

test('rules as nft text, one per IP version where addresses are named', (t) => {
  const table: [comment: string, text: string[]][] = [
    ['all', ['tcp dport 20002 accept comment "all"']],
    [
      'some',
      [
        'ip saddr { 192.168.0.5, 10.0.0.0/8 } tcp dport 20002 accept comment "some"',
        'ip6 saddr fd00::/8 tcp dport 20002 accept comment "some"',
      ],
    ],
    [
      'tunnel',
      [
        'meta skuid != { 64055, 0 } tcp dport 20001 ip daddr 127.0.0.0/8 reject with tcp reset comment "tunnel"',
        'meta skuid != { 64055, 0 } tcp dport 20001 ip6 daddr ::1 reject with tcp reset comment "tunnel"',
      ],
    ],
    ['bob', ['meta skuid 1000 tcp dport 20002 reject with tcp reset comment "bob"']],
  ];
  for (const [comment, text] of table) t.deepEqual(renderRule(rule(comment)), text);
  t.deepEqual(renderRule({kind: 'owner', comment: 'x', port: 1, refused: {only: []}, destinations: 'any'}), []);
});

test('what nft lists is compared by meaning', (t) => {
  t.true(sameTable(ruleset(), 'tsplay', rules));
  t.false(sameTable(ruleset(), 'tsplay', rules.slice(1)));
  t.false(sameTable(ruleset(), 'tsplay', rules.toReversed()));
  t.false(sameTable(ruleset(), 'other', rules));
  t.true(sameTable(ruleset(), 'other', []));
  for (const one of rules) t.true(sameRule(rulesOfTable(ruleset(), 'tsplay', one.comment), one), one.comment);
});

test('a changed declaration is seen', (t) => {
  const there = (comment: string) => rulesOfTable(ruleset(), 'tsplay', comment);
  const tunnel = rule('tunnel');
  const some = rule('some');
  if (tunnel.kind !== 'owner' || some.kind !== 'input') return t.fail();
  t.false(sameRule(there('tunnel'), {...tunnel, port: 1}));
  t.false(sameRule(there('tunnel'), {...tunnel, refused: {except: [0]}}));
  t.false(sameRule(there('tunnel'), {...tunnel, refused: {only: [0, 64055]}}));
  t.false(sameRule(there('tunnel'), {...tunnel, destinations: 'any'}));
  t.false(sameRule(there('some'), {...some, action: 'drop'}));
  t.false(sameRule(there('some'), {...some, sources: ['192.168.0.5', 'fd00::/8']}));
  t.false(sameRule([], some));
  // Spellings that nft prints in another way.
  t.true(sameRule(there('some'), {...some, sources: ['10.1.2.3/8', 'FD00:0::1/8', '192.168.0.5/32']}));
});

test('files for nft -f', (t) => {
  const table = renderTable('x', [rule('all'), rule('bob')]);
  t.is(
    table,
    `table inet x
delete table inet x
table inet x {
\tchain input {
\t\ttype filter hook input priority filter; policy accept;
\t\ttcp dport 20002 accept comment "all"
\t}
\tchain output {
\t\ttype filter hook output priority filter; policy accept;
\t\tmeta skuid 1000 tcp dport 20002 reject with tcp reset comment "bob"
\t}
}
`,
  );
  t.is(
    renderTableEdit('tsplay', rulesOfTable(ruleset(), 'tsplay', 'rest'), [rule('bob')]),
    `add table inet tsplay
add chain inet tsplay input { type filter hook input priority filter; policy accept; }
add chain inet tsplay output { type filter hook output priority filter; policy accept; }
delete rule inet tsplay input handle 8
add rule inet tsplay output meta skuid 1000 tcp dport 20002 reject with tcp reset comment "bob"
`,
  );
});

test('output that is none', (t) => {
  for (const output of ['', 'Error', '{}', '[]', 'null', '{"nftables": 1}']) t.false(parseNftJson(output).ok, output);
  t.deepEqual(parseNftJson('{"nftables": []}'), {ok: true, value: {tables: [], chains: [], rules: []}});
});
