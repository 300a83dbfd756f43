import {
  account,
  all,
  allowLockoutParam,
  change,
  converged,
  defineModule,
  file,
  guardOps,
  guardParam,
  isNonEmpty,
  list,
  nftDiff,
  nftFile,
  nftProbe,
  p,
  quote,
  rawShell,
  read,
  refuse,
  refuseAll,
  sh,
  stdoutText,
  textOf,
  type AccountState,
  type Alone,
  type Change,
  type FileState,
  type Host,
  type NftDiff,
  type NftState,
  type Plan,
  type PlainOp,
  type Probe,
  type Problem,
  type RunOp,
} from '#kit';
import {mergeRanges, networkHolds, parseNetwork} from '#formats/ip-network';
import {renderFilter, rulesOfTable, sameFilters, type FilterRule, type NftRule} from '#formats/nft';

const table = 'tsplay';
const baseName = '00-firewall';
/**
 * Whatever order the tasks have, what is said of some is looked at before what is said of all, and there what is accepted before what is
 * refused: some accepted, some refused, all accepted, all refused.
 */
const ranks = ['first', 'second', 'third', 'last'] as const;
const hooks = ['input', 'output'] as const;
const chainsOf = (hook: 'input' | 'output'): readonly string[] => ranks.map((rank) => `${hook}_${rank}`);
const baseText = `# Chains of the rules beside. Written by tsplay.
table inet ${table}
delete table inet ${table}
table inet ${table} {
${hooks
  .flatMap(chainsOf)
  .map((name) => `\tchain ${name} {\n\t}\n`)
  .join('')}${hooks
  .map((hook) => {
    const jumps = chainsOf(hook).map((name) => `\t\tjump ${name}\n`);
    return `\tchain ${hook} {\n\t\ttype filter hook ${hook} priority filter; policy accept;\n${jumps.join('')}\t}\n`;
  })
  .join('')}}
`;

const params = {
  name: p.string('the rule’s own name; needed where several rules are about one port', {
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*$',
    describe: 'a name of letters, digits, dots, dashes',
  }),
  state: p.choice(['present', 'absent'], 'there or not, now and after a boot', {default: 'present'}),
  port: p.list(
    p.string('a port or a range', {
      pattern: '^\\d{1,5}(-\\d{1,5})?$',
      describe: 'a port such as 20001 or 20001-20010',
    }),
    'a port, the first and last of a range (20001-20010), or a list of them',
    {aliases: ['ports']},
  ),
  proto: p.choice(['tcp', 'udp'], 'the protocol', {default: 'tcp', aliases: ['protocol']}),
  direction: p.choice(['in', 'out'], 'towards this host, or from it; default `in`, with `owner` `out`'),
  source: p.list(p.string('an address or network'), 'where from'),
  destination: p.list(p.string('an address or network'), 'where to'),
  interface: p.string('the network interface', {pattern: '^[^\\s"/]{1,15}$', describe: 'the name of an interface'}),
  owner: p.list(p.string('an account'), 'accounts on this host whose connections are meant', {aliases: ['skuid']}),
  except: p.list(p.string('an account'), 'every account on this host but these', {aliases: ['except_owner']}),
  action: p.choice(
    ['accept', 'drop', 'reject'],
    'what becomes of it; whatever order the tasks have, rules for some (source, interface, owner, destination) come before rules for all',
  ),
  others: p.choice(
    ['drop', 'reject', 'leave'],
    'with `action: accept` for some: what becomes of everybody else on this port (loopback aside for incoming traffic)',
    {default: 'drop'},
  ),
  zone: p.string('the zone of firewalld; default its default zone', {pattern: '^[A-Za-z0-9_-]+$', describe: 'a zone'}),
  guard: guardParam,
  allow_lockout: allowLockoutParam,
};

