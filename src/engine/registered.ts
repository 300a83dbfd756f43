import {Unknown} from '../base/unknown.ts';
import type {Loop} from '../playbook/program.ts';
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
    ...(status === 'skipped' ? {skipped: true} : {failed}),
    ...(message === undefined ? {} : {msg: message}),
    ...details,
  };
}

/** A loop's results under one name, each with its element. *source*: Ansible's loop results. */
export function registeredLoop(
  answers: readonly (Registered | Unknown)[],
  items: readonly unknown[],
  loop: Loop,
): Registered {
  const {loopVar, indexVar} = loop;
  const results = answers.map((answer, i): Registered | Unknown =>
    answer instanceof Unknown
      ? answer
      : {
          ...answer,
          [loopVar]: items[i],
          ansible_loop_var: loopVar,
          ...(indexVar === undefined ? {} : {[indexVar]: i, ansible_index_var: indexVar}),
        },
  );
  const known = results.filter((r): r is Registered => !(r instanceof Unknown));
  const allSkipped = known.length === results.length && known.every((r) => r['skipped'] === true);
  return {
    results,
    changed: known.some((r) => r['changed'] === true) || (results.find((r) => r instanceof Unknown) ?? false),
    failed: known.some((r) => r['failed'] === true),
    skipped: allSkipped,
    msg: known.some((r) => r['failed'] === true)
      ? 'One or more items failed'
      : results.length === 0
        ? 'No items in the list'
        : allSkipped
          ? 'All items skipped'
          : 'All items completed',
  };
}
