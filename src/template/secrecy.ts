// A transformation of a secret is secret: arguments are opened, and every text in the result is closed again.
import {Secret} from '../base/secret.ts';
import {Misuse} from './fault.ts';
import {entriesOf, isMapping, mappingOf} from './mapping.ts';
import {Tuple} from './values.ts';

/** Whether a Secret is anywhere in a value. */
export function hasSecret(value: unknown, depth = 0): boolean {
  if (value instanceof Secret) return true;
  if (value === null || typeof value !== 'object' || depth > 100) return false;
  if (Array.isArray(value)) return value.some((element) => hasSecret(element, depth + 1));
  return (
    isMapping(value) &&
    entriesOf(value).some(([key, element]) => key instanceof Secret || hasSecret(element, depth + 1))
  );
}

function mapTexts(value: unknown, change: (text: string | Secret) => unknown): unknown {
  if (typeof value === 'string' || value instanceof Secret) return change(value);
  if (Array.isArray(value)) {
    const elements = Array.from(value, (element) => mapTexts(element, change));
    return value instanceof Tuple ? Tuple.from_(elements) : elements;
  }
  if (!isMapping(value)) return value;
  return mappingOf(
    entriesOf(value).map(([key, element]) => [key instanceof Secret ? change(key) : key, mapTexts(element, change)]),
  );
}

/** The value with every Secret replaced by its real text; only for handing it to a transformation whose result is closed. */
export function opened(value: unknown): unknown {
  return mapTexts(value, (text) => (typeof text === 'string' ? text : text.reveal()));
}

/**
 * Runs something on values with secrets in them; its mistakes are told without their details, which could show one.
 * `applies` is asked only when there is a mistake.
 */
export function discreet<T>(name: string, body: () => T, applies = (): boolean => true): T {
  try {
    return body();
  } catch (cause) {
    if (cause instanceof Misuse && applies())
      throw new Misuse(`${name}: this cannot be done with a value that holds a secret`, cause.code);
    throw cause;
  }
}

/** The value with every text in it made secret. */
export function closed(value: unknown): unknown {
  return mapTexts(value, (text) => (typeof text !== 'string' ? text : text === '' ? text : Secret.of(text)));
}
