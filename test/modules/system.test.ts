import test from 'ava';
import hostname from '../../modules/hostname.ts';
import modprobe from '../../modules/modprobe.ts';
import sudoRule from '../../modules/sudo_rule.ts';
import systemdTimer from '../../modules/systemd_timer.ts';
import timezone from '../../modules/timezone.ts';
import {reveal, sha256, type Host, type Secret} from '../../src/kit/index.ts';
import {absent, debianHost, doing, fileState, mistakes, planned, told} from './bound.ts';

const inode = {mode: 0o777, owner: 'root', group: 'root', uid: 0, gid: 0, sizeBytes: 0, mtimeS: 0};
const folder = {type: 'directory', ...inode};
const there = (text: string, more = {}) => fileState(text, {sha256: sha256(text), ...more});
const link = (target: string, followed: unknown = there('TZif')) => ({type: 'link', target, followed, ...inode});

const names: [string, unknown, string[]][] = [
  ['as it is', {file: there('# c\nn\n'), live: 'n'}, ['converged']],
  ['another', {file: there('o\n'), live: 'o'}, ['/etc/hostname: o -> n', 'name now: o -> n']],
  ['only until the next boot', {file: there('o\n'), live: 'n'}, ['/etc/hostname: o -> n']],
  ['only after it', {file: there('n\n'), live: 'o'}, ['name now: o -> n']],
  ['no file', {file: absent, live: 'n'}, ['/etc/hostname: absent -> n']],
];
for (const [name, state, expected] of names)
  test(`hostname: ${name}`, (t) => t.deepEqual(told(planned(hostname, {name: 'n'}, state)), expected));

const berlin = '/usr/share/zoneinfo/Europe/Berlin';
const zones: [string, unknown, string[]][] = [
  ['as it is', {link: link(berlin), text: there('Europe/Berlin\n'), zone: there('TZif')}, ['converged']],
  ['a relative link', {link: link(`..${berlin}`), text: absent, zone: there('TZif')}, ['converged']],
  [
    'another',
    {link: link('/usr/share/zoneinfo/Etc/UTC'), text: there('Etc/UTC\n'), zone: link('Berlin')},
    ['time zone: Etc/UTC -> Europe/Berlin', '/etc/timezone: Etc/UTC -> Europe/Berlin'],
  ],
  ['a copy', {link: there('TZif'), text: absent, zone: there('TZif')}, ['time zone: (a file) -> Europe/Berlin']],
  ['no such zone', {link: absent, text: absent, zone: absent}, ['refuse no-zone']],
];
for (const [name, state, expected] of zones)
  test(`timezone: ${name}`, (t) => t.deepEqual(told(planned(timezone, {name: 'Europe/Berlin'}, state)), expected));

const kernel = (state: string, more: Record<string, unknown> = {}) => ({
  kernel: {state, canLoad: true},
  load: absent,
  options: absent,
  folders: [folder, absent],
  ...more,
});
const kernelModules: [string, Record<string, unknown>, unknown, string[]][] = [
  ['loaded', {}, kernel('loaded'), ['converged']],
  ['built in', {}, kernel('built-in'), ['converged']],
  ['not loaded', {}, kernel('absent'), ['module m: absent -> loaded']],
  ['no modprobe', {}, kernel('absent', {kernel: {state: 'absent', canLoad: false}}), ['refuse no-modprobe']],
  ['out', {state: 'absent'}, kernel('loaded'), ['module m: loaded -> absent']],
  ['out, built in', {state: 'absent'}, kernel('built-in'), ['refuse built-in']],
  [
    'at boot, with parameters',
    {persistent: 'present', params: 'a=1'},
    kernel('loaded', {load: there('# c\nm\n')}),
    ['/etc/modprobe.d/m.conf: absent -> options m a=1\n'],
  ],
  [
    'not at boot',
    {persistent: 'absent'},
    kernel('loaded', {load: there('m\n')}),
    ['/etc/modules-load.d/m.conf: m\n -> absent'],
  ],
];
for (const [name, given, state, expected] of kernelModules)
  test(`modprobe: ${name}`, (t) => t.deepEqual(told(planned(modprobe, {name: 'm', ...given}, state)), expected));

test('modprobe: a folder that is not there', (t) => {
  const plan = planned(modprobe, {name: 'm', persistent: 'present', params: 'a=1 b'}, kernel('absent'));
  t.deepEqual(doing(plan), [
    'modprobe m a=1 b',
    'write /etc/modules-load.d/m.conf',
    'mkdir /etc/modprobe.d',
    'write /etc/modprobe.d/m.conf',
  ]);
});

