// What the laws quantify over: every module of modules/, and the tasks that its examples write.
import {readdirSync} from 'node:fs';
import type {Module} from '../../src/kit/index.ts';
import {isMapping} from '../../src/base/json.ts';
import {parseYaml} from '../../src/playbook/yaml.ts';
import type {Node} from '../../src/playbook/node.ts';

const folder = new URL('../../modules/', import.meta.url);

/** Every module's file name (without `.ts`) and what the file exports. */
export const everyModule: readonly (readonly [name: string, module: Module])[] = await Promise.all(
  readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map(async (file): Promise<readonly [string, Module]> => {
      const exported = (await import(new URL(file, folder).href)) as {default: Module};
      return [file.slice(0, -'.ts'.length), exported.default];
    }),
);

/** One task of an example, as written: `{file: {path: …}, register: …}`. *errors*: throws where an example is no list of tasks. */
export function exampleTasks(example: string): readonly Readonly<Record<string, unknown>>[] {
  const parsed = parseYaml({path: 'example.yml', text: example});
  if (parsed.problems.length > 0 || parsed.node === undefined) throw new Error(JSON.stringify(parsed.problems));
  const tasks = plain(parsed.node);
  if (!Array.isArray(tasks) || tasks.length === 0 || !tasks.every(isMapping)) throw new Error('not a list of tasks');
  return tasks;
}

/** The parameters with which the examples call a module; `freeForm` text as a mapping. */
export function exampleParams(module: Module): readonly Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  for (const example of module.examples)
    for (const task of exampleTasks(example)) {
      if (!Object.hasOwn(task, module.name)) continue;
      const given = task[module.name];
      if (isMapping(given)) found.push(given);
      else if (given === null || module.freeForm === undefined) found.push({});
      else found.push({[module.freeForm]: given});
    }
  return found;
}

function plain(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  return Object.fromEntries(node.entries.map(({key, value}) => [key, plain(value)]));
}
