// The files that `include_vars` reads.
import {readdirSync, statSync} from './disk.ts';
import {basename, join} from 'node:path';
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import {isNonEmpty} from '../base/nonempty.ts';
import {bad, ok} from '../base/result.ts';
import type {Result} from '../base/result.ts';
import type {Node} from './node.ts';
import {candidatePaths, findPath} from './search-path.ts';
import {soughtHelp} from './sought.ts';
import type {VarsFiles} from './vars-files.ts';

/** Variables for `file:` or `dir:` (with `name:`, all below one variable). *errors*: `missing-file`, and those in the files. */
export function readVarsTask(
  values: Readonly<Record<string, unknown>>,
  folders: readonly string[],
  files: VarsFiles,
  span: Span,
): Result<ReadonlyMap<string, Node>> {
  const {file, dir, name} = values;
  const wanted = typeof dir === 'string' ? dir : typeof file === 'string' ? file : undefined;
  if (wanted === undefined)
    return bad(error('missing-param', 'include_vars: name a file or a dir', {span, help: 'include_vars: FILE.yml'}));
  const path = findPath(wanted, folders, ['vars']);
  if (path === undefined) {
    const searched = candidatePaths(wanted, folders, ['vars']);
    return bad(error('missing-file', `there is no file ${wanted}`, {span, help: soughtHelp(searched, files.cwd)}));
  }
  const variables = new Map<string, Node>();
  const problems: Diagnostic[] = [];
  const folder = statSync(path).isDirectory() ? chosen(path, values) : undefined;
  for (const each of folder ?? [path]) {
    const read = files.file(each);
    problems.push(...read.problems.filter((problem) => problem.severity === 'error'));
    for (const [key, variable] of read.variables) variables.set(key, variable.value);
  }
  if (isNonEmpty(problems)) return {ok: false, problems};
  if (typeof name !== 'string') return ok(variables);
  const entries = [...variables].map(([key, value]) => ({key, keySpan: value.span, value}));
  return ok(new Map([[name, {kind: 'map', entries, span}]]));
}

/** The files of a folder that are asked for, in order; those with another ending are not variables. */
function chosen(folder: string, values: Readonly<Record<string, unknown>>): readonly string[] {
  const texts = (value: unknown, otherwise: readonly string[]): readonly string[] =>
    typeof value === 'string' ? [value] : Array.isArray(value) ? value.map(String) : otherwise;
  const extensions = texts(values['extensions'], ['json', 'yaml', 'yml']).map((one) => one.replace(/^\./, ''));
  const ignored = texts(values['ignore_files'], []);
  const depth = Number(values['depth'] ?? 0);
  const wanted = values['files_matching'];
  const files = below(folder, depth === 0 ? Infinity : depth).filter((path) => {
    const name = basename(path);
    if (ignored.some((one) => one === name || matches(one, name))) return false;
    return typeof wanted !== 'string' || matches(wanted, name);
  });
  const known = (path: string): boolean => extensions.some((one) => path.endsWith(`.${one}`));
  return files.filter(known);
}

function matches(expression: string, name: string): boolean {
  try {
    return new RegExp(expression).test(name);
  } catch {
    return false;
  }
}

function below(folder: string, depth: number): readonly string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) return depth > 1 ? below(path, depth - 1) : [];
      return [path];
    });
}
