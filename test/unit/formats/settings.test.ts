import fc from 'fast-check';
import test from 'ava';
import {envValue, parseEnvFile, printEnvFile, removeEnvKey, setEnvKey} from '../../../src/formats/env-file.ts';
import {
  brokenQemuLines,
  parseQemuConf,
  printQemuConf,
  qemuValue,
  removeQemuKey,
  sameQemuValue,
  setQemuKey,
  settingsOf,
} from '../../../src/formats/qemu-conf.ts';
import type {QemuValue} from '../../../src/formats/qemu-conf.ts';
import {
  brokenSaslLines,
  mechanismsOf,
  parseSaslConf,
  printSaslConf,
  removeSaslKey,
  sameSaslValue,
  saslValue,
  setSaslKey,
} from '../../../src/formats/sasl-conf.ts';

const qemu = `# Use of TLS requires certificates
#
#spice_tls = 1

spice_sasl=0 # off
user = 'root'
#cgroup_device_acl = [
#    "/dev/null", "/dev/full",
#    "/dev/ptmx"
#]
hooks = [
  "a", # one
  'b',
]
user = "other"
`;

test('qemu.conf: values and their types', (t) => {
  t.deepEqual(
    [...settingsOf(parseQemuConf(qemu))],
    [
      ['spice_sasl', 0],
      ['user', 'root'],
      ['hooks', ['a', 'b']],
    ],
  );
  const table: [text: string, value: QemuValue | undefined][] = [
    ['k = -5', -5],
    ['k="a#b" # c', 'a#b'],
    [`k = """a"b'c\nd"""\n`, `a"b'c\nd`],
    ['k = []', []],
    ['k = [ 1, "x" ]', [1, 'x']],
    ['k = yes', undefined],
    ['k = "open', undefined],
    ['k = 1 x', undefined],
    ['k = [ "a" "b" ]', undefined],
    ['#k = 1', undefined],
  ];
  for (const [text, value] of table) t.deepEqual(qemuValue(parseQemuConf(text), 'k'), value, text);
  t.false(sameQemuValue(1, '1'));
  t.true(sameQemuValue(['a'], ['a']));
  t.deepEqual(brokenQemuLines(parseQemuConf('a = 1\n b\n# c\nl = [\n1\n]\nx = y\n')), [2, 7]);
});

test('qemu.conf: keys are set in place or below their commented default', (t) => {
  const set = (key: string, value: QemuValue): string => printQemuConf(setQemuKey(parseQemuConf(qemu), key, value));
  t.is(set('spice_sasl', 0), qemu);
  t.is(set('user', 'root'), qemu);
  t.is(set('hooks', ['a', 'b']), qemu);
  t.is(set('spice_sasl', 1), qemu.replace('=0 #', '=1 #'));
  t.is(set('spice_tls', 1), qemu.replace('#spice_tls = 1\n', '#spice_tls = 1\nspice_tls = 1\n'));
  t.is(set('cgroup_device_acl', ['/dev/null']), qemu.replace('#]\n', '#]\ncgroup_device_acl = [ "/dev/null" ]\n'));
  t.is(set('hooks', []), qemu.replace(/hooks = \[[^\]]*\]/, 'hooks = []'));
  t.is(set('spice_listen', '::1'), `${qemu}spice_listen = "::1"\n`);
  t.is(printQemuConf(removeQemuKey(parseQemuConf(qemu), 'user')), qemu.replaceAll(/user = .*\n/g, ''));
});

test('law: a value that is set is read back', (t) => {
  const scalar = fc.oneof(
    fc.integer(),
    fc.string({unit: 'grapheme'}).filter((text) => !text.includes('"""') && !text.endsWith('"')),
  );
  fc.assert(
    fc.property(fc.oneof(scalar, fc.array(scalar)), fc.constantFrom(qemu, '', '# x'), (value, text) => {
      const set = setQemuKey(parseQemuConf(text), 'spice_password', value);
      return sameQemuValue(qemuValue(parseQemuConf(printQemuConf(set)), 'spice_password'), value);
    }),
  );
  t.pass();
});

const sasl = '# rules\nMech_List: digest-md5 Plain  \n\npwcheck_method:saslauthd\nsasldb_path:\nmech_list: plain\n';

