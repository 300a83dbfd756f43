import {performance} from 'node:perf_hooks';
import PQueue from 'p-queue';
import {placeOf, type Diagnostic} from '../base/diagnostic.ts';
import {Unknown} from '../base/unknown.ts';
import {isMapping} from '../base/json.ts';
import type {Result} from '../base/result.ts';
import {ModuleFault} from '../kit/module-fault.ts';
import type {Read} from '../kit/reads.ts';
import type {Block, Include, Item, Play, Task} from '../playbook/program.ts';
import type {Node} from '../playbook/node.ts';
import {isImplicit} from '../playbook/select.ts';
import type {HostMemory, Scope} from '../playbook/scope.ts';
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
import {handlersFor, handlersOf, type Handler} from './handlers.ts';
import {loopElements} from './loop.ts';
import type {Meeting} from './meeting.ts';
import {isLinear, needsOthers} from './needs-others.ts';
import {ModuleStep} from './module-step.ts';
import {learnFacts} from './learn-facts.ts';
import {registeredLoop, registeredOf, type Registered} from './registered.ts';
import {resultOf, withLabel, type LoopMark, type Step, type Ticket, type Verdict} from './step.ts';
import {Place} from './place.ts';
import {Slots} from './slots.ts';
import {hasAllFacts, readAllFacts, survey} from './survey.ts';

/** A task failed on this host and nothing tolerates it; caught by the nearest rescue, else it ends the host's run. */
export class TaskFailed extends Error {
  override readonly name = 'TaskFailed';
  readonly result: TaskResult;
  /** it failed on the host that did it for all */
  readonly elsewhere: boolean;
  readonly #registered: () => Registered;

  constructor(result: TaskResult, registered: () => Registered, elsewhere = false) {
    super(result.message ?? 'failed');
    this.result = result;
    this.elsewhere = elsewhere;
    this.#registered = registered;
  }

  /** The task's result; of a loop that of all its elements, once they are through. */
  get registered(): Registered {
    return this.#registered();
  }
}

/** What hosts of one play share. */
export type PlayContext = {
  readonly play: Play;
  readonly hosts: readonly string[];
  /** answers of `run_once` tasks, by their place; the first host that came to one does it */
  readonly once: Map<string, Promise<Once>>;
  /** how many hosts may still begin a task with `throttle`, by its place */
  readonly throttles: Map<string, PQueue>;
  readonly meeting: Meeting;
  /** the play is over for all: by `meta`, for this batch or for those after it too; or by a failure that counts for all */
  ended: 'play' | 'batch' | 'fatal' | undefined;
  readonly tooManyFailed: () => boolean;
};

/** What came of a task that one host did for all. */
type Once = {
  readonly registered: Registered | undefined;
  readonly failure: TaskFailed | undefined;
  /** what `set_fact` and `include_vars` set: all hosts get it */
  readonly facts: ReadonlyMap<string, unknown>;
  readonly included: HostMemory['includedVars'];
};

/** `meta: end_host` and the like: ends the play for this host, without a failure. */
export class EndPlay extends Error {
  override readonly name = 'EndPlay';
}

/** Others' failures end the play for this host too. */
class EndedByOthers extends Error {
  override readonly name = 'EndedByOthers';
}

