import {
  account,
  all,
  allowLockoutParam,
  change,
  defineModule,
  file,
  fileDiff,
  guardOps,
  guardParam,
  homeFile,
  isNonEmpty,
  list,
  map,
  nftDiff,
  nftHasTable,
  nftHolds,
  nftProbe,
  p,
  platformOf,
  read,
  refuse,
  refuseAll,
  rawShell,
  sh,
  sha256,
  stdoutText,
  textOf,
  type AccountState,
  type Change,
  type FileState,
  type HomeFile,
  type Host,
  type NftState,
  type Op,
  type Plan,
  type PlainOp,
  type Probe,
  type Problem,
  type RunOp,
} from '#kit';
import {
  effectiveOptions,
  keepOnlyKeys,
  keysOf,
  parseAuthorizedKeys,
  parseKey,
  printAuthorizedKeys,
  removeKey,
  sameKey,
  setKey,
  sha256Fingerprint,
  type AuthorizedKey,
  type AuthorizedKeys,
  type KeyOption,
} from '#formats/authorized-keys';
import {renderTable, type OwnerRule} from '#formats/nft';
import {blocksOf, dropInPlace, parseEffective, parseSshd, renderDropIn, renderMatchBlock} from '#formats/sshd-config';

const mainConfig = '/etc/ssh/sshd_config';

const params = {
  user: p.string('the tunnel account', {
    required: true,
    aliases: ['name'],
    pattern: '^[A-Za-z_][A-Za-z0-9_.-]*\\$?$',
    describe: 'an account name',
  }),
  state: p.choice(['present', 'absent'], 'restricted, or everything of it taken away', {default: 'present'}),
  keys: p.list(p.string('a line of a public key file'), 'public keys that may log in, restricted to the tunnel'),
  from: p.list(p.string('an address, network or host pattern'), 'where the keys may be used from', {
    aliases: ['from_addresses'],
  }),
  permit_open: p.list(p.string('host:port'), 'the targets that a tunnel may lead to; the empty list permits none', {
    aliases: ['permitopen'],
  }),
  deny_others: p.either(
    p.boolean('an nftables rule'),
    p.choice(['all_forwarding'], 'sshd forbids all forwarding'),
    'nobody else may reach these targets from this host: by an nftables rule for the owner of a connection; `all_forwarding`: sshd forbids forwarding to everybody else instead',
  ),
  except: p.list(p.string('an account'), 'accounts that `deny_others` leaves alone', {default: []}),
  exclusive: p.boolean('these keys and no others', {default: false}),
  authorized_keys: p.path('the file with the keys; default: the account’s own'),
  drop_in: p.path('the file below sshd_config.d; default /etc/ssh/sshd_config.d/50-tsplay-USER.conf'),
  force_command: p.string('what runs in place of a shell; default: the platform’s nologin'),
  guard: guardParam,
  allow_lockout: allowLockoutParam,
};

type Wanted = {
  readonly user: string;
  readonly permit: readonly string[];
  readonly dropIn: string;
  readonly forceCommand: string;
  readonly keysFile: string | undefined;
  readonly denyAll: boolean;
  readonly except: readonly string[];
};

type Effective = {
  /** what `sshd -T` printed for one kind of connection; undefined where it failed */
  readonly values: ReadonlyMap<string, readonly string[]> | undefined;
  readonly user: string;
  readonly address: string;
  readonly problem: string;
};

type SshdState = {
  readonly installed: boolean;
  readonly effective: readonly Effective[];
  /** the running daemon read its configuration before these files changed */
  readonly stale: readonly string[];
  /** all configuration files with their text, in the order of the folder */
  readonly files: readonly {readonly path: string; readonly text: string}[];
};

function dropInOf(v: {readonly user: string; readonly drop_in?: string | undefined}): string {
  return v.drop_in ?? `/etc/ssh/sshd_config.d/50-tsplay-${v.user}.conf`;
}

/** One address that a `from` entry stands for, to ask sshd about. */
function sampleOf(from: string): string | undefined {
  const address = from.replace(/\/\d+$/, '').replace(/^\[|\]$/g, '');
  return /^[0-9a-fA-F:.]+$/.test(address) ? address : undefined;
}

