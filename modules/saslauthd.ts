import {
  settingLine,
  lineChange,
  account,
  all,
  change,
  defineModule,
  file,
  group,
  isNonEmpty,
  list,
  p,
  platformOf,
  platforms,
  powerCycle,
  presentText,
  read,
  refuse,
  refuseAll,
  rewrite,
  runningGuests,
  sh,
  stdoutText,
  unit,
  type AccountState,
  type Change,
  type FileState,
  type GroupState,
  type Host,
  type Op,
  type Platform,
  type Problem,
  type RunningGuest,
  type UnitState,
  type Values,
} from '#kit';
import {envValue, parseEnvFile, printEnvFile, setEnvKey, type EnvFile} from '#formats/env-file';

const params = {
  mechanism: p.string('who judges the passwords: pam, shadow, ldap, kerberos5, … (`saslauthd -v` lists them)', {
    pattern: '^[a-z][a-z0-9_]*$',
    describe: 'a mechanism such as pam',
  }),
  cache: p.boolean(
    'keep right passwords for a while: then an old one is accepted after a change, and /etc/nologin is ignored',
  ),
  clients: p.list(
    p.string('an account'),
    'accounts whose programs may ask saslauthd; default the account of QEMU, where there is one',
  ),
  enabled: p.boolean('whether it starts at boot', {default: true}),
  state: p.choice(
    ['present', 'absent'],
    'present: really running, with its socket; absent: stopped, and not started at boot',
    {default: 'present'},
  ),
};
type V = Values<typeof params>;

const configs = [...new Set(platforms.map((row) => row.saslauthdConfig))];
const sockets = [...new Set(platforms.map((row) => row.saslauthdSocket))];
const folderOf = (path: string): string => path.replace(/\/[^/]*$/, '') || '/';
const socketFolders = [...new Set(sockets.map(folderOf))];
const saslGroups = [...new Set(platforms.flatMap((row) => (row.saslGroup === undefined ? [] : [row.saslGroup])))];
const defaultClients = [...new Set(platforms.map((row) => row.qemuUser))];
const clientsRead = (v: V): readonly string[] => v.clients ?? defaultClients;

/** What runs, by the processes and sockets: the unit says "active (exited)" where nothing does. */
type Running = {
  readonly installed: boolean;
  readonly enabled: string;
  readonly processes: readonly (readonly string[])[];
  readonly sockets: ReadonlySet<string>;
};
const running = read(
  sh`[ -x /usr/sbin/saslauthd ] || command -v saslauthd >/dev/null && echo installed
echo "enabled $(systemctl is-enabled saslauthd.service 2>/dev/null)"
for s in ${sockets}; do [ -S "$s" ] && echo "socket $s"; done
for d in /proc/[0-9]*; do
comm=; read -r comm 2>/dev/null <"$d/comm" || continue
[ "$comm" = saslauthd ] && echo "process $(tr '\0' ' ' 2>/dev/null <"$d/cmdline")"
done
:`,
  (reply): Running => {
    const lines = stdoutText(reply).split('\n');
    const after = (word: string): string[] =>
      lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1).trim());
    return {
      installed: lines.includes('installed'),
      enabled: after('enabled')[0] ?? '',
      processes: after('process').map((line) => line.split(/\s+/).slice(1)),
      sockets: new Set(after('socket')),
    };
  },
  {
    dependsOn: [
      'unit:saslauthd.service',
      ...[...new Set(platforms.map((row) => row.saslauthdPackage))].map((name) => `package:${name}` as const),
      ...sockets.map((path) => `file:${path}` as const),
    ],
  },
);

/** Options of saslauthd that take a word. *source*: saslauthd(8). */
const withWord = 'aOmnst';

/** Flags of a command line, each with its word ('' for those that take none). */
function flagsOf(words: readonly string[]): readonly (readonly [flag: string, word: string])[] {
  const flags: [string, string][] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (!word.startsWith('-') || word === '-') continue;
    for (let i = 1; i < word.length; i++) {
      const flag = word[i]!;
      if (!withWord.includes(flag)) flags.push([flag, '']);
      else {
        flags.push([flag, i + 1 < word.length ? word.slice(i + 1) : (words[++at] ?? '')]);
        break;
      }
    }
  }
  return flags;
}

const printFlags = (flags: readonly (readonly [string, string])[]): string =>
  flags.map(([flag, word]) => (word === '' ? `-${flag}` : `-${flag} ${word}`)).join(' ');

