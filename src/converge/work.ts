// One piece of work: hosts are leased, the command runs on them, what was found is written together with the end of the job. Whatever happens to this process in between,
// the job and the leases run out and somebody else does it again.
import {performance} from 'node:perf_hooks';
import type {Clock} from './clock.ts';
import type {Database} from './database.ts';
import {settledHosts, writeStates, type HostFinding, type StateChange} from './host-states.ts';
import {freeLeases, LEASE_SECONDS, RENEW_MS, renewLeases, takeLeases} from './leases.ts';
import {notePlan} from './plans.ts';
import {nextInside} from './occurrences.ts';
import type {Queue, Taken} from './queue.ts';
import type {StoredSchedule} from './schedules.ts';
import {SiteUnusable, type PassResult, type SiteRunner} from './site-runner.ts';

/** What a piece of work needs. `told`: lines for the service's log. */
export type Workshop = {
  readonly id: string;
  readonly database: Database;
  readonly queue: Queue;
  readonly runner: SiteRunner;
  readonly clock: Clock;
  readonly isStopping: () => boolean;
  /** raised when what runs has to end now */
  readonly signal: AbortSignal;
  readonly tell: (message: string) => void;
  /** sends word of changes, as part of the transaction */
  readonly notify: (
    tx: Parameters<Parameters<Database['transaction']>[0]>[0],
    schedule: StoredSchedule,
    changes: readonly StateChange[],
  ) => Promise<void>;
};

/** *units*: ms. How long a host that somebody else works on is left alone, at first. */
const BUSY_MS = 5000;
const RETRY_MS = 10_000;
const RETRY_MAX_MS = 5 * 60_000;
/** *units*: ms before the end of a lease that could not be renewed at which its work is given up. */
const FENCE_MS = 6000;
/** A host on which another run works is tried so many times more than one that failed. */
const BUSY_TRIES = 10;

/** Does a piece of work to its end, or gives it back. */
export async function work(shop: Workshop, job: Taken<'hosts'>, schedule: StoredSchedule): Promise<void> {
  const {database, id} = shop;
  const {data} = job;
  const due = new Date(data.due);
  const now = await shop.clock();
  const opens = nextInside(schedule.window, schedule.timezone, now);
  if (opens > now) return giveBack(shop, job, data.hosts, opens);
  const settled = await settledHosts(database, schedule.name, due, data.hosts);
  const wanted = data.hosts.filter((host) => !settled.has(host));
  if (wanted.length === 0) return conclude(shop, job, schedule, {findings: [], busy: [], left: []}, []);
  const mine = await takeLeases(database, wanted, id, job.id);
  const others = wanted.filter((host) => !mine.includes(host));
  if (mine.length === 0 || (data.together && others.length > 0)) {
    await freeLeases(database, id, job.id);
    return giveBack(shop, job, wanted, new Date(now.getTime() + BUSY_MS));
  }
  await using keeper = keepLeases(shop, job, mine);
  let result: PassResult;
  try {
    result = await shop.runner.run({schedule, hosts: mine, due, signal: keeper.signal, isStopping: shop.isStopping});
  } catch (error) {
    if (keeper.signal.aborted) {
      if (keeper.lost)
        return shop.tell(`${schedule.name}: the lease of ${mine.join(', ')} was lost; what ran there was ended`);
      await keeper.stop();
      return await giveBack(shop, job, wanted, now);
    }
    if (!(error instanceof SiteUnusable)) throw error;
    shop.tell(`${schedule.name}: ${error.message}`);
    const findings = mine.map((host): HostFinding => ({
      host,
      state: 'failed',
      run: undefined,
      message: error.message,
      roundTrips: 0,
    }));
    result = {findings, busy: [], left: []};
  }
  await keeper.stop();
  if (keeper.lost)
    return shop.tell(`${schedule.name}: the lease of ${mine.join(', ')} was lost; somebody else tells of it`);
  await conclude(shop, job, schedule, result, others);
}

