// Names of hosts and groups that no inventory has: in files below group_vars and host_vars, in delegate_to, in `hostvars` and `groups`.
import {warning} from '../base/diagnostic.ts';
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {shownPath} from './inventory-load.ts';
import type {Inventory} from './inventory.ts';
import type {VarsFiles} from './vars-files.ts';

/** Files of variables that nobody would read, because no inventory has their host or group. */
export function strangeVarsFiles(
  folders: Iterable<string>,
  inventory: Inventory,
  files: VarsFiles,
  cwd: string,
): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  for (const folder of new Set(folders)) {
    for (const kind of ['group_vars', 'host_vars'] as const) {
      const isGroup = kind === 'group_vars';
      for (const {name, path} of files.names(folder, kind)) {
        const known = isGroup ? inventory.group(name) !== undefined : inventory.host(name) !== undefined;
        if (known || name === 'localhost' || /\.(?:md|txt|j2|sample|example|bak|orig|swp)$/.test(name)) continue;
        const near = nearestName(name, isGroup ? inventory.groupNames() : inventory.hostNames());
        problems.push(
          warning(
            'unknown-vars-file',
            `no inventory has a ${isGroup ? 'group' : 'host'} ${name}, so nothing reads this`,
            {
              span: {source: {path: shownPath(cwd, path), text: ''}, start: 0, end: 0},
              ...(near === undefined ? {} : {help: `did you mean "${near}"?`}),
            },
          ),
        );
      }
    }
  }
  return problems;
}

/** A host of `delegate_to` that no inventory has. Addresses and full names are taken as they are: such hosts need no entry. */
export function strangeDelegate(name: string, span: Span, inventory: Inventory): Diagnostic | undefined {
  if (inventory.host(name) !== undefined || /^(?:localhost|127\.0\.0\.1|::1)$/.test(name)) return undefined;
  if (inventory.group(name) !== undefined)
    return warning('unknown-host', `delegate_to: ${name} is a group, and a task is delegated to one host`, {
      span,
      help: `loop over groups['${name}'], or "{{ groups['${name}'][0] }}"`,
    });
  const near = nearestName(name, inventory.hostNames());
  if (near === undefined && /[.:]/.test(name)) return undefined;
  return warning('unknown-host', `delegate_to: no inventory has a host ${name}`, {
    span,
    help: near === undefined ? 'it is connected to under this very name' : `did you mean "${near}"?`,
  });
}

/** `hostvars['x']` and `groups.x` in plain words. */
export function plainHostProblem(problem: Diagnostic, inventory: Inventory): Diagnostic {
  const {span} = problem;
  if (problem.code !== 'undefined-attribute' || span === undefined) return problem;
  const {text} = span.source;
  const item = /^(hostvars|groups)\[(["'])([^"']+)\2\]$/.exec(text.slice(span.start, span.end));
  const before = /(?:^|[^\w.])(hostvars|groups)\.$/.exec(text.slice(Math.max(0, span.start - 12), span.start))?.[1];
  const kind = item?.[1] ?? before;
  const name = item?.[3] ?? text.slice(span.start, span.end);
  if (kind === undefined) return problem;
  const what = kind === 'groups' ? 'group' : 'host';
  const near = nearestName(name, kind === 'groups' ? inventory.groupNames() : inventory.hostNames());
  const {help: _, ...rest} = problem;
  return {
    ...rest,
    code: `unknown-${what}`,
    message: `no inventory has a ${what} ${name}`,
    ...(near === undefined ? {} : {help: `did you mean "${near}"?`}),
  };
}
