import {
  Secret,
  account,
  all,
  bytesOf,
  change,
  compareAttributes,
  converged,
  defineModule,
  file,
  fileKey,
  followed,
  group,
  isNonEmpty,
  list,
  octal,
  p,
  platformOf,
  platforms,
  read,
  refuse,
  refuseAll,
  sh,
  stdoutText,
  type Change,
  type FileState,
  type Host,
  type Op,
  type Plan,
  type Problem,
  type Values,
} from '#kit';
import {parseSasldb, sasldbFiles, type SaslEntry} from '#formats/sasldb';

const params = {
  db: p.path('the database; where the distribution keeps a pair, the name without `.dir` and `.pag`', {
    default: '/etc/sasldb2',
  }),
  service: p.string('the SASL service whose settings saslpasswd2 reads (QEMU: qemu)', {
    default: 'qemu',
    pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*$',
    describe: 'a service name',
  }),
  name: p.string('the user, without realm', {aliases: ['user']}),
  realm: p.string(
    'the realm: what the server takes for its name, usually the FQDN. Required, for every user: without one the short host name is stored and never found',
  ),
  password: p.secret('the password'),
  users: p.list(
    p.object(
      {
        name: p.string('the user, without realm', {required: true}),
        realm: p.string('its realm; default the `realm` of the task'),
        password: p.secret('its password'),
        state: p.choice(['present', 'absent'], 'whether it shall exist', {default: 'present'}),
      },
      'a user',
    ),
    'several users at once, instead of `name`',
  ),
  purge: p.boolean('remove all users that are not named here', {default: false}),
  update_password: p.choice(['always', 'on_create'], 'whether an existing user gets this password', {
    default: 'always',
  }),
  owner: p.string('owner of the database; a new one belongs to root'),
  group: p.string("group of the database; a new one gets QEMU's group"),
  mode: p.mode('permission bits of the database; a new one gets 0640'),
  state: p.choice(['present', 'absent'], 'whether the user shall exist', {default: 'present'}),
};
type V = Values<typeof params>;
type User = {
  readonly name: string;
  readonly realm: string;
  readonly password: Secret | undefined;
  readonly state: 'present' | 'absent';
  /** where it stands in the parameters */
  readonly at: string;
};

function usersOf(v: V): readonly User[] {
  const single: User[] =
    v.name === undefined ? [] : [{name: v.name, realm: v.realm ?? '', password: v.password, state: v.state, at: ''}];
  const several = (v.users ?? []).map((user, i): User => ({
    name: user.name,
    realm: user.realm ?? v.realm ?? '',
    password: user.password,
    state: v.state === 'absent' ? 'absent' : user.state,
    at: `/users/${i}`,
  }));
  return [...single, ...several];
}

const idOf = (user: {readonly name: string; readonly realm: string}): string => `${user.name}@${user.realm}`;

function checkUser(user: User): Problem[] {
  const problems: Problem[] = [];
  const say = (code: string, message: string, param: string, help: string): void =>
    void problems.push({code, message, param: `${user.at}/${param}`, help});
  if (!/^[^@\s\0]+$/.test(user.name))
    say(
      'bad-name',
      `"${user.name}" is no user name: it may hold no blank and no @ (what follows it would be taken for the realm)`,
      'name',
      'give the realm as `realm`',
    );
  if (user.realm === '')
    say(
      'no-realm',
      `user ${user.name} has no realm, and the host name that would be stored instead is not what the server looks up`,
      'realm',
      'realm: the fully qualified name of the server, such as "{{ ansible_fqdn }}"',
    );
  else if (/[@\s\0]/.test(user.realm))
    say('bad-realm', `"${user.realm}" is no realm`, 'realm', 'realm: mysrv.example.org');
  if (user.state === 'absent') return problems;
  if (user.password === undefined)
    say('no-password', `user ${user.name} has no password`, 'password', 'password: "{{ vault_… }}"');
  else {
    const text = user.password.reveal();
    if (text === '')
      say(
        'bad-password',
        'the password is empty, and saslpasswd2 refuses that',
        'password',
        'give one, or state: absent',
      );
    else if (bytesOf(text).length > 2048)
      say(
        'bad-password',
        'the password is longer than the 2048 bytes that saslpasswd2 stores',
        'password',
        'a shorter one',
      );
    else if (/[\n\0]/.test(text))
      say(
        'bad-password',
        'the password holds a line break (or NUL), which saslpasswd2 cuts off',
        'password',
        'without the line break: "{{ … | trim }}"',
      );
  }
  return problems;
}

