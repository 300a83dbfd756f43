import {
  account,
  all,
  change,
  converged,
  defineModule,
  group,
  isNonEmpty,
  list,
  nothing,
  p,
  read,
  refuse,
  refuseAll,
  sh,
  stdoutText,
  type Change,
  type Op,
  type Problem,
  type Values,
} from '#kit';
import {parseGroup, parsePasswd} from '#formats/passwd';

const accountName = {pattern: '^[A-Za-z_][A-Za-z0-9_.@-]*\\$?$', describe: 'an account name'} as const;
const params = {
  name: p.string('the group', {required: true, pattern: accountName.pattern, describe: 'a group name'}),
  exactly: p.list(p.string('an account', accountName), 'the members: these and nobody else; `[]` = nobody'),
  include: p.list(p.string('an account', accountName), 'accounts that shall be members, whoever else is'),
  exclude: p.list(p.string('an account', accountName), 'accounts that shall not be members'),
};
type V = Values<typeof params>;

const named = (v: V): readonly string[] => [
  ...new Set([...(v.exactly ?? []), ...(v.include ?? []), ...(v.exclude ?? [])]),
];

/** Everybody's primary group counts where nobody else may be a member; else only that of the accounts named. */
const primaryMembers = (name: string) =>
  read(
    sh`getent group ${name}; echo; getent passwd`,
    (reply) => {
      const [first = '', ...rest] = stdoutText(reply).split('\n\n');
      const gid = parseGroup(`${first}\n`)[0]?.gid;
      return parsePasswd(rest.join('\n\n'))
        .filter((entry) => entry.gid === gid)
        .map((entry) => entry.name);
    },
    {dependsOn: [`group:${name}`, 'account:*']},
  );

const tools = (name: string) =>
  read(
    sh`command -v gpasswd >/dev/null && echo gpasswd; grep -q ${`^${name}:`} /etc/group && echo local; :`,
    (reply) => new Set(stdoutText(reply).split('\n')),
    {dependsOn: [`group:${name}`, 'package:passwd', 'package:shadow', 'package:shadow-utils', 'file:/etc/group']},
  );

