import test from 'ava';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Inventory} from '../../../src/playbook/inventory.ts';
import {readLimit} from '../../../src/playbook/limit.ts';
import {matchHosts} from '../../../src/playbook/patterns.ts';

function inventory(): Inventory {
  const made = new Inventory();
  const groups: Record<string, readonly string[]> = {
    web: ['w1', 'w2', 'w3', 'w4'],
    db: ['d1', 'd2'],
    prod: ['w1', 'w3', 'd1'],
    'eu-west': ['w4.example.com'],
  };
  for (const [group, hosts] of Object.entries(groups)) {
    made.addGroup(group);
    for (const host of hosts) {
      made.addHost(host);
      made.addToGroup(group, host);
    }
  }
  made.addHost('lone');
  made.settle();
  return made;
}

// checked against `ansible PATTERN --list-hosts` on the same inventory
const patterns: readonly [pattern: string | readonly string[], hosts: readonly string[]][] = [
  ['all', ['lone', 'w1', 'w2', 'w3', 'w4', 'd1', 'd2', 'w4.example.com']],
  ['*', ['lone', 'w1', 'w2', 'w3', 'w4', 'd1', 'd2', 'w4.example.com']],
  ['web', ['w1', 'w2', 'w3', 'w4']],
  ['w2', ['w2']],
  ['db:web', ['d1', 'd2', 'w1', 'w2', 'w3', 'w4']],
  ['db,w1', ['d1', 'd2', 'w1']],
  ['web:&prod', ['w1', 'w3']],
  ['web:!prod', ['w2', 'w4']],
  ['web,!w1,&prod', ['w3']],
  ['!web', ['lone', 'd1', 'd2', 'w4.example.com']],
  ['&prod', ['w1', 'w3', 'd1']],
  ['w?', ['w1', 'w2', 'w3', 'w4']],
  ['*.example.com', ['w4.example.com']],
  ['w[x13]', ['w1', 'w3']],
  ['w[!13]', ['w2', 'w4']],
  ['~w[12]$', ['w1', 'w2']],
  ['~(web|db)', ['w1', 'w2', 'w3', 'w4', 'd1', 'd2']],
  ['web[0]', ['w1']],
  ['web[-1]', ['w4']],
  ['web[1:2]', ['w2', 'w3']],
  ['web[2:]', ['w3', 'w4']],
  ['web[0:1]:!w1', ['w2']],
  ['eu-west', ['w4.example.com']],
  [['db', 'web:&prod'], ['d1', 'w1', 'w3'].filter((h) => h !== 'x')],
  ['ungrouped', ['lone']],
  ['d1 d2', ['d1', 'd2']],
];
for (const [pattern, hosts] of patterns) {
  test(`hosts of ${JSON.stringify(pattern)}`, (t) => {
    const matched = matchHosts(inventory(), pattern);
    t.deepEqual(matched.problems, []);
    t.deepEqual(matched.hosts, hosts);
  });
}

test('names that nothing bears are named with their place and what was meant', (t) => {
  const text = 'web:wbe:!nothing*';
  const source = {path: 'p.yml', text};
  const {hosts, problems} = matchHosts(inventory(), text, (start, end) => ({source, start, end}));
  t.deepEqual(hosts, ['w1', 'w2', 'w3', 'w4']);
  t.deepEqual(
    problems.map((p) => [p.severity, p.code, p.span && text.slice(p.span.start, p.span.end), p.help]),
    [
      ['warning', 'no-host-matched', 'wbe', 'did you mean "web"?'],
      ['warning', 'no-host-matched', 'nothing*', undefined],
    ],
  );
  t.is(matchHosts(inventory(), '~w[').problems[0]?.code, 'bad-pattern');
});

test('slices beyond the end and open brackets are named', (t) => {
  const beyond = matchHosts(inventory(), 'web[9]');
  t.deepEqual(
    beyond.problems.map((p) => [p.code, p.help]),
    [['no-host-matched', 'web has 4 hosts, counted from 0']],
  );
  t.is(matchHosts(inventory(), 'web[0:1').problems[0]?.code, 'bad-pattern');
});

test('localhost needs no inventory, and is not one of all', (t) => {
  const made = inventory();
  t.deepEqual(matchHosts(made, 'localhost').hosts, ['localhost']);
  t.false(matchHosts(made, 'all').hosts.includes('localhost'));
  t.true(made.host('localhost')?.implicit);
});

test('--limit takes patterns and files of hosts, and knows what does not exist', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tsplay-limit-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  writeFileSync(join(folder, 'retry'), 'w1\n# gone\nd2\n');
  t.is(readLimit(inventory(), [], folder).hosts, undefined);
  t.deepEqual([...(readLimit(inventory(), ['@retry,w2'], folder).hosts ?? [])], ['w1', 'd2', 'w2']);
  t.deepEqual([...(readLimit(inventory(), ['all:!web'], folder).hosts ?? [])], ['lone', 'd1', 'd2', 'w4.example.com']);
  t.deepEqual([...(readLimit(inventory(), ['web', '!w1'], folder).hosts ?? [])], ['w2', 'w3', 'w4']);
  const wrong = readLimit(inventory(), ['wbe,@none'], folder);
  t.deepEqual(
    wrong.problems.map((p) => [p.severity, p.code]),
    [
      ['error', 'bad-limit'],
      ['error', 'no-host-matched'],
    ],
  );
});