/** What sshd makes of the files for the account from each address, and for somebody else; and whether the daemon has read them. */
function sshdProbe(user: string, addresses: readonly string[], dropIn: string): Probe<SshdState> {
  const asks = [...addresses.map((a) => `${user} ${a}`), ...addresses.slice(0, 1).map((a) => `nobody ${a}`)];
  const fragment = sh`command -v sshd >/dev/null 2>&1 || exit 127
s=$(command -v sshd)
for q in ${asks}; do
  printf '\001ask %s\n' "$q"
  u=${rawShell('${q%% *}')}; a=${rawShell('${q#* }')}
  "$s" -T -C "user=$u,host=$a,addr=$a,laddr=127.0.0.1,lport=22" 2>&1 || printf '\001failed\n'
done
pid=$("$s" -T 2>/dev/null | sed -n 's/^pidfile //p'); [ -n "$pid" ] || pid=/run/sshd.pid
if [ -f "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; then
  printf '\001stale\n'; find ${[mainConfig, dropIn]} -newer "$pid" 2>/dev/null
fi
for f in ${mainConfig} /etc/ssh/sshd_config.d/*.conf; do
  [ -f "$f" ] && { printf '\001file %s\n' "$f"; cat "$f"; echo; }
done; :`;
  return read(
    fragment,
    (reply) => {
      const effective: Effective[] = [];
      const files: {path: string; text: string}[] = [];
      let stale: readonly string[] = [];
      for (const part of stdoutText(reply).split('\u0001').slice(1)) {
        const end = part.indexOf('\n');
        const [kind, ...rest] = part.slice(0, end).split(' ');
        const body = part.slice(end + 1);
        if (kind === 'ask')
          effective.push({
            user: rest[0] ?? '',
            address: rest[1] ?? '',
            values: parseEffective(body),
            problem: body.trim(),
          });
        else if (kind === 'failed') {
          const last = effective.pop();
          if (last !== undefined) effective.push({...last, values: undefined});
        } else if (kind === 'stale') stale = body.split('\n').filter((line) => line !== '');
        else if (kind === 'file') files.push({path: rest.join(' '), text: body.replace(/\n$/, '')});
      }
      return {installed: reply.exit !== 127, effective, stale, files};
    },
    {dependsOn: ['tree:/etc/ssh', 'unit:ssh.service', 'unit:sshd.service', 'package:openssh-server']},
  );
}

type Setting = readonly [keyword: string, args: readonly string[]];

/** What the Match block of the account says. `AllowTcpForwarding` knows nothing of sockets, so those are closed by a line of their own. */
function settingsOf(w: Wanted): readonly Setting[] {
  return [
    ['AllowTcpForwarding', [w.permit.length === 0 ? 'no' : 'local']],
    ['PermitOpen', w.permit.length === 0 ? ['none'] : w.permit],
    ['AllowStreamLocalForwarding', ['no']],
    ['AllowAgentForwarding', ['no']],
    ['X11Forwarding', ['no']],
    ['GatewayPorts', ['no']],
    ['PermitTunnel', ['no']],
    ['PermitTTY', ['no']],
    ['PermitUserRC', ['no']],
    ['ForceCommand', [w.forceCommand]],
    ['AuthenticationMethods', ['publickey']],
    ...(w.keysFile === undefined ? [] : ([['AuthorizedKeysFile', [w.keysFile]]] as const)),
  ];
}

/** Somebody else's settings where all forwarding is forbidden to them. */
const closed: readonly Setting[] = [
  ['AllowTcpForwarding', ['no']],
  ['AllowStreamLocalForwarding', ['no']],
];

function dropInText(w: Wanted): string {
  const header = `Limits of the tunnel account ${w.user}. Written by tsplay.`;
  const own = renderDropIn({User: w.user}, settingsOf(w).map(joined), header);
  if (!w.denyAll) return own;
  const others = ['*', ...[w.user, ...w.except].map((name) => `!${name}`)].join(',');
  return `${own}\n${renderMatchBlock({User: others}, closed)}`;
}

/** A command is one text for sshd, blanks and all: it takes the rest of the line as it is. */
function joined([keyword, args]: Setting): Setting {
  return keyword === 'ForceCommand' ? [keyword, args.join(' ').split(' ')] : [keyword, args];
}

/** What `sshd -T` must print. */
function wantedEffective(settings: readonly Setting[]): readonly (readonly [string, string])[] {
  return settings.map(([keyword, args]) => [keyword.toLowerCase(), args.join(' ')]);
}

