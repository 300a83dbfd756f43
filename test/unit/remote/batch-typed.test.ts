import test from 'ava';
import {
  account,
  group,
  packageState,
  read,
  unit,
  type AccountState,
  type PackageState,
  type Read,
  type UnitState,
} from '../../../src/kit/reads.ts';
import type {Probe} from '../../../src/kit/probe.ts';
import {sh} from '../../../src/kit/shell.ts';
import {compileReads} from '../../../src/remote/batch.ts';
import {exitStatus} from '../../../src/remote/exit-status.ts';
import {ReadFailed} from '../../../src/remote/read-fragment.ts';
import type {Fragment, Outcome} from '../../../src/remote/session.ts';
import {compileGuard} from '../../../src/remote/witness.ts';
import {eachShell, verdict} from './lower-shells.ts';

const replied = (stdout: string, exit = 0, stderr = ''): Outcome => ({
  ran: true,
  reply: {exit, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr)},
  durationMs: 1,
  timedOut: false,
});
/** The value of one read when its fragment answers this. */
function value<T>(probe: Probe<T>, stdout: string): T {
  const values = compileReads(probe.reads).decode([replied(stdout)]);
  if (values instanceof Error) throw values;
  return values.get(probe.reads[0]!) as T;
}

test('packages, as each package manager tells of them', (t) => {
  const cases: readonly (readonly [string, string, Partial<PackageState>])[] = [
    [
      'a',
      'dpkg\na amd64 ii |1.0-1\n==\na:\n  Installed: 1.0-1\n  Candidate: 1.2-1\n',
      {installed: true, version: '1.0-1', candidate: '1.2-1', held: false},
    ],
    ['a', 'dpkg\na amd64 hi |2:1.0\n==\n', {installed: true, version: '2:1.0', held: true}],
    [
      'a',
      'dpkg\na amd64 rc |1.0\n==\na:\n  Installed: (none)\n  Candidate: (none)\n',
      {installed: false, version: '', candidate: '', held: false},
    ],
    ['a', 'dpkg\na i386 rc |0.9\na amd64 ii |1.0\n==\n', {installed: true, version: '1.0'}],
    ['a:i386', 'dpkg\na i386 ii |0.9\na amd64 ii |1.0\n==\n', {installed: true, version: '0.9'}],
    ['a', 'dpkg\naa amd64 ii |1.0\n==\naa:\n  Candidate: 3\n', {installed: false, candidate: ''}],
    ['a', 'rpm\na x86_64 0:1.0-lp.1\n==\n', {installed: true, version: '1.0-lp.1', held: false}],
    ['a', 'rpm\npackage a is not installed\n==\n', {installed: false}],
    [
      'a',
      'rpm\na x86_64 1:1.0-1\n==\n\ntype: package\nsolvable_name: a\n',
      {installed: true, version: '1:1.0-1', held: true},
    ],
    [
      'a',
      'apk\na policy:\n  1.9-r0:\n    lib/apk/db/installed\n    http://m/main\n  1.10-r0:\n    http://m/main\n==\na=1.9-r0\n',
      {installed: true, version: '1.9-r0', candidate: '1.10-r0', held: true},
    ],
    ['a', 'none\n', {installed: false, version: '', candidate: '', held: false}],
  ];
  for (const [name, stdout, expected] of cases) t.like(value(packageState(name), stdout), expected, stdout);
  const odd = packageState('-o*');
  t.is(compileReads(odd.reads).fragments.length, 0, 'what cannot be a name is not asked for');
});

test('units, in the order asked', (t) => {
  const reads = [unit('a'), unit('b.socket'), unit('no unit')].flatMap((probe) => probe.reads);
  const block = (fields: Record<string, string>): string =>
    Object.entries(fields)
      .map(([k, v]) => `${k}=${v}\n`)
      .join('');
  const stdout = [
    block({
      MainPID: '7',
      ExecMainStartTimestamp: 'Mon 2025-11-24 03:40:12 UTC',
      LoadState: 'loaded',
      ActiveState: 'active',
      SubState: 'running',
      FragmentPath: '/lib/systemd/system/a.service',
      UnitFileState: 'enabled',
      InactiveExitTimestamp: 'Mon 2025-11-24 03:40:10 UTC',
      NeedDaemonReload: 'yes',
    }),
    block({
      LoadState: 'not-found',
      ActiveState: 'inactive',
      SubState: 'dead',
      UnitFileState: '',
      NeedDaemonReload: 'no',
      InactiveExitTimestamp: '',
    }),
  ].join('\n');
  const values = compileReads(reads).decode([replied(stdout)]);
  if (values instanceof Error) throw values;
  t.deepEqual(values.get(reads[0]!), {
    type: 'unit',
    load: 'loaded',
    active: 'active',
    sub: 'running',
    enabled: 'enabled',
    startedS: Date.parse('2025-11-24T03:40:12Z') / 1000,
    mainPid: 7,
    needsReload: true,
    fragmentPath: '/lib/systemd/system/a.service',
  } satisfies UnitState);
  t.like(values.get(reads[1]!), {load: 'not-found', startedS: 0, mainPid: 0, needsReload: false});
  t.like(values.get(reads[2]!), {load: 'not-found'});
  t.deepEqual(value(unit('a'), 'none\n'), {type: 'none'});
});

