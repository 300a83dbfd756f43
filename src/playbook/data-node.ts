import type {Span} from '../base/diagnostic.ts';
import type {Node} from './node.ts';

/** Plain data (JSON) as nodes that all have the place `span`: what a program says is treated as if it were written there. */
export function nodeOf(data: unknown, span: Span): Node {
  if (Array.isArray(data)) return {kind: 'list', items: data.map((item) => nodeOf(item, span)), span};
  if (data !== null && typeof data === 'object') {
    const entries = Object.entries(data).map(([key, value]) => ({key, keySpan: span, value: nodeOf(value, span)}));
    return {kind: 'map', entries, span};
  }
  if (typeof data === 'string') return {kind: 'scalar', value: data, raw: data, style: 'double', span};
  const value = typeof data === 'number' || typeof data === 'boolean' ? data : null;
  return {kind: 'scalar', value, raw: value === null ? '' : String(value), style: 'plain', span};
}
