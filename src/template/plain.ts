// From the engine's values to what the rest of the program works with.
import {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {str} from './print.ts';
import {entriesOf, isMapping} from './mapping.ts';
import {Float, Func, Thing, Undefined} from './values.ts';

/**
 * A value as plain JSON data with Secret and Unknown as the only other leaves: `2.0` becomes the number 2, tuples become
 * lists, keys become strings, integers beyond 2^53 become numbers, dates and functions become text.
 */
export function toPlain(value: unknown): unknown {
  if (value instanceof Float) return value.value;
  if (value instanceof Undefined && value.blank) return '';
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return Array.from(value, toPlain);
  if (value instanceof Secret || value instanceof Unknown) return value;
  if (isMapping(value)) {
    const out: Record<string, unknown> = {};
    for (const [name, element] of entriesOf(value)) {
      const text = name instanceof Secret ? name.reveal() : String(str(name));
      const plain = toPlain(element);
      if (text !== '__proto__') out[text] = plain;
      else Object.defineProperty(out, text, {value: plain, enumerable: true, configurable: true, writable: true});
    }
    return out;
  }
  if (value instanceof Thing) return toPlain(value.plain());
  if (value instanceof Func) return `<function ${value.name}>`;
  return value;
}
