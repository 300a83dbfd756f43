import test from 'ava';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {CertificateMaker} from '../../src/engine/generate.ts';
import {keyMatches, parseCertificate, reveal, signedBy, type Host} from '../../src/kit/index.ts';
import module from '../../modules/x509_certificate.ts';
import {absent, bound, debianHost, doing, fileState, mistakes, told} from './bound.ts';

const site = mkdtempSync(path.join(tmpdir(), 'tsplay-x509-'));
test.after.always(() => rmSync(site, {recursive: true}));
const made = new Date('2026-01-01T00:00:00Z');
const day = 86_400_000;

/** A CA with one certificate of it, made on the day of {@link debianHost}. */
async function make(
  ca: string,
  names: string[],
  validDays = 825,
): Promise<{ca: string; certificate: string; key: string}> {
  const maker = new CertificateMaker(
    () => made,
    (n) => randomBytes(n),
  );
  const spec = {
    id: 'x',
    caCert: path.join(site, `${ca}.pem`),
    caKey: path.join(site, `${ca}-key.pem`),
    names,
    validDays,
  };
  const part = async (name: 'ca' | 'certificate' | 'key'): Promise<string> =>
    reveal(await maker.make({...spec, part: name}));
  return {ca: await part('ca'), certificate: await part('certificate'), key: await part('key')};
}
const names = ['kvm1.lab', '10.0.0.1'];
type Pair = Awaited<ReturnType<typeof make>>;
let good: Pair;
let other: Pair;
test.before(async () => {
  good = await make('ca', names);
  other = await make('ca2', names);
});

const controllerFile = (name: string | undefined) => {
  const file = path.join(site, name ?? 'none');
  if (name === undefined) return {type: 'missing' as const, path: file, searched: [file]};
  const bytes = new Uint8Array(readFileSync(file));
  return {
    type: 'file' as const,
    path: file,
    bytes,
    mode: '0600',
    blob: {blob: file, sha256: '', sizeBytes: bytes.length},
  };
};
type Wish = {
  given?: Record<string, unknown>;
  ca?: string | undefined;
  key?: string | undefined;
  state: unknown;
  host?: Host;
};
function planOf({given = {}, state, host = debianHost, ...files}: Wish) {
  const resolver = {
    file: (name: string) =>
      controllerFile(
        name.includes('key') ? ('key' in files ? files.key : 'ca-key.pem') : 'ca' in files ? files.ca : 'ca.pem',
      ),
    template: () => {
      throw new Error('none');
    },
  };
  return module.plan(bound(module, {dir: '/etc/pki/x', names, ...given}, resolver), state as never, host);
}
const state = (texts: {ca?: string; certificate?: string; key?: string}, more: Record<string, unknown> = {}) => ({
  files: [texts.ca, texts.certificate, texts.key].map((text, i) =>
    text === undefined ? absent : fileState(text, {mode: i === 2 ? 0o640 : 0o644, group: 'libvirt-qemu'}),
  ),
  folders: [{type: 'directory'}, {type: 'directory'}, {type: 'directory'}],
  groups: [{type: 'group', gid: 1, members: []}, absent],
  guests: [],
  ...more,
});
const later = (days: number): Host => ({...debianHost, now: new Date(made.getTime() + days * day)});
const all = ['write /etc/pki/x/server-key.pem', 'write /etc/pki/x/server-cert.pem', 'write /etc/pki/x/ca-cert.pem'];
const pair = all.slice(0, 2);

const cases: [string, () => Wish, string | string[]][] = [
  ['as declared', () => ({state: state(good)}), []],
  ['other spellings of the names', () => ({state: state(good), given: {names: ['10.0.0.1', 'KVM1.lab']}}), []],
  ['nothing there', () => ({state: state({})}), all],
  ['other names', () => ({state: state(good), given: {names: ['kvm1.lab']}}), pair],
  ['another key', () => ({state: state({...good, key: other.key})}), pair],
  ['no key', () => ({state: state({ca: good.ca, certificate: good.certificate})}), pair],
  ['a broken certificate', () => ({state: state({...good, certificate: 'x'})}), pair],
  ['another CA on the controller', () => ({state: state(other)}), all],
  [
    'only the CA certificate differs',
    () => ({state: state({...good, ca: other.ca})}),
    ['write /etc/pki/x/ca-cert.pem'],
  ],
  ['shortly before its end', () => ({state: state(good), host: later(796)}), pair],
  ['still long enough', () => ({state: state(good), host: later(794)}), []],
  ['expired', () => ({state: state(good), host: later(826)}), pair],
  ['not valid yet', () => ({state: state(good), host: later(-2)}), pair],
  ['no CA on the controller yet', () => ({state: state({}), ca: undefined, key: undefined}), all],
  ['no CA here, but all is well there', () => ({state: state(good), ca: undefined, key: undefined}), []],
  [
    'no CA here, and the names differ',
    () => ({state: state(good), given: {names: ['a']}, ca: undefined, key: undefined}),
    all,
  ],
  ['no key of the CA, nothing to sign', () => ({state: state(good), key: undefined}), []],
  ['no key of the CA, but something to sign', () => ({state: state({}), key: undefined}), 'refuse no-ca-key'],
  ['a CA key without its certificate', () => ({state: state({}), ca: undefined}), 'refuse ca-without-certificate'],
  ['a key of another CA', () => ({state: state({}), key: 'ca2-key.pem'}), 'refuse bad-ca'],
  ['a CA file that is none', () => ({state: state({}), ca: 'ca-key.pem'}), 'refuse bad-ca'],
  ['the CA has ended', () => ({state: state({}), host: later(3651)}), 'refuse ca-expired'],
  [
    'no such group',
    () => ({state: state(good, {groups: [absent, absent, absent]}), given: {group: 'g'}}),
    'refuse no-group',
  ],
  [
    'a file where the folder should be',
    () => ({state: state({}, {folders: [fileState('')]})}),
    'refuse not-a-directory',
  ],
  [
    'the key cannot be read',
    () => ({
      state: {
        ...state(good),
        files: [...state(good).files.slice(0, 2), {...fileState(''), content: undefined, denied: true}],
      },
    }),
    'refuse unreadable',
  ],
  [
    'attributes alone',
    () => ({state: state(good), given: {key_mode: '0600', group: 'kvm'}}),
    [
      'chown /etc/pki/x/server-key.pem',
      'chmod /etc/pki/x/server-key.pem',
      'chown /etc/pki/x/server-cert.pem',
      'chown /etc/pki/x/ca-cert.pem',
    ],
  ],
  [
    'folders are made',
    () => ({state: state({}, {folders: [absent, absent, {type: 'directory'}]})}),
    ['mkdir /etc/pki', 'mkdir /etc/pki/x', ...all],
  ],
];
for (const [title, wish, expected] of cases) {
  test(title, (t) => {
    const plan = planOf(wish());
    if (typeof expected === 'string') t.deepEqual(told(plan), [expected]);
    else t.deepEqual(doing(plan), expected);
  });
}

