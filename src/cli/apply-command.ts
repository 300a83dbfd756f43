import {existsSync} from 'node:fs';
import {homedir} from 'node:os';
import {resolve} from 'node:path';
import {error, type Diagnostic} from '../base/diagnostic.ts';
import type {RunContext} from '../engine/context.ts';
import {PlanFollower} from '../engine/plan-follower.ts';
import {runProgram} from '../engine/run.ts';
import {actions} from '../actions/index.ts';
import {declaredControls} from '../playbook/declared-controls.ts';
import {useSiteFiles} from '../playbook/disk.ts';
import type {Site, SiteOptions} from '../playbook/site.ts';
import type {PlanText} from '../store/plan-text.ts';
import {unpack} from '../store/plan-codec.ts';
import {readConnectionOptions} from './connection-options.ts';
import {exitStatus} from './exit-status.ts';
import {sha256File} from './file-digest.ts';
import {confirmKeys, makeRun, type Run} from './make-run.ts';
import {openPlan, readPlanFile} from './open-plan.ts';
import type {PlanContent} from './plan-content.ts';
import {appliedBefore, type AppliedLog} from './plan-applied.ts';
import {moduleOf} from './plan-module.ts';
import {planHosts, unfitHosts} from './plan-hosts.ts';
import {Profiler} from '../report/profile.ts';
import {planToFollow} from './plan-to-follow.ts';
import {readReportFiles, type ReportFile} from './report-files.ts';
import {openReporting, type Reporting} from './reporting.ts';
import {readSettings} from './settings.ts';
import {makeStateFolder, stateFolder} from './state.ts';
import {list, vaultPasswords} from './vault-passwords.ts';
import {version} from './version.ts';

type Options = Readonly<Record<string, unknown>>;

/** `tsplay apply FILE`: does exactly what the plan says. Sets the exit status of cli.md. */
export async function applyCommand(file: string, given: Options, argv: readonly string[]): Promise<void> {
  const here = process.cwd();
  const {env} = process;
  const read = readPlanFile(resolve(here, file), file);
  const head = read.ok ? read.value.head : undefined;
  const playbooks = head?.site.playbooks ?? [];
  const events = given['events'] === undefined ? {} : {events: resolve(here, String(given['events']))};
  const reporting = openReporting({...given, ...events}, env, {mode: 'apply', playbooks, command: argv});
  let reportFiles: readonly ReportFile[] = [];
  try {
    const wanted = readReportFiles(list(given['report']), here);
    if (!read.ok || wanted.problems.length > 0) {
      reporting.refuseAll([...(read.ok ? [] : read.problems), ...wanted.problems]);
      return;
    }
    reportFiles = wanted.files;
    const inventories = list(given['inventory']).map((source) => absoluteSource(source, here));
    // the recorded site's folder is where its settings lie, and where relative paths start
    const folder = read.value.head.site.folder;
    if (existsSync(folder)) process.chdir(folder);
    await apply(read.value, {...given, inventory: inventories}, here, reporting);
  } catch (cause) {
    reporting.breakOff(cause);
  } finally {
    await reporting.writeReports(reportFiles);
  }
}

async function apply(plan: PlanText, given: Options, here: string, reporting: Reporting): Promise<void> {
  const {env} = process;
  const {refuseAll, tell, finish} = reporting;
  const home = env['HOME'] ?? homedir();
  const {settings, problems: settingsProblems} = readSettings(process.cwd(), env);
  const vault = await vaultPasswords(given, settings.vault_password_file ?? [], {cwd: here, home});
  const early = [...settingsProblems, ...vault.problems];
  const state = stateFolder(settings.state_dir, env, home);
  const opened = openPlan(plan, {passwords: vault.passwords, state});
  if (!opened.ok || early.some(({severity}) => severity === 'error')) {
    refuseAll([...early, ...(opened.ok ? [] : opened.problems)]);
    return;
  }
  for (const problem of early) tell(problem);
  const content = opened.value;
  const obstacles = [...otherVersion(plan), ...otherModules(content)];
  if (obstacles.length > 0) {
    refuseAll(obstacles);
    return;
  }
  const inventories = list(given['inventory']);
  useSiteFiles(new Map(Object.entries(content.files)), Date.parse(plan.head.made.at), inventories);
  const options: Options = {...content.options, ...given};
  const connection = await readConnectionOptions(options, settings);
  const siteOptions: SiteOptions = {
    ...content.site,
    ...(inventories.length > 0 ? {inventories} : {}),
    actions,
    vaultPasswords: vault.passwords,
    env,
    home,
    settings: {
      checkMode: false,
      diffMode: options['diff'] === true,
      forks: Number(options['forks'] ?? settings.forks ?? 50),
      verbosity: Number(options['verbose'] ?? 0),
    },
  };
  const {site, hosts, gone, problems} = await planHosts(siteOptions, content, list(given['limit']));
  const errors = problems.filter(({severity}) => severity === 'error');
  if (errors.length > 0) {
    refuseAll(errors);
    return;
  }
  if (hosts.length === 0) {
    refuseAll([error('no-hosts', 'no host of this plan is left to apply it to', {help: 'see `tsplay show`'}), ...gone]);
    return;
  }
  makeStateFolder(state);
  reporting.judgeBy(declaredControls(site), []);
  const applied = appliedBefore(state, plan.head.made.id);
  const outcome = await follow(content, site, applied, {
    options,
    settings,
    connection,
    vaultPasswords: vault.passwords,
    site,
    check: false,
    reporting,
    home,
  });
  if (outcome === undefined) return;
  for (const problem of gone) tell(problem);
  finish(outcome === exitStatus.interrupted ? outcome : outcome | (gone.length > 0 ? 2 : 0));
}

