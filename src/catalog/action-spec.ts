import type {Params} from '../kit/schema.ts';

/** A task that acts on the engine or the controller instead of a host's state (`set_fact`, `debug`, `meta`): what the loader and the manual know of it. */
export type ActionSpec = {
  readonly name: string;
  readonly summary: string;
  readonly params: Params;
  /** parameter that takes a plain string: `meta: flush_handlers` */
  readonly freeForm?: string;
  /** any further key is a value of the user's (`set_fact: {a: 1}`) */
  readonly anyKeys?: true;
  /** parameters that hold bare expressions (`assert.that`, `debug.var`): not rendered before, and checked as expressions */
  readonly expressions?: readonly string[];
  readonly examples: readonly string[];
};
