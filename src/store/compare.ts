// What differs between two runs, by host and task.
import type {RecordedResult} from './records.ts';
import type {RecordedRun} from './recorded-run.ts';

/**
 * How one task stands on one host in a later run, compared with an earlier one. A difference is a change (to be) made, a failure, a refusal or an error finding:
 * `new` it has come, `fixed` it is gone, `still` it is the same, `other` there is one in both and it is not the same; `only-a`, `only-b`: the other run has no
 * result of it. Where nothing differs in either there is nothing to tell.
 */
export type Comparison = {
  readonly host: string;
  readonly task: string;
  readonly module: string;
  readonly item: unknown;
  readonly is: 'new' | 'fixed' | 'still' | 'other' | 'only-a' | 'only-b';
  readonly a: RecordedResult | undefined;
  readonly b: RecordedResult | undefined;
};

/** Two runs side by side. */
export type Compared = {
  readonly tasks: readonly Comparison[];
  /** hosts whose state differs, or that only one of the runs came to (undefined = not in it) */
  readonly hosts: readonly {readonly host: string; readonly a: string | undefined; readonly b: string | undefined}[];
};

/** Compares `a` (the earlier run) with `b`. Tasks are the same where host, play, name, module and loop element are. */
export function compareRuns(a: RecordedRun, b: RecordedRun): Compared {
  const [before, after] = [byTask(a.results), byTask(b.results)];
  const tasks: Comparison[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, now] = [before.get(key), after.get(key)];
    const is = standing(was, now);
    if (is === undefined) continue;
    const {host, task, module, item} = (now ?? was)!;
    tasks.push({host, task, module, item, is, a: was, b: now});
  }
  const [hostsA, hostsB] = [stateOf(a), stateOf(b)];
  const hosts = [...new Set([...hostsA.keys(), ...hostsB.keys()])]
    .map((host) => ({host, a: hostsA.get(host), b: hostsB.get(host)}))
    .filter((each) => each.a !== each.b);
  return {tasks, hosts};
}

function stateOf(run: RecordedRun): ReadonlyMap<string, string> {
  const states = new Map<string, string>();
  for (const {hosts} of run.plays) for (const host of hosts) states.set(host, 'not finished');
  for (const host of Object.keys(run.unreachable)) states.set(host, 'unreachable');
  for (const [host, {status}] of Object.entries(run.hosts)) states.set(host, status);
  return states;
}

/** The n-th result of the same name counts as the same task. */
function byTask(results: readonly RecordedResult[]): ReadonlyMap<string, RecordedResult> {
  const found = new Map<string, RecordedResult>();
  const seen = new Map<string, number>();
  for (const result of results) {
    const name = JSON.stringify([result.host, result.play, result.task, result.module, result.item]);
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    found.set(`${name}${String(count)}`, result);
  }
  return found;
}

/** Whether there is something to tell of a result. */
export function differs(result: RecordedResult): boolean {
  return (
    result.status === 'changed' ||
    result.status === 'failed' ||
    result.status === 'refused' ||
    result.findings.some(({severity}) => severity === 'error')
  );
}

function standing(a: RecordedResult | undefined, b: RecordedResult | undefined): Comparison['is'] | undefined {
  if (a === undefined) return b !== undefined && differs(b) ? 'only-b' : undefined;
  if (b === undefined) return differs(a) ? 'only-a' : undefined;
  const [was, now] = [differs(a), differs(b)];
  if (!was && !now) return undefined;
  if (!was) return 'new';
  if (!now) return 'fixed';
  return essence(a) === essence(b) ? 'still' : 'other';
}

function essence({status, changes, diff, message, findings}: RecordedResult): string {
  return JSON.stringify([
    status,
    changes,
    diff,
    status === 'changed' ? '' : message,
    findings.map(({code, message: text}) => [code, text]),
  ]);
}
