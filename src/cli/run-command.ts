import {homedir} from 'node:os';
import {resolve} from 'node:path';
import {error, warning} from '../base/diagnostic.ts';
import {runProgram} from '../engine/run.ts';
import {openSite} from '../playbook/site.ts';
import {listPlays} from '../playbook/select.ts';
import {controlConflicts, declaredControls, hasOpenIncludes} from '../playbook/declared-controls.ts';
import {validateSite} from '../playbook/validate.ts';
import {expiredWaivers, readWaivers, waiverFiles} from '../playbook/waivers.ts';
import {readConnectionOptions} from './connection-options.ts';
import {exitStatus} from './exit-status.ts';
import {confirmKeys, makeRun, type Run} from './make-run.ts';
import {askPrompts} from './ask-prompts.ts';
import {obstacleOf, readReportFiles, type ReportFile} from './report-files.ts';
import {hostList} from '../report/host-list.ts';
import {Profiler} from '../report/profile.ts';
import {openReporting} from './reporting.ts';
import type {Resumed} from './resume.ts';
import {readSettings} from './settings.ts';
import {siteOptionsOf} from './site-options.ts';
import {confirmSteps} from './step.ts';
import {stateFolder} from './state.ts';
import {trendPoints} from './trend-points.ts';
import {list, vaultPasswords} from './vault-passwords.ts';

type Options = Readonly<Record<string, unknown>>;

