import type {Diagnostic} from './diagnostic.ts';
import type {NonEmpty} from './nonempty.ts';

/** A value, or the user's mistakes that stand in its way. Exceptions are for lost links, failed commands and bugs. */
export type Result<T> = {ok: true; value: T} | {ok: false; problems: NonEmpty<Diagnostic>};

/** Wraps a value that could be had. */
export function ok<T>(value: T): Result<T> {
  return {ok: true, value};
}

/** Wraps the mistakes that stand in the way of a value. */
export function bad<T>(...problems: [Diagnostic, ...Diagnostic[]]): Result<T> {
  return {ok: false, problems};
}
