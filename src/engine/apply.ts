import {performance} from 'node:perf_hooks';
import type {PlainOp} from '../kit/op.ts';
import type {Read, Reply} from '../kit/reads.ts';
import {compileReads, type ReadValues} from '../remote/batch.ts';
import {exitStatus} from '../remote/exit-status.ts';
import {lowerOp} from '../remote/lower.ts';
import {replyOfRun} from '../remote/lower-run.ts';
import {ReadFailed} from '../remote/read-fragment.ts';
import type {Fragment, Outcome} from '../remote/session.ts';
import type {Applied, Batch, Queued} from './batch.ts';
import type {RunContext} from './context.ts';
import {runGuarded} from './guarded.ts';
import {learnAll} from './learn.ts';
import {backupFolder, labelOf} from './op-label.ts';
import type {HostState} from './host.ts';
import {planFor} from './plan-for.ts';
import {compileSees} from './sees.ts';
import {lockCheck} from './host-lock.ts';
import {eraseNotes, noteNotified} from './pending.ts';

type Piece = {
  readonly task: Queued;
  readonly ops: readonly {op: PlainOp; at: number}[];
  readonly verifyAt: number;
  readonly decode: (outcomes: readonly Outcome[]) => ReadValues | ReadFailed;
};

/** Applies what waits in a host's batch, if anything does. `further` reads travel with it, for the task that is waiting. */
export async function applyWaiting(
  run: RunContext,
  host: HostState,
  further: readonly Read[],
  account: string,
): Promise<void> {
  const {batch} = host;
  host.batch = undefined;
  if (batch !== undefined) await applyBatch(run, host, batch, further, account);
}

/**
 * Applies a batch: one exchange holds, task by task, its ops and right behind them the reads that verify it, and at the end `further` reads.
 * A guarded task has exchanges of its own. Each task is told what came of it, in order.
 */
export async function applyBatch(
  run: RunContext,
  host: HostState,
  batch: Batch,
  further: readonly Read[],
  account: string,
): Promise<void> {
  const guarded = batch.tasks.find((task) => task.ops.some((op) => op.op === 'guarded'));
  if (guarded !== undefined && batch.tasks.length > 1) throw new Error('a guarded task shares no batch');
  if (guarded !== undefined) {
    await runGuarded(run, host, batch, guarded);
    return;
  }
  const fragments: Fragment[] = [...lockCheck(run, host)];
  const pieces: Piece[] = [];
  let loop: object | undefined;
  const fence = (at: number): void => {
    const first = fragments[at];
    if (loop !== undefined && first !== undefined) fragments[at] = {...first, fence: true};
  };
  for (const [index, task] of batch.tasks.entries()) {
    const at = fragments.length;
    pieces.push(await addTask(run, host, batch, task, index + 1, fragments));
    if (task.loop !== loop) fence(at);
    loop = task.loop;
  }
  const furtherAt = fragments.length;
  const furtherReads = compileReads(account === batch.account ? further : []);
  fragments.push(...furtherReads.fragments.map((f) => ({...f, group: batch.tasks.length + 1})));
  fence(furtherAt);

  const outcomes = await host.exchange(batch.become, fragments, run.signal);
  for (const piece of pieces) {
    const applied = judge(run, host, batch, piece, outcomes);
    if (applied.applied === 'ran' || applied.applied === 'verified')
      for (const name of piece.task.handles) host.noted.delete(name);
    piece.task.finish(applied);
  }
  for (const done of batch.whenDone) done();
  if (host.forgetsAfterBatch) host.world.forgetAll();
  host.forgetsAfterBatch = false;
  const furtherOutcomes = outcomes.slice(furtherAt);
  // behind a task that failed the host has stopped, and whoever waits for these reads hears of the failure
  if (furtherOutcomes.some((outcome) => !outcome.ran)) return;
  learnAll(host, account, furtherReads.decode(furtherOutcomes));
}

async function addTask(
  run: RunContext,
  host: HostState,
  batch: Batch,
  task: Queued,
  group: number,
  fragments: Fragment[],
): Promise<Piece> {
  const onFailure = task.tolerated ? 'skip-group' : task.loop === undefined ? 'stop' : 'stop-at-fence';
  fragments.push(...noteNotified(host, task, group));
  const ops: {op: PlainOp; at: number}[] = [];
  for (const op of task.ops) {
    if (op.op === 'guarded') throw new Error('guarded ops are applied elsewhere');
    fragments.push(...compileSees(host, batch.account, op, group, onFailure));
    const lowered = lowerOp(op, {
      backupDir: backupFolder(run, op),
      group,
      onFailure: op.op === 'run' && op.accepts === 'any' ? 'go-on' : onFailure,
      label: labelOf(op, task),
      timeoutMs: (op.op === 'run' ? op.timeoutMs : undefined) ?? task.timeoutMs,
      content: op.op === 'write' ? await run.contentOf(op.content) : '',
    });
    fragments.push(...lowered);
    ops.push({op, at: fragments.length - 1});
  }
  const verify = compileReads(task.verifies ? task.probe.reads : []);
  const verifyAt = fragments.length;
  fragments.push(...verify.fragments.map((f) => ({...f, group, onFailure: 'go-on' as const})));
  fragments.push(...eraseNotes(host, task.handles, group));
  return {
    task,
    ops,
    verifyAt,
    decode: (outcomes) => verify.decode(outcomes.slice(verifyAt, verifyAt + verify.fragments.length)),
  };
}

function judge(run: RunContext, host: HostState, batch: Batch, piece: Piece, outcomes: readonly Outcome[]): Applied {
  const {task} = piece;
  host.world.settle(task.predictions);
  const outputs: Reply[] = [];
  let durationMs = 0;
  for (const {op, at} of piece.ops) {
    const outcome = firstFailure(outcomes, piece, at) ?? outcomes[at];
    if (outcome === undefined || !outcome.ran) return {applied: 'not-run'};
    durationMs += outcome.durationMs;
    const failed = outcome.timedOut || (outcome.reply.exit !== 0 && !(op.op === 'run' && op.accepts === 'any'));
    if (op.op === 'run' && op.output === true) outputs.push(replyOfRun(op, outcome.reply));
    if (failed)
      return {
        applied: 'failed',
        label: labelOf(op, task),
        reply: outcome.reply,
        timedOut: outcome.timedOut,
        outputs,
        durationMs,
      };
  }
  if (!task.verifies) return {applied: 'ran', outputs, durationMs};
  const began = performance.now();
  const decoded = piece.decode(outcomes);
  learnAll(host, batch.account, decoded);
  if (decoded instanceof ReadFailed) throw decoded;
  const state = task.probe.join(task.probe.reads.map((read) => decoded.get(read)));
  const plan = planFor(run, host, batch, task.module, task.values, state);
  durationMs += performance.now() - began;
  if (plan.kind === 'converged') return {applied: 'verified', after: state, plan, outputs, durationMs};
  return {applied: 'not-converged', plan, outputs, durationMs};
}

/** Preparing fragments of an op (checks of what it saw) come before its own; the first one that failed is the op's failure. */
function firstFailure(outcomes: readonly Outcome[], piece: Piece, at: number): Outcome | undefined {
  const earlier = piece.ops.filter((o) => o.at < at).at(-1)?.at ?? -1;
  const from = Math.max(earlier + 1, 0);
  const mine = outcomes.slice(from, at).findLast((o) => o.ran && o.reply.exit === exitStatus.moved);
  return mine;
}
