import type {Action} from '../engine/action.ts';
import {p} from '../kit/schema.ts';

/** Reads variables from a YAML file of the site. */
export const includeVars: Action = {
  name: 'include_vars',
  summary: 'Read variables from a file',
  params: {
    file: p.string("the file, looked for in the role's and playbook's `vars/` and beside the playbook"),
    dir: p.string('a folder whose files are read in order'),
    name: p.string('put them into one variable of this name'),
    depth: p.integer('how many levels of folders below `dir` are read; 0 = all', {default: 0, min: 0}),
    extensions: p.list(p.string('an ending'), 'which files of `dir` are read', {default: ['json', 'yaml', 'yml']}),
    files_matching: p.string('expression that the name of a file in `dir` must match'),
    ignore_files: p.list(p.string('a name, or an expression'), 'files of `dir` that are left out', {default: []}),
    ignore_unknown_extensions: p.boolean('accepted for compatibility: files with another ending are passed over'),
    hash_behaviour: p.choice(['replace'], 'a mapping that is there already is replaced'),
  },
  freeForm: 'file',
  examples: ['- include_vars: vars/common.yml\n'],
  run(values, {run, scope, host, task}) {
    const loaded = run.site.readVars(values, scope, task);
    if (!loaded.ok) return {status: 'failed', message: loaded.problems.map((problem) => problem.message).join('; ')};
    for (const [name, node] of loaded.value) host.memory.includedVars.set(name, node);
    return {status: 'ok', result: {ansible_included_var_files: []}};
  },
};
