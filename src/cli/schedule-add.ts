// `tsplay schedule add`: a command as by hand, resolved and validated now, kept to be run later.
import {existsSync} from 'node:fs';
import {isAbsolute, relative, resolve} from 'node:path';
import {Command, CommanderError} from 'commander';
import {error, type Diagnostic} from '../base/diagnostic.ts';
import {cronProblem, nextAfter, parseWindow} from '../converge/occurrences.ts';
import {isScheduleName, type NotifyTarget, type Schedule, type ScheduledCommand} from '../converge/schedule.ts';
import {SiteUnusable} from '../converge/site-runner.ts';
import {splitWords} from '../formats/shell-words.ts';
import {ask, ownStateFolder, refused} from './at-desk.ts';
import {playbookOptions, reportOptions} from './options.ts';
import {openScheduled} from './scheduled-run.ts';
import {readSettings} from './settings.ts';
import {commitOf} from './site-commit.ts';
import {list} from './vault-passwords.ts';

type Options = Readonly<Record<string, unknown>>;

/** Options that need somebody at a terminal, or that only list. */
const unfit = [
  'askPass',
  'askBecomePass',
  'askVaultPass',
  'step',
  'listHosts',
  'listTasks',
  'listTags',
  'syntaxCheck',
  'check',
  'events',
  'report',
  'resume',
  'profile',
] as const;

/** Adds a schedule; says when it runs next and on how many hosts. */
export async function scheduleAdd(name: string, words: readonly string[], options: Options): Promise<void> {
  const site = process.cwd();
  const problems: Diagnostic[] = [];
  const bad = (code: string, message: string, help?: string): void =>
    void problems.push(error(code, message, help === undefined ? {} : {help}));
  if (!isScheduleName(name))
    bad('schedule-name', `"${name}" is no name for a schedule`, 'letters, digits, ".", "_" and "-"');
  const timezone = String(options['timezone'] ?? Intl.DateTimeFormat().resolvedOptions().timeZone);
  const cron = String(options['cron']);
  const wrong = cronProblem({cron, timezone});
  if (wrong !== undefined) bad('schedule-cron', wrong, 'minute hour day month weekday, for example "0 3 * * *"');
  const window = options['window'] === undefined ? undefined : parseWindow(String(options['window']));
  if (options['window'] !== undefined && window === undefined)
    bad('schedule-window', `"${String(options['window'])}" is no window`, '"22:00-06:00" or "Mon-Fri 22:00-06:00"');
  const jitterMs = durationMs(options['jitter'] === undefined ? '0s' : String(options['jitter']));
  if (jitterMs === undefined) bad('schedule-jitter', `"${String(options['jitter'])}" is no time`, '90s, 10m or 1h');
  const retries = Number(options['retries'] ?? 2);
  if (!Number.isInteger(retries) || retries < 0 || retries > 10)
    bad('schedule-retries', 'retries: a number from 0 to 10');
  const notify = targetsOf(options, site, bad);
  const command = commandOf(words, site, bad);
  if (options['approve'] === 'manual' && command !== undefined && command.mode !== 'check')
    bad('schedule-approve', 'a run needs no approval: schedule a check, whose plan is approved');
  if (problems.length > 0 || command === undefined || jitterMs === undefined) {
    for (const problem of problems) refused(problem);
    return;
  }
  const schedule: Schedule = {
    name,
    cron,
    timezone,
    jitterMs,
    window,
    approve: options['approve'] === 'manual' ? 'manual' : 'no',
    retries,
    together: options['together'] === true,
    site,
    command,
    notify,
  };
  let hosts = 0;
  try {
    const opened = await openScheduled(schedule, ownStateFolder(), undefined);
    hosts = new Set(opened.site.program.plays.flatMap((play) => opened.site.hostsOf(play))).size;
  } catch (cause) {
    if (!(cause instanceof SiteUnusable)) throw cause;
    process.stderr.write(`${cause.message}\n`);
    refused(error('schedule', 'nothing was added: the command would fail'));
    return;
  }
  if (hosts === 0) {
    refused(error('no-hosts', 'no host matches in any play', {help: 'see `tsplay inventory --graph`'}));
    return;
  }
  const place = await commitOf(site, process.env);
  const done = await ask(options, {
    do: 'add',
    schedule,
    commit: place?.commit ?? undefined,
    replace: options['replace'] === true,
  });
  if (done === undefined) return;
  const next = nextAfter(schedule, new Date());
  process.stdout.write(
    `${name}: ${command.words.join(' ')} on ${hosts} ${hosts === 1 ? 'host' : 'hosts'}, next at ${next?.toISOString() ?? 'no time'}${place?.dirty === true ? '\nnote: the site has changes that are not committed' : ''}\n`,
  );
}

