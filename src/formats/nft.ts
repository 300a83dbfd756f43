/*
 * Our own nftables table: rules as declared, as text for `nft -f`, and as `nft -j list` shows them, to compare by meaning.
 * Rules carry their identity in the comment. The table's family is inet: one rule covers IPv4 and IPv6 unless it names addresses.
 */
import {error} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import {mergeRanges, parseNetwork} from './ip-network.ts';

/** Who gets in to a port. No `sources`: everybody. */
export type InputRule = {
  readonly kind: 'input';
  readonly comment: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  /** addresses or prefixes (`192.168.0.0/24`, `fd00::/8`) */
  readonly sources?: readonly string[];
  readonly action: 'accept' | 'drop' | 'reject';
};

/** Which accounts may not connect from this host to a TCP port: they get a reset. */
export type OwnerRule = {
  readonly kind: 'owner';
  readonly comment: string;
  readonly port: number;
  /** numeric user ids: everybody except these, or only these */
  readonly refused: {readonly except: readonly number[]} | {readonly only: readonly number[]};
  /** `loopback` stands for 127.0.0.0/8 and ::1 */
  readonly destinations: 'loopback' | 'any' | readonly string[];
};

export type FirewallRule = InputRule | OwnerRule;

type Json = null | boolean | number | string | readonly Json[] | {readonly [key: string]: Json};

/** One rule of the ruleset, its expressions as libnftables prints them (libnftables-json(5)). */
export type NftRule = {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly handle: number;
  readonly comment: string;
  readonly expr: readonly Json[];
};

export type NftChain = {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
};

export type NftRuleset = {
  readonly tables: readonly {readonly family: string; readonly name: string}[];
  readonly chains: readonly NftChain[];
  readonly rules: readonly NftRule[];
};

