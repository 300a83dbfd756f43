import test from 'ava';
import cron from '../../modules/cron.ts';
import knownHosts from '../../modules/known_hosts.ts';
import {reveal, type Secret} from '../../src/kit/index.ts';
import {absent, doing, fileState, mistakes, planned, told} from './bound.ts';

const inode = {mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0, sizeBytes: 0, mtimeS: 0};
const folder = {type: 'directory', ...inode};

/** The text that is written, or what the plan says instead. */
const after = (plan: ReturnType<typeof planned>): string => {
  if (plan.kind !== 'change') return told(plan).join();
  const op = plan.ops.at(-1);
  if (op?.op === 'write') return reveal(op.content as string | Secret);
  return op?.op === 'run' ? reveal(op.stdin ?? '(none)') : (op?.op ?? '');
};

const A = 'AAAAC3NzaC1lZDI1NTE5AAAAIJ1lMMmzKXh0Q1uI1nHjp0JgZ0Y3cR8b0d9v1wJm0y7W';
const B = A.replace('7W', '7X');
const hosts = (given: Record<string, unknown>, text: string | undefined, more: Record<string, unknown> = {}) =>
  planned(
    knownHosts,
    {path: '/etc/k', name: 'h.test', ...given},
    {path: '/etc/k', home: '', homeState: absent, folder, file: text === undefined ? absent : fileState(text), ...more},
  );
// ssh-keygen -H of `h.test ssh-ed25519 …`
const hashed = '|1|AnAhBJRkzI0ly9HydUbi+8yQBcA=|eBP6VEVBMDtV1RSVqr7ca1+QaRo=';

const known: [string, Record<string, unknown>, string | undefined, string][] = [
  ['new', {key: `h.test ssh-ed25519 ${A}`}, undefined, `h.test ssh-ed25519 ${A}\n`],
  ['there', {key: `h.test ssh-ed25519 ${A}`}, `h.test,1.2.3.4 ssh-ed25519 ${A} c\n`, 'converged'],
  ['in capitals', {name: 'H.Test', key: `ssh-ed25519 ${A}`}, `h.test ssh-ed25519 ${A}\n`, 'converged'],
  [
    'behind others',
    {key: `ssh-ed25519 ${A}`},
    `# c\no ssh-ed25519 ${B}`,
    `# c\no ssh-ed25519 ${B}\nh.test ssh-ed25519 ${A}\n`,
  ],
  [
    'another key of the type keeps the place',
    {key: `ssh-ed25519 ${A}`},
    `x ssh-ed25519 ${B}\nh.test ssh-ed25519 ${B}\ny ssh-ed25519 ${B}\n`,
    `x ssh-ed25519 ${B}\nh.test ssh-ed25519 ${A}\ny ssh-ed25519 ${B}\n`,
  ],
  [
    'other types stay',
    {key: `ssh-ed25519 ${A}`},
    `h.test ssh-rsa ${B}\n`,
    `h.test ssh-rsa ${B}\nh.test ssh-ed25519 ${A}\n`,
  ],
  [
    'two types at once',
    {key: `h.test ssh-ed25519 ${A}\nh.test ssh-rsa ${B}\n`},
    `h.test ssh-ed25519 ${A}\n`,
    `h.test ssh-ed25519 ${A}\nh.test ssh-rsa ${B}\n`,
  ],
  [
    'other names of a line stay',
    {key: `ssh-ed25519 ${A}`},
    `a,h.test ssh-ed25519 ${B}\n`,
    `h.test ssh-ed25519 ${A}\na ssh-ed25519 ${B}\n`,
  ],
  ['a pattern is about others too', {state: 'absent'}, `*.test ssh-ed25519 ${B}\n`, 'converged'],
  ['a revoked key stays', {state: 'absent'}, `@revoked h.test ssh-ed25519 ${B}\n`, 'converged'],
  ['away', {state: 'absent'}, `h.test ssh-ed25519 ${A}\nh.test ssh-rsa ${B}\nx ssh-rsa ${B}\n`, `x ssh-rsa ${B}\n`],
  [
    'one key away',
    {state: 'absent', key: `ssh-rsa ${B}`},
    `h.test ssh-ed25519 ${A}\nh.test ssh-rsa ${B}\n`,
    `h.test ssh-ed25519 ${A}\n`,
  ],
  ['another port', {name: '[h.test]:222', state: 'absent'}, `h.test ssh-ed25519 ${A}\n`, 'converged'],
];
for (const [name, given, text, expected] of known)
  test(`known_hosts: ${name}`, (t) => t.is(after(hosts(given, text)), expected));

test('known_hosts: hashed names', (t) => {
  const fresh = after(hosts({key: `ssh-ed25519 ${A}`, hash_host: true}, undefined));
  t.regex(fresh, /^\|1\|[^|]{28}\|[^|]{28} ssh-ed25519 /);
  t.is(after(hosts({key: `ssh-ed25519 ${A}`}, fresh)), 'converged');
  t.is(after(hosts({name: 'x.test', state: 'absent'}, fresh)), 'converged');
  t.is(after(hosts({state: 'absent'}, `${fresh}# end\n`)), '# end\n');
  t.is(after(hosts({state: 'absent'}, `${hashed} ssh-ed25519 ${A}\nx ssh-rsa ${B}\n`)), `x ssh-rsa ${B}\n`);
});