/** Members of a group, those with this primary group included. *source*: gpasswd(1), group(5). */
export default defineModule({
  name: 'group_members',
  summary: 'Who is in a group: exactly these accounts, or at least (not) these',
  params,
  examples: [
    '- group_members:\n    name: operator\n    include: [daemon]\n',
    '- group_members:\n    name: operator\n    exactly: [daemon]\n',
  ],
  check: (v) => [
    ...(v.exactly === undefined && v.include === undefined && v.exclude === undefined
      ? [{code: 'missing-param', message: 'say who: `exactly`, or `include` and `exclude`'}]
      : []),
    ...(v.exactly !== undefined && (v.include !== undefined || v.exclude !== undefined)
      ? [
          {
            code: 'bad-combination',
            message: '`exactly` names all members; `include` and `exclude` say nothing beside it',
            param: '/exactly',
            help: 'leave out `exactly`, or the other two',
          },
        ]
      : []),
    ...(v.include ?? []).flatMap((name): Problem[] =>
      v.exclude?.includes(name) === true
        ? [
            {
              code: 'bad-combination',
              message: `${name} shall be a member and shall not`,
              param: `/exclude/${v.exclude.indexOf(name)}`,
            },
          ]
        : [],
    ),
  ],
  probe: (v) =>
    all({
      group: group(v.name),
      accounts: list(named(v).map(account)),
      primary: v.exactly === undefined ? nothing<readonly string[]>([]) : primaryMembers(v.name),
      tools: tools(v.name),
    }),
  plan: (v, now) => {
    if (now.group.type === 'absent')
      return refuse('no-group', `no group ${v.name} on this host`, {
        param: '/name',
        help: `make it first, with \`group: {name: ${v.name}}\`, or install the package that brings it`,
      });
    const {gid, members: listed} = now.group;
    const states = new Map(named(v).map((name, i) => [name, now.accounts[i]!]));
    const wanted = v.exactly ?? v.include ?? [];
    const parameter = v.exactly === undefined ? 'include' : 'exactly';
    const missing = wanted.flatMap((name, i): Problem[] =>
      states.get(name)?.type === 'absent'
        ? [
            {
              code: 'no-account',
              message: `no account ${name} on this host`,
              param: `/${parameter}/${i}`,
              help: 'make it first, install the package that brings it, or correct the name',
            },
          ]
        : [],
    );
    if (isNonEmpty(missing)) return refuseAll(missing);
    const isPrimary = (name: string): boolean => {
      const state = states.get(name);
      return now.primary.includes(name) || (state?.type === 'account' && state.gid === gid);
    };
    const unwanted =
      v.exactly === undefined
        ? (v.exclude ?? [])
        : [...new Set([...listed, ...now.primary])].filter((name) => !wanted.includes(name));
    const stuck = unwanted.filter(isPrimary);
    if (isNonEmpty(stuck))
      return refuse(
        'primary-group',
        `${v.name} is the primary group of ${stuck.join(', ')}, so a list of members cannot keep ${stuck.length === 1 ? 'it' : 'them'} out`,
        {
          help: `give ${stuck[0]} another primary group (\`user: {name: ${stuck[0]}, group: …}\`), or name it as a member`,
        },
      );
    const add = [...new Set(wanted)].filter((name) => !listed.includes(name) && !isPrimary(name));
    const remove = unwanted.filter((name) => listed.includes(name));
    if (add.length === 0 && remove.length === 0) return converged();
    if (!now.tools.has('local'))
      return refuse(
        'not-local',
        `group ${v.name} is not in /etc/group of this host: its members are kept elsewhere (LDAP, NIS, …)`,
      );
    if (!now.tools.has('gpasswd'))
      return refuse('no-tool', 'no gpasswd on this host', {
        help: 'install its package: passwd (Debian), shadow (openSUSE), shadow-utils (Red Hat)',
      });
    const changes: Change[] = [
      ...add.map((name) => ({what: `member ${name}`, before: undefined, after: name})),
      ...remove.map((name) => ({what: `member ${name}`, before: name, after: undefined})),
    ];
    const after = [...listed.filter((name) => !remove.includes(name)), ...add];
    const steps = [...add.map((name) => ['-a', name] as const), ...remove.map((name) => ['-d', name] as const)];
    const ops = steps.map(([flag, name], i): Op => {
      const state = states.get(name);
      const groups =
        state?.type === 'account'
          ? [
              {
                key: `account:${name}` as const,
                value: {
                  ...state,
                  groups: flag === '-a' ? [...state.groups, v.name] : state.groups.filter((g) => g !== v.name),
                },
              },
            ]
          : [];
      return {
        op: 'run',
        argv: ['gpasswd', flag, name, v.name],
        affects: [`group:${v.name}`, `account:${name}`, 'file:/etc/group', 'file:/etc/gshadow'],
        predicts: [
          ...(i === steps.length - 1 ? [{key: `group:${v.name}` as const, value: {...now.group, members: after}}] : []),
          ...groups,
        ],
      };
    });
    const extra = v.exactly === undefined ? [] : remove;
    return change(changes, ops, {
      findings: extra.map((name) => ({
        code: 'extra-member',
        severity: 'warning' as const,
        message: `${name} is a member of ${v.name} and should not be`,
        help: 'what the group may read, this account could read',
      })),
    });
  },
  result: (v, before, after) => ({
    name: v.name,
    members:
      'group' in after && after.group.type === 'group'
        ? [...new Set([...after.group.members, ...after.primary])]
        : null,
    before: before.group.type === 'group' ? [...new Set([...before.group.members, ...before.primary])] : [],
  }),
});