/** Writes what was found, and sends again what is to be tried again: one transaction with the end of the job. */
async function conclude(
  shop: Workshop,
  job: Taken<'hosts'>,
  schedule: StoredSchedule,
  result: PassResult,
  others: readonly string[],
): Promise<void> {
  const {database, queue, id} = shop;
  const {data} = job;
  const now = await shop.clock();
  const canRetry = data.attempt < schedule.retries;
  const again = result.findings.filter(({state}) => canRetry && (state === 'failed' || state === 'unreachable'));
  const found = result.findings.filter((finding) => !again.includes(finding));
  const isPatient = data.attempt < schedule.retries + BUSY_TRIES;
  const busy = isPatient ? result.busy : [];
  const stuck = (isPatient ? [] : result.busy).map((host): HostFinding => ({
    host,
    state: 'failed',
    run: undefined,
    message: 'another run held the lock of this host all the time',
    roundTrips: 0,
  }));
  await database.transaction(async (tx) => {
    const pass = {schedule: schedule.name, due: new Date(data.due), now, controller: id};
    const findings = [...found, ...stuck];
    const changes = await writeStates(tx, findings, pass);
    const {plan} = result;
    if (plan !== undefined) await notePlan(tx, {...plan, schedule: schedule.name, controller: id}, pass.due, now);
    await shop.notify(tx, schedule, changes);
    const send = async (hosts: readonly string[], attempt: number, afterMs: number): Promise<void> => {
      if (hosts.length === 0) return;
      const after = new Date(now.getTime() + afterMs);
      await queue.send('hosts', {...data, hosts, attempt}, {tx, after});
    };
    const backOffMs = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** data.attempt);
    await send([...again.map(({host}) => host), ...busy], data.attempt + 1, backOffMs);
    await send(others, data.attempt, BUSY_MS);
    await send(result.left, data.attempt, 0);
    await tx.query(
      `UPDATE tsplay.firings SET done = done + $3::int,
         finished = CASE WHEN done + $3::int >= hosts THEN $4::timestamptz ELSE finished END WHERE schedule = $1 AND due = $2`,
      [schedule.name, data.due, findings.length, now.toISOString()],
    );
    await freeLeases(tx, id, job.id);
    await queue.complete('hosts', job, tx);
  });
}

/** Puts a job back as it is, for later. */
export async function giveBack(
  {database, queue, id}: Workshop,
  job: Taken<'hosts'>,
  hosts: readonly string[],
  after: Date,
): Promise<void> {
  await database.transaction(async (tx) => {
    await queue.send('hosts', {...job.data, hosts}, {tx, after});
    await freeLeases(tx, id, job.id);
    await queue.complete('hosts', job, tx);
  });
}

/**
 * Renews the leases of a job until it is stopped. Its signal is raised where a lease has gone to somebody else, where nothing could be renewed until shortly before
 * the end of the lease, and where everything has to end.
 */
function keepLeases(
  {database, queue, id, signal}: Workshop,
  job: Taken<'hosts'>,
  hosts: readonly string[],
): AsyncDisposable & {readonly signal: AbortSignal; readonly lost: boolean; readonly stop: () => Promise<void>} {
  const abort = new AbortController();
  let lost = false;
  let renewedMs = performance.now();
  let renewing: Promise<void> | undefined;
  const giveUp = (): void => {
    lost = true;
    abort.abort(ended());
  };
  const renew = async (): Promise<void> => {
    const beganMs = performance.now();
    try {
      const [still, isOurs] = await Promise.all([renewLeases(database, id, job.id), queue.touch('hosts', job)]);
      if (!isOurs || hosts.some((host) => !still.has(host))) giveUp();
      else renewedMs = beganMs;
    } catch {
      // the database does not answer: the fence below decides
    }
  };
  const timer = setInterval(() => {
    if (performance.now() - renewedMs > LEASE_SECONDS * 1000 - FENCE_MS) giveUp();
    renewing ??= renew().finally(() => (renewing = undefined));
  }, RENEW_MS);
  const onStop = (): void => abort.abort(ended());
  if (signal.aborted) onStop();
  else signal.addEventListener('abort', onStop, {once: true});
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    signal.removeEventListener('abort', onStop);
    await renewing;
  };
  return {
    signal: abort.signal,
    get lost() {
      return lost;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function ended(): Error {
  return Object.assign(new Error('stopped on request'), {name: 'AbortError'});
}
