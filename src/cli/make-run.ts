import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {hostname, userInfo} from 'node:os';
import {isAbsolute, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {actions} from '../actions/index.ts';
import {Secret} from '../base/secret.ts';
import type {RunContext} from '../engine/context.ts';
import {HostState} from '../engine/host.ts';
import type {Site} from '../playbook/site.ts';
import type {ConnectorOptions} from '../remote/connector.ts';
import type {Connector, Target} from '../remote/session.ts';
import type {RunInputs} from '../store/records.ts';
import type {VaultPassword} from '../secrets/vault.ts';
import {confirmHostKeys} from './host-keys.ts';
import {interruptSignal} from './interrupt.ts';
import type {Reporting} from './reporting.ts';
import type {Settings} from './settings.ts';
import {factCache, makeStateFolder, stateFolder} from './state.ts';
import {becomeOf, targetOf, type ConnectionOptions} from './targets.ts';
import {list} from './vault-passwords.ts';

/** A run that is ready to begin, but for its hosts. */
export type Run = Omit<RunContext, 'stateOf' | 'disturbances'>;

/**
 * Puts a run together from what the command line, the settings and the site say. The state folder is made where there is none; *errors*: StateUnusable.
 * `onEvent` hears every event before it is reported.
 */
export async function makeRun(
  parts: {
    readonly options: Readonly<Record<string, unknown>>;
    readonly settings: Settings;
    readonly connection: ConnectionOptions;
    readonly vaultPasswords: readonly VaultPassword[];
    readonly site: Site;
    readonly check: boolean;
    readonly reporting: Reporting;
    readonly home: string;
    readonly onEvent?: RunContext['emit'];
    /** the site's folder, where relative paths start; default: where the process is */
    readonly cwd?: string;
    /** default: Ctrl-C and SIGTERM */
    readonly signal?: AbortSignal;
    /** further inputs for the record of the run */
    readonly inputs?: Partial<RunInputs>;
    /** puts something between the run and its connections */
    readonly connections?: (connector: Connector) => Connector;
  },
  more?: Partial<Run>,
): Promise<{run: Run; connector: ConnectorOptions; state: string}> {
  const {options, settings, connection, site, reporting} = parts;
  const {redactor, verbosity} = reporting;
  const {env} = process;
  const cwd = parts.cwd ?? process.cwd();
  const [{makeConnector}, {releaseAtExit}, {CertificateMaker}, {recordRun}] = await Promise.all([
    import('../remote/connector.ts'),
    import('../remote/lock.ts'),
    import('../engine/content.ts'),
    import('./record-run.ts'),
  ]);
  for (const {password} of parts.vaultPasswords) redactor.add(password);
  for (const secret of [connection.password, connection.becomePassword, connection.passphrase])
    if (secret !== undefined) redactor.add(secret);
  const state = stateFolder(settings.state_dir, env, parts.home);
  makeStateFolder(state);
  const given = list(options['inventory']);
  const record = recordRun({
    state,
    options,
    settings,
    site,
    inventories: given.length > 0 ? given : (settings.inventory ?? ['inventory/']),
    reporting,
    cwd,
    ...(parts.inputs === undefined ? {} : {more: parts.inputs}),
  });
  const metrics = await openMetrics(options, settings, reporting);
  const emit = reporting.emitter((event) => {
    reporting.signs.on(event);
    metrics?.(event);
    record(event);
    parts.onEvent?.(event);
  });
  const signal = parts.signal ?? interruptSignal();
  const connector: ConnectorOptions = {
    env,
    ...(settings.known_hosts === undefined ? {} : {knownHostsFiles: settings.known_hosts}),
    unknownHostKeys: options['acceptNewHostKeys'] === true ? 'accept' : 'refuse',
    atExit: releaseAtExit,
    trace: verbosity > 2,
    log: (level, message) => {
      if (verbosity >= level) emit({event: 'message', host: undefined, text: redactor.redact(message)});
    },
  };
  const now = (): Date => new Date();
  const random = (bytes: number): Uint8Array => randomBytes(bytes);
  const maker = new CertificateMaker(now, random);
  const run: Run = {
    info: reporting.info,
    site,
    actions,
    connector: parts.connections?.(makeConnector(connector)) ?? makeConnector(connector),
    redactor,
    emit,
    now,
    random,
    signal,
    check: parts.check,
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
    lockTimeoutMs: Math.max(0, Number(options['lockTimeout'] ?? settings.lock_timeout ?? 60)) * 1000,
    forceHandlers: options['forceHandlers'] === true,
    owner: `${userInfo().username}@${hostname()}`,
    pause: (ms) => sleep(ms, undefined, {signal}),
    verbosity,
    signs: reporting.signs,
    ...more,
  };
  return {run, connector, state};
}

/** Looks the keys of the run's hosts up; false = unknown ones were not taken, and it has been said. */
export function confirmKeys(
  run: Run,
  connector: ConnectorOptions,
  reporting: Reporting,
  hosts?: ReadonlySet<string>,
): Promise<boolean> {
  const targets = targetsOf(run).filter(({host}) => hosts?.has(host) !== false);
  const interactive = reporting.isTerminal && reporting.form === 'pretty';
  return confirmHostKeys(
    targets,
    connector,
    connector.unknownHostKeys === 'accept',
    interactive,
    reporting.tell,
    run.signal,
  );
}

/** How every host of the run is reached, each once. */
function targetsOf(run: Run): readonly Target[] {
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

function absolute(path: string, cwd: string): string {
  return isAbsolute(path) ? path : join(cwd, path);
}

/** Where the run's numbers are wanted in a file: what listens to its events, and writes the file when it is over. */
async function openMetrics(
  options: Readonly<Record<string, unknown>>,
  settings: Settings,
  reporting: Reporting,
): Promise<RunContext['emit'] | undefined> {
  const path = options['metrics'] === undefined ? settings.metrics_file : String(options['metrics']);
  if (path === undefined) return undefined;
  const [{collectNumbers}, {writeMetrics}] = await Promise.all([
    import('../converge/metrics/collect.ts'),
    import('./metrics-file.ts'),
  ]);
  const {on, numbers} = collectNumbers();
  const file = absolute(path, process.cwd());
  reporting.atFinish((exit) => {
    const run = numbers(exit, Date.now());
    if (run === undefined) return;
    writeMetrics(file, run).catch((failure: unknown) => {
      const message = `the metrics could not be written: ${failure instanceof Error ? failure.message : String(failure)}`;
      reporting.tell({severity: 'warning', code: 'metrics', message});
    });
  });
  return on;
}
