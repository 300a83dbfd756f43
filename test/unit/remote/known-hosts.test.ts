import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {appendKnownHosts, KnownHostsFiles} from '../../../src/remote/known-hosts-files.ts';
import {
  fingerprint,
  isKnown,
  judgeKey,
  knownHostsLine,
  lookUp,
  parseKnownHosts,
  preferKnown,
  type Verdict,
} from '../../../src/remote/known-hosts.ts';

/** A public key in wire format with made-up content. */
function key(type: string, seed: number): Buffer {
  const part = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  return Buffer.concat([part(Buffer.from(type)), part(Buffer.alloc(32, seed))]);
}
function text(names: string, k: Buffer, type: string, marker = ''): string {
  return `${marker}${names} ${type} ${k.toString('base64')} a comment`;
}

const ed = key('ssh-ed25519', 1);
const ed2 = key('ssh-ed25519', 2);
const rsa = key('ssh-rsa', 3);
const line = (names: string, marker = ''): string => text(names, ed, 'ssh-ed25519', marker);

const salt = Buffer.alloc(20, 9);
const judgements: readonly [string, string, string, number, Buffer, Verdict['verdict']][] = [
  ['plain name', line('box'), 'box', 22, ed, 'known'],
  ['upper case', line('Box.Example'), 'BOX.example', 22, ed, 'known'],
  ['one of several names', line('a,box,10.0.0.1'), '10.0.0.1', 22, ed, 'known'],
  ['another host', line('box'), 'fox', 22, ed, 'unknown'],
  ['port in brackets', line('[box]:2222'), 'box', 2222, ed, 'known'],
  ['brackets do not speak of port 22', line('[box]:2222'), 'box', 22, ed, 'unknown'],
  ['another port: a match without port counts', line('box'), 'box', 2222, ed, 'known'],
  ['another port: a difference without port is only unknown', line('box'), 'box', 2222, ed2, 'unknown'],
  ['star', line('*.lab'), 'kvm1.lab', 22, ed, 'known'],
  ['star does not match less', line('*.lab'), 'lab', 22, ed, 'unknown'],
  ['question mark', line('kvm?'), 'kvm1', 22, ed, 'known'],
  ['negation', line('*.lab,!kvm1.lab'), 'kvm1.lab', 22, ed, 'unknown'],
  ['negation first', line('!kvm1.lab,*.lab'), 'kvm1.lab', 22, ed, 'unknown'],
  ['negation of another', line('!kvm2.lab,*.lab'), 'kvm1.lab', 22, ed, 'known'],
  ['changed', line('box'), 'box', 22, ed2, 'changed'],
  ['another type only', line('box'), 'box', 22, rsa, 'changed'],
  ['two keys of one host', `${line('box')}\n${text('box', rsa, 'ssh-rsa')}`, 'box', 22, rsa, 'known'],
  ['hashed', knownHostsLine('box', 22, ed, salt), 'box', 22, ed, 'known'],
  ['hashed with port', knownHostsLine('box', 2222, ed, salt), 'box', 2222, ed, 'known'],
  ['hashed, another host', knownHostsLine('box', 22, ed, salt), 'fox', 22, ed, 'unknown'],
  ['revoked', line('*', '@revoked '), 'box', 22, ed, 'revoked'],
  ['revoked beats known', `${line('box')}\n${line('*', '@revoked ')}`, 'box', 22, ed, 'revoked'],
  ['another key revoked', line('*', '@revoked '), 'box', 22, ed2, 'unknown'],
  ['an authority is no host key', line('*', '@cert-authority '), 'box', 22, ed, 'unknown'],
  ['comment', `# ${line('box')}`, 'box', 22, ed, 'unknown'],
  ['unknown marker', line('box', '@trusted '), 'box', 22, ed, 'unknown'],
  ['type and key disagree', text('box', ed, 'ssh-rsa'), 'box', 22, ed, 'unknown'],
  ['half a line', 'box ssh-ed25519', 'box', 22, ed, 'unknown'],
  ['tabs and carriage returns', `${line('box').replaceAll(' ', '\t')}\r`, 'box', 22, ed, 'known'],
];
for (const [title, file, host, port, shown, expected] of judgements) {
  test(`judging: ${title}`, (t) => {
    t.is(judgeKey(lookUp(parseKnownHosts(file, 'f'), host, port), shown).verdict, expected);
  });
}

