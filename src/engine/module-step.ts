import {placeOf} from '../base/diagnostic.ts';
import {isMapping} from '../base/json.ts';
import type {NonEmpty} from '../base/nonempty.ts';
import {Unknown, findUnknown} from '../base/unknown.ts';
import type {Module} from '../kit/module.ts';
import {homesIn, withHomes} from '../catalog/home-paths.ts';
import {ModuleFault} from '../kit/module-fault.ts';
import type {Op} from '../kit/op.ts';
import type {Plan} from '../kit/plan.ts';
import {account} from '../kit/reads.ts';
import type {Probe} from '../kit/probe.ts';
import type {Node} from '../playbook/node.ts';
import type {Scope} from '../playbook/scope.ts';
import type {Become} from '../remote/session.ts';
import {applyBatch, applyWaiting} from './apply.ts';
import type {Batch} from './batch.ts';
import type {ActionOutcome} from './action.ts';
import type {TaskResult} from './event.ts';
import {isTrue, valueOr} from './known.ts';
import {planFor} from './plan-for.ts';
import {judgeMoves, type Judgement} from './plan-judge.ts';
import type {DecidedStep, PlannedStep} from './plan-part.ts';
import {predictOps} from './predict.ts';
import {outputDetails, verdictOf} from './verdict.ts';
import {foreseenReads, readForeseen} from './survey.ts';
import {compileReads} from '../remote/batch.ts';
import {HostState} from './host.ts';
import {refusedStep} from './host-moved.ts';
import {learnAll} from './learn.ts';
import {noteSecrets} from './note-secrets.ts';
import {suspectKeys} from './suspects.ts';
import type {HostRunner} from './runner.ts';
import {withLabel, type Step, type Ticket, type Verdict} from './step.ts';

/** Commands that have no limit of their own may take this long. */
const defaultTimeoutMs = 600_000;

/**
 * One step with a module or an action: parameters → values → probe → plan → queue. It stops as soon as something is wrong or unknown,
 * and in check mode before anything is queued.
 */
export class ModuleStep {
  readonly #runner: HostRunner;
  readonly #step: Step;
  readonly #scope: Scope;
  readonly #fill: (result: TaskResult | null) => void;
  /** the host where it happens: the task's own, unless it is delegated */
  #where: HostState;

  constructor(runner: HostRunner, step: Step, scope: Scope, fill: (result: TaskResult | null) => void) {
    this.#runner = runner;
    this.#step = step;
    this.#scope = scope;
    this.#fill = fill;
    this.#where = runner.host;
  }

  async take(): Promise<Ticket> {
    const {doing} = this.#step.task;
    switch (doing.do) {
      case 'action':
        return this.#action(doing.action);
      case 'module':
        try {
          return await this.#module(doing.module);
        } catch (problem) {
          if (!(problem instanceof ModuleFault)) throw problem;
          return this.#done({status: 'failed', message: problem.message, help: problem.help});
        }
      case 'missing':
        return this.#done({status: 'failed', message: `there is no module ${doing.name}`});
    }
  }

  /** In check mode: nobody can tell what this task will do, so whatever it may change is uncertain for those after it. */
  doubt(waitsFor: string, probe?: Probe<unknown>): void {
    const {task, name} = this.#step;
    if (!this.#runner.run.check || task.doing.do !== 'module') return;
    const params: unknown =
      task.params === undefined ? undefined : valueOr(this.#scope.evaluate(task.params), undefined);
    const cause = `task "${name}"`;
    const doubts = suspectKeys(params, probe);
    this.#where.world.predict(doubts.map((key) => ({key, value: new Unknown(cause), cause})));
    this.#note({does: 'later', cause: waitsFor, doubts});
  }

  #note(step: PlannedStep): void {
    this.#runner.run.plan?.note(this.#runner.host.name, this.#step.place, step);
  }

  #done(verdict: Verdict): Ticket {
    return {
      registered: this.#runner.conclude(this.#step, this.#scope, verdict, this.#fill).registered,
    };
  }

