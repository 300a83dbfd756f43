import {spawnSync} from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {Secret} from '../../../src/base/secret.ts';
import type {PlainOp} from '../../../src/kit/op.ts';
import {exitStatus} from '../../../src/remote/exit-status.ts';
import {lowerOp, type Lowering} from '../../../src/remote/lower.ts';
import {replyOfRun} from '../../../src/remote/lower-run.ts';
import {eachShell, output, verdict, type Place} from './lower-shells.ts';

const context: Lowering = {
  backupDir: undefined,
  group: 0,
  onFailure: 'go-on',
  label: 'op',
  timeoutMs: 60_000,
  content: '',
};

async function apply(place: Place, op: PlainOp, more: Partial<Lowering> = {}, user?: string) {
  const content = op.op === 'write' ? (op.content as string | Uint8Array | Secret) : '';
  const outcomes = await place.run(lowerOp(op, {...context, content, ...more}), user === undefined ? {} : {user});
  return outcomes.at(-1);
}
const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

eachShell('write: new and old files, any bytes, any name', async (t, place) => {
  const bytes = Buffer.from(Array.from({length: 200_000}, (_, i) => (i * 7) % 256));
  for (const name of ['plain', 'with space', '-dash', 'new\nline', "quo'te", '$(x)`y`', 'ä', '.dot']) {
    const path = join(place.dir, name);
    t.is(verdict(await apply(place, {op: 'write', path, content: bytes})), '0', name);
    t.true(readFileSync(path).equals(bytes));
    t.is(mode(path), '644');
  }
  const path = join(place.dir, 'plain');
  chmodSync(path, 0o4751);
  t.is(verdict(await apply(place, {op: 'write', path, content: ''})), '0');
  t.is(readFileSync(path, 'utf8'), '');
  t.is(mode(path), '4751', 'the old mode stays');
  t.is(verdict(await apply(place, {op: 'write', path, content: Secret.of('pass\nword'), mode: '0600'})), '0');
  t.is(readFileSync(path, 'utf8'), 'pass\nword');
  t.is(mode(path), '600');
  t.deepEqual(
    readdirSync(place.dir).filter((name) => name.startsWith('.tsplay')),
    [],
  );
});

eachShell(
  'write: owner and group, kept or given',
  async (t, place) => {
    const path = join(place.dir, 'f');
    writeFileSync(path, 'x', {mode: 0o640});
    chownSync(path, 1, 2);
    await apply(place, {op: 'write', path, content: 'y'});
    t.like(statSync(path), {uid: 1, gid: 2});
    await apply(place, {op: 'write', path, content: 'y', owner: 'root'});
    t.like(statSync(path), {uid: 0, gid: 2});
    await apply(place, {op: 'write', path, content: 'y', owner: '12', group: '34', mode: '2755'});
    t.like(statSync(path), {uid: 12, gid: 34});
    t.is(mode(path), '2755');
    const before = statSync(path).ino;
    const failed = await apply(place, {op: 'write', path, content: 'z', owner: 'no_such_user'});
    t.regex(verdict(failed), new RegExp(`^${exitStatus.notWritten} .*owner and group cannot be set$`, 's'));
    t.is(statSync(path).ino, before);
    t.is(readFileSync(path, 'utf8'), 'y');
    t.deepEqual(readdirSync(place.dir), ['f']);
  },
  'root',
);

eachShell('write: refuses links and non-files, follows when told', async (t, place) => {
  const at = (name: string): string => join(place.dir, name);
  writeFileSync(at('real'), 'old');
  symlinkSync('real', at('link'));
  mkdirSync(at('dir'));
  const write = (path: string, more: {follow?: true} = {}) =>
    apply(place, {op: 'write', path, content: 'new', ...more});
  t.is(verdict(await write(at('link'))), `${exitStatus.unsafe} refused: ${at('link')} is a symbolic link`);
  t.is(verdict(await write(at('dir'))), `${exitStatus.unsafe} refused: ${at('dir')} is not a regular file`);
  t.is(verdict(await write(at('no/where'))), `${exitStatus.missing} ${at('no')}: no such directory`);
  t.is(readFileSync(at('real'), 'utf8'), 'old');
  t.is(verdict(await write(at('link'), {follow: true})), '0');
  t.is(readlinkSync(at('link')), 'real');
  t.is(readFileSync(at('real'), 'utf8'), 'new');
});