function sameEffective(keyword: string, wanted: string, found: string): boolean {
  const set = (text: string): string => text.toLowerCase().split(/\s+/).sort().join(' ');
  if (keyword === 'forcecommand' || keyword === 'authorizedkeysfile') return wanted === found;
  return set(wanted) === set(found);
}

type Override = {readonly keyword: string; readonly wanted: string; readonly found: string; readonly address: string};

function overridesIn(effective: Effective, settings: readonly Setting[]): readonly Override[] {
  return wantedEffective(settings).flatMap(([keyword, wanted]) => {
    const found = (effective.values?.get(keyword) ?? []).join(' ');
    return sameEffective(keyword, wanted, found) ? [] : [{keyword, wanted, found, address: effective.address}];
  });
}

/** One of each keyword: the same line is to blame, whatever the address. */
function firstOfEach(overrides: readonly Override[]): readonly Override[] {
  return overrides.filter((one, i) => overrides.findIndex((other) => other.keyword === one.keyword) === i);
}

/** The lines of other files that set the keyword in a Match block: what may have won over ours. */
function suspects(state: SshdState, dropIn: string, keyword: string): string {
  const places = state.files
    .filter((one) => one.path !== dropIn)
    .flatMap(({path, text}) => {
      const config = parseSshd(text);
      return blocksOf(config)
        .filter((block) => block.criteria !== undefined)
        .flatMap((block) =>
          config.lines.flatMap((line, i) =>
            i > block.start && i < block.end && line.kind === 'directive' && line.keyword === keyword
              ? [`${path}:${i + 1}`]
              : [],
          ),
        );
    });
  return places.length === 0 ? 'an earlier Match block' : places.join(', ');
}

/** The same comparison on the host, before the daemon is told: exits 1 and names the first value that is not as declared. */
function proof(user: string, addresses: readonly string[], settings: readonly Setting[]): PlainOp {
  const wanted = wantedEffective(settings).map(([k, v]) => `${k} ${v}`);
  const script = `u=$1; shift; n=$1; shift
while [ "$n" -gt 0 ]; do a="$a $1"; shift; n=$((n-1)); done
sshd -t || exit 1
for addr in $a; do
  out=$(sshd -T -C "user=$u,host=$addr,addr=$addr,laddr=127.0.0.1,lport=22") || exit 1
  for want do
    k=\${want%% *}
    found=$(printf '%s\\n' "$out" | sed -n "s/^$k //p" | tr '\\n' ' ')
    w=$(printf '%s\\n' \${want#* } | LC_ALL=C sort); f=$(printf '%s\\n' $found | LC_ALL=C sort)
    if [ "$w" != "$f" ]; then
      echo "for $u from $addr sshd would use \\"$k $found\\" instead of \\"$want\\": an earlier Match block sets it" >&2; exit 1
    fi
  done
done`;
  return {
    op: 'run',
    argv: ['/bin/sh', '-fc', script, 'sh', user, String(addresses.length), ...addresses, ...wanted],
    affects: [],
  };
}

/** Reload by whatever runs the daemon, and wait until it has read the files: its PID file is new then. */
function reload(unit: string): RunOp {
  const script = `pid=$(sshd -T 2>/dev/null | sed -n 's/^pidfile //p'); pid=\${pid:-/run/sshd.pid}
[ -f "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null || exit 0
mark=$(mktemp) || exit 1; trap 'rm -f "$mark"' EXIT
if [ -d /run/systemd/system ] && systemctl -q is-active "$1"; then systemctl reload "$1"; else sshd -t && kill -HUP "$(cat "$pid")"; fi || exit 1
i=0; while [ $i -lt 50 ]; do
  if [ -f "$pid" ] && [ -n "$(find "$pid" -newer "$mark")" ]; then exit 0; fi
  sleep 0.1; i=$((i+1))
done
echo "sshd did not come back after the reload" >&2; exit 1`;
  return {op: 'run', argv: ['/bin/sh', '-c', script, 'sh', unit]};
}

/** Options that narrow a key further; where the playbook does not speak of them, an existing line keeps them. */
const narrowing = new Set(['from', 'expiry-time', 'command', 'verify-required']);

