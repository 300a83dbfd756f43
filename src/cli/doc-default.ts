/** A default as it would be written in YAML. */
export function stateOfDefault(value: unknown): string {
  return typeof value === 'string' ? (value === '' ? '""' : value) : JSON.stringify(value);
}
