/**
 * A value that can be known only after something has been applied or read: the output of a command in check mode,
 * a fact before the first connection. It spreads through templates; `cause` says what is waited for
 * (`task "install libvirt"`, `fact ansible_os_family`, …).
 */
export class Unknown {
  readonly cause: string;

  constructor(cause: string) {
    this.cause = cause;
  }

  toString(): string {
    return `(known after ${this.cause})`;
  }

  toJSON(): {unknown: true; cause: string} {
    return {unknown: true, cause: this.cause};
  }
}

/** Whether a value, or anything inside a list or mapping, is unknown; gives the first one found. */
export function findUnknown(value: unknown): Unknown | undefined {
  if (value instanceof Unknown) return value;
  if (Array.isArray(value)) {
    for (const element of value) {
      const found = findUnknown(element);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    for (const element of Object.values(value)) {
      const found = findUnknown(element);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
