import type {Redactor} from './redactor.ts';

/**
 * Data as it may leave this process: every text in it passes the redactor. Instances of classes (Secret, Unknown, Map) stay: they know
 * themselves how they are shown. Data without a secret comes back as it is.
 */
export function redactData<T>(redactor: Redactor, value: T): T {
  return redacted(redactor, value) as T;
}

function redacted(redactor: Redactor, value: unknown): unknown {
  if (typeof value === 'string') return redactor.redact(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    const list = (value as unknown[]).map((element) => redacted(redactor, element));
    return list.some((element, i) => element !== value[i]) ? list : value;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const before = Object.entries(value as Record<string, unknown>);
  const after = before.map(([name, element]) => [name, redacted(redactor, element)] as const);
  return after.some(([, element], i) => element !== before[i]?.[1]) ? Object.fromEntries(after) : value;
}