const sudo = (file: unknown, groups: readonly string[] = ['admin']) => ({file, tools: {visudo: true, groups}});
const all = {users: ['u'], commands: ['ALL']};
const path = '/etc/sudoers.d/r';
const rules: [string, Record<string, unknown>, string][] = [
  ['all', all, 'u ALL=(root) ALL\n'],
  [
    'groups and tags',
    {...all, groups: ['g'], nopassword: true, setenv: true, noexec: true},
    'u, %g ALL=(root) NOPASSWD: NOEXEC: SETENV: ALL\n',
  ],
  ['as whom', {...all, runas: ['a', 'b'], runas_groups: ['c']}, 'u ALL=(a, b : c) ALL\n'],
  [
    'special characters',
    {...all, commands: ['/bin/a x,y:z', '/bin/b a\\,b']},
    'u ALL=(root) /bin/a x\\,y\\:z, /bin/b a\\,b\n',
  ],
  ['settings', {...all, groups: ['g'], defaults: ['!lecture']}, 'Defaults:u,%g !lecture\nu, %g ALL=(root) ALL\n'],
  ['its own text', {content: 'u ALL=ALL'}, 'u ALL=ALL\n'],
];
for (const [name, given, expected] of rules)
  test(`sudo_rule: ${name}`, (t) => {
    t.deepEqual(told(planned(sudoRule, {name: 'r', ...given}, sudo(absent))), [`${path}: absent -> ${expected}`]);
    t.deepEqual(told(planned(sudoRule, {name: 'r', ...given}, sudo(there(expected, {mode: 0o440})))), ['converged']);
  });

test('sudo_rule: judged by visudo, guarded by a login', (t) => {
  const plan = planned(sudoRule, {name: 'r', ...all}, sudo(absent));
  const [op] = plan.kind === 'change' ? plan.ops : [];
  t.true(op?.op === 'guarded' && op.restores.includes(path) && op.confirm === 'login+become');
  const inner = op?.op === 'guarded' ? op.ops[0] : undefined;
  t.true(inner?.op === 'write' && inner.validate?.[0] === 'visudo' && inner.mode === '0440');
  const off = planned(sudoRule, {name: 'r', ...all, guard: 'off'}, sudo(absent));
  t.deepEqual(off.kind === 'change' ? off.ops.map((o) => o.op) : [], ['write']);
});

const lockouts: [string, Record<string, unknown>, string, readonly string[], string | undefined][] = [
  ['the rule of who is connected', {state: 'absent'}, 'admin ALL=(ALL:ALL) NOPASSWD: ALL\n', [], 'refuse lockout'],
  ['his group’s', {state: 'absent'}, '%wheel ALL=(ALL) ALL\n', ['admin', 'wheel'], 'refuse lockout'],
  ['another group’s', {state: 'absent'}, '%wheel ALL=(ALL) ALL\n', ['admin'], undefined],
  ['a single command', {state: 'absent'}, 'admin ALL=(root) NOPASSWD: /usr/bin/id\n', [], undefined],
  ['an alias', {state: 'absent'}, 'x, admin ALL=(root) NOPASSWD: TOOLS\n', [], 'refuse lockout'],
  ['somebody else instead', all, 'admin ALL=ALL\n', [], 'refuse lockout'],
  ['still in it', {users: ['admin', 'u'], commands: ['ALL']}, 'admin ALL=ALL\n', [], undefined],
  ['knowingly', {state: 'absent', allow_lockout: true}, 'admin ALL=ALL\n', [], undefined],
];
for (const [name, given, text, groups, expected] of lockouts)
  test(`sudo_rule, lockout: ${name}`, (t) => {
    const plan = planned(sudoRule, {name: 'r', ...given}, sudo(there(text, {mode: 0o440}), groups));
    if (expected === undefined) t.is(plan.kind, 'change');
    else t.deepEqual(told(plan), [expected]);
  });

test('sudo_rule: without sudo, and as root', (t) => {
  t.deepEqual(told(planned(sudoRule, {name: 'r', ...all}, {file: absent, tools: {visudo: false, groups: []}})), [
    'refuse no-sudo',
  ]);
  const root: Host = {...debianHost, connection: {user: 'root', from: '192.0.2.1'}};
  t.is(planned(sudoRule, {name: 'r', state: 'absent'}, sudo(there('root ALL=ALL\n')), root).kind, 'change');
});

