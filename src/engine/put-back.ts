// Puts back on one host what an earlier run has replaced there. What others have changed since stays as it is and is named; what could shut the administrator out
// is guarded by a fresh login, as in any run.
import type {Change} from '../kit/plan.ts';
import {stdoutText, type Reply} from '../kit/reads.ts';
import type {BackedUp} from '../remote/backup.ts';
import {exitStatus} from '../remote/exit-status.ts';
import {armFragments, confirmFragment, restoreFragment} from '../remote/guard.ts';
import {lockCheckFragment} from '../remote/lock.ts';
import {octal} from '../kit/mode.ts';
import {
  decodeKept,
  decodeLook,
  lookFragment,
  manifestFragment,
  rollbackFragments,
  textFragments,
  type Kept,
  type UnitBefore,
} from '../remote/rollback.ts';
import type {Fragment, Outcome} from '../remote/session.ts';
import {opensDoors} from './doors.ts';
import {notingUnits, unitFragments, unitLook, unitsToSet} from './put-back-units.ts';

/** What became of one path, unit or command. `changes`: from what is there to what was there before the run. */
export type PutBackStep = {
  readonly what: string;
  readonly is: 'ok' | 'changed' | 'refused' | 'failed' | 'skipped';
  readonly message?: string;
  readonly changes: readonly Change[];
};

/** The host, as the account whose copies are meant. */
export type PutBackHost = {
  readonly exchange: (fragments: readonly Fragment[]) => Promise<readonly Outcome[]>;
  /** a login over a new connection; gives what went wrong */
  readonly freshLogin: () => Promise<string | undefined>;
  /** of the lock that is held; undefined while nothing is changed */
  readonly lockPath: string | undefined;
};

/** *units*: ms until a guarded host restores itself. */
const GUARD_MS = 30_000;

/**
 * Puts back what `from` has replaced. `as` is the id of this run, under which what is there now is kept in its turn. undefined = the host has kept nothing of it.
 * *errors*: LinkLost.
 */
export async function putBack(
  host: PutBackHost,
  options: {readonly from: string; readonly as: string; readonly check: boolean; readonly guardId: string},
): Promise<readonly PutBackStep[] | undefined> {
  const directory = `/var/lib/tsplay/backup/${options.from}`;
  const [manifest] = await host.exchange([manifestFragment(directory)]);
  const reply = replyOf(manifest);
  if (reply.exit === exitStatus.missing) return undefined;
  if (reply.exit !== 0) return [{what: 'copies', is: 'failed', message: errorText(reply), changes: []}];
  const kept = decodeKept(reply);
  const sights = await lookAt(host, kept, directory);
  const todo = sights.filter((sight) => sight.is === 'todo');
  const units = unitsToSet(kept.units, await unitsNow(host, kept.units), todo.length > 0);
  const ran = kept.ran.map((label): PutBackStep => ({
    what: label,
    is: 'skipped',
    message: 'a command that cannot be undone',
    changes: [],
  }));
  const settled = sights.flatMap(({entry, is, message}): PutBackStep[] =>
    is === 'todo' ? [] : [{what: entry.path, is, ...(message === undefined ? {} : {message}), changes: []}],
  );
  const planned = [
    ...todo.map(({entry, changes}): PutBackStep => ({what: entry.path, is: 'changed', changes})),
    ...units.map(({unit, change}): PutBackStep => ({what: unit, is: 'changed', changes: [change]})),
  ];
  if (options.check || planned.length === 0) return [...settled, ...planned, ...ran];

  const failures = await apply(host, {directory, todo: todo.map(({entry}) => entry), units, options});
  const after = new Map(
    (await lookAt(host, {...kept, entries: todo.map(({entry}) => entry)}, directory)).map((s) => [s.entry.path, s]),
  );
  return [
    ...settled,
    ...planned.map((step): PutBackStep => {
      const failure = failures.get(step.what);
      if (failure !== undefined) return {...step, is: failure.is, message: failure.message};
      const sight = after.get(step.what);
      return sight === undefined || sight.is === 'ok'
        ? step
        : {...step, is: 'failed', message: 'it is not as it was, though nothing went wrong'};
    }),
    ...ran,
  ];
}