/** The configuration with what the playbook says. */
function editConfig(v: V, config: EnvFile, platform: Platform): {edited: EnvFile; changes: Change[]} {
  const changes: Change[] = [];
  let edited = config;
  const put = (key: string, value: string): void => {
    const before = envValue(config, key);
    const next = setEnvKey(edited, key, value);
    if (next === edited) return;
    edited = next;
    changes.push({what: key, before, after: value});
  };
  if (platform.saslauthdStart !== undefined) put(platform.saslauthdStart, 'yes');
  if (v.mechanism !== undefined) put(platform.saslauthdMechanism, v.mechanism);
  if (v.cache !== undefined) {
    const now = envValue(config, platform.saslauthdOptions) ?? '';
    // Debian's script takes an empty text for its default, which has the cache, and needs to be told the folder.
    const effective =
      platform.saslauthdStart !== undefined && now.trim() === '' ? `-c -m ${folderOf(platform.saslauthdSocket)}` : now;
    const flags = flagsOf(effective.split(/\s+/).filter((word) => word !== ''));
    const cached = flags.some(([flag]) => flag === 'c');
    if (cached !== v.cache)
      put(
        platform.saslauthdOptions,
        printFlags(v.cache ? [['c', ''], ...flags] : flags.filter(([flag]) => flag !== 'c')),
      );
  }
  return {edited, changes};
}

/** What about the running processes is not as declared; '' = all is well. */
function fault(v: V, now: State, platform: Platform, configS: number): string {
  const {running, unit} = now;
  if (running.processes.length === 0)
    return unit.type === 'unit' && unit.active === 'active' ? 'not running (the unit says active)' : 'not running';
  if (!running.sockets.has(platform.saslauthdSocket)) return `runs without the socket ${platform.saslauthdSocket}`;
  for (const words of running.processes) {
    const flags = flagsOf(words);
    const mechanism = flags.find(([flag]) => flag === 'a')?.[1];
    if (v.mechanism !== undefined && mechanism !== v.mechanism) return `runs with mechanism ${mechanism ?? '(none)'}`;
    if (v.cache !== undefined && flags.some(([flag]) => flag === 'c') !== v.cache)
      return `runs ${v.cache ? 'without' : 'with'} the cache`;
  }
  if (unit.type === 'unit' && unit.startedS < configS) return 'runs with older settings';
  const folder = now.folders[socketFolders.indexOf(folderOf(platform.saslauthdSocket))];
  if (platform.saslGroup !== undefined && folder?.type === 'directory' && folder.group !== platform.saslGroup)
    return `its socket is closed to group ${platform.saslGroup}`;
  return '';
}

type State = {
  readonly configs: readonly FileState[];
  readonly folders: readonly FileState[];
  readonly unit: UnitState;
  readonly running: Running;
  readonly groups: readonly GroupState[];
  readonly clients: readonly AccountState[];
  readonly guests: readonly RunningGuest[];
};

// `systemctl restart` of an init script succeeds whether or not the daemon has come up.
const restartAndProve = `systemctl restart saslauthd.service || exit
i=0; while [ $i -lt 50 ]; do [ -S "$1" ] && exit 0; i=$((i+1)); sleep 0.1; done
echo "saslauthd has not made its socket $1" >&2
journalctl -q -n 5 -o cat -u saslauthd.service >&2
exit 1`;

const affected = [
  'unit:saslauthd.service',
  ...[...sockets, ...socketFolders].map((path) => `file:${path}` as const),
] as const;

