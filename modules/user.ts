import {
  Secret,
  account,
  all,
  change,
  converged,
  extrasProbe,
  defineModule,
  file,
  groupExists,
  homeFile,
  isNonEmpty,
  list,
  p,
  planExtras,
  predictAccount,
  predictGroup,
  refuse,
  type AccountState,
  type Change,
  type HomeFile,
  type Key,
  type Op,
} from '#kit';

const accountName = {
  pattern: '^[A-Za-z_][A-Za-z0-9_.@-]*\\$?$',
  describe: 'an account name (letters, digits, `_`, `-`, `.`)',
} as const;

/** A local account. Passwords are given as hashes, as crypt(5) makes them. *source*: Ansible's user; useradd(8), usermod(8). */
export default defineModule({
  name: 'user',
  summary: 'An account',
  params: {
    name: p.string('the account', {required: true, aliases: ['user'], ...accountName}),
    state: p.choice(['present', 'absent'], 'whether it shall exist', {default: 'present'}),
    uid: p.integer('its number', {min: 0}),
    non_unique: p.boolean('another account may have the same number', {default: false}),
    comment: p.string('the GECOS field (full name)'),
    group: p.string('its primary group'),
    groups: p.list(p.string('a group'), 'further groups'),
    append: p.boolean('keep groups that are not named', {default: false}),
    home: p.path('home folder'),
    create_home: p.boolean('make the home folder of a new account', {default: true, aliases: ['createhome']}),
    move_home: p.boolean('move the folder when `home` changes', {default: false}),
    skeleton: p.path('folder whose content a new home gets'),
    shell: p.string('login shell'),
    system: p.boolean('a system account (number from the system range)', {default: false}),
    password: p.secret("the password's hash (crypt); `!` or `*` = none"),
    update_password: p.choice(['always', 'on_create'], 'whether an existing password is changed', {default: 'always'}),
    password_lock: p.boolean('lock (or unlock) the password'),
    expires: p.number('seconds since the epoch when the account ends; negative = never'),
    remove: p.boolean('with state absent: remove the home folder too', {default: false}),
    force: p.boolean('with state absent: even while logged in', {default: false}),
    password_expire_min: p.integer('days before the password may be changed again'),
    password_expire_max: p.integer('days for which a password is good'),
    password_expire_warn: p.integer('days of warning before it ends'),
    generate_ssh_key: p.boolean('make a key pair where there is none', {default: false}),
    ssh_key_file: p.string('the key, as seen from the home folder; `.ssh/id_TYPE` where nothing is said'),
    ssh_key_type: p.string('type of the key', {default: 'rsa'}),
    ssh_key_bits: p.integer("its size; ssh-keygen's own where nothing is said", {default: 0}),
    ssh_key_comment: p.string("the key's comment"),
    ssh_key_passphrase: p.secret('not supported'),
    local: p.boolean('accepted for compatibility: useradd and its like are local'),
  },
  examples: ['- user:\n    name: operator1\n    shell: /bin/bash\n    system: true\n    create_home: false\n'],
  check: (v) => [
    ...(v.password !== undefined && !/^(\$|[!*x]|_|.{13}$)/.test(v.password.reveal())
      ? [
          {
            code: 'clear-text-password',
            message: '`password` takes a hash, not the password itself',
            param: '/password',
            help: "password: \"{{ my_password | password_hash('sha512', 'somesalt') }}\"",
          },
        ]
      : []),
    ...(v.generate_ssh_key && v.ssh_key_passphrase !== undefined
      ? [
          {
            code: 'unsupported',
            message: '`ssh_key_passphrase` is not supported: it would be visible in the process list of the host',
            param: '/ssh_key_passphrase',
          },
        ]
      : []),
  ],
  probe: (v) =>
    all({
      now: account(v.name),
      groups: list(groupsOf(v).map(groupExists)),
      ownGroup: groupExists(v.name),
      home: file(homeOf(v)),
      sshSkeleton: file(`${v.skeleton ?? '/etc/skel'}/.ssh`),
      extras: extrasProbe(v, homeOf(v)),
    }),
  plan: (v, {now, groups, ownGroup, home, sshSkeleton, extras}, host) => {
    const key = `account:${v.name}` as const;
    const affects = [key, 'group:*'] as const;
    if (v.state === 'absent') {
      if (now.type === 'absent') return converged();
      if (v.name === 'root' || now.uid === 0) return refuse('root-account', 'the account of root is not removed');
      if (v.name === host.connection.user) return refuse('lockout', `${v.name} is the account of this very connection`);
      return change(
        [
          {what: 'account', before: v.name, after: undefined},
          ...(v.remove ? [{what: 'home', before: now.home, after: undefined}] : []),
        ],
        [
          {
            op: 'run',
            argv: ['userdel', ...(v.force ? ['-f'] : []), ...(v.remove ? ['-r'] : []), v.name],
            affects: [...affects, `tree:${now.home}`],
            predicts: [{key, value: {type: 'absent'}}, predictAccount(v.name, false)],
            accepts: v.remove ? [0, 12] : [0],
          },
        ],
      );
    }
    const missing = groupsOf(v).filter((_name, i) => groups[i] === false);
    if (missing.length > 0)
      return refuse('no-group', `there is no group ${missing.join(', ')}`, {help: 'make it first: `group`'});
    const entry =
      now.type === 'absent'
        ? createPlan(v, key, {
            ownGroup,
            freshHome: v.create_home && home.type === 'absent' && sshSkeleton.type === 'absent' && !v.generate_ssh_key,
          })
        : modifyPlan(v, now, key);
    const more = planExtras(v, v.home ?? (now.type === 'account' ? now.home : homeOf(v)), extras);
    if (entry.kind === 'refuse' || more.ops.length === 0) return entry;
    return entry.kind === 'converged'
      ? change(more.changes, more.ops)
      : change([...entry.changes, ...more.changes], [...entry.ops, ...more.ops]);
  },
  result: (v, _before, after) => ({
    name: v.name,
    state: v.state,
    ...('now' in after && after.now.type === 'account'
      ? {
          uid: after.now.uid,
          group: after.now.gid,
          home: after.now.home,
          shell: after.now.shell,
          comment: after.now.gecos,
          groups: after.now.groups.join(','),
        }
      : {}),
  }),
});

