import type {Host} from './host.ts';
import type {GuardedOp, Op, PlainOp, RunOp} from './op.ts';
import {isNonEmpty} from '../base/nonempty.ts';
import {p} from './schema.ts';

/** The parameter `guard` of modules that could shut a door: seconds, or `off`. */
export const guardParam = p.either(
  p.integer('seconds', {min: 5, max: 600}),
  p.choice(['off'], 'no guard'),
  'seconds until the host restores the old state unless a fresh login works; `off` to switch off',
  {default: 30},
);

/** The parameter `allow_lockout`. */
export const allowLockoutParam = p.boolean(
  'go on though it would lock out the account, key or address of this very connection',
  {
    default: false,
  },
);

/**
 * Puts ops behind a guard: the host brings `restores` back and runs `undo` unless a fresh login (with become, where the run uses it) works in time.
 * With `guard: off` they stay as they are.
 */
export function guardOps(
  ops: readonly PlainOp[],
  guard: number | 'off',
  host: Host,
  more: {readonly restores: readonly string[]; readonly undo: readonly RunOp[]},
): readonly Op[] {
  if (!isNonEmpty(ops)) return [];
  if (guard === 'off') return ops;
  const op: GuardedOp = {
    op: 'guarded',
    ops,
    restores: more.restores,
    undo: more.undo,
    confirm: host.connection.become === undefined ? 'login' : 'login+become',
    withinMs: guard * 1000,
  };
  return [op];
}