/** Runs the items of one play on one host, in order. */
export class HostRunner {
  readonly run: RunContext;
  readonly host: HostState;
  readonly context: PlayContext;
  /** names of the notified handlers whose tasks run now */
  handling: readonly string[] = [];
  /** where this host stands in the play, for its meetings with the others */
  readonly #at: number[] = [];
  /** blocks around that have a `rescue`, and are not in it yet */
  #rescues = 0;
  /** in a loop: a failing element does not end it */
  #holdsFailure = false;
  #task = 'a task';
  readonly #slots: Slots<TaskResult | null>;
  readonly #place: Place;
  #failure: TaskFailed | undefined;

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
      try {
        await this.#each(items, false, 0);
        await this.settle();
      } catch (error) {
        if (!(error instanceof TaskFailed) || !this.#forcesHandlers()) throw error;
        this.host.batch = undefined;
        await this.flushHandlers();
        await this.settle();
        throw error;
      }
    } catch (error) {
      await this.#end(error);
    } finally {
      this.#slots.drain();
    }
  }

  /** Items one after the other, `part` being the section that they stand in. */
  async #each(items: readonly Item[], handler: boolean, part: number): Promise<void> {
    const depth = this.#at.length;
    this.#at.push(part, 0);
    try {
      for (const [i, item] of items.entries()) {
        this.#at[depth + 1] = i;
        await this.item(item, handler);
      }
    } finally {
      this.#at.length = depth;
    }
  }

  #forcesHandlers(): boolean {
    if (this.run.forceHandlers === true) return true;
    const {forceHandlers} = this.context.play;
    return forceHandlers !== undefined && this.#truth(this.scope(undefined), forceHandlers);
  }

  /** Waits for the other hosts. *errors*: where the play has ended meanwhile. */
  async #meet(...at: readonly number[]): Promise<void> {
    await this.settle();
    await this.context.meeting.meet(this.host.name, [...this.#at, ...at]);
    this.#goOn();
    this.host.noticeOthers(this.run.disturbances);
  }

  #goOn(): void {
    const {context} = this;
    if (context.ended === 'play' || context.ended === 'batch') throw new EndPlay(`end_${context.ended}`);
    if (context.ended === 'fatal' || context.tooManyFailed()) throw new EndedByOthers();
  }

  /** Runs the notified handlers, in the order in which they are defined, until none is left. */
  async flushHandlers(): Promise<void> {
    const {notified, recalled, unneeded} = this.host;
    // whether a task with `changed_when` notifies is known only once it has run
    if (this.host.batch?.tasks.some((task) => task.notifies.some((name) => !notified.has(name))) === true)
      await this.settle();
    const handled = new Set([...unneeded].filter((name) => !notified.has(name)));
    unneeded.clear();
    for (const {names, listens} of recalled.size > 0 ? this.#handlers() : []) {
      for (const name of [...names, ...listens]) if (recalled.delete(name)) notified.add(name);
    }
    this.#place.flush();
    const due = new Map<Handler, string[]>();
    for (let rounds = 0; notified.size > 0 && rounds < 100; rounds++) {
      const handlers = this.#handlers();
      const absorb = (): void => {
        for (const name of notified) {
          for (const handler of handlersFor(name, handlers)) due.set(handler, [...(due.get(handler) ?? []), name]);
          notified.delete(name);
        }
      };
      absorb();
      for (const [i, handler] of handlers.entries()) {
        const mine = due.get(handler);
        if (mine === undefined) continue;
        due.delete(handler);
        this.handling = mine;
        this.#at.push(rounds, i);
        await this.#place.within(`flush${this.#place.flushes}.${rounds}`, () => this.item(handler.item, true));
        this.#at.length -= 2;
        this.handling = [];
        for (const name of mine) handled.add(name);
        absorb();
      }
      // those that a later handler notified stand before it: they run in the next round
      for (const names of due.values()) for (const name of names) notified.add(name);
      due.clear();
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
    this.#goOn();
    if (item.item === 'block') {
      await this.#block(item, handler);
      return;
    }
    if (!handler && !this.run.site.isSelected(item) && (item.item === 'task' || item.keywords.tags.length > 0)) return;
    const work = (): Promise<void> =>
      item.item === 'task' ? this.#runTask(item, handler) : this.#include(item, handler);
    const meets = needsOthers(item);
    if (meets || isLinear(this.context.play)) await this.#meet();
    if (item.item === 'task' && meets) {
      await this.#fatally(item, () => this.#throttled(item, work));
      await this.#meet(Number.MAX_SAFE_INTEGER);
    } else await work();
  }

  /** Does a task; its failure ends the play for all hosts where it says so. */
  async #fatally(task: Task, work: () => Promise<void>): Promise<void> {
    const {keywords} = task;
    try {
      await work();
      await this.settle();
    } catch (error) {
      const failed = error instanceof TaskFailed && this.#rescues === 0;
      const gone = error instanceof Unreachable || error instanceof LinkLost;
      if ((failed && !error.elsewhere) || gone) {
        const scope = this.scope(task);
        if (this.#truth(scope, keywords.anyErrorsFatal) || this.#truth(scope, keywords.runOnce))
          this.context.ended ??= 'fatal';
      }
      throw error;
    }
  }

  /** At most so many hosts at a time, where the task says so. */
  async #throttled(task: Task, work: () => Promise<void>): Promise<void> {
    const {throttle} = task.keywords;
    const limit = throttle === undefined ? 0 : Number(valueOr(this.scope(task).evaluate(throttle), 0));
    if (!(limit > 0)) {
      await work();
      return;
    }
    const key = this.#at.join('.');
    let queue = this.context.throttles.get(key);
    if (queue === undefined) this.context.throttles.set(key, (queue = new PQueue({concurrency: limit})));
    await queue.add(async () => {
      await work();
      await this.settle();
    });
  }

  /** Applies what waits. *errors*: TaskFailed when a task of the batch failed. */
  async settle(further: readonly Read[] = [], account = ''): Promise<void> {
    if (this.host.batch !== undefined) await applyWaiting(this.run, this.host, further, account);
    if (this.#failure !== undefined && !this.#holdsFailure) {
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
    if (judged.status === 'failed' || judged.status === 'refused')
      this.#failure ??= new TaskFailed(result, step.loop?.whole ?? ((): Registered => registered));
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
    if (!this.run.check || task.keywords.control === undefined || this.#rescues > 0) return false;
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

  async #runTask(task: Task, handler: boolean): Promise<void> {
    if (isImplicit(task)) {
      await this.flushHandlers();
      return;
    }
    const {keywords} = task;
    if (keywords.ignoreUnreachable !== undefined && this.#truth(this.scope(task), keywords.ignoreUnreachable)) {
      await this.#withoutLink(task, handler);
      return;
    }
    if (keywords.runOnce !== undefined && this.#truth(this.scope(task), keywords.runOnce)) {
      await this.#taskOnce(task, handler);
      return;
    }
    await this.#taskHere(task, handler);
  }

  /** `ignore_unreachable`: where the host cannot be reached, that is the task's result, and the next one tries again. */
  async #withoutLink(task: Task, handler: boolean): Promise<void> {
    try {
      await this.#taskHere(task, handler);
      await this.settle();
    } catch (error) {
      if (!(error instanceof Unreachable || error instanceof LinkLost)) throw error;
      await this.host.startOver();
      const message = this.run.redactor.redact(error.message);
      const ticket = this.#conclude(task, this.scope(task), handler, {
        status: 'ignored',
        message,
        details: {unreachable: true, failed: false},
      });
      this.#register(task, [ticket], ([only]) => only!.registered!);
    }
  }

  /** The first host that comes here does it; the others wait and take over what it registered, or its failure. */
  async #taskOnce(task: Task, handler: boolean): Promise<void> {
    const place = this.#place.of(task.span);
    const {once} = this.context;
    const owner = this.run.plan?.once(this.host.name, place, this.context.hosts);
    // as planned, also where another host comes here first
    while (owner !== undefined && owner !== this.host.name && !once.has(place)) {
      if (this.context.hosts.includes(owner) && this.run.stateOf(owner).stopped === undefined) await this.run.pause(20);
      else throw new HostMoved([], {message: `a task that runs once was planned for ${owner}, which does not do it`});
    }
    const earlier = once.get(place);
    const name = task.keywords.register;
    if (earlier !== undefined) {
      const {registered, failure, facts, included} = await earlier;
      for (const [each, value] of facts) {
        this.host.memory.registered.delete(each);
        this.host.memory.setFacts.set(each, value);
      }
      for (const [each, value] of included) this.host.memory.includedVars.set(each, value);
      if (name !== undefined && registered !== undefined) {
        this.host.memory.setFacts.delete(name);
        this.host.memory.registered.set(name, registered);
      }
      if (failure !== undefined) throw new TaskFailed(failure.result, () => failure.registered, true);
      return;
    }
    const {promise, resolve} = Promise.withResolvers<Once>();
    once.set(place, promise);
    let failure: TaskFailed | undefined;
    const {memory} = this.host;
    const [facts, included] = [new Map(memory.setFacts), new Map(memory.includedVars)];
    try {
      await this.#taskHere(task, handler);
      await this.settle();
    } catch (error) {
      if (error instanceof TaskFailed) failure = error;
      throw error;
    } finally {
      const registered =
        name === undefined ? undefined : (this.host.memory.registered.get(name) as Registered | undefined);
      resolve({
        registered,
        failure,
        facts: news(memory.setFacts, facts),
        included: news(memory.includedVars, included),
      });
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
        const items = elements.value.map(({item}) => item);
        const whole = (): Registered =>
          registeredLoop(
            tickets.map((t) => t.registered!),
            items,
            loop,
          );
        const mark: LoopMark = {whole};
        const pauseMs =
          loop.pauseS === undefined || this.run.check ? 0 : 1000 * Number(valueOr(scope.evaluate(loop.pauseS), 0));
        this.#holdsFailure = true;
        try {
          for (const [i, element] of elements.value.entries()) {
            if (i > 0 && pauseMs > 0) {
              await this.settle();
              await this.run.pause(pauseMs);
            }
            const inner = scope.with(element.variables);
            tickets.push(await this.#retried(task, inner, element.item, element.label, handler, i, mark));
          }
        } finally {
          this.#holdsFailure = false;
        }
        if (elements.value.length === 0)
          this.#conclude(task, scope, handler, {status: 'skipped', message: 'the loop has no elements'});
        this.#register(task, tickets, whole);
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
      loop: undefined,
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
    mark?: LoopMark,
  ): Promise<Ticket> {
    const {until} = task.keywords;
    const place = this.#place.of(task.span, index);
    if (until === undefined || this.run.check)
      return this.#step(task, scope, item, label, handler, place, this.#slots.take(), 1, mark);
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
        mark,
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
          this.#failure = tolerant ? failureBefore : new TaskFailed(result, mark?.whole ?? ((): Registered => gaveUp));
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
    outer: Scope,
    item: unknown,
    label: unknown,
    handler: boolean,
    place: string,
    fill: (result: TaskResult | null) => void,
    attempt = 1,
    loop?: LoopMark,
  ): Promise<Ticket> {
    const scope = this.#delegated(task, outer);
    const name = this.nameOf(task, scope);
    const step: Step = {task, item, label, name, handler, began: performance.now(), place, attempt, loop};
    this.#task = name;
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

  /** A task that is delegated sees how the other host is reached. *source*: Ansible's ansible_delegated_vars. */
  #delegated(task: Task, scope: Scope): Scope {
    const {delegateTo} = task.keywords;
    const name = delegateTo === undefined ? undefined : valueOr(scope.evaluate(delegateTo), undefined);
    if (typeof name !== 'string' || name === '') return scope;
    const there = this.run.site.scopeFor(name, this.context.play, undefined, this.run.stateOf(name).memory);
    const values: Record<string, unknown> = {inventory_hostname: name};
    for (const key of ['ansible_host', 'ansible_port', 'ansible_user', 'ansible_connection']) {
      const value = valueOr(there.lookup(key), undefined);
      if (value !== undefined) values[key] = value;
    }
    return scope.with({ansible_delegated_vars: {[name]: values}});
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
    let {status, message, details} = verdict;
    if (keywords.changedWhen !== undefined && status !== 'failed') {
      const answer = conditions(inner, keywords.changedWhen);
      if (answer.is === 'wrong') return {...verdict, ...this.unable(answer, 'changed_when')};
      if (answer.is === 'known') status = answer.value ? 'changed' : 'ok';
    }
    if (keywords.failedWhen !== undefined) {
      const answer = conditions(inner, keywords.failedWhen);
      if (answer.is === 'wrong') return {...verdict, ...this.unable(answer, 'failed_when')};
      if (answer.is === 'known') details = {...verdict.details, failed_when_result: answer.value};
      if (answer.is === 'known' && answer.value)
        return {
          ...verdict,
          status: 'failed',
          message: message ?? 'the condition of `failed_when` is true',
          details: details ?? {},
        };
      if (answer.is === 'known' && status === 'failed') {
        status = 'changed';
        message = undefined;
        if (keywords.changedWhen !== undefined) {
          const changed = conditions(inner, keywords.changedWhen);
          if (changed.is === 'known') status = changed.value ? 'changed' : 'ok';
        }
      }
    }
    return {...verdict, status, message, ...(details === undefined ? {} : {details})};
  }

  #truth(scope: Scope, node: Node | undefined): boolean {
    return node !== undefined && isTrue(valueOr(scope.evaluate(node), false));
  }

  async #block(block: Block, handler: boolean): Promise<void> {
    const guards = block.rescue.length > 0 || block.always.length > 0;
    if (!guards) {
      await this.#each(block.block, handler, 0);
      return;
    }
    await this.settle();
    let problem: unknown;
    const tried = async (work: () => Promise<void>): Promise<unknown> => {
      try {
        await work();
        await this.settle();
        return undefined;
      } catch (error) {
        return error;
      }
    };
    const rescues = block.rescue.length > 0 ? 1 : 0;
    this.#rescues += rescues;
    problem = await tried(() => this.#each(block.block, handler, 0));
    this.#rescues -= rescues;
    if (rescues > 0 && (await this.#rescue(problem))) problem = await tried(() => this.#each(block.rescue, handler, 1));
    if (problem === undefined || isFailure(problem)) {
      if (isLost(problem)) await this.host.startOver();
      problem = (await tried(() => this.#each(block.always, handler, 2))) ?? problem;
    }
    if (problem instanceof Error) throw problem;
  }

  /** Takes a failure as one that is to be rescued: says what it was, and that it does not count. False where there is nothing to rescue. */
  async #rescue(problem: unknown): Promise<boolean> {
    if (!isFailure(problem)) return false;
    const {registered} = this.host.memory;
    if (problem instanceof TaskFailed) {
      registered.set('ansible_failed_task', {name: problem.result.task, action: problem.result.module});
      registered.set('ansible_failed_result', problem.registered);
      if (!problem.elsewhere) this.#rescued(problem);
      return true;
    }
    const {message} = problem as Error;
    await this.host.startOver();
    registered.set('ansible_failed_task', {name: this.#task, action: ''});
    registered.set('ansible_failed_result', {unreachable: true, failed: true, changed: false, msg: message});
    this.run.emit({event: 'message', host: this.host.name, text: `not reached, rescued: ${message}`});
    return true;
  }

  /** A rescued failure does not count against the host. */
  #rescued(failure: TaskFailed): void {
    const {tally} = this.host;
    // of a loop every failing element was counted
    const {results} = failure.registered;
    const elements: readonly unknown[] = Array.isArray(results) ? results : [];
    const count = Math.max(1, elements.filter((one) => isMapping(one) && one['failed'] === true).length);
    if (failure.result.status === 'refused') tally.refused -= count;
    else tally.failed -= count;
    tally.ignored += count;
    this.run.emit({event: 'message', host: this.host.name, text: `rescued: ${failure.result.task}`});
  }

  async #include(include: Include, handler: boolean): Promise<void> {
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
      try {
        await this.#place.within(place, () => this.#each(loaded.value, handler, i));
      } finally {
        for (const [name, value] of before) {
          if (value === undefined) this.host.memory.setFacts.delete(name);
          else this.host.memory.setFacts.set(name, value);
        }
      }
    }
  }

  /** The play's handlers, under the names that they have for this host. */
  #handlers(): readonly Handler[] {
    return handlersOf(this.context.play.handlers, (item) => {
      if (item.name === undefined) return '';
      const task = item.item === 'task' ? item : undefined;
      const name = valueOr(this.scope(task).evaluate(item.name), '');
      return typeof name === 'string' || typeof name === 'number' ? String(name) : '';
    });
  }

  async #end(error: unknown): Promise<void> {
    const {host} = this;
    if (error instanceof EndPlay || error instanceof EndedByOthers) {
      if (host.batch !== undefined) await applyWaiting(this.run, host, [], '');
      if (error instanceof EndedByOthers) host.stopped = 'ended';
      return;
    }
    host.batch = undefined;
    if (error instanceof HostMoved) {
      host.stopped = 'failed';
      reportMoved(this.run, host, this.context.play, error);
      return;
    }
    if (error instanceof TaskFailed) {
      host.stopped = error.elsewhere ? 'ended' : 'failed';
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

/** What `rescue` and `always` are for: a task that failed, a host that cannot be reached any more. */
function isFailure(problem: unknown): boolean {
  return problem instanceof TaskFailed || isLost(problem);
}

function isLost(problem: unknown): boolean {
  return problem instanceof Unreachable || problem instanceof LinkLost;
}

/** What is in a map that was not there before. */
function news<T>(now: ReadonlyMap<string, T>, before: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...now].filter(([name, value]) => !before.has(name) || before.get(name) !== value));
}

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