  async #action(name: string): Promise<Ticket> {
    const runner = this.#runner;
    const {run} = runner;
    const action = run.actions.get(name);
    if (action === undefined) throw new Error(`no action ${name}`);
    if (action.silent !== true && !(name === 'meta' && this.#step.task.params === undefined)) {
      await runner.settle();
      this.#scope.forget();
    }
    const planned = run.plan?.planned(runner.host.name, this.#step.place);
    const given = planned?.does === 'action' ? {values: planned.values} : await this.#parameters(action);
    if (!('values' in given)) return this.#done(given);
    if (findUnknown(given.values) === undefined) this.#note({does: 'action', action: name, values: given.values});
    const bound = run.site.bindAction(action, given.values);
    if (bound.bound === 'unknown' && action.unknowns !== true)
      return this.#done({status: 'unknown', message: `known only after ${bound.cause}`});
    if (bound.bound === 'problems')
      return this.#done({status: 'failed', message: bound.problems.map((p) => p.message).join('; ')});
    const context = {
      run,
      host: runner.host,
      runner,
      task: this.#step.task,
      scope: this.#scope,
      check: this.#checks(),
      params: this.#step.task.params,
      settle: () => runner.settle(),
      evaluate: (expression: Node) => runner.known(this.#scope, () => this.#scope.evaluateExpression(expression)),
      playHosts: runner.context.hosts,
      handler: this.#step.handler,
    };
    const outcome: ActionOutcome = await action.run(bound.bound === 'values' ? bound.values : given.values, context);
    return this.#done({
      status: outcome.status,
      message: outcome.message,
      ...(outcome.changes === undefined ? {} : {changes: outcome.changes}),
      ...(outcome.pending === undefined ? {} : {pending: outcome.pending}),
      details: outcome.result ?? {},
    });
  }

