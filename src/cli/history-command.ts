import {homedir, hostname, userInfo} from 'node:os';
import {error, type Diagnostic} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import {comparedText, listText, painter, runText, type Paint} from '../report/history-text.ts';
import {formatDiagnostic} from '../report/code-frame.ts';
import {compareRuns} from '../store/compare.ts';
import {History, type RunFilter} from '../store/history.ts';
import {pruneHistory} from '../store/prune.ts';
import type {RecordedStatus, RunBrief} from '../store/records.ts';
import {verifyHistory} from '../store/verify.ts';
import {exitStatus} from './exit-status.ts';
import {readSettings} from './settings.ts';
import {retentionOf} from './retention.ts';
import {stateFolder} from './state.ts';

type Options = Readonly<Record<string, unknown>>;

const statuses: readonly RecordedStatus[] = [
  'running',
  'ok',
  'changed',
  'failed',
  'unreachable',
  'interrupted',
  'cut-off',
  'refused',
];

/** `tsplay history`: the list. */
export function historyList(options: Options): void {
  const {history, isJson, paint} = open(options);
  const filter = filterOf(options);
  if ('severity' in filter) return refuse(filter);
  const briefs = history.list(filter);
  print(
    isJson,
    () => ({schema: 1, runs: briefs}),
    () => listText(briefs, paint),
  );
}

/** `tsplay history show RUN`. */
export function historyShow(word: string, options: Options): void {
  const {history, isJson, paint} = open(options);
  const found = oneRun(history, word);
  if ('severity' in found) return refuse(found);
  const run = history.read(found.id);
  print(
    isJson,
    () => ({schema: 1, ...run}),
    () => runText(run, paint, options['all'] === true),
  );
}

/** `tsplay history compare A B`. Exit status as of `diff`: it is no mistake that runs differ. */
export function historyCompare(wordA: string, wordB: string, options: Options): void {
  const {history, isJson, paint} = open(options);
  const [a, b] = [oneRun(history, wordA), oneRun(history, wordB)];
  for (const each of [a, b]) if ('severity' in each) return refuse(each);
  const compared = compareRuns(history.read((a as RunBrief).id), history.read((b as RunBrief).id));
  print(
    isJson,
    () => ({schema: 1, a: (a as RunBrief).id, b: (b as RunBrief).id, ...compared}),
    () => comparedText(compared, paint),
  );
}

/** `tsplay history verify`: exit status 2 where something is not as it was written. */
export function historyVerify(options: Options): void {
  const {history, isJson, paint} = open(options);
  const verified = verifyHistory(history.folder, options['head'] === undefined ? undefined : String(options['head']));
  print(
    isJson,
    () => ({schema: 1, ...verified}),
    () => {
      const told = verified.problems.map(({code, message}) => `${paint('red', code)}: ${message}\n`).join('');
      const open = verified.open.length === 0 ? '' : `not closed yet: ${verified.open.join(', ')}\n`;
      const sum = `${verified.runs} runs, ${verified.records} records: ${verified.problems.length === 0 ? paint('green', 'as they were written') : paint('red', `${verified.problems.length} not as they were written`)}\n`;
      return `${told}${open}${sum}${verified.head === undefined ? '' : `head ${verified.head}\n`}`;
    },
  );
  process.exitCode = verified.problems.length === 0 ? exitStatus.ok : exitStatus.hostFailed;
}

