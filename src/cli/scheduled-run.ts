// What a schedule's command does when it is due: the same run as by hand, in the service's process, with connections that stay.
import {execFile} from 'node:child_process';
import {homedir} from 'node:os';
import {performance} from 'node:perf_hooks';
import {promisify} from 'node:util';
import type {Diagnostic} from '../base/diagnostic.ts';
import type {HostFinding, HostState} from '../converge/host-states.ts';
import type {Schedule} from '../converge/schedule.ts';
import {SiteUnusable, type PassRequest, type PassResult, type SiteRunner} from '../converge/site-runner.ts';
import type {HostSummary, RunEvent} from '../engine/event.ts';
import {hostsMeet} from '../engine/play.ts';
import {runProgram} from '../engine/run.ts';
import {controlConflicts, declaredControls, hasOpenIncludes} from '../playbook/declared-controls.ts';
import {openSite, type Site, type SiteOptions} from '../playbook/site.ts';
import {validateSite} from '../playbook/validate.ts';
import {expiredWaivers, readWaivers, waiverFiles} from '../playbook/waivers.ts';
import {WarmConnections} from '../remote/warm-connector.ts';
import {formatDiagnostic} from '../report/code-frame.ts';
import type {ExitSigns} from '../report/exit-signs.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import {readConnectionOptions} from './connection-options.ts';
import {exitStatus} from './exit-status.ts';
import {isInterrupt} from './interrupt.ts';
import {makeRun} from './make-run.ts';
import {quietReporting} from './quiet-reporting.ts';
import {savePlanOf} from './scheduled-plan.ts';
import {scheduledVaultPasswords} from './scheduled-vault.ts';
import {readSettings, type Settings} from './settings.ts';
import {siteOptionsOf} from './site-options.ts';
import {collectNumbers, type RunNumbers} from '../converge/metrics/collect.ts';
import {commitOf} from './site-commit.ts';
import {list} from './vault-passwords.ts';

type Opened = {
  readonly site: Site;
  readonly siteOptions: SiteOptions;
  readonly settings: Settings;
  readonly vaultPasswords: readonly VaultPassword[];
  readonly home: string;
};

/** Makes the runner of a service. `state`: its state folder, where histories and facts go. `onEnd` hears the numbers of every run that came to its end. */
export function scheduledRunner(state: string, onEnd: (numbers: RunNumbers) => void): SiteRunner {
  const warm = new WarmConnections(() => performance.now());
  const env = process.env;
  return {
    placeOf: async (site) => {
      const found = await commitOf(site, env);
      return {commit: found?.commit ?? undefined, dirty: found?.dirty ?? false};
    },
    isNewer: async (site, commit, of) => {
      try {
        await promisify(execFile)('git', ['merge-base', '--is-ancestor', of, commit], {cwd: site, timeout: 10_000});
        return true;
      } catch {
        return false;
      }
    },
    hostsOf: async (schedule) => {
      const {site} = await openScheduled(schedule, state, undefined);
      const hosts = new Set(site.program.plays.flatMap((play) => site.hostsOf(play)));
      if (hosts.size === 0) throw new SiteUnusable('no host matches in any play');
      return {hosts: [...hosts], divisible: !site.program.plays.some(hostsMeet)};
    },
    run: (request) => runPass(request, state, warm, onEnd),
    connections: () => warm.counts,
    close: () => warm.close(),
  };
}

async function runPass(
  {schedule, hosts, signal, isStopping}: PassRequest,
  state: string,
  warm: WarmConnections,
  onEnd: (numbers: RunNumbers) => void,
): Promise<PassResult> {
  const {mode, playbooks, options} = schedule.command;
  const check = mode === 'check';
  const problems: Diagnostic[] = [];
  const reporting = quietReporting({mode, playbooks, now: new Date()}, (problem) => void problems.push(problem));
  const {site, settings, vaultPasswords, home} = await openScheduled(schedule, state, hosts);
  const controls = declaredControls(site);
  if (check) {
    const {waivers, problems: wrong} = readWaivers(waiverFiles(list(options['waivers']), playbooks, schedule.site), {
      inventory: site.inventory,
      controls: controls.map(({id}) => id),
      open: hasOpenIncludes(site.program),
      cwd: schedule.site,
    });
    refuse(wrong);
    problems.push(...expiredWaivers(waivers, reporting.info.started));
    reporting.judgeBy(controls, waivers);
  } else reporting.judgeBy(controls, []);
  const watch = new PassWatch();
  const counting = collectNumbers();
  const left = new Set<string>();
  const connection = await readConnectionOptions(options, settings);
  try {
    const {run} = await makeRun(
      {
        options,
        settings,
        connection,
        vaultPasswords,
        site,
        check,
        reporting,
        home,
        cwd: schedule.site,
        signal,
        inputs: {schedule: schedule.name},
        connections: (connector) => warm.over(connector, `${schedule.site} ${settings.known_hosts?.join(' ') ?? ''}`),
        onEvent: (event) => {
          watch.on(event);
          counting.on(event);
        },
      },
      {
        confirm: (_task, host) => {
          if (!isStopping()) return Promise.resolve(true);
          left.add(host);
          return Promise.resolve(false);
        },
      },
    );
    const outcome = await runProgram(run);
    reporting.finish(signal.aborted ? exitStatus.interrupted : outcome.run.exit);
    signal.throwIfAborted();
    const numbers = counting.numbers(outcome.run.exit, Date.now());
    if (numbers !== undefined) onEnd({...numbers, schedule: schedule.name});
    const findings = Object.entries(outcome.hosts)
      .filter(([host]) => !watch.busy.has(host) && !left.has(host))
      .map(([host, summary]): HostFinding => {
        const judged = stateOf(host, summary, mode, reporting.signs, watch);
        const message = judged.message === undefined ? undefined : reporting.hide(judged.message);
        return {host, state: judged.state, message, run: reporting.info.id, roundTrips: summary.roundTrips};
      });
    const drifted = findings.filter((finding) => finding.state === 'drifted').map(({host}) => host);
    const rest = {findings, busy: [...watch.busy], left: [...left]};
    if (schedule.approve !== 'manual' || drifted.length === 0) return rest;
    const path = await savePlanOf(schedule, drifted, reporting.info.id, state, signal);
    return {...rest, plan: {id: reporting.info.id, path, hosts: drifted}};
  } catch (error) {
    reporting.finish(isInterrupt(error) ? exitStatus.interrupted : exitStatus.fault);
    throw error;
  }
}