type Sight = {
  readonly entry: BackedUp;
  readonly is: 'ok' | 'todo' | 'refused';
  readonly message?: string;
  readonly changes: readonly Change[];
};

async function lookAt(host: PutBackHost, kept: Kept, directory: string): Promise<readonly Sight[]> {
  if (kept.entries.length === 0) return [];
  const fragments = kept.entries.map((entry) => ({
    look: lookFragment(entry, directory),
    texts: entry.was === 'file' ? textFragments(entry, directory) : [],
  }));
  const outcomes = [...(await host.exchange(fragments.flatMap(({look, texts}) => [look, ...texts])))];
  return kept.entries.map((entry, i): Sight => {
    const [look, before, now] = outcomes.splice(0, 1 + fragments[i]!.texts.length);
    const seen = decodeLook(entry, replyOf(look));
    if (seen.isBefore) return {entry, is: 'ok', changes: []};
    if (entry.was === 'lost') return {entry, is: 'refused', message: 'the folder was too big to be kept', changes: []};
    const left = kept.left.get(entry.path);
    if (left !== undefined && left !== seen.now)
      return {entry, is: 'refused', message: 'changed since that run', changes: []};
    return {entry, is: 'todo', changes: changesOf(entry, seen.now, shown(now), shown(before))};
  });
}

/** From what is there (`TYPE SHA256 MODE UID GID`) to what was. */
function changesOf(
  entry: BackedUp,
  now: string,
  nowText: string | undefined,
  beforeText: string | undefined,
): readonly Change[] {
  const [type = '', , mode = '', uid = '', gid = ''] = now.split(' ');
  if (entry.was === 'absent') return [{what: type, before: entry.path, after: undefined}];
  if (entry.was === 'link')
    return [{what: 'link', before: type === 'link' ? 'elsewhere' : undefined, after: entry.target}];
  if (entry.was === 'tree' || entry.was === 'lost') return [{what: 'directory', before: undefined, after: entry.path}];
  const changes: Change[] = [];
  if (entry.was === 'file') {
    const isShown = beforeText !== undefined && (nowText !== undefined || type === 'absent');
    if (!isShown)
      changes.push({
        what: 'content',
        before: type === 'absent' ? undefined : 'not shown: not everybody may read it',
        after: 'as it was, not shown',
      });
    else if (nowText !== beforeText)
      changes.push({what: 'content', before: type === 'absent' ? undefined : nowText, after: beforeText});
  }
  const wanted = octal(entry.mode);
  if (type !== 'absent' && parseInt(mode, 8) !== entry.mode)
    changes.push({what: 'mode', before: mode.padStart(4, '0'), after: wanted});
  if (type !== 'absent' && (uid !== String(entry.uid) || gid !== String(entry.gid)))
    changes.push({what: 'owner', before: `${uid}:${gid}`, after: `${entry.uid}:${entry.gid}`});
  return changes.length > 0 ? changes : [{what: 'content', before: undefined, after: entry.path}];
}

/** Text behind the word that it may be shown; bytes that are no text are not. */
function shown(outcome: Outcome | undefined): string | undefined {
  if (outcome?.ran !== true || outcome.reply.exit !== 0) return undefined;
  const text = stdoutText(outcome.reply);
  return text.startsWith('shown\n') && !text.includes('\0') && !text.includes('\ufffd') ? text.slice(6) : undefined;
}

async function unitsNow(host: PutBackHost, units: readonly UnitBefore[]): Promise<readonly UnitBefore[]> {
  if (units.length === 0) return [];
  const outcomes = await host.exchange(units.map(({unit}) => unitLook(unit)));
  return units.map(({unit}, i) => {
    const [enabled = '', active = ''] = stdoutText(replyOf(outcomes[i])).split(/\s+/);
    return {unit, enabled, active};
  });
}