eachShell(
  'links on the way: root’s are good, anybody else’s are not',
  async (t, place) => {
    const at = (name: string): string => join(place.dir, name);
    mkdirSync(at('a/b'), {recursive: true});
    symlinkSync('a', at('ours'));
    symlinkSync(at('a/b'), at('far'));
    symlinkSync('ours/../far', at('both'));
    mkdirSync(at('open'));
    chmodSync(at('open'), 0o1777);
    symlinkSync('../a', at('open/l'));
    mkdirSync(at('theirs'));
    chownSync(at('theirs'), 1000, 1000);
    symlinkSync('../a', at('theirs/l'));
    const write = (path: string) => apply(place, {op: 'write', path: at(path), content: path});
    t.is(verdict(await write('ours/b/f')), '0');
    t.is(readFileSync(at('a/b/f'), 'utf8'), 'ours/b/f');
    t.is(verdict(await write('both/f')), '0');
    t.is(readFileSync(at('a/b/f'), 'utf8'), 'both/f');
    t.regex(verdict(await write('open/l/f')), /^77 refused: .*everybody may write$/);
    t.regex(verdict(await write('theirs/l/f')), /^77 refused: .*directory of uid 1000/);
    t.false(existsSync(at('a/f')));
  },
  'root',
);

eachShell('write: validate judges the candidate, and a refused one leaves the old file', async (t, place) => {
  const path = join(place.dir, 'conf');
  writeFileSync(path, 'old');
  const op = (content: string): PlainOp => ({
    op: 'write',
    path,
    content,
    mode: '0600',
    validate: [
      '/bin/sh',
      '-c',
      'grep good "$1" || { echo "line 1: not $2 enough" >&2; exit 3; }',
      'x',
      {candidate: true},
      'good',
    ],
  });
  const refused = verdict(await apply(place, op('bad')));
  t.true(
    refused.startsWith(
      `${exitStatus.invalid} line 1: not good enough\n${path}: the new content was refused by /bin/sh`,
    ),
    refused,
  );
  t.regex(refused, /\(exit status 3\); the file is as it was$/);
  t.is(readFileSync(path, 'utf8'), 'old');
  t.is(verdict(await apply(place, op('good'))), '0');
  t.is(readFileSync(path, 'utf8'), 'good');
  t.deepEqual(readdirSync(place.dir), ['conf']);
});

eachShell('write: takes away what a run that was cut off has left', async (t, place) => {
  writeFileSync(join(place.dir, '.tsplay-AbC123.tmp'), 'rest');
  writeFileSync(join(place.dir, '.tsplay-AbC123'), 'rest');
  writeFileSync(join(place.dir, '.tsplay-notes.txt'), 'not ours');
  t.is(verdict(await apply(place, {op: 'write', path: join(place.dir, 'f'), content: 'x'})), '0');
  t.deepEqual(readdirSync(place.dir).sort(), ['.tsplay-notes.txt', 'f']);
});

eachShell('backup: the first state of a run is kept, with owner, mode and time', async (t, place) => {
  const path = join(place.dir, 'sub dir', "it's");
  const backupDir = join(place.dir, 'backup', 'RUN');
  mkdirSync(join(place.dir, 'sub dir'));
  writeFileSync(path, 'first', {mode: 0o604});
  const write = (content: string, where = path) => apply(place, {op: 'write', path: where, content}, {backupDir});
  t.is(verdict(await write('second')), '0');
  t.is(verdict(await write('third')), '0');
  t.is(verdict(await write('new', join(place.dir, 'n'))), '0');
  t.is(readFileSync(join(backupDir, `files${path}`), 'utf8'), 'first');
  t.is(mode(join(place.dir, 'backup')), '700');
  t.is(mode(join(backupDir, `files${path}`)), '600');
  const lines = readFileSync(join(backupDir, 'manifest'), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('left '));
  const mtimeS = Number(lines[0]!.split(' ')[4]);
  t.is(lines[0], `file 604 ${process.getuid!()} ${process.getgid!()} ${mtimeS} ${JSON.stringify(path)}`);
  t.is(lines.at(-1), `absent 0 0 0 0 ${JSON.stringify(join(place.dir, 'n'))}`);
  t.is(
    verdict(
      await apply(place, {op: 'write', path, content: 'secret', noBackup: true}, {backupDir: join(place.dir, 'none')}),
    ),
    '0',
  );
  t.false(existsSync(join(place.dir, 'none')));
});