test('a changed key shows the lines of its own type', (t) => {
  const lines = parseKnownHosts(`\n${text('box', rsa, 'ssh-rsa')}\n${line('box')}`, '/kh');
  const verdict = judgeKey(lookUp(lines, 'box', 22), ed2);
  t.is(verdict.verdict, 'changed');
  t.deepEqual('lines' in verdict && verdict.lines.map((l) => [l.file, l.line]), [['/kh', 3]]);
});

test('an authority makes a host one that need not be asked about', (t) => {
  const known = lookUp(parseKnownHosts(line('*.lab', '@cert-authority '), 'f'), 'kvm1.lab', 22);
  t.true(isKnown(known));
  t.is(known.authorities.length, 1);
});

test('known types are asked for first, in all their algorithms', (t) => {
  const all = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'];
  const known = lookUp(parseKnownHosts(text('box', rsa, 'ssh-rsa'), 'f'), 'box', 22);
  t.deepEqual(preferKnown(known, all), ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519', 'ecdsa-sha2-nistp256']);
  t.deepEqual(preferKnown(lookUp([], 'box', 22), all), all);
});

test('garbage never throws', (t) => {
  fc.assert(
    fc.property(fc.string({maxLength: 200}), fc.string({maxLength: 20}), (file, host) => {
      lookUp(parseKnownHosts(file, 'f'), host, 22);
      return true;
    }),
  );
  t.pass();
});

const hasKeygen = (() => {
  try {
    execFileSync('ssh-keygen', ['-?'], {stdio: 'ignore'});
  } catch (problem) {
    return (problem as NodeJS.ErrnoException).code !== 'ENOENT';
  }
  return true;
})();

(hasKeygen ? test : test.skip)('ssh-keygen finds what we write, and hashes as we do', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tsplay-kh-'));
  const file = join(folder, 'sub/known_hosts');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'k')]);
  const real = Buffer.from(readFileSync(join(folder, 'k.pub'), 'utf8').split(' ')[1]!, 'base64');
  appendKnownHosts(file, [
    {host: 'plain', port: 22, key: real, hashed: false},
    {host: 'hidden', port: 22, key: real, hashed: true},
    {host: 'odd', port: 2222, key: real, hashed: true},
  ]);
  t.is(statSync(file).mode & 0o777, 0o600);
  for (const name of ['plain', 'hidden', '[odd]:2222']) {
    t.true(execFileSync('ssh-keygen', ['-F', name, '-f', file]).toString().includes('found'), name);
  }
  t.is(
    execFileSync('ssh-keygen', ['-lf', join(folder, 'k.pub')])
      .toString()
      .split(' ')[1],
    fingerprint(real),
  );
  execFileSync('ssh-keygen', ['-q', '-H', '-f', file], {stdio: 'ignore'});
  const lines = parseKnownHosts(readFileSync(file, 'utf8'), file);
  t.is(judgeKey(lookUp(lines, 'plain', 22), real).verdict, 'known');
  rmSync(folder, {recursive: true});
});

test('adding keeps what was there, even without a line end; the files are read anew when they change', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tsplay-kh-'));
  const file = join(folder, 'known_hosts');
  writeFileSync(file, line('first'));
  const store = new KnownHostsFiles();
  t.is(store.lines([file, join(folder, 'none')]).length, 1);
  appendKnownHosts(file, [{host: 'second', port: 22, key: ed2, hashed: false}]);
  t.is(readFileSync(file, 'utf8'), `${line('first')}\nsecond ssh-ed25519 ${ed2.toString('base64')}\n`);
  t.is(store.lines([file]).length, 2);
  rmSync(folder, {recursive: true});
});