test('sasl: the first line of a key counts, mechanisms are a set of words', (t) => {
  const conf = parseSaslConf(sasl);
  t.is(saslValue(conf, 'mech_list'), 'digest-md5 Plain');
  t.deepEqual(mechanismsOf(' plain  SCRAM-sha-256 PLAIN'), ['PLAIN', 'SCRAM-SHA-256']);
  t.true(sameSaslValue('mech_list', 'plain scram-sha-256', 'SCRAM-SHA-256  plain'));
  t.false(sameSaslValue('pwcheck_method', 'auxprop saslauthd', 'saslauthd auxprop'));
  t.false(sameSaslValue('mech_list', undefined, 'plain'));
  t.deepEqual(brokenSaslLines(conf), [5]);
});

test('sasl: keys are set and removed without touching the rest', (t) => {
  const set = (key: string, value: string): string => printSaslConf(setSaslKey(parseSaslConf(sasl), key, value));
  t.is(set('mech_list', 'PLAIN digest-md5'), sasl);
  t.is(set('mech_list', 'plain'), sasl.replace('digest-md5 Plain', 'plain'));
  t.is(set('pwcheck_method', 'auxprop'), sasl.replace('saslauthd', 'auxprop'));
  t.is(set('auxprop_plugin', 'sasldb'), `${sasl}auxprop_plugin: sasldb\n`);
  t.is(
    printSaslConf(removeSaslKey(parseSaslConf(sasl), 'mech_list')),
    '# rules\n\npwcheck_method:saslauthd\nsasldb_path:\n',
  );
});

const env = `# Should it run?
#START=no
MECHANISMS="pam"
export OPTIONS='-c -m /run'  # note
THREADS=5;
A=1
A=$B
if true; then X=1 y; fi
Q="two
lines" 
`;

test('env files: values as the shell sees them, the last one counts', (t) => {
  const file = parseEnvFile(env);
  const table: [key: string, value: string | undefined][] = [
    ['MECHANISMS', 'pam'],
    ['OPTIONS', '-c -m /run'],
    ['THREADS', '5'],
    ['A', '$B'],
    ['Q', 'two\nlines'],
    ['START', undefined],
    ['X', undefined],
  ];
  for (const [key, value] of table) t.is(envValue(file, key), value, key);
  t.is(envValue(parseEnvFile('A=a"b c"\'$d\'\\ e\\"\n'), 'A'), 'ab c$d e"');
  t.is(envValue(parseEnvFile('A=1 command\n'), 'A'), undefined);
  t.is(envValue(parseEnvFile('A="\\$x \\n"\n'), 'A'), '$x \\n');
});

test('env files: a key is set in place, below its comment, or at the end', (t) => {
  const set = (key: string, value: string): string => printEnvFile(setEnvKey(parseEnvFile(env), key, value));
  t.is(set('MECHANISMS', 'pam'), env);
  t.is(set('MECHANISMS', 'shadow'), env.replace('"pam"', '"shadow"'));
  t.is(set('OPTIONS', '-m /x'), env.replace("'-c -m /run'", "'-m /x'"));
  t.is(set('THREADS', '6'), env.replace('5;', '6;'));
  t.is(set('A', '$B'), env.replace('A=$B', 'A="\\$B"'));
  t.is(set('START', 'yes'), env.replace('#START=no\n', '#START=no\nSTART=yes\n'));
  t.is(set('NEW', 'a b'), `${env}NEW="a b"\n`);
  t.is(printEnvFile(setEnvKey(parseEnvFile('A=1'), 'B', '')), 'A=1\nB=""\n');
  t.is(printEnvFile(removeEnvKey(parseEnvFile(env), 'A')), env.replace('A=1\nA=$B\n', ''));
});

test('law: an env value that is set is read back', (t) => {
  const file = fc.constantFrom(env, "V='x'\n", 'V="x"\n', 'V=x', '#V=');
  fc.assert(
    fc.property(
      file,
      fc.string({unit: 'binary'}),
      (text, value) => envValue(parseEnvFile(printEnvFile(setEnvKey(parseEnvFile(text), 'V', value))), 'V') === value,
    ),
  );
  t.pass();
});
