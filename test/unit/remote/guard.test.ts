import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {Secret} from '../../../src/base/secret.ts';
import type {RunOp} from '../../../src/kit/op.ts';
import {exitStatus} from '../../../src/remote/exit-status.ts';
import {
  armFragments,
  confirmFragment,
  decodeGuards,
  forgetGuardsFragment,
  restoreFragment,
  surveyGuardsFragment,
  type Guard,
  type GuardLeft,
} from '../../../src/remote/guard.ts';
import {confined, eachShell, output, verdict, type Place} from './lower-shells.ts';

const options = {group: 0, onFailure: 'stop'} as const;
const root = process.getuid?.() === 0 ? 'root' : undefined;

function guardOf(place: Place, more: Partial<Guard>): Guard {
  const undo: RunOp = {
    op: 'run',
    argv: ['/bin/sh', '-c', `cat >>'${place.dir}/undone'; pwd >>'${place.dir}/undone'`],
    stdin: Secret.of("secret 'input'\n"),
  };
  return {
    id: 'g1',
    restores: ['file', 'new', 'link', 'dir', 'gone/deep'].map((name) => join(place.dir, name)),
    units: [],
    undo: [undo],
    withinMs: 60_000,
    ...more,
  };
}

function prepare(place: Place): void {
  writeFileSync(join(place.dir, 'file'), 'old', {mode: 0o640});
  symlinkSync('file', join(place.dir, 'link'));
  mkdirSync(join(place.dir, 'dir'), {mode: 0o750});
  mkdirSync(join(place.dir, 'gone'));
  writeFileSync(join(place.dir, 'gone/deep'), 'deep');
}

function damage(place: Place): void {
  writeFileSync(join(place.dir, 'file'), 'changed');
  chmodSync(join(place.dir, 'file'), 0o777);
  writeFileSync(join(place.dir, 'new'), 'new');
  unlinkSync(join(place.dir, 'link'));
  chmodSync(join(place.dir, 'dir'), 0o700);
  unlinkSync(join(place.dir, 'gone/deep'));
}

const arm = async (place: Place, guard: Guard): Promise<string> =>
  verdict((await place.run(armFragments(guard, options).map((f) => confined(f, place.dir))))[0]);
const confirm = async (place: Place): Promise<string> =>
  verdict((await place.run([confined(confirmFragment('g1'), place.dir)]))[0]);
async function survey(place: Place): Promise<readonly GuardLeft[]> {
  const [outcome] = await place.run([confined(surveyGuardsFragment(), place.dir)]);
  return outcome?.ran === true ? decodeGuards(outcome.reply) : [];
}
const isOld = (place: Place): boolean =>
  readFileSync(join(place.dir, 'file'), 'utf8') === 'old' &&
  (statSync(join(place.dir, 'file')).mode & 0o777) === 0o640 &&
  !existsSync(join(place.dir, 'new')) &&
  lstatSync(join(place.dir, 'link'), {throwIfNoEntry: false})?.isSymbolicLink() === true &&
  readlinkSync(join(place.dir, 'link')) === 'file' &&
  (statSync(join(place.dir, 'dir')).mode & 0o777) === 0o750 &&
  readFileSync(join(place.dir, 'gone/deep'), 'utf8') === 'deep';

/** Waits for what a process of its own brings about. */
async function until(what: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let i = 0; i < 300; i++) {
    if (await what()) return true;
    await sleep(50);
  }
  return false;
}

eachShell(
  'without a confirmation the host puts everything back, though the session has ended',
  async (t, place) => {
    prepare(place);
    t.is(await arm(place, guardOf(place, {withinMs: 1000})), '0');
    damage(place);
    t.true(await until(async () => (await survey(place))[0]?.report.at(-1)?.startsWith('done at ') === true));
    t.true(isOld(place));
    t.is(readFileSync(join(place.dir, 'undone'), 'utf8'), "secret 'input'\n/\n");
    const [left] = await survey(place);
    t.like(left, {id: 'g1', state: 'restored', failed: false});
    t.deepEqual(left?.report.slice(0, -1), [
      ...guardOf(place, {}).restores.map((path) => `put back ${path}`),
      'ran undo command 1',
    ]);
    t.deepEqual(
      readdirSync(join(place.dir, 'lib/guard/g1.expired')).filter((name) => /^(file|restore)/.test(name)),
      [],
      'no copies stay',
    );
    const late = await confirm(place);
    t.true(late.startsWith(`${exitStatus.expired} the guard had already expired`), late);
    await place.run([confined(forgetGuardsFragment(['g1']), place.dir)]);
    t.deepEqual(await survey(place), []);
  },
  root,
);

eachShell(
  'a confirmation keeps the change and leaves nothing behind',
  async (t, place) => {
    prepare(place);
    t.is(await arm(place, guardOf(place, {})), '0');
    damage(place);
    t.like((await survey(place))[0], {state: 'armed'});
    const pid = readFileSync(join(place.dir, 'lib/guard/g1/pid'), 'utf8').trim();
    t.is(statSync(join(place.dir, 'lib/guard')).mode & 0o777, 0o700);
    t.is(await confirm(place), '0');
    t.is(readFileSync(join(place.dir, 'file'), 'utf8'), 'changed');
    t.deepEqual(readdirSync(join(place.dir, 'lib/guard')), []);
    t.true(await until(() => !existsSync(`/proc/${pid}`)), 'the timer has ended');
    t.false(existsSync(join(place.dir, 'undone')));
    t.regex(await confirm(place), /^80 /);
  },
  root,
);

eachShell(
  'after a failed op the old state comes back at once; what fails is said',
  async (t, place) => {
    prepare(place);
    const bad: RunOp = {op: 'run', argv: ['/bin/sh', '-c', 'exit 7']};
    t.is(await arm(place, guardOf(place, {undo: [bad]})), '0');
    damage(place);
    mkdirSync(join(place.dir, 'x'));
    const [outcome] = await place.run([confined(restoreFragment('g1'), place.dir)]);
    t.is(verdict(outcome), '0');
    t.true(isOld(place));
    t.regex(output(outcome), /FAILED undo command 1 \(exit status 7\)\ndone at /);
    t.like((await survey(place))[0], {state: 'restored', failed: true});
    t.regex(await confirm(place), /^80 /);
  },
  root,
);

eachShell(
  'a guard that cannot keep the state is not armed',
  async (t, place) => {
    t.regex(
      await arm(place, guardOf(place, {restores: ['/dev/null']})),
      /^74 the guard could not be armed: \/dev\/null is neither/,
    );
    t.deepEqual(await survey(place), []);
    prepare(place);
    t.is(await arm(place, guardOf(place, {})), '0');
    t.regex(await arm(place, guardOf(place, {})), /^74 /, 'an id is used once');
    t.is(await confirm(place), '0', 'and the first guard is still there');
  },
  root,
);

eachShell(
  'a guard whose timer is gone is seen to be overdue',
  async (t, place) => {
    mkdirSync(join(place.dir, 'lib/guard/old'), {recursive: true});
    writeFileSync(join(place.dir, 'lib/guard/old/deadline'), '1000\n');
    t.deepEqual(await survey(place), [{id: 'old', state: 'overdue', report: [], failed: false}]);
  },
  root,
);

test('ids', (t) => {
  t.throws(() => confirmFragment('a.expired'));
  t.throws(() => confirmFragment('../x'));
});
