import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import type {PlainOp} from '../../../src/kit/op.ts';
import {lowerOp, type Lowering} from '../../../src/remote/lower.ts';
import {decodeManifest, manifestFragment, rollbackFragments} from '../../../src/remote/rollback.ts';
import {eachShell, verdict} from './lower-shells.ts';

eachShell(
  'a run’s changes are put back: content, mode, owner, time, links, and what was not there',
  async (t, place) => {
    const at = (name: string): string => join(place.dir, name);
    const backupDir = at('backup/r1');
    const context: Lowering = {backupDir, group: 0, onFailure: 'go-on', label: 'x', timeoutMs: 60_000, content: ''};
    writeFileSync(at('a file'), 'old');
    chmodSync(at('a file'), 0o604);
    chownSync(at('a file'), 3, 4);
    utimesSync(at('a file'), 1000, 1000);
    writeFileSync(at('mode'), 'x', {mode: 0o600});
    writeFileSync(at('both'), 'both', {mode: 0o640});
    writeFileSync(at('gone'), 'gone');
    symlinkSync('somewhere\nelse', at('link'));
    mkdirSync(at('dir'));
    const ops: readonly PlainOp[] = [
      {op: 'write', path: at('a file'), content: 'new', mode: '0644', owner: 'root', group: 'root'},
      {op: 'write', path: at('a file'), content: 'newer'},
      {op: 'write', path: at('new'), content: 'new'},
      {op: 'chmod', path: at('mode'), mode: '0755'},
      {op: 'chown', path: at('mode'), owner: '9'},
      {op: 'chmod', path: at('both'), mode: '0777'},
      {op: 'write', path: at('both'), content: 'changed'},
      {op: 'remove', path: at('gone')},
      {op: 'link', path: at('link'), target: 'x', replace: true},
      {op: 'link', path: at('l2'), target: 'x'},
    ];
    for (const op of ops) {
      const content = op.op === 'write' ? (op.content as string) : '';
      t.is(verdict((await place.run(lowerOp(op, {...context, content})))[0]), '0', JSON.stringify(op));
    }
    const [manifest] = await place.run([manifestFragment(backupDir)]);
    t.is(verdict(manifest), '0');
    const entries = manifest?.ran === true ? decodeManifest(manifest.reply) : [];
    t.deepEqual(
      entries.map((entry) => entry.path).sort(),
      ['a file', 'both', 'gone', 'l2', 'link', 'mode', 'new'].map(at).sort(),
    );
    for (const entry of entries) {
      const outcomes = await place.run(rollbackFragments(entry, backupDir, {...context, backupDir: at('backup/r2')}));
      for (const outcome of outcomes) t.is(verdict(outcome), '0', JSON.stringify(entry));
    }
    t.is(readFileSync(at('a file'), 'utf8'), 'old');
    t.like(statSync(at('a file')), {uid: 3, gid: 4, mtimeMs: 1_000_000});
    t.is(statSync(at('a file')).mode & 0o777, 0o604);
    t.like(statSync(at('mode')), {uid: 0});
    t.is(statSync(at('mode')).mode & 0o777, 0o600);
    t.is(readFileSync(at('both'), 'utf8'), 'both');
    t.is(statSync(at('both')).mode & 0o777, 0o640);
    t.is(readFileSync(at('gone'), 'utf8'), 'gone');
    t.is(readlinkSync(at('link')), 'somewhere\nelse');
    t.false(existsSync(at('new')));
    t.is(lstatSync(at('l2'), {throwIfNoEntry: false}), undefined);
    const [none] = await place.run([manifestFragment(at('backup/no'))]);
    t.is(verdict(none), '66 this host keeps no copies of that run');
    t.true(existsSync(at('backup/r2/manifest')), 'a rollback can be rolled back');
  },
  'root',
);
