import test from 'ava';
import copy from '../../modules/copy.ts';
import template from '../../modules/template.ts';
import {sha256, type ControllerFile, type Module, type Plan} from '../../src/kit/index.ts';
import type {Resolver} from '../../src/kit/wrap.ts';
import {absent, bound, debianHost, doing, fileState, mistakes, told} from './bound.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const blob = (path: string, text: string) => ({blob: path, sha256: sha256(text), sizeBytes: text.length});
const source = (path: string, text: string): ControllerFile => ({
  type: 'file',
  path: `/site/files/${path}`,
  blob: blob(path, text),
  bytes: bytes(text),
  mode: '0755',
});
const tree = (slash: string): ControllerFile => ({
  type: 'directory',
  path: `/site/files/d${slash}`,
  entries: [
    {relative: 'a', mode: '0600', type: 'file', blob: blob('a', 'A\n'), bytes: bytes('A\n')},
    {relative: 'l', mode: '0777', type: 'link', target: 'a'},
    {relative: 'sub', mode: '0755', type: 'directory'},
    {relative: 'sub/b', mode: '0644', type: 'file', blob: blob('b', 'B\n'), bytes: bytes('B\n')},
  ],
});
const files: Resolver = {
  file: (path) =>
    path === 'd' ? tree('') : path === 'd/' ? tree('/') : path.startsWith('/') ? missing(path) : source(path, 'new\n'),
  template: (path) => ({path: `/site/templates/${path}`, text: 'one\ntwo\n'}),
};
function missing(path: string): ControllerFile {
  return {type: 'missing', path, searched: [path]};
}

const inode = {mode: 0o755, owner: 'root', group: 'root', uid: 0, gid: 0, sizeBytes: 0, mtimeS: 0};
const folder = {type: 'directory', ...inode};
const link = (followed: unknown) => ({type: 'link', target: '/x', followed, ...inode});
const there = (text: string, more = {}) => fileState(text, {sha256: sha256(text), ...more});
const place = {folder, owner: true, group: true};
const base = {place, now: absent, inside: absent, source: absent, tree: []};

function plan(module: Module, given: Record<string, unknown>, state: Record<string, unknown>): Plan {
  return module.plan(bound(module, given, files), {...base, ...state} as never, debianHost);
}

const plans: [string, Record<string, unknown>, Record<string, unknown>, string[]][] = [
  ['new', {content: 'x\n', dest: '/e/f'}, {}, ['content: absent -> x\n']],
  ['the same', {content: 'x\n', dest: '/e/f'}, {now: there('x\n')}, ['converged']],
  ['another', {content: 'x\n', dest: '/e/f'}, {now: there('y\n')}, ['content: y\n -> x\n']],
  ['empty is not absent', {content: '', dest: '/e/f'}, {}, ['content: absent -> (empty)']],
  [
    'mode only',
    {content: 'x\n', dest: '/e/f', mode: '0600', owner: 'daemon'},
    {now: there('x\n')},
    ['owner: root -> daemon', 'mode: 0644 -> 0600'],
  ],
  ['a symbolic mode', {content: 'x\n', dest: '/e/f', mode: 'u+x'}, {now: there('x\n')}, ['mode: 0644 -> 0744']],
  ['mode of the source', {src: 's', dest: '/e/f', mode: 'preserve'}, {now: there('new\n')}, ['mode: 0644 -> 0755']],
  ['not by force', {content: 'x\n', dest: '/e/f', force: false}, {now: there('y\n')}, ['converged']],
  ['force makes what is missing', {content: 'x', dest: '/e/f', force: false}, {}, ['content: absent -> x']],
  ['a link is refused', {content: 'x\n', dest: '/e/f'}, {now: link(there('y\n'))}, ['refuse is-link']],
  ['or followed', {content: 'x\n', dest: '/e/f', follow: true}, {now: link(there('y\n'))}, ['content: y\n -> x\n']],
  ['content over a folder', {content: 'x', dest: '/e'}, {now: folder}, ['refuse is-directory']],
  ['a device', {content: 'x', dest: '/e'}, {now: {type: 'other', kind: 'fifo', ...inode}}, ['refuse not-a-file']],
  ['unreadable', {content: 'x', dest: '/e'}, {now: {type: 'file', denied: true, ...inode}}, ['refuse unreadable']],
  ['into a folder', {src: 's', dest: '/e'}, {now: folder}, ['content: absent -> new\n']],
  ['into a linked folder', {src: 's', dest: '/e'}, {now: link(folder), inside: there('new\n')}, ['converged']],
  [
    'into a folder that the slash names',
    {src: 's', dest: '/e/'},
    {},
    ['directory: absent -> /e', 'content: absent -> new\n'],
  ],
  ['a slash behind a file', {src: 's', dest: '/e/'}, {now: there('')}, ['refuse not-a-directory']],
  ['no folder', {content: 'x', dest: '/e/f'}, {place: {...place, folder: absent}}, ['refuse no-folder']],
  ['no account', {content: 'x', dest: '/e/f', owner: 'u'}, {place: {...place, owner: false}}, ['refuse no-account']],
  [
    'on the host',
    {remote_src: true, src: '/o', dest: '/e/f'},
    {source: there('o\n'), now: there('y\n')},
    ['content: y\n -> o\n'],
  ],
  [
    'on the host, the same',
    {remote_src: true, src: '/o', dest: '/e/'},
    {source: link(there('o\n')), now: folder, inside: there('o\n')},
    ['converged'],
  ],
  [
    'on the host, with its mode',
    {remote_src: true, src: '/o', dest: '/e/f', mode: 'preserve'},
    {source: there('o\n', {mode: 0o640}), now: there('o\n')},
    ['mode: 0644 -> 0640'],
  ],
  ['not on the host', {remote_src: true, src: '/o', dest: '/e/f'}, {}, ['refuse missing-file']],
  ['a folder on the host', {remote_src: true, src: '/o', dest: '/e/f'}, {source: folder}, ['refuse unsupported']],
];
for (const [name, given, state, expected] of plans)
  test(name, (t) => t.deepEqual(told(plan(copy, given, state)), expected));

