import test from 'ava';
import fc from 'fast-check';
import {execFileSync} from 'node:child_process';
import {chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {randomBytes} from 'node:crypto';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {placeOf} from '../../../src/base/diagnostic.ts';
import {Secret} from '../../../src/base/secret.ts';
import {isClientScript, parseVaultId, passwordFrom} from '../../../src/secrets/password-source.ts';
import {decrypt, encrypt, isVault, vaultId} from '../../../src/secrets/vault.ts';

const pw = (password: string, id = 'default') => ({id, password: Secret.of(password)});
const salt = Buffer.from('0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20', 'hex');

// Made by ansible-vault 2.14 with the password "swordfish".
const MADE = `$ANSIBLE_VAULT;1.2;AES256;dev
35383762373464303663333064383165646433356663386431343237346434623137646165386635
3034653661623731633534376430376332643231366263350a343063366534363536653365336364
39653562343835663562363139663832396332336539666136346530333931383164663761636538
3632383465653533660a653933326333653465373630353133343165313330376639613831663864
63643236343536656362623536383334356365306638653937366663356161613862
`;

test('opens what ansible-vault made', (t) => {
  const opened = decrypt(MADE, [pw('swordfish', 'dev')]);
  t.true(opened.ok && opened.value.text.reveal() === 'spice_password: geheim\n');
  t.is(vaultId(MADE), 'dev');
});

test('what is encrypted is opened again, whatever the bytes', (t) => {
  const key = pw('päss wörd');
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.uint8Array({maxLength: 200}),
        fc.option(fc.stringMatching(/^[a-z0-9_]{1,12}$/), {nil: undefined}),
        (bytes, id) => {
          const text = encrypt(bytes, {password: key.password, salt, ...(id !== undefined && {id})});
          const opened = decrypt(text, [key]);
          return (
            isVault(text) &&
            text.split('\n').every((line) => line.length <= 80) &&
            vaultId(text) === (id === 'default' ? undefined : id) &&
            opened.ok &&
            Buffer.from(opened.value.bytes).equals(Buffer.from(bytes))
          );
        },
      ),
      {numRuns: 60},
    ),
  );
});

test('an inline value may be indented and have other line ends', (t) => {
  for (const change of [(s: string) => s.replace(/^/gm, '          '), (s: string) => s.replaceAll('\n', '\r\n')]) {
    const opened = decrypt(change(MADE), [pw('swordfish')]);
    t.true(opened.ok);
  }
});

const lines = MADE.split('\n');
const mistakes: Record<string, {text: string; passwords?: ReturnType<typeof pw>[]; code: string; place?: string}> = {
  'wrong password': {
    text: MADE.replace('1.2;AES256;dev', '1.1;AES256'),
    passwords: [pw('no')],
    code: 'vault-wrong-password',
  },
  'wrong password under the label': {
    text: MADE,
    passwords: [pw('no', 'dev'), pw('nor this', 'prod')],
    code: 'vault-wrong-password',
  },
  'unknown label': {text: MADE, passwords: [pw('no', 'prod')], code: 'vault-unknown-id'},
  'no password': {text: MADE, passwords: [], code: 'vault-no-password'},
  'no vault': {text: 'hello', code: 'vault-malformed'},
  'old version': {text: MADE.replace('1.2', '1.0'), code: 'vault-unsupported'},
  'other cipher': {text: MADE.replace('AES256', 'AES'), code: 'vault-unsupported'},
  'a letter too much': {
    text: MADE.replace(lines[3] ?? '', `${lines[3] ?? ''}x`),
    code: 'vault-damaged',
    place: 'vars.yml:4:1',
  },
  'cut off': {text: lines.slice(0, 3).join('\n'), code: 'vault-damaged'},
  'one digit missing': {text: MADE.trim().slice(0, -1), code: 'vault-damaged'},
  'header only': {text: lines[0] ?? '', code: 'vault-damaged'},
};
for (const [name, {text, passwords = [pw('swordfish')], code, place}] of Object.entries(mistakes)) {
  test(`mistake: ${name}`, (t) => {
    const at = {source: {path: 'vars.yml', text}, start: 0, end: text.length};
    const opened = decrypt(text, passwords, at);
    t.false(opened.ok);
    if (opened.ok) return;
    const [problem] = opened.problems;
    t.is(problem.code, code);
    t.is(problem.span && placeOf(problem.span), place ?? 'vars.yml:1:1');
  });
}

