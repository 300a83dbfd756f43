// Who may work on a host now. A lease runs out by the database's clock, the only one that all controllers share; its holder renews it while it works.
import type {Statements} from './database.ts';

/** *units*: seconds. A controller that was killed keeps its hosts so long. */
export const LEASE_SECONDS = 20;
/** *units*: ms between two renewals. */
export const RENEW_MS = 4000;

/** Takes the leases of those hosts that nobody has; gives their names. */
export async function takeLeases(
  statements: Statements,
  hosts: readonly string[],
  holder: string,
  job: string,
): Promise<readonly string[]> {
  // in one order for everybody, so that two who want the same hosts do not wait for each other in a circle
  const rows = await statements.query(
    `INSERT INTO tsplay.leases AS l (host, holder, job, since, until)
     SELECT host, $2, $3, clock_timestamp(), clock_timestamp() + $4::int * interval '1 second'
     FROM unnest($1::text[]) AS host ORDER BY host
     ON CONFLICT (host) DO UPDATE SET holder = excluded.holder, job = excluded.job, since = excluded.since, until = excluded.until
     WHERE l.until < clock_timestamp()
     RETURNING l.host`,
    [[...hosts], holder, job, LEASE_SECONDS],
  );
  return rows.map((row) => String(row['host']));
}

/** Renews the leases of a job; gives the hosts that are still its own. */
export async function renewLeases(statements: Statements, holder: string, job: string): Promise<ReadonlySet<string>> {
  const rows = await statements.query(
    `UPDATE tsplay.leases SET until = clock_timestamp() + $3::int * interval '1 second'
     WHERE holder = $1 AND job = $2 AND until >= clock_timestamp() RETURNING host`,
    [holder, job, LEASE_SECONDS],
  );
  return new Set(rows.map((row) => String(row['host'])));
}

/** Gives the leases of a job back. */
export async function freeLeases(statements: Statements, holder: string, job: string): Promise<void> {
  await statements.query('DELETE FROM tsplay.leases WHERE holder = $1 AND job = $2', [holder, job]);
}

/** Where only one controller can be, whatever was leased before it started belongs to nobody. */
export async function freeAllLeases(statements: Statements): Promise<void> {
  await statements.query('DELETE FROM tsplay.leases');
}
