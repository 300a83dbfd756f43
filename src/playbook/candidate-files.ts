// Files whose names hang on facts (`vars/{{ ansible_distribution }}.yml`): all that are there and fit stand for the one that a host will choose.
import {readdirSync} from 'node:fs';
import {basename, dirname, isAbsolute, join, resolve} from 'node:path';
import {findUnknown} from '../base/unknown.ts';
import {parseExpression} from '../template/template.ts';
import {listOf} from './keywords.ts';
import {child} from './node.ts';
import type {Node, ScalarNode} from './node.ts';
import type {TaskScope} from './scope-task.ts';

/**
 * Absolute paths of files that a name may mean, in any of the folders. undefined: nothing can be said, for the name has no known part, or no file fits.
 * `inside`: subfolders such as `vars` that are searched too. `loop`: the loop's source where the name is the loop's variable (`with_first_found`).
 */
export function candidateFiles(
  name: Node,
  scope: TaskScope,
  folders: readonly string[],
  inside: readonly string[],
  loop?: {readonly source: Node; readonly loopVar: string},
): readonly string[] | undefined {
  const isItem =
    loop !== undefined && name.kind === 'scalar' && String(name.value).replace(/[{}\s]/g, '') === loop.loopVar;
  const names = isItem ? namesInLoop(loop.source) : listOf(name).map((node) => ({node, folder: undefined}));
  const files = new Set<string>();
  for (const {node, folder} of names) {
    const pattern = node.kind === 'scalar' ? patternOf(node, scope) : undefined;
    const where = folder === undefined ? '' : patternOf(folder, scope);
    if (pattern === undefined || where === undefined) return undefined;
    const wanted = join(where, pattern);
    // beside the playbook `*.yml` would be the playbooks themselves
    const home = scope.place.play?.folder ?? scope.place.run.cwd;
    const anything = /^\*\.\w+$/.test(wanted);
    const others = inside.length > 0 ? [] : folders.filter((each) => each !== home && each !== scope.place.run.cwd);
    const fitting = anything ? others : folders;
    const paths = [
      ...pathsOf(wanted, fitting),
      ...(isAbsolute(wanted) ? [] : inside.flatMap((sub) => folders.map((each) => join(each, sub, wanted)))),
    ];
    for (const path of paths)
      for (const found of matching(path)) if (!anything || !/^main\./.test(basename(found))) files.add(found);
  }
  return files.size === 0 ? undefined : [...files];
}

type Name = {readonly node: Node; readonly folder: ScalarNode | undefined};

/** `[a, b]` or `{files: [a, b], paths: [c]}` or a list of such. */
function namesInLoop(source: Node): readonly Name[] {
  return listOf(source).flatMap((node): readonly Name[] => {
    if (node.kind === 'list') return namesInLoop(node);
    if (node.kind === 'scalar') return [{node, folder: undefined}];
    const paths = listOf(child(node, 'paths')).filter((each) => each.kind === 'scalar');
    return listOf(child(node, 'files')).flatMap((file): readonly Name[] => [
      {node: file, folder: undefined},
      ...paths.map((folder) => ({node: file, folder})),
    ]);
  });
}

/** A text with `*` for every part that is not known yet; undefined where nothing but that would be left. */
function patternOf(node: ScalarNode, scope: TaskScope): string | undefined {
  if (typeof node.value !== 'string' || node.value.includes('{%')) return undefined;
  const pattern = node.value.replace(/\{\{(.*?)\}\}/gs, (_, expression: string) => known(expression, scope) ?? '*');
  return /[^*/.]/.test(basename(pattern).replace(/\.\w+$/, '')) || /[^*]\.\w+$|\*\.\w+$/.test(pattern)
    ? pattern
    : undefined;
}

function known(expression: string, scope: TaskScope): string | undefined {
  const parsed = parseExpression(expression);
  if (!parsed.ok) return undefined;
  const value = scope.evaluateExpression({
    kind: 'scalar',
    value: expression,
    raw: expression,
    style: 'double',
    span: {source: {path: '', text: ''}, start: 0, end: 0},
  });
  if (!value.ok || findUnknown(value.value) !== undefined) return undefined;
  return typeof value.value === 'string' || typeof value.value === 'number' ? String(value.value) : undefined;
}

function pathsOf(pattern: string, folders: readonly string[]): readonly string[] {
  return isAbsolute(pattern) ? [pattern] : folders.map((folder) => resolve(folder, pattern));
}

/** Existing files of a path with `*` in any of its parts. */
function matching(path: string): readonly string[] {
  const folder = dirname(path);
  if (folder === path) return [path];
  const folders = folder.includes('*') ? matching(folder) : [folder];
  const name = new RegExp(
    `^${basename(path)
      .replace(/[\\^$.+?()[\]{}|]/g, '\\$&')
      .replaceAll('*', '[^/]*')}$`,
  );
  return folders.flatMap((each) => {
    try {
      return readdirSync(each)
        .filter((entry) => name.test(entry))
        .sort()
        .map((entry) => join(each, entry));
    } catch {
      return [];
    }
  });
}
