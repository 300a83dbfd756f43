// Inventories in YAML: groups with `hosts`, `children` and `vars`.
import {error, warning} from '../base/diagnostic.ts';
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {expandHosts} from './host-range.ts';
import type {Inventory} from './inventory.ts';
import type {Entry, MapNode, Node} from './node.ts';

const groupKeys = ['hosts', 'children', 'vars'];

/** Reads a YAML inventory into `inventory`; gives what is wrong with it. `file` is the source's path. */
export function readYamlInventory(inventory: Inventory, root: Node | undefined, file: string): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  if (root === undefined || isNull(root)) return problems;
  if (root.kind !== 'map')
    return [
      error('bad-inventory', 'an inventory is a mapping of groups', {
        span: root.span,
        help: 'all:\n  hosts:\n    web1:',
      }),
    ];
  const plugin = root.entries.find((entry) => entry.key === 'plugin');
  if (plugin !== undefined) {
    return [
      error('inventory-plugin', "inventory plugins of Ansible's are not supported", {
        span: plugin.keySpan,
        help: 'use an executable that answers --list, or a .ts or .mjs file with a default export',
      }),
    ];
  }
  for (const entry of root.entries) {
    if (groupKeys.includes(entry.key)) {
      problems.push(
        error('bad-inventory', `"${entry.key}" stands outside of any group`, {
          span: entry.keySpan,
          help: `put it below "all:"`,
        }),
      );
    } else readGroup(inventory, entry, file, problems);
  }
  return problems;
}

function isNull(node: Node): boolean {
  return node.kind === 'scalar' && node.value === null;
}

function readGroup(
  inventory: Inventory,
  {key: name, keySpan, value}: Entry,
  file: string,
  problems: Diagnostic[],
): void {
  inventory.addGroup(name, keySpan);
  if (isNull(value)) return;
  if (value.kind !== 'map') {
    problems.push(
      error('bad-inventory', `the group ${name} must be a mapping with hosts, children or vars`, {span: value.span}),
    );
    return;
  }
  for (const entry of value.entries) {
    switch (entry.key) {
      case 'vars':
        for (const variable of mappingOf(entry, name, problems)?.entries ?? []) {
          inventory.setGroupVariable(name, {name: variable.key, nameSpan: variable.keySpan, value: variable.value});
        }
        break;
      case 'children':
        for (const below of namesOf(entry, name, problems)) {
          inventory.addGroup(below.key, below.keySpan);
          const cycle = inventory.addChild(name, below.key, below.keySpan);
          if (cycle !== undefined) problems.push(cycle);
          readGroup(inventory, below, file, problems);
        }
        break;
      case 'hosts':
        for (const host of namesOf(entry, name, problems)) readHost(inventory, name, host, file, problems);
        break;
      default: {
        const near = nearestName(entry.key, groupKeys);
        const help =
          near === undefined
            ? 'a group has hosts, children and vars; a group inside it stands below children'
            : `did you mean "${near}"?`;
        problems.push(
          warning('bad-inventory', `unknown key "${entry.key}" in the group ${name}; it is ignored`, {
            span: entry.keySpan,
            help,
          }),
        );
      }
    }
  }
}

function readHost(
  inventory: Inventory,
  group: string,
  {key, keySpan, value}: Entry,
  file: string,
  problems: Diagnostic[],
): void {
  const expanded = expandHosts(key, keySpan);
  if (!expanded.ok) {
    problems.push(...expanded.problems);
    return;
  }
  if (!isNull(value) && value.kind !== 'map') {
    problems.push(error('bad-inventory', `the variables of the host ${key} must be a mapping`, {span: value.span}));
  }
  const entries = value.kind === 'map' ? value.entries : [];
  for (const name of expanded.value.names) {
    inventory.addHost(name, {span: keySpan, inventoryFile: file});
    inventory.addToGroup(group, name);
    if (expanded.value.port !== undefined) inventory.setHostVariable(name, portVariable(expanded.value.port, keySpan));
    for (const entry of entries)
      inventory.setHostVariable(name, {name: entry.key, nameSpan: entry.keySpan, value: entry.value});
  }
}

/** The variable that `host:2222` gives. */
export function portVariable(port: number, span: Span): {name: string; nameSpan: Span; value: Node} {
  return {
    name: 'ansible_port',
    nameSpan: span,
    value: {kind: 'scalar', value: port, raw: String(port), style: 'plain', span},
  };
}

function mappingOf(entry: Entry, group: string, problems: Diagnostic[]): MapNode | undefined {
  if (entry.value.kind === 'map') return entry.value;
  if (!isNull(entry.value))
    problems.push(
      error('bad-inventory', `"${entry.key}" of the group ${group} must be a mapping`, {span: entry.value.span}),
    );
  return undefined;
}

/** Entries below `hosts` or `children`; a single name may stand there too. */
function namesOf(entry: Entry, group: string, problems: Diagnostic[]): readonly Entry[] {
  const {value} = entry;
  if (value.kind === 'scalar' && typeof value.value === 'string') {
    return [
      {
        key: value.value,
        keySpan: value.span,
        value: {kind: 'scalar', value: null, raw: '', style: 'plain', span: value.span},
      },
    ];
  }
  if (value.kind === 'list') {
    const first = value.items[0];
    const name = first?.kind === 'scalar' ? first.raw : 'NAME';
    problems.push(
      error('bad-inventory', `"${entry.key}" of the group ${group} is a list, but must be a mapping`, {
        span: first?.span ?? value.span,
        help: `write "${name}:" instead of "- ${name}"`,
      }),
    );
    return [];
  }
  return mappingOf(entry, group, problems)?.entries ?? [];
}