test("known_hosts: an account's own file", (t) => {
  const own = {path: '/root/.ssh/known_hosts', home: '/root', homeState: folder, folder: absent};
  const plan = hosts({key: `ssh-ed25519 ${A}`}, undefined, own);
  t.deepEqual(doing(plan), ['mkdir /root/.ssh', 'write /root/.ssh/known_hosts']);
  t.deepEqual(told(hosts({key: `ssh-ed25519 ${A}`}, undefined, {folder: absent})), ['refuse no-folder']);
  t.deepEqual(told(hosts({key: `ssh-ed25519 ${A}`}, undefined, {path: undefined})), ['refuse no-home']);
});

const crontab = (given: Record<string, unknown>, text: string) =>
  planned(cron, {name: 'n', ...given}, {file: absent, table: {text}});
const mine = '# m\n#Ansible: n\n0 5 * * * run it\n#Ansible: o\n@daily other\n';

const jobs: [string, Record<string, unknown>, string, string][] = [
  ['new', {job: 'run it', minute: 0, hour: '5'}, '', '#Ansible: n\n0 5 * * * run it\n'],
  ['there', {job: 'run it', minute: '0', hour: '5'}, mine, 'converged'],
  [
    'another time',
    {job: 'run it', minute: '*/5', weekday: 'mon-fri'},
    mine,
    mine.replace('0 5 * * *', '*/5 * * * mon-fri'),
  ],
  ['a special time', {job: 'run it', special_time: 'reboot'}, mine, mine.replace('0 5 * * *', '@reboot')],
  ['switched off', {job: 'run it', minute: 0, hour: 5, disabled: true}, mine, mine.replace('0 5', '#0 5')],
  ['away', {state: 'absent'}, mine, '# m\n#Ansible: o\n@daily other\n'],
  ['away, not there', {state: 'absent', name: 'x'}, mine, 'converged'],
  ['the last one away', {state: 'absent'}, '#Ansible: n\n* * * * * x\n', '(none)'],
  ['no newline at the end', {job: 'a'}, '# m', '# m\n#Ansible: n\n* * * * * a\n'],
  ['a variable', {env: true, name: 'MAILTO', job: 'root'}, mine, `MAILTO="root"\n${mine}`],
  ['another value', {env: true, name: 'MAILTO', job: 'me'}, 'MAILTO=root\n', 'MAILTO="me"\n'],
  ['behind another', {env: true, name: 'B', job: '2', insertafter: 'A'}, 'A=1\nC=3\n', 'A=1\nB="2"\nC=3\n'],
  ['behind one that is not there', {env: true, name: 'B', job: '2', insertafter: 'X'}, 'A=1\n', 'refuse no-variable'],
  ['a variable away', {env: true, name: 'A', state: 'absent'}, 'A=1\nC=3\n', 'C=3\n'],
];
for (const [name, given, text, expected] of jobs)
  test(`cron: ${name}`, (t) => t.is(after(crontab(given, text)), expected));

test('cron: a file of its own names the account', (t) => {
  const inFile = (given: Record<string, unknown>, file: unknown) =>
    planned(cron, {name: 'n', cron_file: 'f', ...given}, {file, table: {text: ''}});
  t.is(after(inFile({job: 'x', user: 'daemon'}, absent)), '#Ansible: n\n* * * * * daemon x\n');
  t.deepEqual(doing(inFile({state: 'absent'}, fileState('#Ansible: n\n* * * * * root x\n'))), ['remove /etc/cron.d/f']);
  t.is(after(inFile({state: 'absent'}, fileState('A=1\n#Ansible: n\nx\n'))), 'A=1\n');
});

test('cron: without cron, without the account', (t) => {
  const on = (given: Record<string, unknown>, table: unknown) =>
    told(planned(cron, {name: 'n', ...given}, {file: absent, table}));
  t.deepEqual(on({job: 'x'}, 'no-cron'), ['refuse no-cron']);
  t.deepEqual(on({job: 'x'}, 'no-account'), ['refuse no-account']);
  t.deepEqual(on({state: 'absent'}, 'no-cron'), ['converged']);
});

const wrong: [typeof cron, Record<string, unknown>, string[]][] = [
  [cron, {name: 'n'}, ['missing-param']],
  [cron, {name: 'n', job: 'x', special_time: 'daily', hour: '5'}, ['bad-combination /special_time']],
  [cron, {name: 'n', job: 'x', cron_file: 'a.sh'}, ['bad-param /cron_file']],
  [cron, {name: 'a b', job: 'x', env: true}, ['bad-param /name']],
  [cron, {name: 'n', job: 'x', minute: '5 5'}, ['bad-param /minute']],
  [knownHosts, {name: 'h'}, ['missing-param']],
  [knownHosts, {name: 'h', key: 'AAAA'}, ['bad-key /key']],
  [knownHosts, {name: 'a,b', state: 'absent'}, ['bad-param /name']],
];
for (const [module, given, expected] of wrong)
  test(`wrong: ${module.name} ${JSON.stringify(given)}`, (t) => t.deepEqual(mistakes(module, given), expected));
