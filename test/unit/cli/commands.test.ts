// Commands that need no host but this machine, run as a user runs them.
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {groupsOf, shellOf} from '../../../src/cli/exec-command.ts';
import {nameFilter} from '../../../src/cli/facts-command.ts';

const checkout = path.resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(path.join(tmpdir(), 'tsplay-cli-'));
test.after.always(() => rmSync(folder, {recursive: true, force: true}));

function tsplay(argv: readonly string[], cwd = folder): {exit: number | null; stdout: string; stderr: string} {
  const env = {...process.env, NO_COLOR: '1', HOME: folder, TSPLAY_STATE: path.join(folder, 'state'), NODE_OPTIONS: ''};
  const done = spawnSync(process.execPath, [path.join(checkout, 'bin/tsplay.js'), ...argv], {
    cwd,
    env,
    encoding: 'utf8',
  });
  return {exit: done.status, stdout: done.stdout, stderr: done.stderr};
}

test('init makes a site that converges, and notifies its handler once; it overwrites nothing', (t) => {
  const site = path.join(folder, 'site');
  t.is(tsplay(['init', 'site']).exit, 0);
  t.is(tsplay(['check', 'site.yml'], site).exit, 8);
  const first = tsplay(['run', 'site.yml'], site);
  t.is(first.exit, 0, first.stdout + first.stderr);
  t.is(first.stdout.split('Say so').length, 2, first.stdout);
  t.regex(readFileSync(path.join(site, 'managed/welcome.txt'), 'utf8'), /^Good morning, this is localhost\.\n/);
  t.regex(tsplay(['run', 'site.yml'], site).stdout, /nothing changed/);
  t.is(tsplay(['check', 'site.yml'], site).exit, 0);
  const again = tsplay(['init', 'site']);
  t.is(again.exit, 1);
  t.regex(again.stderr, /not empty/);
});

test('exec: words are arguments, one word is shell text; statuses add up', (t) => {
  const here = ['-i', 'here,', '-c', 'local'];
  const words = tsplay(['exec', 'all', ...here, '--', 'printf', '%s|', 'a b', '$HOME', "it's"]);
  t.is(words.stdout, "✓ here\n    a b|$HOME|it's|\n", words.stderr);
  t.is(tsplay(['exec', 'all', ...here, '--', 'exit 7']).exit, 2);
  const json = tsplay(['exec', 'all', ...here, '--output', 'json', '--', 'echo out; echo err >&2; exit 3']);
  t.is(json.exit, 2);
  const {hosts, exit} = JSON.parse(json.stdout) as {exit: number; hosts: Record<string, Record<string, unknown>>};
  t.is(exit, 2);
  t.like(hosts['here'], {status: 'failed', exit: 3, stdout: 'out\n', stderr: 'err\n'});
  t.is(tsplay(['exec', 'nobody', ...here, '--', 'true']).exit, 1);
  t.regex(tsplay(['exec', 'all', ...here, '--chdir', '/usr', '--', 'pwd']).stdout, /^ {4}\/usr$/m);
  const control = tsplay(['exec', 'all', ...here, '--', "printf 'a\\033[2Jb'"]);
  t.true(control.stdout.includes('a\\x1b[2Jb'), control.stdout);
});

test('facts: JSON under the names that playbooks use', (t) => {
  const {stdout, exit} = tsplay(['facts', 'all', '-i', 'here,', '-c', 'local', '--filter', 'ansible_ker*']);
  t.is(exit, 0);
  const facts = JSON.parse(stdout) as Record<string, Record<string, string>>;
  t.is(facts['here']?.['ansible_kernel'], spawnSync('uname', ['-r'], {encoding: 'utf8'}).stdout.trim());
  t.true(Object.keys(facts['here'] ?? {}).every((name) => name.startsWith('ansible_ker')));
  t.true(nameFilter('dist*')('ansible_distribution') && !nameFilter('dist')('ansible_distribution'));
});