/** `run`, `check`, `plan` and `validate`. Sets the exit status of cli.md. */
export async function runCommand(
  command: 'run' | 'check' | 'plan' | 'validate',
  playbooks: readonly string[],
  options: Options,
  argv: readonly string[],
): Promise<void> {
  const cwd = process.cwd();
  const {env} = process;
  const {settings, problems: settingsProblems} = readSettings(cwd, env);
  const check = command !== 'run' || options['check'] === true;
  const mode = command === 'plan' ? 'plan' : check ? 'check' : 'run';
  const reporting = openReporting(options, env, {mode, playbooks, command: argv});
  const {form, tell, finish, refuseAll} = reporting;
  let reportFiles: readonly ReportFile[] = [];
  try {
    const wanted = readReportFiles(list(options['report']), cwd);
    if (wanted.problems.length > 0) {
      refuseAll(wanted.problems);
      return;
    }
    const planFile =
      command === 'plan' && options['out'] !== undefined ? resolve(cwd, String(options['out'])) : undefined;
    const obstacle = planFile === undefined ? undefined : obstacleOf(planFile);
    if (obstacle !== undefined) {
      refuseAll([
        error('plan-unwritable', `the plan cannot be written to ${planFile}: ${obstacle}`, {
          help: 'choose another file',
        }),
      ]);
      return;
    }
    const onlyLists = ['listHosts', 'listTasks', 'listTags', 'syntaxCheck'].some((name) => options[name] === true);
    if (!onlyLists) reportFiles = wanted.files;
    const home = env['HOME'] ?? homedir();
    const vault = await vaultPasswords(options, settings.vault_password_file ?? [], {cwd, home});
    const early = [...settingsProblems, ...vault.problems];
    if (early.some((p) => p.severity === 'error')) {
      refuseAll(early);
      return;
    }
    for (const problem of early) tell(problem);
    const connection = await readConnectionOptions(options, settings);
    const siteOptions = siteOptionsOf(playbooks, options, settings, {
      cwd,
      home,
      vaultPasswords: vault.passwords,
      check,
    });
    const saving =
      planFile === undefined
        ? undefined
        : new (await import('./save-plan.ts')).PlanSaving(reporting.info, reporting.hide, planFile);
    let {site} = await openSite(siteOptions);
    if (options['fix'] === true) {
      const {fixSite} = await import('./fix-site.ts');
      const diff = fixSite(site, cwd, siteOptions.inventories);
      (form === 'json' ? process.stderr : process.stdout).write(diff);
      if (diff !== '') ({site} = await openSite(siteOptions));
    }
    let resumed: Resumed | undefined;
    if (options['resume'] !== undefined) {
      const {resumePoint} = await import('./resume.ts');
      const {History} = await import('../store/history.ts');
      const word = typeof options['resume'] === 'string' ? options['resume'] : undefined;
      const selected = new Set(site.program.plays.flatMap((play) => site.hostsOf(play)));
      const point = resumePoint(new History(stateFolder(settings.state_dir, env, home)), word, playbooks, selected);
      if ('severity' in point) {
        refuseAll([point]);
        return;
      }
      resumed = point;
      ({site} = await openSite({...siteOptions, limit: point.hosts}));
      reporting.say(`Going on with run ${point.run}: ${hostList(point.hosts)}\n`);
    }
    const found = [
      ...validateSite(site, {whole: command === 'validate' && options['limit'] === undefined}),
      ...controlConflicts(site.program),
    ];
    const controls = declaredControls(site);
    if (check) {
      const {waivers, problems} = readWaivers(waiverFiles(list(options['waivers']), playbooks, cwd), {
        inventory: site.inventory,
        controls: controls.map(({id}) => id),
        open: hasOpenIncludes(site.program),
        cwd,
      });
      found.push(...problems, ...expiredWaivers(waivers, reporting.info.started));
      reporting.judgeBy(controls, waivers);
    } else {
      if (options['waivers'] !== undefined)
        found.push(
          warning('no-effect', '--waivers has no effect on a run: it converges what it can and says what it cannot'),
        );
      reporting.judgeBy(controls, []);
    }
    const errors = found.filter((p) => p.severity === 'error');
    if (errors.length > 0) {
      refuseAll(found);
      return;
    }
    for (const problem of found) tell(problem);
    if (options['listHosts'] === true || options['listTasks'] === true || options['listTags'] === true) {
      printLists(site, options);
      finish(exitStatus.ok);
      return;
    }
    if (command === 'validate' || options['syntaxCheck'] === true) {
      if (form !== 'json') process.stdout.write(`${playbooks.join(', ')}: no mistakes found\n`);
      finish(exitStatus.ok);
      return;
    }
    const hosts = new Set(site.program.plays.flatMap((play) => site.hostsOf(play)));
    if (hosts.size === 0) {
      refuseAll([
        {
          severity: 'error',
          code: 'no-hosts',
          message: 'no host matched in any play',
          help: 'see `tsplay inventory --graph`',
        },
      ]);
      return;
    }

    const profiler = options['profile'] === true ? new Profiler() : undefined;
    const asks = options['step'] === true ? confirmSteps() : undefined;
    const {run, connector, state} = await makeRun(
      {
        options,
        settings,
        connection,
        vaultPasswords: vault.passwords,
        site,
        check,
        reporting,
        home,
        ...(resumed && {inputs: {resumes: resumed.run}}),
        onEvent: (event) => {
          saving?.onEvent(event);
          profiler?.on(event);
        },
      },
      {...(saving && {plan: saving.recorder}), ...(asks && {confirm: asks})},
    );
    if (!(await confirmKeys(run, connector, reporting))) {
      finish(exitStatus.nothingAttempted);
      return;
    }
    const answers = await askPrompts(site);
    const outcome = await runProgram(run);
    if (profiler !== undefined) reporting.profile(profiler.profile(planningTimes(run)));
    if (saving !== undefined && !run.signal.aborted)
      reporting.say(
        saving.write(outcome, {
          site,
          hosts: run.hosts,
          siteOptions,
          options,
          answers,
          vaultPasswords: vault.passwords,
          state,
        }),
      );
    finish(run.signal.aborted ? exitStatus.interrupted : outcome.run.exit);
  } catch (error) {
    reporting.breakOff(error);
  } finally {
    const state = stateFolder(settings.state_dir, env, env['HOME'] ?? homedir());
    await reporting.writeReports(reportFiles, (audit) => trendPoints(state, audit));
  }
}

function planningTimes(run: Run): ReadonlyMap<string, number> {
  return new Map([...run.hosts].map(([name, host]) => [name, host.planningMs]));
}

function printLists(site: Awaited<ReturnType<typeof openSite>>['site'], options: Options): void {
  const listed = listPlays(site.program, site.selection);
  for (const [i, play] of site.program.plays.entries()) {
    const of = listed[i];
    process.stdout.write(
      `play ${i + 1} (${play.name})${options['listTags'] === true ? `\ttags: ${of?.tags.join(', ') ?? ''}` : ''}\n`,
    );
    if (options['listHosts'] === true) {
      const hosts = site.hostsOf(play);
      process.stdout.write(`  hosts (${hosts.length}):\n${hosts.map((host) => `    ${host}\n`).join('')}`);
    }
    if (options['listTasks'] === true) {
      process.stdout.write(
        `  tasks:\n${(of?.tasks ?? []).map((task) => `    ${task.title}\ttags: [${task.tags.join(', ')}]\t${task.at}\n`).join('')}`,
      );
    }
  }
}