test('a new folder with all that is in it', (t) => {
  const wanted = plan(copy, {src: 'd', dest: '/e', mode: 'preserve'}, {tree: [absent, absent, absent, absent, absent]});
  t.deepEqual(doing(wanted), ['mkdir /e/d', 'write /e/d/a', 'link /e/d/l', 'mkdir /e/d/sub', 'write /e/d/sub/b']);
  const op = wanted.kind === 'change' ? wanted.ops[1] : undefined;
  t.is(op?.op === 'write' ? op.mode : '', '0600');
});

test("with a slash only a folder's content", (t) => {
  const now = [folder, there('A\n'), {...link(absent), target: 'a'}, folder, there('old\n')];
  const wanted = plan(copy, {src: 'd/', dest: '/e/'}, {tree: now});
  t.deepEqual(told(wanted), ['/e/sub/b content: old\n -> B\n']);
  t.deepEqual(doing(wanted), ['write /e/sub/b']);
});

test('something else in the place of a folder', (t) =>
  t.deepEqual(told(plan(copy, {src: 'd', dest: '/e'}, {tree: [folder, there('A\n'), absent, there(''), absent]})), [
    'refuse in-the-way',
  ]));

const wrong: [Record<string, unknown>, string[]][] = [
  [{dest: '/e'}, ['missing-param']],
  [{dest: '/e', content: 'x', src: 'f'}, ['bad-combination /content', 'missing-file /src']],
  [{dest: 'e', content: 'x'}, ['bad-param /dest']],
  [{dest: '/e/', content: 'x'}, ['bad-combination /dest']],
  [{dest: '/e', src: 'f'}, ['missing-file /src']],
  [{dest: '/e', src: 'f', remote_src: true}, []],
  [{dest: '/e', content: 'x', validate: 'visudo -cf'}, ['bad-param /validate']],
  [{dest: '/e', content: 'x', mode: 644}, ['bad-param /mode']],
];
for (const [given, expected] of wrong)
  test(`wrong: ${JSON.stringify(given)}`, (t) => t.deepEqual(mistakes(copy, given), expected));

const rendered: [string, Record<string, unknown>, Record<string, unknown>, string[]][] = [
  ['new', {src: 'g.j2', dest: '/e/f'}, {}, ['content: absent -> one\ntwo\n']],
  ['the same', {src: 'g.j2', dest: '/e/f'}, {now: there('one\ntwo\n')}, ['converged']],
  ['into a folder', {src: 'g.j2', dest: '/e'}, {now: folder, inside: there('one\ntwo\n')}, ['converged']],
  ['a folder that is not there', {src: 'g.j2', dest: '/e/'}, {}, ['refuse no-folder']],
  ['line ends', {src: 'g.j2', dest: '/e', newline_sequence: '\\r\\n'}, {now: there('one\r\ntwo\r\n')}, ['converged']],
  ['not by force', {src: 'g.j2', dest: '/e/f', force: false}, {now: there('y\n')}, ['converged']],
];
for (const [name, given, state, expected] of rendered)
  test(`template: ${name}`, (t) => t.deepEqual(told(plan(template, given, state)), expected));
