import {chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Secret} from '../../../src/base/secret.ts';
import {Unknown} from '../../../src/base/unknown.ts';
import {predictOp} from '../../../src/engine/predict-op.ts';
import {touches, type Key} from '../../../src/kit/key.ts';
import type {PlainOp} from '../../../src/kit/op.ts';
import {file, type FileState, type Read} from '../../../src/kit/reads.ts';
import {compileReads, type ReadValues} from '../../../src/remote/batch.ts';
import {lowerOp} from '../../../src/remote/lower.ts';
import {compileGuard} from '../../../src/remote/witness.ts';
import {eachShell, verdict, type Place} from './lower-shells.ts';

// The law behind check mode: what an op is predicted to leave behind is what a host then shows. And a guard made from what was read
// lets the op pass while nothing has changed, and stops it afterwards exactly where something has.

const names = [
  'file',
  'setuid',
  'dir',
  'link',
  'dirlink',
  'dangling',
  'absent',
  'absent/deeper',
  'dir/inside',
  'dir/inside/more',
];

function prepare(dir: string): void {
  const at = (name: string): string => join(dir, name);
  writeFileSync(at('file'), 'content', {mode: 0o640});
  chownSync(at('file'), 5, 6);
  writeFileSync(at('setuid'), 'x');
  chmodSync(at('setuid'), 0o6755);
  mkdirSync(at('dir/inside'), {recursive: true});
  chmodSync(at('dir'), 0o2750);
  writeFileSync(at('dir/inside/more'), 'm');
  symlinkSync('file', at('link'));
  symlinkSync('dir', at('dirlink'));
  symlinkSync('nowhere', at('dangling'));
}

const opsOn = (path: string): readonly PlainOp[] => [
  {op: 'write', path, content: 'written'},
  {op: 'write', path, content: Secret.of('s'), mode: '0600', owner: 'daemon', group: 'daemon'},
  {op: 'write', path, content: new Uint8Array([0, 255]), follow: true},
  {op: 'mkdir', path},
  {op: 'mkdir', path, parents: true, mode: '0711', owner: '7', group: '8'},
  {op: 'link', path, target: 'file', replace: true},
  {op: 'link', path, target: 'no-such-thing'},
  {op: 'link', path, target: 'dir'},
  {op: 'chmod', path, mode: '4711'},
  {op: 'chmod', path, mode: '0700', follow: true},
  {op: 'chown', path, owner: '9'},
  {op: 'chown', path, owner: 'root', group: '10', follow: true},
  {op: 'remove', path},
  {op: 'remove', path, recurse: true},
  {op: 'touch', path},
  {op: 'touch', path, mode: '0611', owner: '3'},
];

async function look(place: Pick<Place, 'run'>, reads: readonly Read[]): Promise<ReadValues> {
  const batch = compileReads(reads);
  const values = batch.decode(await place.run(batch.fragments));
  if (values instanceof Error) throw values;
  return values;
}

/** Without what a prediction cannot know: times, a directory's size, and numbers of accounts that nobody has read. */
function comparable(value: unknown): unknown {
  const state = value as FileState;
  if (state.type === 'absent') return state;
  const {mtimeS: _mtime, sizeBytes, uid, gid, ...rest} = state;
  const known = {
    ...rest,
    ...(uid < 0 ? {} : {uid}),
    ...(gid < 0 ? {} : {gid}),
    ...(state.type === 'file' ? {sizeBytes} : {}),
  };
  return state.type === 'link' ? {...known, followed: comparable(state.followed)} : known;
}

/** The two sides with only what both can know: a name for who was given by number is the host's to tell. */
function fits(predicted: unknown, seen: unknown): readonly [unknown, unknown] {
  const byNumber = (state: Record<string, unknown>, key: string): boolean => /^\d+$/.test(String(state[key] ?? ''));
  const drop = (
    side: Record<string, unknown>,
    expected: Record<string, unknown>,
    other: Record<string, unknown>,
  ): unknown =>
    Object.fromEntries(
      Object.entries(side)
        .filter(
          ([key]) =>
            !((key === 'uid' || key === 'gid') && !(key in other)) &&
            !((key === 'owner' || key === 'group') && byNumber(expected, key)),
        )
        .map(([key, value]) =>
          key === 'followed'
            ? [
                key,
                drop(
                  value as Record<string, unknown>,
                  (expected[key] ?? {}) as Record<string, unknown>,
                  (other[key] ?? {}) as Record<string, unknown>,
                ),
              ]
            : [key, value],
        ),
    );
  const [expected, found] = [comparable(predicted), comparable(seen)] as [
    Record<string, unknown>,
    Record<string, unknown>,
  ];
  return [drop(expected, expected, found), drop(found, expected, expected)];
}

for (const name of ['file', 'setuid', 'dir', 'link', 'dirlink', 'dangling', 'absent', 'absent/deeper', 'dir/inside']) {
  eachShell(
    `what is predicted is what is seen: ops on ${name}`,
    async (t, {dir: base, open}) => {
      const place = await open();
      let done = 0;
      for (const [number, op] of opsOn(name).entries()) {
        const dir = join(base, String(number));
        mkdirSync(dir);
        prepare(dir);
        const moved = {...op, path: join(dir, name)} as PlainOp;
        const reads = names.map((n) => file(join(dir, n), {content: 'always'}).reads[0]!);
        const before = await look(place, reads);
        const known = new Map<Key, unknown>([...before].map(([read, value]) => [read.key, value]));
        const guards = reads.map((read) => ({
          ...compileGuard(read, before.witness(read)!),
          group: 0,
          onFailure: 'go-on' as const,
          label: 'g',
          secret: false,
          timeoutMs: 60_000,
        }));
        for (const outcome of await place.run(guards)) t.is(verdict(outcome), '0', `guard of ${moved.op} ${name}`);

        const content = moved.op === 'write' ? (moved.content as string) : '';
        const [outcome] = await place.run(
          lowerOp(moved, {backupDir: undefined, group: 0, onFailure: 'stop', label: 'op', timeoutMs: 60_000, content}),
        );
        const failed = !verdict(outcome).startsWith('0');
        const after = await look(place, reads);
        const stopped = (await place.run(guards)).map((one) => verdict(one).startsWith('75'));
        for (const [i, read] of reads.entries()) {
          t.is(
            stopped[i],
            before.witness(read) !== after.witness(read),
            `guard of ${read.key} after ${JSON.stringify(moved)}`,
          );
        }
        if (failed) {
          t.deepEqual(
            [...after.values()].map(comparable),
            [...before.values()].map(comparable),
            `what fails changes nothing: ${JSON.stringify(moved)}`,
          );
          continue;
        }
        done++;
        const predictions = predictOp(moved, (key) => known.get(key));
        for (const read of reads) {
          const prediction = predictions.findLast(
            ({key, value}) =>
              key === read.key || (key.startsWith('tree:') && touches(key, read.key) && !(value instanceof Unknown)),
          );
          const vague = predictions.some(({key, value}) => value instanceof Unknown && touches(key, read.key));
          if (prediction === undefined && vague) continue;
          const expected = prediction === undefined ? known.get(read.key) : prediction.value;
          if (expected instanceof Unknown) continue;
          // What is seen through a link changes with what it leads to; the engine reads such keys again.
          const through = (before.get(read) as FileState).type === 'link' && prediction === undefined;
          if (through) continue;
          const [mine, host] = fits(expected, after.get(read)) as [unknown, unknown];
          t.deepEqual(mine, host, `${read.key} after ${JSON.stringify(moved)}`);
        }
      }
      await place.close();
      t.true(done > 0);
    },
    'root',
  );
}
