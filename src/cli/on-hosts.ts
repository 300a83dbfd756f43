import PQueue from 'p-queue';
import {error, type Diagnostic} from '../base/diagnostic.ts';
import {actions} from '../actions/index.ts';
import {readLimit} from '../playbook/limit.ts';
import {matchHosts} from '../playbook/patterns.ts';
import {openSite, type Site} from '../playbook/site.ts';
import {makeConnector, type ConnectorOptions} from '../remote/connector.ts';
import {BecomeFailed, LinkLost, Unreachable} from '../remote/errors.ts';
import {HostLocked} from '../engine/host-lock.ts';
import {ReadFailed} from '../remote/read-fragment.ts';
import type {Become, Connection, Target} from '../remote/session.ts';
import {formatDiagnostic} from '../report/code-frame.ts';
import {Redactor} from '../secrets/redactor.ts';
import {readConnectionOptions} from './connection-options.ts';
import {exitStatus} from './exit-status.ts';
import {reportFault} from './fault.ts';
import {confirmHostKeys} from './host-keys.ts';
import {inventoryAsking} from './inventory-plugins.ts';
import {interruptSignal, isInterrupt} from './interrupt.ts';
import {NoTerminal} from './prompt.ts';
import {readSettings} from './settings.ts';
import {becomeOf, targetOf} from './targets.ts';
import {list, vaultPasswords} from './vault-passwords.ts';

export type Options = Readonly<Record<string, unknown>>;

/** Hosts that a pattern means, with what is needed to reach them. */
export type HostSet = {
  readonly hosts: readonly {readonly name: string; readonly target: Target; readonly become: Become | undefined}[];
  readonly site: Site;
  readonly connector: ConnectorOptions;
  readonly forks: number;
  readonly redactor: Redactor;
  readonly timeoutMs: number;
};

/** What became of one host. */
export type Answer<T> =
  | {readonly host: string; readonly is: 'answered'; readonly value: T}
  | {
      readonly host: string;
      readonly is: 'unreachable' | 'failed';
      readonly message: string;
      readonly help: string | undefined;
    };

/**
 * Finds the hosts of a pattern in the inventory. undefined = nothing can be attempted; it has been said why, on stderr.
 * *errors*: NoTerminal where a password is asked for and there is nobody.
 */
export async function hostsOf(pattern: string, options: Options): Promise<HostSet | undefined> {
  const cwd = process.cwd();
  const {env} = process;
  const home = env['HOME'] ?? '/';
  const {settings, problems: settingsProblems} = readSettings(cwd, env);
  const vault = await vaultPasswords(options, settings.vault_password_file ?? [], {cwd, home});
  const connection = await readConnectionOptions(options, settings);
  const given = list(options['inventory']);
  const limit = list(options['limit']);
  const {site, problems} = await openSite({
    playbooks: [],
    ...(options['withoutPlugins'] === true
      ? {inventoryPlugins: new Map()}
      : inventoryAsking(options, settings, onHosts)),
    inventories: given.length > 0 ? given : (settings.inventory ?? ['inventory/']),
    actions,
    cwd,
    extraVars: list(options['extraVars']),
    vaultPasswords: vault.passwords,
    env,
    home,
    readOnly: true,
  });
  const matched = matchHosts(site.inventory, pattern);
  const limited = readLimit(site.inventory, limit, cwd);
  const names = matched.hosts.filter((name) => limited.hosts?.has(name) !== false);
  const all = [...settingsProblems, ...vault.problems, ...problems, ...matched.problems, ...limited.problems];
  const none = names.length === 0 ? [noHosts(pattern)] : [];
  const told = [...all, ...none];
  for (const problem of told) tell(problem);
  if (told.some((problem) => problem.severity === 'error')) return undefined;

  const redactor = new Redactor();
  for (const secret of [
    ...vault.passwords.map(({password}) => password),
    connection.password,
    connection.becomePassword,
    connection.passphrase,
  ])
    if (secret !== undefined) redactor.add(secret);
  const hosts: {name: string; target: Target; become: Become | undefined}[] = [];
  for (const name of names) {
    const scope = site.scopeAt(name);
    try {
      const become = becomeOf(undefined, undefined, scope, connection);
      if (become !== undefined && 'problem' in become) {
        tell({severity: 'error', code: 'bad-become', message: `${name}: ${become.problem}`});
        return undefined;
      }
      for (const secret of [become?.password]) if (secret !== undefined) redactor.add(secret);
      hosts.push({name, target: targetOf({name}, scope, connection), become});
    } catch (problem) {
      if (!(problem instanceof Unreachable)) throw problem;
      tell({
        severity: 'error',
        code: 'bad-variable',
        message: `${name}: ${problem.message}`,
        ...(problem.help === undefined ? {} : {help: problem.help}),
      });
      return undefined;
    }
  }
  const verbosity = Number(options['verbose'] ?? 0);
  return {
    hosts,
    site,
    forks: Math.max(1, Number(options['forks'] ?? settings.forks ?? 50)),
    redactor,
    timeoutMs: connection.timeoutMs,
    connector: {
      env,
      ...(settings.known_hosts === undefined ? {} : {knownHostsFiles: settings.known_hosts}),
      unknownHostKeys: options['acceptNewHostKeys'] === true ? 'accept' : 'refuse',
      trace: verbosity > 2,
      log: (level, message) => {
        if (verbosity >= level) process.stderr.write(`${redactor.redact(message)}\n`);
      },
    },
  };
}

