import type {Diagnostic} from '../base/diagnostic.ts';
import type {NonEmpty} from '../base/nonempty.ts';
import type {Result} from '../base/result.ts';
import {Unknown, findUnknown} from '../base/unknown.ts';

/** An evaluated value, what it waits for, or the mistakes in it. */
export type Known<T> =
  | {readonly is: 'known'; readonly value: T}
  | {readonly is: 'unknown'; readonly cause: Unknown}
  | {readonly is: 'wrong'; readonly problems: NonEmpty<Diagnostic>};

/** Sorts an evaluation's result by whether it may be used. */
export function known<T>(result: Result<T>): Known<T> {
  if (!result.ok) return {is: 'wrong', problems: result.problems};
  const unknown = findUnknown(result.value);
  return unknown === undefined ? {is: 'known', value: result.value} : {is: 'unknown', cause: unknown};
}

/** Whether a condition's value counts as true. *source*: Ansible's conditionals (Python truth; the texts `false`, `no`, … are not special). */
export function isTrue(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === 0 || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Unknown) return false;
  if (typeof value === 'string') return !['false', 'no', 'off', '0', 'none'].includes(value.toLowerCase());
  if (typeof value === 'object') return value instanceof Map ? value.size > 0 : Object.keys(value).length > 0;
  return true;
}

/** The value of a result, or something else where it is wrong or absent. */
export function valueOr<T, U>(result: Result<T> | undefined, otherwise: U): T | U {
  return result?.ok === true ? result.value : otherwise;
}