/** saslauthd, the bridge from SASL to PAM. *source*: saslauthd(8); Debian's init script; behaviour seen with 2.1.28. */
export default defineModule({
  name: 'saslauthd',
  summary: 'The daemon that lets SASL services check passwords by PAM: configured, really running, reachable for QEMU',
  params,
  examples: ['- package:\n    name: sasl2-bin\n- saslauthd:\n    mechanism: pam\n    cache: false\n'],
  check: (v) =>
    v.state === 'absent' && (v.mechanism !== undefined || v.cache !== undefined || v.clients !== undefined)
      ? [
          {
            code: 'bad-combination',
            message: 'a stopped saslauthd has no settings',
            param: '/state',
            help: 'leave out the other parameters',
          },
        ]
      : [],
  probe: (v) =>
    all({
      configs: list(configs.map((path) => file(path, {content: 'always'}))),
      folders: list(socketFolders.map((path) => file(path))),
      unit: unit('saslauthd'),
      running,
      groups: list(saslGroups.map(group)),
      clients: list(clientsRead(v).map(account)),
      guests: runningGuests(),
    }),
  plan: (v, now, host: Host) => {
    const platform = platformOf(host.facts);
    if (now.unit.type === 'none')
      return refuse('no-systemd', 'systemd does not run here, so saslauthd cannot be managed');
    const enabled = now.running.enabled === 'enabled' || now.running.enabled === 'enabled-runtime';
    const systemctl = (verb: string): Op => ({
      op: 'run',
      argv: ['systemctl', verb, 'saslauthd.service'],
      affects: [...affected],
    });
    if (v.state === 'absent') {
      const runs = now.running.processes.length > 0;
      return change(
        [
          ...(runs ? [{what: 'saslauthd', before: 'running', after: 'stopped'}] : []),
          ...(enabled ? [{what: 'at boot', before: 'started', after: 'not started'}] : []),
        ],
        [...(runs ? [systemctl('stop')] : []), ...(enabled ? [systemctl('disable')] : [])],
      );
    }
    if (!now.running.installed || now.unit.load === 'not-found')
      return refuse('no-package', 'saslauthd is not installed here', {
        help: `install package ${platform.saslauthdPackage} first`,
      });
    if (now.unit.load === 'masked')
      return refuse('masked', 'saslauthd.service is masked', {help: 'systemd: {name: saslauthd, masked: false}'});
    const path = platform.saslauthdConfig;
    const before = presentText(path, now.configs[configs.indexOf(path)] ?? {type: 'absent'});
    if ('kind' in before) return before;

    const {edited, changes: values} = editConfig(v, parseEnvFile(before.text ?? ''), platform);
    const settings = values.map((one) =>
      lineChange(one, before.text ?? '', printEnvFile(edited), settingLine(one.what, '=')),
    );
    const members = membership(v, now, platform);
    if (isNonEmpty(members.problems)) return refuseAll(members.problems);
    const trouble =
      settings.length > 0 ? 'runs with older settings' : fault(v, now, platform, before.inode?.mtimeS ?? 0);
    const shown = settings.length > 0 && now.running.processes.length === 0 ? 'not running' : trouble;
    const boot =
      v.enabled === enabled
        ? []
        : [
            {
              what: 'at boot',
              before: enabled ? 'started' : 'not started',
              after: v.enabled ? 'started' : 'not started',
            },
          ];
    const changes: Change[] = [
      ...settings,
      ...members.changes,
      ...boot,
      ...(trouble === '' ? [] : [{what: 'saslauthd', before: shown, after: 'running'}]),
    ];
    const ops: Op[] = [
      ...(settings.length === 0
        ? []
        : [rewrite(path, before, printEnvFile(edited), {mode: '0644', owner: 'root', group: 'root'})]),
      ...members.ops,
      ...(boot.length === 0 ? [] : [systemctl(v.enabled ? 'enable' : 'disable')]),
      ...(trouble === ''
        ? []
        : [
            {
              op: 'run' as const,
              argv: ['/bin/sh', '-c', restartAndProve, 'sh', platform.saslauthdSocket] as const,
              affects: [...affected],
            },
          ]),
    ];
    return change(changes, ops, {findings: findingsOf(v, now), pending: members.pending});
  },
  result: (_v, before, after) => {
    const state = 'running' in after ? after.running : undefined;
    return {
      running: state === undefined ? null : state.processes.length > 0,
      was_running: before.running.processes.length > 0,
    };
  },
});

function findingsOf(v: V, now: State): Problem[] {
  const cached = now.running.processes.some((words) => flagsOf(words).some(([flag]) => flag === 'c'));
  return cached && v.cache !== false
    ? [
        {
          code: 'password-cache',
          severity: 'warning',
          message:
            'saslauthd keeps passwords: after a change the old one is still accepted, and /etc/nologin is ignored',
          param: '/cache',
          help: 'cache: false',
        },
      ]
    : [];
}

/** The clients' way through the socket's folder: a group on some distributions. A process has the groups that it was started with. */
function membership(
  v: V,
  now: State,
  platform: Platform,
): {changes: Change[]; ops: Op[]; problems: Problem[]; pending: readonly string[]} {
  const none = {changes: [], ops: [], problems: [], pending: []};
  const names = clientsRead(v);
  const problems = names.flatMap((name, i): Problem[] =>
    v.clients !== undefined && now.clients[i]?.type === 'absent'
      ? [
          {
            code: 'no-account',
            message: `no account ${name} on this host`,
            param: `/clients/${i}`,
            help: 'make it first, or install the package that brings it',
          },
        ]
      : [],
  );
  const team = platform.saslGroup;
  if (team === undefined || problems.length > 0) return {...none, problems};
  const state = now.groups[saslGroups.indexOf(team)];
  if (state?.type !== 'group')
    return {
      ...none,
      problems: [
        {
          code: 'no-group',
          message: `no group ${team} on this host, which guards saslauthd's socket`,
          help: `install package ${platform.saslauthdPackage} first`,
        },
      ],
    };
  const outside = names.flatMap((name, i) => {
    const client = now.clients[i];
    return client?.type === 'account' && client.uid !== 0 && client.gid !== state.gid && !client.groups.includes(team)
      ? [{name, client}]
      : [];
  });
  const late = names.includes(platform.qemuUser)
    ? now.guests.filter((guest) => guest.sasl && !guest.gids.includes(state.gid))
    : [];
  return {
    problems: [],
    changes: outside.map(({name}) => ({what: `member of ${team}`, before: undefined, after: name})),
    ops: outside.map(({name, client}): Op => ({
      op: 'run',
      argv: ['gpasswd', '-a', name, team],
      affects: [`group:${team}`, `account:${name}`, 'file:/etc/group', 'file:/etc/gshadow'],
      predicts: [
        {key: `group:${team}`, value: {...state, members: [...state.members, ...outside.map((one) => one.name)]}},
        {key: `account:${name}`, value: {...client, groups: [...client.groups, team]}},
      ],
    })),
    pending: powerCycle(
      late,
      `its QEMU was started before ${platform.qemuUser} was in group ${team}, so it cannot reach saslauthd`,
    ),
  };
}
