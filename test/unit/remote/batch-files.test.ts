import {chmodSync, chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {sha256} from '../../../src/kit/content.ts';
import {file, type FileState, type Read} from '../../../src/kit/reads.ts';
import {compileReads} from '../../../src/remote/batch.ts';
import {eachShell, type Place} from './lower-shells.ts';

async function read(place: Place, reads: readonly Read[], user?: string): Promise<readonly FileState[]> {
  const batch = compileReads(reads);
  const values = batch.decode(await place.run(batch.fragments, user === undefined ? {} : {user}));
  if (values instanceof Error) throw values;
  return reads.map((one) => values.get(one) as FileState);
}

const one = (...options: Parameters<typeof file>): Read => file(...options).reads[0]!;
const text = (state: FileState): string | undefined =>
  state.type === 'file' && state.content !== undefined ? Buffer.from(state.content).toString('latin1') : undefined;

eachShell('states of every type, with awkward names', async (t, place) => {
  const at = (name: string): string => join(place.dir, name);
  const names = ['plain', 'with space', '-dash', 'new\nline', "quo'te", 'back\\slash', '$(x)', '*', 'ä'];
  for (const name of names) writeFileSync(at(name), `content of ${name}\n`, {mode: 0o640});
  mkdirSync(at('dir'), {mode: 0o750});
  execFileSync('mkfifo', [at('fifo')]);
  symlinkSync('plain', at('link'));
  symlinkSync('new\nline', at('link to\nodd'));
  symlinkSync('nowhere\n', at('dangling'));
  symlinkSync('dir', at('to dir'));
  symlinkSync('link', at('chain'));

  const states = await read(place, [
    ...names.map((name) => one(at(name), {content: 'always'})),
    one(at('dir')),
    one(at('fifo'), {content: 'always'}),
    one(at('link'), {content: 'always'}),
    one(at('link to\nodd'), {content: 'always'}),
    one(at('dangling')),
    one(at('to dir')),
    one(at('chain')),
    one(at('nothing')),
    one(at('plain/below')),
  ]);
  for (const [i, name] of names.entries()) {
    const state = states[i]!;
    t.is(state.type, 'file', name);
    if (state.type !== 'file') return;
    t.is(text(state), Buffer.from(`content of ${name}\n`).toString('latin1'));
    t.is(state.sha256, sha256(`content of ${name}\n`));
    t.is(state.mode, 0o640);
    t.is(state.uid, process.getuid!());
    t.is(state.sizeBytes, Buffer.byteLength(`content of ${name}\n`));
    t.true(Math.abs(state.mtimeS * 1000 - Date.now()) < 600_000);
  }
  const rest = states.slice(names.length);
  t.like(rest[0], {type: 'directory', mode: 0o750});
  t.like(rest[1], {type: 'other', kind: 'fifo'});
  t.like(rest[2], {
    type: 'link',
    target: 'plain',
    followed: {type: 'file', mode: 0o640, sha256: sha256('content of plain\n')},
  });
  t.like(rest[3], {type: 'link', target: 'new\nline', followed: {type: 'file'}});
  t.deepEqual(text((rest[3] as {followed: FileState}).followed), 'content of new\nline\n');
  t.like(rest[4], {type: 'link', target: 'nowhere\n', followed: {type: 'absent'}});
  t.like(rest[5], {type: 'link', target: 'dir', followed: {type: 'directory', mode: 0o750}});
  t.like(rest[6], {type: 'link', target: 'link', followed: {type: 'file'}});
  t.deepEqual(rest[7], {type: 'absent'});
  t.deepEqual(rest[8], {type: 'absent'});
});

eachShell('content travels only where it is wanted', async (t, place) => {
  const path = join(place.dir, 'f');
  writeFileSync(path, 'hello');
  const big = join(place.dir, 'big');
  writeFileSync(big, 'x'.repeat(1000));
  const cases: readonly (readonly [string, readonly Parameters<typeof file>[1][], boolean])[] = [
    [path, [{content: 'never'}], false],
    [path, [{content: 'always'}], true],
    [path, [{content: {unless: sha256('hello')}}], false],
    [path, [{content: {unless: sha256('other')}}], true],
    [path, [{content: 'never'}, {content: {unless: sha256('hello')}}], false],
    [path, [{content: 'never'}, {content: 'always'}], true],
    [path, [{content: {unless: sha256('hello')}}, {content: {unless: sha256('other')}}], true],
    [big, [{content: 'always', maxBytes: 999}], false],
    [big, [{content: 'always', maxBytes: 1000}], true],
  ];
  for (const [where, options, travels] of cases) {
    const states = await read(
      place,
      options.map((option) => one(where, option)),
    );
    for (const state of states) {
      t.is(text(state) !== undefined, travels, JSON.stringify(options));
      t.is(state.type === 'file' ? state.sha256 : '', sha256(readFileSync(where)));
    }
  }
  const [huge] = await read(place, [one(big, {content: 'never', maxBytes: 10})]);
  t.is(huge?.type === 'file' ? huge.sha256 : '', undefined, 'a large file is not hashed for its mode');
});

eachShell('any bytes arrive as they are, and files next to them do too', async (t, place) => {
  const all = Buffer.from(Array.from({length: 256 * 300}, (_, i) => i % 256));
  const contents: Record<string, Buffer> = {
    a: all,
    empty: Buffer.alloc(0),
    c: Buffer.from(`\n==> ${join(place.dir, 'd')} <==\n`),
    d: Buffer.from(`==> ${join(place.dir, 'c')} <==\n\n`),
    e: Buffer.from('no newline'),
  };
  for (const [name, bytes] of Object.entries(contents)) writeFileSync(join(place.dir, name), bytes);
  const states = await read(
    place,
    Object.keys(contents).map((name) => one(join(place.dir, name), {content: 'always'})),
  );
  for (const [i, bytes] of Object.values(contents).entries()) {
    const state = states[i]!;
    t.true(
      state.type === 'file' && state.content !== undefined && Buffer.from(state.content).equals(bytes),
      Object.keys(contents)[i],
    );
  }
});

eachShell('files of the kernel tell no size, and their content comes all the same', async (t, place) => {
  writeFileSync(join(place.dir, 'x'), 'x');
  const states = await read(place, [
    one('/proc/sys/kernel/ostype', {content: 'always'}),
    one('/proc/version', {content: 'always'}),
    one(join(place.dir, 'x'), {content: 'always'}),
    one('/'),
    one('/etc/'),
  ]);
  t.is(text(states[0]!), 'Linux\n');
  t.regex(text(states[1]!)!, /^Linux version .*\n$/s);
  t.is(text(states[2]!), 'x');
  t.is(states[3]?.type, 'directory');
  t.is(states[4]?.type, 'directory');
});

eachShell(
  'what an account may not read is said to be there, not absent',
  async (t, place) => {
    const secret = join(place.dir, 'secret');
    writeFileSync(secret, 'x', {mode: 0o600});
    const closed = join(place.dir, 'closed');
    mkdirSync(closed);
    writeFileSync(join(closed, 'f'), 'x');
    chmodSync(closed, 0o700);
    chownSync(place.dir, 0, 0);
    const [denied, behind, absent] = await read(
      place,
      [one(secret, {content: 'always'}), one(join(closed, 'f', 'g')), one(join(place.dir, 'no'))],
      'nobody',
    );
    t.like(denied, {type: 'file', mode: 0o600, owner: 'root', denied: true});
    t.is(text(denied!), undefined);
    t.is(behind?.type, 'other');
    t.deepEqual(absent, {type: 'absent'});
  },
  'root',
);

eachShell('thousands of files are a few fragments', async (t, place) => {
  const names = Array.from({length: 2000}, (_, i) => join(place.dir, `file-${i}`));
  for (const [i, name] of names.entries()) if (i % 2 === 0) writeFileSync(name, `${i}`);
  const reads = names.map((name) => one(name, {content: 'always'}));
  t.true(compileReads(reads).fragments.length < 10);
  const states = await read(place, reads);
  t.deepEqual(
    states.map((state) => text(state)),
    names.map((_, i) => (i % 2 === 0 ? `${i}` : undefined)),
  );
});

eachShell('twenty paths cost as many programs as one', async (t, place) => {
  // Programs are counted where they are found: by stand-ins in front of the path.
  const bin = join(place.dir, 'bin');
  mkdirSync(bin);
  const count = join(place.dir, 'count');
  for (const name of ['stat', 'sha256sum', 'head', 'readlink', 'cat', 'id']) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho ${name} >>${count}\nPATH=\${PATH#*:}\nexec ${name} "$@"\n`, {
      mode: 0o755,
    });
  }
  const programs = async (n: number): Promise<string> => {
    const reads = Array.from({length: n}, (_, i) => join(place.dir, `f${i}`)).map((path) => {
      writeFileSync(path, 'x');
      return one(path, {content: 'always'});
    });
    writeFileSync(count, '');
    const batch = compileReads(reads);
    const outcomes = await place.run(batch.fragments.map((f) => ({...f, shell: `PATH=${bin}:$PATH\n${f.shell}`})));
    t.false(batch.decode(outcomes) instanceof Error);
    return readFileSync(count, 'utf8');
  };
  t.is(await programs(1), 'stat\nsha256sum\nhead\n');
  t.is(await programs(20), 'stat\nsha256sum\nhead\n');
});
