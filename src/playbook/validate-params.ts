// Mistakes in parameters at their places: a problem names a parameter, people need the line. And what YAML made of a value where that is the surprise.
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import type {BindProblem} from '../catalog/bind.ts';
import {canonicalParam} from '../catalog/bind.ts';
import type {Kind, Params} from '../kit/schema.ts';
import {isTemplate} from './keywords.ts';
import type {Entry, Node, ScalarNode} from './node.ts';

type Target = {readonly node: Node; readonly entry: Entry | undefined; readonly exact: boolean};

/** A binding's problem where the user made it. `at`: the task's module key, for what concerns no parameter. */
export function locate(problem: BindProblem, params: Node | undefined, at: Span): Diagnostic {
  if (problem.diagnostic !== undefined) return problem.diagnostic;
  const {severity = 'error', code, message, help} = problem;
  const base = {severity, code, message};
  const target = params === undefined || problem.pointer === '' ? undefined : find(params, problem.pointer);
  if (target === undefined) return {...base, span: at, ...(help === undefined ? {} : {help})};
  const span = problem.at === 'key' && target.entry !== undefined ? target.entry.keySpan : target.node.span;
  const note = noteFor(problem, target);
  const better = helpFor(target) ?? help;
  return {
    ...base,
    span: span.end > span.start ? span : (target.entry?.keySpan ?? span),
    ...(note === undefined ? {} : {note}),
    ...(better === undefined ? {} : {help: better}),
  };

  function helpFor(found: Target): string | undefined {
    return problem.code === 'bad-param' && expectsMode(problem) ? modeHelp(found) : undefined;
  }
}

function expectsMode(problem: BindProblem): boolean {
  return problem.message.includes('quoted octal string');
}

function modeHelp({node, entry}: Target): string | undefined {
  if (node.kind !== 'scalar' || node.style !== 'plain' || typeof node.value !== 'number') return undefined;
  const digits = node.raw.replace(/^0o/, '');
  if (!/^[0-7]{3,5}$/.test(digits)) return undefined;
  const text = `"${digits.length === 3 ? `0${digits}` : digits.slice(-5).replace(/^0(?=0\d{3})/, '')}"`;
  return entry === undefined ? text : `${entry.key}: ${text}`;
}

function noteFor(problem: BindProblem, {node, exact}: Target): string | undefined {
  if (problem.code !== 'bad-param') return problem.note;
  if (!exact || isTemplate(node)) return problem.note?.replace(/^this is /, 'this gives ');
  if (node.kind === 'scalar' && node.style === 'plain' && typeof node.value === 'number')
    return `YAML reads this as the number ${node.value}`;
  if (node.kind === 'scalar' && node.style === 'plain' && typeof node.value === 'boolean')
    return `YAML reads this as the boolean ${node.value ? 'true' : 'false'}`;
  // a text that stands there needs no words
  return node.kind === 'scalar' && typeof node.value === 'string' && node.value !== '' ? undefined : problem.note;
}

/** The node that a pointer leads to, or the last one on the way (a template that gave the rest). */
function find(params: Node, pointer: string): Target | undefined {
  let node = params;
  let entry: Entry | undefined;
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (node.kind === 'map') {
      const next = node.entries.find((each) => each.key === key);
      if (next === undefined) return entry === undefined ? undefined : {node, entry, exact: false};
      entry = next;
      node = next.value;
    } else if (node.kind === 'list') {
      const next = node.items[Number(key)];
      if (next === undefined) return {node, entry, exact: false};
      node = next;
    } else return {node, entry, exact: false};
  }
  return {node, entry, exact: true};
}

/** Numbers and booleans that YAML reads differently from how they are written, where a text is declared: `version: 1.10` would become 1.1. */
export function surprises(name: string, params: Params, node: Node | undefined): readonly Diagnostic[] {
  if (node?.kind !== 'map') return [];
  return node.entries.flatMap((entry) => {
    const key = canonicalParam(params, entry.key);
    const param = Object.hasOwn(params, key) ? params[key] : undefined;
    return param === undefined ? [] : surprisesIn(`${name}.${key}`, param.kind, entry.value, entry.key);
  });
}

function surprisesIn(name: string, kind: Kind, node: Node, key: string): readonly Diagnostic[] {
  switch (kind.kind) {
    case 'string':
    case 'text':
    case 'secret':
    case 'path':
    case 'controllerFile':
    case 'template':
      return node.kind === 'scalar' ? textSurprise(name, node, key) : [];
    case 'list':
      return node.kind === 'list'
        ? node.items.flatMap((item, i) => surprisesIn(`${name}[${i}]`, kind.of, item, '-'))
        : [];
    case 'map':
      return node.kind === 'map'
        ? node.entries.flatMap((entry) => surprisesIn(`${name}.${entry.key}`, kind.of, entry.value, entry.key))
        : [];
    case 'object':
      return surprises(name, kind.params, node);
    default:
      return [];
  }
}

function textSurprise(name: string, node: ScalarNode, key: string): readonly Diagnostic[] {
  if (node.style !== 'plain' || node.tag !== undefined || typeof node.value !== 'number') return [];
  if (String(node.value) === node.raw || node.span.source.secret === true) return [];
  return [
    error('bad-param', `${name}: expected a text, and this number would lose digits`, {
      span: node.span,
      note: `YAML reads this as the number ${node.value}`,
      help: key === '-' ? `- "${node.raw}"` : `${key}: "${node.raw}"`,
    }),
  ];
}