test('a certificate that ends with its CA is not renewed for ever', async (t) => {
  const capped = await make('ca', names, 3650);
  const plan = planOf({state: state(capped), host: later(3640)});
  t.deepEqual(told(plan), ['converged']);
  t.deepEqual(
    plan.findings?.map((f) => f.code),
    ['ca-expiring'],
  );
});

test('what is written: the key is never backed up, and a new one not readable by all', (t) => {
  const open = state(good);
  const files = [open.files[0], open.files[1], fileState(other.key, {mode: 0o644})];
  const plan = planOf({state: {...open, files}});
  const op = plan.kind === 'change' ? plan.ops[0] : undefined;
  t.like(op, {op: 'write', path: '/etc/pki/x/server-key.pem', mode: '0640', noBackup: true});
  t.true(told(plan).includes('server-key.pem mode: 0644 -> 0640'));
  t.false(JSON.stringify(plan).includes('PRIVATE'));
});

test('the spec names one pair, with absolute places of the CA', (t) => {
  const plan = planOf({state: state({}), ca: undefined, key: undefined});
  const specs =
    plan.kind === 'change'
      ? plan.ops.flatMap((op) =>
          op.op === 'write' && typeof op.content === 'object' && 'generate' in op.content ? [op.content.spec] : [],
        )
      : [];
  t.deepEqual(
    specs.map((spec) => spec.part),
    ['key', 'certificate', 'ca'],
  );
  t.is(new Set(specs.map((spec) => spec.id)).size, 1);
  t.true(specs.every((spec) => path.isAbsolute(spec.caCert) && path.isAbsolute(spec.caKey)));
});

test('guests that hold an older certificate are pending', (t) => {
  const guest = (startedS: number, tlsDir = '/etc/pki/x') => ({
    name: 'g',
    startedS,
    spice: true,
    sasl: true,
    tlsDir,
    gids: [],
  });
  const pending = (guests: unknown[], given = {}) => planOf({state: state(good, {guests}), given}).pending?.length;
  t.is(pending([guest(999), guest(1000), guest(1, '/etc/pki/qemu')]), 1);
  t.is(pending([guest(9999)], {names: ['b']}), 1);
});

test('findings', (t) => {
  t.deepEqual(
    planOf({state: state(good), host: later(800)}).findings?.map((f) => `${f.severity ?? ''} ${f.code}`),
    ['warning certificate-expiring'],
  );
  const open = state(good);
  const files = [open.files[0], open.files[1], fileState(good.key, {mode: 0o644})];
  t.deepEqual(
    planOf({state: {...open, files}}).findings?.map((f) => f.code),
    ['key-readable'],
  );
});

test('parameters', (t) => {
  t.deepEqual(mistakes(module, {dir: '/x', names: []}).length, 1);
  t.deepEqual(mistakes(module, {dir: '/x', names: ['a b']}).length, 1);
  t.deepEqual(mistakes(module, {dir: '/x', names: ['a'], valid_days: 20}), ['bad-combination /renew_before_days']);
  t.deepEqual(mistakes(module, {dir: '/x', names: ['a'], key_mode: '0644'}), ['key-readable /key_mode']);
  t.deepEqual(mistakes(module, {dir: '/x', names: 'a'}), []);
});

test('certificates are read as they are', (t) => {
  const certificate = parseCertificate(good.certificate);
  const [ca, stranger] = [parseCertificate(good.ca), parseCertificate(other.ca)];
  if (certificate === undefined || ca === undefined || stranger === undefined) return t.fail();
  t.deepEqual(certificate.names, ['10.0.0.1', 'kvm1.lab']);
  t.true(signedBy(certificate, ca) && !signedBy(certificate, stranger) && !signedBy(ca, certificate));
  t.true(keyMatches(certificate, good.key) && !keyMatches(certificate, other.key) && !keyMatches(certificate, 'x'));
  t.is(parseCertificate('nothing'), undefined);
});
