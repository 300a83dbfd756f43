import {
  all,
  change,
  converged,
  defineModule,
  file,
  nothing,
  p,
  presentText,
  read,
  refuse,
  rewrite,
  sh,
  stdoutText,
  type FileState,
  type Plan,
  type Values,
} from '#kit';

const field = (doc: string) =>
  p.string(doc, {default: '*', pattern: '^[0-9A-Za-z*/,~-]+$', describe: 'a field of crontab(5), such as "*/5"'});
const special = ['annually', 'daily', 'hourly', 'monthly', 'reboot', 'weekly', 'yearly'] as const;

const params = {
  name: p.string('what the job is known by, in a comment above it', {
    required: true,
    pattern: '^[^\\n]+$',
    describe: 'one line',
  }),
  job: p.string('the command line', {aliases: ['value'], pattern: '^[^\\n]+$', describe: 'one line'}),
  state: p.choice(['present', 'absent'], 'whether it shall be there', {default: 'present'}),
  user: p.string('whose crontab; in a `cron_file` the account that the job runs as', {default: 'root'}),
  cron_file: p.string('a file below /etc/cron.d (or a path) instead of a crontab', {
    pattern: '^[A-Za-z0-9_/][A-Za-z0-9_./-]*$',
    describe: 'a file name that cron reads (letters, digits, `_`, `-`)',
  }),
  env: p.boolean('a variable `name=job` above the jobs, instead of a job', {default: false}),
  insertafter: p.string('a variable goes behind this one'),
  insertbefore: p.string('a variable goes in front of this one'),
  disabled: p.boolean('the job is there, in a comment', {default: false}),
  minute: field('minutes'),
  hour: field('hours'),
  day: p.string('days of the month', {
    default: '*',
    aliases: ['dom'],
    pattern: '^[0-9A-Za-z*/,~-]+$',
    describe: 'a field of crontab(5)',
  }),
  month: field('months'),
  weekday: p.string('days of the week', {
    default: '*',
    aliases: ['dow'],
    pattern: '^[0-9A-Za-z*/,~-]+$',
    describe: 'a field of crontab(5)',
  }),
  special_time: p.choice(special, 'instead of the five fields'),
  backup: p.boolean('accepted for compatibility: every replaced file is kept below /var/lib/tsplay/backup'),
};
type V = Values<typeof params>;

const marker = '#Ansible: ';

function fileOf(v: V): string | undefined {
  if (v.cron_file === undefined) return undefined;
  return v.cron_file.startsWith('/') ? v.cron_file : `/etc/cron.d/${v.cron_file}`;
}

/** The job's own line. *source*: crontab(5). */
function lineOf(v: V): string {
  const times =
    v.special_time === undefined ? `${v.minute} ${v.hour} ${v.day} ${v.month} ${v.weekday}` : `@${v.special_time}`;
  return `${v.disabled ? '#' : ''}${times} ${v.cron_file === undefined ? '' : `${v.user} `}${v.job ?? ''}`;
}

/** The table as it shall be. Lines of others stay; without a change by meaning the text stays to the byte. */
function edited(v: V, text: string): string | Plan {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const joined = (after: readonly string[]): string =>
    after.join('\n') === lines.join('\n') ? text : after.length === 0 ? '' : `${after.join('\n')}\n`;
  if (v.env) return editedVariable(v, lines, joined);
  const at = lines.findIndex((line) => line === `${marker}${v.name}`);
  if (v.state === 'absent') return at < 0 ? text : joined([...lines.slice(0, at), ...lines.slice(at + 2)]);
  const job = [`${marker}${v.name}`, lineOf(v)];
  return joined(at < 0 ? [...lines, ...job] : [...lines.slice(0, at), ...job, ...lines.slice(at + 2)]);
}

function editedVariable(v: V, lines: readonly string[], joined: (lines: readonly string[]) => string): string | Plan {
  const isOf = (name: string) => (line: string) =>
    new RegExp(`^\\s*${name.replace(/[^A-Za-z0-9_]/g, '')}\\s*=`).test(line);
  const at = lines.findIndex(isOf(v.name));
  if (v.state === 'absent') return joined(lines.filter((_line, i) => i !== at));
  const line = `${v.name}="${v.job ?? ''}"`;
  if (at >= 0) return joined(lines.map((old, i) => (i === at ? line : old)));
  const anchor = v.insertafter ?? v.insertbefore;
  if (anchor === undefined) return joined([line, ...lines]);
  const place = lines.findIndex(isOf(anchor));
  if (place < 0) return refuse('no-variable', `there is no variable ${anchor} in the table`);
  const cut = v.insertafter === undefined ? place : place + 1;
  return joined([...lines.slice(0, cut), line, ...lines.slice(cut)]);
}

