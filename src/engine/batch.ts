import type {Module} from '../kit/module.ts';
import type {Op} from '../kit/op.ts';
import type {Plan} from '../kit/plan.ts';
import type {Probe} from '../kit/probe.ts';
import type {Reply} from '../kit/reads.ts';
import type {Become} from '../remote/session.ts';
import type {Prediction} from './world.ts';

/** What came of a queued task once its batch has been applied. */
export type Applied =
  | {
      readonly applied: 'verified';
      readonly after: unknown;
      readonly plan: Plan;
      readonly outputs: readonly Reply[];
      readonly durationMs: number;
    }
  | {readonly applied: 'ran'; readonly outputs: readonly Reply[]; readonly durationMs: number}
  | {
      readonly applied: 'not-converged';
      readonly plan: Plan;
      readonly outputs: readonly Reply[];
      readonly durationMs: number;
    }
  | {
      readonly applied: 'failed';
      readonly label: string;
      readonly reply: Reply;
      readonly timedOut: boolean;
      readonly outputs: readonly Reply[];
      readonly durationMs: number;
    }
  | {readonly applied: 'not-run'};

/** A planned task that waits to be applied. */
export type Queued = {
  readonly module: Module;
  readonly values: Readonly<Record<string, unknown>>;
  readonly probe: Probe<unknown>;
  readonly ops: readonly Op[];
  readonly predictions: readonly Prediction[];
  readonly label: string;
  /** the rest of the batch goes on when it fails */
  readonly tolerated: boolean;
  /** the loop that it is an element of: when it fails the other elements still run, and what comes after the loop does not */
  readonly loop: object | undefined;
  /** judged by replanning on fresh reads; not so for tasks without state */
  readonly verifies: boolean;
  /** handlers to note on the host before the ops */
  readonly notifies: readonly string[];
  /** handlers that this task is the run of: their notes on the host go with it */
  readonly handles: readonly string[];
  readonly timeoutMs: number;
  readonly finish: (applied: Applied) => void;
};

/** Tasks that go to the host in one exchange, as one account. */
export type Batch = {
  readonly become: Become | undefined;
  readonly account: string;
  readonly tasks: Queued[];
  /** called when all tasks have been told */ readonly whenDone: (() => void)[];
};
