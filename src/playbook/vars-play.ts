// A play's `vars_files`: their names may be templates, so they are known per host; what they hold counts above the play's own vars.
import {error} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {Secret} from '../base/secret.ts';
import {findUnknown, Unknown} from '../base/unknown.ts';
import type {Variable} from './inventory.ts';
import type {Node} from './node.ts';
import type {PlayVariables} from './scope-layers.ts';
import type {TaskScope} from './scope-task.ts';
import {candidatePaths, findPath} from './search-path.ts';
import {soughtHelp} from './sought.ts';

/** Variables of a play's vars_files for one host. `waits`: a file's name is not known yet, so that any name may come from there. */
export type PlayFileVars = {
  readonly variables: ReadonlyMap<string, Variable>;
  readonly problems: readonly Diagnostic[];
  readonly waits: Unknown | undefined;
};

const none: PlayFileVars = {variables: new Map(), problems: [], waits: undefined};
const read = new WeakMap<PlayVariables, Map<string, PlayFileVars>>();

/** Reads the vars_files of the scope's play for its host, once. While their names are evaluated they count as empty. */
export function playFileVars(scope: TaskScope): PlayFileVars {
  const {play, host} = scope.place;
  if (play === undefined || play.varsFiles.length === 0) return none;
  let ofPlay = read.get(play);
  if (ofPlay === undefined) read.set(play, (ofPlay = new Map<string, PlayFileVars>()));
  const known = ofPlay.get(host);
  if (known !== undefined) return known;
  ofPlay.set(host, none);
  const loaded = load(play, scope.atPlay());
  if (loaded.waits === undefined) ofPlay.set(host, loaded);
  else ofPlay.delete(host);
  return loaded;
}

function load(play: PlayVariables, scope: TaskScope): PlayFileVars {
  const variables = new Map<string, Variable>();
  const problems: Diagnostic[] = [];
  let waits: Unknown | undefined;
  for (const node of play.varsFiles) {
    const evaluated = scope.evaluate(node);
    if (!evaluated.ok) {
      problems.push(...evaluated.problems);
      continue;
    }
    const unknown = findUnknown(evaluated.value);
    if (unknown !== undefined) {
      waits ??= new Unknown(unknown.cause);
      continue;
    }
    const names = (Array.isArray(evaluated.value) ? evaluated.value : [evaluated.value]).map(textOf);
    const path = names.map((name) => findPath(name, [play.folder], ['vars'])).find((found) => found !== undefined);
    if (path === undefined) {
      const searched = names.flatMap((name) => candidatePaths(name, [play.folder], ['vars']));
      problems.push(missing(node, names, soughtHelp(searched, scope.place.run.cwd)));
      continue;
    }
    const file = scope.place.run.varsFiles.file(path);
    problems.push(...file.problems);
    for (const [name, variable] of file.variables) variables.set(name, variable);
  }
  return {variables, problems, waits};
}

function textOf(value: unknown): string {
  return value instanceof Secret ? value.reveal() : String(value);
}

function missing(node: Node, names: readonly string[], help: string): Diagnostic {
  const message =
    names.length === 1 ? `there is no file ${names[0] ?? ''}` : `none of these files exists: ${names.join(', ')}`;
  return error('missing-file', message, {span: node.span, help});
}