/** A user's table by `crontab -l`. */
function table(user: string) {
  return read(
    sh`command -v crontab >/dev/null 2>&1 || exit 3
{ getent passwd ${user} || grep ${`^${user}:`} /etc/passwd; } >/dev/null 2>&1 || exit 4
crontab -l -u ${user} 2>/dev/null; :`,
    (reply) => (reply.exit === 3 ? 'no-cron' : reply.exit === 4 ? 'no-account' : {text: stdoutText(reply)}),
    {dependsOn: [`account:${user}`, 'tree:/var/spool/cron', 'package:*']},
  );
}

/** A job of cron's, known by the comment above it (the same as Ansible's, so tables carry over). *source*: Ansible's cron; crontab(5). */
export default defineModule({
  name: 'cron',
  summary: 'A job (or variable) in a crontab',
  params,
  examples: [
    '- cron:\n    name: clear old reports\n    cron_file: reports\n    user: root\n    minute: "0"\n    hour: "5"\n    job: find /var/reports -mtime +30 -delete\n',
    '- cron:\n    name: clear old reports\n    cron_file: reports\n    state: absent\n',
  ],
  check: (v) => [
    ...(v.state === 'present' && v.job === undefined
      ? [{code: 'missing-param', message: '`job` is needed with state present'}]
      : []),
    ...(v.env && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(v.name)
      ? [{code: 'bad-param', message: "with `env` the name is a variable's", param: '/name'}]
      : []),
    ...(v.insertafter !== undefined && v.insertbefore !== undefined
      ? [
          {
            code: 'bad-combination',
            message: '`insertafter` and `insertbefore` exclude each other',
            param: '/insertbefore',
          },
        ]
      : []),
    ...(v.special_time !== undefined && [v.minute, v.hour, v.day, v.month, v.weekday].some((f) => f !== '*')
      ? [{code: 'bad-combination', message: '`special_time` excludes the five fields', param: '/special_time'}]
      : []),
    ...(v.cron_file?.startsWith('/') === false && /[./]/.test(v.cron_file)
      ? [
          {
            code: 'bad-param',
            message: 'cron reads no file below /etc/cron.d with a dot or slash in its name',
            param: '/cron_file',
          },
        ]
      : []),
  ],
  probe: (v) => {
    const path = fileOf(v);
    return all({
      file: path === undefined ? nothing<FileState>({type: 'absent'}) : file(path, {content: 'always'}),
      table: path === undefined ? table(v.user) : nothing({text: ''}),
    });
  },
  plan: (v, now): Plan => {
    const path = fileOf(v);
    if (path !== undefined) return planFragment(v, path, now.file);
    const {table: present} = now;
    if (present === 'no-account')
      return v.state === 'absent' ? converged() : refuse('no-account', `there is no account ${v.user}`);
    if (present === 'no-cron')
      return v.state === 'absent'
        ? converged()
        : refuse('no-cron', 'there is no `crontab` on this host', {
            help: 'install `cron`, use `cron_file`, or `systemd_timer`',
          });
    const {text} = present;
    const after = edited(v, text);
    if (typeof after !== 'string') return after;
    if (after === text) return converged();
    return change(
      [{what: `crontab of ${v.user}`, before: text === '' ? undefined : text, after: after === '' ? undefined : after}],
      [
        {
          op: 'run',
          argv: after === '' ? ['crontab', '-u', v.user, '-r'] : ['crontab', '-u', v.user, '-'],
          ...(after === '' ? {} : {stdin: after}),
          affects: ['tree:/var/spool/cron'],
          predicts: table(v.user).reads.map(({key}) => ({key, value: {text: after}})),
        },
      ],
    );
  },
  result: (v) => ({name: v.name, state: v.state, job: v.state === 'absent' ? null : (v.job ?? null)}),
});

function planFragment(v: V, path: string, now: FileState): Plan {
  const present = presentText(path, now);
  if ('kind' in present) return present;
  const after = edited(v, present.text ?? '');
  if (typeof after !== 'string') return after;
  if (after === (present.text ?? '')) return converged();
  const shown = {what: path, before: present.text, after: after === '' ? undefined : after};
  return change(
    [shown],
    [after === '' ? {op: 'remove', path} : rewrite(path, present, after, {mode: '0644', owner: 'root', group: 'root'})],
  );
}
