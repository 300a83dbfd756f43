// Lists of runs, from the index alone.
import type {HostCounts, RecordedStatus, RunBrief, RunEnd, RunStart} from './records.ts';
import {readIndex} from './run-index.ts';
import {leftRuns} from './settle-left.ts';

/** All runs that the index knows, the newest first. */
export function briefsOf(folder: string): readonly RunBrief[] {
  const left = new Set(leftRuns(folder));
  const briefs = new Map<string, RunBrief>();
  for (const {entry} of readIndex(folder).entries) {
    if (entry.entry === 'opened')
      briefs.set(entry.id, briefOf(entry, left.has(entry.id) ? 'cut-off' : 'running', undefined));
    else if (entry.entry === 'closed' || entry.entry === 'cut-off') {
      const brief = briefs.get(entry.id);
      if (brief === undefined) continue;
      const end = entry.entry === 'closed' ? endOf(entry) : undefined;
      briefs.set(entry.id, {...brief, end, status: end === undefined ? 'cut-off' : statusOf(end)});
    } else if (entry.entry === 'pruned') for (const id of entry.runs) briefs.delete(id);
  }
  return [...briefs.values()].reverse();
}

function endOf({durationMs, exit, hosts, tasks, notes}: RunEnd): RunEnd {
  return {durationMs, exit, hosts, tasks, notes};
}

/** A run in the list, from what it began with and, where there is one, its end. */
export function briefOf(
  start: Pick<RunStart, 'id' | 'mode' | 'playbooks' | 'started' | 'by'> & {readonly schedule?: string},
  status: RecordedStatus,
  end: RunEnd | undefined,
): RunBrief {
  const {id, mode, playbooks, started, by, schedule} = start;
  return {id, mode, playbooks, started, by, ...(schedule === undefined ? {} : {schedule}), status, end};
}

/** How a run that has ended stands. */
export function statusOf({exit, hosts}: {readonly exit: number; readonly hosts: HostCounts}): RecordedStatus {
  if (exit === 130) return 'interrupted';
  if (exit === 1) return 'refused';
  if (hosts.failed > 0 || exit === 70 || (exit & 2) !== 0) return 'failed';
  if (hosts.unreachable > 0) return 'unreachable';
  return hosts.changed > 0 || (exit & 8) !== 0 ? 'changed' : 'ok';
}
