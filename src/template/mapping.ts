// Mappings have two forms: plain objects (what YAML and facts give) and Maps (where a key is no plain string or would be
// moved by JavaScript, which puts "10" before "a"). Only own properties are ever seen.

import {Float} from './values.ts';

export type Mapping = Map<unknown, unknown> | Record<string, unknown>;

/** Whether a value is a mapping of either form. */
export function isMapping(value: unknown): value is Mapping {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
  if (value instanceof Map) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function key(value: unknown): unknown {
  if (value === true) return 1;
  if (value === false) return 0;
  return value;
}

/** Finds the key that equals `wanted` in a Map: 1 and true are one key, as in Python. */
function findKey(map: ReadonlyMap<unknown, unknown>, wanted: unknown): {key: unknown} | undefined {
  if (map.has(wanted)) return {key: wanted};
  if (wanted instanceof Float) return findKey(map, wanted.value);
  if (typeof wanted === 'boolean') return map.has(key(wanted)) ? {key: key(wanted)} : undefined;
  if (wanted === 1 && map.has(true)) return {key: true};
  if (wanted === 0 && map.has(false)) return {key: false};
  if (Array.isArray(wanted)) {
    const text = JSON.stringify(wanted);
    for (const candidate of map.keys())
      if (Array.isArray(candidate) && JSON.stringify(candidate) === text) return {key: candidate};
  }
  return undefined;
}

/** Numbers find the keys of plain objects in their decimal form: YAML's `80: http` has become "80" there. */
function propertyName(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined;
}

export function hasKey(mapping: Mapping, wanted: unknown): boolean {
  if (mapping instanceof Map) return findKey(mapping, wanted) !== undefined;
  const name = propertyName(wanted);
  return name !== undefined && Object.hasOwn(mapping, name);
}

/** The value of a key; undefined where there is none. */
export function valueOf(mapping: Mapping, wanted: unknown): unknown {
  if (mapping instanceof Map) {
    const found = findKey(mapping, wanted);
    return found === undefined ? undefined : mapping.get(found.key);
  }
  const name = propertyName(wanted);
  return name !== undefined && Object.hasOwn(mapping, name) ? mapping[name] : undefined;
}

export function keysOf(mapping: Mapping): unknown[] {
  return mapping instanceof Map ? [...mapping.keys()] : Object.keys(mapping);
}

export function entriesOf(mapping: Mapping): [unknown, unknown][] {
  return mapping instanceof Map ? [...mapping.entries()] : Object.entries(mapping);
}

export function sizeOf(mapping: Mapping): number {
  return mapping instanceof Map ? mapping.size : Object.keys(mapping).length;
}

/** Whether a plain object holds this key in its place and as itself. */
function isPlainKey(name: unknown): name is string {
  return typeof name === 'string' && name !== '__proto__' && !/^(?:0|[1-9]\d*)$/.test(name);
}

/** A mapping of these entries, later ones winning (in the place of the first, as in Python). */
export function mappingOf(entries: Iterable<readonly [unknown, unknown]>): Mapping {
  const map = new Map<unknown, unknown>();
  let plain = true;
  for (const [name, value] of entries) {
    plain &&= isPlainKey(name);
    map.set(findKey(map, name)?.key ?? name, value);
  }
  return plain ? (Object.fromEntries(map) as Record<string, unknown>) : map;
}

/** Writes into a mapping that the template itself made. */
export function setKey(mapping: Mapping, name: unknown, value: unknown): void {
  if (mapping instanceof Map) mapping.set(findKey(mapping, name)?.key ?? name, value);
  else
    Object.defineProperty(mapping, propertyName(name) ?? String(name), {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}

/** Removes a key from a mapping that the template itself made. */
export function deleteKey(mapping: Mapping, name: unknown): void {
  if (mapping instanceof Map) mapping.delete(findKey(mapping, name)?.key ?? name);
  else Reflect.deleteProperty(mapping, propertyName(name) ?? String(name));
}
