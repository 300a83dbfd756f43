import {Secret} from '../base/secret.ts';
import type {Redactor} from '../secrets/redactor.ts';

/** Tells the redactor of every secret in a value, so that a host's output cannot show it. */
export function noteSecrets(redactor: Redactor, value: unknown, depth = 0): void {
  if (value instanceof Secret) redactor.add(value);
  else if (depth > 12 || value === null || typeof value !== 'object' || value instanceof Uint8Array) return;
  else
    for (const element of Array.isArray(value) ? (value as unknown[]) : Object.values(value))
      noteSecrets(redactor, element, depth + 1);
}
