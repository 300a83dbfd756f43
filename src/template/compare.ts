// Truth, equality and order as Python has them. Secrets compare by their real text and give plain booleans;
// whatever hangs on an Unknown throws Waits.
import {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {Fault, Misuse} from './fault.ts';
import {entriesOf, hasKey, isMapping, sizeOf, valueOf} from './mapping.ts';
import {isFloat, isNumeric, toNumber} from './number.ts';
import {typeName} from './print.ts';
import {Float, Thing, Tuple, Undefined, Waits} from './values.ts';

/** Refuses what cannot be looked at: raises for Undefined, waits for Unknown. */
export function known<T>(value: T): T {
  if (value instanceof Undefined && !value.blank) throw new Fault(value.problem);
  if (value instanceof Unknown) throw new Waits(value);
  return value;
}

/** Whether Python counts a value as true. */
export function truth(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  known(value);
  if (typeof value === 'string') return value !== '';
  if (value === null) return false;
  if (typeof value === 'number') return value !== 0;
  if (value instanceof Secret) return value.reveal() !== '';
  if (typeof value === 'bigint') return value !== 0n;
  if (value instanceof Float) return value.value !== 0;
  if (Array.isArray(value)) return value.length > 0;
  if (isMapping(value)) return sizeOf(value) > 0;
  return !(value instanceof Undefined);
}

/** A text value's real text; undefined for everything that is no text. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Secret ? value.reveal() : undefined;
}

/** Whether two values are equal in Python's sense: `1 == 1.0 == True`, lists and mappings by content. */
export function equal(a: unknown, b: unknown): boolean {
  known(a);
  known(b);
  if (a === b) return true;
  const text = textOf(a);
  if (text !== undefined) return text === textOf(b);
  if (isNumeric(a)) {
    if (!isNumeric(b)) return false;
    if (typeof a === 'bigint' || typeof b === 'bigint') {
      return !isFloat(a) && !isFloat(b) ? BigInt(a) === BigInt(b) : toNumber(a) === toNumber(b);
    }
    return toNumber(a) === toNumber(b);
  }
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length || a instanceof Tuple !== b instanceof Tuple) return false;
    return a.every((element, i) => equal(element, b[i]));
  }
  if (isMapping(a)) {
    if (!isMapping(b) || sizeOf(a) !== sizeOf(b)) return false;
    return entriesOf(a).every(([key, value]) => hasKey(b, key) && equal(value, valueOf(b, key)));
  }
  if (a instanceof Thing && b instanceof Thing && a.kind === b.kind) return a.text() === b.text();
  return false;
}

function byCodePoint(a: string, b: string): number {
  if (a === b) return 0;
  let i = 0;
  while (i < a.length && i < b.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i >= a.length || i >= b.length) return a.length - b.length;
  const x = a.charCodeAt(i);
  const y = b.charCodeAt(i);
  // Surrogates stand for characters above every other 16-bit unit.
  const high = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
  return high(x) - high(y);
}

/** The order of two values: negative, 0, positive, NaN where a float is no number. *errors*: Misuse for types that have no order. */
export function order(a: unknown, b: unknown, sign = '<'): number {
  known(a);
  known(b);
  const textA = textOf(a);
  const textB = textOf(b);
  if (textA !== undefined && textB !== undefined) return byCodePoint(textA, textB);
  if (isNumeric(a) && isNumeric(b)) {
    if ((typeof a === 'bigint' || typeof b === 'bigint') && !isFloat(a) && !isFloat(b)) {
      const x = BigInt(a);
      const y = BigInt(b);
      return x < y ? -1 : x > y ? 1 : 0;
    }
    return toNumber(a) - toNumber(b) || (toNumber(a) === toNumber(b) ? 0 : compareInfinite(toNumber(a), toNumber(b)));
  }
  if (Array.isArray(a) && Array.isArray(b) && a instanceof Tuple === b instanceof Tuple) {
    for (let i = 0; i < a.length && i < b.length; i++) {
      if (!equal(a[i], b[i])) return order(a[i], b[i], sign);
    }
    return a.length - b.length;
  }
  if (a instanceof Thing && b instanceof Thing && a.kind === b.kind) return byCodePoint(a.text(), b.text());
  throw new Misuse(
    `'${sign}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
    'template-type',
    textA !== undefined && isNumeric(b) ? 'turn the text into a number with | int' : undefined,
  );
}

function compareInfinite(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : NaN;
}

/** Python's `needle in haystack`. */
export function contains(haystack: unknown, needle: unknown): boolean {
  known(haystack);
  const text = textOf(haystack);
  if (text !== undefined) {
    const part = textOf(known(needle));
    if (part === undefined)
      throw new Misuse(`'in <string>' requires string as left operand, not ${typeName(needle)}`, 'template-type');
    return text.includes(part);
  }
  if (Array.isArray(haystack)) {
    let waiting: Waits | undefined;
    for (const element of haystack) {
      try {
        if (equal(element, needle)) return true;
      } catch (cause) {
        if (!(cause instanceof Waits)) throw cause;
        waiting = cause;
      }
    }
    if (waiting !== undefined) throw waiting;
    return false;
  }
  if (isMapping(haystack)) {
    known(needle);
    return hasKey(haystack, textOf(needle) ?? needle);
  }
  throw new Misuse(`argument of type '${typeName(haystack)}' is not iterable`, 'template-type');
}

/** What a loop or a filter goes through: elements of lists, characters of texts, keys of mappings. */
export function elementsOf(value: unknown): readonly unknown[] {
  known(value);
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return Array.from(value);
  if (value instanceof Secret) return Array.from(value.reveal(), (char) => Secret.of(char));
  if (isMapping(value)) return value instanceof Map ? [...value.keys()] : Object.keys(value);
  if (value instanceof Undefined) return [];
  throw new Misuse(`'${typeName(value)}' object is not iterable`, 'template-type');
}

/** `len()`: characters are code points. */
export function lengthOf(value: unknown): number {
  known(value);
  const text = textOf(value);
  if (text !== undefined) {
    let count = 0;
    for (const char of text) if (char !== '') count++;
    return count;
  }
  if (Array.isArray(value)) return value.length;
  if (isMapping(value)) return sizeOf(value);
  throw new Misuse(`object of type '${typeName(value)}' has no len()`, 'template-type');
}

/** The first Unknown anywhere in a value. */
export function unknownIn(value: unknown, depth = 0): Unknown | undefined {
  if (value instanceof Unknown) return value;
  if (value === null || typeof value !== 'object' || depth > 100) return undefined;
  if (Array.isArray(value)) {
    for (const element of value) {
      const found = unknownIn(element, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isMapping(value)) return undefined;
  for (const element of value instanceof Map ? value.values() : Object.values(value)) {
    const found = unknownIn(element, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first Undefined anywhere in a value. */
export function undefinedIn(value: unknown, depth = 0): Undefined | undefined {
  if (value instanceof Undefined) return value.blank ? undefined : value;
  if (value === null || typeof value !== 'object' || depth > 100) return undefined;
  const inside = Array.isArray(value) ? value : isMapping(value) ? entriesOf(value).map(([, element]) => element) : [];
  for (const element of inside) {
    const found = undefinedIn(element, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