eachShell(
  'backup: an account that is not root keeps copies in its home, or goes without',
  async (t, place) => {
    const home = join(place.dir, 'home');
    mkdirSync(home);
    chownSync(home, 65534, 65534);
    const path = join(home, 'f');
    const fragments = lowerOp(
      {op: 'write', path, content: 'new'},
      {...context, backupDir: '/var/lib/tsplay/backup/r', content: 'new'},
    );
    for (const [where, notes] of [
      [home, '0'],
      ['/proc/no-home', `0 no copy of ${path} is kept: this account has no directory of its own`],
    ] as const) {
      writeFileSync(path, 'old');
      chownSync(path, 65534, 65534);
      const [outcome] = await place.run(
        fragments.map((f) => ({...f, shell: `HOME=${where}\n${f.shell}`})),
        {user: 'nobody'},
      );
      t.is(verdict(outcome), notes);
      t.is(readFileSync(path, 'utf8'), 'new');
    }
    t.is(readFileSync(join(home, `.local/state/tsplay/backup/r/files${path}`), 'utf8'), 'old');
  },
  'root',
);

eachShell('mkdir: one, with parents, and an old one', async (t, place) => {
  const at = (name: string): string => join(place.dir, name);
  t.regex(verdict(await apply(place, {op: 'mkdir', path: at('a/b/c')})), /^66 /);
  t.is(verdict(await apply(place, {op: 'mkdir', path: at('a/b c/-d'), parents: true, mode: '0750'})), '0');
  t.deepEqual(
    ['a', 'a/b c', 'a/b c/-d'].map((name) => mode(at(name))),
    ['750', '750', '750'],
  );
  t.is(verdict(await apply(place, {op: 'mkdir', path: at('a/b c/-d'), mode: '0700'})), '0');
  t.deepEqual(
    ['a', 'a/b c', 'a/b c/-d'].map((name) => mode(at(name))),
    ['750', '750', '700'],
  );
  t.is(verdict(await apply(place, {op: 'mkdir', path: at('plain')})), '0');
  t.is(mode(at('plain')), '755');
  writeFileSync(at('file'), '');
  t.regex(
    verdict(await apply(place, {op: 'mkdir', path: at('file/x'), parents: true})),
    /^77 .*is there and is not a directory$/,
  );
});

eachShell('link: new, the same, replaced, refused', async (t, place) => {
  const at = (name: string): string => join(place.dir, name);
  const link = (path: string, target: string, more: {replace?: true; hard?: true} = {}) =>
    apply(place, {op: 'link', path: at(path), target, ...more});
  t.is(verdict(await link('l', 'to here')), '0');
  t.is(readlinkSync(at('l')), 'to here');
  const inode = lstatSync(at('l')).ino;
  t.is(verdict(await link('l', 'to here')), '0');
  t.is(lstatSync(at('l')).ino, inode);
  t.regex(verdict(await link('l', '-elsewhere\n')), /^77 .*is there already$/);
  t.is(verdict(await link('l', '-elsewhere\n', {replace: true})), '0');
  t.is(readlinkSync(at('l')), '-elsewhere\n');
  mkdirSync(at('d'));
  t.is(verdict(await link('l', 'd', {replace: true})), '0');
  t.is(verdict(await link('l', 'x', {replace: true})), '0');
  t.is(readlinkSync(at('l')), 'x', 'a link to a directory is replaced, not filled');
  t.deepEqual(readdirSync(at('d')), []);
  t.regex(verdict(await link('d', 'x', {replace: true})), /^77 refused: .*is a directory$/);
  writeFileSync(at('f'), 'f');
  t.is(verdict(await link('l', at('f'), {hard: true, replace: true})), '0');
  t.is(statSync(at('l')).ino, statSync(at('f')).ino);
  t.is(verdict(await link('l', at('f'), {hard: true})), '0');
  t.deepEqual(readdirSync(place.dir).sort(), ['d', 'f', 'l']);
});

