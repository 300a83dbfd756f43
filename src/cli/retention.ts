import {statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {historyFolder} from '../store/places.ts';
import {pruneHistory, type Retention} from '../store/prune.ts';
import type {Settings} from './settings.ts';

/** What the settings say that the history keeps; without any, a year, and a GiB. */
export function retentionOf(settings: Settings): Retention {
  const {history_runs: runs, history_days: days, history_mib: mib} = settings;
  return {
    ...(runs === undefined ? {} : {runs}),
    days: days ?? 365,
    bytes: (mib ?? 1024) * 2 ** 20,
  };
}

/** Prunes the history, once a day at most. A history that cannot be pruned is no reason to fail: the next run tries again. */
export function pruneDaily(state: string, settings: Settings, by: string, now: Date): void {
  const folder = historyFolder(state);
  const mark = join(folder, 'pruned');
  const last = statSync(mark, {throwIfNoEntry: false})?.mtimeMs;
  // a clock that was set back must not put it off for long
  if (last !== undefined && Math.abs(now.getTime() - last) < 86_400_000) return;
  try {
    const retention = retentionOf(settings);
    pruneHistory(folder, retention, {by, reason: JSON.stringify(retention), now, isDry: false});
    writeFileSync(mark, '', {mode: 0o600});
    utimesSync(mark, now, now);
  } catch {
    // said by the record of the run itself, where the disk is the reason
  }
}
