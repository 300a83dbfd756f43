import test from 'ava';
import blockinfile from '../../modules/blockinfile.ts';
import lineinfile from '../../modules/lineinfile.ts';
import ping from '../../modules/ping.ts';
import replace from '../../modules/replace.ts';
import slurp from '../../modules/slurp.ts';
import stat from '../../modules/stat.ts';
import {Secret, reveal, type Module} from '../../src/kit/index.ts';
import {absent, bound, fileState, mistakes, planned, told} from './bound.ts';

const inode = {mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0, sizeBytes: 0, mtimeS: 0};
const place = {folder: {type: 'directory', ...inode}, owner: true, group: true};
const edited = (module: Module, given: Record<string, unknown>, now: unknown): string => {
  const plan = planned(module, {path: '/f', ...given}, {now, place});
  if (plan.kind !== 'change') return told(plan).join();
  const [op] = plan.ops;
  return op.op === 'write' ? reveal(op.content as string | Secret) : op.op;
};
const mark = (text: string) => `# BEGIN ANSIBLE MANAGED BLOCK\n${text}# END ANSIBLE MANAGED BLOCK\n`;
const text = 'a=1\nb=2\na=3\n';

const edits: [string, Module, Record<string, unknown>, string | undefined, string][] = [
  ['there', lineinfile, {line: 'b=2'}, text, 'converged'],
  ['behind all', lineinfile, {line: 'c=4'}, text, `${text}c=4\n`],
  ['the last match', lineinfile, {regexp: '^a=', line: 'a=9'}, text, 'a=1\nb=2\na=9\n'],
  ['no match', lineinfile, {regexp: '^x=', line: 'x=1', insertbefore: '^b='}, text, 'a=1\nx=1\nb=2\na=3\n'],
  ['behind the first match', lineinfile, {line: 'x', insertafter: '^a=', firstmatch: true}, text, 'a=1\nx\nb=2\na=3\n'],
  ['groups', lineinfile, {regexp: '^b=(\\d)$', line: 'b=\\g<1>0', backrefs: true}, text, 'a=1\nb=20\na=3\n'],
  ['groups without a match', lineinfile, {regexp: '^z=(.)', line: 'z', backrefs: true}, text, 'converged'],
  ['every match away', lineinfile, {regexp: '^a=', state: 'absent'}, text, 'b=2\n'],
  ['a literal', lineinfile, {search_string: 'b=', line: 'b=5'}, text, 'a=1\nb=5\na=3\n'],
  ['no file', lineinfile, {line: 'x'}, undefined, 'refuse absent'],
  ['a new file', lineinfile, {line: 'x', create: true}, undefined, 'x\n'],
  ['absent in no file', lineinfile, {line: 'x', state: 'absent'}, undefined, 'converged'],
  ['a block', blockinfile, {block: 'x\ny'}, 'a\n', `a\n${mark('x\ny\n')}`],
  ['the same block', blockinfile, {block: 'x\n'}, `a\n${mark('x\n')}`, 'converged'],
  ['another block', blockinfile, {block: 'z'}, `a\n${mark('x\n')}b\n`, `a\n${mark('z\n')}b\n`],
  ['in front', blockinfile, {block: 'x', insertbefore: 'BOF'}, 'a\n', `${mark('x\n')}a\n`],
  ['a block away', blockinfile, {state: 'absent'}, `a\n${mark('x\n')}b\n`, 'a\nb\n'],
  ['an empty block is none', blockinfile, {block: ''}, `a\n${mark('x\n')}`, 'a\n'],
  ['every match replaced', replace, {regexp: '^a=(\\d)$', replace: 'c=\\1'}, text, 'c=1\nb=2\nc=3\n'],
  ['between two', replace, {regexp: '\\d', replace: 'x', after: 'a=1', before: 'a=3'}, text, 'a=1\nb=x\na=3\n'],
  ['none to replace', replace, {regexp: 'zz', replace: 'y'}, text, 'converged'],
  ['over and over', replace, {regexp: 'a', replace: 'aa'}, text, 'refuse not-idempotent'],
];
for (const [name, module, given, before, after] of edits)
  test(`${module.name}: ${name}`, (t) =>
    t.is(edited(module, given, before === undefined ? absent : fileState(before)), after));

