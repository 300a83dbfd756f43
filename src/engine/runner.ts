import {performance} from 'node:perf_hooks';
import {placeOf, type Diagnostic} from '../base/diagnostic.ts';
import {Unknown} from '../base/unknown.ts';
import type {Result} from '../base/result.ts';
import {ModuleFault} from '../kit/module-fault.ts';
import type {Read} from '../kit/reads.ts';
import type {Block, Include, Item, Play, Task} from '../playbook/program.ts';
import type {Node} from '../playbook/node.ts';
import {isImplicit} from '../playbook/select.ts';
import type {Scope} from '../playbook/scope.ts';
import {compileReads} from '../remote/batch.ts';
import {ReadFailed} from '../remote/read-fragment.ts';
import {HostLocked} from './host-lock.ts';
import {HostMoved, reportMoved} from './host-moved.ts';
import {eraseNotes} from './pending.ts';
import {BecomeFailed, LinkLost, Unreachable} from '../remote/errors.ts';
import type {Become} from '../remote/session.ts';
import {applyWaiting} from './apply.ts';
import {learnAll} from './learn.ts';
import type {RunContext} from './context.ts';
import type {TaskResult} from './event.ts';
import type {HostState} from './host.ts';
import {isTrue, known, valueOr, type Known} from './known.ts';
import {loopElements} from './loop.ts';
import {ModuleStep} from './module-step.ts';
import {learnFacts} from './learn-facts.ts';
import {registeredLoop, registeredOf, type Registered} from './registered.ts';
import {resultOf, withLabel, type Step, type Ticket, type Verdict} from './step.ts';
import {Place} from './place.ts';
import {Slots} from './slots.ts';
import {hasAllFacts, readAllFacts, survey} from './survey.ts';

/** A task failed on this host and nothing tolerates it; caught by the nearest rescue, else it ends the host's run. */
export class TaskFailed extends Error {
  override readonly name = 'TaskFailed';
  readonly result: TaskResult;
  readonly registered: Registered;

  constructor(result: TaskResult, registered: Registered) {
    super(result.message ?? 'failed');
    this.result = result;
    this.registered = registered;
  }
}

/** What hosts of one play share. */
export type PlayContext = {
  readonly play: Play;
  readonly hosts: readonly string[];
  /** answers of `run_once` tasks, by the first host that came to them */
  readonly once: Map<Task, Promise<Registered | undefined>>;
};

/** `meta: end_host` and the like: ends the play for this host, without a failure. */
export class EndPlay extends Error {
  override readonly name = 'EndPlay';
}

/** Runs the items of one play on one host, in order. */
export class HostRunner {
  readonly run: RunContext;
  readonly host: HostState;
  readonly context: PlayContext;
  /** names of the notified handlers whose tasks run now */
  handling: readonly string[] = [];
  readonly #slots: Slots<TaskResult | null>;
  readonly #place: Place;
  #failure: TaskFailed | undefined;
  /** blocks with a `rescue` around the task that runs now */
  #rescuers = 0;

