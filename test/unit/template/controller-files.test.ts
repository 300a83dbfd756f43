// Tests and filters that look at the controller's files.
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {homedir, tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {controllerFiles} from '../../../src/template/controller-files.ts';
import {contextOf} from '../../../src/template/environment.ts';
import {standardEnvironment} from '../../../src/template/standard.ts';
import {parseExpression} from '../../../src/template/template.ts';

test('exists, file, directory, link, realpath, expanduser and relpath', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tsplay-template-'));
  t.teardown(() => rmSync(directory, {recursive: true}));
  writeFileSync(join(directory, 'file'), '');
  mkdirSync(join(directory, 'dir'));
  symlinkSync('file', join(directory, 'link'));
  const environment = standardEnvironment({files: controllerFiles(directory)});
  const rows: readonly (readonly [string, unknown])[] = [
    ["'file' is exists", true],
    ["'none' is exists", false],
    ["'file' is file", true],
    ["'dir' is file", false],
    ["'dir' is directory", true],
    ["'link' is link", true],
    ["'link' is file", true],
    ["'file' is link", false],
    ["'link' is same_file('file')", true],
    ["'link' | realpath | basename", 'file'],
    ["'none' | realpath | basename", 'none'],
    ["'~/x' | expanduser", `${homedir()}/x`],
    ["'~root' | expanduser", '/root'],
    ["'dir/x' | relpath", 'dir/x'],
  ];
  for (const [text, wanted] of rows) {
    const parsed = parseExpression(text);
    t.true(parsed.ok);
    if (parsed.ok) t.deepEqual(parsed.value.evaluate(contextOf({}), environment), {ok: true, value: wanted}, text);
  }
});
