import test from 'ava';
import {reveal, type Secret} from '../../src/kit/index.ts';
import module from '../../modules/ini_file.ts';
import {absent, fileState, mistakes, planned, told} from './bound.ts';

const inode = {mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0, sizeBytes: 0, mtimeS: 0};
const place = {folder: {type: 'directory', ...inode}, owner: true, group: true};
const written = (given: Record<string, unknown>, text: string | undefined): string => {
  const now = text === undefined ? absent : fileState(text);
  const plan = planned(module, {path: '/f', ...given}, {now, place});
  if (plan.kind !== 'change') return told(plan).join();
  const [op] = plan.ops;
  return op.op === 'write' ? reveal(op.content as string | Secret) : op.op;
};
const text = '; top\n[a]\nx = 1\n#y = 2\n\n[b]\nx=3\n';

const cases: [string, Record<string, unknown>, string | undefined, string][] = [
  ['as it is', {section: 'a', option: 'x', value: '1'}, text, 'converged'],
  ['another value', {section: 'b', option: 'x', value: 4, no_extra_spaces: true}, text, text.replace('x=3', 'x=4')],
  ['the other section stays', {section: 'a', option: 'x', value: '2'}, text, text.replace('x = 1', 'x = 2')],
  ['a new section', {section: 'c', option: 'z', value: '1'}, text, `${text}[c]\nz = 1\n`],
  ['away', {section: 'b', option: 'x', state: 'absent'}, text, text.replace('x=3\n', '')],
  ['away, not there', {section: 'b', option: 'z', state: 'absent'}, text, 'converged'],
  ['a section away', {section: 'b', state: 'absent'}, text, '; top\n[a]\nx = 1\n#y = 2\n\n'],
  ['no file', {section: 'a', option: 'x', value: '1'}, undefined, '[a]\nx = 1\n'],
  ['no file and none wanted', {section: 'a', option: 'x', value: '1', create: false}, undefined, 'refuse absent'],
  ['nothing to take away', {section: 'a', option: 'x', state: 'absent'}, undefined, 'converged'],
  ['a bare option', {section: 'b', option: 'f', allow_no_value: true}, '[b]\n', '[b]\nf\n'],
  ['several values', {section: 'b', option: 'x', values: ['1', '2']}, '[b]\n', '[b]\nx = 1\nx = 2\n'],
  ['several that are there', {section: 'b', option: 'x', values: ['2', '1']}, '[b]\nx=1\nx=2\n', 'converged'],
  [
    'one of several, not alone',
    {section: 'b', option: 'x', value: '2', exclusive: false},
    '[b]\nx=1\n',
    '[b]\nx=1\nx = 2\n',
  ],
];
for (const [name, given, before, after] of cases) test(name, (t) => t.is(written(given, before), after));

const wrong: [Record<string, unknown>, string[]][] = [
  [{section: 'a', option: 'x'}, ['missing-param']],
  [{section: 'a', value: '1'}, ['missing-param /value']],
  [{section: 'a', option: 'x', value: '1', values: ['2']}, ['bad-combination /values']],
  [{section: 'a', option: 'x', value: 'one\ntwo'}, ['bad-param /value']],
  [{section: 'a]', option: 'x', value: '1'}, ['bad-param /section']],
  [{}, ['missing-param']],
];
for (const [given, expected] of wrong)
  test(`wrong: ${JSON.stringify(given)}`, (t) => t.deepEqual(mistakes(module, {path: '/f', ...given}), expected));
