import fc from 'fast-check';
import test from 'ava';
import {
  blocksOf,
  dropInPlace,
  parseEffective,
  parseSshd,
  printSshd,
  quoteSshdArg,
  removeKeyword,
  removeMatch,
  renderDropIn,
  sameCriteria,
  setKeyword,
  valueOf,
} from '../../../src/formats/sshd-config.ts';
import type {MatchCriteria} from '../../../src/formats/sshd-config.ts';

const text = `# main
Include /etc/ssh/sshd_config.d/*.conf

#Port 22
permitrootlogin=no # really
PermitRootLogin yes
AcceptEnv LANG
AcceptEnv LC_* X

# for the tunnel
Match user "uvmb"
\tPermitTTY no

Match Group a,b Address 10.0.0.0/8
    X11Forwarding no
`;

function set(keyword: string, values: string[], scope?: MatchCriteria): string {
  return printSshd(setKeyword(parseSshd(text), keyword, values, scope));
}

// Expectations measured with `sshd -T` of OpenSSH 9.2.
test('arguments are cut as sshd cuts them', (t) => {
  const table: [line: string, args: string[] | undefined][] = [
    ['PermitOpen  = a:1', ['a:1']],
    ['PermitOpen a\\ b:1', ['a b:1']],
    ["Banner '/etc/a\\'b'", ["/etc/a'b"]],
    ['Banner /a#b', ['/a#b']],
    ['"Banner" x', ['x']],
    ['Banner a=b', ['a=b']],
    ['AllowUsers a b #c', ['a', 'b']],
    ['AllowUsers a "#c" d', ['a', '#c', 'd']],
    ['AllowUsers a\\#c', ['a\\#c']],
    ['AllowUsers "a\\"c"', ['a"c']],
    ['AllowUsers "a b"c', ['a bc']],
    ['AllowUsers "a', undefined],
    ['# Port 22', undefined],
  ];
  for (const [line, args] of table) {
    const [read] = parseSshd(line).lines;
    t.deepEqual(read?.kind === 'directive' ? read.args : undefined, args, line);
  }
});

test('law: a quoted argument reads back', (t) => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({unit: 'grapheme'}).filter((arg) => !/[\n\r]/.test(arg)),
        {minLength: 1, maxLength: 4},
      ),
      (args) => {
        const [line] = parseSshd(`AllowUsers ${args.map(quoteSshdArg).join(' ')}\n`).lines;
        t.deepEqual(line?.kind === 'directive' ? line.args : undefined, args);
      },
    ),
  );
});

test('blocks run to the next Match or the end', (t) => {
  t.deepEqual(blocksOf(parseSshd(text)), [
    {criteria: undefined, start: 0, end: 10},
    {criteria: {user: 'uvmb'}, start: 10, end: 13},
    {criteria: {group: 'a,b', address: '10.0.0.0/8'}, start: 13, end: 15},
  ]);
  t.true(sameCriteria({User: 'a,b'}, {user: 'b,a'}));
  t.false(sameCriteria({user: 'a'}, {user: 'a', address: '::1'}));
});

test('the first value wins, lists add up', (t) => {
  const config = parseSshd(text);
  t.deepEqual(valueOf(config, 'PermitRootLogin'), ['no']);
  t.deepEqual(valueOf(config, 'AcceptEnv'), ['LANG', 'LC_*', 'X']);
  t.deepEqual(valueOf(config, 'PermitTTY', {User: 'uvmb'}), ['no']);
  t.is(valueOf(config, 'PermitTTY'), undefined);
  t.is(valueOf(config, 'PermitTTY', {User: 'other'}), undefined);
});

