// What commands ask of the service's database. The same requests are carried out by the command itself, or by the running service that holds the embedded database.
import type {Clock} from './clock.ts';
import {liveControllers, type Controller} from './controllers.ts';
import type {Database} from './database.ts';
import {fireNow} from './firing.ts';
import {readChanges, readStates, type HostState, type StateChange, type StoredHostState} from './host-states.ts';
import {nextAfter} from './occurrences.ts';
import {plansOf, type SavedPlan} from './plans.ts';
import {queueDepths, type Queue} from './queue.ts';
import type {Schedule} from './schedule.ts';
import {
  addSchedule,
  allSchedules,
  pauseSchedule,
  removeSchedule,
  scheduleNamed,
  type StoredSchedule,
} from './schedules.ts';

/** A request, as JSON. */
export type ControlRequest =
  | {readonly do: 'add'; readonly schedule: Schedule; readonly commit: string | undefined; readonly replace: boolean}
  | {readonly do: 'remove'; readonly name: string}
  | {readonly do: 'pause' | 'resume' | 'run'; readonly name: string}
  | {readonly do: 'plans'}
  | {readonly do: 'decide'; readonly plan: string; readonly state: SavedPlan['state']; readonly by: string}
  | {readonly do: 'overview'};

/** How a schedule stands. Times are ISO 8601; null = there is none. */
export type ScheduleView = Schedule & {
  readonly commit: string | null;
  readonly paused: boolean;
  readonly next: string | null;
  readonly lastFiring: {
    readonly due: string;
    readonly fired: string;
    readonly finished: string | null;
    readonly hosts: number | null;
    readonly done: number;
    readonly problem: string | null;
  } | null;
  readonly states: Readonly<Partial<Record<HostState, number>>>;
};

/** Everything at a glance. */
export type Overview = {
  readonly now: string;
  readonly database: string;
  readonly schedules: readonly ScheduleView[];
  readonly controllers: readonly Controller[];
  readonly queues: Awaited<ReturnType<typeof queueDepths>>;
};

/** What came of a request. `value` depends on it: see {@link ControlAnswer}. */
export type ControlReply<T> = {readonly ok: true; readonly value: T} | {readonly ok: false; readonly message: string};

/** The value of the reply to each request. */
export type ControlAnswer<R extends ControlRequest> = R extends {do: 'overview'}
  ? Overview
  : R extends {do: 'plans'}
    ? readonly SavedPlan[]
    : null;

/** Where requests are carried out. */
export type Desk = {readonly database: Database; readonly queue: Queue; readonly clock: Clock};

/** Carries a request out. */
export async function carryOut<R extends ControlRequest>(
  desk: Desk,
  request: R,
): Promise<ControlReply<ControlAnswer<R>>> {
  return (await answer(desk, request)) as ControlReply<ControlAnswer<R>>;
}

async function answer(desk: Desk, request: ControlRequest): Promise<ControlReply<unknown>> {
  const {database, queue, clock} = desk;
  const done = (isDone: boolean, message: string): ControlReply<null> =>
    isDone ? {ok: true, value: null} : {ok: false, message};
  switch (request.do) {
    case 'add': {
      const {schedule, commit, replace} = request;
      const isAdded = await addSchedule(database, schedule, {commit, replace, now: await clock()});
      return done(isAdded, `there is a schedule "${schedule.name}" already (--replace puts this one in its place)`);
    }
    case 'remove':
      return done(await removeSchedule(database, request.name), missing(request.name));
    case 'pause':
    case 'resume':
      return done(
        await pauseSchedule(database, request.name, request.do === 'pause', await clock()),
        missing(request.name),
      );
    case 'run':
      return done(await fireNow(database, queue, request.name, await clock()), missing(request.name));
    case 'plans':
      return {ok: true, value: await plansOf(database)};
    case 'decide': {
      const rows = await database.query(
        'UPDATE tsplay.plans SET state = $2, decided = $3, decided_by = $4 WHERE id = $1 RETURNING id',
        [request.plan, request.state, (await clock()).toISOString(), request.by],
      );
      return done(rows.length > 0, `there is no plan "${request.plan}"`);
    }
    case 'overview':
      return {ok: true, value: await overview(desk)};
  }
}

/** Schedules, controllers and queues as they stand. */
export async function overview({database, clock}: Pick<Desk, 'database' | 'clock'>): Promise<Overview> {
  const now = await clock();
  const [schedules, controllers, queues, firings, counts] = await Promise.all([
    allSchedules(database),
    liveControllers(database),
    queueDepths(database),
    database.query('SELECT DISTINCT ON (schedule) * FROM tsplay.firings ORDER BY schedule, due DESC'),
    database.query('SELECT schedule, state, count(*)::int AS hosts FROM tsplay.host_states GROUP BY schedule, state'),
  ]);
  return {
    now: now.toISOString(),
    database: database.name,
    controllers,
    queues,
    schedules: schedules.map((stored): ScheduleView => {
      const {commit, seenUntil: _seen, created: _created, ...schedule} = stored;
      const last = firings.find((row) => row['schedule'] === stored.name);
      return {
        ...schedule,
        commit: commit ?? null,
        next: nextOf(stored, now),
        lastFiring:
          last === undefined
            ? null
            : {
                due: textOf(last['due'])!,
                fired: textOf(last['fired'])!,
                finished: textOf(last['finished']),
                hosts: last['hosts'] as number | null,
                done: Number(last['done']),
                problem: last['problem'] as string | null,
              },
        states: Object.fromEntries(
          counts
            .filter((row) => row['schedule'] === stored.name)
            .map((row) => [row['state'] as HostState, Number(row['hosts'])]),
        ),
      };
    }),
  };
}

/** The hosts' states, and the newest changes of one host where it is named. */
export async function hostView(
  database: Database,
  host: string | undefined,
  limit: number,
): Promise<{readonly states: readonly StoredHostState[]; readonly changes: readonly StateChange[]}> {
  const filter = host === undefined ? {} : {host};
  const [states, changes] = await Promise.all([
    readStates(database, filter),
    readChanges(database, {...filter, limit}),
  ]);
  return {states, changes};
}

/** Whether a schedule of this name is there. */
export async function hasSchedule(database: Database, name: string): Promise<boolean> {
  return (await scheduleNamed(database, name)) !== undefined;
}

function nextOf(schedule: StoredSchedule, now: Date): string | null {
  return schedule.paused ? null : (nextAfter(schedule, now)?.toISOString() ?? null);
}

function textOf(value: unknown): string | null {
  return value instanceof Date ? value.toISOString() : null;
}

function missing(name: string): string {
  return `there is no schedule "${name}"`;
}