function keyOptions(
  permit: readonly string[],
  from: readonly string[] | undefined,
  old: AuthorizedKey | undefined,
): readonly KeyOption[] {
  const kept = (old?.options ?? []).filter((o) => narrowing.has(o.name) && !(o.name === 'from' && from !== undefined));
  return [
    {name: 'restrict'},
    ...(permit.length === 0
      ? []
      : [{name: 'port-forwarding'}, ...permit.map((value) => ({name: 'permitopen', value}))]),
    ...(from === undefined || from.length === 0 ? [] : [{name: 'from', value: from.join(',')}]),
    ...kept,
  ];
}

/** Host and port of a target; undefined for what sshd would not take. */
function targetOf(text: string): {readonly host: string; readonly port: number} | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:\s[\]]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2] ?? 0);
  return match === null || port < 1 || port > 65535
    ? undefined
    : {host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port};
}

function isAddress(host: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) || host.includes(':');
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

const tableOf = (user: string): string => `tsplay_ssh_${user.replace(/[^A-Za-z0-9_]/g, '_')}`;
const storeOf = (user: string): string => `60-ssh-${user.replace(/[^A-Za-z0-9_]/g, '_')}`;

/** One owner rule for each target: whoever is not excepted gets a reset. */
function denyRules(user: string, permit: readonly string[], uids: readonly number[]): readonly OwnerRule[] {
  return permit.flatMap((target): OwnerRule[] => {
    const place = targetOf(target);
    if (place === undefined) return [];
    return [
      {
        kind: 'owner',
        comment: `tsplay: ${target} for ${user} only`,
        port: place.port,
        refused: {except: uids},
        destinations: isLocal(place.host) ? 'loopback' : [place.host],
      },
    ];
  });
}

