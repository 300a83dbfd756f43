import test from 'ava';
import getUrl from '../../modules/get_url.ts';
import unarchive from '../../modules/unarchive.ts';
import {Secret, readArchive, reveal, sha256, type Plan} from '../../src/kit/index.ts';
import type {Resolver} from '../../src/kit/wrap.ts';
import {archives, plainTar} from '../fixtures/archives.ts';
import {absent, bound, debianHost, doing, fileState, mistakes, planned, told} from './bound.ts';

const bytesOf = (name: keyof typeof archives) => new Uint8Array(Buffer.from(archives[name], 'base64'));
const [outer, inner] = ['n'.repeat(60), 'm'.repeat(60)];

for (const name of ['gnu', 'pax', 'ustar'] as const)
  test(`archive: ${name}`, (t) => {
    const read = readArchive(bytesOf(name));
    if (typeof read === 'string') return t.fail(read);
    t.is(read.kind, 'tar');
    const shown = read.entries.map(
      (e) => `${e.path} ${e.type === 'file' ? e.sha256.slice(0, 8) : e.type === 'link' ? e.target : '/'}`,
    );
    const [one, two, deep] = ['one\n', 'two\n', 'deep\n'].map((text) => sha256(text).slice(0, 8));
    t.deepEqual(
      shown.sort(),
      [
        'x /',
        'x/empty /',
        `x/f ${one!}`,
        `x/hard ${one!}`,
        'x/l f',
        `x/${outer} /`,
        `x/${outer}/${inner} /`,
        `x/${outer}/${inner}/file ${deep!}`,
        'x/sub /',
        `x/sub/g ${two!}`,
      ].sort(),
    );
    return undefined;
  });

test('archive: a plain one', (t) => {
  const read = readArchive(new TextEncoder().encode(plainTar({'reports.txt': 'one\n'})));
  t.deepEqual(read, {
    kind: 'tar',
    entries: [{path: 'reports.txt', type: 'file', sha256: sha256('one\n'), sizeBytes: 4}],
  });
});

test('archive: zip', (t) => {
  const read = readArchive(bytesOf('zip'));
  if (typeof read === 'string') return t.fail(read);
  t.is(read.kind, 'zip');
  t.true(read.entries.some((e) => e.path === 'x/sub/g' && e.type === 'file' && e.sha256 === sha256('two\n')));
  return undefined;
});

const broken: [string, Uint8Array, RegExp][] = [
  ['text', new TextEncoder().encode('x'.repeat(600)), /no tar archive/],
  ['cut off', bytesOf('gnu').subarray(0, 100), /damaged/],
  ['a zip cut off', bytesOf('zip').subarray(0, 60), /ends in the middle|damaged/],
];
for (const [name, bytes, expected] of broken)
  test(`archive: ${name}`, (t) => {
    const read = readArchive(bytes);
    t.regex(typeof read === 'string' ? read : 'read', expected);
  });

const files: Resolver = {
  file: (path) => {
    const bytes = path === 'big.tgz' ? undefined : path === 'z.zip' ? bytesOf('zip') : bytesOf('gnu');
    const blob = {blob: path, sha256: 'ab'.repeat(32), sizeBytes: 100};
    return {
      type: 'file',
      path: path.startsWith('/') ? path : `/site/files/${path}`,
      blob,
      ...(bytes === undefined ? {} : {bytes}),
      mode: '0644',
    };
  },
  template: () => {
    throw new Error('no templates here');
  },
};
const inode = {mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0, sizeBytes: 0, mtimeS: 0};
const folder = {type: 'directory', ...inode};
const there = (text: string, more = {}) => fileState(text, {sha256: sha256(text), ...more});
const none = {creates: false, removes: false, unless: false, onlyif: false};
const base = {dest: folder, conditions: none, present: [], compared: 'differs', tools: true};
const plan = (given: Record<string, unknown>, state: Record<string, unknown> = {}): Plan =>
  unarchive.plan(
    bound(unarchive, {src: 'a.tgz', dest: '/srv', ...given}, files),
    {...base, ...state} as never,
    debianHost,
  );