test('accounts: groups of every source, and a password only where it may be read', (t) => {
  const passwd = '==passwd\nu:x:1000:100:Full Name,,:/home/u:/bin/sh\n';
  const named = (stdout: string): AccountState => value(account('u'), stdout);
  t.like(named(`${passwd}==initgroups\nu      27 999\n==group\nusers:x:100:\nsudo:x:27:u\n`), {
    uid: 1000,
    gid: 100,
    gecos: 'Full Name,,',
    primaryGroup: 'users',
    groups: ['users', '999', 'sudo'],
    password: undefined,
  });
  t.like(named(`${passwd}==group\nusers:x:100:\nsudo:x:27:v,u\nuu:x:28:uu\n`), {groups: ['users', 'sudo']});
  const shadowed = named(`${passwd}==shadow\nu:$y$hash:20000:0:99999:7::20100:\n==group\n`);
  t.is(shadowed.type === 'account' ? shadowed.password?.reveal() : '', '$y$hash');
  t.like(shadowed, {expires: 20100, primaryGroup: '100'});
  t.notRegex(JSON.stringify(shadowed), /hash/);
  t.deepEqual(named('==passwd\nother:x:1:1::/:/bin/sh\n==group\n'), {type: 'absent'});
  t.deepEqual(value(group('g'), '==group\ng:x:5:a,b\n'), {type: 'group', gid: 5, members: ['a', 'b']});
});

test('a host that cannot answer is an error with its words, and no value', (t) => {
  const reads = account('u').reads;
  const failed = compileReads(reads).decode([replied('', 2, 'sh: getent: Input/output error\n')]);
  t.true(failed instanceof ReadFailed && failed.message.includes('Input/output error'));
  t.true(compileReads(reads).decode([{ran: false}]) instanceof ReadFailed);
  const raw = read(sh`sleep 9`, () => 1, {dependsOn: [], timeoutMs: 2000}).reads;
  const late = compileReads(raw).decode([
    {ran: true, reply: {exit: 143, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0)}, durationMs: 1, timedOut: true},
  ]);
  t.true(late instanceof ReadFailed && late.message.includes('2 s'));
});

eachShell('the witnesses of typed and raw reads hold until something changes', async (t, place) => {
  const reads = [
    account('root'),
    account('daemon'),
    account('0'),
    account('no_such_account'),
    group('daemon'),
    group('0'),
    packageState('no-such-package-at-all'),
    unit('no-such-unit-at-all'),
    read(sh`cat; echo out; echo noise >&2; exit 3`, (reply) => reply.exit, {dependsOn: [], stdin: 'in\n'}),
  ].flatMap((probe) => probe.reads);
  const batch = compileReads(reads);
  const values = batch.decode(await place.run(batch.fragments));
  if (values instanceof Error) throw values;
  t.like(values.get(reads[0]!), {type: 'account', uid: 0});
  t.deepEqual(values.get(reads[2]!), {type: 'absent'}, 'a number is no name');
  const guard = (read: Read, witness: string): Fragment => ({
    ...compileGuard(read, witness),
    group: 0,
    onFailure: 'go-on',
    label: 'g',
    secret: false,
    timeoutMs: 60_000,
  });
  for (const outcome of await place.run(reads.map((one) => guard(one, values.witness(one)!))))
    t.is(verdict(outcome), '0');
  for (const outcome of await place.run(reads.map((one) => guard(one, `${values.witness(one)!}x`)))) {
    t.regex(verdict(outcome), new RegExp(`^${exitStatus.moved} [^]*has changed since the plan was made$`));
  }
});
