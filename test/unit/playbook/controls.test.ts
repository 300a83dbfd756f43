// Controls and waivers as people write them: what is refused, and which hosts a control is about.
import test from 'ava';
import {controlConflicts, declaredControls, hasOpenIncludes} from '../../../src/playbook/declared-controls.ts';
import {expiredWaivers, readWaivers, waiverFiles} from '../../../src/playbook/waivers.ts';
import {brief, open, play, validate, type Files} from '../../support/temp-site.ts';

const mistakes: readonly [title: string, files: Files | string, found: readonly string[]][] = [
  ['all that there is', '- ping:\n  control: {id: C-1, title: t, severity: high, rationale: r, refs: [a, 1]}', []],
  ['an id that is a number', '- ping:\n  control: {id: 7}', []],
  ['no mapping', '- ping:\n  control: C-1', ['site.yml:4:16 bad-control control: expected a mapping']],
  ['no id', '- ping:\n  control: {title: t}', ['site.yml:4:16 bad-control a control needs an id']],
  [
    'an id with blanks',
    '- ping:\n  control: {id: a b}',
    ['site.yml:4:21 bad-control control.id: expected a word without blanks'],
  ],
  [
    'an id that depends on the host',
    '- ping:\n  control: {id: "{{ inventory_hostname }}"}',
    ['site.yml:4:21 bad-control control.id: expected a fixed text'],
  ],
  [
    'a strange severity, an unknown key, a list as title: all at once',
    '- ping:\n  control: {id: C, severity: hihg, titel: x, title: [a]}',
    [
      'site.yml:4:34 bad-control control.severity: expected critical, high, medium, low, info',
      'site.yml:4:40 unknown-key a control has no key titel',
      'site.yml:4:57 bad-control control.title: expected a text',
    ],
  ],
  [
    'on blocks, includes, roles and plays too',
    {
      'site.yml':
        '- import_playbook: other.yml\n  control: 1\n- hosts: all\n  control: 2\n  roles:\n    - {role: r, control: 3}\n' +
        '  tasks:\n    - block:\n        - ping:\n      control: 4\n    - import_tasks: t.yml\n      control: 5\n' +
        '    - include_tasks: {file: t.yml, apply: {control: 6}}\n',
      'other.yml': '- hosts: all\n  tasks: []\n',
      't.yml': '- ping:\n',
      'roles/r/tasks/main.yml': '- ping:\n',
    },
    [2, 4, 6, 10, 12, 13].map(
      (line) =>
        `site.yml:${line}:${({2: 12, 4: 12, 6: 26, 10: 16, 12: 16, 13: 53} as Record<number, number>)[line]!} bad-control control: expected a mapping`,
    ),
  ],
];
for (const [title, files, found] of mistakes) {
  test(`control: ${title}`, async (t) => {
    const problems = await validate(typeof files === 'string' ? {'site.yml': play(files)} : files);
    t.deepEqual(brief(problems), found);
  });
}

test('the nearest control wins, hosts are those of all its plays, and tags decide', async (t) => {
  const files = {
    'site.yml': `
- hosts: h1
  control: {id: P, title: play}
  tasks:
    - ping:
    - block:
        - ping:
          control: {id: T, title: task}
        - ping:
      control: {id: B}
    - ping:
      tags: [never]
      control: {id: N}
    - include_tasks: t.yml
      control: {id: I, severity: high}
- hosts: h2
  tasks:
    - ping:
      control: {id: B, title: block, refs: x}
`,
    't.yml': '- ping:\n',
  };
  await open(files, (site) => {
    t.deepEqual(
      declaredControls(site).map(({id, fields, hosts}) => [id, fields, hosts]),
      [
        ['P', {title: 'play', refs: []}, ['h1']],
        ['T', {title: 'task', refs: []}, ['h1']],
        ['B', {title: 'block', refs: ['x']}, ['h1', 'h2']],
        ['I', {severity: 'high', refs: []}, ['h1']],
      ],
    );
    t.false(hasOpenIncludes(site.program));
  });
});

test('two titles for one control are pointed out, an id alone is not', async (t) => {
  const tasks =
    '- ping:\n  control: {id: C, title: one}\n- ping:\n  control: {id: C}\n- ping:\n  control: {id: C, title: two}';
  await open({'site.yml': play(tasks)}, (site) => {
    t.deepEqual(brief(controlConflicts(site.program)), [
      'site.yml:8:31 control-conflict the control C has another title at site.yml:4:31',
    ]);
  });
});

const sound = 'control: C-1\n  hosts: h1\n  owner: o\n  reason: r\n  expires: 2027-01-31';
const waivers: readonly [title: string, text: string, found: readonly string[]][] = [
  [
    'as it should be',
    `- ${sound}\n- {control: [C-1], hosts: [all, '!h2'], owner: o, reason: r, expires: 2026-01-01}\n`,
    [],
  ],
  ['an empty file', '', []],
  ['words', '- C-1\n', ['waivers.yml:1:3 bad-waiver a waiver is a mapping']],
  ['no list', 'control: C-1\n', ['waivers.yml:1:1 bad-waiver expected a list of waivers']],
  [
    'everything is missing',
    '- {}\n',
    ['owner', 'reason', 'expires', 'control', 'hosts'].map((key) => `waivers.yml:1:3 bad-waiver a waiver needs ${key}`),
  ],
  [
    'a day that the calendar does not have, an empty reason, an unknown key',
    "- {control: C-1, hosts: h1, owner: o, reason: '', expires: 2027-02-30, untill: x}\n",
    [
      'waivers.yml:1:72 unknown-key a waiver has no key untill',
      'waivers.yml:1:47 bad-waiver reason: expected a text',
      'waivers.yml:1:60 bad-waiver expires: expected a date such as 2027-03-31',
    ],
  ],
  [
    'a control and a host that nobody knows',
    `- {control: C-2, hosts: 'h1:h9', owner: o, reason: r, expires: 2027-01-01}\n`,
    [
      'waivers.yml:1:29 no-host-matched no inventory has a host or a group h9',
      'waivers.yml:1:13 unknown-control no selected task has the control C-2',
    ],
  ],
];
for (const [title, text, found] of waivers) {
  test(`waivers: ${title}`, async (t) => {
    await open({'site.yml': play('- ping:\n  control: {id: C-1}'), 'waivers.yml': text}, (site) => {
      const cwd = site.variables.cwd;
      const files = waiverFiles([], ['site.yml'], cwd);
      const read = readWaivers(files, {inventory: site.inventory, controls: ['C-1'], open: false, cwd});
      t.deepEqual(brief(read.problems), found);
      if (title !== 'as it should be') return;
      t.deepEqual(
        read.waivers.map((w) => [...w.hosts]),
        [['h1'], ['h1']],
      );
      t.deepEqual(brief(expiredWaivers(read.waivers, '2026-06-01T00:00:00Z')).length, 1);
    });
  });
}

test('a file that was named must exist; one that was not need not', async (t) => {
  await open({'site.yml': play('- ping:')}, (site) => {
    const cwd = site.variables.cwd;
    const read = (named: readonly string[]): readonly string[] =>
      brief(
        readWaivers(waiverFiles(named, ['site.yml'], cwd), {inventory: site.inventory, controls: [], open: false, cwd})
          .problems,
      );
    t.deepEqual(read([]), []);
    t.deepEqual(read(['mine.yml']), ['- missing-file mine.yml does not exist']);
  });
});
