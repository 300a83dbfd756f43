import test from 'ava';
import type {Host} from '../../src/kit/index.ts';
import module from '../../modules/pam_service.ts';
import {absent, debianHost, doing, fileState, mistakes, planned, suseHost, told} from './bound.ts';

const common = {
  'common-auth':
    'auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n',
  'common-account': 'account required pam_unix.so\n',
  'common-session': 'session required pam_unix.so\n',
};
const stack = [
  {type: 'auth', control: 'requisite', module: 'pam_nologin.so'},
  {type: 'auth', control: 'include', module: 'common-auth'},
  {type: 'account', control: 'include', module: 'common-account'},
  {type: 'session', control: 'required', module: 'pam_loginuid.so'},
  {type: 'session', control: 'include', module: 'common-session'},
];
const text =
  'auth\trequisite\tpam_nologin.so\nauth\tinclude\tcommon-auth\naccount\tinclude\tcommon-account\nsession\trequired\tpam_loginuid.so\nsession\tinclude\tcommon-session\n';
const denies = 'auth required pam_deny.so\naccount required pam_deny.so\n';
const all = new Set([
  'pam_nologin.so',
  'pam_loginuid.so',
  'pam_deny.so',
  'pam_wheel.so',
  'pam_env.so',
  'pam_unix.so',
  'pam_permit.so',
  'pam_rootok.so',
]);
const state = (present: string | undefined, more: Record<string, unknown> = {}) => ({
  folder: {type: 'directory'},
  places: [present === undefined ? absent : fileState(present), absent, absent],
  includes: Object.values(common).map((content) => [fileState(content), absent, absent]),
  other: fileState('@include common-auth\n'),
  modules: all,
  ...more,
});
type Case = [string, Record<string, unknown>, ReturnType<typeof state>, string];
const whole = {name: 'spice', rules: stack};
const su =
  '# su\nauth sufficient pam_rootok.so\n@include common-auth\nsession required pam_env.so readenv=1\nsession required pam_env.so envfile=/x\n';
