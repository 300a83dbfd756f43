import {homedir} from 'node:os';
import {resolve} from 'node:path';
import {isMapping} from '../base/json.ts';
import {Secret} from '../base/secret.ts';
import {Unknown} from '../base/unknown.ts';
import {warning} from '../base/diagnostic.ts';
import type {HostSummary, RunEvent, RunOutcome, TaskResult} from '../engine/event.ts';
import type {Value} from '../kit/plan.ts';
import {formatDiagnostic} from '../report/code-frame.ts';
import {PrettyReporter} from '../report/pretty.ts';
import type {PlanHead, PlanText} from '../store/plan-text.ts';
import {exitStatus} from './exit-status.ts';
import {openPlan, readPlanFile} from './open-plan.ts';
import {readSettings} from './settings.ts';
import {stateFolder} from './state.ts';
import {vaultPasswords} from './vault-passwords.ts';

type Options = Readonly<Record<string, unknown>>;

/** `tsplay show FILE`: a plan as the report of a check, or as JSON. It says whether the plan is as it was made, where its password or key is at hand. */
export async function showCommand(file: string, options: Options): Promise<void> {
  const here = process.cwd();
  const {env} = process;
  const read = readPlanFile(resolve(here, file), file);
  const isTerminal = process.stdout.isTTY;
  const form = String(options['output'] ?? env['TSPLAY_OUTPUT'] ?? (isTerminal ? 'pretty' : 'plain'));
  const color = options['color'] !== false && env['NO_COLOR'] === undefined && isTerminal && form === 'pretty';
  if (!read.ok) {
    for (const problem of read.problems)
      process.stderr.write(`${formatDiagnostic(problem, {color: color && process.stderr.isTTY})}\n\n`);
    process.exitCode = exitStatus.nothingAttempted;
    return;
  }
  const {settings} = readSettings(here, env);
  const home = env['HOME'] ?? homedir();
  const vault = await vaultPasswords(options, settings.vault_password_file ?? [], {cwd: here, home});
  const state = stateFolder(settings.state_dir, env, home);
  const opened = openPlan(read.value, {passwords: vault.passwords, state});
  const edited = opened.ok ? [] : opened.problems.filter(({code}) => code === 'plan-edited' || code === 'plan-damaged');
  if (edited.length > 0) {
    for (const problem of edited)
      process.stderr.write(`${formatDiagnostic(problem, {color: color && process.stderr.isTTY})}\n\n`);
    process.exitCode = exitStatus.nothingAttempted;
    return;
  }
  if (!opened.ok) {
    const {message, help} = opened.problems[0];
    const problem = warning('plan-unverified', `whether this plan is as it was made cannot be told: ${message}`, {
      ...(help === undefined ? {} : {help}),
    });
    process.stderr.write(`${formatDiagnostic(problem, {color: color && process.stderr.isTTY})}\n\n`);
  }
  if (form === 'json') process.stdout.write(`${JSON.stringify(documentOf(read.value, opened.ok), undefined, 2)}\n`);
  else print(read.value.head, {color, columns: isTerminal ? process.stdout.columns : 0, options});
  process.exitCode = exitStatus.ok;
}

/** The document of `--output json`: the clear part, and how it is sealed. */
function documentOf({head, sealed}: PlanText, isVerified: boolean): unknown {
  const shares = sealed.shares.map((share) =>
    share.with === 'vault' ? {with: share.with, id: share.id} : {with: share.with, controller: share.controller},
  );
  return {...head, verified: isVerified, sealed: {shares}};
}

function print(
  head: PlanHead,
  {color, columns, options}: {readonly color: boolean; readonly columns: number; readonly options: Options},
): void {
  const {made, site} = head;
  const write = (text: string): void => void process.stdout.write(text);
  const list = (name: string, values: readonly string[]): string =>
    values.length === 0 ? '' : `  ${name} ${values.join(', ')}\n`;
  write(`Plan ${made.id}, made ${made.at} by ${made.by} with tsplay ${made.version}\n`);
  write(list('playbooks', site.playbooks) + list('inventories', site.inventories) + `  in ${site.folder}\n`);
  write(list('limit', site.limit) + list('tags', site.tags) + list('skip tags', site.skipTags));
  const pretty = new PrettyReporter(
    {write, columns, color, live: false},
    {mode: 'plan', showDiff: options['diff'] !== false, verbosity: Number(options['verbose'] ?? 0), command: []},
  );
  for (const event of eventsOf(head, Number(options['verbose'] ?? 0) > 0)) pretty.on(event);
}

/** The report as the events that it was made of. */
function eventsOf(head: PlanHead, wordy: boolean): readonly RunEvent[] {
  const tasks = head.tasks as readonly ShownTask[];
  const plays = [...new Set(tasks.map(({play}) => play))];
  const outcome = {run: head.run, hosts: head.hosts as Readonly<Record<string, HostSummary>>} as unknown as RunOutcome;
  return [
    ...plays.flatMap((play): RunEvent[] => {
      const mine = tasks.filter((task) => task.play === play);
      const hosts = Object.keys(head.hosts).filter((host) => mine.some((task) => task.host === host));
      return [
        {event: 'play-started', play, hosts, at: ''},
        ...mine.map((task): RunEvent => ({event: 'task-finished', result: resultOf(task, wordy)})),
      ];
    }),
    {event: 'run-finished', outcome},
  ];
}

type ShownTask = Omit<TaskResult, 'changes' | 'message' | 'notified'> & {
  readonly notified?: readonly string[];
  readonly changes: readonly {readonly what: string; readonly before: unknown; readonly after: unknown}[];
  readonly message: string;
  readonly ops?: readonly string[];
  readonly saw?: readonly {readonly what: string; readonly was: string}[];
};

function resultOf(task: ShownTask, wordy: boolean): TaskResult {
  const said = [
    ...(task.message === '' ? [] : [task.message]),
    ...(task.ops ?? []).map((line) => `will ${line}`),
    ...(wordy ? (task.saw ?? []).map(({what, was}) => `saw ${what}: ${was}`) : []),
  ];
  return {
    ...task,
    changes: task.changes.map(({what, before, after}) => ({what, before: sideOf(before), after: sideOf(after)})),
    message: said.length === 0 ? undefined : said.join('\n'),
    help: task.help,
    command: task.command,
    everyRun: task.everyRun,
    handler: task.handler,
    noLog: false,
    notified: task.notified ?? [],
    control: task.control,
  };
}

/** One side of a change, as the report has it. */
function sideOf(side: unknown): Value {
  if (typeof side === 'string') return side;
  if (!isMapping(side)) return undefined;
  return 'secret' in side ? Secret.of('hidden') : new Unknown('apply');
}