const toolPackages = [...new Set(platforms.map((row) => row.sasldbTools))];
const tool = read(sh`command -v saslpasswd2`, (reply) => stdoutText(reply).trim() !== '', {
  dependsOn: toolPackages.map((name) => `package:${name}` as const),
});

/** The folder of the database and those above it, nearest first, without `/`. */
function foldersOf(db: string): readonly string[] {
  const parts = db.split('/').slice(1, -1);
  return parts.map((_, i) => `/${parts.slice(0, parts.length - i).join('/')}`);
}
const groupsOf = (v: V): readonly string[] => [
  ...new Set([...(v.group === undefined ? [] : [v.group]), ...platforms.map((row) => row.qemuGroup)]),
];
/** All files that a database may consist of. */
const filesOf = (db: string): readonly string[] => [...new Set([...sasldbFiles(db), `${db}.dir`])];

type State = {
  readonly files: readonly FileState[];
  readonly folders: readonly FileState[];
  readonly groups: readonly {readonly type: string}[];
  readonly owner: {readonly type: string};
  readonly tool: boolean;
};

/** The entries of whatever holds the data, or why they cannot be known. */
function entriesOf(v: V, now: State): readonly SaslEntry[] | (Plan & {kind: 'refuse'}) {
  const names = filesOf(v.db);
  for (const path of sasldbFiles(v.db)) {
    const state = followed(now.files[names.indexOf(path)] ?? {type: 'absent'});
    if (state.type === 'absent') continue;
    if (state.type !== 'file')
      return stop('not-a-file', `${path} is a ${state.type === 'directory' ? 'directory' : 'special file'}`);
    if (state.denied === true)
      return stop('unreadable', `${path} cannot be read by this account`, 'use `become: true`');
    if (state.content === undefined)
      return stop('too-large', `${path} has ${state.sizeBytes} bytes: too large for a database of users`);
    const parsed = parseSasldb(state.content);
    if (!parsed.ok)
      return stop(
        parsed.problems[0].code,
        `${path}: ${parsed.problems[0].message}`,
        'look at it with sasldblistusers2, and move it away if it is not needed',
      );
    return parsed.value;
  }
  return [];
}

function stop(code: string, message: string, help?: string): Plan & {kind: 'refuse'} {
  return refuse(code, message, help === undefined ? {} : {help}) as Plan & {kind: 'refuse'};
}

