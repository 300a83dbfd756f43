// Our own tables, beside those of pg-boss. A new version of tsplay adds steps at the end; a step that was released is never changed.
import {DatabaseUnusable, type Database} from './database.ts';

/** The schema of the queue (pg-boss's tables). */
export const QUEUE_SCHEMA = 'tsplay_queue';

const steps: readonly string[] = [
  `CREATE TABLE tsplay.schedules (
    name text PRIMARY KEY,
    definition jsonb NOT NULL,
    -- the site's commit that every controller has to be at
    site_commit text,
    paused boolean NOT NULL DEFAULT false,
    -- every occurrence until then has been considered
    seen_until timestamptz NOT NULL,
    created timestamptz NOT NULL,
    updated timestamptz NOT NULL
  );
  -- an occurrence is in here once: whoever comes second does not fire it
  CREATE TABLE tsplay.firings (
    schedule text NOT NULL REFERENCES tsplay.schedules ON DELETE CASCADE,
    due timestamptz NOT NULL,
    fired timestamptz NOT NULL,
    reason text NOT NULL,
    hosts integer,
    done integer NOT NULL DEFAULT 0,
    finished timestamptz,
    problem text,
    PRIMARY KEY (schedule, due)
  );
  CREATE TABLE tsplay.leases (
    host text PRIMARY KEY,
    holder text NOT NULL,
    job text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL
  );
  CREATE INDEX leases_job ON tsplay.leases (job);
  CREATE TABLE tsplay.host_states (
    schedule text NOT NULL REFERENCES tsplay.schedules ON DELETE CASCADE,
    host text NOT NULL,
    state text NOT NULL,
    since timestamptz NOT NULL,
    checked timestamptz NOT NULL,
    due timestamptz NOT NULL,
    run text,
    controller text NOT NULL,
    message text,
    round_trips integer NOT NULL DEFAULT 0,
    PRIMARY KEY (schedule, host)
  );
  CREATE TABLE tsplay.changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule text NOT NULL,
    host text NOT NULL,
    before text,
    after text NOT NULL,
    at timestamptz NOT NULL,
    run text
  );
  CREATE INDEX changes_host ON tsplay.changes (host, at);
  CREATE TABLE tsplay.controllers (
    id text PRIMARY KEY,
    machine text NOT NULL,
    pid integer NOT NULL,
    kind text NOT NULL,
    version text NOT NULL,
    started timestamptz NOT NULL,
    beat timestamptz NOT NULL,
    declines jsonb NOT NULL DEFAULT '{}'
  );
  CREATE TABLE tsplay.plans (
    id text PRIMARY KEY,
    schedule text NOT NULL REFERENCES tsplay.schedules ON DELETE CASCADE,
    due timestamptz NOT NULL,
    hosts jsonb NOT NULL,
    controller text NOT NULL,
    path text NOT NULL,
    state text NOT NULL,
    made timestamptz NOT NULL,
    decided timestamptz,
    decided_by text
  );`,
];

/** Makes or brings up to date our tables; two controllers that start together do it one after the other. *errors*: DatabaseUnusable. */
export async function prepareTables(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock(7417290)');
    await tx.query('CREATE SCHEMA IF NOT EXISTS tsplay');
    await tx.query('CREATE TABLE IF NOT EXISTS tsplay.version (version integer NOT NULL)');
    const [row] = await tx.query('SELECT max(version) AS version FROM tsplay.version');
    const version = Number(row?.['version'] ?? 0);
    if (version > steps.length)
      throw new DatabaseUnusable(
        `${database.name} belongs to a newer tsplay (its tables are at step ${version}, this one knows ${steps.length})`,
        'upgrade this controller',
      );
    for (const [i, step] of steps.entries()) {
      if (i < version) continue;
      for (const statement of step.split(';')) if (statement.trim() !== '') await tx.query(statement);
      await tx.query('INSERT INTO tsplay.version (version) VALUES ($1)', [i + 1]);
    }
  });
}
