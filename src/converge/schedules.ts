// The schedules as the database keeps them.
import type {Row, Statements} from './database.ts';
import type {Schedule} from './schedule.ts';

/** A schedule with how it stands. */
export type StoredSchedule = Schedule & {
  /** the commit that every controller's site has to be at; undefined = the site is not in git */
  readonly commit: string | undefined;
  readonly paused: boolean;
  readonly seenUntil: Date;
  readonly created: Date;
};

/** All schedules by name. */
export async function allSchedules(statements: Statements): Promise<readonly StoredSchedule[]> {
  const rows = await statements.query('SELECT * FROM tsplay.schedules ORDER BY name');
  return rows.map(fromRow);
}

/** One schedule; undefined where there is none of this name. `lock`: for the rest of the transaction nobody else has it. */
export async function scheduleNamed(
  statements: Statements,
  name: string,
  lock: 'lock' | 'read' = 'read',
): Promise<StoredSchedule | undefined> {
  const [row] = await statements.query(
    `SELECT * FROM tsplay.schedules WHERE name = $1${lock === 'lock' ? ' FOR UPDATE SKIP LOCKED' : ''}`,
    [name],
  );
  return row === undefined ? undefined : fromRow(row);
}

/** Adds a schedule; `replace` puts it in the place of one of the same name. false = the name is taken. */
export async function addSchedule(
  statements: Statements,
  schedule: Schedule,
  more: {readonly commit: string | undefined; readonly now: Date; readonly replace: boolean},
): Promise<boolean> {
  const rows = await statements.query(
    `INSERT INTO tsplay.schedules (name, definition, site_commit, seen_until, created, updated)
     VALUES ($1, $2::jsonb, $3, $4, $4, $4)
     ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, site_commit = excluded.site_commit, seen_until = excluded.seen_until,
       updated = excluded.updated
     WHERE $5::boolean
     RETURNING name`,
    [schedule.name, JSON.stringify(schedule), more.commit ?? null, more.now.toISOString(), more.replace],
  );
  return rows.length > 0;
}

/** Removes a schedule with its states. false = there was none. */
export async function removeSchedule(statements: Statements, name: string): Promise<boolean> {
  return (await statements.query('DELETE FROM tsplay.schedules WHERE name = $1 RETURNING name', [name])).length > 0;
}

/** Pauses or resumes; what was due while it was paused is not made up for. false = there is no such schedule. */
export async function pauseSchedule(
  statements: Statements,
  name: string,
  paused: boolean,
  now: Date,
): Promise<boolean> {
  const rows = await statements.query(
    'UPDATE tsplay.schedules SET paused = $2, seen_until = $3, updated = $3 WHERE name = $1 RETURNING name',
    [name, paused, now.toISOString()],
  );
  return rows.length > 0;
}

export async function setSeenUntil(statements: Statements, name: string, until: Date): Promise<void> {
  await statements.query('UPDATE tsplay.schedules SET seen_until = $2 WHERE name = $1', [name, until.toISOString()]);
}

/** The site of every controller has to be at this commit from now on, unless another one was named in the meantime. */
export async function moveCommit(
  statements: Statements,
  name: string,
  from: string | undefined,
  to: string | undefined,
): Promise<boolean> {
  const rows = await statements.query(
    'UPDATE tsplay.schedules SET site_commit = $3 WHERE name = $1 AND site_commit IS NOT DISTINCT FROM $2 RETURNING name',
    [name, from ?? null, to ?? null],
  );
  return rows.length > 0;
}

/** Notes an occurrence as fired. false = it was fired before. */
export async function noteFiring(
  statements: Statements,
  schedule: string,
  due: Date,
  now: Date,
  reason: 'due' | 'by hand',
): Promise<boolean> {
  const rows = await statements.query(
    `INSERT INTO tsplay.firings (schedule, due, fired, reason) VALUES ($1, $2, $3, $4)
     ON CONFLICT (schedule, due) DO NOTHING RETURNING schedule`,
    [schedule, due.toISOString(), now.toISOString(), reason],
  );
  return rows.length > 0;
}

export async function isFired(statements: Statements, schedule: string, due: Date): Promise<boolean> {
  const rows = await statements.query('SELECT 1 FROM tsplay.firings WHERE schedule = $1 AND due = $2', [
    schedule,
    due.toISOString(),
  ]);
  return rows.length > 0;
}

function fromRow(row: Row): StoredSchedule {
  return {
    ...(row['definition'] as Schedule),
    commit: (row['site_commit'] as string | null) ?? undefined,
    paused: row['paused'] === true,
    seenUntil: row['seen_until'] as Date,
    created: row['created'] as Date,
  };
}