const wheel = {type: 'auth', control: 'required', module: 'pam_wheel.so'};
const cases: Case[] = [
  ['a new stack', whole, state(undefined), 'write'],
  ['as declared', whole, state(text), 'converged'],
  [
    '@include means include',
    whole,
    state(
      '# c\nauth requisite pam_nologin.so\n@include common-auth\n@include common-account\nsession [success=ok new_authtok_reqd=ok ignore=ignore default=bad] pam_loginuid.so\n@include common-session\n',
    ),
    'converged',
  ],
  [
    '@include declared',
    {
      name: 'spice',
      rules: [
        stack[0],
        ...stack.slice(1).map((rule) => (rule.control === 'include' ? {...rule, control: '@include'} : rule)),
      ],
    },
    state(text),
    'converged',
  ],
  [
    'types in another order',
    whole,
    state(
      'session required pam_loginuid.so\nsession include common-session\naccount include common-account\nauth requisite pam_nologin.so\nauth include common-auth\n',
    ),
    'converged',
  ],
  ['another control', whole, state(text.replace('requisite', 'required')), 'write'],
  ['another order', whole, state(text.split('\n').reverse().join('\n')), 'write'],
  ['a broken line in the file', whole, state(`${text}auth required\n`), 'write'],
  ['the vendor has it', whole, state(undefined, {places: [absent, fileState(text), absent]}), 'converged'],
  ['absent', {name: 'spice', state: 'absent'}, state(text), 'remove'],
  ['absent already', {name: 'spice', state: 'absent'}, state(undefined), 'converged'],
  ['absent for a service of the connection', {name: 'sshd', state: 'absent'}, state(text), 'refuse lockout'],
  ['absent all the same', {name: 'sshd', state: 'absent', allow_lockout: true}, state(text), 'remove'],
  ['a missing module', whole, state(undefined, {modules: new Set(['pam_nologin.so'])}), 'refuse missing-module'],
  [
    'a missing include',
    whole,
    state(undefined, {includes: [[absent, absent, absent], ...state('').includes.slice(1)]}),
    'refuse missing-include',
  ],
  [
    'a service of the connection that refuses all',
    {name: 'sshd', rules: [{type: 'auth', control: 'required', module: 'pam_deny.so'}]},
    state(text, {includes: []}),
    'refuse lockout',
  ],
  [
    'its account rules refuse all',
    {name: 'sudo', rules: [stack[0], {type: 'account', control: 'required', module: 'pam_deny.so'}]},
    state(text, {includes: []}),
    'refuse lockout',
  ],
  [
    'refusing all elsewhere is what people want',
    {name: 'other', rules: [{type: 'auth', control: 'required', module: 'pam_deny.so'}]},
    state(text, {includes: []}),
    'write',
  ],
  [
    'lockout allowed',
    {name: 'sshd', rules: [{type: 'auth', control: 'required', module: 'pam_deny.so'}], allow_lockout: true},
    state(text, {includes: []}),
    'write',
  ],
  [
    'owned by pam-auth-update',
    {name: 'common-auth', rule: wheel},
    state('# here are the per-package modules (the "Primary" block)\nauth required pam_unix.so\n'),
    'refuse owned-file',
  ],
  [
    'owned by authselect',
    {name: 'system-auth', rule: wheel},
    state('', {
      places: [
        {type: 'link', target: '/etc/authselect/system-auth', followed: fileState('auth required pam_unix.so\n')},
        absent,
        absent,
      ],
    }),
    'refuse owned-file',
  ],
  [
    'a link',
    {name: 'x', rule: wheel},
    state('', {
      places: [{type: 'link', target: '/y', followed: fileState('auth required pam_unix.so\n')}, absent, absent],
    }),
    'refuse is-link',
  ],
  ['no PAM', whole, state(undefined, {folder: absent}), 'refuse no-pam'],
  [
    'one rule: there',
    {name: 'su', rule: {type: 'auth', control: 'sufficient', module: 'pam_rootok.so'}},
    state(su),
    'converged',
  ],
  ['one rule: behind its anchor', {name: 'su', rule: {...wheel, after: {module: 'pam_rootok.so'}}}, state(su), 'write'],
  [
    'one rule: no anchor',
    {name: 'su', rule: {...wheel, after: {module: 'pam_x.so'}}},
    state(su),
    'refuse pam-anchor-missing',
  ],
  ['one rule: no file', {name: 'su', rule: wheel}, state(undefined), 'refuse no-file'],
  [
    'one rule: which of two',
    {name: 'su', rule: {type: 'session', control: 'optional', module: 'pam_env.so'}},
    state(su),
    'refuse ambiguous-rule',
  ],
  [
    'one rule: this of two',
    {name: 'su', rule: {type: 'session', control: 'optional', module: 'pam_env.so', args: ['envfile=/x']}},
    state(su),
    'write',
  ],
  [
    'one rule: arguments left as they are',
    {name: 's', rule: {type: 'auth', control: 'required', module: 'pam_unix.so'}},
    state('auth required pam_unix.so nullok\n'),
    'converged',
  ],
  [
    'one rule: in the wrong place',
    {name: 's', rule: {...wheel, before: {module: 'pam_unix.so'}}},
    state('auth required pam_unix.so\nauth required pam_wheel.so\n'),
    'write',
  ],
  [
    'one rule: absent already',
    {name: 'su', rule: {type: 'auth', module: 'pam_wheel.so', state: 'absent'}},
    state(su),
    'converged',
  ],
  [
    'one rule: absent without a file',
    {name: 'su', rule: {type: 'auth', module: 'pam_wheel.so', state: 'absent'}},
    state(undefined),
    'converged',
  ],
  [
    'one rule: removed',
    {name: 'su', rule: {type: 'auth', module: 'pam_rootok.so', state: 'absent'}},
    state(su),
    'write',
  ],
];
for (const [title, given, now, expected] of cases) {
  test(title, (t) => {
    const plan = planned(module, given, now);
    if (plan.kind !== 'change') return t.deepEqual(told(plan), [expected]);
    const name = String(given['name']);
    t.deepEqual(doing(plan), [`${expected} /etc/pam.d/${name}`]);
    // what is written is what the next look finds good
    const [op] = plan.ops[0].op === 'guarded' ? plan.ops[0].ops : [plan.ops[0]];
    const after = op.op === 'write' && typeof op.content === 'string' ? fileState(op.content) : absent;
    t.is(planned(module, given, {...now, places: [after, ...now.places.slice(1)]}).kind, 'converged');
  });
}

const written = (given: Record<string, unknown>, now: unknown, host: Host = debianHost): string => {
  const plan = planned(module, {guard: 'off', ...given}, now, host);
  const op = plan.kind === 'change' ? plan.ops[0] : undefined;
  return op?.op === 'write' && typeof op.content === 'string' ? op.content : '';
};