/** What the probe asks for below the folder, in order. */
const asked = (given: Record<string, unknown>): string[] =>
  unarchive
    .probe(bound(unarchive, {src: 'a.tgz', dest: '/srv', ...given}, files))
    .reads.flatMap((read) => (read.read === 'file' && read.path !== '/srv' ? [read.path] : []));
const link = {type: 'link', target: 'f', followed: there('one\n'), ...inode};
const stateOf = (path: string, more = {}): unknown =>
  path.endsWith('/l')
    ? link
    : /\/(f|hard)$/.test(path)
      ? there('one\n', more)
      : path.endsWith('/g')
        ? there('two\n', more)
        : path.endsWith('/file')
          ? there('deep\n', more)
          : folder;
const complete = (given: Record<string, unknown> = {}) => ({present: asked(given).map((path) => stateOf(path))});

test('unarchive: all there', (t) => t.deepEqual(told(plan({}, complete())), ['converged']));
test('unarchive: one file differs', (t) => {
  const present = asked({}).map((path) => (path.endsWith('/g') ? there('other\n') : stateOf(path)));
  const made = plan({}, {present});
  t.deepEqual(told(made), ['/srv/x/sub/g: (file) -> file of 4 bytes']);
  t.is(doing(made).length, 3);
  t.regex(doing(made)[1] ?? '', /tar -x --no-same-owner -C \/srv -f \/tmp\/\.tsplay-abababababab$/);
});
test('unarchive: owners alone need no unpacking', (t) => {
  const made = plan({owner: 'daemon', include: ['x/f']}, complete({include: ['x/f']}));
  t.deepEqual(told(made), ['/srv/x/f owner: root -> daemon']);
  t.deepEqual(doing(made), ['chown /srv/x/f']);
});
test('unarchive: which things', (t) => {
  t.deepEqual(asked({include: ['x/sub']}), ['/srv/x/sub', '/srv/x/sub/g']);
  t.deepEqual(asked({exclude: ['sub', 'n*', 'x/h?rd']}), ['/srv/x', '/srv/x/empty', '/srv/x/f', '/srv/x/l']);
  t.deepEqual(asked({extra_opts: ['--strip-components=1'], exclude: ['n*', 'hard', 'empty']}), [
    '/srv/f',
    '/srv/l',
    '/srv/sub',
    '/srv/sub/g',
  ]);
});
test('unarchive: a newer file may stay', (t) => {
  const present = asked({}).map((path) => (path.endsWith('/g') ? there('newer\n') : stateOf(path)));
  t.deepEqual(told(plan({keep_newer: true}, {present})), ['converged']);
});
test('unarchive: refusals', (t) => {
  t.deepEqual(told(plan({}, {dest: absent})), ['refuse no-folder']);
  t.deepEqual(told(plan({}, {present: asked({}).map(() => folder)})), ['refuse in-the-way']);
  t.deepEqual(told(plan({src: 'z.zip'}, {tools: false})), ['refuse no-unzip']);
});
test('unarchive: creates', (t) => {
  t.deepEqual(told(plan({src: 'big.tgz', creates: '/srv/x'}, {conditions: {...none, creates: true}})), ['converged']);
  t.deepEqual(told(plan({src: 'big.tgz', creates: '/srv/x'})), ['big.tgz: absent -> unpacked in /srv']);
});
const remote: [string, Record<string, unknown>, string[]][] = [
  ['same', {}, ['converged']],
  ['differs', {}, ['/a.tgz: absent -> unpacked in /srv']],
  ['absent', {}, ['refuse missing-file']],
  ['unable', {}, ['refuse needs-creates']],
  ['unable', {creates: '/srv/x'}, ['/a.tgz: absent -> unpacked in /srv']],
  ['differs', {owner: 'u'}, ['refuse unsupported']],
];
for (const [compared, given, expected] of remote)
  test(`unarchive on the host: ${compared} ${JSON.stringify(given)}`, (t) =>
    t.deepEqual(told(plan({src: '/a.tgz', remote_src: true, ...given}, {compared})), expected));

