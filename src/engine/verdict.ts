import type {Module} from '../kit/module.ts';
import type {Plan} from '../kit/plan.ts';
import {stdoutText} from '../kit/reads.ts';
import {masked} from '../base/secret.ts';
import type {Redactor} from '../secrets/redactor.ts';
import type {Applied} from './batch.ts';
import type {Verdict} from './step.ts';
import {Unknown} from '../base/unknown.ts';

/** Keys of a registered result that are a command's output. */
export const outputDetails: Readonly<Record<string, true>> = {
  rc: true,
  stdout: true,
  stderr: true,
  stdout_lines: true,
  stderr_lines: true,
};

/** What is said of a task whose ops were carried out (or tried). */
export function verdictOf(
  module: Module,
  values: never,
  before: unknown,
  plan: Plan & {kind: 'change'},
  applied: Exclude<Applied, {applied: 'not-run'}>,
  everyRun: boolean,
  redactor: Redactor,
): Verdict {
  const said = {
    changes: plan.changes,
    findings: plan.findings ?? [],
    pending: plan.pending ?? [],
    everyRun,
    spentMs: applied.durationMs,
  };
  switch (applied.applied) {
    case 'verified':
      return {
        ...said,
        status: 'changed',
        pending: [...new Set([...said.pending, ...(applied.plan.pending ?? [])])],
        findings: applied.plan.findings ?? [],
        details: module.result?.(values, before as never, applied.after as never, applied.outputs) ?? {},
      };
    case 'ran':
      return {
        ...said,
        status: 'changed',
        details: module.result?.(values, before as never, before as never, applied.outputs) ?? {},
      };
    case 'not-converged':
      return {
        ...said,
        status: 'failed',
        message: stillDiffers(module, applied.plan),
        help: `the ops of module ${module.name} succeeded, but the host is not as declared; run with -vvv to see them`,
      };
    case 'failed': {
      const text = lastLines(
        applied.reply.stderr.length > 0 ? new TextDecoder().decode(applied.reply.stderr) : stdoutText(applied.reply),
      );
      const stderr = redactor.redact(text);
      const how = applied.timedOut
        ? `timed out after ${Math.round(applied.durationMs / 1000)} s`
        : `failed with exit status ${applied.reply.exit}`;
      return {
        ...said,
        status: 'failed',
        message: `${redactor.redact(applied.label)} ${how}${stderr === '' ? '' : `: ${stderr.split('\n').at(-1) ?? ''}`}`,
        command: {
          label: redactor.redact(applied.label),
          exit: applied.reply.exit,
          stderr,
          durationMs: Math.round(applied.durationMs),
        },
        details:
          applied.outputs.length > 0
            ? (module.result?.(values, before as never, new Unknown('a failure'), applied.outputs) ?? {})
            : {rc: applied.reply.exit},
      };
    }
  }
}

function stillDiffers(module: Module, plan: Plan): string {
  if (plan.kind === 'refuse')
    return `${module.name} refuses what it just made: ${plan.problems.map((p) => p.message).join('; ')}`;
  if (plan.kind === 'converged') return '';
  const what = plan.changes.map((c) => `${c.what} is ${show(c.before)} instead of ${show(c.after)}`).slice(0, 5);
  return `${module.name} did not converge: ${what.join('; ')}`;
}

function show(value: unknown): string {
  if (value === undefined) return 'absent';
  if (value instanceof Unknown) return 'unknown';
  const text = masked(value as string);
  return text.includes('\n') ? `${text.split('\n').length} lines` : JSON.stringify(text);
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-12).join('\n');
}
