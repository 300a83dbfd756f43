import type {NonEmpty} from '../base/nonempty.ts';
import type {Change} from '../kit/plan.ts';
import type {Key} from '../kit/key.ts';
import type {Op} from '../kit/op.ts';
import type {Problem} from '../kit/problem.ts';
import type {Read} from '../kit/reads.ts';
import type {Known} from './known.ts';
import type {HostState} from './host.ts';

/**
 * One thing that a plan was made from. `witness` is what its read answered, as short text without secrets (`src/remote/witness.ts`);
 * undefined where an earlier task of the same plan decides what will be there, and nothing can be compared.
 */
export type Saw = {
  readonly key: Key;
  /** for raw reads: what they say they depend on */
  readonly about: readonly Key[];
  readonly witness: string | undefined;
  /** the host answered; otherwise it is what earlier tasks of the plan will leave */
  readonly from: 'host' | 'plan';
  readonly secret: boolean;
};

type Common = {
  /** the module's name */
  readonly module: string;
  /** the task's name, with the element of its loop */
  readonly task: string;
  /** which play, and where its task stands (`file:line:column`) */
  readonly play: number;
  readonly at: string;
  /** the module's parameters, as they were bound */
  readonly values: Readonly<Record<string, unknown>>;
  readonly saw: readonly Saw[];
  /** where it happens: the host, or the one that it is delegated to */
  readonly where: string;
  /** the account; '' = the login user */
  readonly account: string;
  readonly findings: readonly Problem[];
  readonly pending: readonly string[];
};

/**
 * What was decided of one step (a task, or one element of its loop, on one host). `later`: it waits for something that only applying
 * will tell, so it is decided then; `doubts` are the keys that it may change.
 */
export type PlannedStep =
  | (Common & {
      readonly does: 'change';
      readonly changes: NonEmpty<Change>;
      readonly ops: NonEmpty<Op>;
      readonly everyRun: boolean;
    })
  | (Common & {readonly does: 'nothing'})
  | {readonly does: 'action'; readonly action: string; readonly values: Readonly<Record<string, unknown>>}
  | {readonly does: 'later'; readonly cause: string; readonly doubts: readonly Key[]};

/** A module's step of which the plan says what it does. */
export type DecidedStep = Extract<PlannedStep, {does: 'change' | 'nothing'}>;

/** The part that a saved plan takes in a run: while it is made it takes notes, while it is applied it says what was decided. */
export type PlanPart = {
  /** An evaluation that decides which steps there are: a condition, a loop, an included file. */
  evaluation<T>(host: string, place: string, evaluate: () => Promise<Known<T>>): Promise<Known<T>>;
  note(host: string, place: string, step: PlannedStep): void;
  /** undefined where nothing was decided */
  planned(host: string, place: string): PlannedStep | undefined;
  /** the host of a batch that does a `run_once` task: the first that asks, while the plan is made */
  once(host: string, place: string, batch: readonly string[]): string;
  /** handlers that an earlier, failed run left to this one; gives those that count */
  recalled(host: string, names: readonly string[]): readonly string[];
  /** what to read in the first exchange; undefined = what can be foreseen from the playbooks */
  readonly follow: PlanFollow | undefined;
};

/** What only the applying of a plan asks. */
export type PlanFollow = {
  /** nothing that was not decided may happen (`--exact`) */
  readonly exact: boolean;
  /** reads of the decided steps, with the place that tells the account */
  reads(host: HostState): readonly {step: DecidedStep; reads: readonly Read[]}[];
  /** Before anything is done with a host. *errors*: throws HostMoved where the plan does not hold for it, whatever its state. */
  admit(host: string): void;
  /** Compares the host with what the plan saw. *errors*: throws HostMoved. */
  compare(host: HostState): void;
  /** the step was compared, and was as planned, before anything was changed */
  wasCompared(host: string, place: string): boolean;
  /** the host is as the whole plan leaves it: it was applied already */
  isDone(host: string): boolean;
  /**
   * This plan was applied to the host before, all of it, and the host still is so: what has no state to compare (a command), and what was decided then, is not
   * done a second time. `place` of a task or of one element of its loop.
   */
  skips(host: string, place: string): boolean;
};
