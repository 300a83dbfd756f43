import {join} from 'node:path';

/** The history's folder in a state folder. */
export function historyFolder(stateFolder: string): string {
  return join(stateFolder, 'history');
}

/** Where a run's records lie. `folder`: the history's, as below. */
export function runFile(folder: string, id: string): string {
  return join(folder, 'runs', `${id}.jsonl`);
}

/** Says that a run is being written, and by whom: what a killed controller leaves is found by it. */
export function openMark(folder: string, id: string): string {
  return join(folder, 'open', id);
}