type V = {
  readonly name: string | undefined;
  readonly state: 'present' | 'absent';
  readonly port: readonly string[] | undefined;
  readonly proto: 'tcp' | 'udp';
  readonly direction: 'in' | 'out' | undefined;
  readonly source: readonly string[] | undefined;
  readonly destination: readonly string[] | undefined;
  readonly interface: string | undefined;
  readonly owner: readonly string[] | undefined;
  readonly except: readonly string[] | undefined;
  readonly action: 'accept' | 'drop' | 'reject' | undefined;
  readonly others: 'drop' | 'reject' | 'leave';
  readonly zone: string | undefined;
  readonly guard: number | 'off';
  readonly allow_lockout: boolean;
};

const ownersOf = (v: V): readonly string[] => v.owner ?? v.except ?? [];
const hasOwner = (v: V): boolean => v.owner !== undefined || v.except !== undefined;
const directionOf = (v: V): 'in' | 'out' => v.direction ?? (hasOwner(v) ? 'out' : 'in');
const portRange = (text: string): readonly [number, number] => {
  const [first = 0, last = first] = text.split('-').map(Number);
  return [first, last];
};
/** The ports as few ranges; undefined: every port. */
const portsOf = (v: V): readonly (readonly [number, number])[] | undefined =>
  v.port === undefined ? undefined : mergeRanges(v.port.map(portRange));
const portText = ([first, last]: readonly [number, number]): string =>
  first === last ? `${first}` : `${first}-${last}`;
const nameOf = (v: V): string =>
  v.name ?? [directionOf(v), v.proto, portsOf(v)?.map(portText).join('_') ?? 'all', v.action ?? ''].join('-');
const comesFromSome = (v: V): boolean => v.source !== undefined || v.interface !== undefined || hasOwner(v);
/** What becomes of those whom the rule does not mean; undefined: nothing is said of them. */
const othersOf = (v: V): 'drop' | 'reject' | undefined =>
  v.action === 'accept' && comesFromSome(v) && v.port !== undefined && v.others !== 'leave' ? v.others : undefined;

/** A port or rich rule of firewalld, and whether it is there. `shared`: another of our rules needs it too. */
type FirewalldItem = {
  readonly zone: string;
  readonly item: string;
  readonly now: boolean;
  readonly boot: boolean;
  readonly shared: boolean;
};
type Firewalld = {
  readonly running: boolean;
  readonly zone: string;
  readonly items: readonly FirewalldItem[];
  /** what firewalld has against a question; '' where it answered all */
  readonly problem: string;
};
type State = {
  readonly nft: NftState;
  readonly base: FileState;
  readonly firewalld: Firewalld;
  /** what an earlier run put into firewalld for this rule: it knows no names of rules */
  readonly record: FileState;
  readonly owners: readonly AccountState[];
  /** ports on which sshd listens */
  readonly sshPorts: readonly number[];
};

const recordFolder = '/etc/tsplay-firewalld.d';
const recordOf = (v: V): string => `${recordFolder}/${nameOf(v)}`;

/**
 * The rule in firewalld's words: plain ports, or one rich rule for each source and destination. Where others are refused, rich rules with
 * priorities below zero are looked at before everything else in the zone, so that a port which is open there does not undo it.
 */
function firewalldItems(v: V): readonly string[] {
  const {action} = v;
  if (directionOf(v) === 'out' || action === undefined) return [];
  const others = othersOf(v);
  return (portsOf(v) ?? []).map(portText).flatMap((port) => {
    if (action === 'accept' && v.source === undefined && v.destination === undefined)
      return [`port=${port}/${v.proto}`];
    const rich = (priority: string, does: string, source?: string, destination?: string): string => {
      const known = source ?? destination;
      const family = known === undefined ? '' : ` family="${known.includes(':') ? 'ipv6' : 'ipv4'}"`;
      const from = source === undefined ? '' : ` source address="${source}"`;
      const to = destination === undefined ? '' : ` destination address="${destination}"`;
      return `rich-rule=rule${priority}${family}${from}${to} port port="${port}" protocol="${v.proto}" ${does}`;
    };
    const destinations: readonly (string | undefined)[] = v.destination ?? [undefined];
    return [
      ...(v.source ?? [undefined]).flatMap((source) =>
        destinations
          .filter((to) => source === undefined || to === undefined || source.includes(':') === to.includes(':'))
          .map((to) => rich(others === undefined ? '' : ' priority="-200"', action, source, to)),
      ),
      ...(others === undefined ? [] : destinations.map((to) => rich(' priority="-100"', others, undefined, to))),
    ];
  });
}

