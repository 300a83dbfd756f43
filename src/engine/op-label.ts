import {isNonEmpty} from '../base/nonempty.ts';
import type {Op, PlainOp} from '../kit/op.ts';
import type {RunContext} from './context.ts';

/** Where the old version of what an op changes is kept; content that must not stay is not. */
export function backupFolder(run: RunContext, op: PlainOp): string | undefined {
  return op.op === 'write' && op.noBackup === true ? undefined : `/var/lib/tsplay/backup/${run.info.id}`;
}

/** How an op is called in messages: never with content or secrets. */
export function labelOf(op: Op, task: {readonly label: string}): string {
  switch (op.op) {
    case 'run':
      // the text of a script says less than the task's name
      if (op.argv[1] === '-c') return task.label;
      return isNonEmpty(op.argv)
        ? op.argv
            .map((word) => (typeof word === 'string' ? word : '<candidate>'))
            .join(' ')
            .slice(0, 200)
        : task.label;
    case 'guarded':
      return `${task.label} (guarded)`;
    default:
      return `${op.op} ${op.path}`;
  }
}
