import {
  all,
  allowLockoutParam,
  change,
  defineModule,
  file,
  fileDiff,
  guardOps,
  guardParam,
  p,
  presentText,
  read,
  refuse,
  sh,
  stdoutText,
  type Change,
  type Host,
  type Plan,
  type PlainOp,
  type Problem,
  type Values,
} from '#kit';

const word = {pattern: '^[^\\s,:=()!"\\\\]+$', describe: 'a name without blanks'} as const;

const params = {
  name: p.string('the fragment: a file below /etc/sudoers.d', {
    required: true,
    pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]*$',
    describe: 'a file name that sudo reads (letters, digits, `_`, `-`; no dot)',
  }),
  users: p.list(p.string('an account', word), 'who', {aliases: ['user'], default: []}),
  groups: p.list(p.string('a group', word), 'members of these groups too', {aliases: ['group'], default: []}),
  hosts: p.list(p.string('a host', word), 'on which hosts', {default: ['ALL']}),
  runas: p.list(p.string('an account', word), 'as whom', {default: ['root']}),
  runas_groups: p.list(p.string('a group', word), 'with which groups', {default: []}),
  commands: p.list(p.string('a command line with an absolute path, or ALL'), 'what', {
    aliases: ['command'],
    default: [],
  }),
  nopassword: p.boolean('without a password', {default: false}),
  setenv: p.boolean('may set environment variables'),
  noexec: p.boolean('the commands may start no others'),
  defaults: p.list(p.string('a setting such as `!requiretty`'), '`Defaults` for these users', {default: []}),
  content: p.text('the fragment itself, instead of all that'),
  state: p.choice(['present', 'absent'], 'whether it shall be there', {default: 'present'}),
  guard: guardParam,
  allow_lockout: allowLockoutParam,
};
type V = Values<typeof params>;

/** A command as sudoers wants it: commas and colons in arguments are quoted. *source*: sudoers(5), "Other special characters". */
function commandText(command: string): string {
  const [program = '', ...args] = command.trim().split(/\s+/);
  const quoted = args.map((arg) => arg.replace(/(?<!\\)[,:=]/g, '\\$&'));
  return [program, ...quoted].join(' ');
}

function fragmentOf(v: V): string {
  if (v.content !== undefined) return String(v.content).endsWith('\n') ? String(v.content) : `${String(v.content)}\n`;
  const who = [...v.users, ...v.groups.map((group) => `%${group}`)];
  const tags = [
    ...(v.nopassword ? ['NOPASSWD:'] : []),
    ...(v.noexec === undefined ? [] : [v.noexec ? 'NOEXEC:' : 'EXEC:']),
    ...(v.setenv === undefined ? [] : [v.setenv ? 'SETENV:' : 'NOSETENV:']),
  ];
  const runas = `(${v.runas.join(', ')}${v.runas_groups.length === 0 ? '' : ` : ${v.runas_groups.join(', ')}`})`;
  const rule = `${who.join(', ')} ${v.hosts.join(', ')}=${[runas, ...tags, v.commands.map(commandText).join(', ')].join(' ')}`;
  return [...v.defaults.map((setting) => `Defaults:${who.join(',')} ${setting}`), rule]
    .map((line) => `${line}\n`)
    .join('');
}

/** Whom a fragment lets run whatever they like: accounts, and groups with a `%`. Aliases may mean anything, so they count. */
function subjects(text: string): readonly string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => !/^\s*(#(?!\d)|@|Defaults|\w+_Alias\b|$)/.test(line))
    .flatMap((line) => {
      const [who = '', ...rules] = line.split('=');
      const commands = rules.join('=').replace(/\([^)]*\)/g, '');
      if (!/(^|[\s,:])(ALL|[A-Z][A-Z0-9_]*(?=\s*(,|$))|(\/usr)?\/bin\/(ba|da)?sh)(?=[\s,]|$)/.test(commands)) return [];
      return who
        .trim()
        .replace(/\s+\S+$/, '')
        .split(',')
        .map((one) => one.trim());
    });
}

