import type {Diagnostic} from '../base/diagnostic.ts';
import type {NonEmpty} from '../base/nonempty.ts';
import type {Unknown} from '../base/unknown.ts';

/**
 * Thrown by a Resolver whose controller file cannot become a value: a template with mistakes, or with something in it that is not known yet.
 * Caught where parameters are bound; never seen outside.
 */
export class Unresolved extends Error {
  override readonly name = 'Unresolved';
  readonly reason: Unknown | NonEmpty<Diagnostic>;

  constructor(reason: Unknown | NonEmpty<Diagnostic>) {
    super('a controller file could not be resolved');
    this.reason = reason;
  }
}
