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
  sectionsOf,
  stdoutText,
  type AccountState,
  type Change,
  type FileState,
  type Host,
  type NftState,
  type Plan,
  type PlainOp,
  type Probe,
  type Problem,
} from '#kit';
import {renderFilter, rulesOfTable, sameFilters, type FilterRule} from '#formats/nft';

const table = 'tsplay';
const baseName = '00-firewall';
/** Whatever is accepted is looked at before what is refused, whatever order the tasks have. */
const baseText = `# Chains of the rules beside. Written by tsplay.
table inet ${table}
delete table inet ${table}
table inet ${table} {
	chain input_first {
	}
	chain input_last {
	}
	chain output_first {
	}
	chain output_last {
	}
	chain input {
		type filter hook input priority filter; policy accept;
		jump input_first
		jump input_last
	}
	chain output {
		type filter hook output priority filter; policy accept;
		jump output_first
		jump output_last
	}
}
`;

const params = {
  name: p.string('the rule’s own name; needed where several rules are about one port', {
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]*$',
    describe: 'a name of letters, digits, dots, dashes',
  }),
  state: p.choice(['present', 'absent'], 'there or not, now and after a boot', {default: 'present'}),
  port: p.string('a port, or the first and last of a range: 20001-20010', {
    pattern: '^\\d{1,5}(-\\d{1,5})?$',
    describe: 'a port such as 20001 or 20001-20010',
  }),
  proto: p.choice(['tcp', 'udp'], 'the protocol', {default: 'tcp', aliases: ['protocol']}),
  direction: p.choice(['in', 'out'], 'towards this host, or from it; default `in`, with `owner` `out`'),
  source: p.list(p.string('an address or network'), 'where from'),
  destination: p.list(p.string('an address or network'), 'where to'),
  interface: p.string('the network interface', {pattern: '^[^\\s"/]{1,15}$', describe: 'the name of an interface'}),
  owner: p.list(p.string('an account'), 'accounts on this host whose connections are meant', {aliases: ['skuid']}),
  except_owner: p.list(p.string('an account'), 'every account but these'),
  action: p.choice(['accept', 'drop', 'reject'], 'what becomes of it', {required: true}),
  others: p.choice(
    ['drop', 'reject', 'leave'],
    'with `action: accept` for some: what becomes of everybody else on this port (loopback aside for incoming traffic); firewalld refuses them anyway',
    {default: 'drop'},
  ),
  zone: p.string('the zone of firewalld; default its default zone', {pattern: '^[A-Za-z0-9_-]+$', describe: 'a zone'}),
  guard: guardParam,
  allow_lockout: allowLockoutParam,
};

type V = {
  readonly name: string | undefined;
  readonly state: 'present' | 'absent';
  readonly port: string | undefined;
  readonly proto: 'tcp' | 'udp';
  readonly direction: 'in' | 'out' | undefined;
  readonly source: readonly string[] | undefined;
  readonly destination: readonly string[] | undefined;
  readonly interface: string | undefined;
  readonly owner: readonly string[] | undefined;
  readonly except_owner: readonly string[] | undefined;
  readonly action: 'accept' | 'drop' | 'reject';
  readonly others: 'drop' | 'reject' | 'leave';
  readonly zone: string | undefined;
  readonly guard: number | 'off';
  readonly allow_lockout: boolean;
};

const ownersOf = (v: V): readonly string[] => v.owner ?? v.except_owner ?? [];
const hasOwner = (v: V): boolean => v.owner !== undefined || v.except_owner !== undefined;
const directionOf = (v: V): 'in' | 'out' => v.direction ?? (hasOwner(v) ? 'out' : 'in');
const nameOf = (v: V): string => v.name ?? [directionOf(v), v.proto, v.port ?? 'all', v.action].join('-');
const portsOf = (v: V): readonly [number] | readonly [number, number] | undefined => {
  const [first, last] = (v.port ?? '').split('-').map(Number);
  if (v.port === undefined || first === undefined) return undefined;
  return last === undefined ? [first] : [first, last];
};

