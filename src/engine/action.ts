import type {ActionSpec} from '../catalog/action-spec.ts';
import type {Change} from '../kit/plan.ts';
import type {Node} from '../playbook/node.ts';
import type {Task} from '../playbook/program.ts';
import type {Scope} from '../playbook/scope.ts';
import type {RunContext} from './context.ts';
import type {Known} from './known.ts';
import type {HostState} from './host.ts';
import type {HostRunner} from './runner.ts';

/** What an action answered. `result` is what `register` gets besides changed and failed. */
export type ActionOutcome = {
  readonly status: 'ok' | 'changed' | 'failed' | 'skipped' | 'unknown';
  readonly message?: string | undefined;
  readonly changes?: readonly Change[];
  readonly result?: Readonly<Record<string, unknown>>;
  readonly pending?: readonly string[];
};

/** What an action may use. `settle` applies what waits in the host's batch. */
export type ActionContext = {
  readonly run: RunContext;
  readonly host: HostState;
  readonly runner: HostRunner;
  readonly task: Task;
  readonly scope: Scope;
  readonly check: boolean;
  /** the parameters as written, for those that are expressions */
  readonly params: Node | undefined;
  readonly settle: () => Promise<void>;
  /** a bare expression; what it waits for is applied or read first */
  readonly evaluate: (expression: Node) => Promise<Known<unknown>>;
  readonly playHosts: readonly string[];
  readonly handler: boolean;
};

/**
 * An engine task. `unknowns`: it works on values that are not known yet (`set_fact`, `debug`). `silent`: nobody sees that it ran, so tasks before it that are
 * still queued need not be applied first.
 */
export type Action = ActionSpec & {
  readonly unknowns?: true;
  readonly silent?: true;
  run(values: Readonly<Record<string, unknown>>, context: ActionContext): Promise<ActionOutcome> | ActionOutcome;
};