type Failure = {readonly is: 'failed' | 'refused'; readonly message: string};

/** Does it, guarded where a door is among it. Gives what failed, by name. */
async function apply(
  host: PutBackHost,
  what: {
    readonly directory: string;
    readonly todo: readonly BackedUp[];
    readonly units: ReturnType<typeof unitsToSet>;
    readonly options: {readonly from: string; readonly as: string; readonly guardId: string};
  },
): Promise<ReadonlyMap<string, Failure>> {
  const {todo, units, options, directory} = what;
  const isGuarded = todo.some(({path}) => opensDoors(path)) || units.some(({unit}) => opensDoors(unit));
  const onFailure = isGuarded ? 'stop' : 'go-on';
  const names: string[] = [];
  const fragments: Fragment[] = [];
  const add = (name: string, ...more: readonly Fragment[]): void => {
    fragments.push(...more);
    names.push(...more.map(() => name));
  };
  if (host.lockPath !== undefined)
    add('the lock', {...lockCheckFragment(host.lockPath, options.as), onFailure: 'stop'});
  const steps = unitFragments(
    units,
    todo.map(({path}) => path),
    onFailure,
  );
  if (isGuarded)
    add(
      'the guard',
      ...armFragments(
        {
          id: options.guardId,
          restores: todo.map(({path}) => path),
          units: units.map(({unit}) => unit),
          undo: units.map(({unit}) => ({op: 'run', argv: ['systemctl', 'try-reload-or-restart', unit]})),
          withinMs: GUARD_MS,
        },
        {group: 1, onFailure: 'stop'},
      ),
    );
  const backupDir = `/var/lib/tsplay/backup/${options.as}`;
  if (units.length > 0)
    add(
      'notes',
      notingUnits(
        units.map(({unit}) => unit),
        backupDir,
      ),
    );
  for (const entry of todo)
    add(
      entry.path,
      ...rollbackFragments(entry, directory, {
        backupDir,
        group: 1,
        onFailure,
        label: `putting back ${entry.path}`,
        timeoutMs: 600_000,
      }),
    );
  for (const {unit, fragment} of steps) add(unit, fragment);
  const outcomes = await host.exchange(fragments);
  const failures = new Map<string, Failure>();
  for (const [i, outcome] of outcomes.entries()) {
    if (!outcome.ran || (outcome.reply.exit === 0 && !outcome.timedOut) || failures.has(names[i]!)) continue;
    failures.set(names[i]!, {
      is: outcome.reply.exit === exitStatus.unsafe ? 'refused' : 'failed',
      message: errorText(outcome.reply),
    });
  }
  const all = [...todo.map(({path}) => path), ...units.map(({unit}) => unit)];
  const broken = failures.get('the lock') ?? failures.get('the guard');
  if (broken !== undefined) return new Map(all.map((name) => [name, broken]));
  if (!isGuarded) return failures;
  const trouble = failures.size > 0 ? 'another step failed' : await host.freshLogin();
  if (trouble === undefined) {
    const [confirmed] = await host.exchange([confirmFragment(options.guardId)]);
    if (replyOf(confirmed).exit === 0) return failures;
  }
  await host.exchange([restoreFragment(options.guardId)]);
  const message =
    trouble === undefined
      ? 'the guard could not be confirmed'
      : `${failures.size > 0 ? '' : 'a fresh login failed, '}so everything is again as the run left it: ${trouble}`;
  return new Map(all.map((name) => [name, failures.get(name) ?? {is: 'failed' as const, message}]));
}

function replyOf(outcome: Outcome | undefined): Reply {
  return outcome?.ran === true
    ? outcome.reply
    : {exit: 1, stdout: new Uint8Array(), stderr: new TextEncoder().encode('it was not tried')};
}

function errorText({stderr, exit}: Reply): string {
  return new TextDecoder().decode(stderr).trim() || `exit status ${exit}`;
}