const unit = (more: Record<string, unknown> = {}) => ({
  type: 'unit',
  load: 'loaded',
  active: 'active',
  sub: 'waiting',
  enabled: 'enabled',
  startedS: 5000,
  mainPid: 0,
  needsReload: false,
  fragmentPath: '',
  ...more,
});
const none = unit({load: 'not-found', active: 'inactive', enabled: ''});
const job = {name: 'j', command: '/bin/true', on_calendar: 'daily'};
const made = (given: Record<string, unknown>): {service: string; timer: string} => {
  const plan = planned(systemdTimer, {...job, ...given}, {timer: absent, service: absent, unit: none});
  const texts =
    plan.kind === 'change'
      ? plan.ops.flatMap((op) => (op.op === 'write' ? [reveal(op.content as string | Secret)] : []))
      : [];
  return texts.length === 1 ? {service: '', timer: texts[0]!} : {service: texts[0] ?? '', timer: texts[1] ?? ''};
};
const present = (more: Record<string, unknown> = {}, unitMore: Record<string, unknown> = {}) => {
  const {service, timer} = made({});
  return {timer: there(timer), service: there(service), unit: unit(unitMore), ...more};
};

const timers: [string, Record<string, unknown>, unknown, string[]][] = [
  ['there', {}, present(), []],
  [
    'new',
    {},
    {timer: absent, service: absent, unit: none},
    [
      'write /etc/systemd/system/j.service',
      'write /etc/systemd/system/j.timer',
      'systemctl daemon-reload',
      'systemctl enable j.timer',
      'systemctl restart j.timer',
    ],
  ],
  ['stopped', {}, present({}, {active: 'inactive'}), ['systemctl restart j.timer']],
  ['not read anew', {}, present({}, {needsReload: true}), ['systemctl daemon-reload', 'systemctl restart j.timer']],
  ['older than its file', {}, present({}, {startedS: 500}), ['systemctl restart j.timer']],
  [
    'another time',
    {on_calendar: 'weekly'},
    present(),
    ['write /etc/systemd/system/j.timer', 'systemctl daemon-reload', 'systemctl restart j.timer'],
  ],
  ['off', {enabled: false}, present(), ['systemctl disable j.timer', 'systemctl stop j.timer']],
  [
    'absent',
    {state: 'absent'},
    present(),
    [
      'systemctl disable --now j.timer',
      'remove /etc/systemd/system/j.timer',
      'remove /etc/systemd/system/j.service',
      'systemctl daemon-reload',
    ],
  ],
  ['absent already', {state: 'absent'}, {timer: absent, service: absent, unit: none}, []],
  ['a service of somebody else stays', {state: 'absent'}, {timer: absent, service: there('x'), unit: none}, []],
];
for (const [name, given, state, expected] of timers)
  test(`systemd_timer: ${name}`, (t) => t.deepEqual(doing(planned(systemdTimer, {...job, ...given}, state)), expected));

test('systemd_timer: its files', (t) => {
  t.regex(
    made({environment: {A: 'x "y" 5%'}, user: 'u'}).service,
    /User=u\nEnvironment="A=x \\"y\\" 5%%"\nExecStart=\/bin\/true\n$/,
  );
  t.regex(made({on_calendar: ['Mon *-*-* 05:00', 'Fri']}).timer, /OnCalendar=Mon \*-\*-\* 05:00\nOnCalendar=Fri\n/);
  t.regex(made({command: null, unit: 'other'}).timer, /Unit=other\.service\n/);
});

test('wrong', (t) => {
  t.deepEqual(mistakes(hostname, {name: '-x'}), ['bad-param /name']);
  t.deepEqual(mistakes(timezone, {name: '../etc/passwd'}), ['bad-param /name']);
  t.deepEqual(mistakes(modprobe, {name: '../x'}), ['bad-param /name']);
  t.deepEqual(mistakes(sudoRule, {name: 'a.b', ...all}), ['bad-param /name']);
  t.deepEqual(mistakes(sudoRule, {name: 'r'}), ['missing-param', 'missing-param']);
  t.deepEqual(mistakes(sudoRule, {name: 'r', users: ['u'], commands: ['reboot']}), ['bad-param /commands/0']);
  t.deepEqual(mistakes(sudoRule, {name: 'r', users: ['u'], commands: ['/bin/cat /var/*']}), ['wildcard /commands/0']);
  t.deepEqual(mistakes(sudoRule, {name: 'r', ...all, content: 'x'}), ['bad-combination /content']);
  t.deepEqual(mistakes(systemdTimer, {name: 'j', command: '/x'}), ['missing-param']);
  t.deepEqual(mistakes(systemdTimer, {...job, command: 'x'}), ['bad-param /command']);
  t.deepEqual(mistakes(systemdTimer, {...job, unit: 'x'}), ['missing-param']);
});
