import type {HostSummary, RunMode, TaskResult} from '../engine/event.ts';

/**
 * What is said of one host under one rule. `waived` is a failure that somebody answers for until a date; `not-applicable` says that nothing was judged,
 * and never counts as a pass; `error` = it could not be judged; `unknown` = it can be known only by applying.
 */
export type JudgementVerdict = 'pass' | 'fail' | 'waived' | 'not-applicable' | 'error' | 'unknown';

/** All verdicts, as reports list them. */
export const verdicts: readonly JudgementVerdict[] = ['fail', 'error', 'unknown', 'waived', 'pass', 'not-applicable'];

/** Words for people. */
export const verdictWords: Readonly<Record<JudgementVerdict, string>> = {
  pass: 'pass',
  fail: 'fail',
  waived: 'waived',
  'not-applicable': 'not applicable',
  error: 'error',
  unknown: 'unknown',
};

/** What a control's severity may be; anything else that a playbook says counts as `medium`. */
export type ControlSeverity = 'critical' | 'high' | 'medium' | 'low' | 'info';

/** Who wants what, and why: the `control:` of a task in the playbook. */
export type Control = {
  readonly id: string;
  readonly title: string | undefined;
  readonly severity: ControlSeverity;
  readonly rationale: string | undefined;
  /** paragraphs of standards, addresses */
  readonly refs: readonly string[];
};

/** What only computes, talks or fetches: it says nothing of a host unless it fails, though it may stand in a block that bears a control. */
const silent = new Set([
  'add_host',
  'debug',
  'fail',
  'fetch',
  'group_by',
  'include_vars',
  'meta',
  'pause',
  'ping',
  'set_fact',
  'setup',
  'slurp',
  'stat',
  'wait_for_connection',
]);

/** Whether a result is a judgement at all. A `debug` that worked is none. */
export function judges({status, module}: Pick<TaskResult, 'status' | 'module'>): boolean {
  if (!silent.has(module)) return true;
  return status === 'failed' || status === 'ignored' || (status === 'unknown' && module === 'fail');
}

/** One result as a verdict. In `run`, what was changed is as declared now. */
export function verdictOf(result: TaskResult, mode: RunMode): JudgementVerdict {
  const finding = result.findings.some((f) => (f.severity ?? 'error') === 'error');
  switch (result.status) {
    case 'ok':
      return finding ? 'fail' : 'pass';
    case 'changed':
      return finding || mode === 'check' || mode === 'plan' ? 'fail' : 'pass';
    case 'skipped':
      return 'not-applicable';
    case 'unknown':
      return finding ? 'fail' : 'unknown';
    case 'refused':
      return 'error';
    case 'failed':
      return result.module === 'assert' || result.module === 'fail' ? 'fail' : 'error';
    case 'ignored':
      if (result.control === undefined) return 'unknown';
      return result.module === 'assert' || result.module === 'fail' ? 'fail' : 'error';
  }
}

const gravest: readonly JudgementVerdict[] = ['fail', 'error', 'unknown', 'waived', 'pass', 'not-applicable'];

/** What several verdicts say together: the gravest. A pass beside something skipped is a pass; something skipped alone never is. */
export function together(all: readonly JudgementVerdict[]): JudgementVerdict {
  return gravest.find((verdict) => all.includes(verdict)) ?? 'not-applicable';
}

/** What is said of a host for a rule of a play that it belongs to, but of which it has no result. */
export function verdictWithoutResult(summary: HostSummary | undefined): JudgementVerdict {
  if (summary === undefined) return 'unknown';
  if (summary.status === 'unreachable') return 'error';
  return summary.status === 'failed' ? 'unknown' : 'not-applicable';
}

/** The control in a task's result; undefined where there is none or it has no id. */
export function controlOf(value: unknown): Control | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const get = entryOf(value);
  const id = textOf(get('id'));
  if (id === undefined || id === '') return undefined;
  const refs = get('refs');
  return {
    id,
    title: textOf(get('title')),
    severity: severityOf(textOf(get('severity'))),
    rationale: textOf(get('rationale')),
    refs: (Array.isArray(refs) ? (refs as unknown[]) : [refs]).flatMap((ref) => textOf(ref) ?? []),
  };
}

function entryOf(value: object): (name: string) => unknown {
  if (value instanceof Map) return (name) => (value as Map<unknown, unknown>).get(name);
  return (name) => (value as Readonly<Record<string, unknown>>)[name];
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function severityOf(text: string | undefined): ControlSeverity {
  const word = text?.toLowerCase();
  return word === 'critical' || word === 'high' || word === 'low' || word === 'info' ? word : 'medium';
}
