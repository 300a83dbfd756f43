import {
  all,
  change,
  compareAttributes,
  defineModule,
  hashedHostName,
  homeFile,
  nothing,
  p,
  read,
  refuse,
  sh,
  stdoutText,
  textOf,
  type Change,
  type HomeFile,
  type Op,
  type Plan,
  type Probe,
  type Problem,
  type Values,
} from '#kit';
import {parseHostKey, parseHostKeys, printHostKeys, setHostKey} from '#formats/known-hosts';
import {blockInFile} from '#formats/lineedit';

const forwardParam = p.object(
  {
    listen: p.string('the near end: a port, or address:port', {
      required: true,
      pattern: '^((localhost|\\*|[0-9.]+|\\[[0-9A-Fa-f:]+\\]):)?[0-9]{1,5}$',
      describe: 'a port, or address:port',
    }),
    to: p.string('the far end, as the server sees it: host:port', {
      required: true,
      pattern: '^([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:]+\\]):[0-9]{1,5}$',
      describe: 'host:port',
    }),
  },
  'one forwarded port',
);

const params = {
  name: p.string('the name of the tunnel: `ssh -N NAME`', {
    required: true,
    pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*$',
    describe: 'a name of letters, digits, `_`, `-` and dots',
  }),
  user: p.string('the account on this machine', {
    required: true,
    pattern: '^[A-Za-z_][A-Za-z0-9_.-]*\\$?$',
    describe: 'an account name',
  }),
  host: p.string('the server', {pattern: '^[A-Za-z0-9][A-Za-z0-9.:_-]*$', describe: 'a host name or address'}),
  port: p.integer("the server's SSH port", {default: 22, min: 1, max: 65535}),
  login: p.string('the account on the server', {pattern: '^[A-Za-z_][A-Za-z0-9_.-]*$', describe: 'an account name'}),
  key: p.string("the private key's file; `~` is the account's home", {
    pattern: '^(~/|/)[^\\s"%\\\\]+$',
    describe: 'a path that begins with `/` or `~/`, without blanks',
  }),
  forwards: p.list(forwardParam, 'ports that are forwarded', {default: []}),
  host_keys: p.list(p.string('a public key'), "the server's public keys, for the account's known_hosts", {default: []}),
  unit: p.boolean('a systemd unit of the account keeps it open, from boot on', {default: false}),
  state: p.choice(['present', 'absent'], 'there or not', {default: 'present'}),
};
type V = Values<typeof params>;

const absentFile: HomeFile = {
  path: undefined,
  home: '',
  homeState: {type: 'absent'},
  folder: {type: 'absent'},
  file: {type: 'absent'},
};

type UserUnit = {
  readonly manager: boolean;
  readonly linger: boolean;
  readonly active: string;
  readonly enabled: boolean;
  readonly startedS: number;
};

/** A command for the account's own systemd. runuser, because that needs neither D-Bus nor a login. */
function userManager(user: string, words: readonly string[]): string {
  return sh`runuser -u ${user} -- env XDG_RUNTIME_DIR="/run/user/$(id -u ${user})" systemctl --user ${words}`.shell;
}

