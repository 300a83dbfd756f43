import {randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import {homedir, hostname, userInfo} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';
import {error} from '../base/diagnostic.ts';
import type {HostSummary, RunOutcome, TaskResult} from '../engine/event.ts';
import {HostLocked} from '../engine/host-lock.ts';
import {putBack, type PutBackHost, type PutBackStep} from '../engine/put-back.ts';
import {decodeLock, lockFragment, releaseAtExit} from '../remote/lock.ts';
import type {Become, Connection, Fragment, Outcome} from '../remote/session.ts';
import type {RunRecorder} from '../store/history.ts';
import {History} from '../store/history.ts';
import {onHosts, type Options} from './on-hosts.ts';
import {exitStatus} from './exit-status.ts';
import {oneRun} from './history-command.ts';
import {beginRecorder, inputsOf, startOf} from './record-run.ts';
import {openReporting} from './reporting.ts';
import {readSettings} from './settings.ts';
import {makeStateFolder, stateFolder} from './state.ts';
import {list} from './vault-passwords.ts';

/**
 * `tsplay rollback RUN`: puts back, on the hosts of that run, the files, folders, links, modes, owners and units that it has replaced. Recorded as a run of its own,
 * which can be rolled back in its turn. Exit status as of `run`, with `--check` as of `check`.
 */
export async function rollbackCommand(word: string, options: Options, argv: readonly string[]): Promise<void> {
  const {env} = process;
  const check = options['check'] === true;
  const here = process.cwd();
  const {settings} = readSettings(here, env);
  const state = stateFolder(settings.state_dir, env, env['HOME'] ?? homedir());
  const history = new History(state);
  const reporting = openReporting(options, env, {
    mode: check ? 'check' : 'run',
    playbooks: [`rollback of ${word}`],
    command: argv,
  });
  try {
    const isWhole = /^\d{8}T\d{6}-[0-9a-f]{6}$/.test(word);
    const found = oneRun(history, word);
    // copies lie on the hosts: a run of another controller can be put back by its whole id, where the hosts are named
    const isElsewhere = 'severity' in found && isWhole && options['limit'] !== undefined;
    if ('severity' in found && !isElsewhere) {
      const help = isWhole ? 'if another controller made it, name its hosts with --limit' : found.help;
      reporting.refuseAll([{...found, ...(help === undefined ? {} : {help})}]);
      return;
    }
    const from = 'severity' in found ? word : found.id;
    const start = 'severity' in found ? undefined : history.read(from).start;
    const hosts = 'severity' in found ? ['all'] : history.hostsOf(from);
    if (start !== undefined && (start.mode === 'check' || start.mode === 'plan' || start.mode === 'exec')) {
      reporting.refuseAll([error('nothing-to-put-back', `run ${from} was a ${start.mode}: it has replaced nothing`)]);
      return;
    }
    if (start !== undefined && list(options['inventory']).length === 0 && existsSync(start.inputs.cwd))
      process.chdir(start.inputs.cwd);
    const inventory =
      list(options['inventory']).length > 0 ? list(options['inventory']) : (start?.inputs.inventories ?? []);
    makeStateFolder(state);
    const {info} = reporting;
    let recorder: RunRecorder | undefined;
    const emit = reporting.emitter((event) => recorder?.on(event));
    const began = performance.now();
    const given: Options = {become: true, ...options, ...(inventory.length > 0 ? {inventory} : {})};
    const done = await onHosts(
      hosts.join(','),
      given,
      async (connection, become, signal, host, again) => {
        const steps: PutBackStep[] = [];
        let keeps = false;
        for (const [i, account] of (become === undefined ? [undefined] : [become, undefined]).entries()) {
          const session = await connection.session(account);
          const exchange = (fragments: readonly Fragment[]): Promise<readonly Outcome[]> =>
            session.exchange(fragments, {signal});
          // one lock a host: the first account's, which is root's where there is one
          const lockPath =
            check || i > 0
              ? undefined
              : await locked(exchange, {
                  run: info.id,
                  steal: options['steal'] === true,
                  waitMs: Number(options['lockTimeout'] ?? settings.lock_timeout ?? 60) * 1000,
                });
          const target: PutBackHost = {exchange, lockPath, freshLogin: () => freshLogin(again, account)};
          const made = await putBack(target, {
            from,
            as: info.id,
            check,
            guardId: `${info.id}-${randomBytes(4).toString('hex')}`,
          });
          keeps ||= made !== undefined;
          steps.push(...(made ?? []));
        }
        const results = steps.map((step) => resultOf(host, step));
        for (const result of results) emit({event: 'task-finished', result});
        if (!keeps)
          emit({
            event: 'problem',
            diagnostic: {
              severity: 'warning',
              code: 'no-copies',
              message: `${host} keeps no copies of run ${from}: that run has replaced nothing there`,
            },
            at: undefined,
          });
        return results;
      },
      {
        atExit: releaseAtExit,
        begun: ({hosts: set}) => {
          reporting.redactor.add(
            ...set.flatMap(({target, become}) =>
              [target.password, target.passphrase, become?.password].filter((secret) => secret !== undefined),
            ),
          );
          if (!check) {
            recorder = beginRecorder(
              state,
              startOf(
                {...info, mode: 'rollback'},
                {inputs: {...inputsOf(options, inventory, here, reporting.hide), rollsBack: from}, modules: {}},
              ),
              reporting,
            );
            const begun = recorder;
            reporting.atFinish((exit) => begun.close(exit));
          }
          emit({event: 'run-started', run: info});
          emit({event: 'play-started', play: `rollback of ${from}`, hosts: set.map(({name}) => name), at: ''});
        },
      },
    );
    if (done === undefined) {
      if (recorder !== undefined) reporting.finish(Number(process.exitCode ?? exitStatus.fault));
      return;
    }
    const summaries: Record<string, HostSummary> = {};
    for (const answer of done.answers) {
      const results = answer.is === 'answered' ? answer.value : [];
      if (answer.is !== 'answered')
        emit(
          answer.is === 'unreachable'
            ? {event: 'host-unreachable', host: answer.host, message: answer.message, help: answer.help}
            : {event: 'problem', diagnostic: error('failed', `${answer.host}: ${answer.message}`), at: undefined},
        );
      const summary = summaryOf(results, answer.is, answer.is === 'answered' ? undefined : answer);
      summaries[answer.host] = summary;
      emit({event: 'host-finished', host: answer.host, summary});
    }
    const exit = exitOf(Object.values(summaries), check);
    const outcome: RunOutcome = {
      run: {...info, durationMs: Math.round(performance.now() - began), exit},
      hosts: summaries,
    };
    emit({event: 'run-finished', outcome});
    reporting.finish(exit);
  } catch (problem) {
    reporting.breakOff(problem);
  }
}

/** Takes the host's lock; waits for it as long as is allowed. *errors*: throws with who holds it. */
async function locked(
  exchange: (fragments: readonly Fragment[]) => Promise<readonly Outcome[]>,
  options: {readonly run: string; readonly steal: boolean; readonly waitMs: number},
): Promise<string> {
  const owner = `${userInfo().username}@${hostname()}`;
  const deadline = performance.now() + options.waitMs;
  for (;;) {
    const [outcome] = await exchange([lockFragment({run: options.run, owner, steal: options.steal})]);
    const lock = outcome?.ran === true ? decodeLock(outcome.reply) : undefined;
    if (lock?.lock === 'held') return lock.path;
    if (lock?.lock !== 'busy')
      throw new HostLocked(`the lock on the host could not be taken: ${lock?.message ?? 'it was not tried'}`);
    const {holder} = lock;
    if (performance.now() >= deadline)
      throw new HostLocked(
        holder === undefined
          ? 'another run holds the lock of this host'
          : `${holder.owner} works on this host since ${holder.since} (run ${holder.run})`,
      );
    await sleep(500);
  }
}

async function freshLogin(again: () => Promise<Connection>, become: Become | undefined): Promise<string | undefined> {
  try {
    await using connection = await again();
    const session = await connection.session(become);
    const [answer] = await session.exchange(
      [{shell: 'echo in', group: 0, onFailure: 'go-on', label: 'the fresh login', secret: false, timeoutMs: 10_000}],
      {signal: AbortSignal.timeout(20_000)},
    );
    return answer?.ran === true && answer.reply.exit === 0 ? undefined : 'the new shell did not answer';
  } catch (problem) {
    return problem instanceof Error ? problem.message : String(problem);
  }
}

function resultOf(host: string, {what, is, message, changes}: PutBackStep): TaskResult {
  return {
    host,
    play: 'rollback',
    task: what,
    module: 'rollback',
    at: what,
    status: is,
    item: null,
    changes,
    findings: [],
    pending: [],
    message,
    help: is === 'refused' ? 'it stays as it is; put it right by hand, or with a run' : undefined,
    command: undefined,
    everyRun: false,
    handler: false,
    noLog: false,
    durationMs: 0,
    notified: [],
    control: undefined,
  };
}

function summaryOf(
  results: readonly TaskResult[],
  is: 'answered' | 'unreachable' | 'failed',
  trouble: {readonly message: string; readonly help: string | undefined} | undefined,
): HostSummary {
  const count = (status: TaskResult['status']): number => results.filter((each) => each.status === status).length;
  const [changed, failed, refused] = [count('changed'), count('failed') + (is === 'failed' ? 1 : 0), count('refused')];
  return {
    status: is === 'unreachable' ? 'unreachable' : failed + refused > 0 ? 'failed' : changed > 0 ? 'changed' : 'ok',
    ok: count('ok'),
    changed,
    failed,
    skipped: count('skipped'),
    refused,
    unknown: 0,
    ignored: 0,
    roundTrips: 0,
    ...(trouble === undefined ? {} : {unreachable: {message: trouble.message, help: trouble.help}}),
  };
}

function exitOf(hosts: readonly HostSummary[], check: boolean): number {
  const any = (test: (host: HostSummary) => boolean): boolean => hosts.some(test);
  return (
    (any(({status}) => status === 'failed') ? 2 : 0) +
    (any(({status}) => status === 'unreachable') ? 4 : 0) +
    (check && any(({changed}) => changed > 0) ? 8 : 0)
  );
}
