// Which controls the playbooks declare, for which hosts: so that a host of which nothing is known is still judged under each of its controls.
import {placeOf, warning} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {isNull} from './control.ts';
import {isTemplate, listOf, textOf} from './keywords.ts';
import {child} from './node.ts';
import type {Node} from './node.ts';
import type {Program} from './program.ts';
import {everyItem, isImplicit} from './select.ts';
import type {Site} from './site.ts';

/** A control of the playbooks with the hosts that it is about, before anything is known of them. `fields` are as written, without what is a template. */
export type DeclaredControl = {
  readonly id: string;
  readonly fields: {
    readonly title?: string;
    readonly severity?: string;
    readonly rationale?: string;
    readonly refs: readonly string[];
  };
  /** `file:line:column` of the first task under it */
  readonly at: string;
  readonly hosts: readonly string[];
};

/** All controls of the tasks that were selected, in the order of the playbooks. Those of files that only a host can name are not among them. */
export function declaredControls(site: Site): readonly DeclaredControl[] {
  const found = new Map<string, {fields: DeclaredControl['fields']; at: string; hosts: Set<string>}>();
  for (const {play, item, part} of everyItem(site.program, true)) {
    const control = item.keywords.control;
    const id = textOf(child(control, 'id'))?.trim();
    if (item.item !== 'task' || isImplicit(item) || part !== 'items' || id === undefined) continue;
    if (!site.isSelected(item)) continue;
    const earlier = found.get(id);
    const entry = earlier ?? {fields: fieldsOf(control), at: placeOf(item.span), hosts: new Set<string>()};
    entry.fields = {...fieldsOf(control), ...entry.fields, refs: entry.fields.refs};
    if (entry.fields.refs.length === 0) entry.fields = {...entry.fields, refs: fieldsOf(control).refs};
    for (const host of site.hostsOf(play)) entry.hosts.add(host);
    found.set(id, entry);
  }
  return [...found].map(([id, {fields, at, hosts}]) => ({id, fields, at, hosts: [...hosts]}));
}

function fieldsOf(control: Node | undefined): DeclaredControl['fields'] {
  const text = (key: string): Readonly<Record<string, string>> => {
    const node = child(control, key);
    const value = isTemplate(node) ? undefined : textOf(node)?.trim();
    return value === undefined || value === '' ? {} : {[key]: value};
  };
  return {
    ...text('title'),
    ...text('severity'),
    ...text('rationale'),
    refs: listOf(child(control, 'refs')).flatMap((ref) => textOf(ref) ?? []),
  };
}

/** Two places that say different things of one control. A place that says nothing but the id is fine. */
export function controlConflicts(program: Program): readonly Diagnostic[] {
  const seen = new Map<string, Map<string, Node>>();
  const problems = new Map<Node, Diagnostic>();
  for (const {item} of everyItem(program)) {
    const {control} = item.keywords;
    const id = textOf(child(control, 'id'))?.trim();
    if (id === undefined) continue;
    const said = seen.get(id) ?? new Map<string, Node>();
    seen.set(id, said);
    for (const key of ['title', 'severity'] as const) {
      const node = child(control, key);
      if (node === undefined || isNull(node)) continue;
      const first = said.get(key);
      if (first === undefined) said.set(key, node);
      else if (textOf(first) !== textOf(node) && !problems.has(node))
        problems.set(
          node,
          warning('control-conflict', `the control ${id} has another ${key} at ${placeOf(first.span)}`, {
            span: node.span,
            help: `say it once; elsewhere \`control: {id: ${id}}\` is enough`,
          }),
        );
    }
  }
  return [...problems.values()];
}

/** Whether includes are left whose file only a host can name: they may bring further controls. */
export function hasOpenIncludes(program: Program): boolean {
  for (const {item} of everyItem(program)) if (item.item === 'include' && isTemplate(item.file)) return true;
  return false;
}
