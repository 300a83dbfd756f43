import type {Statements} from './database.ts';

/** The time that schedules go by. */
export type Clock = () => Promise<Date>;

/** The database's clock: one for all controllers, whatever theirs say. */
export function databaseClock(statements: Statements): Clock {
  return async () => {
    const [row] = await statements.query('SELECT clock_timestamp() AS now');
    return row!['now'] as Date;
  };
}