test('one rule leaves every other byte, and jumps land where they did', (t) => {
  t.is(
    written({name: 'su', rule: {...wheel, args: ['group=sudo'], after: {module: 'pam_rootok.so'}}}, state(su)),
    su.replace('pam_rootok.so\n', 'pam_rootok.so\nauth\trequired\tpam_wheel.so group=sudo\n'),
  );
  const jumping =
    'auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n';
  t.is(
    written({name: 's', rule: {...wheel, after: {module: 'pam_unix.so'}}}, state(jumping)),
    jumping.replace('success=1', 'success=2').replace('pam_unix.so\n', 'pam_unix.so\nauth\trequired\tpam_wheel.so\n'),
  );
});

test('@include is written only where libpam knows it', (t) => {
  const given = {name: 'x', rules: [{type: 'auth', control: '@include', module: 'common-auth'}]};
  t.is(written(given, state(undefined)), '@include common-auth\n');
  t.is(written(given, state(undefined), suseHost), 'auth\tinclude\tcommon-auth\n');
});

test('the guard', (t) => {
  const op = (given: Record<string, unknown>, host: Host = debianHost) => {
    const plan = planned(module, {...whole, ...given}, state(undefined), host);
    return plan.kind === 'change' ? plan.ops[0] : undefined;
  };
  t.like(op({}), {op: 'guarded', restores: ['/etc/pam.d/spice'], confirm: 'login+become', withinMs: 30_000});
  t.like(op({guard: 10}, {...debianHost, connection: {user: 'root', from: ''}}), {confirm: 'login', withinMs: 10_000});
  t.like(op({guard: 'off'}), {op: 'write'});
  t.like(op({guard: false}), {op: 'write'}, 'YAML 1.1 habits');
});

test('findings', (t) => {
  const codes = (given: Record<string, unknown>, now: unknown) =>
    planned(module, given, now).findings?.map((f) => f.code);
  t.deepEqual(codes(whole, state(text)), []);
  t.deepEqual(
    codes({name: 'x', rules: [{type: 'auth', control: 'sufficient', module: 'pam_permit.so'}]}, state(undefined)),
    ['pam-admits-everybody', 'pam-other-decides'],
  );
  t.deepEqual(codes({name: 'spice', state: 'absent'}, state(undefined)), ['pam-other-decides']);
  t.deepEqual(codes({name: 'spice', state: 'absent'}, state(undefined, {other: fileState(denies)})), []);
  t.deepEqual(codes(whole, state(text, {modules: new Set(['pam_nologin.so'])})), ['missing-module']);
});

test('parameters', (t) => {
  const rule = (given: Record<string, unknown>) =>
    mistakes(module, {name: 'x', rules: [{type: 'auth', control: 'required', module: 'pam_unix.so', ...given}]});
  t.deepEqual(rule({}), []);
  t.deepEqual(rule({control: 'requird'}), ['bad-control /rules/0/control']);
  t.deepEqual(rule({control: '[success=1 default=ignore]'}), ['bad-jump /rules/0/control']);
  t.deepEqual(rule({module: 'a b'}), ['bad-module /rules/0/module']);
  t.deepEqual(rule({args: ['a#b']}), ['bad-args /rules/0/args/0']);
  t.deepEqual(rule({control: 'include', module: 'common-auth', args: ['x']}), ['bad-args /rules/0/args']);
  t.deepEqual(
    mistakes(module, {
      name: 'x',
      rules: [
        {type: 'auth', control: 'requisite', module: 'pam_deny.so'},
        {type: 'auth', control: 'required', module: 'pam_unix.so'},
      ],
    }),
    ['unreachable-rule /rules/1'],
  );
  t.deepEqual(
    mistakes(module, {
      name: 'x',
      rules: [
        {type: 'auth', control: '[success=1 default=ignore]', module: 'pam_unix.so'},
        stack[1],
        {type: 'auth', control: 'required', module: 'pam_permit.so'},
      ],
    }),
    ['bad-jump /rules/0/control'],
  );
  t.deepEqual(mistakes(module, {name: 'x'}), ['missing-param']);
  t.deepEqual(mistakes(module, {name: 'x', rule: {type: 'auth', module: 'pam_unix.so'}}), [
    'missing-param /rule/control',
  ]);
  t.deepEqual(mistakes(module, {name: 'x', rule: {...wheel, control: 'include'}}), ['bad-control /rule/control']);
  t.deepEqual(mistakes(module, {name: 'x', rule: {...wheel, after: {module: 'a.so'}, before: {module: 'b.so'}}}), [
    'bad-combination /rule/before',
  ]);
  t.deepEqual(mistakes(module, {name: '../x', state: 'absent'}).length, 1);
  t.deepEqual(mistakes(module, {name: 'x', state: 'absent', rules: [stack[0]]}), ['bad-combination /rules']);
});