test('equal answers are told once, in the order of the first host', (t) => {
  const ran = (host: string, stdout: string, exit = 0) =>
    ({host, is: 'answered', value: {exit, stdout, stderr: '', timedOut: false, durationMs: 1}}) as const;
  const gone = (host: string) =>
    ({host, is: 'unreachable', message: `${host}: nobody answers`, help: undefined}) as const;
  const groups = groupsOf([ran('a', 'x'), gone('b'), ran('c', 'y'), ran('d', 'x'), gone('e'), ran('f', 'x', 1)]);
  t.deepEqual(
    groups.map(({hosts}) => hosts),
    [['a', 'd'], ['b', 'e'], ['c'], ['f']],
  );
});

test('a folder to work in is quoted', (t) => {
  t.is(shellOf(['ls; pwd'], '/a b'), "cd '/a b' || exit\nls; pwd");
  t.is(shellOf(['ls', '-l; x'], undefined), "ls '-l; x'");
});

test('schema: by name or by option, a JSON document each', (t) => {
  for (const name of ['playbook', 'inventory', 'output', 'events']) {
    const {stdout} = tsplay(['schema', name]);
    t.is((JSON.parse(stdout) as {$schema: string}).$schema, 'http://json-schema.org/draft-07/schema#');
    t.is(tsplay(['schema', `--${name}`]).stdout, stdout);
  }
  t.is(tsplay(['schema', 'nonsense']).exit, 1);
});

test('hostkeys list tells what is known, with the place', (t) => {
  const blob = 'AAAAC3NzaC1lZDI1NTE5AAAAIEevZ4rJwGmQfCNpDmZXd35GSgGB0USFdsNFHcvt05lw';
  writeFileSync(path.join(folder, 'known'), `# a comment\n192.0.2.1 ssh-ed25519 ${blob}\n`);
  writeFileSync(path.join(folder, 'tsplay.yml'), 'known_hosts: known\n', {mode: 0o600});
  const {stdout, exit} = tsplay(['hostkeys', 'list', '-i', '192.0.2.1,192.0.2.2', '--output', 'json']);
  const {keys, unknown} = JSON.parse(stdout) as {keys: Record<string, string>[]; unknown: string[]};
  t.is(exit, 1);
  t.like(keys[0], {host: '192.0.2.1', keyType: 'ssh-ed25519', at: `${path.join(folder, 'known')}:2`});
  t.deepEqual(unknown, ['192.0.2.2']);
});

const completions: readonly (readonly [words: string, expected: readonly string[], not?: string])[] = [
  ['tsplay vau', ['vault']],
  ['tsplay vault enc', ['encrypt', 'encrypt-string']],
  ['tsplay run --out', ['--output']],
  ['tsplay run --output p', ['pretty', 'plain']],
  ['tsplay schema i', ['inventory']],
  ['tsplay doc libvirt_d', ['libvirt_domain']],
  ['tsplay check package.j', ['package.json']],
];
for (const [words, expected] of completions)
  test(`bash completes: ${words}`, (t) => {
    const script = `tsplay() { "${process.execPath}" bin/tsplay.js "$@"; }
source <(tsplay completion bash)
COMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _tsplay; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const {stdout, stderr} = spawnSync('bash', ['-c', script], {cwd: checkout, encoding: 'utf8'});
    t.deepEqual(stdout.trim().split('\n'), expected, stderr);
  });

test('scripts for zsh and fish are there, and fish takes its own', (t) => {
  t.regex(tsplay(['completion', 'zsh']).stdout, /^#compdef tsplay\n/);
  const {stdout} = tsplay(['completion', 'fish']);
  const script = path.join(folder, 'tsplay.fish');
  writeFileSync(script, stdout);
  const parsed = spawnSync('fish', ['-n', script], {encoding: 'utf8'});
  if (parsed.error === undefined) t.is(parsed.status, 0, parsed.stderr);
  t.regex(stdout, /complete -c tsplay/);
  t.is(tsplay(['completion', 'csh']).exit, 1);
});
