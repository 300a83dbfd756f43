import type {Problem} from '../kit/problem.ts';
import type {Change} from '../kit/plan.ts';
import type {Task} from '../playbook/program.ts';
import {nameOfDoing} from '../playbook/program.ts';
import type {CommandFailure, TaskResult, TaskStatus} from './event.ts';
import type {Unknown} from '../base/unknown.ts';
import type {Registered} from './registered.ts';

/** What is told of a finished step, before it gets its place in the report. */
export type Verdict = {
  readonly status: TaskStatus;
  readonly message?: string | undefined;
  readonly help?: string | undefined;
  readonly changes?: readonly Change[];
  readonly findings?: readonly Problem[];
  readonly pending?: readonly string[];
  readonly command?: CommandFailure;
  readonly everyRun?: boolean;
  /** how long its ops took on the host, where it had any; else it took as long as it waited. *units*: milliseconds */
  readonly spentMs?: number;
  /** the module's own keys of the registered result */
  readonly details?: Readonly<Record<string, unknown>>;
};

/** A step is one task, or one element of its loop, on one host. */
export type Step = {
  readonly task: Task;
  readonly item: unknown;
  readonly label: unknown;
  readonly name: string;
  readonly handler: boolean;
  readonly began: number;
  /** names the step within its host's run, the same in a plan and when it is applied */
  readonly place: string;
  /** of `until`, from 1 */
  readonly attempt: number;
  /** the loop that it is an element of */
  readonly loop: LoopMark | undefined;
};

/** One run of a loop. `whole`: the result of all its elements, once they are known. */
export type LoopMark = {readonly whole: () => Registered};

/** One element's answer: known now, or when the batch has been applied. */
export type Ticket = {registered: Registered | Unknown | undefined};

/** The result as it is reported. */
export function resultOf(
  step: Step,
  host: string,
  play: string,
  at: string,
  verdict: Verdict,
  more: {noLog: boolean; notified: readonly string[]; durationMs: number; control: unknown},
): TaskResult {
  const hidden = more.noLog;
  return {
    host,
    play,
    task: step.name,
    module: nameOfDoing(step.task.doing),
    at,
    status: verdict.status,
    item: hidden && step.label !== null ? 'hidden by no_log' : step.label,
    changes: hidden
      ? (verdict.changes ?? []).map((c) => ({what: c.what, before: 'hidden by no_log', after: 'hidden by no_log'}))
      : (verdict.changes ?? []),
    findings: verdict.findings ?? [],
    pending: verdict.pending ?? [],
    message:
      hidden &&
      verdict.message !== undefined &&
      (verdict.status === 'failed' || verdict.status === 'ok' || verdict.status === 'changed')
        ? 'hidden by no_log'
        : verdict.message,
    help: verdict.help,
    command: hidden ? undefined : verdict.command,
    everyRun: verdict.everyRun ?? false,
    handler: step.handler,
    noLog: hidden,
    durationMs: more.durationMs,
    notified: more.notified,
    control: more.control,
    place: step.place,
  };
}

/** A task's name with the element of its loop, for people. */
export function withLabel(name: string, label: unknown): string {
  if (label === null || label === undefined) return name;
  return `${name} [${typeof label === 'string' ? label : JSON.stringify(label)}]`;
}