/** Users of a SASL database. *source*: saslpasswd2(8); behaviour seen with cyrus-sasl 2.1.28. */
export default defineModule({
  name: 'sasl_user',
  summary: 'Users and passwords in a SASL database, as SPICE consoles ask for them',
  params,
  examples: [
    '- sasl_user:\n    db: /var/spice/sasl/passwd.db\n    service: qemu\n    name: myself\n    realm: mysrv.example.org\n    password: a-password-from-a-vault\n    owner: root\n    group: root\n    mode: "0640"\n',
    '- sasl_user:\n    db: /var/spice/sasl/passwd.db\n    realm: mysrv.example.org\n    group: root\n    purge: true\n    users:\n      - {name: one, password: first-password}\n      - {name: two, password: second-password}\n',
  ],
  check: (v) => {
    const users = usersOf(v);
    const seen = new Set<string>();
    return [
      ...(v.name === undefined && v.users === undefined
        ? [{code: 'missing-param', message: 'say whom: `name` with `realm` and `password`, or `users`'}]
        : []),
      ...(v.name !== undefined && v.users !== undefined
        ? [{code: 'bad-combination', message: '`name` and `users` exclude each other', param: '/name'}]
        : []),
      ...(v.purge && v.state === 'absent'
        ? [
            {
              code: 'bad-combination',
              message: '`purge` keeps the users that are named, `state: absent` removes them',
              param: '/purge',
              help: 'for an empty database: users: [], purge: true',
            },
          ]
        : []),
      ...(v.users !== undefined && v.password !== undefined
        ? [{code: 'bad-combination', message: 'every one of `users` has its own password', param: '/password'}]
        : []),
      ...users.flatMap(checkUser),
      ...users.flatMap((user): Problem[] => {
        const id = idOf(user);
        if (!seen.has(id)) {
          seen.add(id);
          return [];
        }
        return [{code: 'twice', message: `user ${id} is named twice`, param: user.at}];
      }),
    ];
  },
  probe: (v) =>
    all({
      files: list(
        filesOf(v.db).map((path) =>
          file(path, path.endsWith('.dir') ? {} : {content: 'always', secret: true, maxBytes: 16 * 1024 * 1024}),
        ),
      ),
      folders: list(foldersOf(v.db).map((path) => file(path))),
      groups: list(groupsOf(v).map(group)),
      owner: account(v.owner ?? 'root'),
      tool,
    }),
  plan: (v, now, host: Host) => {
    const entries = entriesOf(v, now);
    if ('kind' in entries) return entries;
    const users = usersOf(v);
    const stored = new Map<string, {name: string; realm: string; password: Secret | undefined}>();
    for (const {user, realm, property, value} of entries) {
      const id = idOf({name: user, realm});
      const known = stored.get(id);
      stored.set(id, {name: user, realm, password: property === 'userPassword' ? value : known?.password});
    }
    const set: User[] = [];
    const remove: {name: string; realm: string}[] = [];
    const changes: Change[] = [];
    for (const user of users) {
      const present = stored.get(idOf(user));
      if (user.state === 'absent') {
        if (present !== undefined) remove.push(user);
        continue;
      }
      if (user.password === undefined) continue;
      if (present === undefined) changes.push({what: `user ${idOf(user)}`, before: undefined, after: user.password});
      else if (
        present.password === undefined ||
        (v.update_password === 'always' && !present.password.equals(user.password))
      )
        changes.push({what: `password of ${idOf(user)}`, before: present.password, after: user.password});
      else continue;
      set.push(user);
    }
    const declared = new Set(users.map(idOf));
    if (v.purge) remove.push(...[...stored].filter(([id]) => !declared.has(id)).map(([, user]) => user));
    changes.push(...remove.map((user) => ({what: `user ${idOf(user)}`, before: 'present', after: undefined})));

    const wrong = prerequisites(v, now, host, changes.length > 0);
    if (isNonEmpty(wrong)) return refuseAll(wrong);
    const place = placeOps(v, now, host, set.length > 0);
    const access = accessOps(v, now, host, changes.length > 0);
    const affects = filesOf(v.db).map(fileKey);
    const run = (argv: readonly [string, ...string[]], stdin?: Secret): Op => ({
      op: 'run',
      argv,
      affects,
      ...(stdin === undefined ? {} : {stdin}),
    });
    const base = ['-a', v.service] as const;
    const notes = {findings: findingsOf(v, now, users, [...stored.values()], access.bits)};
    const ops = [
      ...place.ops,
      ...set.map((user) =>
        run(['saslpasswd2', '-c', '-p', ...base, '-u', user.realm, '-f', v.db, '--', user.name], user.password),
      ),
      ...remove.map((user) => run(['saslpasswd2', '-d', ...base, '-u', user.realm, '-f', v.db, '--', user.name])),
      ...access.ops,
    ];
    const differences = [...place.changes, ...changes, ...access.changes];
    return differences.length === 0 ? converged(notes) : change(differences, ops, notes);
  },
  result: (v, before) => {
    const entries = entriesOf(v, before);
    return {
      db: v.db,
      users: 'kind' in entries ? [] : [...new Set(entries.map((entry) => `${entry.user}@${entry.realm}`))],
    };
  },
});

function prerequisites(v: V, now: State, host: Host, writes: boolean): Problem[] {
  const problems: Problem[] = [];
  const {sasldbTools} = platformOf(host.facts);
  if (writes && !now.tool)
    problems.push({
      code: 'no-tool',
      message: 'saslpasswd2 is not installed here',
      help: `install package ${sasldbTools} first`,
    });
  if (v.group !== undefined && !/^\d+$/.test(v.group) && now.groups[0]?.type === 'absent')
    problems.push({
      code: 'no-group',
      message: `no group ${v.group} on this host`,
      param: '/group',
      help: 'install the package that brings it, or make it first (group)',
    });
  if (v.owner !== undefined && !/^\d+$/.test(v.owner) && now.owner.type === 'absent')
    problems.push({code: 'no-account', message: `no account ${v.owner} on this host`, param: '/owner'});
  const [folder] = now.folders;
  if (folder !== undefined && folder.type !== 'absent' && followed(folder).type !== 'directory')
    problems.push({code: 'not-a-directory', message: `${foldersOf(v.db)[0] ?? ''} is not a directory`});
  return problems;
}

