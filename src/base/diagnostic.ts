/** One text that the user wrote: a playbook, an inventory, a template. `path` is as it is to be shown. */
export type Source = {
  readonly path: string;
  readonly text: string;
  /** never print an excerpt of it */ readonly secret?: true;
};

/** A place in a source. *units*: UTF-16 offsets, half open. */
export type Span = {readonly source: Source; readonly start: number; readonly end: number};

export type Severity = 'error' | 'warning';

/**
 * A mistake (or something to look at) in what the user wrote, as a value with a place.
 * `code` is stable kebab-case; `message` has no trailing full stop; `note` stands behind the `^^^^` of the frame;
 * `help` says what to write instead.
 */
export type Diagnostic = {
  readonly severity: Severity;
  readonly code: string;
  readonly message: string;
  readonly span?: Span;
  readonly note?: string;
  readonly help?: string;
};

/** A position as people count: 1-based line and column (column in UTF-16 units). */
export type Position = {readonly line: number; readonly column: number};

/** Where an offset lies in a text, 1-based. Offsets past the end give the end. */
export function positionOf(text: string, offset: number): Position {
  const upTo = text.slice(0, offset);
  const lastBreak = upTo.lastIndexOf('\n');
  let line = 1;
  for (let i = upTo.indexOf('\n'); i >= 0; i = upTo.indexOf('\n', i + 1)) line++;
  return {line, column: upTo.length - lastBreak};
}

/** `file:line:column` of a span, as it stands in messages, JSON and reports. */
export function placeOf(span: Span): string {
  const {line, column} = positionOf(span.source.text, span.start);
  return `${span.source.path}:${line}:${column}`;
}

/** A diagnostic of severity error. */
export function error(
  code: string,
  message: string,
  more: Omit<Diagnostic, 'severity' | 'code' | 'message'> = {},
): Diagnostic {
  return {severity: 'error', code, message, ...more};
}

/** A diagnostic of severity warning. */
export function warning(
  code: string,
  message: string,
  more: Omit<Diagnostic, 'severity' | 'code' | 'message'> = {},
): Diagnostic {
  return {severity: 'warning', code, message, ...more};
}