function firewalldProbe(v: V): Probe<Firewalld> {
  // One question takes firewalld a quarter of a second, so recorded items are asked for only where they are not the declared ones.
  const fragment = sh`own=${recordOf(v)}; folder=${recordFolder}; zone=${v.zone ?? ''}
command -v firewall-cmd >/dev/null 2>&1 && [ "$(firewall-cmd --state 2>/dev/null)" = running ] || exit 0
[ -n "$zone" ] || zone=$(firewall-cmd --get-default-zone 2>/dev/null)
ask() {
  printf '\001item %s\n' "$1 $2"
  for other in "$folder"/*; do
    [ "$other" != "$own" ] && grep -qxF -- "$1 $2" "$other" 2>/dev/null && echo shared
  done
  echo "now $(firewall-cmd "--zone=$1" "--query-$2" 2>&1 </dev/null)"
  echo "boot $(firewall-cmd --permanent "--zone=$1" "--query-$2" 2>&1 </dev/null)"
}
printf '\001zone\n%s\n' "$zone"
asked='
'
for item in ${firewalldItems(v)}; do
  asked="$asked$zone $item
"
  ask "$zone" "$item"
done
[ -f "$own" ] && while IFS= read -r line; do
  case $asked in *"
$line
"*) continue ;; esac
  ask "${rawShell('${line%% *}')}" "${rawShell('${line#* }')}"
done <"$own"
:`;
  return read(
    fragment,
    (reply) => {
      const found: FirewalldItem[] = [];
      const problems: string[] = [];
      let zone: string | undefined;
      for (const part of stdoutText(reply).split('\u0001').slice(1)) {
        const [head = '', ...lines] = part.split('\n');
        if (head === 'zone') zone = lines[0] ?? '';
        if (!head.startsWith('item ')) continue;
        const [, where = '', ...item] = head.split(' ');
        const answer = (which: string): boolean => {
          const said = lines.find((line) => line.startsWith(`${which} `))?.slice(which.length + 1) ?? '';
          if (said !== 'yes' && said !== 'no') problems.push(said);
          return said === 'yes';
        };
        found.push({
          zone: where,
          item: item.join(' '),
          now: answer('now'),
          boot: answer('boot'),
          shared: lines.includes('shared'),
        });
      }
      return {running: zone !== undefined, zone: zone ?? '', items: found, problem: problems[0] ?? ''};
    },
    {
      dependsOn: [
        'firewall:firewalld',
        'unit:firewalld.service',
        'package:firewalld',
        'tree:/etc/firewalld',
        `tree:${recordFolder}`,
      ],
    },
  );
}

