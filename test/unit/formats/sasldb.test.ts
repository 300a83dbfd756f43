import test from 'ava';
import fc from 'fast-check';
import {execFileSync} from 'node:child_process';
import {accessSync, constants, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {parseSasldb} from '../../../src/formats/sasldb.ts';

const fixture = (name: string): Uint8Array => readFileSync(new URL(`../../fixtures/sasldb/${name}`, import.meta.url));
const LONG = '0123456789abcdef'.repeat(312);

/** The users of a database as `user@realm property` to password. */
function users(bytes: Uint8Array): Map<string, string> {
  const parsed = parseSasldb(bytes);
  if (!parsed.ok) throw new Error(parsed.problems[0].message);
  return new Map(parsed.value.map((entry) => [`${entry.user}@${entry.realm} ${entry.property}`, entry.value.reveal()]));
}

function numbered(from: number, to: number, more: Record<string, string> = {}, step = 1): Record<string, string> {
  const all: Record<string, string> = {...more};
  for (let i = from; i <= to; i += step) all[`user${i}`] = `password-${i}`;
  return all;
}

const oddOnesOut = Object.fromEntries(
  Object.entries(numbered(1, 50)).filter(([name]) => Number(name.slice(4)) > 19 || Number(name.slice(4)) % 2 === 0),
);
const fixtures: Record<string, Record<string, string>> = {
  'one.db': {alice: 'geheim'},
  'fifty.db': oddOnesOut,
  'large.db': {short: 's3cret', long: LONG.slice(0, 2048), after: 'p4ss'},
  'big-endian.db': numbered(1, 200, {long: LONG}),
  'btree.db': numbered(1, 200, {long: LONG}),
  'btree-big-endian.db': numbered(1, 200, {long: LONG}),
  'checksum.db': numbered(1, 20, {long: LONG}),
  'ndbm-of-gdbm.pag': numbered(21, 200, {long: LONG}),
  'classic-ndbm.pag': numbered(21, 200),
};
for (const [name, expected] of Object.entries(fixtures)) {
  test(`reads ${name}`, (t) => {
    const found = users(fixture(name));
    t.is(found.size, Object.keys(expected).length);
    for (const [user, password] of Object.entries(expected)) {
      t.is(found.get(`${user}@realm.example userPassword`), password, user);
    }
  });
}

test('an empty pair of files is an empty database', (t) => {
  t.deepEqual(parseSasldb(new Uint8Array()), {ok: true, value: []});
});

test('passwords do not show', (t) => {
  const parsed = parseSasldb(fixture('one.db'));
  t.true(parsed.ok);
  t.notRegex(JSON.stringify(parsed), /geheim/);
});

const others: Record<string, Uint8Array> = {
  'a text': Buffer.from('alice: geheim\n'),
  'the .dir of a pair': fixture('ndbm-of-gdbm.dir'),
  'random bytes': Buffer.from(Array.from({length: 2048}, (_, i) => (i * 7919 + 13) & 255)),
};
for (const [name, bytes] of Object.entries(others)) {
  test(`not a sasldb: ${name}`, (t) => {
    const parsed = parseSasldb(bytes);
    t.is(parsed.ok ? undefined : parsed.problems[0].code, 'sasldb-format');
  });
}

test('a file cut off is damage, not a shorter list', (t) => {
  for (const name of ['fifty.db', 'btree.db', 'big-endian.db', 'ndbm-of-gdbm.pag']) {
    const whole = fixture(name);
    for (const part of [0.3, 0.6, 0.9]) {
      const parsed = parseSasldb(whole.subarray(0, Math.floor(whole.length * part)));
      t.is(parsed.ok ? undefined : parsed.problems[0].code, 'sasldb-damaged', `${name} ${part}`);
    }
  }
});

test('whatever bytes are broken, the answer is a value', (t) => {
  const names = Object.keys(fixtures);
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.array(fc.tuple(fc.double({min: 0, max: 1, noNaN: true}), fc.integer({min: 0, max: 255})), {minLength: 1}),
      (name, hits) => {
        const bytes = Uint8Array.from(fixture(name));
        for (const [where, value] of hits) bytes[Math.floor(where ** 3 * (bytes.length - 1))] = value;
        t.notThrows(() => parseSasldb(bytes));
      },
    ),
    {numRuns: 300},
  );
});

const path = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
const program = path
  .map((dir) => join(dir, 'saslpasswd2'))
  .find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
const real = program === undefined ? test.skip : test.serial;
const why = program === undefined ? ' (skipped: saslpasswd2 is not installed)' : '';

for (const count of [1, 50, 2000]) {
  real(`${count} users of the real saslpasswd2${why}`, (t) => {
    t.timeout(120_000);
    const saslpasswd2 = program ?? '';
    const dir = mkdtempSync(join(tmpdir(), 'sasldb-'));
    const db = join(dir, 'db');
    const run = (args: string[], input = ''): void => {
      execFileSync(saslpasswd2, ['-a', 'qemu', '-f', db, ...args], {input, stdio: ['pipe', 'ignore', 'ignore']});
    };
    try {
      const expected = new Map<string, string>();
      for (let i = 0; i < count; i++) {
        const realm = `realm${i % 3}.example`;
        const password = i % 100 === 7 ? `${i}-`.repeat(300) : `Passwort ${i} ä'"\\`;
        run(['-p', '-c', '-u', realm, `user${i}`], password);
        expected.set(`user${i}@${realm} userPassword`, password);
      }
      for (let i = 0; i < count; i += 5) {
        if (count === 1) break;
        const realm = `realm${i % 3}.example`;
        run(['-d', '-u', realm, `user${i}`]);
        expected.delete(`user${i}@${realm} userPassword`);
      }
      for (let i = 3; i < count; i += 7) {
        const user = `user${i}@realm${i % 3}.example userPassword`;
        if (!expected.has(user)) continue;
        run(['-p', '-c', '-u', `realm${i % 3}.example`, `user${i}`], `new ${i}`);
        expected.set(user, `new ${i}`);
      }
      const found = users(readFileSync(db));
      t.deepEqual([...found].sort(), [...expected].sort());
      const listed = execFileSync(saslpasswd2.replace(/saslpasswd2$/, 'sasldblistusers2'), ['-f', db], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      t.deepEqual(
        listed
          .trim()
          .split('\n')
          .map((line) => line.replace(': ', ' '))
          .sort(),
        [...found.keys()].sort(),
      );
    } finally {
      rmSync(dir, {recursive: true});
    }
  });
}
