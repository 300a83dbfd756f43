// An op becomes POSIX shell here and nowhere else. Content and secrets travel over stdin; paths are words in single quotes.
import type {Secret} from '../base/secret.ts';
import type {PlainOp} from '../kit/op.ts';
import {ranBackupOf, unitBackupOf} from './backup.ts';
import {lowerChmod, lowerChown, lowerLink, lowerMkdir, lowerRemove, lowerTouch} from './lower-tree.ts';
import {lowerRun} from './lower-run.ts';
import {lowerWrite} from './lower-write.ts';
import type {Fragment} from './session.ts';

/** What carries over from the run to every op. */
export type Lowering = {
  /** where old files are kept (`/var/lib/tsplay/backup/RUN`); undefined = no copies */
  readonly backupDir: string | undefined;
  readonly group: number;
  readonly onFailure: Fragment['onFailure'];
  /** never holds a secret */
  readonly label: string;
  readonly timeoutMs: number;
  /** of a `write`: its bytes, with what the controller reads or makes at the last moment already in place */
  readonly content: string | Uint8Array | Secret;
};

/** What an op's fragment runs, before it is put into its batch. */
export type Lowered = Pick<Fragment, 'shell'> & {readonly stdin?: Fragment['stdin']; readonly secret?: true};

/**
 * The fragments of one op; the last is the op itself. It exits 0 when it is done; otherwise stderr says why and the status is one of
 * `exitStatus` (or, of a `run`, the command's own). See `replyOfRun` for what a command that may fail has really answered.
 */
export function lowerOp(op: PlainOp, context: Lowering): readonly Fragment[] {
  const lowered = lower(op, context);
  const notes = noteOf(op, context);
  const {group, timeoutMs} = context;
  const noting: Fragment[] =
    notes === undefined
      ? []
      : [{shell: notes, group, onFailure: 'go-on', label: 'noting what is there', secret: false, timeoutMs}];
  return [
    ...noting,
    {
      shell: lowered.shell,
      ...(lowered.stdin === undefined ? {} : {stdin: lowered.stdin}),
      group: context.group,
      onFailure: context.onFailure,
      label: context.label,
      secret: lowered.secret ?? false,
      timeoutMs: context.timeoutMs,
    },
  ];
}

/** What is noted before a command runs: how the units stand that it affects, or that it ran at all. */
function noteOf(op: PlainOp, {backupDir, label}: Lowering): string | undefined {
  if (op.op !== 'run' || backupDir === undefined) return undefined;
  const affected = op.affects ?? [];
  const units = affected.flatMap((key) => (key.startsWith('unit:') && !key.endsWith(':*') ? [key.slice(5)] : []));
  if (units.length > 0) return unitBackupOf(units, backupDir);
  // systemd is told by a rollback itself to read its files anew
  if (affected.length > 0 && affected.every((key) => key === 'unit:*')) return undefined;
  return ranBackupOf(label, backupDir);
}

function lower(op: PlainOp, context: Lowering): Lowered {
  switch (op.op) {
    case 'write':
      return lowerWrite(op, context);
    case 'run':
      return lowerRun(op);
    case 'mkdir':
      return lowerMkdir(op, context);
    case 'link':
      return lowerLink(op, context);
    case 'chmod':
      return lowerChmod(op, context);
    case 'chown':
      return lowerChown(op, context);
    case 'remove':
      return lowerRemove(op, context);
    case 'touch':
      return lowerTouch(op, context);
  }
}
