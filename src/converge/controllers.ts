// The controllers that share a database: each says every few seconds that it lives. Nothing is decided by this but how work is cut into pieces; leases decide who works.
import type {Statements} from './database.ts';

/** A controller. `declines`: schedules that it leaves to others, with the reason. */
export type Controller = {
  readonly id: string;
  readonly machine: string;
  readonly pid: number;
  readonly kind: 'service' | 'worker';
  readonly version: string;
  readonly started: Date;
  readonly beat: Date;
  readonly declines: Readonly<Record<string, string>>;
};

/** *units*: seconds after its last word until a controller counts as gone. */
const GONE_SECONDS = 15;

/** Says that a controller lives. */
export async function beat(
  statements: Statements,
  controller: Pick<Controller, 'id' | 'machine' | 'pid' | 'kind' | 'version' | 'declines'>,
): Promise<void> {
  await statements.query(
    `INSERT INTO tsplay.controllers (id, machine, pid, kind, version, started, beat, declines)
     VALUES ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp(), $6::jsonb)
     ON CONFLICT (id) DO UPDATE SET beat = clock_timestamp(), declines = excluded.declines`,
    [
      controller.id,
      controller.machine,
      controller.pid,
      controller.kind,
      controller.version,
      JSON.stringify(controller.declines),
    ],
  );
}

/** A controller leaves. Those that were gone for a day are forgotten too. */
export async function leave(statements: Statements, id: string): Promise<void> {
  await statements.query(
    "DELETE FROM tsplay.controllers WHERE id = $1 OR beat < clock_timestamp() - interval '1 day'",
    [id],
  );
}

/** The controllers that live. */
export async function liveControllers(statements: Statements): Promise<readonly Controller[]> {
  const rows = await statements.query(
    "SELECT * FROM tsplay.controllers WHERE beat > clock_timestamp() - $1::int * interval '1 second' ORDER BY machine, id",
    [GONE_SECONDS],
  );
  return rows.map((row) => ({
    id: String(row['id']),
    machine: String(row['machine']),
    pid: Number(row['pid']),
    kind: row['kind'] as Controller['kind'],
    version: String(row['version']),
    started: row['started'] as Date,
    beat: row['beat'] as Date,
    declines: row['declines'] as Readonly<Record<string, string>>,
  }));
}
