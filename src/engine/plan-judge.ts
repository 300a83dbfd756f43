import {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {sha256} from '../kit/content.ts';
import type {Op} from '../kit/op.ts';
import type {Change, Plan} from '../kit/plan.ts';
import type {DecidedStep} from './plan-part.ts';

/** How a decided step stands to the host as it is now. */
export type Judgement =
  | {readonly is: 'as-planned'}
  /** it differs from what the plan saw, but is what the plan leads to */
  | {readonly is: 'already'}
  | {readonly is: 'moved'; readonly reasons: readonly string[]};

/**
 * Compares a decided step with the host. `moves` says, in a line each, which reads answer otherwise than for the plan; `now` is what the module decides on
 * today's answers. `own`: the host was as planned before this plan began to change it, so that what moved since is its own doing (a unit is known once its file is
 * written); then it counts that nothing else would be done, not what was there before. What moved without a bearing on the decision (a mode that the task does not manage) is no reason to refuse.
 */
export function judgeMoves(planned: DecidedStep, moves: readonly string[], now: Plan, own = false): Judgement {
  if (now.kind === 'converged' && planned.does === 'change') return {is: 'already'};
  const comparable = planned.saw.every(({witness}) => witness !== undefined);
  if (moves.length === 0 && comparable) return {is: 'as-planned'};
  if (isSameDecision(planned, now, own)) return {is: 'as-planned'};
  return {is: 'moved', reasons: moves.length > 0 ? moves : [wouldNow(now)]};
}

function isSameDecision(planned: DecidedStep, now: Plan, own: boolean): boolean {
  if (planned.does === 'nothing' || now.kind !== 'change')
    return planned.does === 'nothing' && now.kind === 'converged';
  if (own)
    return (
      isPartOf(now.changes.map(aim), planned.changes.map(aim)) && isPartOf(now.ops.map(deed), planned.ops.map(deed))
    );
  return (
    essence(planned.changes.map(sides)) === essence(now.changes.map(sides)) &&
    essence(planned.ops.map(deed)) === essence(now.ops.map(deed))
  );
}

/** Earlier tasks may have done some of it on the way. */
function isPartOf(some: readonly unknown[], all: readonly unknown[]): boolean {
  const known = new Set(all.map(essence));
  return some.every((one) => known.has(essence(one)));
}

function aim({what, after}: Change): unknown {
  return [what, after ?? null];
}

function sides({what, before, after}: Change): unknown {
  return [what, before ?? null, after ?? null];
}

/** What an op does; not what it says of its effects, and not the environment, which is the task's and not the module's. */
function deed(op: Op): unknown {
  const {predicts: _predicts, ...rest} = op;
  if (rest.op === 'guarded') return {...rest, ops: rest.ops.map(deed)};
  if (rest.op !== 'run') return rest;
  const {environment: _environment, ...run} = rest;
  return run;
}

/** Data as text in which equal things are equal: secrets and bytes by what they hold. */
function essence(data: unknown): string {
  return JSON.stringify(data, function (this: Record<string, unknown>, key, shown: unknown) {
    const value = this[key];
    if (value instanceof Secret) return {secret: value.reveal()};
    if (value instanceof Uint8Array) return {bytes: sha256(value)};
    if (value instanceof Unknown) return {unknown: true};
    return shown;
  });
}

function wouldNow(now: Plan): string {
  if (now.kind === 'refuse') return `it is refused now: ${now.problems.map(({message}) => message).join('; ')}`;
  if (now.kind === 'converged') return 'there is nothing to do now';
  return `it would change something else now: ${now.changes.map(({what}) => what).join(', ')}`;
}
