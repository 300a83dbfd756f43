import {performance} from 'node:perf_hooks';
import type {GuardedOp, PlainOp} from '../kit/op.ts';
import type {Reply} from '../kit/reads.ts';
import {compileReads} from '../remote/batch.ts';
import {armFragments, confirmFragment, restoreFragment} from '../remote/guard.ts';
import {lowerOp} from '../remote/lower.ts';
import {ReadFailed} from '../remote/read-fragment.ts';
import type {Fragment, Outcome} from '../remote/session.ts';
import {learnAll} from './learn.ts';
import {backupFolder, labelOf} from './op-label.ts';
import type {Applied, Batch, Queued} from './batch.ts';
import type {RunContext} from './context.ts';
import {lockCheck} from './host-lock.ts';
import type {HostState} from './host.ts';
import {noteNotified} from './pending.ts';
import {planFor} from './plan-for.ts';
import {compileSees} from './sees.ts';

/**
 * Applies a guarded task: the host is told to put everything back after a time, then the ops run, then a login over a new connection (and the become, where it is
 * asked for) must succeed; only then the guard is taken away. Where the login fails the old state is put back at once over the connection that still stands,
 * and by the host itself should that be gone too.
 */
export async function runGuarded(run: RunContext, host: HostState, batch: Batch, task: Queued): Promise<void> {
  const guard = task.ops.find((op): op is GuardedOp => op.op === 'guarded')!;
  const id = `${run.info.id}-${Buffer.from(run.random(4)).toString('hex')}`;
  const began = performance.now();
  const applied = await apply(run, host, batch, task, guard, id);
  host.world.settle(task.predictions);
  if (applied !== undefined) {
    task.finish(withDuration(applied, began));
    return;
  }
  const login = await freshLogin(run, host, batch, guard);
  if (login !== undefined) {
    await putBack(run, host, batch, id);
    const text = `a fresh login failed after the change, so the host has put the old state back: ${login}`;
    task.finish(
      withDuration(
        {
          applied: 'failed',
          label: `${task.label} (guarded)`,
          reply: said(text),
          timedOut: false,
          outputs: [],
          durationMs: 0,
        },
        began,
      ),
    );
    return;
  }
  const verify = compileReads(task.verifies ? task.probe.reads : []);
  const outcomes = await host.exchange(
    batch.become,
    [confirmFragment(id, {group: 1, onFailure: 'stop'}), ...verify.fragments],
    run.signal,
  );
  const [confirmed] = outcomes;
  if (confirmed?.ran !== true || confirmed.reply.exit !== 0) {
    const reply = confirmed?.ran === true ? confirmed.reply : said('the guard could not be confirmed');
    task.finish(
      withDuration(
        {applied: 'failed', label: 'confirming the guarded change', reply, timedOut: false, outputs: [], durationMs: 0},
        began,
      ),
    );
    return;
  }
  const decoded = verify.decode(outcomes.slice(1));
  learnAll(host, batch.account, decoded);
  if (decoded instanceof ReadFailed) throw decoded;
  const after = task.probe.join(task.probe.reads.map((read) => decoded.get(read)));
  const plan = planFor(run, host, batch, task.module, task.values, after);
  task.finish(
    withDuration(
      plan.kind === 'converged'
        ? {applied: 'verified', after, plan, outputs: [], durationMs: 0}
        : {applied: 'not-converged', plan, outputs: [], durationMs: 0},
      began,
    ),
  );
}

/** Arms the guard and runs the ops in one exchange. Gives the failure, after which everything has been put back. */
async function apply(
  run: RunContext,
  host: HostState,
  batch: Batch,
  task: Queued,
  guard: GuardedOp,
  id: string,
): Promise<Applied | undefined> {
  const options = {group: 1, onFailure: 'stop'} as const;
  const plain: PlainOp[] = task.ops.flatMap((op) => (op.op === 'guarded' ? [...op.ops] : [op]));
  const fragments: Fragment[] = [
    ...lockCheck(run, host),
    ...noteNotified(host, task, 1),
    ...task.ops.flatMap((op) => compileSees(host, batch.account, op, 1, 'stop')),
    ...armFragments(
      {id, restores: guard.restores, units: guard.units ?? [], undo: guard.undo, withinMs: guard.withinMs},
      options,
    ),
  ];
  const labels = fragments.map((fragment) => fragment.label);
  const armedAt = fragments.length;
  for (const op of plain) {
    const lowered = lowerOp(op, {
      ...options,
      onFailure: op.op === 'run' && op.accepts === 'any' ? 'go-on' : 'stop',
      backupDir: backupFolder(run, op),
      label: labelOf(op, task),
      timeoutMs: (op.op === 'run' ? op.timeoutMs : undefined) ?? task.timeoutMs,
      content: op.op === 'write' ? await run.contentOf(op.content) : '',
    });
    fragments.push(...lowered);
    labels.push(...lowered.map(() => labelOf(op, task)));
  }
  const outcomes: readonly Outcome[] = await host.exchange(batch.become, fragments, run.signal);
  const at = outcomes.findIndex(
    (outcome, i) =>
      outcome.ran && (outcome.timedOut || outcome.reply.exit !== 0) && fragments[i]!.onFailure !== 'go-on',
  );
  const failed = outcomes[at];
  if (failed?.ran !== true) return undefined;
  if (at >= armedAt) await putBack(run, host, batch, id);
  return {
    applied: 'failed',
    label: labels[at] ?? task.label,
    reply: failed.reply,
    timedOut: failed.timedOut,
    outputs: [],
    durationMs: 0,
  };
}

/** A login over a new connection, as the guard asks for it; gives what went wrong. It must be done well before the guard expires. */
async function freshLogin(
  run: RunContext,
  host: HostState,
  batch: Batch,
  guard: GuardedOp,
): Promise<string | undefined> {
  const limit = AbortSignal.any([run.signal, AbortSignal.timeout(Math.max(2000, guard.withinMs * 0.7))]);
  try {
    await using connection = await host.freshLogin(limit);
    const session = await connection.session(guard.confirm === 'login+become' ? batch.become : undefined);
    const [answer] = await session.exchange(
      [{shell: 'echo in', group: 0, onFailure: 'go-on', label: 'the fresh login', secret: false, timeoutMs: 10_000}],
      {signal: limit},
    );
    return answer?.ran === true && answer.reply.exit === 0 ? undefined : 'the new shell did not answer';
  } catch (error) {
    if (run.signal.aborted) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

async function putBack(run: RunContext, host: HostState, batch: Batch, id: string): Promise<void> {
  try {
    await host.exchange(batch.become, [restoreFragment(id)], run.signal);
  } catch {
    // the standing connection is gone too: the host's own timer puts the old state back
    run.emit({
      event: 'message',
      host: host.name,
      text: 'the connection is lost; the host restores itself when its timer runs out',
    });
  }
  host.world.forgetAll();
}

function said(text: string): Reply {
  return {exit: 1, stdout: new Uint8Array(), stderr: new TextEncoder().encode(text)};
}

function withDuration<A extends Applied>(applied: A, began: number): A {
  return applied.applied === 'not-run' ? applied : {...applied, durationMs: performance.now() - began};
}