test('what cannot be edited', (t) => {
  const unreadable = {type: 'file', denied: true, ...inode};
  t.is(edited(lineinfile, {line: 'x'}, unreadable), 'refuse unreadable');
  t.is(edited(lineinfile, {line: 'x'}, {type: 'directory', ...inode}), 'refuse not-a-file');
  t.is(edited(lineinfile, {line: 'x'}, {...fileState(''), content: Uint8Array.of(0, 255)}), 'refuse not-text');
});

test('a secret in a line stays hidden beside it', (t) => {
  const given = {line: Secret.join(['password=', Secret.of('geheimnis')])};
  const plan = planned(lineinfile, {path: '/f', ...given}, {now: fileState('user=me\n'), place});
  t.regex(told(plan).join(), /user=me\npassword=\*+/);
  t.false(JSON.stringify(plan).includes('geheimnis'));
});

test('slurp and stat', (t) => {
  const now = fileState('hello\n', {sha256: 'abc'});
  t.deepEqual(told(planned(slurp, {src: '/f'}, now)), ['converged']);
  t.deepEqual(told(planned(slurp, {src: '/f'}, absent)), ['refuse absent']);
  const slurped = slurp.result?.(bound(slurp, {src: '/f'}), now as never, now as never, []);
  t.is(slurped?.['content'], 'aGVsbG8K');
  const statOf = (given: Record<string, unknown>, file: unknown, more: unknown) => {
    const state = {file, more} as never;
    return stat.result?.(bound(stat, {path: '/f', ...given}), state, state, [])['stat'] as Record<string, unknown>;
  };
  const more = {numbers: [1, 2, 0, 7, 8, 1, 8, 4096], source: '/real', digest: 'd1', access: 'rw'};
  t.deepEqual(statOf({}, absent, {...more, numbers: []}), {exists: false});
  t.like(statOf({checksum_algorithm: 'sha256'}, now, more), {
    exists: true,
    isreg: true,
    checksum: 'abc',
    inode: 7,
    mode: '0644',
    nlink: 1,
    readable: true,
    executable: false,
    mimetype: 'unknown',
  });
  t.like(statOf({}, now, {...more, flags: ['----i---e---', '7'], mime: ['text/plain', 'us-ascii']}), {
    attr_flags: 'ie',
    attributes: ['immutable', 'extents'],
    version: '7',
    mimetype: 'text/plain',
    charset: 'us-ascii',
  });
  t.is(statOf({}, now, more)['checksum'], 'd1');
  t.is(statOf({get_checksum: false}, now, more)['checksum'], undefined);
  const link = {type: 'link', target: 'x', followed: now, ...inode};
  t.like(statOf({}, link, more), {islnk: true, lnk_target: 'x', lnk_source: '/real'});
  t.like(statOf({follow: true}, link, more), {islnk: false, isreg: true});
});

test('ping answers', (t) => {
  t.deepEqual(told(planned(ping, {}, true)), ['converged']);
  t.deepEqual(ping.result?.(bound(ping, {data: 'hi'}), true as never, true as never, []), {ping: 'hi'});
});

const wrong: [Module, Record<string, unknown>, string[]][] = [
  [lineinfile, {}, ['missing-param']],
  [lineinfile, {line: 'x', regexp: '('}, ['regexp-invalid /regexp']],
  [lineinfile, {line: 'x', backrefs: true}, ['missing-param /backrefs']],
  [lineinfile, {line: 'x', insertafter: 'a', insertbefore: 'b'}, ['bad-combination /insertbefore']],
  [blockinfile, {block: 'x', marker: '# here'}, ['bad-param /marker']],
  [replace, {regexp: '['}, ['regexp-invalid /regexp']],
];
for (const [module, given, expected] of wrong)
  test(`wrong: ${module.name} ${JSON.stringify(given)}`, (t) =>
    t.deepEqual(mistakes(module, {path: '/f', ...given}), expected));
