// How each host stands by each schedule, and what became of that: who is told about a change is decided here, in the transaction that writes it.
import type {Row, Statements} from './database.ts';

/** `fixed`: it had drifted, and is as declared again. */
export type HostState = 'in sync' | 'drifted' | 'fixed' | 'failed' | 'unreachable';

export const hostStates: readonly HostState[] = ['in sync', 'drifted', 'fixed', 'failed', 'unreachable'];

/** What a pass found on one host. */
export type HostFinding = {
  readonly host: string;
  readonly state: HostState;
  /** id of the run in the controller's history */
  readonly run: string | undefined;
  /** why, in a line, secrets hidden */
  readonly message: string | undefined;
  readonly roundTrips: number;
};

/** A change of a host's state. `before` undefined: it was seen for the first time. */
export type StateChange = {
  readonly schedule: string;
  readonly host: string;
  readonly before: HostState | undefined;
  readonly after: HostState;
  /** ISO 8601 */
  readonly at: string;
  readonly run: string | undefined;
  readonly message: string | undefined;
};

/** A host's state as it is kept. */
export type StoredHostState = HostFinding & {
  readonly schedule: string;
  readonly since: Date;
  readonly checked: Date;
  readonly due: Date;
  readonly controller: string;
};

/** The hosts of which a pass for this occurrence (or a later one) has told already. */
export async function settledHosts(
  statements: Statements,
  schedule: string,
  due: Date,
  hosts: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await statements.query(
    'SELECT host FROM tsplay.host_states WHERE schedule = $1 AND due >= $2 AND host = ANY($3::text[])',
    [schedule, due.toISOString(), [...hosts]],
  );
  return new Set(rows.map((row) => String(row['host'])));
}

/** Writes what a pass found; gives the changes that somebody has to be told of. */
export async function writeStates(
  statements: Statements,
  findings: readonly HostFinding[],
  pass: {readonly schedule: string; readonly due: Date; readonly now: Date; readonly controller: string},
): Promise<readonly StateChange[]> {
  const known = await statements.query(
    'SELECT host, state FROM tsplay.host_states WHERE schedule = $1 AND host = ANY($2::text[])',
    [pass.schedule, findings.map(({host}) => host)],
  );
  const before = new Map(known.map((row) => [String(row['host']), row['state'] as HostState]));
  const changes: StateChange[] = [];
  for (const {host, state, run, message, roundTrips} of findings) {
    await statements.query(
      `INSERT INTO tsplay.host_states (schedule, host, state, since, checked, due, run, controller, message, round_trips)
       VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (schedule, host) DO UPDATE SET state = excluded.state, checked = excluded.checked, due = excluded.due, run = excluded.run,
         controller = excluded.controller, message = excluded.message, round_trips = excluded.round_trips,
         since = CASE WHEN tsplay.host_states.state = excluded.state THEN tsplay.host_states.since ELSE excluded.since END`,
      [
        pass.schedule,
        host,
        state,
        pass.now.toISOString(),
        pass.due.toISOString(),
        run ?? null,
        pass.controller,
        message ?? null,
        roundTrips,
      ],
    );
    const was = before.get(host);
    if (was === state) continue;
    await statements.query(
      'INSERT INTO tsplay.changes (schedule, host, before, after, at, run) VALUES ($1, $2, $3, $4, $5, $6)',
      [pass.schedule, host, was ?? null, state, pass.now.toISOString(), run ?? null],
    );
    changes.push({schedule: pass.schedule, host, before: was, after: state, at: pass.now.toISOString(), run, message});
  }
  return changes;
}

/** Whether a change is worth telling. That a new host is in sync is no news. */
export function isNews({before, after}: Pick<StateChange, 'before' | 'after'>): boolean {
  return before !== after && !(before === undefined && after === 'in sync');
}

/** The states that are kept, by schedule and host. */
export async function readStates(
  statements: Statements,
  filter: {readonly schedule?: string; readonly host?: string} = {},
): Promise<readonly StoredHostState[]> {
  const rows = await statements.query(
    `SELECT * FROM tsplay.host_states WHERE ($1::text IS NULL OR schedule = $1) AND ($2::text IS NULL OR host = $2)
     ORDER BY schedule, host`,
    [filter.schedule ?? null, filter.host ?? null],
  );
  return rows.map((row): StoredHostState => ({
    schedule: String(row['schedule']),
    host: String(row['host']),
    state: row['state'] as HostState,
    since: row['since'] as Date,
    checked: row['checked'] as Date,
    due: row['due'] as Date,
    run: textOf(row, 'run'),
    controller: String(row['controller']),
    message: textOf(row, 'message'),
    roundTrips: Number(row['round_trips']),
  }));
}

/** Changes of a host's states, the newest first. */
export async function readChanges(
  statements: Statements,
  filter: {readonly host?: string; readonly limit: number},
): Promise<readonly StateChange[]> {
  const rows = await statements.query(
    'SELECT * FROM tsplay.changes WHERE ($1::text IS NULL OR host = $1) ORDER BY at DESC, id DESC LIMIT $2',
    [filter.host ?? null, filter.limit],
  );
  return rows.map((row) => ({
    schedule: String(row['schedule']),
    host: String(row['host']),
    before: textOf(row, 'before') as HostState | undefined,
    after: row['after'] as HostState,
    at: (row['at'] as Date).toISOString(),
    run: textOf(row, 'run'),
    message: undefined,
  }));
}

function textOf(row: Row, name: string): string | undefined {
  return (row[name] as string | null) ?? undefined;
}
