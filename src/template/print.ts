// How values look in text: as Python prints them. Secrets inside stay secret ranges of the text.
import {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {entriesOf, isMapping} from './mapping.ts';
import {floatText} from './number.ts';
import {Fault, Misuse} from './fault.ts';
import {Float, Func, RangeList, Thing, Tuple, Undefined, Waits} from './values.ts';

/** A text as a Python literal: single quotes unless only those occur in it; what cannot be printed is escaped. */
export function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = quote;
  for (const char of text) {
    if (char === quote || char === '\\') out += `\\${char}`;
    else if (char === '\n') out += '\\n';
    else if (char === '\r') out += '\\r';
    else if (char === '\t') out += '\\t';
    else if (/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(char)) {
      const code = char.codePointAt(0) ?? 0;
      if (code <= 0xff) out += `\\x${code.toString(16).padStart(2, '0')}`;
      else if (code <= 0xffff) out += `\\u${code.toString(16).padStart(4, '0')}`;
      else out += `\\U${code.toString(16).padStart(8, '0')}`;
    } else out += char;
  }
  return out + quote;
}

type Pieces = (string | Secret)[];

function putAll(elements: readonly unknown[], into: Pieces, depth: number): void {
  elements.forEach((element, i) => {
    if (i > 0) into.push(', ');
    put(element, into, depth + 1);
  });
}

function put(value: unknown, into: Pieces, depth: number): void {
  if (depth > 200) throw new Misuse('the value is nested too deeply to be printed', 'template-budget');
  if (typeof value === 'string') into.push(quoted(value));
  else if (value instanceof Secret) into.push("'", value, "'");
  else if (value === null) into.push('None');
  else if (value === undefined) throw new Error('a JavaScript undefined got into a template');
  else if (typeof value === 'boolean') into.push(value ? 'True' : 'False');
  else if (typeof value === 'number') into.push(Number.isSafeInteger(value) ? String(value) : floatText(value));
  else if (typeof value === 'bigint') into.push(value.toString());
  else if (value instanceof Float) into.push(floatText(value.value));
  else if (value instanceof Unknown) throw new Waits(value);
  else if (value instanceof Undefined) {
    if (!value.blank) throw new Fault(value.problem);
  } else if (value instanceof RangeList) into.push(value.text);
  else if (Array.isArray(value)) {
    const tuple = value instanceof Tuple;
    into.push(tuple ? '(' : '[');
    putAll(value, into, depth);
    into.push(tuple ? (value.length === 1 ? ',)' : ')') : ']');
  } else if (isMapping(value)) {
    into.push('{');
    entriesOf(value).forEach(([name, element], i) => {
      if (i > 0) into.push(', ');
      put(name, into, depth + 1);
      into.push(': ');
      put(element, into, depth + 1);
    });
    into.push('}');
  } else if (value instanceof Thing) into.push(value.text());
  else if (value instanceof Func) into.push(`<function ${value.name}>`);
  else into.push(`<${typeof value}>`);
}

/** Python's `repr`. */
export function repr(value: unknown): string | Secret {
  const pieces: Pieces = [];
  put(value, pieces, 0);
  return Secret.join(pieces);
}

/** Python's `str`: texts as they are, everything else like `repr`. */
export function str(value: unknown): string | Secret {
  return typeof value === 'string' || value instanceof Secret ? value : repr(value);
}

/** The name of a value's Python type, for messages and `type_debug`. */
export function typeName(value: unknown): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'string' || value instanceof Secret) return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'int' : 'float';
  if (value instanceof Float) return 'float';
  if (value instanceof Tuple) return 'tuple';
  if (value instanceof RangeList) return 'range';
  if (Array.isArray(value)) return 'list';
  if (isMapping(value)) return 'dict';
  if (value instanceof Thing) return value.kind;
  if (value instanceof Func) return 'function';
  if (value instanceof Undefined) return 'AnsibleUndefined';
  return 'object';
}
