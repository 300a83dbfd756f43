import {randomBytes} from 'node:crypto';
import {appendFileSync, writeFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {performance} from 'node:perf_hooks';
import type {Diagnostic} from '../base/diagnostic.ts';
import type {Emit, RunEvent, RunInfo, RunMode} from '../engine/event.ts';
import {AuditCollector, type Audit, type ExpectedControl} from '../report/audit.ts';
import {formatDiagnostic} from '../report/code-frame.ts';
import {complianceJson} from '../report/compliance-json.ts';
import {ExitSigns} from '../report/exit-signs.ts';
import {controlLines} from '../report/control-lines.ts';
import {JsonReporter, taskJson, type Hide, type JsonReport} from '../report/json.ts';
import {PrettyReporter} from '../report/pretty.ts';
import {profileTable, type Profile} from '../report/profile.ts';
import type {TrendPoint} from '../report/trend.ts';
import type {Waiver} from '../report/waiver.ts';
import {redactData} from '../secrets/redact-data.ts';
import {Redactor} from '../secrets/redactor.ts';
import {exitStatus} from './exit-status.ts';
import {reportFault} from './fault.ts';
import {isInterrupt} from './interrupt.ts';
import {NoTerminal} from './prompt.ts';
import type {ReportFile} from './report-files.ts';
import {StateUnusable} from './state.ts';

type Options = Readonly<Record<string, unknown>>;

/** How a command that runs a playbook, or something like it, tells what happens: one of these a process. */
export type Reporting = {
  readonly info: RunInfo;
  readonly form: string;
  readonly isTerminal: boolean;
  readonly verbosity: number;
  /** the last line of defence: what comes back from hosts, and what was read from files, may hold secrets too */
  readonly redactor: Redactor;
  readonly hide: Hide;
  /** what results say for the exit status */
  readonly signs: ExitSigns;
  /** which controls will be judged on which hosts, and what is waived: from here on the reports speak of them */
  readonly judgeBy: (controls: readonly ExpectedControl[], waivers: readonly Waiver[]) => void;
  /** a diagnostic, on stderr and in the JSON document */
  readonly tell: (problem: Diagnostic) => void;
  /** prints the JSON document where it is wanted, and sets the exit status */
  readonly finish: (exit: number) => void;
  /** nothing is attempted, for these reasons */
  readonly refuseAll: (problems: readonly Diagnostic[]) => void;
  /** what else went wrong: an interrupt, nobody to ask, or a fault */
  readonly breakOff: (error: unknown) => void;
  /** where the engine's events go. `onEvent` hears them too, before anybody else. */
  readonly emitter: (onEvent: Emit) => Emit;
  /** `work` is done with the exit status (and what the hosts were judged, where that was gathered) when the command is over, however it ends */
  readonly atFinish: (work: (exit: number, audit: Audit | undefined) => void) => void;
  /** where the time went, for the JSON document and below the report */
  readonly profile: (profile: Profile) => void;
  /** writes the files of `--report` about what happened until now; what cannot be written is said on stderr, the exit status stays. `trendOf` finds earlier runs */
  readonly writeReports: (
    files: readonly ReportFile[],
    trendOf?: (audit: Audit) => readonly TrendPoint[],
  ) => Promise<void>;
  /** text for people, below the report; nothing in JSON mode */
  readonly say: (text: string) => void;
};

/** Opens the reports that the options ask for. `command`: the words of the command line, for "run again". */
export function openReporting(
  options: Options,
  env: Readonly<Record<string, string | undefined>>,
  what: {readonly mode: RunMode; readonly playbooks: readonly string[]; readonly command: readonly string[]},
): Reporting {
  const isTerminal = process.stdout.isTTY;
  const form = String(options['output'] ?? env['TSPLAY_OUTPUT'] ?? (isTerminal ? 'pretty' : 'plain'));
  const color =
    options['color'] !== false &&
    env['NO_COLOR'] === undefined &&
    (isTerminal || env['FORCE_COLOR'] === '1') &&
    form === 'pretty';
  const started = new Date().toISOString();
  const id = `${started.replace(/[-:]/g, '').replace(/\..*/, '')}-${randomBytes(3).toString('hex')}`;
  const info: RunInfo = {id, mode: what.mode, playbooks: what.playbooks, started};
  const began = performance.now();
  const redactor = new Redactor();
  const hide = <T>(data: T): T => redactData(redactor, data);
  const json = new JsonReporter(info, () => performance.now() - began, hide);
  // task results are gathered only where a report is asked for, or there are controls to judge by
  const audit = new AuditCollector(info, hide);
  let gathers = options['report'] !== undefined;
  const signs = new ExitSigns(what.mode, started);
  // nobody asks for the document: nothing is kept for it
  const keepsDocument = form === 'json' || options['report'] !== undefined;
  let lastExit: number = exitStatus.fault;
  const atEnd: ((exit: number, audit: Audit | undefined) => void)[] = [];
  const verbosity = Number(options['verbose'] ?? 0);
  const tell = (problem: Diagnostic): void => {
    process.stderr.write(`${formatDiagnostic(problem, {color: color && process.stderr.isTTY})}\n\n`);
    json.problem(problem);
    audit.problem(problem);
  };
  const documentOf = (exit: number): {json: JsonReport; audit: Audit | undefined} => {
    const found = gathers ? audit.audit(exit, performance.now() - began) : undefined;
    const compliance = found === undefined ? undefined : complianceJson(found);
    return {json: {...json.document(exit), ...(compliance === undefined ? {} : {compliance})}, audit: found};
  };
  const finish = (exit: number): void => {
    lastExit = exit;
    const document = documentOf(exit);
    for (const work of atEnd.splice(0)) work(exit, document.audit);
    if (form === 'json') process.stdout.write(`${JSON.stringify(document.json, undefined, 2)}\n`);
    else if (document.audit?.complete === true)
      process.stdout.write(redactor.redact(controlLines(document.audit, color)));
    process.exitCode = exit;
  };
  const refuseAll = (problems: readonly Diagnostic[]): void => {
    for (const problem of problems) tell(problem);
    const errors = problems.filter((p) => p.severity === 'error').length;
    process.stderr.write(`${errors} ${errors === 1 ? 'mistake' : 'mistakes'}; nothing was attempted\n`);
    finish(exitStatus.nothingAttempted);
  };
  return {
    info,
    form,
    isTerminal,
    verbosity,
    redactor,
    hide,
    signs,
    judgeBy: (controls, waivers) => {
      if (controls.length === 0) return;
      gathers = true;
      signs.waivers = waivers;
      audit.expect(controls, waivers);
    },
    tell,
    finish,
    refuseAll,
    breakOff: (error) => {
      if (isInterrupt(error)) finish(exitStatus.interrupted);
      else if (error instanceof StateUnusable)
        refuseAll([{severity: 'error', code: 'state-folder', message: error.message, help: error.help}]);
      else if (error instanceof NoTerminal)
        refuseAll([
          {
            severity: 'error',
            code: 'no-terminal',
            message: error.message,
            help: error.help,
          },
        ]);
      else {
        reportFault(error);
        finish(exitStatus.fault);
      }
    },
    emitter: (onEvent) => {
      const pretty = new PrettyReporter(
        {
          write: (text) => process.stdout.write(redactor.redact(text)),
          columns: isTerminal ? process.stdout.columns : 0,
          color,
          live: isTerminal && form === 'pretty',
        },
        {
          mode: what.mode,
          showDiff: options['diff'] === undefined ? true : options['diff'] === true,
          verbosity,
          command: what.command,
        },
      );
      const eventsFile = options['events'] === undefined ? undefined : resolve(String(options['events']));
      if (eventsFile !== undefined) writeFileSync(eventsFile, '', {mode: 0o600});
      return (event) => {
        onEvent(event);
        if (eventsFile !== undefined) appendFileSync(eventsFile, `${eventLine(event, hide)}\n`);
        if (keepsDocument) json.on(event);
        if (gathers) audit.on(event);
        if (form !== 'json') pretty.on(event);
      };
    },
    atFinish: (work) => atEnd.push(work),
    writeReports: async (files, trendOf = () => []) => {
      const {audit: found, json: document} = documentOf(lastExit);
      if (found === undefined || files.length === 0) return;
      const {writeReports} = await import('./report-files.ts');
      const documents = {audit: found, json: document, trend: trendOf(found)};
      for (const problem of await writeReports(files, documents)) tell(problem);
    },
    profile: (profile) => {
      json.profile(profile);
      if (form !== 'json') process.stdout.write(redactor.redact(profileTable(profile)));
    },
    say: (text) => {
      if (form !== 'json') process.stdout.write(redactor.redact(text));
    },
  };
}

/** An event as a line of JSON; task results in the shape of the report. */
function eventLine(event: RunEvent, hide: Hide): string {
  const at = new Date().toISOString();
  const shown =
    event.event === 'task-finished'
      ? {at, event: event.event, result: taskJson(event.result, hide)}
      : event.event === 'run-started' || event.event === 'run-finished' || event.event === 'host-finished'
        ? {at, ...event}
        : {at, ...hide(event), event: event.event};
  return JSON.stringify(shown, (_key, value: unknown): unknown =>
    value instanceof Map ? Object.fromEntries(value as Map<string, unknown>) : value,
  );
}
