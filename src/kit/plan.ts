import type {JsonPointer, Problem} from './problem.ts';
import type {NonEmpty} from '../base/nonempty.ts';
import {isNonEmpty} from '../base/nonempty.ts';
import type {Secret} from '../base/secret.ts';
import type {Unknown} from '../base/unknown.ts';
import type {Op} from './op.ts';

/** One side of a difference; undefined = absent. */
export type Value = string | Secret | Unknown | undefined;

/** One fact that differs, in words of the thing managed: `what: 'mode', before: '0644', after: '0600'`. Several lines = content, shown as a unified diff. */
export type Change = {
  readonly what: string;
  readonly before: Value;
  readonly after: Value;
  /** the two as they stand in a file, for diffs: `mech_list: plain` instead of `plain` */
  readonly line?: {readonly before: Value; readonly after: Value};
};

/** What a module decided: nothing to do, these changes by these ops, or a safe stop. */
export type Plan = {
  /** what has to happen outside of this run: "power-cycle guest debianx" */
  readonly pending?: readonly string[];
  /** policy findings, with severity; they count in `check` and `run` as cli.md says */
  readonly findings?: readonly Problem[];
} & (
  | {readonly kind: 'converged'}
  | {readonly kind: 'change'; readonly changes: NonEmpty<Change>; readonly ops: NonEmpty<Op>}
  | {readonly kind: 'refuse'; readonly problems: NonEmpty<Problem>}
);

type Notes = {readonly pending?: readonly string[]; readonly findings?: readonly Problem[]};

/** As declared. */
export function converged(notes: Notes = {}): Plan {
  return {kind: 'converged', ...notes};
}

/** These changes by these ops; converged where there are none. *errors*: throws when only one of the two lists is empty (an author's bug). */
export function change(changes: readonly Change[], ops: readonly Op[], notes: Notes = {}): Plan {
  if (isNonEmpty(changes) && isNonEmpty(ops)) return {kind: 'change', changes, ops, ...notes};
  if (changes.length === 0 && ops.length === 0) return converged(notes);
  throw new Error(`a plan needs both changes and ops: ${changes.length} changes, ${ops.length} ops`);
}

/** A safe stop. */
export function refuse(code: string, message: string, more: {param?: JsonPointer; help?: string} = {}): Plan {
  return {kind: 'refuse', problems: [{code, message, ...more}]};
}

/** A safe stop for several reasons. */
export function refuseAll(problems: NonEmpty<Problem>): Plan {
  return {kind: 'refuse', problems};
}
