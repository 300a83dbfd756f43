import type {TaskResult} from './event.ts';
import type {RunContext} from './context.ts';
import type {HostState} from './host.ts';
import type {Play} from '../playbook/program.ts';
import type {DecidedStep} from './plan-part.ts';

/** One step that cannot be taken as it was planned, and why, in a line each. */
export type Moved = {readonly step: DecidedStep; readonly reasons: readonly string[]};

/** A host is no longer as it was when its plan was made; nothing of the plan is applied there from here on. */
export class HostMoved extends Error {
  override readonly name = 'HostMoved';
  readonly moved: readonly Moved[];
  /** the same plan was applied here before */
  readonly wasApplied: boolean;

  constructor(moved: readonly Moved[], more: {readonly message?: string; readonly wasApplied?: boolean} = {}) {
    super(more.message ?? moved.flatMap(({reasons}) => reasons).join('; '));
    this.moved = moved;
    this.wasApplied = more.wasApplied === true;
  }
}

const help = 'nothing was done on this host; make a new plan and look at it';

/** Tells every step that moved as refused. */
export function reportMoved(run: RunContext, host: HostState, play: Play, error: HostMoved): void {
  if (error.moved.length === 0) {
    host.tally.refused++;
    run.emit({
      event: 'problem',
      diagnostic: {
        severity: 'error',
        code: 'plan-moved',
        message: `${host.name}: ${error.message}`,
        help: 'make a new plan',
      },
      at: undefined,
    });
  }
  const advice = error.wasApplied ? `this plan was applied to this host before; ${help}` : help;
  for (const {step, reasons} of error.moved) host.report(refusedStep(host.name, play.name, step, reasons, advice));
}

/** A step that is refused because what its plan saw is not there any more. */
export function refusedStep(
  host: string,
  play: string,
  step: DecidedStep,
  reasons: readonly string[],
  advice: string,
): TaskResult {
  const message = `moved since the plan: ${reasons.join('; ')}`;
  return {
    host,
    play,
    task: step.task,
    module: step.module,
    at: step.at,
    status: 'refused',
    item: null,
    changes: [],
    findings: [{code: 'plan-moved', message, severity: 'error'}],
    pending: [],
    message,
    help: advice,
    command: undefined,
    everyRun: false,
    handler: false,
    noLog: false,
    durationMs: 0,
    notified: [],
    control: undefined,
  };
}
