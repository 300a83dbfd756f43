// What Ansible's `bool` filter accepts, and optional yes/no arguments of filters.
import {textOf, truth} from './compare.ts';
import {isNumeric, toNumber} from './number.ts';

/** The boolean that Ansible reads from a value: yes, on, true and 1 are true; everything else is false; None stays None. */
export function ansibleBoolean(value: unknown): boolean | null {
  if (value === null || typeof value === 'boolean') return value;
  const text = textOf(value)?.toLowerCase();
  if (text !== undefined) return ['yes', 'on', '1', 'true'].includes(text);
  return isNumeric(value) && toNumber(value) === 1;
}

/** An optional argument as a flag. */
export function isFlagged(value: unknown): boolean {
  return value !== undefined && truth(value);
}