/** What of the events a state is made from. */
class PassWatch {
  /** hosts whose lock another run held */
  readonly busy = new Set<string>();
  /** hosts on which something was changed that has a state to compare */
  readonly changed = new Set<string>();
  readonly reasons = new Map<string, string>();

  on(event: RunEvent): void {
    if (event.event === 'problem') {
      const host = /^([^:]+): /.exec(event.diagnostic.message)?.[1];
      if (host === undefined) return;
      if (event.diagnostic.code === 'locked') this.busy.add(host);
      if (!this.reasons.has(host)) this.reasons.set(host, event.diagnostic.message.slice(host.length + 2));
    }
    if (event.event !== 'task-finished') return;
    const {host, status, everyRun, task, message, command, findings} = event.result;
    if (status === 'changed' && !everyRun) this.changed.add(host);
    const isBad = status === 'failed' || status === 'refused';
    const finding = findings.find(({severity}) => (severity ?? 'error') === 'error');
    if ((!isBad && finding === undefined) || this.reasons.has(host)) return;
    const why = (message ?? finding?.message ?? command?.stderr ?? status).trim().split('\n')[0] ?? status;
    this.reasons.set(host, `${task}: ${why}`.slice(0, 300));
  }
}

function stateOf(
  host: string,
  summary: HostSummary,
  mode: 'check' | 'run',
  signs: ExitSigns,
  watch: PassWatch,
): {readonly state: HostState; readonly message: string | undefined} {
  const reason = watch.reasons.get(host);
  if (summary.status === 'unreachable') return {state: 'unreachable', message: summary.unreachable?.message};
  const failed = summary.status === 'failed' || summary.failed > 0 || summary.refused > 0 || signs.unjudged.has(host);
  if (failed || (mode === 'run' && signs.errorFindings.has(host)))
    return {state: 'failed', message: reason ?? summary.unreachable?.message};
  if (mode === 'check' && (signs.differing.has(host) || signs.errorFindings.has(host)))
    return {state: 'drifted', message: reason ?? `${summary.changed} tasks differ`};
  if (mode === 'run' && watch.changed.has(host)) return {state: 'fixed', message: `${summary.changed} tasks changed`};
  return {state: 'in sync', message: undefined};
}

/** Opens a schedule's site, on some of its hosts. *errors*: SiteUnusable with all mistakes. */
export async function openScheduled(
  schedule: Schedule,
  state: string,
  hosts: readonly string[] | undefined,
): Promise<Opened> {
  const {mode, playbooks} = schedule.command;
  const cwd = schedule.site;
  const home = process.env['HOME'] ?? homedir();
  const {settings: own, problems} = readSettings(cwd, process.env);
  const settings: Settings = {...own, state_dir: state};
  const options = {...schedule.command.options, ...(hosts === undefined ? {} : {limit: hosts})};
  const vault = await scheduledVaultPasswords(options, settings, {cwd, home});
  refuse([...problems, ...vault.problems]);
  const siteOptions = siteOptionsOf(playbooks, options, settings, {
    cwd,
    home,
    vaultPasswords: vault.passwords,
    check: mode === 'check',
  });
  const {site} = await openSite(siteOptions);
  refuse([...validateSite(site), ...controlConflicts(site.program)]);
  const prompts = site.program.plays.flatMap((play) => play.varsPrompt);
  const unanswered = prompts.filter(({name}) => !site.variables.extraVars.has(name));
  if (unanswered.length > 0)
    throw new SiteUnusable(
      `vars_prompt asks for ${unanswered.map(({name}) => name).join(', ')}, and nobody is there: give it with -e`,
    );
  return {site, siteOptions, settings, vaultPasswords: vault.passwords, home};
}

function refuse(problems: readonly Diagnostic[]): void {
  const errors = problems.filter(({severity}) => severity === 'error');
  if (errors.length === 0) return;
  throw new SiteUnusable(errors.map((problem) => formatDiagnostic(problem, {color: false})).join('\n'));
}
