// The queue: pg-boss on whichever database there is. Three queues: occurrences to be cut into pieces, pieces of work on hosts, messages to be sent. A job whose controller died
// is seen by its missing heartbeat and goes to another one.
import type {Job, PgBoss, SendOptions} from 'pg-boss';
import type {Database, Statements} from './database.ts';
import {QUEUE_SCHEMA} from './tables.ts';
import type {StateChange} from './host-states.ts';

/** An occurrence that has come: to be cut into pieces. */
export type FiringJob = {readonly schedule: string; readonly due: string};

/** Work on some hosts. `together`: with all of them or with none, since the plays look at each other's hosts. `attempt` counts from 0. */
export type HostsJob = {
  readonly schedule: string;
  readonly due: string;
  readonly hosts: readonly string[];
  readonly together: boolean;
  readonly attempt: number;
};

/** A message to somebody, about changes. `target`: which of the schedule's, by number. */
export type NoticeJob = {readonly schedule: string; readonly target: number; readonly changes: readonly StateChange[]};

type Jobs = {readonly firings: FiringJob; readonly hosts: HostsJob; readonly notices: NoticeJob};
export type QueueName = keyof Jobs;

/** A job in hand: it has to be touched, and then completed, put back or failed. */
export type Taken<Name extends QueueName> = {
  readonly id: string;
  readonly retryCount: number;
  readonly data: Jobs[Name];
};

/** *units*: seconds without a heartbeat after which a job goes to somebody else; seconds between two looks for such jobs. */
const HEARTBEAT_SECONDS = 20;
const WATCH_SECONDS = 5;

const options = {
  firings: {retryLimit: 1000, retryDelay: 2},
  hosts: {retryLimit: 1000, retryDelay: 1},
  // tried for about a day
  notices: {retryLimit: 12, retryDelay: 15, retryBackoff: true, retryDelayMax: 3 * 3600},
} as const;

/** The queues as the rest works with them. */
export class Queue {
  readonly #boss: PgBoss;

  private constructor(boss: PgBoss) {
    this.#boss = boss;
  }

  /** Starts the queue; makes its tables where there are none. `watch` false: a short-lived command, which does not look after other people's jobs. */
  static async start(database: Database, watch: boolean, onError: (error: Error) => void): Promise<Queue> {
    const {PgBoss: Boss} = await import('pg-boss');
    const boss = new Boss({
      db: {
        executeSql: async (text, values) => ({
          rows: [
            ...(values === undefined || values.length === 0
              ? await database.script(text)
              : await database.query(text, values)),
          ],
        }),
      },
      backend: database.backend,
      schema: QUEUE_SCHEMA,
      schedule: false,
      supervise: watch,
      registerInstance: false,
      superviseIntervalSeconds: WATCH_SECONDS,
      monitorIntervalSeconds: WATCH_SECONDS,
      maintenanceIntervalSeconds: 3600,
      persistWarnings: false,
      monitorVacuum: false,
      reindex: false,
      openTelemetry: {enabled: false},
    });
    boss.on('error', onError);
    await boss.start();
    for (const name of ['firings', 'hosts', 'notices'] as const)
      await boss.createQueue(name, {
        ...options[name],
        heartbeatSeconds: HEARTBEAT_SECONDS,
        expireInSeconds: 24 * 3600 - 1,
        retentionSeconds: 14 * 24 * 3600,
        deleteAfterSeconds: 3600,
      });
    return new Queue(boss);
  }

  /** Puts a job into a queue, within a transaction where one is given. `after`: not before then. */
  async send<Name extends QueueName>(
    name: Name,
    data: Jobs[Name],
    more: {readonly tx?: Statements; readonly after?: Date} = {},
  ): Promise<void> {
    const how: SendOptions = {
      ...(more.after === undefined ? {} : {startAfter: more.after}),
      ...(more.tx === undefined ? {} : {db: asDb(more.tx)}),
    };
    await this.#boss.send(name, data, how);
  }

  /** Takes the next job that is ready. */
  async take<Name extends QueueName>(name: Name): Promise<Taken<Name> | undefined> {
    const [job]: readonly (Job<Jobs[Name]> | undefined)[] = await this.#boss.fetch<Jobs[Name]>(name, {batchSize: 1});
    return job === undefined ? undefined : {id: job.id, retryCount: job.retryCount, data: job.data};
  }

  /** A sign of life for a job. false = it belongs to somebody else by now. */
  async touch(name: QueueName, job: Taken<QueueName>): Promise<boolean> {
    const answer = (await this.#boss.touch(name, {id: job.id, retryCount: job.retryCount})) as {affected?: number};
    return answer.affected !== 0;
  }

  async complete(name: QueueName, job: Taken<QueueName>, tx?: Statements): Promise<void> {
    await this.#boss.complete(
      name,
      {id: job.id, retryCount: job.retryCount},
      null,
      tx === undefined ? {} : {db: asDb(tx)},
    );
  }

  /** It did not work: it is tried again, with back-off, or given up after its last try. */
  async fail(name: QueueName, job: Taken<QueueName>, reason: string): Promise<void> {
    await this.#boss.fail(name, {id: job.id, retryCount: job.retryCount}, {reason});
  }

  async stop(): Promise<void> {
    await this.#boss.stop({graceful: false, close: false});
  }
}

/** Where only one controller can be, jobs that were in hand before it started are to be done again at once. */
export async function takeBackJobs(statements: Statements): Promise<void> {
  await statements.query(
    `UPDATE ${QUEUE_SCHEMA}.job SET state = 'retry', start_after = now(), heartbeat_on = NULL WHERE state = 'active'`,
  );
}

/** How full the queues are. *units*: seconds; `lagSeconds` of the oldest job that could begin. */
export async function queueDepths(
  statements: Statements,
): Promise<
  Readonly<Record<QueueName, {readonly waiting: number; readonly active: number; readonly lagSeconds: number}>>
> {
  const rows = await statements.query(
    `SELECT name, count(*) FILTER (WHERE state < 'active')::int AS waiting, count(*) FILTER (WHERE state = 'active')::int AS active,
       coalesce(extract(epoch FROM now() - min(start_after) FILTER (WHERE state < 'active' AND start_after <= now())), 0)::float AS lag
     FROM ${QUEUE_SCHEMA}.job WHERE state <= 'active' GROUP BY name`,
  );
  const of = (name: QueueName) => {
    const row = rows.find((each) => each['name'] === name);
    return {
      waiting: Number(row?.['waiting'] ?? 0),
      active: Number(row?.['active'] ?? 0),
      lagSeconds: Number(row?.['lag'] ?? 0),
    };
  };
  return {firings: of('firings'), hosts: of('hosts'), notices: of('notices')};
}

function asDb(tx: Statements): NonNullable<SendOptions['db']> {
  return {executeSql: async (text, values) => ({rows: [...(await tx.query(text, values ?? []))]})};
}