eachShell(
  'chmod and chown: files, directories, links',
  async (t, place) => {
    const at = (name: string): string => join(place.dir, name);
    const backupDir = at('b');
    writeFileSync(at('-f'), '', {mode: 0o644});
    symlinkSync('-f', at('l'));
    t.is(verdict(await apply(place, {op: 'chmod', path: at('-f'), mode: '4711'}, {backupDir})), '0');
    t.is(mode(at('-f')), '4711');
    t.true(
      readFileSync(join(backupDir, 'manifest'), 'utf8').startsWith(
        `inode 644 0 0 0 ${JSON.stringify(at('-f'))}\nleft `,
      ),
    );
    t.regex(verdict(await apply(place, {op: 'chmod', path: at('l'), mode: '0600'})), /^77 refused/);
    t.is(verdict(await apply(place, {op: 'chmod', path: at('l'), mode: '0600', follow: true})), '0');
    t.is(mode(at('-f')), '600');
    t.is(verdict(await apply(place, {op: 'chown', path: at('l'), owner: '5', group: '6'})), '0');
    t.like(lstatSync(at('l')), {uid: 5, gid: 6});
    t.like(statSync(at('-f')), {uid: 0, gid: 0});
    chownSync(at('l'), 0, 0);
    await apply(place, {op: 'chown', path: at('-f'), group: '7'});
    t.like(statSync(at('-f')), {uid: 0, gid: 7});
    t.regex(verdict(await apply(place, {op: 'chmod', path: at('nothing'), mode: '0600'})), /^66 .*is not there$/);
    const theirs = at('theirs');
    symlinkSync('-f', theirs);
    lstatSync(theirs);
    await apply(place, {op: 'chown', path: theirs, owner: '1000'});
    t.regex(
      verdict(await apply(place, {op: 'chmod', path: theirs, mode: '0600', follow: true})),
      /^77 refused: .*belongs to uid 1000/,
    );
  },
  'root',
);

eachShell('remove: files, links, trees; what must stay stays', async (t, place) => {
  const at = (name: string): string => join(place.dir, name);
  const backupDir = at('b');
  const remove = (path: string, recurse?: true) =>
    apply(place, {op: 'remove', path, ...(recurse === undefined ? {} : {recurse})}, {backupDir});
  writeFileSync(at('f'), 'kept');
  mkdirSync(at('d/e'), {recursive: true});
  writeFileSync(at('d/e/x'), '');
  symlinkSync('d', at('l'));
  t.is(verdict(await remove(at('f'))), '0');
  t.is(readFileSync(join(backupDir, `files${at('f')}`), 'utf8'), 'kept');
  t.is(verdict(await remove(at('l'), true)), '0');
  t.true(existsSync(at('d/e/x')), 'what the link led to');
  t.regex(verdict(await remove(at('d'))), /^77 /);
  t.is(verdict(await remove(at('d'), true)), '0');
  t.is(verdict(await remove(at('d'), true)), '0');
  t.is(verdict(await remove(at('no/such/thing'), true)), '0');
  t.deepEqual(readdirSync(place.dir), ['b']);
  for (const path of ['/', '/etc', '/usr/lib/', '/var/lib/../lib', '/home', '//usr']) {
    t.regex(verdict(await remove(path, true)), /^77 refused: .* belongs to the system$/, path);
  }
});

eachShell(
  'remove: a tree in which something is mounted stays',
  async (t, place) => {
    const tree = join(place.dir, 'a tree');
    const mounted = join(tree, 'm');
    mkdirSync(mounted, {recursive: true});
    if (spawnSync('mount', ['-t', 'tmpfs', 'none', mounted]).status !== 0) {
      t.pass('this machine does not let tests mount');
      return;
    }
    try {
      writeFileSync(join(mounted, 'precious'), '');
      const refused = verdict(await apply(place, {op: 'remove', path: tree, recurse: true}));
      t.regex(refused, /^77 refused: .* is a mount point; unmount it first$/);
      t.true(existsSync(join(mounted, 'precious')));
    } finally {
      spawnSync('umount', [mounted]);
    }
    t.is(verdict(await apply(place, {op: 'remove', path: tree, recurse: true})), '0');
  },
  'root',
);

