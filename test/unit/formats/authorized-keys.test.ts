import {createHash} from 'node:crypto';
import test from 'ava';
import {
  effectiveOptions,
  keepOnlyKeys,
  keysOf,
  parseAuthorizedKeys,
  parseKey,
  parseKeyOptions,
  printAuthorizedKeys,
  removeKey,
  renderKey,
  sameOptions,
  setKey,
  sha256Fingerprint,
} from '../../../src/formats/authorized-keys.ts';
import type {AuthorizedKey, KeyOption} from '../../../src/formats/authorized-keys.ts';

const blobA = 'AAAAC3NzaC1lZDI1NTE5AAAAIFCv5PDtHv0GZzU+gP3sVjPPfEQ5mTKZcVjtcPGaBfKa';
const blobB = 'AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB';
const tunnel = `restrict,port-forwarding,permitopen="localhost:20001",from="192.168.0.5" ssh-ed25519 ${blobA} myself@mylap`;
const file = `# keys\n\n${tunnel}\nssh-ed25519 broken! x\n  ssh-ed25519 ${blobB}\tother key \r\n`;

function key(line: string): AuthorizedKey {
  const parsed = parseKey(line);
  if (parsed === undefined) throw new Error(line);
  return parsed;
}

function options(text: string): readonly KeyOption[] {
  return parseKeyOptions(text) ?? [];
}

test('lines are keys or kept as they are', (t) => {
  const table: [line: string, key: AuthorizedKey | undefined][] = [
    [`ssh-ed25519 ${blobA} a b`, {options: [], type: 'ssh-ed25519', blob: blobA, comment: 'a b'}],
    [`ssh-ed25519\t${blobA}`, {options: [], type: 'ssh-ed25519', blob: blobA, comment: ''}],
    [
      `command="echo \\"a b\\", c",no-pty sk-ssh-ed25519@openssh.com AAAA= x`,
      {
        options: [{name: 'command', value: 'echo "a b", c'}, {name: 'no-pty'}],
        type: 'sk-ssh-ed25519@openssh.com',
        blob: 'AAAA=',
        comment: 'x',
      },
    ],
    ['ecdsa-sha2-nistp256 AAAA', {options: [], type: 'ecdsa-sha2-nistp256', blob: 'AAAA', comment: ''}],
    ['# ssh-ed25519 AAAA', undefined],
    ['', undefined],
    ['restrict, ssh-ed25519 AAAA', undefined],
    ['from="a ssh-ed25519 AAAA', undefined],
    ['ssh-foo AAAA', undefined],
  ];
  for (const [line, expected] of table) {
    t.deepEqual(parseKey(line), expected, line);
    if (expected !== undefined) t.deepEqual(parseKey(renderKey(expected)), expected);
  }
});

test('options are compared by what sshd makes of them', (t) => {
  const same: [string, string][] = [
    ['restrict,port-forwarding', 'RESTRICT,Port-Forwarding'],
    ['restrict,permitopen="a:1",permitopen="b:2"', 'restrict,permitopen="b:2",permitopen="a:1"'],
    ['from="a,b"', 'from="b,a"'],
    ['port-forwarding,restrict', 'restrict'],
    ['no-pty,no-pty', 'no-pty'],
    ['pty', ''],
  ];
  for (const [a, b] of same) t.true(sameOptions(options(a), options(b)), `${a} / ${b}`);
  const different: [string, string][] = [
    ['restrict,port-forwarding', 'port-forwarding,restrict'],
    ['restrict', 'no-pty,no-port-forwarding,no-agent-forwarding,no-x11-forwarding,no-user-rc'],
    ['from="a"', 'from="a,b"'],
    ['command="a"', 'command="b"'],
    ['', 'cert-authority'],
  ];
  for (const [a, b] of different) t.false(sameOptions(options(a), options(b)), `${a} / ${b}`);
  t.like(effectiveOptions(options('restrict,port-forwarding')), {restricted: true, portForwarding: true, pty: false});
});

test('a key is set without touching anything else', (t) => {
  const set = (line: string): string => printAuthorizedKeys(setKey(parseAuthorizedKeys(file), key(line)));
  t.is(set(`from="192.168.0.5",restrict,port-forwarding,permitopen="localhost:20001" ssh-ed25519 ${blobA}`), file);
  t.is(set(`restrict ssh-ed25519 ${blobA}`), file.replace(tunnel, `restrict ssh-ed25519 ${blobA} myself@mylap`));
  t.is(set(`ssh-ed25519 ${blobB} new`), file.replace(/ {2}ssh-ed25519 .*?\r/, `ssh-ed25519 ${blobB} new\r`));
  t.is(set('ssh-rsa AAAAB3 c'), `${file}ssh-rsa AAAAB3 c\n`);
  t.is(printAuthorizedKeys(setKey(parseAuthorizedKeys('# x'), key('ssh-rsa AAAAB3 c'))), '# x\nssh-rsa AAAAB3 c\n');
});

test('a second line with the same key would undo the restriction: it goes', (t) => {
  const twice = `${tunnel}\n# note\nssh-ed25519 ${blobA} again\n`;
  t.is(printAuthorizedKeys(setKey(parseAuthorizedKeys(twice), key(tunnel))), `${tunnel}\n# note\n`);
});

test('keys are removed, the rest stays', (t) => {
  const parsed = parseAuthorizedKeys(file);
  t.is(printAuthorizedKeys(removeKey(parsed, key(tunnel))), file.replace(`${tunnel}\n`, ''));
  const only = keepOnlyKeys(parsed, [key(tunnel)]);
  t.is(printAuthorizedKeys(only), `# keys\n\n${tunnel}\nssh-ed25519 broken! x\n`);
  t.deepEqual(keysOf(only), [key(tunnel)]);
});

test('the fingerprint is the one of ssh-keygen -l', (t) => {
  const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
  t.is(sha256Fingerprint({blob: blobA}, sha256), 'SHA256:/HHpGRnVK5suS00wXgmQsgYuhSSOAndNS0z9CGdJL6M');
});
