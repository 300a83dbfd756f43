// A task's parameters as one mapping, whichever of the many ways they were written in.
import {error} from '../base/diagnostic.ts';
import {canonicalParam} from '../catalog/bind.ts';
import type {Found} from '../catalog/catalog.ts';
import {canonicalName} from '../catalog/names.ts';
import {isAssignments, readAssignments, readCommand} from './free-form.ts';
import {given, isTemplate, listOf} from './keywords.ts';
import type {Place} from './load-place.ts';
import {child} from './node.ts';
import type {Entry, MapNode, Node, ScalarNode} from './node.ts';

/** Parameters of a command line that may stand in the line itself. *source*: Ansible's raw-parameter modules. */
const commandWords: ReadonlySet<string> = new Set([
  'creates',
  'removes',
  'chdir',
  'executable',
  'warn',
  'stdin',
  'stdin_add_newline',
  'strip_empty_ends',
  'argv',
]);

/**
 * The parameters: a mapping; or one template that must give a mapping; or undefined. `args:` and `module_defaults` are merged in, the task's
 * own winning. *errors*: `bad-params`, `bad-free-form`.
 */
export function readParameters(found: Found, value: Node | undefined, task: MapNode, place: Place): Node | undefined {
  const spec = found.found === 'module' ? found.module : found.action;
  const own = mappingOf(found, given(value), place);
  const args = given(child(task, 'args'));
  const more = [...defaultsFor(spec.name, place), ...(args?.kind === 'map' ? [args] : [])];
  if (own !== undefined && own.kind !== 'map') return own;
  if (more.length === 0) return own;
  const names = (key: string): string => canonicalParam(spec.params, key);
  const merged = new Map<string, Entry>();
  for (const map of [...more, ...(own === undefined ? [] : [own])]) {
    if (map.kind === 'map') for (const entry of map.entries) merged.set(names(entry.key), entry);
  }
  const span = own?.span ?? args?.span ?? more[0]?.span ?? task.span;
  return {kind: 'map', entries: [...merged.values()], span};
}

function mappingOf(found: Found, value: Node | undefined, place: Place): Node | undefined {
  const spec = found.found === 'module' ? found.module : found.action;
  if (value === undefined || value.kind === 'map') return value;
  const {freeForm} = spec;
  if (value.kind === 'list') {
    if (freeForm !== undefined)
      return {kind: 'map', entries: [{key: freeForm, keySpan: value.span, value}], span: value.span};
    place.report(
      error('bad-params', `${spec.name}: expected a mapping of parameters, not a list`, {
        span: value.span,
        help: 'write parameters as `name: value`, without a dash',
      }),
    );
    return undefined;
  }
  return scalarParams(found, value, place);
}

function scalarParams(found: Found, value: ScalarNode, place: Place): Node | undefined {
  const spec = found.found === 'module' ? found.module : found.action;
  const {freeForm} = spec;
  const text = typeof value.value === 'string' ? value.value : undefined;
  if (freeForm !== undefined && text !== undefined && Object.keys(spec.params).some((name) => commandWords.has(name))) {
    const names = new Set(
      [...commandWords].filter((word) => Object.hasOwn(spec.params, canonicalParam(spec.params, word))),
    );
    return readCommand(value, freeForm, names);
  }
  if (text !== undefined && isAssignments(text) && (freeForm === undefined || assigns(text, spec.params))) {
    return readAssignments(value, place.report);
  }
  if (freeForm !== undefined)
    return {kind: 'map', entries: [{key: freeForm, keySpan: value.span, value}], span: value.span};
  if (isTemplate(value)) return value;
  if (text?.includes('=') === true) return readAssignments(value, place.report);
  place.report(
    error('bad-params', `${spec.name}: expected a mapping of parameters`, {
      span: value.span,
      help: `${spec.name}:\n    ${Object.keys(spec.params)[0] ?? 'name'}: …`,
    }),
  );
  return undefined;
}

/** Whether the first word's name is one of the parameters, so that a free-form text is meant as parameters. */
function assigns(text: string, params: Readonly<Record<string, unknown>>): boolean {
  const name = /^\s*([A-Za-z_]\w*)=/.exec(text)?.[1];
  return name !== undefined && Object.hasOwn(params, name);
}

/** `module_defaults` for a module, outermost first. Groups (`group/…`) are not known here. */
function defaultsFor(name: string, place: Place): readonly Node[] {
  return place.moduleDefaults
    .flatMap(listOf)
    .flatMap((node) => (node.kind === 'map' ? node.entries : []))
    .filter((entry) => canonicalName(entry.key) === name && entry.value.kind === 'map')
    .map((entry) => entry.value);
}
