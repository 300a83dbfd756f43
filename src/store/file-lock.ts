// A lock between processes that the kernel takes back from a killed one: SQLite's lock of a database file that stays empty.
import {DatabaseSync} from 'node:sqlite';

/** Runs `work` while no other process (or caller) does so with this path; waits for it, 20 seconds at most. *errors*: those of `work`, and of SQLite where the lock cannot be had. */
export function withFileLock<T>(path: string, work: () => T): T {
  const lock = new DatabaseSync(path, {timeout: 20_000});
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return work();
  } finally {
    lock.close();
  }
}
