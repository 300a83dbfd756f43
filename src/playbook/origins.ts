// Where a variable of a host comes from, and what it was before something stronger replaced it: for people who wonder.
import {placeOf} from '../base/diagnostic.ts';
import type {Node} from './node.ts';
import type {RunVariables} from './scope-layers.ts';
import {titleOf} from './vars-precedence.ts';
import type {Level} from './vars-precedence.ts';

/** One place that gives a variable; `place` is `file:line:column`. */
export type VariableOrigin = {
  readonly level: Level;
  readonly title: string;
  readonly owner: string;
  readonly place: string;
  readonly value: Node;
};

/** All places that give this variable to this host, the one that counts first; empty where there is none. `playbookFolder`: also count group_vars and host_vars beside that playbook. */
export function originOf(
  run: RunVariables,
  host: string,
  name: string,
  playbookFolder?: string,
): readonly VariableOrigin[] {
  const written = run.inventoryVariables.of(host, playbookFolder).origins.get(name) ?? [];
  const extra = run.extraVars.get(name);
  const all = extra === undefined ? written : [{level: 'extra' as const, owner: host, variable: extra}, ...written];
  return all.map(({level, owner, variable}) => ({
    level,
    title: titleOf(level),
    owner,
    place: placeOf(variable.nameSpan),
    value: variable.value,
  }));
}

/** The names of all variables that inventories, files beside them and the command line give to a host, sorted. */
export function writtenNames(run: RunVariables, host: string, playbookFolder?: string): readonly string[] {
  return [
    ...new Set([...run.inventoryVariables.of(host, playbookFolder).origins.keys(), ...run.extraVars.keys()]),
  ].sort();
}
