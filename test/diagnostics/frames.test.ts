// Exact frames, as people see them.
import test from 'ava';
import {error, warning, type Diagnostic, type Source} from '../../src/base/diagnostic.ts';
import {formatDiagnostic} from '../../src/report/code-frame.ts';
import {play, validate} from '../support/temp-site.ts';

function at(source: Source, part: string, more: Partial<Diagnostic> = {}): Diagnostic {
  const start = source.text.indexOf(part);
  return error('some-code', 'something is wrong', {span: {source, start, end: start + part.length}, ...more});
}

function frame(problem: Diagnostic): string {
  return formatDiagnostic(problem, {color: false});
}

test('the example of the design', async (t) => {
  const text = `- hosts: all
  become: true
  tasks:
    - name: message of the day
      file:
        path: /etc/motd
        mode: 0644
`;
  const [problem, ...more] = await validate({'playbooks/site.yml': text}, {playbooks: ['playbooks/site.yml']});
  t.deepEqual(more, []);
  t.is(
    frame(problem!),
    `playbooks/site.yml:7:15 error[bad-param] file.mode: expected a quoted octal string such as "0644"
  6 |         path: /etc/motd
  7 |         mode: 0644
    |               ^^^^ YAML reads this as the number 644
  help: mode: "0644"`,
  );
});

const tabs: Source = {path: 'a.yml', text: 'first: 1\n\tx:\ty\n'};
const wide: Source = {path: 'a.yml', text: 'k: 日本 bad\n'};
const lines: Source = {path: 'a.yml', text: 'a:\n  - b\n  - c\nd: 1\n'};
const long: Source = {path: 'a.yml', text: `x: ${'a'.repeat(200)} HERE ${'b'.repeat(200)}\n`};
const hidden: Source = {path: 'vault.yml', text: 'password: geheim\n', secret: true};
const hostile: Source = {path: 'a.yml', text: 'x: a\u001b[31mred\u0007 bad\n'};

const frames: readonly [title: string, problem: Diagnostic, expected: string][] = [
  [
    'a warning without a place',
    warning('unknown-tag', '--tags x: no task has this tag', {help: 'there are a, b'}),
    'warning[unknown-tag] --tags x: no task has this tag\n  help: there are a, b',
  ],
  [
    'first line of a file, note and help of several lines',
    at(tabs, 'first', {note: 'this one', help: 'a: 1\nb: 2'}),
    'a.yml:1:1 error[some-code] something is wrong\n  1 | first: 1\n    | ^^^^^ this one\n  help: a: 1\n        b: 2',
  ],
  [
    'tabs become blanks, and the marks stay below',
    at(tabs, 'y'),
    'a.yml:2:5 error[some-code] something is wrong\n  1 | first: 1\n  2 |     x:  y\n    |         ^',
  ],
  [
    'wide characters take two columns',
    at(wide, 'bad'),
    'a.yml:1:7 error[some-code] something is wrong\n  1 | k: 日本 bad\n    |         ^^^',
  ],
  [
    'wide characters marked',
    at(wide, '日本'),
    'a.yml:1:4 error[some-code] something is wrong\n  1 | k: 日本 bad\n    |    ^^^^',
  ],
  [
    'a part of several lines',
    at(lines, '- b\n  - c', {note: 'two of them'}),
    'a.yml:2:3 error[some-code] something is wrong\n  1 | a:\n  2 |   - b\n    |   ^^^ two of them (to line 3)',
  ],
  [
    'a long line is cut around the place',
    at(long, 'HERE'),
    `a.yml:1:205 error[some-code] something is wrong\n  1 | …${'a'.repeat(55)} HERE ${'b'.repeat(57)}…\n    | ${' '.repeat(57)}^^^^`,
  ],
  [
    'nothing of a secret source',
    at(hidden, 'geheim', {help: 'h'}),
    'vault.yml:1:11 error[some-code] something is wrong\n  help: h',
  ],
  [
    'control characters do not reach the terminal',
    at(hostile, 'bad'),
    'a.yml:1:15 error[some-code] something is wrong\n  1 | x: a\\x1b[31mred\\x07 bad\n    |                     ^^^',
  ],
  [
    'an empty place is one mark',
    error('some-code', 'something is wrong', {span: {source: lines, start: 2, end: 2}}),
    'a.yml:1:3 error[some-code] something is wrong\n  1 | a:\n    |   ^',
  ],
];
for (const [title, problem, expected] of frames) test(`frame: ${title}`, (t) => t.is(frame(problem), expected));

test('colours only surround', (t) => {
  const problem = at(tabs, 'first', {note: 'this one', help: 'a: 1'});
  const colored = formatDiagnostic(problem, {color: true});
  t.true(colored.includes('\u001b['));
  t.is(colored.replace(/\u001b\[\d+m/g, ''), frame(problem));
});

test('several mistakes at once, each at its place', async (t) => {
  const problems = await validate({
    'site.yml': play(
      '- copy:\n    dest: /x\n    content: "{{ greting }}"\n    ownr: root\n- debug:\n    msg: "{{ x | defalt(1) }}"\n  notify: restrt\n- file: {path: etc/x, state: directori}',
      '  vars: {greeting: hi}\n  handlers: [{name: restart, debug: {}}]\n',
    ),
  });
  t.is(
    problems
      .filter(({severity}) => severity === 'error')
      .map(frame)
      .join('\n'),
    `site.yml:7:22 error[undefined-variable] "greting" is undefined
  6 |         dest: /x
  7 |         content: "{{ greting }}"
    |                      ^^^^^^^
  help: did you mean "greeting"?
site.yml:8:9 error[unknown-param] copy: there is no parameter ownr
  7 |         content: "{{ greting }}"
  8 |         ownr: root
    |         ^^^^
  help: did you mean owner?
site.yml:10:22 error[unknown-filter] there is no filter "defalt"
   9 |     - debug:
  10 |         msg: "{{ x | defalt(1) }}"
     |                      ^^^^^^
  help: did you mean "default"?
site.yml:11:15 error[unknown-handler] there is no handler "restrt"
  10 |         msg: "{{ x | defalt(1) }}"
  11 |       notify: restrt
     |               ^^^^^^
  help: did you mean "restart"?
site.yml:12:20 error[bad-param] file.path: expected an absolute path
  11 |       notify: restrt
  12 |     - file: {path: etc/x, state: directori}
     |                    ^^^^^
site.yml:12:34 error[bad-param] file.state: expected one of file, directory, link, hard, touch, absent
  11 |       notify: restrt
  12 |     - file: {path: etc/x, state: directori}
     |                                  ^^^^^^^^^
  help: did you mean directory?`,
  );
});