/** The group that guards the store: the declared one, else QEMU's where it exists, else root. */
function guardingGroup(v: V, now: State, host: Host): string {
  if (v.group !== undefined) return v.group;
  const {qemuGroup} = platformOf(host.facts);
  return now.groups[groupsOf(v).indexOf(qemuGroup)]?.type === 'group' ? qemuGroup : 'root';
}

/** Makes the folder where it is missing: closed to all but the owner and the guarding group. */
function placeOps(v: V, now: State, host: Host, needed: boolean): {changes: Change[]; ops: Op[]} {
  const folders = foldersOf(v.db);
  const missing = folders.filter((_, i) => now.folders[i]?.type === 'absent');
  if (!needed || missing.length === 0) return {changes: [], ops: []};
  const team = guardingGroup(v, now, host);
  return {
    changes: missing.toReversed().map((path) => ({
      what: path,
      before: undefined,
      after: path === folders[0] ? `directory root:${team} 0750` : 'directory',
    })),
    ops: missing
      .toReversed()
      .map((path): Op =>
        path === folders[0]
          ? {op: 'mkdir', path, mode: '0750', owner: 'root', group: team}
          : {op: 'mkdir', path, mode: '0755', owner: 'root', group: 'root'},
      ),
  };
}

/** Owner, group and mode of what there is, and of what saslpasswd2 is about to make: it alone knows whether that is one file or two. */
function accessOps(v: V, now: State, host: Host, writes: boolean): {changes: Change[]; ops: Op[]; bits: number} {
  const names = filesOf(v.db);
  const present = names.flatMap((path, i) => {
    const state = now.files[i];
    return state?.type === 'file' ? [{path, state}] : [];
  });
  if (present.length > 0) {
    const diffs = present.map(({path, state}) =>
      compareAttributes(path, state, v, present.length > 1 ? `${path} ` : ''),
    );
    const bits =
      v.mode === undefined || !/^[0-7]+$/.test(v.mode)
        ? present.reduce((all, {state}) => all | state.mode, 0)
        : parseInt(v.mode, 8);
    return {changes: diffs.flatMap((diff) => diff.changes), ops: diffs.flatMap((diff) => diff.ops), bits};
  }
  const mode = v.mode ?? '0640';
  const bits = /^[0-7]+$/.test(mode) ? parseInt(mode, 8) : 0;
  if (!writes) return {changes: [], ops: [], bits: 0};
  const owner = v.owner ?? 'root';
  const team = guardingGroup(v, now, host);
  const script = 'for f; do if [ -f "$f" ]; then chown -- "$o" "$f" && chmod -- "$m" "$f" || exit 1; fi; done';
  return {
    changes: [{what: v.db, before: undefined, after: `${owner}:${team} ${/^[0-7]+$/.test(mode) ? octal(bits) : mode}`}],
    ops: [
      {
        op: 'run',
        argv: ['/bin/sh', '-c', `o=$1 m=$2; shift 2; ${script}`, 'sh', `${owner}:${team}`, mode, ...names],
        affects: names.map(fileKey),
      },
    ],
    bits,
  };
}

function findingsOf(
  v: V,
  now: State,
  users: readonly User[],
  stored: readonly {name: string; realm: string}[],
  bits: number,
): Problem[] {
  const findings: Problem[] = [];
  if ((bits & 0o007) !== 0)
    findings.push({
      code: 'credentials-readable',
      severity: 'error',
      message: `${v.db} holds passwords in the clear, and everybody may read it (${octal(bits)})`,
      param: '/mode',
      help: 'mode: "0640"',
    });
  const folder = now.folders[0] === undefined ? undefined : followed(now.folders[0]);
  if (folder?.type === 'directory' && (folder.mode & 0o002) !== 0 && (folder.mode & 0o1000) === 0)
    findings.push({
      code: 'credentials-replaceable',
      severity: 'error',
      message: `everybody may write in ${foldersOf(v.db)[0] ?? '/'}, where ${v.db} lies`,
      help: 'mode 0750 for the folder (file module)',
    });
  for (const user of users.filter((one) => one.state === 'present')) {
    const others = v.purge
      ? []
      : stored.filter(
          (one) => one.name === user.name && one.realm !== user.realm && !users.some((u) => idOf(u) === idOf(one)),
        );
    if (others.length > 0)
      findings.push({
        code: 'other-realm',
        severity: 'warning',
        message: `${user.name} is also stored for realm ${others.map((one) => one.realm).join(', ')}`,
        help: 'an entry under the short host name is never looked up; remove it with state: absent, or with purge: true',
      });
  }
  return findings;
}