  async #module(module: Module): Promise<Ticket> {
    const runner = this.#runner;
    const {run} = runner;
    const planned = run.plan?.planned(runner.host.name, this.#step.place);
    // a further attempt of something with a state starts from what the last one left
    const afresh = planned?.does !== 'later' && this.#step.attempt > 1;
    if ((planned?.does === 'change' && (planned.everyRun || !afresh)) || planned?.does === 'nothing')
      return this.#asPlanned(module, planned);
    if (run.plan?.follow?.exact === true && !afresh)
      return this.#done({
        status: 'refused',
        message: 'it was not decided when the plan was made, and --exact allows nothing else',
      });
    const given = await this.#parameters(module);
    if (!('values' in given)) {
      if (given.status === 'unknown') this.doubt(given.message ?? 'something unknown');
      return this.#done(given);
    }
    const parameters = await this.#atHome(module, given.values);
    if (!('values' in parameters)) return this.#done(parameters);
    let bound = run.site.bind(module, parameters.values, run.site.resolverFor(this.#scope, this.#step.task));
    if (bound.bound !== 'values') {
      // a template file may wait for queued tasks, for facts, or for one of the rarer facts
      await runner.settle();
      await runner.connect();
      if (bound.bound === 'problems') await runner.widenFacts();
      this.#scope.forget();
      bound = run.site.bind(module, parameters.values, run.site.resolverFor(this.#scope, this.#step.task));
    }
    noteSecrets(run.redactor, bound);
    if (bound.bound === 'unknown') {
      this.doubt(bound.cause);
      return this.#done({status: 'unknown', message: `known only after ${bound.cause}`});
    }
    if (bound.bound === 'problems') {
      const [first] = bound.problems;
      return this.#done({
        status: 'failed',
        message: bound.problems.map((p) => p.message).join('; '),
        help: first?.help,
      });
    }
    const values = bound.values as never;
    const where = await this.#place();
    if (!(where instanceof HostState)) return this.#done(where);
    this.#where = where;
    const become = this.#become();
    if (become !== undefined && 'problem' in become) return this.#done({status: 'failed', message: become.problem});
    const account = become?.user ?? '';
    const probe = module.probe(values);

    const sight = await this.#see(become, account, probe);
    if (sight instanceof Unknown) {
      this.doubt(sight.cause, probe);
      return this.#done({status: 'unknown', message: `known only after ${sight.cause} has been applied`});
    }
    const {state} = sight;
    const plan = planFor(run, where, {become}, module, values, state);
    if (plan.kind === 'refuse') {
      return this.#done({
        status: 'refused',
        message: plan.problems.map((p) => p.message).join('; '),
        help: plan.problems.find((p) => p.help !== undefined)?.help,
        findings: [...plan.problems, ...(plan.findings ?? [])],
        pending: plan.pending ?? [],
      });
    }
    if (plan.kind === 'converged') {
      this.#note({does: 'nothing', ...this.#basis(module, bound.values, probe, account, plan)});
      this.#notePending(module, bound.values, probe, become, account, plan.pending ?? []);
      return this.#done({
        status: 'ok',
        findings: plan.findings ?? [],
        pending: plan.pending ?? [],
        details: module.result?.(values, state, state, []) ?? {},
      });
    }
    const ops = this.#opsOf(plan);
    return this.#change(module, bound.values, probe, state, {...plan, ops}, become, account);
  }

  /** Paths that begin at a home folder, written out: of the account that does the task, or of the one they name. */
  async #atHome(
    module: Module,
    values: Readonly<Record<string, unknown>>,
  ): Promise<{readonly values: Readonly<Record<string, unknown>>} | Verdict> {
    const accounts = homesIn(module.params, values);
    if (accounts.length === 0) return {values};
    await this.#runner.connect();
    const where = await this.#place();
    if (!(where instanceof HostState)) return where;
    this.#where = where;
    const become = this.#become();
    if (become !== undefined && 'problem' in become) return {status: 'failed', message: become.problem};
    const homes = new Map<string, unknown>();
    for (const spelled of accounts) {
      const name = spelled === '' ? (become?.user ?? where.login.user) : spelled;
      const sight = await this.#see(become, become?.user ?? '', account(name));
      if (sight instanceof Unknown) homes.set(spelled, sight);
      else if (sight.state.type === 'account') homes.set(spelled, sight.state.home);
      else return {status: 'failed', message: `there is no account ${name} whose home folder ~ could mean`};
    }
    return {values: withHomes(module.params, values, (account) => homes.get(account))};
  }

  /** What a plan of this step is made from. */
  #basis(
    module: Module,
    values: Readonly<Record<string, unknown>>,
    probe: Probe<unknown>,
    account: string,
    plan: Plan,
  ): Omit<DecidedStep, 'does' | 'ops' | 'changes' | 'everyRun'> {
    const {task, name, label} = this.#step;
    return {
      module: module.name,
      task: withLabel(name, label),
      play: this.#runner.run.site.program.plays.indexOf(this.#runner.context.play),
      at: placeOf(task.span),
      values,
      saw: this.#where.world.sawOf(account, probe),
      where: this.#where.name,
      account,
      findings: plan.findings ?? [],
      pending: plan.pending ?? [],
    };
  }

  /** A step that a saved plan decided: the host must be as the plan saw it, or already as the plan leaves it. */
  async #asPlanned(module: Module, planned: DecidedStep): Promise<Ticket> {
    const {run, host} = this.#runner;
    const where = await this.#place();
    if (!(where instanceof HostState)) return this.#done(where);
    this.#where = where;
    const become = this.#become();
    if (become !== undefined && 'problem' in become) return this.#done({status: 'failed', message: become.problem});
    const account = become?.user ?? '';
    const {values} = planned;
    noteSecrets(run.redactor, values);
    const probe = module.probe(values);
    const sight = await this.#see(become, account, probe);
    if (sight instanceof Unknown)
      return this.#done({status: 'refused', message: `what it was planned on is known only after ${sight.cause}`});
    const moves =
      where.name === planned.where
        ? where.world.movesOf(account, probe, planned.saw)
        : [`it was planned for ${planned.where}`];
    const now = planFor(run, where, {become}, module, values, sight.state);
    const isDone = run.plan?.follow?.isDone(where.name) === true;
    const judged: Judgement =
      isDone && !(planned.does === 'change' && planned.everyRun)
        ? {is: 'already'}
        : judgeMoves(planned, moves, now, run.plan?.follow?.wasCompared(host.name, this.#step.place) === true);
    if (judged.is === 'moved') {
      const result = refusedStep(host.name, this.#runner.context.play.name, planned, judged.reasons, 'make a new plan');
      const {message, help, findings} = result;
      return this.#done({status: 'refused', message, help, findings});
    }
    const {pending, findings} = planned;
    if (planned.does === 'change' && judged.is === 'as-planned') {
      const {changes, ops} = planned;
      return this.#change(
        module,
        values,
        probe,
        sight.state,
        {kind: 'change', changes, ops, pending, findings},
        become,
        account,
      );
    }
    this.#notePending(module, values, probe, become, account, pending);
    return this.#done({
      status: 'ok',
      findings,
      pending,
      ...(planned.does === 'change' ? {message: 'already as planned'} : {}),
      details: module.result?.(values, sight.state, sight.state, []) ?? {},
    });
  }

  async #change(
    module: Module,
    values: Readonly<Record<string, unknown>>,
    probe: Probe<unknown>,
    before: unknown,
    plan: Plan & {kind: 'change'},
    become: Become | undefined,
    account: string,
  ): Promise<Ticket> {
    const runner = this.#runner;
    const {run} = runner;
    const host = this.#where;
    const delegated = host !== runner.host;
    const typed = values as never;
    const everyRun = typeof module.everyRun === 'function' ? module.everyRun(typed) : module.everyRun === true;
    const cause = `task "${this.#step.name}"`;
    const predictions = predictOps(
      plan.ops,
      (key) => host.world.valueOf(account, key),
      cause,
      Math.floor(run.now().getTime() / 1000),
    );
    const said = {changes: plan.changes, findings: plan.findings ?? [], pending: plan.pending ?? []};
    const {changes, ops} = plan;
    this.#note({does: 'change', ...this.#basis(module, values, probe, account, plan), changes, ops, everyRun});

    if (this.#checks()) {
      // a single task that only checks (`check_mode: true` in a run) leaves nothing behind for those after it
      if (run.check && !(everyRun && this.#onlyReads())) host.world.predict(predictions);
      const after = host.world.see(account, probe);
      const state = after.sight === 'known' ? after.state : new Unknown(cause);
      const details = module.result?.(typed, before as never, state as never, []) ?? {};
      if (everyRun)
        return this.#done({
          status: 'unknown',
          ...said,
          everyRun: true,
          message: this.#wouldRun(),
          details: {...details, ...unknownOutput(details, cause)},
        });
      return this.#done({status: 'changed', ...said, details});
    }

    const guarded = plan.ops.some((op) => op.op === 'guarded');
    if (delegated || (host.batch !== undefined && (guarded || host.batch.account !== account))) await runner.settle();
    const batch: Batch = delegated
      ? {become, account, tasks: [], whenDone: []}
      : (host.batch ??= {become, account, tasks: [], whenDone: []});
    host.world.predict(predictions);
    const ticket: Ticket = {registered: undefined};
    const {keywords} = this.#step.task;
    const speculative =
      keywords.changedWhen === undefined && !delegated ? runner.notifies(this.#step.task, this.#scope) : [];
    for (const name of speculative) host.notified.add(name);
    batch.tasks.push({
      module,
      values,
      probe,
      ops,
      predictions,
      label: this.#step.name,
      tolerated:
        keywords.ignoreErrors !== undefined || keywords.failedWhen !== undefined || keywords.until !== undefined,
      loop: this.#step.loop,
      verifies: !everyRun,
      notifies: runner.notifies(this.#step.task, this.#scope),
      handles: runner.handling,
      timeoutMs: this.#timeoutMs(),
      finish: (applied) => {
        if (applied.applied === 'not-run') {
          ticket.registered = {changed: false, failed: false, skipped: true, skip_reason: 'an earlier task failed'};
          this.#fill(null);
          return;
        }
        const verdict = verdictOf(module, typed, before, plan, applied, everyRun, run.redactor);
        this.#notePending(module, values, probe, become, account, verdict.pending ?? []);
        // a handler that was started on the mere prospect of this change has run: it is not notified a second time
        const handled = speculative.filter((name) => !host.notified.has(name));
        ticket.registered = runner.conclude(this.#step, this.#scope, verdict, this.#fill).registered;
        for (const name of handled) host.notified.delete(name);
      },
    });
    if (affectsAnything(plan.ops)) {
      host.forgetsAfterBatch = true;
      // who knows what it does to others: a command may well log in there
      if (!this.#onlyReads()) run.disturbances.push(host.name);
      if (delegated) runner.host.isDoubted = true;
    }
    if (delegated) await applyBatch(run, host, batch, [], '');
    else if (guarded) await applyWaiting(run, host, [], '');
    return ticket;
  }

  #notePending(
    module: Module,
    values: Readonly<Record<string, unknown>>,
    probe: Probe<unknown>,
    become: Become | undefined,
    account: string,
    texts: readonly string[],
  ): void {
    if (texts.length > 0) this.#where.pendings.push({module, values, probe, become, account, texts});
  }

  /** What a probe gives now: known, or Unknown with the task it waits for. In a run what is unknown is applied and read. */
  async #see<T>(become: Become | undefined, account: string, probe: Probe<T>): Promise<{state: T} | Unknown> {
    const runner = this.#runner;
    if (this.#where !== runner.host) return this.#seeThere(become, account, probe);
    if (runner.host.isDoubted && probe.reads.length > 0) {
      await runner.settle();
      runner.host.isDoubted = false;
      runner.host.world.forgetReplies();
      await readForeseen(runner.run, runner.host);
    }
    if (runner.host.forgetsAfterBatch && probe.reads.length > 0) {
      await runner.settle([...foreseenReads(runner.run, runner.host, account), ...probe.reads], account);
    }
    for (let round = 0; round < 3; round++) {
      const sight = runner.host.world.see(account, probe);
      if (sight.sight === 'known') return sight;
      if (sight.sight === 'unknown') {
        if (runner.host.batch === undefined) return sight.cause;
        await runner.settle(probe.reads, account);
        continue;
      }
      await runner.read(become, account, sight.reads);
    }
    const last = runner.host.world.see(account, probe);
    if (last.sight === 'known') return last;
    throw new Error(`a read of ${this.#step.name} was made and is still not known`);
  }

  /** On a host that the task is delegated to: what it lacks is read at once. */
  async #seeThere<T>(become: Become | undefined, account: string, probe: Probe<T>): Promise<{state: T} | Unknown> {
    const {run} = this.#runner;
    const there = this.#where;
    await this.#runner.settle();
    // that host is at its own tasks meanwhile, which may make replies worthless while others are on their way
    for (let round = 0; round < 20; round++) {
      const sight = there.world.see(account, probe);
      if (sight.sight === 'known') return sight;
      if (sight.sight === 'unknown') return sight.cause;
      const batch = compileReads(sight.reads);
      learnAll(there, account, batch.decode(await there.exchange(become, batch.fragments, run.signal)));
    }
    throw new Error(`a read of ${this.#step.name} was made and is still not known`);
  }

  /** Where the task works: on its host, or on the one that `delegate_to` names. */
  async #place(): Promise<HostState | Verdict> {
    const runner = this.#runner;
    const {delegateTo} = this.#step.task.keywords;
    if (delegateTo === undefined) {
      await runner.connect();
      return runner.host;
    }
    const name = await runner.known(this.#scope, () => this.#scope.evaluate(delegateTo));
    if (name.is !== 'known') return runner.unable(name, 'delegate_to');
    if (name.value === runner.host.name || name.value === null || name.value === '') {
      await runner.connect();
      return runner.host;
    }
    return runner.delegate(String(name.value));
  }

  #become(): Become | undefined | {problem: string} {
    const {run, context} = this.#runner;
    const host = this.#where;
    // whose password and method count: those of the host where it happens
    const scope =
      host === this.#runner.host
        ? this.#scope
        : run.site.scopeFor(host.name, context.play, this.#step.task, host.memory);
    const become = run.becomeOf(this.#step.task, context.play, scope);
    if (become === undefined || 'problem' in become) return become;
    return become.user === host.login.user ? undefined : become;
  }

  async #parameters(spec: {
    readonly freeForm?: string;
    readonly expressions?: readonly string[];
  }): Promise<{values: Record<string, unknown>} | Verdict> {
    const {params} = this.#step.task;
    if (params === undefined) return {values: {}};
    const rendered = withoutExpressions(params, spec.expressions ?? []);
    const action = this.#step.task.doing.do === 'action';
    const answer = await this.#runner.known(this.#scope, () => this.#scope.evaluate(rendered));
    if (answer.is === 'wrong') return this.#runner.unable(answer, 'a parameter');
    const raw: unknown =
      answer.is === 'known' ? answer.value : action ? valueOr(this.#scope.evaluate(rendered), undefined) : answer.cause;
    if (raw instanceof Unknown && !action) return {status: 'unknown', message: `known only after ${raw.cause}`};
    if (raw === null || raw === undefined) return {values: {}};
    if (isMapping(raw)) {
      const unknown = action ? undefined : findUnknown(raw);
      return unknown === undefined ? {values: raw} : {status: 'unknown', message: `known only after ${unknown.cause}`};
    }
    return spec.freeForm === undefined ? {values: {}} : {values: {[spec.freeForm]: raw}};
  }

  #checks(): boolean {
    const {checkMode} = this.#step.task.keywords;
    const said = checkMode === undefined ? undefined : valueOr(this.#scope.evaluate(checkMode), undefined);
    return said === undefined || said === null ? this.#runner.run.check : isTrue(said);
  }

  #timeoutMs(): number {
    const {timeout} = this.#step.task.keywords;
    const seconds = timeout === undefined ? NaN : Number(valueOr(this.#scope.evaluate(timeout), NaN));
    return seconds > 0 ? seconds * 1000 : defaultTimeoutMs;
  }

  #opsOf(plan: Plan & {kind: 'change'}): NonEmpty<Op> {
    const environment = this.#environment();
    noteSecrets(this.#runner.run.redactor, environment);
    if (Object.keys(environment).length === 0) return plan.ops;
    const [first, ...rest] = plan.ops;
    const given = (op: Op): Op => (op.op === 'run' ? {...op, environment: {...environment, ...op.environment}} : op);
    return [given(first), ...rest.map(given)];
  }

  #environment(): Record<string, string> {
    const merged: Record<string, string> = {};
    for (const node of this.#step.task.keywords.environment) {
      const value = valueOr(this.#scope.evaluate(node), undefined);
      if (isMapping(value)) for (const [name, text] of Object.entries(value)) merged[name] = text as string;
    }
    return merged;
  }

  /** A command that its author says changes nothing. */
  #onlyReads(): boolean {
    const {changedWhen} = this.#step.task.keywords;
    return changedWhen?.length === 1 && changedWhen[0]?.kind === 'scalar' && changedWhen[0].value === false;
  }

  #wouldRun(): string {
    return this.#onlyReads()
      ? 'would run (it only reads: with `check_mode: false` it runs in check mode too)'
      : 'would run';
  }
}

function withoutExpressions(params: Node, names: readonly string[]): Node {
  return params.kind === 'map' && names.length > 0
    ? {...params, entries: params.entries.filter((e) => !names.includes(e.key))}
    : params;
}

/** A command that does not say what it affects may have changed anything. */
function affectsAnything(ops: readonly Op[]): boolean {
  return ops.some((op) => op.op === 'run' && op.affects === undefined);
}

/** In check mode a command that did not run has no output yet. */
function unknownOutput(details: Readonly<Record<string, unknown>>, cause: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(outputDetails)
      .filter((key) => key in details)
      .map((key) => [key, new Unknown(cause)]),
  );
}
