import test from 'ava';
import command from '../../modules/command.ts';
import raw from '../../modules/raw.ts';
import script from '../../modules/script.ts';
import shell from '../../modules/shell.ts';
import waitFor from '../../modules/wait_for.ts';
import {Secret, type Module, type Plan, type RunOp} from '../../src/kit/index.ts';
import type {Resolver} from '../../src/kit/wrap.ts';
import {bound, debianHost, mistakes, told} from './bound.ts';

const secret = Secret.of("ge$HOME;heim'");
const files: Resolver = {
  file: (path) => ({
    type: 'file',
    path: `/site/files/${path}`,
    blob: {blob: path, sha256: 'x', sizeBytes: 1},
    bytes: new TextEncoder().encode(path === 'bare.sh' ? 'id\n' : '#!/bin/bash\nid\n'),
    mode: '0644',
  }),
  template: () => {
    throw new Error('no templates here');
  },
};
const nothingThere = {creates: false, removes: false, unless: false, onlyif: false};
const plan = (module: Module, given: Record<string, unknown>, state: unknown = nothingThere): Plan =>
  module.plan(bound(module, given, files), state as never, debianHost);
const run = (module: Module, given: Record<string, unknown>): RunOp => {
  const made = plan(module, given);
  const [op] = made.kind === 'change' ? made.ops : [];
  if (op?.op !== 'run') throw new Error(JSON.stringify(made));
  return op;
};

const conditions: [Record<string, unknown>, Record<string, boolean>, boolean][] = [
  [{}, {}, true],
  [{creates: '/x'}, {creates: true}, false],
  [{creates: '/x'}, {creates: false}, true],
  [{removes: '/x'}, {removes: false}, false],
  [{removes: '/x'}, {removes: true}, true],
  [{unless: 'true'}, {unless: true}, false],
  [{onlyif: 'true'}, {onlyif: false}, false],
  [{onlyif: 'true', creates: '/x'}, {onlyif: true}, true],
];
for (const [given, state, runs] of conditions)
  for (const [module, cmd] of [
    [command, 'id'],
    [shell, 'id'],
    [script, 's.sh'],
  ] as const)
    test(`${module.name} ${JSON.stringify(given)} ${JSON.stringify(state)}`, (t) =>
      t.is(plan(module, {cmd, ...given}, {...nothingThere, ...state}).kind === 'change', runs));

const words: [string, readonly string[]][] = [
  ['ls -l /tmp', ['ls', '-l', '/tmp']],
  ['echo "two words" \'a "b"\'', ['echo', 'two words', 'a "b"']],
  ['echo a;b && c | d > e *', ['echo', 'a;b', '&&', 'c', '|', 'd', '>', 'e', '*']],
  ["echo it\\'s", ['echo', "it's"]],
];
for (const [cmd, expected] of words)
  test(`words: ${cmd}`, (t) => t.deepEqual([...run(command, {cmd}).argv], [...expected]));

const expanded: [string, string][] = [
  ['echo $HOME', 'exec echo "${HOME-\\$HOME}"'],
  ['echo ${X}y', 'exec echo "${X-\\${X}}"y'],
  ['ls ~/a "~b/c d"', "exec ls ~/a ~b'/c d'"],
  ['echo $(id) `id` $', "exec echo '$(id)' '`id`' '$'"],
];
for (const [cmd, expected] of expanded)
  test(`variables: ${cmd}`, (t) => {
    const op = run(command, {cmd});
    if (op.script === undefined) t.true(cmd.includes('$('));
    else t.is(String(op.script), expected);
    t.is(run(command, {cmd, expand_argument_vars: false}).script, undefined);
  });

test('a secret word is one word, in no argument', (t) => {
  for (const given of [{cmd: Secret.join(['echo "', Secret.of('a b'), '"'])}, {argv: ['echo', secret]}]) {
    const op = run(command, given);
    t.true(op.script instanceof Secret);
    t.deepEqual([...op.argv], ['/bin/sh']);
    t.false(JSON.stringify(plan(command, given)).includes('heim'));
  }
  const text = (run(command, {argv: ['echo', secret], expand_argument_vars: false}).script as Secret).reveal();
  t.is(text, "exec echo 'ge$HOME;heim'\\'''");
});

