import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {exitStatus} from '../../../src/remote/exit-status.ts';
import {
  decodeLock,
  lockCheckFragment,
  lockFragment,
  releaseAtExit,
  unlockFragment,
  type LockOutcome,
} from '../../../src/remote/lock.ts';
import {
  decodePending,
  erasePendingFragment,
  notePendingFragment,
  recallPendingFragment,
} from '../../../src/remote/pending.ts';
import type {Fragment, Outcome} from '../../../src/remote/session.ts';
import {confined, eachShell, verdict, type Place} from './lower-shells.ts';

const atExit = (place: Place): string =>
  confined({shell: releaseAtExit, group: 0, onFailure: 'go-on', label: '', secret: false, timeoutMs: 0}, place.dir)
    .shell;
const locking = (place: Place, run: string, steal = false): Fragment =>
  confined(lockFragment({run, owner: `admin of ${run}`, steal}), place.dir);
const checking = (place: Place, run: string): Fragment =>
  confined(lockCheckFragment('/run/tsplay/lock', run), place.dir);
const decoded = (outcome: Outcome | undefined): LockOutcome =>
  outcome?.ran === true ? decodeLock(outcome.reply) : {lock: 'failed', message: 'not run'};

const root = process.getuid?.() === 0 ? 'root' : undefined;

eachShell(
  'one holds the lock, the other hears who; the end of the shell frees it',
  async (t, place) => {
    const first = await place.open(atExit(place));
    const second = await place.open(atExit(place));
    const lock = join(place.dir, 'run', 'lock');
    try {
      const [one, again, check] = await first.run([locking(place, 'r1'), locking(place, 'r1'), checking(place, 'r1')]);
      t.deepEqual(decoded(one), {lock: 'held', path: lock});
      t.deepEqual(decoded(again), {lock: 'held', path: lock}, 'a second time by the same shell');
      t.is(verdict(check), '0');
      const [other] = await second.run([locking(place, 'r2')]);
      const busy = decoded(other);
      t.like(busy, {lock: 'busy', holder: {run: 'r1', owner: 'admin of r1'}});
      t.regex(verdict(other), new RegExp(`^${exitStatus.locked} locked by admin of r1 \\(run r1\\) since \\d{4}-`));
    } finally {
      await first.close();
    }
    t.false(existsSync(lock));
    const [now] = await second.run([locking(place, 'r2')]);
    t.is(decoded(now).lock, 'held');
    await second.run([confined(unlockFragment(), place.dir)]);
    t.deepEqual(readdirSync(join(place.dir, 'run')), []);
    await second.close();
  },
  root,
);

eachShell(
  'a dead holder’s lock is taken over, a living one’s only when told; the old holder notices',
  async (t, place) => {
    const lock = join(place.dir, 'run', 'lock');
    mkdirSync(lock, {recursive: true});
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const dead = spawnSync('true').pid;
    const holders = [
      `${dead} 1 ${boot} old 2025-01-01T00:00:00Z somebody else`,
      `${process.pid} 1 ${boot} old 2025-01-01T00:00:00Z the number was given to another process`,
      `${process.pid} 1 another-boot old 2025-01-01T00:00:00Z before the restart`,
    ];
    for (const holder of holders) {
      writeFileSync(join(lock, 'holder'), `${holder}\n`);
      const [taken] = await place.run([locking(place, 'new')]);
      t.like(
        decoded(taken),
        {lock: 'held', tookOver: {run: 'old', owner: holder.split(' ').slice(5).join(' ')}},
        holder,
      );
    }
    await (await place.open()).close();

    const first = await place.open(atExit(place));
    const second = await place.open(atExit(place));
    await first.run([locking(place, 'r1')]);
    const [stolen] = await second.run([locking(place, 'r2', true)]);
    t.like(decoded(stolen), {lock: 'held', tookOver: {run: 'r1'}});
    const [check, then] = await first.run([checking(place, 'r1'), checking(place, 'r2')]);
    t.regex(verdict(check), new RegExp(`^${exitStatus.locked} the lock of this host was taken over by admin of r2`));
    t.is(then?.ran, false, 'nothing runs behind it');
    await first.close();
    t.true(existsSync(lock), 'the old holder does not free the new one’s lock');
    await second.close();
    t.false(existsSync(lock));
  },
  root,
);

