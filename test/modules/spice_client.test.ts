import test from 'ava';
import type {ControllerFile, FileState, HomeFile, Host} from '../../src/kit/index.ts';
import spiceClient from '../../modules/spice_client.ts';

// What the engine hands to a module, as far as this one looks at it.
const host = {name: 'client1', facts: {}, now: new Date(0), connection: {user: 'admin', from: ''}} as Host;
const inode = {mode: 0o644, owner: 'myself', group: 'myself', uid: 1001, gid: 1001, sizeBytes: 1, mtimeS: 0};
const folder: FileState = {type: 'directory', ...inode, mode: 0o755};
const absent: FileState = {type: 'absent'};
const missing: ControllerFile = {type: 'missing', path: '/site/pki/ca-cert.pem', searched: []};

const at = (relative: string, file: FileState = absent, parent: FileState = absent): HomeFile => ({
  path: `/home/myself/${relative}`,
  home: '/home/myself',
  homeState: folder,
  folder: parent,
  file,
});
const text = (content: string): FileState => ({type: 'file', ...inode, content: Buffer.from(content), sha256: ''});
const values = (more: Record<string, unknown> = {}): never =>
  ({user: 'myself', ca_cert: missing, ca_key: missing, consoles: [], folder: 'consoles', ...more}) as unknown as never;
const state = (trusted: HomeFile, files: readonly HomeFile[] = []): never => ({trusted, files}) as unknown as never;
const console1 = {name: 'one', host: 'kvm1.lab', tls_port: 20002, state: 'present'};

test('a CA that is still to be made is written when the plan is applied', (t) => {
  const plan = spiceClient.plan(values(), state(at('.spicec/spice_truststore.pem')), host);
  t.is(plan.kind, 'change');
  if (plan.kind !== 'change') return;
  t.deepEqual(
    plan.changes.map(({what}) => what),
    ['/home/myself/.spicec', '/home/myself/.spicec/spice_truststore.pem'],
  );
  t.deepEqual(
    plan.ops.map(({op}) => op),
    ['mkdir', 'write'],
  );
});

test('a console is a file that remote-viewer reads; only TLS channels where there is no other port', (t) => {
  const place = at('consoles/one.vv', absent, folder);
  const plan = spiceClient.plan(values({consoles: [console1]}), state(at('.spicec/x', absent, folder), [place]), host);
  t.is(plan.kind, 'change');
  if (plan.kind !== 'change') return;
  const written = plan.ops.find((op) => op.op === 'write' && op.path.endsWith('one.vv'));
  t.is(
    written?.op === 'write' ? written.content : '',
    '[virt-viewer]\ntype=spice\nhost=kvm1.lab\ntls-port=20002\nsecure-channels=all\ndelete-this-file=0\n',
  );
});

test('a console that shall be absent is removed, and its folder is not made for it', (t) => {
  const gone = {...console1, state: 'absent'};
  const there = at('consoles/one.vv', text('old'), folder);
  const plan = spiceClient.plan(values({consoles: [gone]}), state(at('.spicec/x', absent, folder), [there]), host);
  t.is(plan.kind, 'change');
  if (plan.kind === 'change') t.true(plan.ops.some((op) => op.op === 'remove' && op.path.endsWith('/one.vv')));
  const nothing = spiceClient.plan(
    values({consoles: [gone]}),
    state(at('.spicec/x', absent, folder), [at('consoles/one.vv')]),
    host,
  );
  if (nothing.kind === 'change') t.false(nothing.ops.some((op) => op.op === 'mkdir'));
});

for (const [title, v, now, code] of [
  ['no account', values(), state({...at('x'), path: undefined}), 'no-account'],
  [
    'what stands in place of the CA is no certificate',
    values({ca_cert: {type: 'file', path: '/site/x', blob: {}, bytes: Buffer.from('no'), mode: '0644'}}),
    state(at('x')),
    'bad-ca',
  ],
  [
    'a key without its certificate',
    values({ca_key: {type: 'file', path: '/site/k', blob: {}, bytes: Buffer.from('k'), mode: '0600'}}),
    state(at('x')),
    'ca-without-certificate',
  ],
] as const)
  test(`refused: ${title}`, (t) => {
    const plan = spiceClient.plan(v, now, host);
    t.is(plan.kind, 'refuse');
    if (plan.kind === 'refuse') t.is(plan.problems[0].code, code);
  });

test('a console needs a port, and stays below the home folder', (t) => {
  const wrong = {consoles: [{name: 'one', host: 'h', state: 'present'}], folder: '../elsewhere'};
  const problems = spiceClient.check?.(values(wrong)) ?? [];
  t.deepEqual(
    problems.map(({param}) => param),
    ['/folder', '/consoles/0'],
  );
});