test('stdin gets its newline', (t) => {
  t.is(run(command, {cmd: 'cat', stdin: 'a'}).stdin, 'a\n');
  t.is(run(command, {cmd: 'cat', stdin: 'a\n'}).stdin, 'a\n');
  t.is(run(shell, {cmd: 'cat', stdin: 'a', stdin_add_newline: false}).stdin, 'a');
  t.true(run(shell, {cmd: 'cat', stdin: secret}).stdin instanceof Secret);
});

test('a script with arguments', (t) => {
  const op = run(script, {cmd: "s.sh --short 'two words'", chdir: '/srv'});
  t.regex(String(op.script), /"\$t" --short 'two words' <\/dev\/null$/);
  t.is(op.stdin, '#!/bin/bash\nid\n');
  t.is(op.chdir, '/srv');
  t.is(run(script, {cmd: 'bare.sh'}).stdin, '#!/bin/sh\nid\n');
  t.regex(String(run(script, {cmd: 'bare.sh', executable: 'python3 -u'}).script), /python3 -u "\$t"/);
  t.true(run(script, {cmd: Secret.join(['s.sh ', Secret.of('geheim')])}).script instanceof Secret);
});

test('raw takes no conditions', (t) => {
  t.is(String(run(raw, {cmd: 'a | b'}).script), 'a | b');
  t.deepEqual(mistakes(raw, {cmd: 'a', creates: '/x'}), ['unknown-param /creates']);
});

test('what can be compared is not run every time', (t) => {
  const every = (module: Module, given: Record<string, unknown>): unknown =>
    typeof module.everyRun === 'function' ? module.everyRun(bound(module, given, files)) : module.everyRun;
  t.is(every(command, {cmd: 'id'}), true);
  t.is(every(command, {cmd: 'id', creates: '/x'}), false);
  t.is(every(shell, {cmd: 'id', unless: 'id'}), false);
  t.is(every(shell, {cmd: 'id', removes: '/x'}), true);
  t.is(every(waitFor, {timeout: 1}), true);
  t.is(every(waitFor, {port: 1}), false);
});

const waits: [Record<string, unknown>, unknown, string[]][] = [
  [{port: 22}, 'yes', ['converged']],
  [{port: 22}, 'no', ['127.0.0.1:22: not there yet -> started']],
  [{path: '/x', state: 'absent'}, 'no', ['/x: still there -> absent']],
  [{path: '/x', search_regex: 'a+'}, 'no', ['/x with a+: not there yet -> started']],
  [{port: 22, host: 'h'}, 'unable', ['refuse missing-program']],
  [{timeout: 3}, 'no', ['wait: absent -> 3 s']],
];
for (const [given, state, expected] of waits)
  test(`wait_for ${JSON.stringify(given)}: ${String(state)}`, (t) =>
    t.deepEqual(told(plan(waitFor, given, state)), expected));

test('a look never waits', (t) => {
  for (const given of [{port: 22}, {path: '/x', search_regex: 'a', delay: 5}, {timeout: 5}])
    for (const read of waitFor.probe(bound(waitFor, given)).reads)
      t.notRegex(read.read === 'raw' ? read.fragment.shell : '', /sleep/);
});

const wrong: [Module, Record<string, unknown>, string[]][] = [
  [command, {}, ['missing-param']],
  [command, {cmd: 'a', argv: ['a']}, ['bad-combination /argv']],
  [command, {cmd: 'echo "a'}, ['bad-param /cmd']],
  [script, {cmd: 'nope.sh -x'}, ['missing-file /cmd']],
  [waitFor, {port: 1, path: '/x'}, ['bad-combination /path']],
  [waitFor, {path: '/x', search_regex: '('}, ['regexp-invalid /search_regex']],
  [waitFor, {path: '/x', state: 'drained'}, ['bad-combination /state']],
];
for (const [module, given, expected] of wrong)
  test(`wrong: ${module.name} ${JSON.stringify(given)}`, (t) => t.deepEqual(mistakes(module, given), expected));
