// What can be wrong in a template, as a value with a place; inside the engine it travels as an exception that never gets out.
import type {Diagnostic} from '../base/diagnostic.ts';

/**
 * A mistake in a template. *units*: `start`/`end` are UTF-16 offsets within the template's text (half open).
 * `origin` is set when the mistake lies in another text (a variable that is itself a template): the place there.
 */
export type TemplateProblem = {
  readonly code: string;
  readonly message: string;
  readonly start: number;
  readonly end: number;
  readonly help?: string;
  readonly origin?: Diagnostic;
};

/** A range of offsets in the template's text. */
export type Range = {readonly start: number; readonly end: number};

/** Carries a located problem out of nested closures; `render` turns it into a value. */
export class Fault extends Error {
  readonly problem: TemplateProblem;

  constructor(problem: TemplateProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** A mistake found where no place is known (inside a filter); the caller of the filter adds the place. */
export class Misuse extends Error {
  readonly code: string;
  readonly help: string | undefined;

  constructor(message: string, code = 'template-value', help?: string) {
    super(message);
    this.code = code;
    this.help = help;
  }
}

/** Runs `body`, giving every unplaced mistake in it the place `range`. */
export function located<T>(range: Range, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    throw withPlace(cause, range);
  }
}

/** The same mistake with a place; anything that is not a mistake of the user is returned as it is. */
export function withPlace(cause: unknown, range: Range): unknown {
  if (!(cause instanceof Misuse)) return cause;
  const problem = {code: cause.code, message: cause.message, start: range.start, end: range.end};
  return new Fault(cause.help === undefined ? problem : {...problem, help: cause.help});
}
