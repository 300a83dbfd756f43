// A plan's files: what was answered while it was made is answered again, whatever has become of the disk; what was never asked and has changed since is refused.
import fs from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {
  existsSync,
  globSync,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  takeSiteFiles,
  useSiteFiles,
  useTheDisk,
  type SiteFiles,
} from '../../../src/playbook/disk.ts';

const folder = fs.mkdtempSync(join(tmpdir(), 'tsplay-disk-'));
const at = (name: string): string => join(folder, name);
test.afterEach.always(useTheDisk);
test.after.always(() => fs.rmSync(folder, {recursive: true}));

/** Everything that readers ask, errors as their codes. */
function look(): Record<string, unknown> {
  const ask = (question: () => unknown): unknown => {
    try {
      return question();
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  };
  const kind = (stat: ReturnType<typeof statSync> | undefined): string =>
    stat === undefined
      ? 'none'
      : stat.isFile()
        ? 'file'
        : stat.isDirectory()
          ? 'folder'
          : stat.isSymbolicLink()
            ? 'link'
            : 'other';
  return {
    text: ask(() => readFileSync(at('a.yml'), 'utf8')),
    bytes: ask(() => [...readFileSync(at('bytes'))]),
    missing: ask(() => readFileSync(at('missing'), 'utf8')),
    asFolder: ask(() => readFileSync(folder, 'utf8')),
    names: ask(() => readdirSync(folder)),
    noFolder: ask(() => readdirSync(at('none'))),
    glob: ask(() => globSync('*.yml', {cwd: folder})),
    stat: ask(() => kind(statSync(at('a.yml')))),
    noStat: ask(() => kind(statSync(at('missing'), {throwIfNoEntry: false}))),
    badStat: ask(() => kind(statSync(at('missing')))),
    link: ask(() => kind(lstatSync(at('link')))),
    behind: ask(() => realpathSync(at('link'))),
    exists: [existsSync(at('a.yml')), existsSync(at('missing'))],
  };
}

function makeFiles(): void {
  fs.rmSync(folder, {recursive: true});
  fs.mkdirSync(folder);
  fs.writeFileSync(at('a.yml'), 'a: 1\n');
  fs.writeFileSync(at('bytes'), new Uint8Array([0xff, 0, 0xfe]));
  fs.symlinkSync('a.yml', at('link'));
}

function ruin(): void {
  fs.writeFileSync(at('a.yml'), 'edited\n');
  fs.writeFileSync(at('missing'), 'new\n');
  fs.writeFileSync(at('b.yml'), 'new\n');
  fs.rmSync(at('bytes'));
  fs.rmSync(at('link'));
}

test.serial('the same questions get the same answers', (t) => {
  makeFiles();
  const plain = look();
  const files = takeSiteFiles();
  t.deepEqual(look(), plain);
  const kept: SiteFiles = new Map(JSON.parse(JSON.stringify([...files])) as [string, never][]);
  useTheDisk();
  ruin();
  t.notDeepEqual(look(), plain);
  useSiteFiles(kept, Date.now(), []);
  t.deepEqual(look(), plain);
});

test.serial('what was never asked counts as it is, unless it was changed since', (t) => {
  makeFiles();
  useSiteFiles(new Map(), Date.now() + 60_000, []);
  t.is(readFileSync(at('a.yml'), 'utf8'), 'a: 1\n');
  useSiteFiles(new Map(), Date.now() - 60_000, []);
  t.throws(() => readFileSync(at('a.yml'), 'utf8'), {message: /a\.yml was changed after the plan was made$/});
  t.throws(() => readFileSync(at('missing'), 'utf8'), {code: 'ENOENT'});
});

test.serial('below a live folder everything is as it is now', (t) => {
  makeFiles();
  const files = takeSiteFiles();
  look();
  useTheDisk();
  ruin();
  useSiteFiles(files, Date.now() - 60_000, [folder]);
  t.is(readFileSync(at('a.yml'), 'utf8'), 'edited\n');
  t.true(existsSync(at('missing')));
});
