// PostgreSQL, for several controllers. The password never stands in the command line: URL from a file or the environment, or ~/.pgpass (PGPASSFILE).
import pg from 'pg';
import {DatabaseUnusable, type Database, type Row, type Statements} from './database.ts';

/** *units*: ms. A server that does not answer must not hold a lease's renewal longer than the lease lasts. */
const CONNECT_MS = 10_000;
const STATEMENT_MS = 15_000;

/** Opens a pool on a server. `url` as libpq takes it (`postgresql:///tsplay?host=/run/postgresql`). *errors*: DatabaseUnusable. */
export async function openPostgres(url: string): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
    application_name: 'tsplay',
    keepAlive: true,
  });
  // a connection that breaks while idle is replaced by the pool; without a listener it would end the process
  pool.on('error', () => undefined);
  const name = nameOf(url);
  try {
    await pool.query('SELECT 1');
  } catch (cause) {
    await pool.end().catch(() => undefined);
    throw new DatabaseUnusable(
      `the database ${name} cannot be used: ${messageOf(cause)}`,
      'see docs/operations.md, "PostgreSQL": the role, its password (PGPASSFILE, a file) and pg_hba.conf',
    );
  }
  const query = async (text: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    (await pool.query<Row>(text, [...values])).rows;
  return {
    backend: 'postgres',
    shared: true,
    name,
    query,
    script: async (text) => {
      const results = (await pool.query<Row>(text)) as unknown as pg.QueryResult<Row> | readonly pg.QueryResult<Row>[];
      return Array.isArray(results)
        ? (results as readonly pg.QueryResult<Row>[]).flatMap(({rows}) => rows)
        : (results as pg.QueryResult<Row>).rows;
    },
    transaction: async <T>(work: (tx: Statements) => Promise<T>): Promise<T> => {
      const client = await pool.connect();
      let broken: Error | undefined;
      const onError = (error: Error): void => void (broken = error);
      client.on('error', onError);
      try {
        await client.query('BEGIN');
        const result = await work({
          query: async (text, values = []) => (await client.query<Row>(text, [...values])).rows,
        });
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client
          .query('ROLLBACK')
          .catch((problem: unknown) => (broken = problem instanceof Error ? problem : new Error(String(problem))));
        throw error;
      } finally {
        client.off('error', onError);
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
}

/** A database's URL without its password. */
export function nameOf(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^:@/]*):[^@/]*@/, '$1@').replace(/([?&]password=)[^&]*/, '$1…');
}

function messageOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(messageOf).join('; ');
  return cause instanceof Error ? cause.message : String(cause);
}