const place = {folder, owner: true, group: true};
const seen = (state: unknown, more: Record<string, unknown> = {}) => ({
  now: {state, digest: 'other'},
  inside: {state: absent, digest: undefined},
  place,
  tools: '/usr/bin/curl\n',
  ...more,
});
const digest = `sha256:${sha256('x\n')}`;
const url = 'https://example.test/a/thing.tgz?x=1';
const fetched: [string, Record<string, unknown>, unknown, string[]][] = [
  ['new', {}, seen(absent), ['/f: absent -> from https://example.test/a/thing.tgz?x=1']],
  ['there', {}, seen(there('x\n')), ['converged']],
  ['there, and right', {checksum: digest}, seen(there('x\n')), ['converged']],
  ['there, and wrong', {checksum: digest}, seen(there('y\n')), [`/f: sha256:${sha256('y\n')} -> ${digest}`]],
  [
    'by another algorithm',
    {checksum: `md5:${'0'.repeat(32)}`},
    {...seen(there('y\n')), now: {state: there('y\n'), digest: '0'.repeat(32)}},
    ['converged'],
  ],
  ['in every run', {force: true}, seen(there('x\n')), [`/f: sha256:${sha256('x\n')} -> from ${url}`]],
  ['its mode', {mode: '0600'}, seen(there('x\n')), ['mode: 0644 -> 0600']],
  ['into a folder', {dest: '/d'}, seen(folder), [`/d/thing.tgz: absent -> from ${url}`]],
  ['a folder that is not there', {dest: '/d/'}, seen(absent), ['refuse no-folder']],
  ['no program', {}, seen(absent, {tools: ''}), ['refuse no-program']],
  ['a link', {}, seen({type: 'link', target: '/x', followed: absent, ...inode}), ['refuse not-a-file']],
];
for (const [name, given, state, expected] of fetched)
  test(`get_url: ${name}`, (t) => t.deepEqual(told(planned(getUrl, {url, dest: '/f', ...given}, state)), expected));

test('get_url: no secret in a command', (t) => {
  for (const tools of ['/usr/bin/curl\n', '/usr/bin/wget\n']) {
    const given = {
      url,
      dest: '/f',
      url_username: 'u',
      url_password: 'ge"heim',
      headers: {'X-Token': Secret.of('geheim2')},
    };
    const made = planned(getUrl, given, seen(absent, {tools}));
    const [op] = made.kind === 'change' ? made.ops : [];
    if (op?.op !== 'run') return t.fail();
    t.notRegex(`${op.argv.join(' ')} ${String(op.script)} ${String(op.stdin)}`, /heim/);
    t.regex(
      reveal(op.stdin ?? ''),
      tools.includes('curl') ? /user = "u:ge\\"heim"\n/ : /^https:.*\n[^]*password = ge"heim\n/,
    );
  }
  return undefined;
});

test('wrong', (t) => {
  t.deepEqual(mistakes(unarchive, {src: 'a.tgz', dest: '/srv'}), ['missing-file /src']);
  t.deepEqual(mistakes(getUrl, {url: 'file:///etc/passwd', dest: '/f'}), ['bad-param /url']);
  t.deepEqual(mistakes(getUrl, {url: 'https://u:p@h/x', dest: '/f'}), ['password-in-url /url']);
  t.deepEqual(mistakes(getUrl, {url, dest: '/f', checksum: 'sha256:12'}), ['bad-param /checksum']);
  t.deepEqual(mistakes(getUrl, {url, dest: '/f', url_password: 'p'}), ['missing-param /url_password']);
  t.deepEqual(mistakes(getUrl, {url, dest: '/f', headers: {a: 'b\nc'}}), ['bad-param /headers']);
  t.throws(() => plan({src: 'big.tgz'}), {message: /needs-creates/});
  t.throws(() => plan({extra_opts: ['--transform=s/a/b/']}), {message: /needs-creates/});
});
