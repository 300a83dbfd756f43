import test from 'ava';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {freeKeyslot, parseLuks, parseLuksJson} from '../../../src/formats/luks.ts';
import type {LuksHeader} from '../../../src/formats/luks.ts';

const fixture = (name: string): string => readFileSync(new URL(`../../fixtures/luks/${name}`, import.meta.url), 'utf8');
function value<T>(result: {ok: true; value: T} | {ok: false; problems: readonly [{message: string}, ...unknown[]]}): T {
  if (!result.ok) throw new Error(result.problems[0].message);
  return result.value;
}

test('LUKS1', (t) => {
  const header = value(parseLuks(fixture('luks1.txt')));
  t.deepEqual(header, {
    version: 1,
    uuid: '8f4b6708-9a55-4618-92b8-f71a122af6ec',
    label: undefined,
    subsystem: undefined,
    flags: [],
    requirements: [],
    cipher: 'aes-xts-plain64',
    keySizeBits: 512,
    hash: 'sha512',
    keyslots: [
      {slot: 0, keySizeBits: 512, afHash: 'sha512', pbkdf: {algorithm: 'pbkdf2', hash: 'sha512', iterations: 26116}},
      {slot: 3, keySizeBits: 512, afHash: 'sha512', pbkdf: {algorithm: 'pbkdf2', hash: 'sha512', iterations: 27377}},
    ],
    segments: [{offsetBytes: 2097152, sizeBytes: 'dynamic', cipher: 'aes-xts-plain64', sectorBytes: 512}],
    tokens: [],
  });
  t.is(freeKeyslot(header), 1);
});

const LUKS2: LuksHeader = {
  version: 2,
  uuid: 'd08506ab-ee0d-476f-bd8d-f867d9955c5f',
  label: 'tslab',
  subsystem: 'sub',
  flags: [],
  requirements: [],
  cipher: 'aes-xts-plain64',
  keySizeBits: 512,
  hash: 'sha512',
  keyslots: [
    {slot: 0, keySizeBits: 512, afHash: 'sha512', pbkdf: {algorithm: 'pbkdf2', hash: 'sha512', iterations: 1000}},
    {slot: 5, keySizeBits: 512, afHash: 'sha256', pbkdf: {algorithm: 'argon2id', time: 4, memoryKib: 1024, cpus: 1}},
  ],
  segments: [{offsetBytes: 16777216, sizeBytes: 'dynamic', cipher: 'aes-xts-plain64', sectorBytes: 4096}],
  tokens: [],
};
test('LUKS2, by its text and by its JSON', (t) => {
  t.deepEqual(value(parseLuks(fixture('luks2.txt'))), LUKS2);
  t.deepEqual(value(parseLuks(fixture('luks2.txt'), fixture('luks2.json'))), LUKS2);
});

test('all slots taken', (t) => {
  const [slot] = LUKS2.keyslots;
  if (slot === undefined) return t.fail();
  const full = Array.from({length: 32}, (_, i) => ({...slot, slot: i}));
  t.is(freeKeyslot({...LUKS2, keyslots: full}), undefined);
  t.is(freeKeyslot({...LUKS2, keyslots: full.slice(1)}), 0);
});

test('flags, requirements and tokens', (t) => {
  const text = fixture('luks2.txt')
    .replace('(no flags)', 'allow-discards no-read-workqueue\nRequirements:\tonline-reencrypt')
    .replace('Tokens:\n', 'Tokens:\n  0: systemd-tpm2\n\tKeyslot:    0\n');
  t.like(value(parseLuks(text)), {
    flags: ['allow-discards', 'no-read-workqueue'],
    requirements: ['online-reencrypt'],
    tokens: [{token: 0, type: 'systemd-tpm2'}],
  });
  const json = JSON.parse(fixture('luks2.json')) as Record<string, object>;
  json['config'] = {...json['config'], flags: ['allow-discards'], requirements: {mandatory: ['online-reencrypt']}};
  json['tokens'] = {'0': {type: 'systemd-tpm2', keyslots: ['0']}};
  t.like(value(parseLuksJson(JSON.stringify(json))), {
    flags: ['allow-discards'],
    requirements: ['online-reencrypt'],
    tokens: [{token: 0, type: 'systemd-tpm2'}],
  });
});

for (const [name, dump, json] of [
  ['nothing', ''],
  ['another version', 'Version: 3\n'],
  ['LUKS1, cut off', fixture('luks1.txt').slice(0, 60)],
  ['LUKS2, cut off', fixture('luks2.txt').slice(0, 300)],
  ['JSON, cut off', fixture('luks2.txt'), '{"keyslots":'],
  ['other JSON', fixture('luks2.txt'), '[]'],
] as [string, string, string?][]) {
  test(`not understood: ${name}`, (t) => {
    const parsed = parseLuks(dump, json);
    t.is(parsed.ok ? undefined : parsed.problems[0].code, 'luks-dump');
  });
}

function version(): string | undefined {
  try {
    return execFileSync('cryptsetup', ['--version'], {encoding: 'utf8'});
  } catch {
    return undefined;
  }
}
const real = version() === undefined ? test.skip : test;
const why = version() === undefined ? ' (skipped: cryptsetup is not installed)' : '';
real(`what cryptsetup made is what was asked for${why}`, (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'luks-'));
  try {
    const [file, key] = [join(dir, 'device'), join(dir, 'key')];
    writeFileSync(key, 'geheim');
    const options = [
      '--batch-mode',
      '--cipher',
      'aes-xts-plain64',
      '--key-size',
      '256',
      '--hash',
      'sha256',
      '--key-slot',
      '2',
      '--pbkdf',
      'pbkdf2',
      '--pbkdf-force-iterations',
      '1234',
    ];
    for (const type of [1, 2] as const) {
      writeFileSync(file, '');
      truncateSync(file, 40 << 20);
      execFileSync('cryptsetup', ['luksFormat', '--type', `luks${type}`, ...options, file, key]);
      const dump = execFileSync('cryptsetup', ['luksDump', file], {encoding: 'utf8'});
      const uuid = execFileSync('cryptsetup', ['luksUUID', file], {encoding: 'utf8'}).trim();
      const json =
        type === 2
          ? execFileSync('cryptsetup', ['luksDump', '--dump-json-metadata', file], {encoding: 'utf8'})
          : undefined;
      const expected = {
        version: type,
        uuid,
        cipher: 'aes-xts-plain64',
        keySizeBits: 256,
        hash: 'sha256',
        keyslots: [
          {
            slot: 2,
            keySizeBits: 256,
            afHash: 'sha256',
            pbkdf: {algorithm: 'pbkdf2' as const, hash: 'sha256', iterations: 1234},
          },
        ],
      };
      t.like(value(parseLuks(dump)), expected);
      t.like(value(parseLuks(dump, json)), expected);
    }
  } finally {
    rmSync(dir, {recursive: true});
  }
});