test('any altered digit is noticed', (t) => {
  const body = MADE.indexOf('\n') + 1;
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.integer({min: body, max: MADE.trimEnd().length - 1}), (at) => {
        if (MADE[at] === '\n') return true;
        const altered = MADE.slice(0, at) + (MADE[at] === '3' ? '4' : '3') + MADE.slice(at + 1);
        return altered === MADE || !decrypt(altered, [pw('swordfish')]).ok;
      }),
      {numRuns: 40},
    ),
  );
});

const program = ['/usr/bin/ansible-vault', '/usr/local/bin/ansible-vault'].find((path) => existsSync(path));
const real = program === undefined ? test.skip : test;
const why = program === undefined ? ' (skipped: ansible-vault is not installed)' : '';

real(`ansible-vault opens ours and we open its${why}`, (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'vault-'));
  try {
    const password = join(dir, 'password');
    const file = join(dir, 'file');
    writeFileSync(password, '  correct horse \n');
    const key = pw('correct horse', 'prod');
    for (const [bytes, id] of [
      [randomBytes(1000), 'prod'],
      [Buffer.from('a: 1\n'), undefined],
      [Buffer.alloc(0), undefined],
      [randomBytes(16), 'x'],
    ] as const) {
      writeFileSync(
        file,
        encrypt(bytes, {password: key.password, salt: randomBytes(32), ...(id !== undefined && {id})}),
      );
      const theirs = execFileSync(
        program ?? '',
        ['decrypt', '--vault-password-file', password, '--output', '-', file],
        {stdio: ['ignore', 'pipe', 'pipe']},
      );
      t.deepEqual(theirs, bytes);

      if (bytes.length === 0) continue; // ansible-vault itself encrypts no empty input from a file
      writeFileSync(file, bytes);
      execFileSync(program ?? '', ['encrypt', '--vault-id', `${id ?? 'default'}@${password}`, file], {stdio: 'ignore'});
      const text = readFileSync(file, 'utf8');
      t.is(vaultId(text), id);
      const opened = decrypt(text, [key]);
      t.true(opened.ok && Buffer.from(opened.value.bytes).equals(bytes));
    }
  } finally {
    rmSync(dir, {recursive: true});
  }
});

test('--vault-id', (t) => {
  t.deepEqual(parseVaultId('dev@prompt'), {kind: 'prompt', id: 'dev'});
  t.deepEqual(parseVaultId('prod@~/.pw@home'), {kind: 'file', id: 'prod', path: '~/.pw@home'});
  t.deepEqual(parseVaultId('pw.txt'), {kind: 'file', id: 'default', path: 'pw.txt'});
  t.deepEqual(parseVaultId('@pw.txt'), {kind: 'file', id: 'default', path: 'pw.txt'});
  t.deepEqual(['a-client', 'x/a-client.py', 'client.sh', 'a-client.d/x'].map(isClientScript), [
    true,
    true,
    false,
    false,
  ]);
});

test('passwords out of files and programs', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'vault-'));
  const file = (name: string, text: string, mode = 0o600): string => {
    writeFileSync(join(dir, name), text);
    chmodSync(join(dir, name), mode);
    return name;
  };
  const ask = async (path: string, id = 'dev') => {
    const got = await passwordFrom({id, path}, {cwd: dir, home: dir, timeoutMs: 5000});
    return got.ok ? got.value.password.reveal() : got.problems[0].code;
  };
  try {
    t.is(await ask(file('plain', ' pass word\t\n\n')), 'pass word');
    t.is(await ask('~/plain'), 'pass word');
    t.is(await ask(file('prog.sh', '#!/bin/sh\necho " out $# "\n', 0o700)), ' out 0 ');
    t.is(
      await ask(file('key-client.sh', '#!/bin/sh\n[ "$1 $2" = "--vault-id dev" ] && echo found || exit 2\n', 0o700)),
      'found',
    );
    t.is(await ask('key-client.sh', 'other'), 'vault-password-program');
    t.is(await ask(file('bad.sh', '#!/bin/sh\necho no luck >&2; exit 3\n', 0o700)), 'vault-password-program');
    t.is(await ask(file('no-interpreter', '#!/no/such/interpreter\n', 0o700)), 'vault-password-program');
    t.is(await ask(file('empty', '\n')), 'vault-password-file');
    t.is(await ask('missing'), 'vault-password-file');
    t.is(await ask('.'), 'vault-password-file');
    const failed = await passwordFrom({id: 'dev', path: 'bad.sh'}, {cwd: dir});
    t.true(!failed.ok && failed.problems[0].note === 'no luck');
  } finally {
    rmSync(dir, {recursive: true});
  }
});