function userUnit(v: V): Probe<UserUnit> {
  const show = userManager(v.user, [
    'show',
    '-p',
    'ActiveState,UnitFileState,ExecMainStartTimestamp',
    `${v.name}.service`,
  ]);
  return read(
    sh`[ -d /run/systemd/system ] && echo systemd || echo none
[ -e /var/lib/systemd/linger/${v.user} ] && echo linger || echo no
TZ=UTC ${{shell: show}} 2>/dev/null; :`,
    (reply) => {
      const [manager, linger, ...rows] = stdoutText(reply).split('\n');
      const field = (name: string): string =>
        rows.find((row) => row.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
      const [day, time] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(field('ExecMainStartTimestamp'))?.slice(1) ?? [];
      return {
        manager: manager === 'systemd',
        linger: linger === 'linger',
        active: field('ActiveState'),
        enabled: field('UnitFileState') === 'enabled',
        startedS: day === undefined || time === undefined ? 0 : Date.parse(`${day}T${time}Z`) / 1000,
      };
    },
    {
      dependsOn: [
        `account:${v.user}`,
        `unit:user-${v.user}-${v.name}.service`,
        'tree:/home',
        'tree:/var/lib/systemd/linger',
      ],
    },
  );
}

/** *source*: ssh_config(5). `LocalForward` takes the near end without brackets of its own kind, as ssh prints it. */
function block(v: V): string {
  return [
    `Host ${v.name}`,
    `  HostName ${v.host ?? ''}`,
    ...(v.port === 22 ? [] : [`  Port ${v.port}`]),
    ...(v.login === undefined ? [] : [`  User ${v.login}`]),
    ...(v.key === undefined ? [] : [`  IdentityFile ${v.key}`, '  IdentitiesOnly yes']),
    ...v.forwards.map(({listen, to}) => `  LocalForward ${listen} ${to}`),
    '  ExitOnForwardFailure yes',
    '  ServerAliveInterval 15',
    '  ServerAliveCountMax 3',
    '  RequestTTY no',
    '',
  ].join('\n');
}

function unitText(v: V): string {
  return `[Unit]
Description=SSH tunnel ${v.name}
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/bin/ssh -N -o BatchMode=yes ${v.name}
Restart=always
RestartSec=10

[Install]
WantedBy=default.target
`;
}

/** The near end of an SSH tunnel: an entry of the account's ssh_config, and (where asked for) a unit that keeps it open. */
export default defineModule({
  name: 'ssh_tunnel',
  summary: 'The near end of an SSH tunnel, by a name, and kept open where asked for',
  params,
  examples: [
    '- ssh_tunnel:\n    name: console\n    user: admin\n    host: kvm1.lab\n    login: uvmb\n    key: ~/.ssh/id_uvmb\n    forwards: [{listen: "31001", to: "localhost:20001"}]\n',
    '- ssh_tunnel:\n    name: console\n    user: admin\n    state: absent\n',
  ],
  check: (v) => {
    if (v.state === 'absent') return [];
    const problems: Problem[] = [];
    if (v.host === undefined) problems.push({code: 'missing-param', message: '`host` is needed with state present'});
    if (v.forwards.length === 0)
      problems.push({
        code: 'missing-param',
        message: '`forwards` is needed with state present',
        help: 'forwards: [{listen: "31001", to: "localhost:20001"}]',
      });
    for (const [i, {listen, to}] of v.forwards.entries()) {
      for (const [name, text] of [
        ['listen', listen],
        ['to', to],
      ] as const) {
        const port = Number(text.split(':').at(-1));
        if (port < 1 || port > 65535)
          problems.push({code: 'bad-param', message: `${port} is no port`, param: `/forwards/${i}/${name}`});
      }
      if (/^(\*|0\.0\.0\.0|\[::\]):/.test(listen))
        problems.push({
          code: 'open-to-all',
          message: `the near end ${listen} is open to the whole network`,
          param: `/forwards/${i}/listen`,
          help: 'a port alone listens on localhost only',
          severity: 'warning',
        });
    }
    for (const [i, key] of v.host_keys.entries())
      if (parseHostKey(key) === undefined)
        problems.push({code: 'bad-key', message: `not a public key: ${key.slice(0, 40)}`, param: `/host_keys/${i}`});
    return problems;
  },
  probe: (v) =>
    all({
      config: homeFile(v.user, '.ssh/config'),
      known:
        v.host_keys.length > 0 && v.state === 'present' ? homeFile(v.user, '.ssh/known_hosts') : nothing(absentFile),
      unitFile: homeFile(v.user, `.config/systemd/user/${v.name}.service`),
      unit: userUnit(v),
    }),
  plan: (v, {config, known, unitFile, unit}): Plan => {
    if (config.path === undefined)
      return v.state === 'absent'
        ? change([], [])
        : refuse('no-account', `there is no account ${v.user}`, {help: 'make it first: `user`'});
    const places = [config, unitFile, ...(known === absentFile ? [] : [known])];
    if (places.some(({path}) => path?.startsWith('/') !== true))
      return refuse('no-home', `${v.user} has no home directory`);
    if (v.state === 'present' && config.homeState.type !== 'directory')
      return refuse('no-home', `the home ${config.home} of ${v.user} does not exist`);
    const changes: Change[] = [];
    const ops: Op[] = [];
    const group = config.homeState.type === 'directory' ? config.homeState.group : undefined;
    const owned = {owner: v.user, ...(group === undefined ? {} : {group})};
    let madeSsh = config.folder.type !== 'absent';
    const text = readable(config);
    if (typeof text !== 'string') return text;
    const edited = blockInFile(text, {
      state: v.state,
      block: block(v),
      marker: `# {mark} tunnel ${v.name}`,
      // the first value that ssh finds for a host counts: entries for everybody stand below
      insertBefore: 'BOF',
    });
    const put = (file: HomeFile, after: string, before: string, mode: string): void => {
      const path = file.path ?? '';
      if (!madeSsh) {
        madeSsh = true;
        ops.push({op: 'mkdir', path: `${config.home}/.ssh`, mode: '0700', ...owned});
      }
      changes.push({
        what: path,
        before: file.file.type === 'absent' ? undefined : before,
        after: after === '' ? '(empty)' : after,
      });
      ops.push({op: 'write', path, content: after, ...(file.file.type === 'absent' ? {mode, ...owned} : {})});
    };
    if (edited !== text) put(config, edited, text, '0600');
    else if (config.file.type === 'file' && v.state === 'present') {
      // ssh refuses a configuration that others may write. *source*: ssh_config(5), FILES
      const {changes: fixes, ops: fixing} = compareAttributes(
        config.path,
        config.file,
        (config.file.mode & 0o022) === 0 ? {} : {mode: 'go-w'},
        `${config.path} `,
      );
      changes.push(...fixes);
      ops.push(...fixing);
    }
    if (v.state === 'present' && v.host_keys.length > 0) {
      const before = readable(known);
      if (typeof before !== 'string') return before;
      const name = v.port === 22 ? (v.host ?? '') : `[${v.host ?? ''}]:${v.port}`;
      const keys = v.host_keys.map(parseHostKey).filter((key) => key !== undefined);
      const parsed = parseHostKeys(before);
      const after = printHostKeys(
        keys.reduce((file, key) => setHostKey(file, name.toLowerCase(), key, hashedHostName), parsed),
      );
      if (after !== before) put(known, after, before, '0600');
    }
    const stopped = planUnit(v, {config, unitFile, unit, owned}, changes, ops);
    if (stopped !== undefined) return stopped;
    const down = v.state === 'present' && v.unit && changes.length === 0 && unit.active !== 'active';
    return change(changes, ops, {
      findings: down
        ? [
            {
              code: 'tunnel-down',
              message: `${v.name}.service of ${v.user} is ${unit.active}, not active`,
              severity: 'warning',
            },
          ]
        : [],
    });
  },
  result: (v) => ({name: v.name, user: v.user, state: v.state}),
});

/** The unit's part of the plan; a refusal where there is no systemd for it. */
function planUnit(
  v: V,
  seen: {config: HomeFile; unitFile: HomeFile; unit: UserUnit; owned: {owner: string; group?: string}},
  changes: Change[],
  ops: Op[],
): Plan | undefined {
  const {config, unitFile, unit, owned} = seen;
  const service = `${v.name}.service`;
  const path = unitFile.path ?? '';
  const manage = (...words: readonly string[]): Op => ({
    op: 'run',
    argv: ['/bin/sh', '-c', userManager(v.user, words)],
    affects: [`unit:user-${v.user}-${service}`, 'port:*', `tree:${path.replace(/\/[^/]*$/, '')}`],
  });
  const wanted = v.unit && v.state === 'present';
  if (!wanted) {
    if (unitFile.file.type === 'absent') return undefined;
    changes.push({what: path, before: 'there', after: undefined});
    if (unit.active !== '') ops.push({...manage('disable', '--now', service)});
    ops.push({op: 'remove', path});
    if (unit.active !== '') ops.push(manage('daemon-reload'));
    return undefined;
  }
  if (!unit.manager) return refuse('no-systemd', 'systemd does not run here', {help: 'leave out `unit`'});
  const before = readable(unitFile);
  if (typeof before !== 'string') return before;
  const changed = before !== unitText(v);
  if (changed) {
    if (unitFile.folder.type === 'absent')
      ops.push({op: 'mkdir', path: path.replace(/\/[^/]*$/, ''), parents: true, mode: '0755', ...owned});
    changes.push({what: path, before: unitFile.file.type === 'absent' ? undefined : before, after: unitText(v)});
    ops.push({
      op: 'write',
      path,
      content: unitText(v),
      ...(unitFile.file.type === 'absent' ? {mode: '0644', ...owned} : {}),
    });
  }
  if (!unit.linger) {
    changes.push({what: `units of ${v.user}`, before: 'while logged in', after: 'from boot on'});
    ops.push({
      op: 'run',
      argv: ['loginctl', 'enable-linger', v.user],
      affects: ['tree:/var/lib/systemd/linger', `unit:user-${v.user}-${service}`],
    });
    // its manager comes up a moment later
    ops.push({
      op: 'run',
      argv: [
        '/bin/sh',
        '-c',
        sh`n=0; until [ -S "/run/user/$(id -u ${v.user})/systemd/private" ]; do [ $n -lt 20 ] || exit 1; n=$((n+1)); sleep 0.5; done`
          .shell,
      ],
      affects: [`unit:user-${v.user}-${service}`],
    });
  }
  if (changed) ops.push(manage('daemon-reload'));
  if (!unit.enabled) {
    changes.push({what: 'enabled', before: 'no', after: 'yes'});
    ops.push(manage('enable', service));
  }
  const runs = unit.active === 'active' || unit.active === 'activating';
  const older = config.file.type === 'file' && unit.startedS > 0 && unit.startedS < config.file.mtimeS;
  if (!runs || changed || older || changes.some((c) => c.what === config.path)) {
    changes.push({
      what: service,
      before: unit.active === '' ? undefined : unit.active,
      after: runs ? 'restarted' : 'active',
    });
    ops.push(manage('restart', service));
  }
  return undefined;
}

/** The text of a file below the home; '' where there is none. */
function readable({path = '', file: now}: HomeFile): string | Plan {
  if (now.type === 'absent') return '';
  if (now.type === 'link') return refuse('is-link', `${path} is a symbolic link`);
  if (now.type !== 'file') return refuse('not-a-file', `${path} is a ${now.type}`);
  if (now.denied === true || now.content === undefined)
    return refuse('unreadable', `${path} cannot be read by this account`, {help: 'use `become: true`'});
  return textOf(now.content) ?? refuse('not-text', `${path} is not a UTF-8 text`);
}