/** Who may reach a port of this host, or which account which port elsewhere. */
export default defineModule({
  name: 'firewall_rule',
  summary: 'A firewall rule, now and after a boot: firewalld where it runs, else nftables',
  params,
  examples: [
    '- firewall_rule:\n    port: 20002\n    source: [10.77.0.0/16, "fd00:77::/64"]\n    action: accept\n',
    '- firewall_rule:\n    port: 20001\n    except: [root]\n    destination: [127.0.0.0/8, "::1"]\n    action: reject\n',
    '- firewall_rule:\n    port: 20002\n    action: accept\n    state: absent\n',
  ],
  check: (v) => {
    const problems: Problem[] = [];
    const gone = v.state === 'absent' && v.name !== undefined;
    (v.port ?? []).forEach((text, i) => {
      const [first, last] = portRange(text);
      if (first < 1 || last > 65535 || last < first)
        problems.push({
          code: 'bad-port',
          message: `"${text}" is no port or range`,
          param: `/port/${i}`,
          help: 'port: 20001, or "20001-20010"',
        });
    });
    if (v.port?.length === 0)
      problems.push({
        code: 'empty-list',
        message: 'an empty `port` means none',
        param: '/port',
        help: 'leave it out for every port',
      });
    if (v.action === undefined && !gone)
      problems.push({
        code: 'missing-param',
        message: 'what becomes of the traffic is not said',
        param: '/action',
        help: 'action: accept, drop or reject',
      });
    for (const key of ['source', 'destination'] as const) {
      const given = v[key];
      (given ?? []).forEach((address, i) => {
        if (parseNetwork(address) === undefined)
          problems.push({
            code: 'bad-address',
            message: `"${address}" is no address or network`,
            param: `/${key}/${i}`,
            help: '192.168.0.5, 192.168.0.0/24 or fd00::/8',
          });
      });
      if (given?.length === 0)
        problems.push({
          code: 'empty-list',
          message: `an empty \`${key}\` means nobody`,
          param: `/${key}`,
          help: 'leave it out for everybody',
        });
    }
    if (v.owner !== undefined && v.except !== undefined)
      problems.push({
        code: 'bad-combination',
        message: '`owner` and `except` exclude each other',
        param: '/except',
        help: 'name those who are meant, or those who are not',
      });
    if (hasOwner(v) && v.direction === 'in')
      problems.push({
        code: 'bad-combination',
        message: 'only connections from this host have an owner',
        param: '/direction',
        help: 'direction: out',
      });
    for (const key of ['owner', 'except'] as const)
      if (v[key]?.length === 0)
        problems.push({
          code: 'empty-list',
          message: key === 'owner' ? 'an empty `owner` means nobody' : 'an empty `except` means everybody',
          param: `/${key}`,
          help: 'leave it out for everybody',
        });
    if (
      !gone &&
      v.port === undefined &&
      v.source === undefined &&
      v.destination === undefined &&
      v.interface === undefined &&
      !hasOwner(v)
    )
      problems.push({
        code: 'missing-param',
        message: 'the rule would be about everything',
        param: '/port',
        help: 'name at least a port, a source or an owner',
      });
    const [from, to] = [v.source ?? [], v.destination ?? []];
    const sharesVersion = from.some((a) => to.some((b) => a.includes(':') === b.includes(':')));
    if (from.length > 0 && to.length > 0 && !sharesVersion)
      problems.push({
        code: 'bad-combination',
        message: 'sources and destinations are of different IP versions',
        param: '/destination',
        help: 'give both the same version, or make two rules',
      });
    return problems;
  },
  probe: (v) =>
    all({
      nft: nftProbe(`50-${nameOf(v)}`),
      base: file(nftFile(baseName), {content: 'always'}),
      firewalld: firewalldProbe(v),
      record: file(recordOf(v), {content: 'always'}),
      owners: list(ownersOf(v).map((name) => account(name))),
      sshPorts: read(
        rawShell(`sshd -T 2>/dev/null | sed -n 's/^port //p'`),
        (reply) =>
          stdoutText(reply)
            .split('\n')
            .filter((line) => line !== '')
            .map(Number),
        {
          dependsOn: ['tree:/etc/ssh'],
        },
      ),
    }),
  plan: (v, now, host): Plan => planRule(v, now, host),
});

/** The file in which the rule is kept for nftables. */
const storeOf = (v: V): string => `50-${nameOf(v)}`;

