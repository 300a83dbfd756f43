import {Secret} from '../base/secret.ts';
import type {Change} from './plan.ts';

/**
 * A change of one setting of a file, with the two lines as they stand in it, where they are single lines without secrets. `isLine` finds the setting's line.
 */
export function lineChange(change: Change, before: string, after: string, isLine: RegExp): Change {
  if (change.before instanceof Secret || change.after instanceof Secret) return change;
  const old = isLine.exec(before)?.[0];
  const next = isLine.exec(after)?.[0];
  return old === next ? change : {...change, line: {before: old, after: next}};
}

/** The line of a setting: its name at the beginning, then the separator. *shape*: `separator` is a regular expression's source. */
export function settingLine(key: string, separator: string): RegExp {
  return new RegExp(`^[ \\t]*${key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}[ \\t]*${separator}.*$`, 'm');
}