/**
 * Does some work on every host of a pattern, so many at a time. undefined = nothing was attempted, and the exit status says so.
 * The answers come in inventory order. `begun` is called when everything is known to be in order and nothing has been attempted; `again` logs in once more.
 */
export async function onHosts<T>(
  pattern: string,
  options: Options,
  work: (
    connection: Connection,
    become: Become | undefined,
    signal: AbortSignal,
    host: string,
    again: () => Promise<Connection>,
  ) => Promise<T>,
  more: {readonly atExit?: string; readonly begun?: (set: HostSet) => void} = {},
): Promise<{answers: readonly Answer<T>[]; set: HostSet} | undefined> {
  try {
    const set = await hostsOf(pattern, options);
    if (set === undefined) return refused();
    const signal = interruptSignal();
    const accept = options['acceptNewHostKeys'] === true;
    const targets = set.hosts.map(({target}) => target);
    if (!(await confirmHostKeys(targets, set.connector, accept, process.stdout.isTTY, tell, signal))) return refused();
    const connector = makeConnector({
      ...set.connector,
      ...(more.atExit === undefined ? {} : {atExit: more.atExit}),
    });
    more.begun?.(set);
    const queue = new PQueue({concurrency: set.forks});
    const answers = await Promise.all(
      set.hosts.map(({name, target, become}) =>
        queue.add(async (): Promise<Answer<T>> => {
          signal.throwIfAborted();
          try {
            await using connection = await connector.connect(target, signal);
            const as = become?.user === connection.login.user ? undefined : become;
            return {
              host: name,
              is: 'answered',
              value: await work(connection, as, signal, name, () => connector.connect(target, signal)),
            };
          } catch (problem) {
            signal.throwIfAborted();
            return failure(name, problem, set.redactor);
          }
        }),
      ),
    );
    return {answers, set};
  } catch (problem) {
    if (isInterrupt(problem)) process.exitCode = exitStatus.interrupted;
    else if (problem instanceof NoTerminal) {
      tell(error('no-terminal', problem.message));
      process.exitCode = exitStatus.nothingAttempted;
    } else reportFault(problem);
    return undefined;
  }
}

/** Says what is wrong, on stderr, as a frame. */
export function tell(problem: Diagnostic): void {
  process.stderr.write(`${formatDiagnostic(problem, {color: process.stderr.isTTY})}\n\n`);
}

/** The exit status of answers: 2 = a host failed, 4 = a host was unreachable, or their sum. */
export function exitOf(answers: readonly Answer<unknown>[], isFailed: (host: string) => boolean = () => false): number {
  const failed = answers.some((answer) => answer.is === 'failed' || isFailed(answer.host));
  return (failed ? 2 : 0) + (answers.some((answer) => answer.is === 'unreachable') ? 4 : 0);
}

function noHosts(pattern: string): Diagnostic {
  return error('no-hosts', `no host matches "${pattern}"`, {help: 'see `tsplay inventory --graph`'});
}

function refused(): undefined {
  process.exitCode = exitStatus.nothingAttempted;
  return undefined;
}

function failure<T>(host: string, problem: unknown, redactor: Redactor): Answer<T> {
  const told = (is: 'unreachable' | 'failed', {message}: Error, help: string | undefined): Answer<T> => ({
    host,
    is,
    message: redactor.redact(message),
    help,
  });
  if (problem instanceof Unreachable) return told('unreachable', problem, problem.help);
  if (problem instanceof LinkLost) return told('unreachable', problem, 'the host may have carried out what was sent');
  if (problem instanceof BecomeFailed) return told('failed', problem, problem.help);
  if (problem instanceof ReadFailed || problem instanceof HostLocked) return told('failed', problem, undefined);
  throw problem;
}
