import {placeOf, type Diagnostic} from '../base/diagnostic.ts';
import {Unknown} from '../base/unknown.ts';
import type {HostSummary, RunEvent, RunInfo, RunOutcome, TaskResult} from '../engine/event.ts';
import {diffOf, jsonValue} from './changes.ts';
import type {Profile} from './profile.ts';
import type {ComplianceJson} from './compliance-json.ts';

/** The one document of `--output json`; its shape is a promise: `output-schema.ts`. */
export type JsonReport = {
  readonly schema: 1;
  readonly run: RunOutcome['run'];
  readonly hosts: Readonly<Record<string, HostSummary>>;
  readonly tasks: readonly unknown[];
  readonly problems: readonly unknown[];
  /** where the site has controls */
  readonly compliance?: ComplianceJson;
  /** with `--profile` */
  readonly profile?: Profile;
};

/** Collects a run's events into the JSON document. */
export class JsonReporter {
  readonly #tasks: unknown[] = [];
  readonly #problems: unknown[] = [];
  readonly #info: RunInfo;
  readonly #sinceStartMs: () => number;
  readonly #hide: Hide;
  #outcome: RunOutcome | undefined;
  #profile: Profile | undefined;

  /** `sinceStartMs` tells how long the run has lasted, for documents of runs that never began or were broken off; `hide` takes known secrets out of texts. */
  constructor(info: RunInfo, sinceStartMs: () => number, hide: Hide) {
    this.#info = info;
    this.#sinceStartMs = sinceStartMs;
    this.#hide = hide;
  }

  on(event: RunEvent): void {
    if (event.event === 'task-finished') this.#tasks.push(taskJson(event.result, this.#hide));
    else if (event.event === 'problem') this.problem(event.diagnostic, event.at);
    else if (event.event === 'host-unreachable') {
      this.#problems.push({
        severity: 'error',
        code: 'unreachable',
        message: `${event.host}: ${this.#hide(event.message)}`,
        host: event.host,
        ...(event.help === undefined ? {} : {help: event.help}),
      });
    } else if (event.event === 'pending-done') {
      for (const task of this.#tasks as {host: string; pending: string[]}[]) {
        if (task.host === event.host) task.pending = task.pending.filter((text) => text !== event.text);
      }
    } else if (event.event === 'run-finished') this.#outcome = event.outcome;
  }

  problem(diagnostic: Diagnostic, at?: string): void {
    const place = diagnostic.span === undefined ? at : placeOf(diagnostic.span);
    this.#problems.push({
      severity: diagnostic.severity,
      code: diagnostic.code,
      message: this.#hide(diagnostic.message),
      ...(place === undefined ? {} : {at: place}),
      ...(diagnostic.help === undefined ? {} : {help: diagnostic.help}),
    });
  }

  profile(profile: Profile): void {
    this.#profile = profile;
  }

  /** The document; `exit` for runs that never began. */
  document(exit: number): JsonReport {
    const outcome = this.#outcome;
    return {
      schema: 1,
      run: {...(outcome?.run ?? {...this.#info, durationMs: Math.round(this.#sinceStartMs())}), exit},
      hosts: outcome?.hosts ?? {},
      tasks: this.#tasks,
      problems: this.#problems,
      ...(this.#profile === undefined ? {} : {profile: this.#hide(this.#profile)}),
    };
  }
}

/** Data with every secret hidden that this process knows of, whatever it came from. */
export type Hide = <T>(data: T) => T;

/** One task result in the shape of the document. `hide` is applied to what is free text: names of the document's own are never touched. */
export function taskJson(result: TaskResult, hide: Hide): unknown {
  return {
    host: result.host,
    play: result.play,
    task: hide(result.task),
    module: result.module,
    at: result.at,
    status: result.status,
    item: hide(plain(result.item)),
    changes: result.changes.map((c) => hide({what: c.what, before: jsonValue(c.before), after: jsonValue(c.after)})),
    findings: result.findings.map((f) => ({
      severity: f.severity ?? 'error',
      code: f.code,
      message: hide(f.message),
      ...(f.help === undefined ? {} : {help: hide(f.help)}),
    })),
    diff: hide(diffOf(result.changes)),
    message: hide(result.message ?? ''),
    ...(result.help === undefined ? {} : {help: hide(result.help)}),
    ...(result.command === undefined ? {} : {command: hide(result.command)}),
    ...(result.everyRun ? {everyRun: true} : {}),
    ...(result.handler ? {handler: true} : {}),
    ...(result.notified.length === 0 ? {} : {notified: result.notified}),
    ...(result.control === undefined ? {} : {control: hide(plain(result.control))}),
    pending: hide(result.pending),
    durationMs: result.durationMs,
  };
}

/** Data for JSON: secrets mask themselves, unknowns say so. */
function plain(value: unknown): unknown {
  return value === undefined
    ? null
    : (JSON.parse(
        JSON.stringify(value, (_key, v: unknown) => (v instanceof Unknown ? {unknown: true} : v)),
      ) as unknown);
}
