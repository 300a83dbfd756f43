/** Plain data as it travels in JSON. */
export type Json = null | boolean | number | string | readonly Json[] | {readonly [key: string]: Json};

/** Data as playbooks and templates hold it: JSON with secrets and unknowns as leaves. */
export type Data = unknown;

/** Whether a value is a plain mapping (not a list, not a Secret or another class). */
export function isMapping(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