/** Reads `90s`, `10m`, `1h`. *units*: ms. */
export function durationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(s|m|h)$/.exec(text.trim());
  return match === null
    ? undefined
    : Number(match[1]) * {s: 1000, m: 60_000, h: 3_600_000}[match[2] as 's' | 'm' | 'h'];
}

/** A command line `check|run PLAYBOOK…` with everything that it leaves to settings filled in, paths relative to the site. */
function commandOf(
  words: readonly string[],
  site: string,
  bad: (code: string, message: string, help?: string) => void,
): ScheduledCommand | undefined {
  const [mode, ...rest] = words;
  if (mode !== 'check' && mode !== 'run') {
    bad(
      'schedule-command',
      `"${mode ?? ''}" cannot be scheduled`,
      'check or run: tsplay schedule add NAME --cron … -- check site.yml',
    );
    return undefined;
  }
  let said = '';
  const parser = reportOptions(playbookOptions(new Command(mode).argument('<playbook...>')))
    .exitOverride()
    .configureOutput({writeErr: (text) => (said += text), writeOut: (text) => (said += text)});
  try {
    parser.parse([...rest], {from: 'user'});
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause;
    bad('schedule-command', said.trim().replace(/^error: /, ''));
    return undefined;
  }
  const given = parser.opts<Record<string, unknown>>();
  const flags = unfit.filter((name) => given[name] !== undefined && given[name] !== false);
  const asks = list(given['vaultId']).some((id) => /@prompt/.test(id));
  for (const name of [...flags, ...(asks ? ['vaultId …@prompt'] : [])])
    bad(
      'schedule-command',
      `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} cannot be used without somebody at a terminal`,
    );
  const {settings} = readSettings(site, process.env);
  const playbooks = parser.args.map((path) => relativeTo(site, path));
  for (const path of playbooks) if (!existsSync(resolve(site, path))) bad('no-playbook', `${path} is not there`);
  const options = Object.fromEntries(
    Object.entries({
      ...given,
      inventory: given['inventory'] ?? settings.inventory?.map((path) => relativeTo(site, path)) ?? ['inventory/'],
      forks: given['forks'] ?? settings.forks,
      timeout: given['timeout'] ?? settings.timeout,
      user: given['user'] ?? settings.remote_user,
    }).filter(([key, value]) => value !== undefined && !['verbose', 'output', 'color', 'diff'].includes(key)),
  );
  return {mode, playbooks, options, words: [mode, ...rest]};
}

function targetsOf(
  options: Options,
  site: string,
  bad: (code: string, message: string, help?: string) => void,
): readonly NotifyTarget[] {
  const secret = options['webhookSecretFile'];
  const secretFile = secret === undefined ? undefined : resolve(site, String(secret));
  const targets: NotifyTarget[] = [];
  for (const url of list(options['webhook'])) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      bad('schedule-webhook', `"${url}" is no address of a webhook`);
    else if (secretFile === undefined)
      bad(
        'schedule-webhook',
        'a webhook needs --webhook-secret-file',
        'without a signature its receiver could not know who speaks',
      );
    else targets.push({to: 'webhook', url, secretFile});
  }
  for (const text of list(options['notifyCommand'])) {
    const argv = splitWords(text);
    if (argv === undefined || argv.length === 0) bad('schedule-notify', `"${text}" is no command`);
    else targets.push({to: 'command', argv});
  }
  for (const address of list(options['mail'])) {
    if (!/^[^\s@-][^\s@]*@[^\s@]+$/.test(address)) bad('schedule-mail', `"${address}" is no mail address`);
    else targets.push({to: 'mail', address});
  }
  return targets;
}

function relativeTo(site: string, path: string): string {
  const shown = relative(site, resolve(site, path));
  return path.includes(',') || shown.startsWith('..') || isAbsolute(shown) ? path : shown === '' ? '.' : shown;
}