function planRule(v: V, now: State, host: Host): Plan {
  const lockout = v.state === 'present' ? lockoutProblem(v, now, host) : undefined;
  if (lockout !== undefined) return refuseAll([lockout]);
  if (now.firewalld.running && directionOf(v) === 'in') return planFirewalld(v, now, host);
  if (!now.nft.installed) {
    if (v.state === 'absent' && now.nft.file.type === 'absent') return converged();
    return refuse('no-firewall', 'this host has neither a running firewalld nor nftables', {
      help: 'a task before: package: {name: nftables}',
    });
  }
  if (now.nft.ruleset === undefined)
    return refuse('no-firewall', `nft cannot read the rules of this host: ${now.nft.problem}`, {
      help: 'use `become: true`; the kernel needs nf_tables',
    });
  const missing = ownersOf(v).flatMap((name, i): Problem[] =>
    now.owners[i]?.type === 'absent' && !/^\d+$/.test(name) && v.state === 'present'
      ? [
          {
            code: 'account-missing',
            message: `there is no account ${name} on this host`,
            param: `/${v.owner === undefined ? 'except' : 'owner'}/${i}`,
            help: 'make it first, or leave it out',
          },
        ]
      : [],
  );
  if (isNonEmpty(missing)) return refuseAll(missing);
  const rules = rulesFor(v, now.owners);
  const diff =
    v.state === 'absent'
      ? withoutRule(v, now)
      : nftDiff(
          storeOf(v),
          {
            text: rules
              .flatMap((rule) => renderFilter(rule).map((line) => `add rule inet ${table} ${rule.chain} ${line}\n`))
              .join(''),
            live: sameFilters(listedOf(v, now.nft), rules) && hooked(now.nft),
            found: foundOf(v, now.nft, rules),
            what: `nftables rule ${nameOf(v)}`,
            shown: shownAs(rules),
            table,
            base: {name: baseName, text: baseText, state: now.base},
            alone: aloneOf(v, now.nft),
          },
          now.nft,
        );
  const findings: Problem[] = [];
  if (diff.volatile)
    findings.push({
      severity: 'warning',
      code: 'not-at-boot',
      message: 'no unit loads the rule at boot: this host has no systemd',
      help: 'load it from the start-up of this host',
    });
  const foreign = now.nft.ruleset.chains.find(
    (one) =>
      one.table !== table && one.hook === (directionOf(v) === 'in' ? 'input' : 'output') && one.policy === 'drop',
  );
  if (foreign !== undefined && v.action === 'accept' && v.state === 'present')
    findings.push({
      severity: 'warning',
      code: 'other-firewall',
      message: `the table ${foreign.family} ${foreign.table} drops what it does not know: what is accepted here may be dropped there`,
      help: 'accept it there too',
    });
  return change(
    diff.changes,
    guardOps(diff.ops, v.guard, host, {
      restores: [...diff.restores, ...(diff.ops.length === 0 ? [] : [nftFile(baseName)])],
      undo: diff.undo,
    }),
    {findings},
  );
}

const commentOf = (v: V): string => `tsplay: ${nameOf(v)}`;

function listedOf(v: V, now: NftState): readonly NftRule[] {
  return now.ruleset === undefined ? [] : rulesOfTable(now.ruleset, table, commentOf(v));
}

/** What is in the kernel in place of the rule. */
function foundOf(v: V, now: NftState, rules: readonly FilterRule[]): string | undefined {
  const listed = listedOf(v, now);
  if (listed.length === 0) return undefined;
  return sameFilters(listed, rules) ? 'there, but packets do not pass it' : 'other conditions under its name';
}

/** What takes the rule out of nftables. */
function withoutRule(v: V, now: State): NftDiff {
  const live = listedOf(v, now.nft).length > 0;
  const what = `nftables rule ${nameOf(v)}`;
  const alone = aloneOf(v, now.nft);
  return nftDiff(storeOf(v), {text: undefined, live, what, shown: 'loaded', table, alone}, now.nft);
}

/** Where all our chains are in the kernel, the other rules need not be loaded again. */
function aloneOf(v: V, now: NftState): Alone | undefined {
  return hooked(now) ? {chains: hooks.flatMap(chainsOf), comment: commentOf(v)} : undefined;
}

/** Whether our chains hang where packets pass. */
function hooked(now: NftState): boolean {
  const ours = (now.ruleset?.chains ?? []).filter((one) => one.family === 'inet' && one.table === table);
  return hooks.every(
    (hook) =>
      ours.some((one) => one.name === hook && one.hook === hook) &&
      chainsOf(hook).every(
        (chain) =>
          ours.some((one) => one.name === chain) &&
          now.ruleset?.rules.some(
            (rule) =>
              rule.family === 'inet' &&
              rule.table === table &&
              rule.chain === hook &&
              JSON.stringify(rule.expr) === JSON.stringify([{jump: {target: chain}}]),
          ) === true,
      ),
  );
}

