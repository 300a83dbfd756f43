import {performance} from 'node:perf_hooks';
import type {Batch} from './batch.ts';
import type {Emit, HostSummary, TaskResult} from './event.ts';
import {World} from './world.ts';
import type {Module} from '../kit/module.ts';
import type {Probe} from '../kit/probe.ts';
import type {HostMemory} from '../playbook/scope.ts';
import type {Become, Connection, Connector, Fragment, Outcome, Session, Target} from '../remote/session.ts';

/** A task whose pending items may have been done by a later task of the same run. */
export type PendingTask = {
  readonly module: Module;
  readonly values: Readonly<Record<string, unknown>>;
  readonly probe: Probe<unknown>;
  readonly become: Become | undefined;
  readonly account: string;
  readonly texts: readonly string[];
};

/** How the controller works with a host: what it knows of it, its connection, and what it is about to change there. */
export class HostState {
  readonly name: string;
  readonly world = new World();
  readonly memory: HostMemory;
  /** planned but not yet applied tasks, oldest first; all as one account */
  batch: Batch | undefined;
  /** results in task order; a task that waits in the batch holds its place */
  readonly tally = {ok: 0, changed: 0, failed: 0, skipped: 0, refused: 0, unknown: 0, ignored: 0};
  roundTrips = 0;
  /** no further task runs here: it failed, cannot be reached, or others' failures ended its play too */
  stopped: 'failed' | 'unreachable' | 'ended' | undefined;
  /** `meta: clear_host_errors` was said after it stopped: it takes part in the next play again */
  isComingBack = false;
  unreachable: {message: string; help: string | undefined} | undefined;
  /** tasks that said what is still to be done outside of the run; asked again at its end */
  readonly pendings: PendingTask[] = [];
  /** names of handlers to run at the next flush of handlers */
  readonly notified = new Set<string>();
  factsKnown = false;
  /** where this run's lock on the host is; every batch of ops checks that it still is ours */
  lockPath: string | undefined;
  /** the account that holds it */
  lockAccount: Become | undefined;
  /** the run whose lock we wait for; it is said once */
  waitedFor: string | undefined;
  /** when the host heard of us last. *units*: ms, of performance.now() */
  lastExchangeMs = 0;
  /** handlers that an earlier run notified and did not run */
  readonly recalled = new Set<string>();
  /** handlers noted for a change that did not come about: their notes go with the next flush */
  readonly unneeded = new Set<string>();
  /** handlers that are noted on the host as still to run */
  readonly noted = new Set<string>();
  /** the batch holds a command that may change anything: what is known afterwards is only what is read afterwards */
  forgetsAfterBatch = false;
  /** something was done on another host that may have changed this one: what was read before is read again at the next need */
  isDoubted = false;
  #disturbances = 0;
  /** who is logged in; known once the connection stands */
  login: Connection['login'] = {user: '', from: ''};
  /** time that evaluating and planning took on the controller. *units*: milliseconds */
  planningMs = 0;
  /** when the first exchange was made, by performance.now(); it is no task's time */
  looked: {readonly from: number; readonly to: number} | undefined;
  /** first exchange made: reads of the whole run have travelled */
  surveyed = false;
  readonly #connector: Connector;
  readonly #emit: Emit;
  #connection: Promise<Connection> | undefined;
  #target: Target | undefined;

  constructor(name: string, memory: HostMemory, connector: Connector, emit: Emit) {
    this.name = name;
    this.memory = memory;
    this.#connector = connector;
    this.#emit = emit;
  }

  /** The connection, made at the first call. *errors*: Unreachable. */
  connect(target: Target, signal: AbortSignal): Promise<Connection> {
    this.#target ??= target;
    this.#connection ??= this.#open(this.#target, signal);
    return this.#connection;
  }

  /** A new login beside the standing one: the proof that the door still opens. */
  freshLogin(signal: AbortSignal): Promise<Connection> {
    if (this.#target === undefined) throw new Error('a fresh login needs a first one');
    return this.#connector.connect(this.#target, signal);
  }

  /** Forgets the connection, so that the next use logs in again (after a reboot). */
  async disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    try {
      await (await connection)[Symbol.asyncDispose]();
    } catch {
      // a connection that never stood, or is broken already, has nothing to close
    }
  }

  /** The run is over here: the connection is given back where it may serve another run, and closed otherwise. */
  async release(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined);
    if (connection?.release === undefined || this.stopped === 'unreachable') return this.disconnect();
    this.#connection = undefined;
    // a shell that holds the lock frees it by its end; one that has failed in some way is not trusted further
    await connection.release(this.lockPath === undefined && this.stopped === undefined);
  }

  /** No further play has work here: the connection, the lock and what was read are given up; whoever comes back to the host begins anew. */
  async leave(): Promise<void> {
    await this.release();
    this.world.forgetAll();
    this.pendings.length = 0;
    this.surveyed = false;
    this.lockPath = undefined;
  }

  /** One exchange as an account. *errors*: LinkLost, BecomeFailed, Unreachable. */
  async exchange(
    become: Become | undefined,
    fragments: readonly Fragment[],
    signal: AbortSignal,
  ): Promise<readonly Outcome[]> {
    if (this.#connection === undefined) throw new Error('exchange before connect');
    const connection = await this.#connection;
    const session: Session = await connection.session(become);
    const began = performance.now();
    const outcomes = await session.exchange(fragments, {
      signal,
      onSilence: (label, silentMs) => this.#emit({event: 'silence', host: this.name, label, silentMs}),
    });
    this.roundTrips++;
    this.lastExchangeMs = performance.now();
    this.#emit({
      event: 'exchange',
      host: this.name,
      user: become?.user,
      fragments: fragments.length,
      durationMs: performance.now() - began,
    });
    return outcomes;
  }

  /** Doubts what was read where another host has meanwhile done something that nobody can tell the extent of. */
  noticeOthers(disturbances: readonly string[]): void {
    if (this.surveyed && disturbances.slice(this.#disturbances).some((host) => host !== this.name))
      this.isDoubted = true;
    this.#disturbances = disturbances.length;
  }

  /** Takes part again, if its errors have been cleared. */
  comeBack(): void {
    if (!this.isComingBack) return;
    this.isComingBack = false;
    this.stopped = undefined;
    this.unreachable = undefined;
  }

  /** After the link was lost, or never stood: the next use logs in again and reads everything anew. */
  async startOver(): Promise<void> {
    this.batch = undefined;
    await this.disconnect();
    this.world.forgetAll();
    this.surveyed = false;
    this.lockPath = undefined;
  }

  /** Counts and reports a finished task. */
  report(result: TaskResult): void {
    this.tally[result.status]++;
    this.#emit({event: 'task-finished', result});
  }

  summary(): HostSummary {
    const {tally} = this;
    const status =
      this.stopped === 'unreachable'
        ? 'unreachable'
        : this.stopped === 'failed' || tally.failed > 0 || tally.refused > 0
          ? 'failed'
          : tally.changed > 0
            ? 'changed'
            : 'ok';
    return {
      status,
      ...tally,
      roundTrips: this.roundTrips,
      ...(this.unreachable === undefined ? {} : {unreachable: this.unreachable}),
    };
  }

  async #open(target: Target, signal: AbortSignal): Promise<Connection> {
    const began = performance.now();
    const connection = await this.#connector.connect(target, signal);
    this.#emit({event: 'host-connected', host: this.name, via: connection.via, durationMs: performance.now() - began});
    return connection;
  }
}
