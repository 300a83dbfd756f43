/*
 * Our own nftables table: rules as declared, as text for `nft -f`, and as `nft -j list` shows them, to compare by meaning.
 * Rules carry their identity in the comment. The table's family is inet: one rule covers IPv4 and IPv6 unless it names addresses.
 */
import {error} from '../base/diagnostic.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';

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

/** Which accounts may connect from this host to a port. `loopback` stands for 127.0.0.0/8 and ::1. */
export type OwnerRule = {
  readonly kind: 'owner';
  readonly comment: string;
  readonly port: number;
  /** numeric user ids that are let through; everybody else is refused with a TCP reset. Empty: nobody is let through */
  readonly exceptUids: readonly number[];
  readonly destinations: 'loopback' | readonly string[];
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
  const owner: readonly Condition[] =
    rule.exceptUids.length === 0
      ? []
      : [{left: {meta: {key: 'skuid'}}, words: 'meta skuid', op: '!=', values: rule.exceptUids}];
  const destinations = rule.destinations === 'loopback' ? ['127.0.0.0/8', '::1'] : rule.destinations;
  return byVersion(destinations).map(([version, addresses]) => ({
    conditions: [...owner, payload('tcp', 'dport', [rule.port]), payload(version, 'daddr', addresses)],
    action: 'reject with tcp reset',
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

/** A value of an address field as nft prints it: a prefix as an object, a host prefix as the plain address. */
function addressJson(value: number | string): Json {
  const [, address, length] = /^(.*)\/(\d+)$/.exec(String(value)) ?? [];
  if (address === undefined) return value;
  if (Number(length) === (isIpv6(address) ? 128 : 32)) return address;
  return {prefix: {addr: address, len: Number(length)}};
}

function exprOf({conditions, action}: Statement): readonly Json[] {
  const reject: Json = action.endsWith('tcp reset')
    ? {reject: {type: 'tcp reset'}}
    : {reject: {type: 'icmpx', expr: 'port-unreachable'}};
  return [
    ...conditions.map(({left, op, values}): Json => {
      const right = values.map(addressJson);
      return {match: {op, left, right: right.length === 1 ? (right[0] ?? null) : {set: right}}};
    }),
    action.startsWith('reject') ? reject : {[action]: null},
  ];
}

/** One spelling of a list of expressions: sets sorted, one-element sets unwrapped, counters and key order left out. */
function canonical(expr: readonly Json[]): string {
  const normal = (value: Json): Json => {
    if (Array.isArray(value)) return (value as readonly Json[]).map(normal);
    if (!isObject(value)) return value;
    const set = value['set'];
    if (Array.isArray(set)) {
      const members = [...new Set((set as readonly Json[]).map((member) => JSON.stringify(normal(member))))].sort();
      return members.length === 1 ? (JSON.parse(members[0] ?? '') as Json) : {set: members};
    }
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