/** `tsplay history prune`: what the options say, else the settings. */
export function historyPrune(options: Options): void {
  const {history, isJson, settings} = open(options);
  const limits = {runs: options['keep'], days: options['days'], mib: options['size']};
  const given = Object.entries(limits).filter(([, value]) => value !== undefined);
  const wrong = given.find(([, value]) => !(Number(value) >= 0));
  if (wrong !== undefined) return refuse(error('bad-option', `"${String(wrong[1])}" is no number`));
  const retention =
    given.length === 0
      ? retentionOf(settings)
      : {
          ...(limits.runs === undefined ? {} : {runs: Number(limits.runs)}),
          ...(limits.days === undefined ? {} : {days: Number(limits.days)}),
          ...(limits.mib === undefined ? {} : {bytes: Number(limits.mib) * 2 ** 20}),
        };
  const isDry = options['dryRun'] === true;
  const pruned = pruneHistory(history.folder, retention, {
    by: `${userInfo().username}@${hostname()}`,
    reason: JSON.stringify(retention),
    now: new Date(),
    isDry,
  });
  print(
    isJson,
    () => ({schema: 1, ...pruned}),
    () =>
      `${pruned.runs.map((id) => `${id}\n`).join('')}${isDry ? 'would remove' : 'removed'} ${pruned.runs.length} runs, ${(pruned.bytes / 2 ** 20).toFixed(1)} MiB\n`,
  );
}

/** The one run that a word means, or what to say. */
export function oneRun(history: History, word: string): RunBrief | Diagnostic {
  const found = history.find(word);
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  if (first === undefined) {
    const near = nearestName(
      word,
      history.list({limit: 1000}).map(({id}) => id),
    );
    return error('no-run', `the history has no run "${word}"`, {
      help: near === undefined ? 'see `tsplay history`' : `did you mean ${near}?`,
    });
  }
  return error('ambiguous-run', `${found.length} runs are named "${word}…"`, {
    help: found
      .slice(0, 5)
      .map(({id}) => id)
      .join(', '),
  });
}

function open(options: Options) {
  const {env} = process;
  const {settings, problems} = readSettings(process.cwd(), env);
  for (const problem of problems) tell(problem);
  const history = new History(stateFolder(settings.state_dir, env, env['HOME'] ?? homedir()));
  const color = options['color'] !== false && env['NO_COLOR'] === undefined && process.stdout.isTTY;
  const paint: Paint = painter(color);
  return {history, settings, paint, isJson: options['output'] === 'json'};
}

function filterOf(options: Options): RunFilter | Diagnostic {
  const text = (name: string): string | undefined => (options[name] === undefined ? undefined : String(options[name]));
  const since = sinceOf(text('since'), new Date());
  if (since === 'wrong')
    return error('bad-option', `--since ${text('since') ?? ''}: no time`, {
      help: 'such as 2026-03-01, 2026-03-01T10:00Z, 12h, 7d',
    });
  const status = text('status') === 'differs' ? 'changed' : text('status');
  const known = statuses.find((each) => each === status);
  if (status !== undefined && known === undefined)
    return error('bad-option', `--status ${status}: there is no such state`, {help: statuses.join(', ')});
  const limit = Number(options['limit'] ?? 50);
  if (!(limit > 0)) return error('bad-option', `--limit ${String(options['limit'])}: no number of runs`);
  const [host, playbook] = [text('host'), text('playbook')];
  return {
    ...(host === undefined ? {} : {host}),
    ...(playbook === undefined ? {} : {playbook}),
    ...(since === undefined ? {} : {since}),
    ...(known === undefined ? {} : {status: known}),
    limit,
  };
}

/** A time: ISO 8601, or so many minutes, hours, days or weeks ago. */
export function sinceOf(text: string | undefined, now: Date): Date | undefined | 'wrong' {
  if (text === undefined) return undefined;
  const ago = /^(\d+)\s*([mhdw])$/.exec(text);
  if (ago !== null)
    return new Date(
      now.getTime() - Number(ago[1]) * {m: 60e3, h: 3600e3, d: 86400e3, w: 604800e3}[ago[2] as 'm' | 'h' | 'd' | 'w'],
    );
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? 'wrong' : date;
}

function print(isJson: boolean, json: () => unknown, text: () => string): void {
  process.stdout.write(isJson ? `${JSON.stringify(json(), undefined, 2)}\n` : text());
}

function tell(problem: Diagnostic): void {
  process.stderr.write(`${formatDiagnostic(problem, {color: process.stderr.isTTY})}\n\n`);
}

function refuse(problem: Diagnostic): void {
  tell(problem);
  process.exitCode = exitStatus.nothingAttempted;
}