type Firewalld = {
  readonly running: boolean;
  readonly zone: string;
  readonly answers: readonly {readonly now: boolean; readonly boot: boolean}[];
};
type State = {
  readonly nft: NftState;
  readonly base: FileState;
  readonly firewalld: Firewalld;
  readonly owners: readonly AccountState[];
  /** ports on which sshd listens */
  readonly sshPorts: readonly number[];
};

/** What firewalld is asked for: a plain port, or one rich rule for each source. */
function firewalldItems(v: V): readonly string[] {
  if (directionOf(v) === 'out' || v.port === undefined) return [];
  if (v.action === 'accept' && v.source === undefined && v.destination === undefined)
    return [`port=${v.port}/${v.proto}`];
  const tail = `port port="${v.port}" protocol="${v.proto}" ${v.action}`;
  const places: readonly (string | undefined)[] = v.source ?? [undefined];
  return places.flatMap((source) =>
    (v.destination ?? [undefined]).flatMap((destination) => {
      const known = source ?? destination;
      const family = known === undefined ? '' : ` family="${known.includes(':') ? 'ipv6' : 'ipv4'}"`;
      const from = source === undefined ? '' : ` source address="${source}"`;
      const to = destination === undefined ? '' : ` destination address="${destination}"`;
      return [`rich-rule=rule${family}${from}${to} ${tail}`];
    }),
  );
}

function firewalldProbe(v: V): Probe<Firewalld> {
  const items = firewalldItems(v);
  const zone = v.zone === undefined ? '' : `--zone=${v.zone}`;
  const fragment = `sec() { printf '\\001%s\\n' "$1"; }
command -v firewall-cmd >/dev/null 2>&1 && [ "$(firewall-cmd --state 2>/dev/null)" = running ] || exit 0
sec zone; ${v.zone === undefined ? 'firewall-cmd --get-default-zone' : `echo ${quote(v.zone)}`}
${items
  .map(
    (item, i) => `sec ${quote(`now ${i}`)}; firewall-cmd ${zone} ${quote(`--query-${item}`)} 2>&1
sec ${quote(`boot ${i}`)}; firewall-cmd --permanent ${zone} ${quote(`--query-${item}`)} 2>&1`,
  )
  .join('\n')}
:`;
  return read(
    rawShell(fragment),
    (reply) => {
      const sections = sectionsOf(stdoutText(reply));
      const yes = (name: string): boolean => sections.get(name)?.trim() === 'yes';
      return {
        running: sections.has('zone'),
        zone: sections.get('zone')?.trim() ?? '',
        answers: items.map((_, i) => ({now: yes(`now ${i}`), boot: yes(`boot ${i}`)})),
      };
    },
    {dependsOn: ['firewall:firewalld', 'unit:firewalld.service', 'package:firewalld', 'tree:/etc/firewalld']},
  );
}