/** Runs the plan; gives the exit status, or undefined where it was not attempted and that has been said. */
async function follow(
  content: PlanContent,
  site: Site,
  applied: AppliedLog,
  parts: Parameters<typeof makeRun>[0],
): Promise<number | undefined> {
  const {reporting, options} = parts;
  for (const {play, name, value} of content.answers) {
    const asked = site.program.plays[play];
    if (asked !== undefined) site.answer(asked, name, unpack(value, content));
  }
  const context: {run: RunContext | undefined} = {run: undefined};
  const decisions = planToFollow(content, reporting.redactor);
  const follower = new PlanFollower(
    {
      ...decisions,
      exact: options['exact'] === true,
      moduleOf: (name) => moduleOf(site, name),
      unfit: unfitHosts(content, decisions.hosts),
      applied: applied.hosts,
    },
    () => context.run!,
  );
  const profiler = options['profile'] === true ? new Profiler() : undefined;
  const {run, connector} = await makeRun(
    {...parts, ...(profiler && {onEvent: (event) => profiler.on(event)})},
    {plan: follower},
  );
  const exactBlobs: Run = {...run, contentOf: (wanted) => contentAsPlanned(run, wanted)};
  if (!(await confirmKeys(run, connector, reporting))) {
    reporting.finish(exitStatus.nothingAttempted);
    return undefined;
  }
  const outcome = await runProgram(exactBlobs, (full) => (context.run = full));
  if (profiler !== undefined)
    reporting.profile(profiler.profile(new Map([...run.hosts].map(([name, host]) => [name, host.planningMs]))));
  for (const [host, {status}] of Object.entries(outcome.hosts))
    if (status === 'ok' || status === 'changed') applied.note(host);
  return run.signal.aborted ? exitStatus.interrupted : outcome.run.exit;
}

/** A large file of the controller travels only as the one that was planned. */
async function contentAsPlanned(run: Run, wanted: Parameters<Run['contentOf']>[0]): ReturnType<Run['contentOf']> {
  const content = await run.contentOf(wanted);
  if (typeof wanted === 'object' && 'blob' in wanted && sha256File(wanted.blob) !== wanted.sha256)
    throw new Error(`${wanted.blob} was changed while the plan was applied`);
  return content;
}

function otherVersion({head, source}: PlanText): readonly Diagnostic[] {
  if (head.made.version === version()) return [];
  const start = Math.max(0, source.text.indexOf('"made"'));
  return [
    error('plan-other-version', `this plan was made by tsplay ${head.made.version}; this is ${version()}`, {
      span: {source, start, end: start + '"made"'.length},
      help: 'apply it with the version that made it, or make it again: versions may read and write differently',
    }),
  ];
}

/** Code is not kept in a plan, so that of the site's own modules has to be what it was. */
function otherModules(content: PlanContent): readonly Diagnostic[] {
  return Object.entries(content.modules).flatMap(([name, {file, sha256}]) =>
    sha256File(file) === sha256
      ? []
      : [
          error('plan-module', `the module ${name} (${file}) is not the one that the plan was made with`, {
            help: 'make the plan again',
          }),
        ],
  );
}

/** Lists of hosts (`a,b`) stay; a path counts from where the user is. */
function absoluteSource(source: string, here: string): string {
  return source.includes(',') ? source : resolve(here, source);
}