/** A tunnel account: its keys, what sshd lets it do, and that nobody else reaches its targets. */
export default defineModule({
  name: 'ssh_restrict',
  summary: 'A tunnel account: its keys, limits in the daemon, and nobody else on its targets',
  params,
  examples: [
    `- user:
    name: uvmb
    shell: /usr/sbin/nologin
    create_home: true
- ssh_restrict:
    user: uvmb
    keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUZ3zFTSrUzmF+zzo2QGFGyUnsCq9C9HWZzEVNrw3cL myself@mylap"]
    from: [192.168.0.5]
    permit_open: ["localhost:20001"]
    deny_others: true
    except: [root]
`,
    '- ssh_restrict:\n    user: uvmb\n    state: absent\n',
  ],
  check: (v) => {
    const problems: Problem[] = [];
    if (v.state === 'present' && v.permit_open === undefined)
      problems.push({
        code: 'missing-param',
        message: 'without `permit_open` the account could reach every target',
        param: '/permit_open',
        help: 'permit_open: ["localhost:20001"], or [] for none',
      });
    (v.permit_open ?? []).forEach((target, i) => {
      const place = targetOf(target);
      const param = `/permit_open/${i}`;
      if (place === undefined)
        problems.push({
          code: 'bad-target',
          message: `"${target}" is no target`,
          param,
          help: 'host:port, for instance "localhost:20001" or "[::1]:20001"',
        });
      else if (v.deny_others === true && !isLocal(place.host) && !isAddress(place.host))
        problems.push({
          code: 'bad-target',
          message: `a firewall rule needs an address, "${place.host}" is a name`,
          param,
          help: 'write the address, or localhost',
        });
    });
    (v.keys ?? []).forEach((line, i) => {
      const key = parseKey(line);
      const param = `/keys/${i}`;
      if (key === undefined)
        problems.push({
          code: 'bad-key',
          message: 'this is no public key',
          param,
          help: 'one line of a .pub file: "ssh-ed25519 AAAA… comment"',
        });
      else if (key.options.length > 0)
        problems.push({
          code: 'key-options',
          message: 'the options of the key follow from the other parameters',
          param,
          help: 'write the key alone',
        });
    });
    (v.from ?? []).forEach((pattern, i) => {
      if (pattern.trim() === '' || /[\s"]/.test(pattern))
        problems.push({
          code: 'bad-from',
          message: `"${pattern}" is no address or pattern`,
          param: `/from/${i}`,
          help: 'from: [192.168.0.5]',
        });
    });
    if (v.exclusive && (v.keys ?? []).length === 0 && v.state === 'present')
      problems.push({
        code: 'bad-combination',
        message: '`exclusive` without `keys` would remove every key',
        param: '/exclusive',
        help: 'name the keys that shall stay',
      });
    if (
      v.deny_others !== undefined &&
      v.deny_others !== false &&
      (v.permit_open ?? []).length === 0 &&
      v.state === 'present'
    )
      problems.push({
        code: 'bad-combination',
        message: '`deny_others` needs targets in `permit_open`',
        param: '/deny_others',
      });
    if (v.except.length > 0 && (v.deny_others === undefined || v.deny_others === false))
      problems.push({
        code: 'bad-combination',
        message: '`except` goes with `deny_others`',
        param: '/except',
        severity: 'warning',
      });
    if (v.force_command !== undefined && /["\n]/.test(v.force_command))
      problems.push({
        code: 'bad-command',
        message: 'the command may hold no quote or line break',
        param: '/force_command',
      });
    return problems;
  },
  probe: (v) =>
    all({
      account: account(v.user),
      except: list(v.except.map((name) => account(name))),
      keys: homeFile(v.user, '.ssh/authorized_keys', v.authorized_keys),
      dropIn: file(dropInOf(v), {content: 'always'}),
      main: file(mainConfig, {content: 'always'}),
      sshd: sshdProbe(v.user, addressesOf(v.from), dropInOf(v)),
      nft:
        v.deny_others === undefined && v.state === 'present'
          ? map(list<NftState>([]), () => undefined as NftState | undefined)
          : map(nftProbe(storeOf(v.user)), (state): NftState | undefined => state),
    }),
  plan: (v, now, host): Plan => {
    if (v.state === 'absent') return planAbsent(v, now, host);
    const dropIn = dropInOf(v);
    const problems = obstacles(v, now, host, dropIn);
    if (isNonEmpty(problems)) return refuseAll(problems);
    if (now.account.type !== 'account') return missingAccount(v.user);
    const permit = v.permit_open ?? [];
    const wanted: Wanted = {
      user: v.user,
      permit,
      dropIn,
      forceCommand: v.force_command ?? platformOf(host.facts).nologinShell,
      keysFile: v.authorized_keys,
      denyAll: v.deny_others === 'all_forwarding',
      except: v.except,
    };
    const keys = planKeys(v, now.account, now.keys);
    if (keys.refusal !== undefined) return keys.refusal;
    const text = dropInText(wanted);
    const daemon = fileDiff(
      {
        path: dropIn,
        content: text,
        mode: '0644',
        owner: 'root',
        group: 'root',
        validate: ['sshd', '-t', '-f', {candidate: true}],
      },
      now.dropIn,
    );
    if (daemon.refusal !== undefined) return daemon.refusal;
    const settings = settingsOf(wanted);
    const addresses = addressesOf(v.from);
    const settled = !daemon.changes.some((one) => one.what === 'content');
    if (settled) {
      const broken = now.sshd.effective.find((one) => one.values === undefined);
      if (broken !== undefined)
        return refuse('sshd-broken', `sshd cannot read its configuration: ${broken.problem.split('\n')[0] ?? ''}`, {
          help: 'repair the file that the message names',
        });
      const overrides = firstOfEach(
        now.sshd.effective.flatMap((one) =>
          one.user === v.user ? overridesIn(one, settings) : wanted.denyAll ? overridesIn(one, closed) : [],
        ),
      );
      const found = overrides.map((one): Problem => ({
        code: 'sshd-overridden',
        message: `sshd uses "${one.keyword} ${one.found}" from ${one.address} instead of "${one.keyword} ${one.wanted}": set by ${suspects(now.sshd, dropIn, one.keyword)}`,
        help: `the first value wins: remove it there, or let this drop-in come first with \`drop_in: ${dropIn.replace(/\/\d*-?([^/]*)$/, '/00-$1')}\``,
      }));
      if (isNonEmpty(found)) return refuseAll(found);
    }
    const stale = settled && now.sshd.stale.length > 0;
    const unit = platformOf(host.facts).sshdUnit;
    const daemonChanges: Change[] = [
      ...named(daemon.changes, dropIn),
      ...(stale
        ? [{what: 'sshd', before: `started before ${now.sshd.stale.join(', ')} changed`, after: 'reloaded'}]
        : []),
    ];
    const daemonOps: PlainOp[] =
      daemonChanges.length === 0
        ? []
        : [
            ...(daemon.ops as readonly PlainOp[]),
            proof(v.user, addresses, settings),
            ...(settled && !stale ? [] : [{...reload(unit), affects: [`unit:${unit}` as const]}]),
          ];
    const deny = planDeny(v, now, now.account.uid);
    if (deny.refusal !== undefined) return deny.refusal;
    const findings = [...policy(v.user, now.account, now.keys, v.keys ?? []), ...deny.findings];
    const ops: Op[] = [
      ...keys.ops,
      ...(daemonOps.length + deny.ops.length === 0
        ? []
        : guardOps([...daemonOps, ...deny.ops], v.guard, host, {
            restores: [...(daemonOps.length === 0 ? [] : [dropIn]), ...deny.restores],
            undo: [...(daemonOps.length === 0 ? [] : [reload(unit)]), ...deny.undo],
          })),
    ];
    return change([...keys.changes, ...daemonChanges, ...deny.changes], ops, {findings});
  },
});

type State = {
  readonly account: AccountState;
  readonly except: readonly AccountState[];
  readonly keys: HomeFile;
  readonly dropIn: FileState;
  readonly main: FileState;
  readonly sshd: SshdState;
  readonly nft: NftState | undefined;
};
type Declared = {
  readonly user: string;
  readonly keys: readonly string[] | undefined;
  readonly from: readonly string[] | undefined;
  readonly permit_open: readonly string[] | undefined;
  readonly deny_others: boolean | string | undefined;
  readonly except: readonly string[];
  readonly exclusive: boolean;
  readonly drop_in: string | undefined;
  readonly authorized_keys: string | undefined;
  readonly guard: number | 'off';
  readonly allow_lockout: boolean;
};

/** The addresses to ask sshd about: one for every `from`, else one that no rule knows (RFC 5737). */
function addressesOf(from: readonly string[] | undefined): readonly string[] {
  const samples = (from ?? []).flatMap((one) => sampleOf(one) ?? []);
  return samples.length === 0 ? ['192.0.2.1'] : [...new Set(samples)];
}

function missingAccount(user: string): Plan {
  return refuse('account-missing', `there is no account ${user} on this host`, {
    param: '/user',
    help: `make it first: a task with \`user: {name: ${user}, shell: /usr/sbin/nologin}\``,
  });
}

function named(changes: readonly Change[], path: string): readonly Change[] {
  return changes.map((one) => ({...one, what: one.what === 'content' ? path : `${path}: ${one.what}`}));
}

/** What keeps the module from working here, or the administrator from coming back. */
function obstacles(v: Declared, now: State, host: Host, dropIn: string): readonly Problem[] {
  const problems: Problem[] = [];
  if (now.account.type === 'absent')
    return [
      {
        code: 'account-missing',
        message: `there is no account ${v.user} on this host`,
        param: '/user',
        help: `make it first: a task with \`user: {name: ${v.user}, shell: /usr/sbin/nologin}\``,
      },
    ];
  if (!now.sshd.installed)
    return [
      {
        code: 'no-sshd',
        message: 'there is no sshd on this host',
        help: 'install openssh-server, or use `become: true` so that it is in the PATH',
      },
    ];
  if (v.user === host.connection.user && !v.allow_lockout)
    problems.push({
      code: 'lockout',
      message: `${v.user} is the account of this very connection: it would lose its shell`,
      param: '/user',
      help: 'connect as another account, or set `allow_lockout: true`',
    });
  v.except.forEach((name, i) => {
    if (now.except[i]?.type === 'absent')
      problems.push({
        code: 'account-missing',
        message: `there is no account ${name} on this host`,
        param: `/except/${i}`,
        help: 'leave it out, or make it first',
      });
  });
  const main = now.main.type === 'link' ? now.main.followed : now.main;
  const text = main.type === 'file' && main.content !== undefined ? textOf(main.content) : undefined;
  if (text === undefined)
    problems.push({code: 'unreadable', message: `${mainConfig} cannot be read`, help: 'use `become: true`'});
  else {
    const place = dropInPlace(parseSshd(text), dropIn);
    if (!place.ok)
      problems.push({
        code: place.problems[0].code,
        message: place.problems[0].message,
        help: `make it the first line of ${mainConfig}: Include ${dropIn.replace(/[^/]*$/, '*.conf')}`,
      });
  }
  return problems;
}

type KeysPlan = {readonly changes: readonly Change[]; readonly ops: readonly Op[]; readonly refusal?: Plan};

/** The account's file with the declared keys, restricted; everything else in it keeps its place. */
function planKeys(v: Declared, owner: Extract<AccountState, {type: 'account'}>, now: HomeFile): KeysPlan {
  if (v.keys === undefined) return {changes: [], ops: []};
  const path = now.path ?? '';
  const below = now.home !== '' && now.home !== '/' && path.startsWith(`${now.home}/`);
  if (below && now.homeState.type !== 'directory' && now.homeState.type !== 'link')
    return {
      changes: [],
      ops: [],
      refusal: refuse('no-home', `the home directory ${now.home} of ${v.user} does not exist`, {
        help:
          'make it (`user: {create_home: true}`), or name another file: `authorized_keys: /etc/ssh/authorized_keys.d/' +
          v.user +
          '`',
      }),
    };
  if (now.folder.type !== 'absent' && now.folder.type !== 'directory')
    return {
      changes: [],
      ops: [],
      refusal: refuse('not-a-directory', `${path.replace(/\/[^/]*$/, '')} is a ${now.folder.type}, not a directory`),
    };
  const present = readKeys(now.file);
  let keys: AuthorizedKeys = present;
  const declared = v.keys.flatMap((line) => parseKey(line) ?? []);
  for (const key of declared) {
    const old = keysOf(present).find((one) => sameKey(one, key));
    keys = setKey(keys, {...key, options: keyOptions(v.permit_open ?? [], v.from, old)});
  }
  if (v.exclusive) keys = keepOnlyKeys(keys, declared);
  const who = below ? {owner: v.user, group: owner.primaryGroup} : {owner: 'root', group: 'root'};
  const diff = fileDiff({path, content: printAuthorizedKeys(keys), mode: below ? '0600' : '0644', ...who}, now.file);
  if (diff.refusal !== undefined) return {changes: [], ops: [], refusal: diff.refusal};
  const folder = path.replace(/\/[^/]*$/, '') || '/';
  const folderOps: Op[] =
    now.folder.type === 'absent' && diff.ops.length > 0
      ? [{op: 'mkdir', path: folder, mode: below ? '0700' : '0755', ...who, parents: true}]
      : [];
  return {changes: named(diff.changes, path), ops: [...folderOps, ...diff.ops]};
}

function readKeys(state: FileState): AuthorizedKeys {
  return parseAuthorizedKeys(
    state.type === 'file' && state.content !== undefined ? new TextDecoder().decode(state.content) : '',
  );
}

/** What the account can do that a tunnel account should not be able to. */
function policy(user: string, state: AccountState, now: HomeFile, declared: readonly string[]): readonly Problem[] {
  const findings: Problem[] = [];
  if (state.type === 'account' && !/\/(nologin|false)$/.test(state.shell))
    findings.push({
      severity: 'error',
      code: 'tunnel-login-shell',
      message: `the tunnel account ${user} has the login shell ${state.shell === '' ? '/bin/sh' : state.shell}`,
      help: `user: {name: ${user}, shell: /usr/sbin/nologin}`,
    });
  const ours = declared.flatMap((line) => parseKey(line) ?? []);
  for (const key of keysOf(readKeys(now.file)))
    if (!effectiveOptions(key.options).restricted && !ours.some((one) => sameKey(one, key)))
      findings.push({
        severity: 'warning',
        code: 'unrestricted-key',
        message: `${now.path ?? ''} holds a key without \`restrict\`: ${key.type} ${key.comment}`.trim(),
        help: 'declare it in `keys`, or set `exclusive: true`',
      });
  return findings;
}

type DenyPlan = {
  readonly changes: readonly Change[];
  readonly ops: readonly PlainOp[];
  readonly restores: readonly string[];
  readonly undo: readonly RunOp[];
  readonly findings: readonly Problem[];
  readonly refusal?: Plan;
};
const noDeny: DenyPlan = {changes: [], ops: [], restores: [], undo: [], findings: []};

/** The firewall table that keeps everybody else off the targets, live and at boot. */
function planDeny(v: Declared, now: State, uid: number): DenyPlan {
  if (v.deny_others === undefined || now.nft === undefined) return noDeny;
  const table = tableOf(v.user);
  const what = `nftables table inet ${table}`;
  if (v.deny_others !== true) {
    if (!now.nft.installed && now.nft.file.type === 'absent') return noDeny;
    const live = nftHasTable(now.nft, table);
    const gone = nftDiff(storeOf(v.user), {text: undefined, live, what, shown: 'loaded', drop: table, table}, now.nft);
    return {...gone, findings: []};
  }
  if (!now.nft.installed)
    return {
      ...noDeny,
      refusal: refuse('no-nft', '`deny_others` needs nftables: sshd cannot forbid one target and allow the rest', {
        param: '/deny_others',
        help: 'install nftables first, or set `deny_others: all_forwarding`',
      }),
    };
  if (now.nft.ruleset === undefined)
    return {
      ...noDeny,
      refusal: refuse('no-nft', `nft cannot read the rules of this host: ${now.nft.problem}`, {
        param: '/deny_others',
        help: 'use `become: true`; a kernel without nf_tables needs `deny_others: all_forwarding`',
      }),
    };
  const uids = [uid, ...now.except.flatMap((one) => (one.type === 'account' ? [one.uid] : []))];
  const rules = denyRules(v.user, v.permit_open ?? [], [...new Set(uids)]);
  const diff = nftDiff(
    storeOf(v.user),
    {
      text: renderTable(table, rules),
      live: nftHolds(now.nft, table, rules),
      what,
      shown: `only ${[v.user, ...v.except].join(', ')} may connect to ${(v.permit_open ?? []).join(', ')}`,
      drop: table,
      table,
    },
    now.nft,
  );
  return {
    ...diff,
    findings: diff.volatile
      ? [
          {
            severity: 'warning',
            code: 'not-at-boot',
            message: `no unit loads ${storeOf(v.user)}.nft at boot: this host has no systemd`,
            help: 'load it from the start-up of this host',
          },
        ]
      : [],
  };
}

/** Everything of it gone: the declared keys, the drop-in, the table. */
function planAbsent(v: Declared, now: State, host: Host): Plan {
  const changes: Change[] = [];
  const ops: Op[] = [];
  const declared = (v.keys ?? []).flatMap((line) => parseKey(line) ?? []);
  const present = readKeys(now.keys.file);
  if (now.keys.path !== undefined && now.keys.file.type === 'file') {
    const own = host.connection.keySha256;
    const locksOut =
      v.user === host.connection.user &&
      declared.some(
        (key) => own !== undefined && fingerprint(key) === own && keysOf(present).some((one) => sameKey(one, key)),
      );
    if (locksOut && !v.allow_lockout)
      return refuse('lockout', 'one of `keys` is the key of this very connection', {
        param: '/keys',
        help: 'connect with another key, or set `allow_lockout: true`',
      });
    const left = printAuthorizedKeys(declared.reduce((file, key) => removeKey(file, key), present));
    if (now.keys.file.denied !== true && left !== printAuthorizedKeys(present)) {
      const diff = fileDiff({path: now.keys.path, content: left}, now.keys.file);
      changes.push(...named(diff.changes, now.keys.path));
      ops.push(...diff.ops);
    }
  }
  const dropIn = dropInOf(v);
  const unit = platformOf(host.facts).sshdUnit;
  const guarded: PlainOp[] = [];
  if (now.dropIn.type !== 'absent') {
    const text =
      now.dropIn.type === 'file' && now.dropIn.content !== undefined ? textOf(now.dropIn.content) : undefined;
    changes.push({what: dropIn, before: text ?? now.dropIn.type, after: undefined});
    guarded.push({op: 'remove', path: dropIn}, {...reload(unit), affects: [`unit:${unit}`]});
  }
  const table = tableOf(v.user);
  const gone =
    now.nft === undefined
      ? undefined
      : nftDiff(
          storeOf(v.user),
          {
            text: undefined,
            live: nftHasTable(now.nft, table),
            what: `nftables table inet ${table}`,
            shown: 'loaded',
            drop: table,
            table,
          },
          now.nft,
        );
  changes.push(...(gone?.changes ?? []));
  guarded.push(...(gone?.ops ?? []));
  ops.push(
    ...guardOps(guarded, v.guard, host, {
      restores: [dropIn, ...(gone?.restores ?? [])],
      undo: [reload(unit), ...(gone?.undo ?? [])],
    }),
  );
  return change(changes, ops);
}

/** As `ssh-keygen -l` shows it. */
function fingerprint(key: AuthorizedKey): string {
  return sha256Fingerprint(key, (bytes) =>
    Uint8Array.from(sha256(bytes).match(/../g) ?? [], (byte) => parseInt(byte, 16)),
  );
}