/** Who may reach a port of this host, or which account which port elsewhere. */
export default defineModule({
  name: 'firewall_rule',
  summary: 'A firewall rule, now and after a boot: firewalld where it runs, else nftables',
  params,
  examples: [
    '- firewall_rule:\n    port: 20002\n    source: [10.77.0.0/16, "fd00:77::/64"]\n    action: accept\n',
    '- firewall_rule:\n    port: 20001\n    except_owner: [root]\n    destination: [127.0.0.0/8, "::1"]\n    action: reject\n',
    '- firewall_rule:\n    port: 20002\n    action: accept\n    state: absent\n',
  ],
  check: (v) => {
    const problems: Problem[] = [];
    const ports = portsOf(v) ?? [];
    if (ports.some((port) => port < 1 || port > 65535) || (ports[1] !== undefined && ports[1] <= ports[0]!))
      problems.push({
        code: 'bad-port',
        message: `"${v.port ?? ''}" is no port or range`,
        param: '/port',
        help: 'port: 20001, or "20001-20010"',
      });
    for (const key of ['source', 'destination'] as const) {
      const given = v[key];
      (given ?? []).forEach((address, i) => {
        if (networkOf(address) === undefined)
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
    if (v.owner !== undefined && v.except_owner !== undefined)
      problems.push({
        code: 'bad-combination',
        message: '`owner` and `except_owner` exclude each other',
        param: '/except_owner',
      });
    if (hasOwner(v) && v.direction === 'in')
      problems.push({
        code: 'bad-combination',
        message: 'only connections from this host have an owner',
        param: '/direction',
        help: 'direction: out',
      });
    if (v.owner?.length === 0)
      problems.push({code: 'empty-list', message: 'an empty `owner` means nobody', param: '/owner'});
    if (
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
      });
    return problems;
  },
  probe: (v) =>
    all({
      nft: nftProbe(`50-${nameOf(v)}`),
      base: file(nftFile(baseName), {content: 'always'}),
      firewalld: firewalldProbe(v),
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

function planRule(v: V, now: State, host: Host): Plan {
  const lockout = v.state === 'present' ? lockoutProblem(v, now, host) : undefined;
  if (lockout !== undefined) return refuseAll([lockout]);
  if (now.firewalld.running && directionOf(v) === 'in') return planFirewalld(v, now.firewalld, host);
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
    now.owners[i]?.type === 'absent' && v.state === 'present'
      ? [
          {
            code: 'account-missing',
            message: `there is no account ${name} on this host`,
            param: `/${v.owner === undefined ? 'except_owner' : 'owner'}/${i}`,
            help: 'make it first, or leave it out',
          },
        ]
      : [],
  );
  if (isNonEmpty(missing)) return refuseAll(missing);
  const rules = rulesFor(v, now.owners);
  const comment = `tsplay: ${nameOf(v)}`;
  const listed = rulesOfTable(now.nft.ruleset, table, comment);
  const what = `nftables rule ${nameOf(v)}`;
  const diff =
    v.state === 'absent'
      ? nftDiff(
          `50-${nameOf(v)}`,
          {text: undefined, live: listed.length > 0, what, shown: textOf(rules), table},
          now.nft,
        )
      : nftDiff(
          `50-${nameOf(v)}`,
          {
            text: rules
              .flatMap((rule) => renderFilter(rule).map((line) => `add rule inet ${table} ${rule.chain} ${line}\n`))
              .join(''),
            live: sameFilters(listed, rules) && hooked(now.nft),
            what,
            shown: textOf(rules),
            table,
            base: {name: baseName, text: baseText, state: now.base},
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

/** Whether our chains hang where packets pass. */
function hooked(now: NftState): boolean {
  return (['input', 'output'] as const).every(
    (name) =>
      now.ruleset?.chains.some(
        (one) => one.family === 'inet' && one.table === table && one.name === name && one.hook === name,
      ) === true,
  );
}

function textOf(rules: readonly FilterRule[]): string {
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
  const about = {comment: `tsplay: ${nameOf(v)}`, protocol: v.proto, ...(ports === undefined ? {} : {ports})};
  const to = v.destination === undefined ? {} : {destinations: v.destination};
  const own: FilterRule = {
    ...about,
    ...to,
    chain: `${side}_${v.action === 'accept' ? 'first' : 'last'}`,
    ...(v.source === undefined ? {} : {sources: v.source}),
    ...(v.interface === undefined ? {} : side === 'input' ? {inward: v.interface} : {outward: v.interface}),
    ...(v.owner === undefined ? {} : {owners: {only: uids}}),
    ...(v.except_owner === undefined ? {} : {owners: {except: uids}}),
    action: v.action,
  };
  const some = v.source !== undefined || v.interface !== undefined || hasOwner(v);
  if (v.action !== 'accept' || !some || v.others === 'leave' || ports === undefined) return [own];
  return [
    own,
    {
      ...about,
      ...to,
      chain: `${side}_last`,
      ...(side === 'input' ? {aside: 'loopback' as const} : {}),
      action: v.others,
    },
  ];
}

/** A network as its bytes and the number of bits that count. */
function networkOf(text: string): {readonly bytes: readonly number[]; readonly bits: number} | undefined {
  const [address = '', length, ...rest] = text.split('/');
  if (rest.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return undefined;
  let bytes: number[];
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address)) bytes = address.split('.').map(Number);
  else {
    if (!/^[0-9a-fA-F:]+$/.test(address) || !URL.canParse(`http://[${address}]`)) return undefined;
    const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
    const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
    const [front, back] = [groups(head), groups(tail ?? '')];
    bytes = [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back].flatMap((one) => [
      one >> 8,
      one & 255,
    ]);
  }
  const bits = length === undefined ? bytes.length * 8 : Number(length);
  return bytes.some((one) => one > 255) || bits > bytes.length * 8 ? undefined : {bytes, bits};
}

/** Whether a network holds an address. */
function holds(network: string, address: string): boolean {
  const [wide, narrow] = [networkOf(network), networkOf(address)];
  if (wide === undefined || narrow?.bytes.length !== wide.bytes.length) return false;
  const bit = (bytes: readonly number[], i: number): number => ((bytes[i >> 3] ?? 0) >> (7 - (i & 7))) & 1;
  return Array.from({length: wide.bits}, (_, i) => i).every((i) => bit(wide.bytes, i) === bit(narrow.bytes, i));
}

/** A rule that would cut the connection that makes it. */
function lockoutProblem(v: V, now: State, host: Host): Problem | undefined {
  const from = host.connection.from.replace(/^::ffff:/, '');
  if (v.allow_lockout || directionOf(v) === 'out' || v.proto !== 'tcp' || from === '') return undefined;
  const [first, last] = portsOf(v) ?? [1, 65535];
  const ports = now.sshPorts.length === 0 ? [22] : now.sshPorts;
  if (!ports.some((port) => port >= first && port <= (last ?? first))) return undefined;
  const meant = v.source === undefined || v.source.some((one) => holds(one, from));
  const shut = v.action === 'accept' ? v.source !== undefined && !meant && v.others !== 'leave' : meant;
  if (!shut) return undefined;
  return {
    code: 'lockout',
    message: `this would cut the SSH connection from ${from}`,
    param: v.source === undefined ? '/port' : '/source',
    help: `let ${from} in, or set \`allow_lockout: true\``,
  };
}

/** The same in firewalld's words, in the running and in the permanent configuration. */
function planFirewalld(v: V, now: Firewalld, host: Host): Plan {
  if (v.interface !== undefined)
    return refuse('needs-zone', 'firewalld knows interfaces by their zones', {
      param: '/interface',
      help: `zone: the one of ${v.interface} (firewall-cmd --get-zone-of-interface=${v.interface})`,
    });
  if (v.port === undefined)
    return refuse('needs-port', 'a rule for firewalld needs a port', {param: '/port', help: 'port: 20002'});
  const wanted = v.state === 'present';
  const changes: Change[] = [];
  const ops: PlainOp[] = [];
  const undo: string[] = [];
  const zone = v.zone === undefined ? [] : [`--zone=${v.zone}`];
  firewalldItems(v).forEach((item, i) => {
    const answer = now.answers[i] ?? {now: false, boot: false};
    const shown = item.replace(/^(port|rich-rule)=/, '');
    const command = (more: readonly string[]): PlainOp => ({
      op: 'run',
      argv: ['firewall-cmd', '-q', ...more, ...zone, `--${wanted ? 'add' : 'remove'}-${item}`],
      affects: ['firewall:firewalld', 'firewall:nft'],
    });
    for (const [which, is, more] of [
      ['', answer.now, []],
      [' (at boot)', answer.boot, ['--permanent']],
    ] as const) {
      if (is === wanted) continue;
      changes.push({
        what: `firewalld zone ${now.zone}${which}`,
        before: wanted ? undefined : shown,
        after: wanted ? shown : undefined,
      });
      ops.push(command(more));
      undo.push(
        ['firewall-cmd', '-q', ...more, ...zone, `--${wanted ? 'remove' : 'add'}-${item}`].map(quote).join(' '),
      );
    }
  });
  return change(
    changes,
    guardOps(ops, v.guard, host, {
      restores: [],
      undo: undo.length === 0 ? [] : [{op: 'run', argv: ['/bin/sh', '-c', undo.join('\n')]}],
    }),
  );
}
