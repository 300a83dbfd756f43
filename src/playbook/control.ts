// `control:` of a task, block, role or play: whose rule it is, and why. The id stands in waivers and in history, so it must be the same for every host.
import {error} from '../base/diagnostic.ts';
import type {Diagnostic, Span} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {isTemplate, listOf, textOf} from './keywords.ts';
import {child} from './node.ts';
import type {Node} from './node.ts';

type Report = (problem: Diagnostic) => void;

const keys = ['id', 'title', 'severity', 'rationale', 'refs'] as const;

/** What `severity:` of a control may be, gravest first. */
export const controlSeverities = ['critical', 'high', 'medium', 'low', 'info'] as const;

const example = 'control: {id: SSH-1, title: Root does not log in, severity: high}';

/** Reports what is wrong with the value of a `control:`. *errors*: `bad-control`, `unknown-key`. */
export function checkControl(node: Node, report: Report): void {
  const wrong = (message: string, span: Span, help?: string): void => {
    report(error('bad-control', message, {span, ...(help === undefined ? {} : {help})}));
  };
  if (node.kind !== 'map') {
    wrong('control: expected a mapping', node.span, example);
    return;
  }
  for (const {key, keySpan, value} of node.entries) {
    if (!(keys as readonly string[]).includes(key)) {
      const near = nearestName(key, keys);
      const help = near === undefined ? `it takes ${keys.join(', ')}` : `did you mean ${near}?`;
      report(error('unknown-key', `a control has no key ${key}`, {span: keySpan, help}));
      continue;
    }
    if (key === 'refs') {
      for (const ref of listOf(value)) if (textOf(ref) === undefined) wrong('control.refs: expected texts', ref.span);
    } else if (textOf(value) === undefined && (key === 'id' || !isNull(value)))
      wrong(`control.${key}: expected a text`, value.span);
  }
  const id = child(node, 'id');
  const text = textOf(id)?.trim();
  if (id === undefined) wrong('a control needs an id', node.span, example);
  else if (isTemplate(id))
    wrong('control.id: expected a fixed text', id.span, 'waivers and history name a control by its id');
  else if (text !== undefined && !/^[^\s\p{C}]+$/u.test(text))
    wrong('control.id: expected a word without blanks', id.span, 'such as SSH-1');
  const severity = child(node, 'severity');
  const word = textOf(severity);
  if (severity === undefined || word === undefined || isTemplate(severity)) return;
  if ((controlSeverities as readonly string[]).includes(word)) return;
  const near = nearestName(word, controlSeverities);
  wrong(
    `control.severity: expected ${controlSeverities.join(', ')}`,
    severity.span,
    near === undefined ? undefined : `did you mean ${near}?`,
  );
}

/** A key without a value counts as not given. */
export function isNull(node: Node): boolean {
  return node.kind === 'scalar' && node.value === null;
}