eachShell('touch: makes with 0644, or renews the time', async (t, place) => {
  const path = join(place.dir, 'f');
  t.is(verdict(await apply(place, {op: 'touch', path})), '0');
  t.is(mode(path), '644');
  t.is(statSync(path).size, 0);
  writeFileSync(path, 'content');
  t.is(verdict(await apply(place, {op: 'touch', path, mode: '0600'})), '0');
  t.is(readFileSync(path, 'utf8'), 'content');
  t.is(mode(path), '600');
});

eachShell('run: words, input, directory, environment, status', async (t, place) => {
  const run = (op: Omit<Extract<PlainOp, {op: 'run'}>, 'op'>) => apply(place, {op: 'run', ...op});
  t.is(output(await run({argv: ['printf', '%s|', 'a b', "it's", '$x', '', '*', '-n']})), "a b|it's|$x||*|-n|");
  t.regex(verdict(await run({argv: ['A=b', 'true']})), /^127 /);
  t.is(output(await run({argv: ['cat'], stdin: 'in\0put'})), 'in\0put');
  t.is(output(await run({argv: ['cat']})), '');
  t.is(output(await run({argv: ['pwd'], chdir: place.dir})), `${place.dir}\n`);
  t.regex(verdict(await run({argv: ['pwd'], chdir: join(place.dir, 'no')})), /^66 /);
  t.is(
    output(await run({argv: ['/bin/sh', '-c', 'echo "$A$B"'], environment: {A: "1 '2'\n", B: Secret.of("3\n'4'")}})),
    "1 '2'\n3\n'4'\n",
  );
  t.is(verdict(await run({argv: ['/bin/sh', '-c', 'echo oops >&2; exit 9']})), '9 oops');
});

eachShell('run: scripts read their own input, and nobody sees their text', async (t, place) => {
  const run = (op: Omit<Extract<PlainOp, {op: 'run'}>, 'op'>) => apply(place, {op: 'run', ...op});
  const spy = `# top-secret-word
tr '\\0' ' ' </proc/$$/cmdline >${place.dir}/argv
cat /proc/$PPID/cmdline >>${place.dir}/argv
env >${place.dir}/env
read -r line; echo "read $line"
cat
exit 4`;
  for (const script of [spy, Secret.of(spy)]) {
    const outcome = await run({argv: ['/bin/sh'], script, stdin: 'one\ntwo\n', accepts: [4]});
    t.is(verdict(outcome), '0');
    const reply =
      outcome?.ran === true ? replyOfRun({op: 'run', argv: ['/bin/sh'], accepts: [4]}, outcome.reply) : undefined;
    t.is(Buffer.from(reply!.stdout).toString(), 'read one\ntwo\n');
    t.is(reply!.exit, 4);
    t.regex(readFileSync(join(place.dir, 'argv'), 'utf8'), /^\/bin\/sh \/proc\/self\/fd\/3/);
    t.notRegex(
      readFileSync(join(place.dir, 'argv'), 'utf8') + readFileSync(join(place.dir, 'env'), 'utf8'),
      /top-secret-word/,
    );
  }
  t.is(
    output(await run({argv: ['/bin/sh'], script: Secret.of('cat; echo "$V"'), environment: {V: Secret.of('v')}})),
    'v\n',
  );
  t.is(output(await run({argv: ['cat'], environment: {V: Secret.of('v')}, stdin: Secret.of('given')})), 'given');
  t.is(verdict(await run({argv: ['/bin/sh'], script: 'echo early; exit 0\n' + '# long\n'.repeat(50_000)})), '0');
});

eachShell('run: a status that is accepted does not stop the batch', async (t, place) => {
  const go = async (accepts: readonly number[], exit: number) => {
    const op: PlainOp = {op: 'run', argv: ['/bin/sh', '-c', `printf out; exit ${exit}`], accepts};
    const [first, second] = await place.run([
      ...lowerOp(op, {...context, onFailure: 'stop'}),
      ...lowerOp({op: 'run', argv: ['true']}, context),
    ]);
    const reply = first?.ran === true ? replyOfRun(op, first.reply) : undefined;
    return [reply?.exit, Buffer.from(reply?.stdout ?? []).toString(), second?.ran];
  };
  t.deepEqual(await go([0, 2], 2), [2, 'out', true]);
  t.deepEqual(await go([0, 2], 0), [0, 'out', true]);
  t.deepEqual(await go([0, 2], 1), [1, 'out', false]);
  t.deepEqual((await go([1], 0)).at(-1), false);
});
