// Earlier runs of the same playbooks, for the plot of a report.
import type {Audit} from '../report/audit.ts';
import {scoreOf} from '../report/audit.ts';
import type {TrendPoint} from '../report/trend.ts';
import {History} from '../store/history.ts';

/** *units*: runs. More would be a blur. */
const most = 60;

/** The scores of the history's runs like this one, oldest first, and this run's at the end. A history that cannot be read has none. */
export function trendPoints(stateFolder: string, audit: Audit): readonly TrendPoint[] {
  const own = {id: audit.run.id, started: audit.run.started, ...scoreOf(audit)};
  return [...earlier(stateFolder, audit), ...(audit.complete ? [own] : [])];
}

function earlier(stateFolder: string, {run}: Audit): readonly TrendPoint[] {
  const of = run.mode === 'plan' ? 'check' : run.mode;
  const playbooks = JSON.stringify(run.playbooks);
  try {
    return new History(stateFolder)
      .list({mode: of === 'check' ? ['check', 'plan'] : [of]})
      .filter(({id, playbooks: theirs}) => id !== run.id && JSON.stringify(theirs) === playbooks)
      .flatMap(({id, started, end}): TrendPoint[] => {
        const score = end?.notes['score'];
        if (typeof score !== 'object' || score === null) return [];
        const {passed, judged} = score as Record<string, unknown>;
        return typeof passed === 'number' && typeof judged === 'number' ? [{id, started, passed, judged}] : [];
      })
      .slice(0, most)
      .reverse();
  } catch {
    return [];
  }
}
