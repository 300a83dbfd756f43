// Reading from values with a dot or brackets, as Jinja does: own data and a fixed list of methods, nothing else.
import {nearestName} from '../base/nearest.ts';
import {MASK, Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {known, textOf} from './compare.ts';
import {Fault, Misuse, type Range} from './fault.ts';
import {isMapping, keysOf, valueOf} from './mapping.ts';
import {dictMethod, DICT_METHODS} from './method-dict.ts';
import {listMethod, LIST_METHODS} from './method-list.ts';
import {textMethod, TEXT_METHODS} from './method-text.ts';
import {isFloat, isInt, toNumber} from './number.ts';
import {str, typeName} from './print.ts';
import type {Run} from './run.ts';
import {Func, NamedTuple, Thing, Tuple, Undefined} from './values.ts';

function missing(object: unknown, name: string, range: Range, names: Iterable<string>): Undefined {
  return new Undefined(() => {
    const message = `'${typeName(object)}' object has no attribute '${name}'`;
    const problem = {code: 'undefined-attribute', message, start: range.start, end: range.end};
    const near = nearestName(name, names);
    return near === undefined ? problem : {...problem, help: `did you mean "${near}"?`};
  });
}

/** The method or built-in attribute of that name; undefined if there is none. */
function builtIn(run: Run, object: unknown, name: string): unknown {
  if (typeof object === 'string' || object instanceof Secret) return textMethod(object, name);
  if (object instanceof NamedTuple && object.names.includes(name)) return object[object.names.indexOf(name)];
  if (Array.isArray(object)) return listMethod(run, object as unknown[], name);
  if (isMapping(object)) return dictMethod(run, object, name);
  if (object instanceof Thing) return object.attribute(name);
  if (object instanceof Func) return object.attributes.get(name);
  if (isFloat(object) && name === 'is_integer') return new Func(name, () => Number.isInteger(toNumber(object)));
  if (isInt(object) && name === 'bit_length')
    return new Func(
      name,
      () => (BigInt(object) < 0n ? -BigInt(object) : BigInt(object)).toString(2).replace(/^0/, '').length,
    );
  return undefined;
}

function namesOf(object: unknown): Iterable<string> {
  if (textOf(object) !== undefined) return TEXT_METHODS;
  if (Array.isArray(object)) return LIST_METHODS;
  if (isMapping(object)) return [...keysOf(object).filter((key) => typeof key === 'string'), ...DICT_METHODS];
  return object instanceof Thing ? object.attributeNames() : [];
}

/** `object.name`: methods first, then keys. What is missing gives an Undefined that says so when it is used. */
export function readAttribute(run: Run, object: unknown, name: string, range: Range): unknown {
  if (object instanceof Undefined && object.blank) throw new Fault(object.problem);
  if (object instanceof Undefined || object instanceof Unknown) return object;
  const found = builtIn(run, object, name);
  if (found !== undefined) return found;
  if (isMapping(object)) {
    const value = valueOf(object, name);
    if (value !== undefined) return value;
  }
  return missing(object, name, range, namesOf(object));
}

/** `object[key]`: keys and indexes first, then methods. */
export function readItem(run: Run, object: unknown, key: unknown, range: Range): unknown {
  if (object instanceof Undefined || object instanceof Unknown) return object;
  if (key instanceof Unknown) return key;
  known(key);
  const name = textOf(key);
  if (isMapping(object)) {
    const value = valueOf(object, name ?? key);
    if (value !== undefined) return value;
  } else if (isInt(key) || typeof key === 'boolean') {
    const index = Number(key);
    if (Array.isArray(object)) {
      const value: unknown = object[index < 0 ? index + object.length : index];
      if (value !== undefined) return value;
    }
    const text = textOf(object);
    if (text !== undefined) {
      const chars = Array.from(text);
      const char = chars[index < 0 ? index + chars.length : index];
      if (char !== undefined)
        return object instanceof Secret ? sliceText(object, index, index + 1 || undefined, 1) : char;
    }
  }
  if (name !== undefined) {
    const found = builtIn(run, object, name);
    return found ?? missing(object, key instanceof Secret ? MASK : name, range, namesOf(object));
  }
  return new Undefined(() => {
    const what = Array.isArray(object) || textOf(object) !== undefined ? 'element' : 'key';
    const shown = String(str(key));
    const message = `'${typeName(object)}' object has no ${what} ${shown}`;
    return {code: 'undefined-attribute', message, start: range.start, end: range.end};
  });
}

function positions(length: number, from: number | undefined, to: number | undefined, step: number): number[] {
  const clamp = (value: number, low: number, high: number): number =>
    Math.min(high, Math.max(low, value < 0 ? value + length : value));
  const out: number[] = [];
  if (step > 0) {
    const end = to === undefined ? length : clamp(to, 0, length);
    for (let i = from === undefined ? 0 : clamp(from, 0, length); i < end; i += step) out.push(i);
  } else {
    const end = to === undefined ? -1 : clamp(to, -1, length - 1);
    for (let i = from === undefined ? length - 1 : clamp(from, -1, length - 1); i > end; i += step) out.push(i);
  }
  return out;
}

function sliceText(
  text: string | Secret,
  from: number | undefined,
  to: number | undefined,
  step: number,
): string | Secret {
  const whole = textOf(text) ?? '';
  const chars = Array.from(whole);
  const picked = positions(chars.length, from, to, step);
  if (typeof text === 'string') return picked.map((i) => chars[i] ?? '').join('');
  const offsets: number[] = [0];
  for (const char of chars) offsets.push((offsets.at(-1) ?? 0) + char.length);
  const [first] = picked;
  const last = picked.at(-1);
  if (step === 1 && first !== undefined && last !== undefined)
    return text.slice(offsets[first] ?? 0, offsets[last + 1]);
  return Secret.join(picked.map((i) => text.slice(offsets[i] ?? 0, offsets[i + 1])));
}

/** `object[from:to:step]`. */
export function readSlice(object: unknown, from: unknown, to: unknown, step: unknown): unknown {
  const bound = (value: unknown): number | undefined => {
    if (value === undefined || value === null) return undefined;
    known(value);
    if (!isInt(value) && typeof value !== 'boolean')
      throw new Misuse('slice indices must be integers or None', 'template-type');
    return Number(value);
  };
  known(object);
  const by = bound(step) ?? 1;
  if (by === 0) throw new Misuse('slice step cannot be zero');
  const start = bound(from);
  const end = bound(to);
  if (typeof object === 'string' || object instanceof Secret) return sliceText(object, start, end, by);
  if (!Array.isArray(object)) throw new Misuse(`'${typeName(object)}' object cannot be sliced`, 'template-type');
  const list = object as unknown[];
  const picked = positions(list.length, start, end, by).map((i) => list[i]);
  return object instanceof Tuple ? Tuple.from_(picked) : picked;
}
