import fc from 'fast-check';
import test from 'ava';
import {parseAuthorizedKeys, printAuthorizedKeys} from '../../../src/formats/authorized-keys.ts';
import {parseCrypttab, printCrypttab} from '../../../src/formats/crypttab.ts';
import {parseEnvFile, printEnvFile} from '../../../src/formats/env-file.ts';
import {parseFstab, printFstab} from '../../../src/formats/fstab.ts';
import {parseIni, printIni} from '../../../src/formats/ini.ts';
import {parsePam, printPam} from '../../../src/formats/pam.ts';
import {parseQemuConf, printQemuConf} from '../../../src/formats/qemu-conf.ts';
import {parseSaslConf, printSaslConf} from '../../../src/formats/sasl-conf.ts';
import {parseSshd, printSshd} from '../../../src/formats/sshd-config.ts';
import {splitLines} from '../../../src/formats/text-lines.ts';

const again: Readonly<Record<string, (text: string) => string>> = {
  pam: (text) => printPam(parsePam(text)),
  'sshd-config': (text) => printSshd(parseSshd(text)),
  'authorized-keys': (text) => printAuthorizedKeys(parseAuthorizedKeys(text)),
  crypttab: (text) => printCrypttab(parseCrypttab(text)),
  fstab: (text) => printFstab(parseFstab(text)),
  'qemu-conf': (text) => printQemuConf(parseQemuConf(text)),
  'sasl-conf': (text) => printSaslConf(parseSaslConf(text)),
  'env-file': (text) => printEnvFile(parseEnvFile(text)),
  ini: (text) => printIni(parseIni(text)),
  lines: (text) => splitLines(text).join(''),
};

// Pieces of all the formats, glued at random, so that broken and half-right files are common.
const piece = fc.constantFrom(
  ...[
    '\n',
    '\n',
    '\r\n',
    ' ',
    '\t',
    '#',
    '=',
    ' = ',
    ': ',
    '"',
    "'",
    '\\',
    '\\\n',
    '[',
    ']',
    ',',
    '"""',
    '`',
    '$',
    '@include x',
  ],
  ...[
    'auth',
    'required',
    '[success=1 default=ignore]',
    'pam_unix.so',
    'Match',
    'User a',
    'Port 22',
    'restrict',
    'from="a b"',
    'ssh-ed25519 AAAA',
  ],
  ...[
    'key',
    'a = 1',
    'b = [ "x",\n "y" ]',
    'KEY="two\nlines"',
    'export A=b',
    '[section]',
    'mech_list: plain',
    '/dev/sda / ext4 defaults 0 1',
    '\ufeff',
    'ü',
    '\0',
  ],
);
const anyText = fc.oneof(
  fc.array(piece, {maxLength: 30}).map((pieces) => pieces.join('')),
  fc.string({unit: 'binary'}),
);

for (const [format, roundTrip] of Object.entries(again)) {
  test(`${format}: every text is printed as it was read`, (t) => {
    fc.assert(
      fc.property(anyText, (text) => roundTrip(text) === text),
      {numRuns: 500},
    );
    t.pass();
  });
}