/** The groups that the account shall be in, by name: those have to be there. */
function groupsOf(v: {group?: string | undefined; groups?: readonly string[] | undefined}): readonly string[] {
  return [...(v.group === undefined ? [] : [v.group]), ...(v.groups ?? [])].filter((name) => !/^\d*$/.test(name));
}

type V = {
  name: string;
  uid: number | undefined;
  non_unique: boolean;
  comment: string | undefined;
  group: string | undefined;
  groups: readonly string[] | undefined;
  append: boolean;
  home: string | undefined;
  create_home: boolean;
  move_home: boolean;
  skeleton: string | undefined;
  shell: string | undefined;
  system: boolean;
  password: Secret | undefined;
  update_password: string;
  password_lock: boolean | undefined;
  expires: number | undefined;
};

/** Where the home will be, unless useradd has been told otherwise in its defaults. */
function homeOf(v: {name: string; home?: string | undefined}): string {
  return v.home ?? `/home/${v.name}`;
}

/** The account's keys, as they will be looked for below a home that is new: so a later task knows in check mode that there are none. */
function noKeysYet(v: V): {readonly key: Key; readonly value: HomeFile} {
  const home = homeOf(v);
  const group = v.group ?? v.name;
  return {
    key: homeFile(v.name, '.ssh/authorized_keys').reads[0]!.key,
    value: {
      path: `${home}/.ssh/authorized_keys`,
      home,
      homeState: {type: 'directory', mode: 0o700, owner: v.name, group, uid: -1, gid: -1, sizeBytes: 0, mtimeS: 0},
      folder: {type: 'absent'},
      file: {type: 'absent'},
    },
  };
}

function createPlan(v: V, key: `account:${string}`, seen: {ownGroup: boolean; freshHome: boolean}) {
  const changes: Change[] = [{what: 'account', before: undefined, after: v.name}];
  const say = (what: string, after: string | undefined): void => {
    if (after !== undefined) changes.push({what, before: undefined, after});
  };
  say('uid', v.uid?.toString());
  say('comment', v.comment);
  say('group', v.group);
  say('groups', v.groups?.join(','));
  say('home', v.home);
  say('shell', v.shell);
  const argv: [string, ...string[]] = ['useradd'];
  if (v.uid !== undefined) argv.push('-u', String(v.uid), ...(v.non_unique ? ['-o'] : []));
  if (v.comment !== undefined) argv.push('-c', v.comment);
  if (v.group !== undefined) argv.push('-g', v.group);
  // useradd would want to make a group of the account's name
  else if (seen.ownGroup) argv.push('-N');
  if (v.groups !== undefined && v.groups.length > 0) argv.push('-G', v.groups.join(','));
  if (v.home !== undefined) argv.push('-d', v.home);
  if (v.shell !== undefined) argv.push('-s', v.shell);
  if (v.system) argv.push('-r');
  argv.push(v.create_home ? '-m' : '-M');
  if (v.create_home && v.skeleton !== undefined) argv.push('-k', v.skeleton);
  if (v.expires !== undefined && v.expires >= 0) argv.push('-e', isoDay(v.expires));
  argv.push(v.name);
  const ops: Op[] = [
    {
      op: 'run',
      argv,
      affects: [
        key,
        ...(v.groups ?? []).map((name) => `group:${name}` as const),
        ...(v.create_home ? ([`tree:${homeOf(v)}`] as const) : []),
      ],
      creates: v.group === undefined && !seen.ownGroup ? [`group:${v.name}`] : [],
    },
  ];
  addPassword(v, undefined, changes, ops, key);
  const last = ops.pop()!;
  const predicts = [
    predictAccount(v.name, true),
    ...(v.groups ?? []).map((name) => predictGroup(name, true)),
    ...(seen.freshHome && !seen.ownGroup ? [noKeysYet(v)] : []),
  ];
  return change(changes, [...ops, {...last, predicts}]);
}