function isObject(value: Json | undefined): value is {readonly [key: string]: Json} {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Reads the output of `nft -j list ruleset` (or `list table`). Problem `nft-json-invalid`. */
export function parseNftJson(output: string): Result<NftRuleset> {
  let root: Json;
  try {
    root = JSON.parse(output) as Json;
  } catch {
    return bad(error('nft-json-invalid', 'nft did not print JSON'));
  }
  const items = isObject(root) ? root['nftables'] : undefined;
  if (!Array.isArray(items)) return bad(error('nft-json-invalid', 'nft printed JSON without a ruleset'));
  const of = (kind: string): {readonly [key: string]: Json}[] =>
    (items as readonly Json[]).flatMap((item) => (isObject(item) && isObject(item[kind]) ? [item[kind]] : []));
  return ok({
    tables: of('table').map(({family, name}) => ({family: text(family), name: text(name)})),
    chains: of('chain').map(({family, table, name, hook, policy}) => ({
      family: text(family),
      table: text(table),
      name: text(name),
      ...(hook === undefined ? {} : {hook: text(hook)}),
      ...(policy === undefined ? {} : {policy: text(policy)}),
    })),
    rules: of('rule').map(({family, table, chain, handle, comment, expr}) => ({
      family: text(family),
      table: text(table),
      chain: text(chain),
      handle: Number(handle),
      comment: text(comment),
      expr: Array.isArray(expr) ? (expr as readonly Json[]) : [],
    })),
  });
}

/** The rules of one inet table, optionally with one comment, in order. */
export function rulesOfTable(ruleset: NftRuleset, table: string, comment?: string): readonly NftRule[] {
  return ruleset.rules.filter(
    (rule) => rule.family === 'inet' && rule.table === table && (comment === undefined || rule.comment === comment),
  );
}

type Condition = {
  readonly left: Json;
  readonly words: string;
  readonly op: '==' | '!=';
  readonly values: readonly (number | string)[];
};
type Statement = {readonly conditions: readonly Condition[]; readonly action: string};

const isIpv6 = (address: string): boolean => address.includes(':');

/** Addresses by IP version: one nft rule can name only one of them. */
function byVersion(
  addresses: readonly string[],
): readonly (readonly [protocol: 'ip' | 'ip6', addresses: readonly string[]])[] {
  const split = [
    ['ip', addresses.filter((address) => !isIpv6(address))],
    ['ip6', addresses.filter(isIpv6)],
  ] as const;
  return split.filter(([, found]) => found.length > 0);
}

function payload(protocol: string, field: string, values: readonly (number | string)[]): Condition {
  return {left: {payload: {protocol, field}}, words: `${protocol} ${field}`, op: '==', values};
}

/** The nft rules that one declared rule needs: one, or one per IP version. */
function statementsOf(rule: FirewallRule): readonly Statement[] {
  if (rule.kind === 'input') {
    const port = payload(rule.protocol, 'dport', [rule.port]);
    if (rule.sources === undefined) return [{conditions: [port], action: rule.action}];
    return byVersion(rule.sources).map(([version, sources]) => ({
      conditions: [payload(version, 'saddr', sources), port],
      action: rule.action,
    }));
  }
  const except = 'except' in rule.refused;
  const uids = 'except' in rule.refused ? rule.refused.except : rule.refused.only;
  // Nobody is meant by an empty `only`, everybody by an empty `except`.
  if (!except && uids.length === 0) return [];
  const owner: readonly Condition[] =
    uids.length === 0
      ? []
      : [{left: {meta: {key: 'skuid'}}, words: 'meta skuid', op: except ? '!=' : '==', values: uids}];
  const common = [...owner, payload('tcp', 'dport', [rule.port])];
  const action = 'reject with tcp reset';
  if (rule.destinations === 'any') return [{conditions: common, action}];
  const destinations = rule.destinations === 'loopback' ? ['127.0.0.0/8', '::1'] : rule.destinations;
  return byVersion(destinations).map(([version, addresses]) => ({
    conditions: [...common, payload(version, 'daddr', addresses)],
    action,
  }));
}

/** The rules as text for a chain block, without the chain: `tcp dport 20002 accept comment "…"`. The comment may hold no double quote (nft knows no escape). */
export function renderRule(rule: FirewallRule): readonly string[] {
  return statementsOf(rule).map(({conditions, action}) =>
    [
      ...conditions.map(({words, op, values}) => {
        const right = values.length === 1 ? String(values[0]) : `{ ${values.map(String).join(', ')} }`;
        return `${words}${op === '!=' ? ' !=' : ''} ${right}`;
      }),
      action,
      `comment "${rule.comment.replaceAll('"', "'")}"`,
    ].join(' '),
  );
}

/** The name of the chain in which a rule stands. */
export function chainOf(rule: FirewallRule): 'input' | 'output' {
  return rule.kind === 'input' ? 'input' : 'output';
}

/**
 * A whole table as a file for `nft -f`: it replaces the table in one transaction, whether it exists or not. Order of rules is kept per chain.
 * Note that `accept` in one table does not overrule a `drop` in another.
 */
export function renderTable(table: string, rules: readonly FirewallRule[]): string {
  const chain = (name: 'input' | 'output'): string => {
    const lines = rules.filter((rule) => chainOf(rule) === name).flatMap(renderRule);
    const head = `type filter hook ${name} priority filter; policy accept;`;
    return `\tchain ${name} {\n${[head, ...lines].map((line) => `\t\t${line}\n`).join('')}\t}\n`;
  };
  return `table inet ${table}\ndelete table inet ${table}\ntable inet ${table} {\n${chain('input')}${chain('output')}}\n`;
}

/**
 * A file for `nft -f` that makes the table and its chains where they are missing, takes away the listed rules and adds the given ones, in one
 * transaction and without touching the table's other rules.
 */
export function renderTableEdit(table: string, remove: readonly NftRule[], add: readonly FirewallRule[]): string {
  const chains = (['input', 'output'] as const).map(
    (name) => `add chain inet ${table} ${name} { type filter hook ${name} priority filter; policy accept; }`,
  );
  return [
    `add table inet ${table}`,
    ...chains,
    ...remove.map(({chain, handle}) => `delete rule inet ${table} ${chain} handle ${handle}`),
    ...add.flatMap((rule) => renderRule(rule).map((text) => `add rule inet ${table} ${chainOf(rule)} ${text}`)),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

/** The 16-bit groups (IPv6) or bytes (IPv4) of an address; undefined for what is none. */
function partsOf(address: string): readonly number[] | undefined {
  if (!isIpv6(address)) {
    const bytes = address.split('.').map(Number);
    return bytes.length === 4 && bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256)
      ? bytes
      : undefined;
  }
  if (!/^[\da-f:.]+$/i.test(address) || !URL.canParse(`http://[${address}]`)) return undefined;
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
  const [front, back] = [groups(head), groups(tail ?? '')];
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
}

function written(parts: readonly number[]): string {
  if (parts.length === 4) return parts.join('.');
  return new URL(`http://[${parts.map((group) => group.toString(16)).join(':')}]`).hostname.slice(1, -1);
}

/** A value as nft prints it: addresses in their shortest spelling, a prefix as an object without host bits, a host prefix as the plain address. */
function valueJson(value: number | string): Json {
  if (typeof value === 'number') return value;
  const [address = '', length] = value.split('/');
  const parts = partsOf(address);
  if (parts === undefined) return value;
  const width = parts.length === 4 ? 8 : 16;
  const bits = length === undefined ? width * parts.length : Number(length);
  const masked = parts.map((part, i) => {
    const kept = Math.min(Math.max(bits - i * width, 0), width);
    return part - (part % 2 ** (width - kept));
  });
  return bits >= width * parts.length ? written(parts) : {prefix: {addr: written(masked), len: bits}};
}

function exprOf({conditions, action}: Statement): readonly Json[] {
  const reject: Json = action.endsWith('tcp reset')
    ? {reject: {type: 'tcp reset'}}
    : {reject: {type: 'icmpx', expr: 'port-unreachable'}};
  return [
    ...conditions.map(({left, op, values}): Json => {
      const right = values.map(valueJson);
      return {match: {op, left, right: right.length === 1 ? (right[0] ?? null) : {set: right}}};
    }),
    action.startsWith('reject') ? reject : {[action]: null},
  ];
}

/** A port, address, prefix or range of them, as first and last number; undefined for anything else (names of interfaces). */
function rangeOf(value: Json): {readonly space: string; readonly first: bigint; readonly last: bigint} | undefined {
  if (typeof value === 'number') return {space: 'number', first: BigInt(value), last: BigInt(value)};
  if (typeof value === 'string') {
    const network = parseNetwork(value);
    return network === undefined ? undefined : {space: `ip${network.version}`, ...network};
  }
  if (!isObject(value)) return undefined;
  const {prefix, range} = value;
  if (isObject(prefix)) return rangeOf(`${text(prefix['addr'])}/${Number(prefix['len'])}`);
  if (!Array.isArray(range)) return undefined;
  const [from, to] = (range as readonly Json[]).map(rangeOf);
  return from?.space === to?.space && from !== undefined && to !== undefined ? {...from, last: to.last} : undefined;
}

/** What a match compares with, as ranges: nft itself merges the members of a set that overlap or touch, and shows what it made of them. */
function rangesOf(right: Json): Json | undefined {
  const set = isObject(right) ? right['set'] : undefined;
  const ranges = (Array.isArray(set) ? (set as readonly Json[]) : [right]).map(rangeOf);
  const known = ranges.filter((range) => range !== undefined);
  const [one] = known;
  if (one === undefined || known.length < ranges.length || known.some(({space}) => space !== one.space))
    return undefined;
  const merged = mergeRanges(known.map(({first, last}) => [first, last] as const));
  return {[one.space]: merged.map(([first, last]) => `${first}-${last}`)};
}

/** One spelling of a list of expressions: numbers and addresses as ranges, other sets sorted, one-element sets unwrapped, counters and key order left out. */
function canonical(expr: readonly Json[]): string {
  const normal = (value: Json): Json => {
    if (Array.isArray(value)) return (value as readonly Json[]).map(normal);
    if (!isObject(value)) return value;
    const set = value['set'];
    if (Array.isArray(set)) {
      const members = [...new Set((set as readonly Json[]).map((member) => JSON.stringify(normal(member))))].sort();
      return members.length === 1 ? (JSON.parse(members[0] ?? '') as Json) : {set: members};
    }
    const ranges = value['right'] === undefined ? undefined : rangesOf(value['right']);
    if (ranges !== undefined) return normal({...value, right: ranges});
    const reject = value['reject'];
    // `reject` alone is printed as the icmp code of the rule's own address family.
    if (isObject(reject) && reject['expr'] === 'port-unreachable') return {reject: 'port-unreachable'};
    if ('reject' in value && reject === null) return {reject: 'port-unreachable'};
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, part]) => [key, normal(part)]),
    );
  };
  return JSON.stringify(expr.filter((one) => !(isObject(one) && 'counter' in one)).map(normal));
}

