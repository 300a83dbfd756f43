/** POSIX shell text that is safe to run: made only by {@link sh} (which quotes what is put in) and {@link rawShell}. */
export type ShellText = {readonly shell: string};

/** Quotes one word for a POSIX shell; NUL cannot be passed to a program at all. *errors*: throws on NUL. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError('a shell word cannot hold a NUL character');
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * A shell fragment from a template literal. What is interpolated is quoted as one word (string, number), as several words
 * (a list of strings) or taken as it is ({@link ShellText}). Secrets cannot be interpolated: they go through `stdin`.
 */
export function sh(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | readonly string[] | ShellText)[]
): ShellText {
  let shell = parts.raw[0] ?? '';
  values.forEach((value, i) => {
    shell += word(value) + (parts.raw[i + 1] ?? '');
  });
  return {shell};
}

function word(value: string | number | readonly string[] | ShellText): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') return String(value);
  if ('shell' in value) return value.shell;
  return value.map(quote).join(' ');
}

/** Takes text that the author wrote as shell, unquoted. Never with text that comes from a user or a host. */
export function rawShell(text: string): ShellText {
  return {shell: text};
}

/** Puts fragments one below the other. */
export function lines(...fragments: readonly ShellText[]): ShellText {
  return {shell: fragments.map((f) => f.shell).join('\n')};
}