  constructor(run: RunContext, host: HostState, context: PlayContext) {
    this.run = run;
    this.host = host;
    this.context = context;
    this.#place = new Place(run.site.program.plays.indexOf(context.play));
    this.#slots = new Slots((result) => {
      if (result !== null) host.report(result);
    });
  }

  /** Runs items and applies what they queued. *errors*: none; a failure or a lost link is noted in the host's state. */
  async items(items: readonly Item[]): Promise<void> {
    try {
      this.run.plan?.follow?.admit(this.host.name);
      for (const item of items) await this.item(item, false);
      await this.settle();
    } catch (error) {
      await this.#end(error);
    } finally {
      this.#slots.drain();
    }
  }

  /** Runs the notified handlers, in the order in which they are defined, until none is left. */
  async flushHandlers(): Promise<void> {
    const {notified, recalled, unneeded} = this.host;
    // whether a task with `changed_when` notifies is known only once it has run
    if (this.host.batch?.tasks.some((task) => task.notifies.some((name) => !notified.has(name))) === true)
      await this.settle();
    const handled = new Set([...unneeded].filter((name) => !notified.has(name)));
    unneeded.clear();
    for (const handler of recalled.size > 0 ? this.context.play.handlers : []) {
      for (const name of this.#handlerNames(handler)) if (recalled.delete(name)) notified.add(name);
    }
    this.#place.flush();
    for (let rounds = 0; notified.size > 0 && rounds < 100; rounds++) {
      const before = notified.size;
      let ran = false;
      for (const handler of this.context.play.handlers) {
        const names = this.#handlerNames(handler);
        const mine = names.filter((name) => notified.has(name));
        if (mine.length === 0) continue;
        for (const name of mine) notified.delete(name);
        ran = true;
        this.handling = mine;
        await this.#place.within(`flush${this.#place.flushes}.${rounds}`, () => this.item(handler, true));
        this.handling = [];
        for (const name of mine) handled.add(name);
      }
      if (!ran && notified.size === before) notified.clear();
    }
    await this.#eraseNotes(handled);
  }

  /** Handlers that had nothing to do were run too: their notes on the host go. Those with ops took theirs along. */
  async #eraseNotes(handled: ReadonlySet<string>): Promise<void> {
    if (this.run.check || handled.size === 0 || ![...handled].some((name) => this.host.noted.has(name))) return;
    await this.settle();
    const left = eraseNotes(this.host, [...handled], 0);
    if (left.length === 0) return;
    for (const name of handled) this.host.noted.delete(name);
    const become = this.run.becomeOf(undefined, this.context.play, this.scope(undefined));
    const usable =
      become === undefined || 'problem' in become || become.user === this.host.login.user ? undefined : become;
    await this.host.exchange(usable, left, this.run.signal);
  }

  async item(item: Item, handler: boolean): Promise<void> {
    this.run.signal.throwIfAborted();
    if (item.item === 'task') await this.#task(item, handler);
    else if (item.item === 'block') await this.#block(item, handler);
    else await this.#include(item, handler);
  }

  /** Applies what waits. *errors*: TaskFailed when a task of the batch failed. */
  async settle(further: readonly Read[] = [], account = ''): Promise<void> {
    if (this.host.batch !== undefined) await applyWaiting(this.run, this.host, further, account);
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      throw failure;
    }
  }

  /** Evaluates; where the answer waits for queued tasks or for facts, those come first. */
  async known<T>(scope: Scope, evaluation: () => Result<T>): Promise<Known<T>> {
    const evaluate = (): Result<T> => {
      const began = performance.now();
      const result = evaluation();
      this.host.planningMs += performance.now() - began;
      return result;
    };
    let answer = known(evaluate());
    if (answer.is !== 'known' && this.host.batch !== undefined) {
      await this.settle();
      scope.forget();
      answer = known(evaluate());
    }
    if (answer.is !== 'known' && !this.host.factsKnown) {
      await this.connect();
      scope.forget();
      answer = known(evaluate());
    }
    if (answer.is === 'wrong' && (await this.widenFacts())) {
      scope.forget();
      answer = known(evaluate());
    }
    return answer;
  }

  /** Makes the first exchange if it has not been made: facts, lock and every read that is known already. */
  async connect(): Promise<void> {
    if (this.host.surveyed) return;
    const from = performance.now();
    try {
      await survey(this.run, this.host, this.context);
    } finally {
      this.host.looked = {from, to: performance.now()};
    }
  }

  /** Something was not defined: perhaps it is one of the facts that are read only when asked for. True where they have just been read. */
  async widenFacts(): Promise<boolean> {
    if (!this.host.factsKnown || hasAllFacts(this.host.memory.facts)) return false;
    await this.settle();
    await readAllFacts(this.run, this.host);
    return true;
  }

  /** The host that `delegate_to` names, connected. Its own variables say how it is reached; the task's variables stay this host's. */
  async delegate(name: string): Promise<HostState> {
    const other = this.run.stateOf(name);
    if (!other.surveyed) await survey(this.run, other, this.context);
    return other;
  }

  scope(task: Task | undefined): Scope {
    return this.run.site.scopeFor(this.host.name, this.context.play, task, this.host.memory);
  }

  /** Reads what a probe lacks, together with what waits in the batch where both are one account's. */
  async read(become: Become | undefined, account: string, reads: readonly Read[]): Promise<void> {
    if (this.host.batch?.account === account) {
      await this.settle(reads, account);
      return;
    }
    await this.settle();
    const {fragments, decode} = compileReads(reads);
    learnAll(this.host, account, decode(await this.host.exchange(become, fragments, this.run.signal)));
  }

  /** Puts a step's verdict into its place, registers and notifies. Gives the registered form. */
  conclude(
    step: Step,
    scope: Scope,
    verdict: Verdict,
    fill: (result: TaskResult | null) => void,
  ): {registered: Registered | Unknown; result: TaskResult} {
    const {task} = step;
    const {keywords} = task;
    let judged = verdict;
    const wants = verdict.status === 'changed' || verdict.status === 'ok' || verdict.status === 'failed';
    let registered = registeredOf(judged.status, judged.message, judged.details ?? {});
    if (wants && (keywords.failedWhen !== undefined || keywords.changedWhen !== undefined)) {
      judged = this.#override(step, scope, judged, registered);
      registered = registeredOf(judged.status, judged.message, judged.details ?? {});
    }
    const tolerant =
      judged.status === 'failed' || judged.status === 'refused'
        ? this.#truth(scope, keywords.ignoreErrors) || this.#onlyJudges(task)
        : false;
    if (tolerant) judged = {...judged, status: 'ignored'};
    const notified =
      judged.status === 'changed' || (judged.status === 'unknown' && judged.everyRun === true)
        ? this.notifies(task, scope).filter(() => !(judged.status === 'unknown' && neverChanges(task)))
        : [];
    for (const name of notified) this.host.notified.add(name);
    // it was noted on the host in case of a change, and there was none
    if (keywords.changedWhen !== undefined && judged.status === 'ok')
      for (const name of this.notifies(task, scope)) this.host.unneeded.add(name);
    const noLog = this.#truth(scope, keywords.noLog);
    const result = resultOf(step, this.host.name, this.context.play.name, placeOf(task.span), judged, {
      noLog,
      notified,
      durationMs: Math.round(verdict.spentMs ?? this.#spentMs(step.began)),
      control: keywords.control === undefined ? undefined : valueOr(scope.evaluate(keywords.control), undefined),
    });
    fill(result);
    if (judged.status === 'failed' || judged.status === 'refused') this.#failure ??= new TaskFailed(result, registered);
    // What could not be planned has no predicted result: whatever asks for it waits for the same thing.
    const waits = judged.status === 'unknown' && judged.everyRun !== true;
    return {
      registered: waits
        ? new Unknown(judged.message?.replace(/^known only after /, '') ?? `task "${step.name}"`)
        : registered,
      result,
    };
  }

  /**
   * A failed assertion under a control is what a check wants to know: the host goes on to its next control. Where a `rescue` waits for the failure,
   * or in a run, it is a failure like any other.
   */
  #onlyJudges(task: Task): boolean {
    if (!this.run.check || task.keywords.control === undefined || this.#rescuers > 0) return false;
    return task.doing.do === 'action' && (task.doing.action === 'assert' || task.doing.action === 'fail');
  }

  /** Since a step began; the host's first exchange serves all of them and is not counted. */
  #spentMs(began: number): number {
    const {looked} = this.host;
    const first = looked !== undefined && looked.from >= began ? looked.to - looked.from : 0;
    return performance.now() - began - first;
  }

  /** Names that a change of this task notifies. */
  notifies(task: Task, scope: Scope): readonly string[] {
    if (task.keywords.notify === undefined) return [];
    const names = valueOr(scope.evaluate(task.keywords.notify), undefined);
    return (Array.isArray(names) ? names : [names]).filter((name): name is string => typeof name === 'string');
  }

  async #task(task: Task, handler: boolean): Promise<void> {
    if (isImplicit(task)) {
      await this.flushHandlers();
      return;
    }
    if (!handler && !this.run.site.isSelected(task)) return;
    const {keywords} = task;
    if (keywords.runOnce !== undefined && this.#truth(this.scope(task), keywords.runOnce)) {
      await this.#taskOnce(task, handler);
      return;
    }
    await this.#taskHere(task, handler);
  }

  /** The first host that comes here does it; the others wait and take over what it registered. */
  async #taskOnce(task: Task, handler: boolean): Promise<void> {
    const owner = this.run.plan?.once(this.host.name, this.#place.of(task.span), this.context.hosts);
    // as planned, also where another host comes here first
    while (owner !== undefined && owner !== this.host.name && !this.context.once.has(task)) {
      if (this.context.hosts.includes(owner) && this.run.stateOf(owner).stopped === undefined) await this.run.pause(20);
      else throw new HostMoved([], {message: `a task that runs once was planned for ${owner}, which does not do it`});
    }
    const earlier = this.context.once.get(task);
    const name = task.keywords.register;
    if (earlier !== undefined) {
      const registered = await earlier;
      if (name !== undefined && registered !== undefined) this.host.memory.registered.set(name, registered);
      return;
    }
    const {promise, resolve} = Promise.withResolvers<Registered | undefined>();
    this.context.once.set(task, promise);
    try {
      await this.#taskHere(task, handler);
      await this.settle();
    } finally {
      resolve(name === undefined ? undefined : (this.host.memory.registered.get(name) as Registered | undefined));
    }
  }

  async #taskHere(task: Task, handler: boolean): Promise<void> {
    const {keywords} = task;
    const scope = this.scope(task);
    if (keywords.loop === undefined) {
      const ticket = await this.#retried(task, scope, undefined, null, handler);
      this.#register(task, [ticket], (tickets) => tickets[0]!.registered!);
    } else {
      const loop = keywords.loop;
      if (await this.#isOver(this.#place.of(task.span))) {
        this.#conclude(task, scope, handler, doneBefore);
        return;
      }
      const elements = await this.#decided(task, 'loop', () => this.known(scope, () => loopElements(loop, scope)));
      if (elements.is === 'known') {
        const tickets: Ticket[] = [];
        for (const [i, element] of elements.value.entries())
          tickets.push(
            await this.#retried(task, scope.with(element.variables), element.item, element.label, handler, i),
          );
        if (elements.value.length === 0)
          this.#conclude(task, scope, handler, {status: 'skipped', message: 'the loop has no elements'});
        const items = elements.value.map(({item}) => item);
        this.#register(task, tickets, (done) =>
          registeredLoop(
            done.map((t) => t.registered!),
            items,
            loop.loopVar,
          ),
        );
      } else {
        const when = await this.#condition(task, scope);
        const ticket = this.#conclude(
          task,
          scope,
          handler,
          when.is === 'known' && !when.value
            ? {status: 'skipped', message: 'condition is false'}
            : this.unable(elements, 'the loop'),
        );
        this.#register(task, [ticket], (tickets) => tickets[0]!.registered!);
      }
    }
    // whoever is asked about each task wants to see what came of the last one
    if (this.#judgesNow(task) || this.run.confirm !== undefined) await this.settle();
    else if (this.#failure !== undefined) await this.settle();
  }

  /** Tasks whose outcome decides what comes next are applied at once. */
  #judgesNow(task: Task): boolean {
    const {keywords} = task;
    return (
      keywords.failedWhen !== undefined ||
      keywords.ignoreErrors !== undefined ||
      keywords.delegateTo !== undefined ||
      keywords.until !== undefined
    );
  }

  #conclude(task: Task, scope: Scope, handler: boolean, verdict: Verdict): Ticket {
    const step: Step = {
      task,
      item: undefined,
      label: null,
      name: this.nameOf(task, scope),
      handler,
      began: performance.now(),
      place: this.#place.of(task.span),
      attempt: 1,
    };
    return {registered: this.conclude(step, scope, verdict, this.#slots.take()).registered};
  }

  /** Sets the registered variable: at once, or when the last ticket is known. Until then it is Unknown, and using it applies the batch. */
  #register(
    task: Task,
    tickets: readonly Ticket[],
    combine: (tickets: readonly Ticket[]) => Registered | Unknown,
  ): void {
    learnFacts(task, tickets, this.host.memory);
    const name = task.keywords.register;
    if (task.doing.do === 'module' && task.doing.module.facts !== undefined)
      this.host.batch?.whenDone.push(() => learnFacts(task, tickets, this.host.memory));
    if (name === undefined) return;
    const {registered, setFacts} = this.host.memory;
    setFacts.delete(name);
    const settled = (): boolean => tickets.every((t) => t.registered !== undefined);
    if (settled()) {
      registered.set(name, combine(tickets));
      return;
    }
    registered.set(name, new Unknown(`task "${this.nameOf(task, this.scope(task))}"`));
    this.host.batch?.whenDone.push(() => {
      if (settled()) registered.set(name, combine(tickets));
    });
  }

  /** One element, repeated while `until` is false. */
  async #retried(
    task: Task,
    scope: Scope,
    item: unknown,
    label: unknown,
    handler: boolean,
    index?: number,
  ): Promise<Ticket> {
    const {until} = task.keywords;
    const place = this.#place.of(task.span, index);
    if (until === undefined || this.run.check)
      return this.#step(task, scope, item, label, handler, place, this.#slots.take());
    const retries = Number(
      valueOr(task.keywords.retries === undefined ? undefined : scope.evaluate(task.keywords.retries), 3),
    );
    const delayS = Number(
      valueOr(task.keywords.delay === undefined ? undefined : scope.evaluate(task.keywords.delay), 5),
    );
    const fill = this.#slots.take();
    for (let attempt = 1; ; attempt++) {
      const told: {result: TaskResult | null} = {result: null};
      const failureBefore = this.#failure;
      const ticket = await this.#step(
        task,
        scope,
        item,
        label,
        handler,
        place,
        (result) => (told.result = result),
        attempt,
      );
      await applyWaiting(this.run, this.host, [], '');
      const answer = ticket.registered;
      const registered: Registered = {...(answer instanceof Unknown ? {} : answer), attempts: attempt};
      const inner = scope.with(task.keywords.register === undefined ? {} : {[task.keywords.register]: registered});
      const reached =
        told.result?.status === 'skipped' ||
        until.every((condition) => isTrue(valueOr(inner.evaluateExpression(condition), false)));
      if (reached || attempt > retries) {
        // Ansible counts the tries after the first one here
        const gaveUp: Registered = {...registered, failed: true, attempts: retries};
        if (!reached && told.result !== null) {
          const tolerant = this.#truth(scope, task.keywords.ignoreErrors);
          const result: TaskResult = {
            ...told.result,
            status: tolerant ? 'ignored' : 'failed',
            message: `the condition of \`until\` was still false after ${attempt} attempts`,
          };
          this.#failure = tolerant ? failureBefore : new TaskFailed(result, gaveUp);
          told.result = result;
        } else if (reached) this.#failure = failureBefore;
        fill(told.result);
        return {registered: reached ? registered : gaveUp};
      }
      this.#failure = failureBefore;
      await this.run.pause(delayS * 1000);
      this.host.world.forgetAll();
    }
  }

  async #step(
    task: Task,
    scope: Scope,
    item: unknown,
    label: unknown,
    handler: boolean,
    place: string,
    fill: (result: TaskResult | null) => void,
    attempt = 1,
  ): Promise<Ticket> {
    const name = this.nameOf(task, scope);
    const step: Step = {task, item, label, name, handler, began: performance.now(), place, attempt};
    const done = (verdict: Verdict): Ticket => ({
      registered: this.conclude(step, scope, verdict, fill).registered,
    });
    if (await this.#isOver(place)) return done(doneBefore);
    const choice = {leftOut: false};
    const when = await this.#planned(place, 'when', async () => {
      const answer = await this.#condition(task, scope);
      if (answer.is !== 'known' || !answer.value) return answer;
      choice.leftOut = (await this.run.confirm?.(withLabel(name, label), this.host.name)) === false;
      return {...answer, value: !choice.leftOut};
    });
    if (when.is === 'known' && !when.value)
      return done({
        status: 'skipped',
        message: choice.leftOut ? 'left out, as you said' : 'condition is false',
        details: {skip_reason: choice.leftOut ? 'left out' : 'Conditional result was False'},
      });
    if (when.is === 'unknown') {
      new ModuleStep(this, step, scope, fill).doubt(when.cause.cause);
      return done({status: 'unknown', message: `may change: its condition is known only after ${when.cause.cause}`});
    }
    if (when.is === 'wrong') return done(this.unable(when, 'the condition'));
    this.run.emit({
      event: 'task-started',
      host: this.host.name,
      play: this.context.play.name,
      task: step.name,
      at: placeOf(task.span),
    });
    return new ModuleStep(this, step, scope, fill).take();
  }

  async #condition(task: Task, scope: Scope): Promise<Known<boolean>> {
    for (const condition of task.keywords.when) {
      const answer = await this.known(scope, () => scope.evaluateExpression(condition));
      if (answer.is !== 'known') return answer;
      if (!isTrue(answer.value)) return {is: 'known', value: false};
    }
    return {is: 'known', value: true};
  }

  /** What decides which steps there are: a saved plan notes it, and says it when it is applied. */
  #planned<T>(place: string, what: string, evaluate: () => Promise<Known<T>>): Promise<Known<T>> {
    const {plan} = this.run;
    if (plan === undefined) return evaluate();
    return plan.evaluation(this.host.name, `${place} ${what}`, evaluate);
  }

  /** Whether a saved plan was applied here before, this step with it. */
  async #isOver(place: string): Promise<boolean> {
    const follow = this.run.plan?.follow;
    if (follow === undefined) return false;
    await this.connect();
    return follow.skips(this.host.name, place);
  }

  #decided<T>(item: Task | Include, what: string, evaluate: () => Promise<Known<T>>): Promise<Known<T>> {
    return this.#planned(this.#place.of(item.span), what, evaluate);
  }

  /** A verdict for what could not be evaluated. */
  unable(answer: Known<unknown>, what: string): Verdict {
    if (answer.is === 'unknown')
      return {status: 'unknown', message: `${what} is known only after ${answer.cause.cause}`};
    if (answer.is === 'wrong')
      return {status: 'failed', message: answer.problems.map(sentence).join('; '), help: answer.problems[0].help};
    throw new Error('a known value is no obstacle');
  }

  nameOf(task: Task, scope: Scope): string {
    const given = task.name === undefined ? undefined : valueOr(scope.evaluate(task.name), undefined);
    if (given === undefined || given === null || given === '') return task.spelled;
    return given instanceof Unknown ? task.spelled : String(given);
  }

  #override(step: Step, scope: Scope, verdict: Verdict, registered: Registered): Verdict {
    const {keywords} = step.task;
    const inner =
      keywords.register === undefined ? scope.with(registered) : scope.with({[keywords.register]: registered});
    let {status, message} = verdict;
    if (keywords.changedWhen !== undefined && status !== 'failed') {
      const answer = conditions(inner, keywords.changedWhen);
      if (answer.is === 'wrong') return {...verdict, ...this.unable(answer, 'changed_when')};
      if (answer.is === 'known') status = answer.value ? 'changed' : 'ok';
    }
    if (keywords.failedWhen !== undefined) {
      const answer = conditions(inner, keywords.failedWhen);
      if (answer.is === 'wrong') return {...verdict, ...this.unable(answer, 'failed_when')};
      if (answer.is === 'known' && answer.value)
        return {...verdict, status: 'failed', message: message ?? 'the condition of `failed_when` is true'};
      if (answer.is === 'known' && status === 'failed') {
        status = 'changed';
        message = undefined;
        if (keywords.changedWhen !== undefined) {
          const changed = conditions(inner, keywords.changedWhen);
          if (changed.is === 'known') status = changed.value ? 'changed' : 'ok';
        }
      }
    }
    return {...verdict, status, message};
  }

  #truth(scope: Scope, node: Node | undefined): boolean {
    return node !== undefined && isTrue(valueOr(scope.evaluate(node), false));
  }

  async #block(block: Block, handler: boolean): Promise<void> {
    const guards = block.rescue.length > 0 || block.always.length > 0;
    if (!guards) {
      for (const item of block.block) await this.item(item, handler);
      return;
    }
    await this.settle();
    try {
      const rescuers = block.rescue.length > 0 ? 1 : 0;
      try {
        this.#rescuers += rescuers;
        try {
          for (const item of block.block) await this.item(item, handler);
          await this.settle();
        } finally {
          this.#rescuers -= rescuers;
        }
      } catch (error) {
        if (block.rescue.length === 0 || !(error instanceof TaskFailed)) throw error;
        this.host.memory.registered.set('ansible_failed_task', {name: error.result.task, action: error.result.module});
        this.host.memory.registered.set('ansible_failed_result', error.registered);
        this.#rescued(error);
        for (const item of block.rescue) await this.item(item, handler);
        await this.settle();
      }
    } finally {
      if (this.host.stopped === undefined) {
        for (const item of block.always) await this.item(item, handler);
        await this.settle();
      }
    }
  }

  /** A rescued failure does not count against the host. */
  #rescued(failure: TaskFailed): void {
    const {tally} = this.host;
    if (failure.result.status === 'refused') tally.refused--;
    else tally.failed--;
    tally.ignored++;
    this.run.emit({event: 'message', host: this.host.name, text: `rescued: ${failure.result.task}`});
  }

  async #include(include: Include, handler: boolean): Promise<void> {
    if (!this.run.site.isSelected(include) && include.keywords.tags.length > 0) return;
    const pseudo: Task = {
      item: 'task',
      name: include.name,
      span: include.span,
      spelled: `include_${include.what}`,
      doing: {do: 'action', action: `include_${include.what}`},
      params: undefined,
      keywords: include.keywords,
      role: include.role,
      vars: include.vars,
      folder: include.folder,
    };
    const scope = this.scope(pseudo);
    const loop = include.keywords.loop;
    const elements =
      loop === undefined
        ? undefined
        : await this.#decided(include, 'loop', () => this.known(scope, () => loopElements(loop, scope)));
    const rounds = elements === undefined ? [{variables: {}}] : elements.is === 'known' ? elements.value : undefined;
    if (rounds === undefined) {
      const when = await this.#condition(pseudo, scope);
      if (when.is === 'known' && !when.value) return;
      this.#conclude(pseudo, scope, handler, this.unable(elements!, 'the loop'));
      await this.settle();
      return;
    }
    for (const [i, round] of rounds.entries()) {
      const inner = scope.with(round.variables);
      const place = this.#place.of(include.span, i);
      if (await this.#isOver(place)) continue;
      const when = await this.#planned(place, 'when', () => this.#condition(pseudo, inner));
      if (when.is === 'known' && !when.value) continue;
      const file = await this.#planned(place, 'file', () => this.known(inner, () => inner.evaluate(include.file)));
      if (when.is !== 'known' || file.is !== 'known') {
        this.#conclude(pseudo, inner, handler, this.unable(when.is !== 'known' ? when : file, 'the included file'));
        await this.settle();
        continue;
      }
      const loaded = include.load(String(file.value));
      if (!loaded.ok) {
        this.#conclude(pseudo, inner, handler, {status: 'failed', message: loaded.problems.map(sentence).join('; ')});
        await this.settle();
        continue;
      }
      const before = new Map(
        Object.entries(round.variables).map(([name]) => [name, this.host.memory.setFacts.get(name)]),
      );
      for (const [name, value] of Object.entries(round.variables)) this.host.memory.setFacts.set(name, value);
      await this.#place.within(place, async () => {
        for (const item of loaded.value) await this.item(item, handler);
      });
      for (const [name, value] of before) {
        if (value === undefined) this.host.memory.setFacts.delete(name);
        else this.host.memory.setFacts.set(name, value);
      }
    }
  }

  #handlerNames(handler: Item): readonly string[] {
    if (handler.item === 'include') return [];
    const scope = this.run.site.scopeFor(
      this.host.name,
      this.context.play,
      handler.item === 'task' ? handler : undefined,
      this.host.memory,
    );
    const own = handler.name === undefined ? [] : [String(valueOr(scope.evaluate(handler.name), ''))];
    const role = handler.role === undefined ? [] : own.map((name) => `${handler.role!.name} : ${name}`);
    const inner = handler.item === 'block' ? handler.block.flatMap((item) => [...this.#handlerNames(item)]) : [];
    return [...own, ...role, ...handler.keywords.listen, ...inner];
  }

  async #end(error: unknown): Promise<void> {
    const {host} = this;
    if (error instanceof EndPlay) {
      if (host.batch !== undefined) await applyWaiting(this.run, host, [], '');
      return;
    }
    host.batch = undefined;
    if (error instanceof HostMoved) {
      host.stopped = 'failed';
      reportMoved(this.run, host, this.context.play, error);
      return;
    }
    if (error instanceof TaskFailed) {
      host.stopped = 'failed';
      return;
    }
    if (error instanceof Unreachable || error instanceof LinkLost) {
      host.stopped = 'unreachable';
      const {message} = error;
      const help =
        error instanceof Unreachable ? error.help : 'the host may have carried out what was sent; run check to see';
      host.unreachable = {message: this.run.redactor.redact(message), help};
      this.run.emit({event: 'host-unreachable', host: host.name, ...host.unreachable});
      return;
    }
    if (error instanceof HostLocked || error instanceof ReadFailed || error instanceof ModuleFault) {
      host.stopped = 'failed';
      host.tally.failed++;
      const help =
        error instanceof HostLocked
          ? 'wait until that run is over (`--lock-timeout` waits longer); `--steal` takes the lock over'
          : error instanceof ModuleFault
            ? error.help
            : undefined;
      host.unreachable = {message: this.run.redactor.redact(error.message), help};
      this.run.emit({
        event: 'problem',
        diagnostic: {
          severity: 'error',
          code: error instanceof HostLocked ? 'locked' : error instanceof ModuleFault ? 'module-fault' : 'read-failed',
          message: `${host.name}: ${this.run.redactor.redact(error.message)}`,
          ...(help === undefined ? {} : {help}),
        },
        at: undefined,
      });
      return;
    }
    if (error instanceof BecomeFailed) {
      host.stopped = 'failed';
      host.tally.failed++;
      host.unreachable = {message: this.run.redactor.redact(error.message), help: error.help};
      this.run.emit({
        event: 'problem',
        diagnostic: {
          severity: 'error',
          code: `become-${error.kind}`,
          message: `${host.name}: ${error.message}`,
          ...(error.help === undefined ? {} : {help: error.help}),
        },
        at: undefined,
      });
      return;
    }
    throw error;
  }
}

const doneBefore: Verdict = {status: 'skipped', message: 'done when this plan was applied before'};

/** All conditions of a list, as one truth. */
function conditions(scope: Scope, nodes: readonly Node[]): Known<boolean> {
  for (const node of nodes) {
    const answer = known(scope.evaluateExpression(node));
    if (answer.is !== 'known') return answer;
    if (!isTrue(answer.value)) return {is: 'known', value: false};
  }
  return {is: 'known', value: true};
}

function sentence(problem: Diagnostic): string {
  return problem.span === undefined ? problem.message : `${problem.message} (${placeOf(problem.span)})`;
}

/** `changed_when: false`, as it stands: the task only looks. */
export function neverChanges(task: Task): boolean {
  const {changedWhen} = task.keywords;
  return changedWhen?.length === 1 && changedWhen[0]?.kind === 'scalar' && changedWhen[0].value === false;
}