/** A fragment of sudoers: checked by visudo before it is there, guarded by a fresh login. *source*: sudoers(5), visudo(8). */
export default defineModule({
  name: 'sudo_rule',
  summary: 'What accounts may do through sudo',
  params,
  examples: [
    '- sudo_rule:\n    name: operators\n    groups: [adm]\n    commands: [/usr/bin/systemctl restart cron]\n    nopassword: true\n',
    '- sudo_rule:\n    name: operators\n    state: absent\n',
  ],
  check: (v) => {
    if (v.state === 'absent') return [];
    const problems: Problem[] = [];
    const parts = v.users.length + v.groups.length + v.commands.length + v.defaults.length;
    if (v.content !== undefined && parts > 0)
      problems.push({
        code: 'bad-combination',
        message: '`content` excludes users, groups, commands and defaults',
        param: '/content',
      });
    if (v.content !== undefined) return problems;
    if (v.users.length + v.groups.length === 0)
      problems.push({code: 'missing-param', message: 'one of `users` and `groups` is needed'});
    if (v.commands.length === 0)
      problems.push({code: 'missing-param', message: '`commands` is needed', help: 'commands: [ALL]'});
    for (const [i, command] of v.commands.entries()) {
      const program = command.trim().replace(/^!\s*/, '').split(/\s/)[0] ?? '';
      if (!/^(\/\S+|ALL|sudoedit|list|[A-Z][A-Z0-9_]*)$/.test(program) || /[\n#]/.test(command))
        problems.push({
          code: 'bad-param',
          message: `"${command}" does not begin with an absolute path`,
          param: `/commands/${i}`,
          help: '/usr/bin/systemctl restart cron',
        });
      if (/[*?]/.test(command) && program !== 'ALL')
        problems.push({
          code: 'wildcard',
          message: `a wildcard in "${command}" matches blanks and slashes too`,
          param: `/commands/${i}`,
          help: 'name the commands one by one',
          severity: 'warning',
        });
    }
    for (const [i, setting] of v.defaults.entries())
      if (/\n/.test(setting))
        problems.push({code: 'bad-param', message: 'a setting is one line', param: `/defaults/${i}`});
    return problems;
  },
  probe: (v) =>
    all({
      file: file(`/etc/sudoers.d/${v.name}`, {content: 'always'}),
      // who is asking: sudo says so, and by which groups he may be meant
      tools: read(
        sh`command -v visudo >/dev/null 2>&1 && echo visudo || echo none; [ -z "$SUDO_USER" ] || id -nG "$SUDO_USER" 2>/dev/null; :`,
        (reply) => {
          const [program = '', groups = ''] = stdoutText(reply).split('\n');
          return {visudo: program === 'visudo', groups: groups.split(' ').filter((name) => name !== '')};
        },
        {dependsOn: ['package:sudo', 'tree:/usr/sbin']},
      ),
    }),
  plan: (v, {file: now, tools}, host): Plan => {
    const path = `/etc/sudoers.d/${v.name}`;
    const present = presentText(path, now);
    if ('kind' in present) return present;
    const text = v.state === 'absent' ? '' : fragmentOf(v);
    const lost = lockout(v, present.text ?? '', text, tools.groups, host);
    const changes: Change[] = [];
    const ops: PlainOp[] = [];
    if (v.state === 'absent') {
      if (present.text === undefined) return change([], []);
      changes.push({what: path, before: present.text === '' ? '(empty)' : present.text, after: undefined});
      ops.push({op: 'remove', path});
    } else {
      if (!tools.visudo) return refuse('no-sudo', 'there is no `visudo` on this host', {help: 'install `sudo` first'});
      const diff = fileDiff(
        {
          path,
          content: text,
          mode: '0440',
          owner: 'root',
          group: 'root',
          validate: ['visudo', '-cqf', {candidate: true}],
        },
        now,
      );
      if (diff.refusal !== undefined) return diff.refusal;
      const told = now.type === 'absent' ? diff.changes.filter((c) => c.what === 'content') : diff.changes;
      changes.push(...told.map((c) => (c.what === 'content' ? {...c, what: path} : c)));
      for (const op of diff.ops) if (op.op !== 'guarded') ops.push(op);
    }
    if (changes.length > 0 && lost !== undefined) return lost;
    return change(changes, guardOps(ops, v.guard, host, {restores: [path], undo: []}));
  },
  result: (v) => ({name: v.name, path: `/etc/sudoers.d/${v.name}`, state: v.state}),
});

/** A refusal where the account of this connection loses what this very fragment gives it. */
function lockout(v: V, before: string, after: string, groups: readonly string[], host: Host): Plan | undefined {
  const {user, become} = host.connection;
  if (v.allow_lockout || become === undefined) return undefined;
  const mine = new Set([user, `#${user}`, ...groups.map((group) => `%${group}`)]);
  const means = (text: string): boolean => subjects(text).some((who) => mine.has(who) || who === 'ALL');
  if (!means(before) || means(after)) return undefined;
  return refuse('lockout', `this fragment is what lets ${user}, who is connected, become ${become}`, {
    help: `give ${user} a rule elsewhere first, and set \`allow_lockout: true\``,
  });
}
