// Conditions that give something else than true or false. They are judged all the same, but seldom as was meant: the text "no" is a text.
import {warning} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {isMapping} from '../base/json.ts';
import {findUnknown} from '../base/unknown.ts';
import {looksLikeTemplate} from '../template/template.ts';
import {textOf} from './keywords.ts';
import type {Node} from './node.ts';

/** A warning where a condition's value is known and is no boolean. `what`: the keyword. Null is what an empty result is, and counts as false. */
export function notBoolean(node: Node, value: unknown, what: string): Diagnostic | undefined {
  const kind = kindOf(value);
  const text = textOf(node)?.trim();
  if (kind === undefined || findUnknown(value) !== undefined || text === undefined || isWritten(node)) return undefined;
  const inner = looksLikeTemplate(text) ? /^\{\{(.*)\}\}$/s.exec(text)?.[1]?.trim() : text;
  const simple =
    inner !== undefined && /^[\w.|[\]'" -]+$/.test(inner) && !/ (?:and|or|not|in|is|if) /.test(` ${inner} `);
  const way = kind === 'a text' ? ' | bool' : kind === 'a number' ? ' > 0' : ' | length > 0';
  const other = kind === 'a text' ? ` (or ${inner ?? ''} | length > 0)` : '';
  return warning('condition-type', `${what}: a condition should give true or false, and this gives ${kind}`, {
    span: node.span,
    ...(simple ? {help: `${what}: ${inner}${way}${other}`} : {}),
  });
}

/** A value that stands there itself is judged without any host. */
function isWritten(node: Node): boolean {
  return node.kind !== 'scalar' || typeof node.value !== 'string' || /^(['"]).*\1$/.test(node.value.trim());
}

function kindOf(value: unknown): string | undefined {
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number';
  if (Array.isArray(value)) return 'a list';
  return isMapping(value) ? 'a mapping' : undefined;
}