/** Whether the table on the host holds exactly these rules, chain by chain and in order, in chains hooked where they belong. */
export function sameTable(ruleset: NftRuleset, table: string, rules: readonly FirewallRule[]): boolean {
  return (['input', 'output'] as const).every((name) => {
    const chain = ruleset.chains.find((one) => one.family === 'inet' && one.table === table && one.name === name);
    const there = rulesOfTable(ruleset, table).filter((rule) => rule.chain === name);
    const wanted = rules.filter((rule) => chainOf(rule) === name);
    if (chain?.hook !== name || chain.policy !== 'accept') return wanted.length === 0 && there.length === 0;
    return meaningOfListed(there) === wanted.map(meaningOfDeclared).join('\n');
  });
}

/** Whether the listed rules (those with this comment) are what the declared rule needs, in its chain. */
export function sameRule(listed: readonly NftRule[], rule: FirewallRule): boolean {
  return listed.every(({chain}) => chain === chainOf(rule)) && meaningOfListed(listed) === meaningOfDeclared(rule);
}

function meaningOfListed(rules: readonly NftRule[]): string {
  return rules.map(({comment, expr}) => `${comment} ${canonical(expr)}`).join('\n');
}

function meaningOfDeclared(rule: FirewallRule): string {
  const comment = rule.comment.replaceAll('"', "'");
  return statementsOf(rule)
    .map((statement) => `${comment} ${canonical(exprOf(statement))}`)
    .join('\n');
}

