import {Unknown} from '../base/unknown.ts';
import type {TaskStatus} from './event.ts';

/** What `register` holds: Ansible's keys. */
export type Registered = Record<string, unknown>;

/** The registered form of a result. `details` are the module's own keys (rc, stdout, stat, …). */
export function registeredOf(
  status: TaskStatus,
  message: string | undefined,
  details: Readonly<Record<string, unknown>>,
): Registered {
  const failed = status === 'failed' || status === 'refused' || status === 'ignored';
  return {
    changed: status === 'changed',
    failed,
    ...(status === 'skipped' ? {skipped: true} : {}),
    ...(message === undefined ? {} : {msg: message}),
    ...details,
  };
}

/** A loop's results under one name, each with its element. *source*: Ansible's loop results. */
export function registeredLoop(
  answers: readonly (Registered | Unknown)[],
  items: readonly unknown[],
  loopVar: string,
): Registered {
  const results = answers.map((answer, i): Registered | Unknown =>
    answer instanceof Unknown ? answer : {...answer, [loopVar]: items[i], ansible_loop_var: loopVar},
  );
  const known = results.filter((r): r is Registered => !(r instanceof Unknown));
  return {
    results,
    changed: known.some((r) => r['changed'] === true) || (results.find((r) => r instanceof Unknown) ?? false),
    failed: known.some((r) => r['failed'] === true),
    skipped: known.length === results.length && known.every((r) => r['skipped'] === true),
    msg: known.some((r) => r['failed'] === true)
      ? 'One or more items failed'
      : results.length === 0
        ? 'No items in the list'
        : 'All items completed',
  };
}