function shownAs(rules: readonly FilterRule[]): string {
  return rules.flatMap((rule) => renderFilter(rule).map((line) => line.replace(/ comment ".*"$/, ''))).join('\n');
}

/** The rule, and what becomes of those whom it does not mean. */
function rulesFor(v: V, accounts: readonly AccountState[]): readonly FilterRule[] {
  const side = directionOf(v) === 'in' ? 'input' : 'output';
  const uids = ownersOf(v).flatMap((name, i) => {
    const state = accounts[i];
    return state?.type === 'account' ? [state.uid] : /^\d+$/.test(name) ? [Number(name)] : [];
  });
  const ports = portsOf(v);
  const {action} = v;
  if (action === undefined) return [];
  const about = {comment: commentOf(v), protocol: v.proto, ...(ports === undefined ? {} : {ports})};
  const to = v.destination === undefined ? {} : {destinations: v.destination};
  const forSome = comesFromSome(v) || v.destination !== undefined;
  const rank = ranks[(forSome ? 0 : 2) + (action === 'accept' ? 0 : 1)] ?? 'last';
  const own: FilterRule = {
    ...about,
    ...to,
    chain: `${side}_${rank}`,
    ...(v.source === undefined ? {} : {sources: v.source}),
    ...(v.interface === undefined ? {} : side === 'input' ? {inward: v.interface} : {outward: v.interface}),
    ...(v.owner === undefined ? {} : {owners: {only: uids}}),
    ...(v.except === undefined ? {} : {owners: {except: uids}}),
    action,
  };
  const others = othersOf(v);
  if (others === undefined) return [own];
  return [
    own,
    {
      ...about,
      ...to,
      chain: `${side}_last`,
      ...(side === 'input' ? {aside: 'loopback' as const} : {}),
      action: others,
    },
  ];
}

/** Whether a rule about replies can be about the client's end of our connection, whose port nobody chose. */
function coversClientPorts(ports: readonly (readonly [number, number])[] | undefined): boolean {
  return ports === undefined || ports.some(([first, last]) => last >= 32768 && last - first >= 1000);
}

/** A rule that would, or could, cut the connection that makes it. */
function lockoutProblem(v: V, now: State, host: Host): Problem | undefined {
  const from = host.connection.from.replace(/^::ffff:(?=\d+\.)/, '');
  if (v.allow_lockout || v.proto !== 'tcp' || from === '') return undefined;
  const direction = directionOf(v);
  const ports = portsOf(v);
  const sshPorts = now.sshPorts.length === 0 ? [22] : now.sshPorts;
  const about =
    direction === 'out'
      ? coversClientPorts(ports)
      : ports === undefined || sshPorts.some((port) => ports.some(([first, last]) => port >= first && port <= last));
  if (!about) return undefined;
  const far = direction === 'in' ? v.source : v.destination;
  const near = far === undefined || far.some((one) => networkHolds(one, from));
  const loopback = networkHolds('127.0.0.0/8', from) || networkHolds('::1', from);
  const otherWay = v.interface !== undefined && (v.interface === 'lo') !== loopback;
  let shut: boolean;
  if (v.action === 'accept') {
    // By which interface we came is not known, and sshd's end of the connection belongs to root.
    const surely = near && (v.interface === undefined || (loopback && !otherWay)) && rootIsMeant(v, now);
    shut = othersOf(v) !== undefined && !surely && !(direction === 'in' && loopback);
    if (direction === 'out' && !near) shut = false;
  } else shut = near && !otherWay && rootIsMeant(v, now);
  if (!shut) return undefined;
  const unsure = v.interface !== undefined && near;
  return {
    code: 'lockout',
    message: `this ${unsure ? 'could' : 'would'} cut the SSH connection from ${from}`,
    param: far !== undefined && v.action === 'accept' && !near ? '/source' : ports === undefined ? '/action' : '/port',
    help: `let ${from} in${unsure ? ', whatever interface it comes by' : ''}, or set \`allow_lockout: true\``,
  };
}

