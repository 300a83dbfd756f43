import {
  all,
  change,
  defineModule,
  file,
  fileDiff,
  p,
  refuse,
  unit,
  type Change,
  type Key,
  type Op,
  type Plan,
  type Problem,
  type UnitState,
  type Values,
} from '#kit';

const params = {
  name: p.string('the timer: NAME.timer', {
    required: true,
    pattern: '^[A-Za-z0-9_][A-Za-z0-9:_.@-]*$',
    describe: 'a name for units, without `.timer`',
  }),
  command: p.string('what it runs: an absolute path with arguments, as in ExecStart', {
    pattern: '^[-@:+!]*/[^\\n]+$',
    describe: 'a command line with an absolute path',
  }),
  unit: p.string('instead of a command: a unit that is there already'),
  on_calendar: p.list(
    p.string('a time as in systemd.time(7)', {pattern: '^[^\\n]+$'}),
    'when, such as `daily` or `Mon *-*-* 05:00`',
    {
      default: [],
    },
  ),
  on_boot: p.string('time after a boot, such as 5min', {pattern: '^[^\\n]+$'}),
  on_unit_active: p.string('time after the last run', {pattern: '^[^\\n]+$'}),
  persistent: p.boolean('a run that was missed is made up for', {default: false}),
  randomized_delay: p.string('up to so much later, such as 10min', {pattern: '^[^\\n]+$'}),
  accuracy: p.string('how exact, such as 1s', {pattern: '^[^\\n]+$'}),
  user: p.string('whom the command runs as', {pattern: '^[A-Za-z_][A-Za-z0-9_.-]*\\$?$', describe: 'an account name'}),
  working_directory: p.path('where the command runs'),
  environment: p.map(p.string('a value'), 'variables of the command', {default: {}}),
  description: p.string('what it is for', {pattern: '^[^\\n]*$', describe: 'one line'}),
  enabled: p.boolean('whether it starts at boot, and now', {default: true}),
  state: p.choice(['present', 'absent'], 'whether it shall be there', {default: 'present'}),
};
type V = Values<typeof params>;

function settings(section: string, pairs: readonly (readonly [string, string | undefined])[]): string {
  return `[${section}]\n${pairs.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}\n`])).join('')}`;
}

/** *source*: systemd.service(5); a value in quotes as systemd.syntax(7) says, `%` doubled against specifiers. */
function serviceText(v: V): string {
  const variables = Object.entries(v.environment).map(
    ([name, value]) =>
      [
        'Environment',
        `"${`${name}=${value}`.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%').replaceAll('\n', '\\n')}"`,
      ] as const,
  );
  return `${settings('Unit', [['Description', v.description ?? `Job of ${v.name}.timer`]])}
${settings('Service', [
  ['Type', 'oneshot'],
  ['User', v.user],
  ['WorkingDirectory', v.working_directory],
  ...variables,
  ['ExecStart', v.command],
])}`;
}

/** *source*: systemd.timer(5). */
function timerText(v: V): string {
  return `${settings('Unit', [['Description', v.description ?? `Timer of ${serviceName(v)}`]])}
${settings('Timer', [
  ...v.on_calendar.map((time) => ['OnCalendar', time] as const),
  ['OnBootSec', v.on_boot],
  ['OnUnitActiveSec', v.on_unit_active],
  ['RandomizedDelaySec', v.randomized_delay],
  ['AccuracySec', v.accuracy],
  ['Persistent', v.persistent ? 'true' : undefined],
  ['Unit', v.unit === undefined ? undefined : serviceName(v)],
])}
${settings('Install', [['WantedBy', 'timers.target']])}`;
}

function serviceName(v: V): string {
  if (v.unit === undefined) return `${v.name}.service`;
  return /\.[a-z]+$/.test(v.unit) ? v.unit : `${v.unit}.service`;
}

const folder = '/etc/systemd/system';

/** A job at times, by systemd: a timer, and the service that it starts. */
export default defineModule({
  name: 'systemd_timer',
  summary: 'A job at given times, by systemd',
  params,
  examples: [
    '- systemd_timer:\n    name: clear-reports\n    command: /usr/bin/find /var/reports -mtime +30 -delete\n    on_calendar: daily\n    persistent: true\n',
    '- systemd_timer:\n    name: clear-reports\n    state: absent\n',
  ],
  check: (v) => {
    if (v.state === 'absent') return [];
    const problems: Problem[] = [];
    if ((v.command === undefined) === (v.unit === undefined))
      problems.push({code: 'missing-param', message: 'one of `command` and `unit` is needed, and not both'});
    if (v.on_calendar.length === 0 && v.on_boot === undefined && v.on_unit_active === undefined)
      problems.push({code: 'missing-param', message: 'a time is needed', help: 'on_calendar: daily'});
    if (v.persistent && v.on_calendar.length === 0)
      problems.push({code: 'bad-combination', message: '`persistent` goes with `on_calendar`', param: '/persistent'});
    for (const name of Object.keys(v.environment))
      if (!/^[A-Za-z_]\w*$/.test(name))
        problems.push({code: 'bad-param', message: `"${name}" is not a variable's name`, param: '/environment'});
    return problems;
  },
  probe: (v) =>
    all({
      timer: file(`${folder}/${v.name}.timer`, {content: 'always'}),
      service: file(`${folder}/${v.name}.service`, {content: 'always'}),
      unit: unit(`${v.name}.timer`),
    }),
  plan: (v, now): Plan => {
    if (now.unit.type === 'none') return refuse('no-systemd', 'systemd does not run here', {help: 'use `cron`'});
    return v.state === 'absent' ? planAbsent(v, now as Seen) : planPresent(v, now as Seen);
  },
});

