// Plans that scheduled checks have saved and that wait for somebody's word.
import type {Database, Statements} from './database.ts';

/** A saved plan. `superseded`: a later check has saved another one. */
export type SavedPlan = {
  readonly id: string;
  readonly schedule: string;
  /** ISO 8601 */
  readonly made: string;
  readonly hosts: readonly string[];
  /** on whose disk it lies, and where */
  readonly controller: string;
  readonly path: string;
  readonly state: 'waiting' | 'applied' | 'rejected' | 'superseded';
  readonly decidedBy: string | undefined;
};

/** Notes a plan; those of the same schedule that still wait are superseded by it. */
export async function notePlan(
  statements: Statements,
  plan: Pick<SavedPlan, 'id' | 'schedule' | 'hosts' | 'controller' | 'path'>,
  due: Date,
  now: Date,
): Promise<void> {
  await statements.query("UPDATE tsplay.plans SET state = 'superseded' WHERE schedule = $1 AND state = 'waiting'", [
    plan.schedule,
  ]);
  await statements.query(
    `INSERT INTO tsplay.plans (id, schedule, due, hosts, controller, path, state, made) VALUES ($1, $2, $3, $4::jsonb, $5, $6, 'waiting', $7)
     ON CONFLICT (id) DO NOTHING`,
    [
      plan.id,
      plan.schedule,
      due.toISOString(),
      JSON.stringify(plan.hosts),
      plan.controller,
      plan.path,
      now.toISOString(),
    ],
  );
}

/** The plans of all schedules, the newest first. */
export async function plansOf(database: Database): Promise<readonly SavedPlan[]> {
  const rows = await database.query('SELECT * FROM tsplay.plans ORDER BY made DESC LIMIT 200');
  return rows.map((row) => ({
    id: String(row['id']),
    schedule: String(row['schedule']),
    made: (row['made'] as Date).toISOString(),
    hosts: row['hosts'] as readonly string[],
    controller: String(row['controller']),
    path: String(row['path']),
    state: row['state'] as SavedPlan['state'],
    decidedBy: (row['decided_by'] as string | null) ?? undefined,
  }));
}