/**
 * A rule for one of our own chains, by whatever of its conditions are given. `owners`: numeric user ids of the local sender.
 * `ports`: single ports, and ranges by first and last. `aside`: `loopback` leaves traffic of the host with itself alone.
 */
export type FilterRule = {
  readonly chain: string;
  readonly comment: string;
  readonly protocol: 'tcp' | 'udp';
  readonly ports?: readonly (readonly [first: number, last: number])[];
  readonly sources?: readonly string[];
  readonly destinations?: readonly string[];
  readonly inward?: string;
  readonly outward?: string;
  readonly owners?: {readonly except: readonly number[]} | {readonly only: readonly number[]};
  readonly aside?: 'loopback';
  readonly action: 'accept' | 'drop' | 'reject';
};

type Match = {readonly words: string; readonly json: Json};

function portMatch({protocol, ports}: FilterRule): Match {
  if (ports === undefined) {
    const json: Json = {match: {op: '==', left: {meta: {key: 'l4proto'}}, right: protocol}};
    return {words: `meta l4proto ${protocol}`, json};
  }
  const shown = ports.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`));
  const right = ports.map(([first, last]): Json => (first === last ? first : {range: [first, last]}));
  return {
    words: `${protocol} dport ${shown.length === 1 ? (shown[0] ?? '') : `{ ${shown.join(', ')} }`}`,
    json: {match: {op: '==', left: {payload: {protocol, field: 'dport'}}, right: {set: right}}},
  };
}

function filterStatements(rule: FilterRule): readonly {readonly words: string; readonly expr: readonly Json[]}[] {
  const meta = (key: string, op: '==' | '!=', values: readonly (string | number)[]): Match => {
    const shown = values.map((value) => (typeof value === 'number' ? String(value) : `"${value}"`));
    const right = values.length === 1 ? (values[0] ?? null) : {set: values};
    return {
      words: `${key === 'skuid' ? 'meta skuid' : key}${op === '!=' ? ' !=' : ''} ${shown.length === 1 ? (shown[0] ?? '') : `{ ${shown.join(', ')} }`}`,
      json: {match: {op, left: {meta: {key}}, right}},
    };
  };
  const addresses = (version: string, field: string, values: readonly string[]): Match => {
    const right = values.map(valueJson);
    return {
      words: `${version} ${field} ${values.length === 1 ? (values[0] ?? '') : `{ ${values.join(', ')} }`}`,
      json: {
        match: {
          op: '==',
          left: {payload: {protocol: version, field}},
          right: right.length === 1 ? (right[0] ?? null) : {set: right},
        },
      },
    };
  };
  const common: Match[] = [];
  if (rule.inward !== undefined) common.push(meta('iifname', '==', [rule.inward]));
  if (rule.outward !== undefined) common.push(meta('oifname', '==', [rule.outward]));
  if (rule.aside !== undefined)
    common.push(meta(rule.chain.startsWith('output') ? 'oifname' : 'iifname', '!=', ['lo']));
  if (rule.owners !== undefined) {
    const except = 'except' in rule.owners;
    const uids = 'except' in rule.owners ? rule.owners.except : rule.owners.only;
    if (!except && uids.length === 0) return [];
    if (uids.length > 0) common.push(meta('skuid', except ? '!=' : '==', uids));
  }
  const port = portMatch(rule);
  const [from, to] = [rule.sources ?? [], rule.destinations ?? []];
  const versions =
    from.length + to.length === 0
      ? [undefined]
      : (['ip', 'ip6'] as const).filter((version) =>
          [from, to].every((list) => list.length === 0 || list.some((one) => isIpv6(one) === (version === 'ip6'))),
        );
  const action = rule.action === 'reject' && rule.protocol === 'tcp' ? 'reject with tcp reset' : rule.action;
  return versions.map((version) => {
    const of = (list: readonly string[]): readonly string[] =>
      list.filter((one) => isIpv6(one) === (version === 'ip6'));
    const matches = [
      ...common,
      ...(version !== undefined && from.length > 0 ? [addresses(version, 'saddr', of(from))] : []),
      ...(version !== undefined && to.length > 0 ? [addresses(version, 'daddr', of(to))] : []),
      port,
    ];
    return {
      words: [...matches.map((one) => one.words), action, `comment "${rule.comment.replaceAll('"', "'")}"`].join(' '),
      expr: [...matches.map((one) => one.json), ...exprOf({conditions: [], action})],
    };
  });
}

/** The rule as text for a chain, one line for each IP version that it needs; empty where its addresses leave no version. */
export function renderFilter(rule: FilterRule): readonly string[] {
  return filterStatements(rule).map((one) => one.words);
}

/** Whether the listed rules (those with one comment) are exactly what these rules need, each in its chain. */
export function sameFilters(listed: readonly NftRule[], rules: readonly FilterRule[]): boolean {
  const there = listed.map(({chain, expr}) => `${chain} ${canonical(expr)}`).sort();
  const wanted = rules
    .flatMap((rule) => filterStatements(rule).map((one) => `${rule.chain} ${canonical(one.expr)}`))
    .sort();
  return there.join('\n') === wanted.join('\n');
}