test('a keyword is set where it counts and nowhere else', (t) => {
  const table: [result: string, expected: string][] = [
    [set('PermitRootLogin', ['no']), text],
    [set('AcceptEnv', ['LANG', 'LC_*', 'X']), text],
    [set('PermitRootLogin', ['prohibit-password']), text.replace('=no #', '=prohibit-password #')],
    [set('Port', ['2222']), text.replace('#Port 22\n', '#Port 22\nPort 2222\n')],
    [set('UsePAM', ['yes']), text.replace('LC_* X\n', 'LC_* X\nUsePAM yes\n')],
    [set('AcceptEnv', ['LANG']), text.replace('AcceptEnv LC_* X\n', '')],
    [
      set('PermitOpen', ['localhost:1', 'h:2'], {User: 'uvmb'}),
      text.replace('\tPermitTTY no\n', '\tPermitTTY no\n\tPermitOpen localhost:1 h:2\n'),
    ],
    [
      set('X11Forwarding', ['yes'], {address: '10.0.0.0/8', group: 'b,a'}),
      text.replace('X11Forwarding no', 'X11Forwarding yes'),
    ],
    [set('Banner', ['/a b'], {User: 'new'}), `${text}Match User new\n    Banner "/a b"\n`],
  ];
  for (const [result, expected] of table) t.is(result, expected);
  t.is(printSshd(setKeyword(parseSshd('Match all\n'), 'Port', ['1'])), 'Port 1\nMatch all\n');
  t.is(printSshd(setKeyword(parseSshd('UsePAM yes'), 'Port', ['1'])), 'UsePAM yes\nPort 1\n');
});

test('a keyword or a block is removed without the text around it', (t) => {
  t.is(
    printSshd(removeKeyword(parseSshd(text), 'permitrootlogin')),
    text.replace(/permitrootlogin=.*\nPermitRootLogin.*\n/, ''),
  );
  t.is(
    printSshd(removeMatch(parseSshd(text), {user: 'uvmb'})),
    text.replace('Match user "uvmb"\n\tPermitTTY no\n', ''),
  );
  t.is(printSshd(removeMatch(parseSshd(text), {user: 'nobody'})), text);
});

test('a drop-in carries one Match block', (t) => {
  t.is(
    renderDropIn(
      {User: 'uvmb'},
      [
        ['PermitOpen', ['localhost:20001']],
        ['ForceCommand', ['/bin/echo no shell']],
        ['AcceptEnv', ['A', 'B']],
      ],
      'tunnel account',
    ),
    '# tunnel account\nMatch User uvmb\n    PermitOpen localhost:20001\n    ForceCommand "/bin/echo no shell"\n    AcceptEnv A\n    AcceptEnv B\n',
  );
});

test('where a drop-in is read', (t) => {
  const path = '/etc/ssh/sshd_config.d/50-x.conf';
  const place = (main: string): unknown => {
    const result = dropInPlace(parseSshd(main), path);
    return result.ok ? result.value : result.problems[0].code;
  };
  t.deepEqual(place(text), {line: 1, pattern: '/etc/ssh/sshd_config.d/*.conf', earlier: []});
  t.deepEqual(place('Port 1\nport 2\nInclude sshd_config.d/[0-9]?-*.conf\n'), {
    line: 2,
    pattern: 'sshd_config.d/[0-9]?-*.conf',
    earlier: ['port'],
  });
  t.is(place('Include /etc/ssh/*.conf\n'), 'sshd-no-include');
  t.is(place(`Match User a\nInclude ${path}\n`), 'sshd-include-in-match');
  t.deepEqual(place(`Match User a\nPort 1\nMatch all\nInclude ${path}\n`), {line: 3, pattern: path, earlier: []});
});

test('the output of sshd -T', (t) => {
  const values = parseEffective(
    'port 22\nacceptenv LANG\nacceptenv LC_*\npermitopen localhost:20001 host:2\nbanner /etc/a b\nversionaddendum\n',
  );
  t.deepEqual(
    [...values],
    [
      ['port', ['22']],
      ['acceptenv', ['LANG', 'LC_*']],
      ['permitopen', ['localhost:20001 host:2']],
      ['banner', ['/etc/a b']],
      ['versionaddendum', ['']],
    ],
  );
});