function modifyPlan(v: V, now: Extract<AccountState, {type: 'account'}>, key: `account:${string}`) {
  const changes: Change[] = [];
  const words: string[] = [];
  const differ = (what: string, before: string, after: string | undefined, ...flags: string[]): void => {
    if (after === undefined || after === before) return;
    changes.push({what, before, after});
    words.push(...flags);
  };
  differ('uid', String(now.uid), v.uid?.toString(), '-u', String(v.uid), ...(v.non_unique ? ['-o'] : []));
  differ('comment', now.gecos, v.comment, '-c', v.comment ?? '');
  if (v.group !== undefined && v.group !== now.primaryGroup && v.group !== String(now.gid))
    differ('group', now.primaryGroup, v.group, '-g', v.group);
  differ('home', now.home, v.home, '-d', v.home ?? '', ...(v.move_home ? ['-m'] : []));
  differ('shell', now.shell, v.shell, '-s', v.shell ?? '');
  const further = now.groups.filter((name) => name !== now.primaryGroup).sort();
  const primary = v.group ?? now.primaryGroup;
  let groups = further;
  if (v.groups !== undefined) {
    const wanted = [...new Set(v.groups)].filter((name) => name !== primary);
    groups = v.append ? [...new Set([...further, ...wanted])].sort() : wanted.sort();
    if (groups.join(',') !== further.join(',')) {
      changes.push({what: 'groups', before: further.join(','), after: groups.join(',')});
      const added = groups.filter((name) => !further.includes(name));
      words.push(...(v.append ? ['-a', '-G', added.join(',')] : ['-G', groups.join(',')]));
    }
  }
  if (v.expires !== undefined) {
    const before = now.expires;
    const after = v.expires < 0 ? undefined : Math.floor(v.expires / 86_400);
    if (before !== after) {
      changes.push({
        what: 'expires',
        before: before === undefined ? 'never' : isoDay(before * 86_400),
        after: after === undefined ? 'never' : isoDay(v.expires),
      });
      words.push('-e', after === undefined ? '' : isoDay(v.expires));
    }
  }
  const after: AccountState = {
    ...now,
    uid: v.uid ?? now.uid,
    gecos: v.comment ?? now.gecos,
    home: v.home ?? now.home,
    shell: v.shell ?? now.shell,
    primaryGroup: primary,
    groups: [primary, ...groups],
  };
  const ops: Op[] = [];
  if (isNonEmpty(words)) {
    const predictable =
      v.group === undefined && v.expires === undefined && v.password === undefined && v.password_lock === undefined;
    ops.push({
      op: 'run',
      argv: ['usermod', ...words, v.name],
      affects: [
        key,
        ...touchedGroups(v, now),
        ...(v.move_home ? ([`tree:${now.home}`, `tree:${v.home ?? now.home}`] as const) : []),
      ],
      predicts: [
        ...(predictable ? [{key, value: after}] : []),
        predictAccount(v.name, true),
        ...touchedGroups(v, now).map((name) => predictGroup(name.slice('group:'.length), true)),
      ],
    });
  }
  addPassword(v, now, changes, ops, key);
  return change(changes, ops);
}

/** Groups whose member lists a change of memberships alters. */
function touchedGroups(v: V, now: Extract<AccountState, {type: 'account'}>): readonly `group:${string}`[] {
  return [...new Set([...now.groups, ...(v.groups ?? []), ...(v.group === undefined ? [] : [v.group])])].map(
    (name): `group:${string}` => `group:${name}`,
  );
}

/** Sets the hash over stdin (chpasswd -e), and the lock. */
function addPassword(
  v: V,
  now: Extract<AccountState, {type: 'account'}> | undefined,
  changes: Change[],
  ops: Op[],
  key: `account:${string}`,
): void {
  const present = now?.password?.reveal();
  const locked = present?.startsWith('!') === true;
  const bare = present?.replace(/^!+/, '');
  if (
    v.password !== undefined &&
    (now === undefined || v.update_password === 'always') &&
    (now === undefined || present === undefined || bare !== v.password.reveal().replace(/^!+/, ''))
  ) {
    changes.push({what: 'password', before: now?.password, after: v.password});
    ops.push({
      op: 'run',
      argv: ['chpasswd', '-e'],
      stdin: Secret.join([`${v.name}:`, v.password, '\n']),
      affects: [key],
      predicts: [predictAccount(v.name, true)],
    });
    if (v.password_lock === true) ops.push({op: 'run', argv: ['usermod', '-L', v.name], affects: [key]});
    return;
  }
  if (v.password_lock !== undefined && present !== undefined && v.password_lock !== locked) {
    changes.push({
      what: 'password lock',
      before: locked ? 'locked' : 'unlocked',
      after: v.password_lock ? 'locked' : 'unlocked',
    });
    ops.push({op: 'run', argv: ['usermod', v.password_lock ? '-L' : '-U', v.name], affects: [key]});
  } else if (v.password_lock === true && now === undefined) {
    ops.push({op: 'run', argv: ['usermod', '-L', v.name], affects: [key]});
  }
}

function isoDay(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
