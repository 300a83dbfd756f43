// Inventories in INI form: `[group]`, `[group:children]`, `[group:vars]`, hosts with variables behind them.
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Source, Span} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {expandHosts} from './host-range.ts';
import {portVariable} from './inventory-yaml.ts';
import type {Inventory} from './inventory.ts';
import {iniValue} from './python-literal.ts';
import {splitWords} from './shell-words.ts';

type Section = {readonly group: string; readonly kind: 'hosts' | 'children' | 'vars'; readonly span: Span};

/** Reads an INI inventory into `inventory`; gives everything that is wrong with it. *source*: Ansible's ini inventory plugin. */
export function readIniInventory(inventory: Inventory, source: Source): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const declared = new Set<string>(['all', 'ungrouped']);
  const needed: {name: string; span: Span; as: string}[] = [];
  const edges: {parent: string; child: string; span: Span}[] = [];
  let section: Section = {group: 'ungrouped', kind: 'hosts', span: {source, start: 0, end: 0}};

  for (const {start, end} of linesOf(source.text)) {
    const text = source.text.slice(start, end);
    const span = {source, start, end};
    if (/^(?:[#;]|$)/.test(text)) continue;
    if (text.startsWith('[') && !isHostLine(text)) {
      const read = readSection(text, span);
      if (!('group' in read)) {
        problems.push(read);
        continue;
      }
      section = read;
      if (section.kind === 'vars') needed.push({name: section.group, span, as: `${section.group}:vars`});
      else {
        declared.add(section.group);
        inventory.addGroup(section.group, span);
      }
      continue;
    }
    switch (section.kind) {
      case 'vars':
        readVariable(inventory, section.group, source, start, end, problems);
        break;
      case 'children': {
        const name = text.replace(/\s+#.*$/, '');
        const place = {source, start, end: start + name.length};
        if (/\s/.test(name)) {
          problems.push(
            error('bad-inventory', `one group a line is expected in [${section.group}:children]`, {span: place}),
          );
          break;
        }
        needed.push({name, span: place, as: `${section.group}:children`});
        edges.push({parent: section.group, child: name, span: place});
        break;
      }
      case 'hosts':
        readHosts(inventory, section.group, source, start, end, problems);
    }
  }
  for (const {name, span, as} of needed) {
    if (declared.has(name) || inventory.group(name)?.span !== undefined) continue;
    const near = nearestName(name, declared);
    const help = near === undefined ? `add a section [${name}]` : `did you mean "${near}"?`;
    problems.push(error('unknown-group', `[${as}] names the group ${name}, which no section declares`, {span, help}));
  }
  for (const {parent, child, span} of edges) {
    if (inventory.group(child) === undefined) continue;
    const cycle = inventory.addChild(parent, child, span);
    if (cycle !== undefined) problems.push(cycle);
  }
  return problems;
}

/** Lines without the blanks around them. *units*: UTF-16 offsets. */
function* linesOf(text: string): Generator<{start: number; end: number}> {
  for (const match of text.matchAll(/[^\n]+/g)) {
    const lead = /^\s*/.exec(match[0])?.[0].length ?? 0;
    const start = match.index + lead;
    yield {start, end: Math.max(start, match.index + match[0].trimEnd().length)};
  }
}

/** `[1:3].example.com` and `[::1]` are hosts, not sections. */
function isHostLine(text: string): boolean {
  return /^\[[^\]]*\][^\s#;]/.test(text) || /^\[[\da-fA-F]*:[\da-fA-F]*:[\da-fA-F:.]*\]/.test(text);
}

function readSection(text: string, span: Span): Section | Diagnostic {
  const match = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:[#;].*)?$/.exec(text);
  const group = match?.[1];
  if (group === undefined) {
    return error('bad-inventory', 'not a section', {
      span,
      help: 'a section is [group], [group:children] or [group:vars]',
    });
  }
  const kind = match?.[2] ?? 'hosts';
  if (kind === 'hosts' || kind === 'children' || kind === 'vars') return {group, kind, span};
  const near = nearestName(kind, ['hosts', 'children', 'vars']);
  const help =
    near === undefined ? 'a section is [group], [group:children] or [group:vars]' : `did you mean "${near}"?`;
  return error('bad-inventory', `unknown kind of section "${kind}"`, {span, help});
}

function readVariable(
  inventory: Inventory,
  group: string,
  source: Source,
  start: number,
  end: number,
  problems: Diagnostic[],
): void {
  const text = source.text.slice(start, end);
  const match = /^([^=]*?)\s*=\s*(.*)$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined || match[1] === '') {
    problems.push(
      error('bad-inventory', `expected name=value in [${group}:vars]`, {
        span: {source, start, end},
        ...(text.includes(':') ? {help: text.replace(/\s*:\s*/, '=')} : {}),
      }),
    );
    return;
  }
  const nameSpan = {source, start, end: start + match[1].length};
  const value = iniValue(match[2], {source, start: end - match[2].length, end});
  inventory.addGroup(group);
  inventory.setGroupVariable(group, {name: match[1], nameSpan, value});
}

function readHosts(
  inventory: Inventory,
  group: string,
  source: Source,
  start: number,
  end: number,
  problems: Diagnostic[],
): void {
  const words = splitWords(source, start, end);
  if (!words.ok) {
    problems.push(...words.problems);
    return;
  }
  const [pattern, ...assignments] = words.value;
  if (pattern === undefined) return;
  const span = {source, start: pattern.start, end: pattern.end};
  if (/^[\w.-]+:$/.test(pattern.text)) {
    problems.push(
      error('bad-inventory', 'this looks like YAML, but the file is read as INI', {
        span,
        help: 'name the file with .yml at the end',
      }),
    );
    return;
  }
  const expanded = expandHosts(pattern.text, span);
  if (!expanded.ok) {
    problems.push(...expanded.problems);
    return;
  }
  const {names, port} = expanded.value;
  const variables = port === undefined ? [] : [portVariable(port, span)];
  for (const word of assignments) {
    const place = {source, start: word.start, end: word.end};
    const equals = word.text.indexOf('=');
    if (equals <= 0) {
      problems.push(
        error('bad-inventory', `expected name=value behind the host, not ${JSON.stringify(word.text)}`, {
          span: place,
          help: 'variables stand behind the host as name=value; a value with blanks is quoted',
        }),
      );
      continue;
    }
    const name = word.text.slice(0, equals);
    const valueSpan = {source, start: Math.min(word.start + equals + 1, word.end), end: word.end};
    variables.push({
      name,
      nameSpan: {source, start: word.start, end: word.start + equals},
      value: iniValue(word.text.slice(equals + 1), valueSpan),
    });
  }
  inventory.addGroup(group);
  for (const host of names) {
    inventory.addHost(host, {span, inventoryFile: source.path});
    inventory.addToGroup(group, host);
    for (const variable of variables) inventory.setHostVariable(host, variable);
  }
}