type Seen = {
  readonly timer: Parameters<typeof fileDiff>[1];
  readonly service: Parameters<typeof fileDiff>[1];
  readonly unit: Extract<UnitState, {type: 'unit'}>;
};

function systemctl(v: V, ...words: readonly string[]): Op {
  const affects: readonly Key[] =
    words[0] === 'daemon-reload' ? ['unit:*'] : [`unit:${v.name}.timer`, `unit:${serviceName(v)}`];
  return {op: 'run', argv: ['systemctl', ...words], affects};
}

function planPresent(v: V, now: Seen): Plan {
  const changes: Change[] = [];
  const ops: Op[] = [];
  const files = [
    ...(v.unit === undefined ? [{path: `${folder}/${v.name}.service`, text: serviceText(v), state: now.service}] : []),
    {path: `${folder}/${v.name}.timer`, text: timerText(v), state: now.timer},
  ];
  for (const {path, text, state} of files) {
    const diff = fileDiff({path, content: text, mode: '0644', owner: 'root', group: 'root'}, state);
    if (diff.refusal !== undefined) return diff.refusal;
    changes.push(
      ...(state.type === 'absent' ? diff.changes.slice(0, 1) : diff.changes).map((c) =>
        c.what === 'content' ? {...c, what: path} : {...c, what: `${path} ${c.what}`},
      ),
    );
    ops.push(...diff.ops);
  }
  const {unit: seen} = now;
  if (seen.load === 'masked') return refuse('masked', `${v.name}.timer is masked`, {help: '`systemd: masked: false`'});
  const stale = ops.length > 0 || seen.needsReload;
  if (stale) {
    if (ops.length === 0) changes.push({what: 'unit files', before: 'changed on disk', after: 'read anew'});
    ops.push(systemctl(v, 'daemon-reload'));
  }
  const enabled = seen.enabled === 'enabled';
  if (enabled !== v.enabled && !(seen.load === 'not-found' && !v.enabled)) {
    changes.push({what: 'enabled', before: enabled ? 'yes' : 'no', after: v.enabled ? 'yes' : 'no'});
    ops.push(systemctl(v, v.enabled ? 'enable' : 'disable', `${v.name}.timer`));
  }
  const runs = seen.active === 'active';
  // a running timer goes on with the times that it was started with
  const older = runs && now.timer.type === 'file' && seen.startedS < now.timer.mtimeS;
  if (runs !== v.enabled || (v.enabled && (older || (stale && runs)))) {
    changes.push({what: 'timer', before: seen.active, after: v.enabled ? (runs ? 'restarted' : 'active') : 'inactive'});
    ops.push(systemctl(v, v.enabled ? 'restart' : 'stop', `${v.name}.timer`));
  }
  return change(changes, ops);
}

function planAbsent(v: V, now: Seen): Plan {
  const changes: Change[] = [];
  const ops: Op[] = [];
  const {unit: seen} = now;
  if (now.timer.type !== 'absent' && (seen.active === 'active' || seen.enabled === 'enabled')) {
    changes.push({what: 'timer', before: seen.active, after: undefined});
    ops.push(systemctl(v, 'disable', '--now', `${v.name}.timer`));
  }
  const removed: readonly (readonly [string, Seen['timer']])[] = [
    [`${folder}/${v.name}.timer`, now.timer],
    // a service that was there before, and that a timer of `unit:` started, is not ours to take away
    ...(v.unit === undefined && now.timer.type !== 'absent'
      ? ([[`${folder}/${v.name}.service`, now.service]] as const)
      : []),
  ];
  for (const [path, state] of removed) {
    if (state.type === 'absent') continue;
    if (state.type === 'directory') return refuse('is-directory', `${path} is a directory`);
    changes.push({what: path, before: 'there', after: undefined});
    ops.push({op: 'remove', path});
  }
  if (ops.length > 0) ops.push(systemctl(v, 'daemon-reload'));
  return change(changes, ops);
}
