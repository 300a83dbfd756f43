// `--resume`: the same command again, only on the hosts that an earlier run did not bring to its end. They are compared from the first task on: what is as
// declared costs the same one exchange however many tasks it is, and nothing hangs on values that a former run had registered.
import {basename} from 'node:path';
import {error, type Diagnostic} from '../base/diagnostic.ts';
import type {History} from '../store/history.ts';
import type {RecordedRun} from '../store/recorded-run.ts';
import type {RunBrief} from '../store/records.ts';
import {oneRun} from './history-command.ts';

/** The run to go on with, and the hosts that it has left. */
export type Resumed = {readonly run: string; readonly hosts: readonly string[]};

/**
 * Finds what is left of a run. `word` names the run as `history show` takes it; without one it is the newest run of the same playbooks. `selected`: the hosts
 * that the command would work on. *errors*: a diagnostic where there is no such run, it was none, or it has left nothing.
 */
export function resumePoint(
  history: History,
  word: string | undefined,
  playbooks: readonly string[],
  selected: ReadonlySet<string>,
): Resumed | Diagnostic {
  const found = word === undefined ? newestOf(history, playbooks) : oneRun(history, word);
  if ('severity' in found) {
    const looksLikeFile = word !== undefined && /\.ya?ml$/.test(word);
    return looksLikeFile ? {...found, help: 'write --resume behind the playbooks, or --resume=RUN'} : found;
  }
  const nothing = (message: string, help?: string): Diagnostic =>
    error('nothing-to-resume', `run ${found.id} ${message}`, help === undefined ? {} : {help});
  if (found.mode !== 'run' && found.mode !== 'apply')
    return nothing(`was a ${found.mode}: there is nothing to go on with`);
  if (!samePlaybooks(found, playbooks))
    return nothing(`was of ${found.playbooks.join(', ')}`, 'give the same playbooks again');
  if (found.status === 'running') return nothing('is still going on');
  const hosts = unfinished(history.read(found.id), selected);
  return hosts.length > 0 ? {run: found.id, hosts} : nothing('came to its end on every host of this command');
}

/**
 * Of these hosts, those that the run was meant for and did not come to, or that failed, could not be reached, or were still being worked on when it was cut off.
 * Of a run that was cut off nobody knows any more whom it was meant for: then all of these count.
 */
export function unfinished(
  run: Pick<RecordedRun, 'plays' | 'hosts'>,
  selected: ReadonlySet<string>,
): readonly string[] {
  const played = new Set(run.plays.flatMap(({hosts}) => hosts));
  const wasCutOff = Object.keys(run.hosts).length === 0;
  return [...selected].filter((host) => {
    const status = run.hosts[host]?.status;
    if (status === undefined) return wasCutOff;
    return !played.has(host) || (status !== 'ok' && status !== 'changed');
  });
}

function newestOf(history: History, playbooks: readonly string[]): RunBrief | Diagnostic {
  return (
    history.list({mode: ['run', 'apply']}).find((brief) => samePlaybooks(brief, playbooks)) ??
    error('nothing-to-resume', `the history has no run of ${playbooks.join(', ')}`, {help: 'see `tsplay history`'})
  );
}

/** Paths may be written differently from another folder: the names of the files have to be the same, in the same order. */
function samePlaybooks(brief: RunBrief, playbooks: readonly string[]): boolean {
  return (
    brief.playbooks.map((path) => basename(path)).join('\0') === playbooks.map((path) => basename(path)).join('\0')
  );
}