function rootIsMeant(v: V, now: State): boolean {
  const rootNamed = ownersOf(v).some((name, i) => {
    const state = now.owners[i];
    return name === '0' || (state?.type === 'account' && state.uid === 0);
  });
  return v.owner !== undefined ? rootNamed : !rootNamed;
}

/** The same in firewalld's words, in the running and in the permanent configuration. */
function planFirewalld(v: V, state: State, host: Host): Plan {
  const now = state.firewalld;
  const wanted = v.state === 'present';
  if (wanted && v.interface !== undefined)
    return refuse('needs-zone', 'firewalld knows interfaces by their zones', {
      param: '/interface',
      help: `zone: the one of ${v.interface} (firewall-cmd --get-zone-of-interface=${v.interface})`,
    });
  if (wanted && v.port === undefined)
    return refuse('needs-port', 'a rule for firewalld needs a port', {param: '/port', help: 'port: 20002'});
  if (now.problem !== '' && (wanted || !now.problem.includes('INVALID_ZONE')))
    return refuse('firewalld-refuses', `firewalld says: ${now.problem.split('\n')[0] ?? ''}`, {
      ...(now.problem.includes('INVALID_ZONE') ? {param: '/zone'} : {}),
      help: now.problem.includes('INVALID_ZONE') ? 'firewall-cmd --get-zones lists the zones' : 'use `become: true`',
    });
  const ours = new Set(wanted ? firewalldItems(v).map((item) => `${now.zone} ${item}`) : []);
  const changes: Change[] = [];
  const removals: PlainOp[] = [];
  const additions: PlainOp[] = [];
  const undo: string[] = [];
  for (const one of now.items) {
    const keep = ours.has(`${one.zone} ${one.item}`);
    if (!keep && one.shared) continue;
    const shown = one.item.replace(/^(port|rich-rule)=/, '');
    const command = (verb: 'add' | 'remove', more: readonly string[]): readonly [string, ...string[]] => [
      'firewall-cmd',
      '-q',
      ...more,
      `--zone=${one.zone}`,
      `--${verb}-${one.item}`,
    ];
    for (const [which, is, more] of [
      ['', one.now, []],
      [' (at boot)', one.boot, ['--permanent']],
    ] as const) {
      if (is === keep) continue;
      changes.push({
        what: `firewalld zone ${one.zone}${which}`,
        before: keep ? undefined : shown,
        after: keep ? shown : undefined,
      });
      (keep ? additions : removals).push({
        op: 'run',
        argv: command(keep ? 'add' : 'remove', more),
        affects: ['firewall:firewalld', 'firewall:nft'],
      });
      undo.push(
        command(keep ? 'remove' : 'add', more)
          .map(quote)
          .join(' '),
      );
    }
  }
  const path = recordOf(v);
  const recorded =
    state.record.type === 'file' && state.record.content !== undefined ? textOf(state.record.content) : undefined;
  const record = wanted ? [...ours].map((line) => `${line}\n`).join('') : undefined;
  const records: PlainOp[] = [];
  // What is there though we did not put it there stays the administrator's own until something has to be changed.
  if (recorded !== record && (recorded !== undefined || changes.length > 0)) {
    changes.push({what: path, before: recorded, after: record});
    if (record === undefined) records.push({op: 'remove', path});
    else
      records.push(
        {op: 'mkdir', path: recordFolder, mode: '0755', parents: true},
        {op: 'write', path, content: record, mode: '0644', owner: 'root', group: 'root'},
      );
  }
  // The same rule from before firewalld ran: it would go on refusing what is accepted now.
  const twin = withoutRule(v, state);
  const ops = [...removals, ...records, ...additions, ...twin.ops];
  return change(
    [...changes, ...twin.changes],
    guardOps(ops, v.guard, host, {
      restores: [path, ...twin.restores],
      undo: [
        ...(undo.length === 0 ? [] : [{op: 'run', argv: ['/bin/sh', '-c', undo.join('\n')]} satisfies RunOp]),
        ...twin.undo,
      ],
    }),
  );
}
