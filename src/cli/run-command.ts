import {randomBytes} from 'node:crypto';
import {appendFileSync, mkdirSync, writeFileSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {hostname, homedir, userInfo} from 'node:os';
import {isAbsolute, join, resolve} from 'node:path';
import {performance} from 'node:perf_hooks';
import {setTimeout as sleep} from 'node:timers/promises';
import {actions} from '../actions/index.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {Secret} from '../base/secret.ts';
import type {RunContext} from '../engine/context.ts';
import type {RunEvent, RunInfo} from '../engine/event.ts';
import {hasErrorFinding, runProgram} from '../engine/run.ts';
import {HostState} from '../engine/host.ts';
import {openSite, type SiteOptions} from '../playbook/site.ts';
import type {Target} from '../remote/session.ts';
import {listPlays} from '../playbook/select.ts';
import {validateSite} from '../playbook/validate.ts';
import {formatDiagnostic} from '../report/code-frame.ts';
import {JsonReporter, taskJson, type Hide} from '../report/json.ts';
import {PrettyReporter, type Output} from '../report/pretty.ts';
import {redactData} from '../secrets/redact-data.ts';
import {Redactor} from '../secrets/redactor.ts';
import {stateFolder, factCache} from './state.ts';
import {exitStatus} from './exit-status.ts';
import {NoTerminal, askSecret, askText} from './prompt.ts';
import {reportFault} from './fault.ts';
import {readSettings} from './settings.ts';
import {becomeOf, targetOf} from './targets.ts';
import {readConnectionOptions} from './connection-options.ts';
import {interruptSignal, isInterrupt} from './interrupt.ts';
import {list, vaultPasswords} from './vault-passwords.ts';
import {confirmHostKeys} from './host-keys.ts';

type Options = Readonly<Record<string, unknown>>;

/** `run`, `check` and `validate`. Sets the exit status of cli.md. */
export async function runCommand(
  command: 'run' | 'check' | 'validate',
  playbooks: readonly string[],
  options: Options,
  argv: readonly string[],
): Promise<void> {
  const cwd = process.cwd();
  const {env} = process;
  const {settings, problems: settingsProblems} = readSettings(cwd, env);
  const check = command !== 'run' || options['check'] === true;
  const terminal = process.stdout.isTTY;
  const form = options['output'] ?? env['TSPLAY_OUTPUT'] ?? (terminal ? 'pretty' : 'plain');
  const color =
    options['color'] !== false &&
    env['NO_COLOR'] === undefined &&
    (terminal || env['FORCE_COLOR'] === '1') &&
    form === 'pretty';
  const now = (): Date => new Date();
  const random = (bytes: number): Uint8Array => randomBytes(bytes);
  const id = `${now().toISOString().replace(/[-:]/g, '').replace(/\..*/, '')}-${Buffer.from(random(3)).toString('hex')}`;
  const info: RunInfo = {id, mode: check ? 'check' : 'run', playbooks, started: now().toISOString()};
  const began = performance.now();
  // the last line of defence: what comes back from hosts, and what was read from files, may hold secrets too
  const redactor = new Redactor();
  const hide = <T>(data: T): T => redactData(redactor, data);
  const json = new JsonReporter(info, () => performance.now() - began, hide);
  const verbosity = Number(options['verbose'] ?? 0);
  const tell = (problem: Diagnostic): void => {
    process.stderr.write(`${formatDiagnostic(problem, {color: color && process.stderr.isTTY})}\n\n`);
    json.problem(problem);
  };
  const finish = (exit: number): void => {
    if (form === 'json') process.stdout.write(`${JSON.stringify(json.document(exit), undefined, 2)}\n`);
    process.exitCode = exit;
  };
  const refuseAll = (problems: readonly Diagnostic[]): void => {
    for (const problem of problems) tell(problem);
    const errors = problems.filter((p) => p.severity === 'error').length;
    process.stderr.write(`${errors} ${errors === 1 ? 'mistake' : 'mistakes'}; nothing was attempted\n`);
    finish(exitStatus.nothingAttempted);
  };

  try {
    const home = env['HOME'] ?? homedir();
    const vault = await vaultPasswords(options, settings.vault_password_file ?? [], {cwd, home});
    const early = [...settingsProblems, ...vault.problems];
    if (early.some((p) => p.severity === 'error')) {
      refuseAll(early);
      return;
    }
    for (const problem of early) tell(problem);
    const connection = await readConnectionOptions(options, settings);
    const inventories = list(options['inventory']);
    const siteOptions: SiteOptions = {
      playbooks,
      inventories: inventories.length > 0 ? inventories : (settings.inventory ?? ['inventory/']),
      actions,
      cwd,
      extraVars: list(options['extraVars']),
      limit: list(options['limit']),
      tags: list(options['tags'])
        .flatMap((tags) => tags.split(','))
        .map((tag) => tag.trim()),
      skipTags: list(options['skipTags'])
        .flatMap((tags) => tags.split(','))
        .map((tag) => tag.trim()),
      ...(options['startAtTask'] === undefined ? {} : {startAtTask: String(options['startAtTask'])}),
      vaultPasswords: vault.passwords,
      modulePaths: settings.modules_path ?? [],
      rolePaths: settings.roles_path ?? [],
      env,
      home,
      settings: {
        checkMode: check,
        diffMode: options['diff'] === true,
        forks: Number(options['forks'] ?? settings.forks ?? 50),
        verbosity,
      },
      readOnly: check,
    };
    let {site} = await openSite(siteOptions);
    if (options['fix'] === true) {
      const {fixSite} = await import('./fix-site.ts');
      const diff = fixSite(site, cwd, siteOptions.inventories);
      (form === 'json' ? process.stderr : process.stdout).write(diff);
      if (diff !== '') ({site} = await openSite(siteOptions));
    }
    const found = validateSite(site);
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

    const {makeConnector} = await import('../remote/connector.ts');
    const {releaseAtExit} = await import('../remote/lock.ts');
    const {CertificateMaker} = await import('../engine/content.ts');
    const out: Output = {
      write: (text) => process.stdout.write(redactor.redact(text)),
      columns: terminal ? process.stdout.columns : 0,
      color,
      live: terminal && form === 'pretty',
    };
    const pretty = new PrettyReporter(out, {
      check,
      showDiff: options['diff'] === undefined ? true : options['diff'] === true,
      verbosity,
      command: argv,
    });
    const eventsFile = options['events'] === undefined ? undefined : resolve(cwd, String(options['events']));
    if (eventsFile !== undefined) writeFileSync(eventsFile, '', {mode: 0o600});
    for (const password of vault.passwords) redactor.add(password.password);
    for (const secret of [connection.password, connection.becomePassword, connection.passphrase])
      if (secret !== undefined) redactor.add(secret);
    const errorFindings = new Set<string>();
    const emit = (event: RunEvent): void => {
      if (event.event === 'task-finished' && hasErrorFinding(event.result)) errorFindings.add(event.result.host);
      if (eventsFile !== undefined) appendFileSync(eventsFile, `${eventLine(event, hide)}\n`);
      json.on(event);
      if (form !== 'json') pretty.on(event);
    };
    const signal = interruptSignal();

    const accept = options['acceptNewHostKeys'] === true;
    const shared = {
      env,
      ...(settings.known_hosts === undefined ? {} : {knownHostsFiles: settings.known_hosts}),
      unknownHostKeys: accept ? ('accept' as const) : ('refuse' as const),
      atExit: releaseAtExit,
      trace: verbosity > 2,
      log: (level: 2 | 3, message: string) => {
        if (verbosity >= level) emit({event: 'message', host: undefined, text: redactor.redact(message)});
      },
    };
    const maker = new CertificateMaker(now, random);
    const state = stateFolder(settings.state_dir, env, home);
    mkdirSync(state, {recursive: true, mode: 0o700});
    const run: Omit<RunContext, 'stateOf'> = {
      info,
      site,
      actions,
      connector: makeConnector(shared),
      redactor,
      emit,
      now,
      random,
      signal,
      check,
      forks: Math.max(1, Number(options['forks'] ?? settings.forks ?? 50)),
      targetOf: (host, scope) => targetOf(host, scope, connection),
      becomeOf: (task, play, scope) => becomeOf(task, play, scope, connection),
      facts: factCache(state),
      hosts: new Map(),
      contentOf: async (content) => {
        if (typeof content === 'string' || content instanceof Uint8Array || content instanceof Secret) return content;
        if ('blob' in content) return new Uint8Array(await readFile(content.blob));
        return maker.make({
          ...content.spec,
          caCert: absolute(content.spec.caCert, cwd),
          caKey: absolute(content.spec.caKey, cwd),
        });
      },
      steal: options['steal'] === true,
      owner: `${userInfo().username}@${hostname()}`,
      pause: (ms) => sleep(ms, undefined, {signal}),
      verbosity,
      errorFindings,
    };
    const keys = await confirmHostKeys(targetsOf(run), shared, accept, terminal && form === 'pretty', tell, signal);
    if (!keys) {
      finish(exitStatus.nothingAttempted);
      return;
    }
    await askPrompts(site);
    const outcome = await runProgram(run);
    finish(signal.aborted ? exitStatus.interrupted : outcome.run.exit);
  } catch (error) {
    if (isInterrupt(error)) {
      finish(exitStatus.interrupted);
      return;
    }
    if (error instanceof NoTerminal) {
      refuseAll([
        {
          severity: 'error',
          code: 'no-terminal',
          message: error.message,
          help: 'give the value with -e, or a password file',
        },
      ]);
      return;
    }
    reportFault(error);
    finish(exitStatus.fault);
  }
}

/** How every host of the run is reached, each once. */
function targetsOf(run: Omit<RunContext, 'stateOf'>): readonly Target[] {
  const targets = new Map<string, Target>();
  for (const play of run.site.program.plays) {
    for (const name of run.site.hostsOf(play)) {
      if (targets.has(name)) continue;
      const memory = {facts: {}, setFacts: new Map(), registered: new Map(), includedVars: new Map()};
      const state = new HostState(name, memory, run.connector, run.emit);
      targets.set(name, run.targetOf(state, run.site.scopeFor(name, play, undefined, memory)));
    }
  }
  return [...targets.values()];
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

async function askPrompts(site: Awaited<ReturnType<typeof openSite>>['site']): Promise<void> {
  for (const play of site.program.plays) {
    for (const prompt of play.varsPrompt) {
      if (site.variables.extraVars.has(prompt.name)) continue;
      const question = `${prompt.prompt === '' ? prompt.name : prompt.prompt}: `;
      const answer = prompt.isPrivate ? await askSecret(question) : await askText(question);
      const fallback = prompt.default === undefined ? undefined : site.bareScope(play.folder).evaluate(prompt.default);
      const empty = answer instanceof Secret ? answer.reveal() === '' : answer === '';
      site.answer(play, prompt.name, empty && fallback?.ok === true ? fallback.value : answer);
    }
  }
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

function absolute(path: string, cwd: string): string {
  return isAbsolute(path) ? path : join(cwd, path);
}