eachShell(
  'a holder that lives but has long been silent and idle has lost its controller; one that works has not',
  async (t, place) => {
    const first = await place.open(atExit(place));
    const second = await place.open(atExit(place));
    const lock = join(place.dir, 'run', 'lock');
    try {
      await first.run([locking(place, 'r1')]);
      const long = '-100000\n';
      writeFileSync(join(lock, 'beat'), long);
      const marker = join(place.dir, 'begun');
      const busy = {...checking(place, 'r1'), shell: `: >'${marker}'; sleep 1.5`};
      const working = first.run([busy]);
      for (let look = 0; look < 200 && !existsSync(marker); look++) await new Promise((done) => setTimeout(done, 10));
      const [early] = await second.run([locking(place, 'r2')]);
      t.is(decoded(early).lock, 'busy');
      await working;
      const [sign] = await first.run([checking(place, 'r1')]);
      t.is(verdict(sign), '0');
      t.not(readFileSync(join(lock, 'beat'), 'utf8'), long, 'a check is a sign of life');
      t.is(decoded((await second.run([locking(place, 'r2')]))[0]).lock, 'busy');
      writeFileSync(join(lock, 'beat'), long);
      const [late] = await second.run([locking(place, 'r2')]);
      t.like(decoded(late), {lock: 'held', tookOver: {run: 'r1'}});
      const [check] = await first.run([checking(place, 'r1')]);
      t.regex(verdict(check), new RegExp(`^${exitStatus.locked} the lock of this host was taken over`));
    } finally {
      await first.close();
    }
    t.true(existsSync(lock), 'the old holder does not free the new one’s lock');
    await second.run([confined(unlockFragment(), place.dir)]);
    await second.close();
  },
  root,
);

eachShell(
  'of many that find a dead holder, one gets the lock',
  async (t, place) => {
    const lock = join(place.dir, 'run', 'lock');
    mkdirSync(lock, {recursive: true});
    writeFileSync(join(lock, 'holder'), '999999 1 nowhere old 2025-01-01T00:00:00Z x\n');
    const sessions = await Promise.all([1, 2, 3, 4, 5, 6].map(() => place.open()));
    const outcomes = await Promise.all(sessions.map((session, i) => session.run([locking(place, `r${i}`)])));
    const states = outcomes.map(([one]) => decoded(one).lock).sort();
    t.deepEqual(states, ['busy', 'busy', 'busy', 'busy', 'busy', 'held']);
    for (const session of sessions) await session.close();
  },
  root,
);

eachShell(
  'notified handlers are noted, recalled, erased',
  async (t, place) => {
    const entries = ['restart sshd', "it's\na 'name'", '$(x)', 'ä'];
    const options = {group: 0, onFailure: 'stop'} as const;
    const recall = async (): Promise<readonly string[]> => {
      const [outcome] = await place.run([confined(recallPendingFragment(), place.dir)]);
      return outcome?.ran === true ? [...decodePending(outcome.reply)].sort() : ['not run'];
    };
    t.deepEqual(await recall(), []);
    for (let i = 0; i < 2; i++) {
      const [noted] = await place.run([confined(notePendingFragment(entries, options), place.dir)]);
      t.is(verdict(noted), '0');
      t.deepEqual(await recall(), [...entries].sort());
    }
    await place.run([confined(erasePendingFragment(entries.slice(1), options), place.dir)]);
    t.deepEqual(await recall(), ['restart sshd']);
    const file = join(place.dir, 'lib', 'pending');
    spawnSync('rm', ['-rf', file]);
    writeFileSync(file, 'in the way');
    const [failed, skipped] = await place.run([
      confined(notePendingFragment(['x'], options), place.dir),
      checking(place, 'x'),
    ]);
    t.true(verdict(failed).startsWith(`${exitStatus.notWritten} `));
    t.is(skipped?.ran, false);
  },
  root,
);

test('an id that could lead elsewhere is refused', (t) => {
  for (const run of ['../x', '', 'a b', '-x', "a'b"])
    t.throws(() => lockFragment({run, owner: 'x', steal: false}), undefined, run);
});
