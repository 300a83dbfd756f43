import {placeOf} from '../base/diagnostic.ts';
import {Unknown, findUnknown} from '../base/unknown.ts';
import {isMapping} from '../base/json.ts';
import {ModuleFault} from '../kit/module-fault.ts';
import type {Read} from '../kit/reads.ts';
import type {Item, Play, Task} from '../playbook/program.ts';
import type {HostMemory, Scope} from '../playbook/scope.ts';
import {compileReads, type ReadValues} from '../remote/batch.ts';
import {ReadFailed} from '../remote/read-fragment.ts';
import type {HostFacts} from '../kit/host.ts';
import type {Become, Fragment} from '../remote/session.ts';
import {learnAll} from './learn.ts';
import type {RunContext} from './context.ts';
import {factsProbe} from './facts.ts';
import type {HostState} from './host.ts';
import {acquireLock, lockFragments, waitForLock} from './host-lock.ts';
import {guardFragments, guardsLeft, settleGuards} from './left-guards.ts';
import {isTrue, known, valueOr} from './known.ts';
import {loopElements} from './loop.ts';
import {recallNotified, recallFragments} from './pending.ts';
import type {PlanFollow} from './plan-part.ts';
import type {PlayContext} from './runner.ts';

type Wanted = Map<string, {become: Become | undefined; reads: Read[]}>;

/**
 * The first exchange with a host: facts, the lock (in a run), and every read that is known before anything has been read, for all plays at once.
 * What depends on facts is read with the facts of the last run in mind; where a used fact has changed, or nothing was remembered,
 * a second exchange follows.
 */
export async function survey(run: RunContext, host: HostState, context: PlayContext): Promise<void> {
  host.surveyed = true;
  const remembered = run.facts.get(host.name);
  if (remembered !== undefined && !host.factsKnown) host.memory.facts = {...remembered};
  const scope = run.site.scopeFor(host.name, context.play, undefined, host.memory);
  const connecting = host.connect(run.targetOf(host, scope), run.signal);
  connecting.catch(() => undefined); // awaited below; an early refusal must not be an unhandled rejection
  const foreseen = foresee(run, host);
  const connection = await connecting;
  host.login = connection.login;

  const groups = byAccount(foreseen, connection.login.user);
  const first = pickFirst(groups, run, context, scope, connection.login.user);
  for (const [account, {become, reads}] of [first, ...[...groups].filter(([account]) => account !== first[0])]) {
    await exchangeReads(run, host, become, account, reads, account === first[0]);
    host.login = connection.login; // the address that the host sees comes with the first reply
  }
  if (remembered === undefined || JSON.stringify(steady(remembered)) !== JSON.stringify(steady(host.memory.facts)))
    await readForeseen(run, host);
  try {
    run.plan?.follow?.compare(host);
  } catch (error) {
    // before anything else of the run hears of it: an `always` section is not run either
    host.stopped = 'failed';
    throw error;
  }
}

/** Reads everything that can be foreseen now and is not known yet; one exchange an account, none where nothing is missing. */
export async function readForeseen(run: RunContext, host: HostState): Promise<void> {
  for (const [account, {become, reads}] of byAccount(foresee(run, host), host.login.user)) {
    const missing = reads.filter((read) => !host.world.has(account, read));
    if (missing.length > 0) await exchangeReads(run, host, become, account, missing, false);
  }
}

/** Reads the facts that cost more than files, once somebody asks for one. The fact cache remembers that they were wanted. */
export async function readAllFacts(run: RunContext, host: HostState): Promise<void> {
  const wanted = factsProbe('all');
  const batch = compileReads(wanted.reads);
  keepFacts(run, host, factsOf(wanted, batch.decode(await host.exchange(undefined, batch.fragments, run.signal))));
}

/** Whether facts hold those of the larger set. */
export function hasAllFacts(facts: Readonly<Record<string, unknown>> | undefined): boolean {
  return facts !== undefined && 'memtotal_mb' in facts;
}

function factsOf(probe: ReturnType<typeof factsProbe>, decoded: ReadValues | ReadFailed): HostFacts {
  if (decoded instanceof ReadFailed) throw decoded;
  return probe.join(probe.reads.map((read) => decoded.get(read)));
}

function keepFacts(run: RunContext, host: HostState, facts: HostFacts): void {
  host.memory.facts = {...facts};
  host.factsKnown = true;
  run.facts.put(host.name, facts);
}

/** All reads of this account that can be foreseen now, known or not: to be made again after a command that may have changed anything. */
export function foreseenReads(run: RunContext, host: HostState, account: string): readonly Read[] {
  return byAccount(foresee(run, host), host.login.user).get(account)?.reads ?? [];
}

async function exchangeReads(
  run: RunContext,
  host: HostState,
  become: Become | undefined,
  account: string,
  reads: readonly Read[],
  first: boolean,
): Promise<void> {
  const fragments: Fragment[] = [];
  const locks = first && !run.check ? lockFragments(run) : [];
  const recalls = first ? recallFragments() : [];
  const guards = first ? guardFragments() : [];
  const wanted = factsProbe(hasAllFacts(run.facts.get(host.name)) ? 'all' : 'base');
  const facts = compileReads(first ? wanted.reads : []);
  fragments.push(...locks, ...recalls, ...guards, ...facts.fragments);
  const batch = compileReads(reads);
  fragments.push(...batch.fragments);
  let outcomes = await host.exchange(become, fragments, run.signal);
  if (await waitForLock(run, host, become, outcomes.slice(0, locks.length)))
    outcomes = await host.exchange(become, fragments, run.signal);
  let at = 0;
  const take = (count: number) => outcomes.slice(at, (at += count));
  acquireLock(run, host, become, take(locks.length));
  recallNotified(host, take(recalls.length), (names) => run.plan?.recalled(host.name, names) ?? names);
  const left = guardsLeft(take(guards.length));
  if (first) {
    keepFacts(run, host, factsOf(wanted, facts.decode(take(facts.fragments.length))));
  }
  learnAll(host, account, batch.decode(outcomes.slice(at)));
  if (left.length > 0) await settleGuards(run, host, become, left);
}

/** Facts that change with every look say nothing about whether foreseen reads are still the right ones. */
function steady(facts: Readonly<Record<string, unknown>>): unknown {
  const {
    date_time: _time,
    memfree_mb: _free,
    uptime_seconds: _uptime,
    env: _env,
    memory_mb: _memory,
    swapfree_mb: _swap,
    ...rest
  } = facts;
  return rest;
}

/** The account that reads facts and holds the lock: the one with most reads, root where there is one. */
function pickFirst(
  groups: Wanted,
  run: RunContext,
  context: PlayContext,
  scope: Scope,
  login: string,
): [string, {become: Become | undefined; reads: Read[]}] {
  const root = groups.get('root') ?? (login === 'root' ? groups.get('') : undefined);
  if (root !== undefined) return [root.become === undefined ? '' : 'root', root];
  const biggest = [...groups].sort((a, b) => b[1].reads.length - a[1].reads.length)[0];
  if (biggest !== undefined) return biggest;
  const become = run.becomeOf(undefined, context.play, scope);
  const usable = become === undefined || 'problem' in become || become.user === login ? undefined : become;
  return [usable?.user ?? '', {become: usable, reads: []}];
}

function byAccount(wanted: readonly {become: Become | undefined; reads: readonly Read[]}[], login: string): Wanted {
  const groups: Wanted = new Map();
  for (const {become, reads} of wanted) {
    const as = become?.user === login ? undefined : become;
    const account = as?.user ?? '';
    const group = groups.get(account) ?? {become: as, reads: []};
    group.reads.push(...reads);
    groups.set(account, group);
  }
  return groups;
}

/** The reads of every task whose condition, loop and parameters can be known now. Nothing is decided here: a wrong guess costs a read. */
function foresee(run: RunContext, host: HostState): {become: Become | undefined; reads: readonly Read[]}[] {
  if (run.plan?.follow !== undefined) return foreseePlanned(run, host, run.plan.follow);
  const found: {become: Become | undefined; reads: readonly Read[]}[] = [];
  for (const play of run.site.program.plays) {
    if (!run.site.hostsOf(play).includes(host.name)) continue;
    const memory = foreseenMemory(play, host.memory);
    const walk = (items: readonly Item[]): void => {
      for (const item of items) {
        if (item.item === 'task') found.push(...foreseeTask(run, host, play, item, memory));
        else if (item.item === 'block') for (const part of [item.block, item.rescue, item.always]) walk(part);
      }
    };
    walk(play.items);
    walk(play.handlers);
    // scopes see what their host has learnt; what was only foreseen is none of that
    run.site.scopeFor(host.name, play, undefined, host.memory);
  }
  return found;
}

/** Of a saved plan: the reads of its steps. Those of tasks that only an include brings have to wait, since their account is not known yet. */
function foreseePlanned(
  run: RunContext,
  host: HostState,
  follow: PlanFollow,
): {become: Become | undefined; reads: readonly Read[]}[] {
  const tasks = new Map<string, {play: Play; task: Task}>();
  for (const [i, play] of run.site.program.plays.entries()) {
    const walk = (items: readonly Item[]): void => {
      for (const item of items) {
        if (item.item === 'task') tasks.set(`${i} ${placeOf(item.span)}`, {play, task: item});
        else if (item.item === 'block') for (const part of [item.block, item.rescue, item.always]) walk(part);
      }
    };
    walk(play.items);
    walk(play.handlers);
  }
  return follow.reads(host).flatMap(({step, reads}) => {
    const found = tasks.get(`${step.play} ${step.at}`);
    if (found === undefined) return [];
    const scope = run.site.scopeFor(host.name, found.play, found.task, host.memory);
    const become = run.becomeOf(found.task, found.play, scope);
    return become !== undefined && 'problem' in become ? [] : [{become, reads}];
  });
}

/** Values that tasks will register or set are unknown while looking ahead. */
function foreseenMemory(play: Play, memory: HostMemory): HostMemory {
  const registered = new Map(memory.registered);
  const walk = (items: readonly Item[]): void => {
    for (const item of items) {
      if (item.item === 'block') for (const part of [item.block, item.rescue, item.always]) walk(part);
      if (item.item !== 'task') continue;
      const {register} = item.keywords;
      if (register !== undefined && !registered.has(register)) registered.set(register, new Unknown('an earlier task'));
      if (item.doing.do === 'action' && item.doing.action === 'set_fact' && item.params?.kind === 'map') {
        for (const {key} of item.params.entries)
          if (!registered.has(key)) registered.set(key, new Unknown('an earlier task'));
      }
    }
  };
  walk(play.items);
  return {...memory, registered};
}

function foreseeTask(
  run: RunContext,
  host: HostState,
  play: Play,
  task: Task,
  memory: HostMemory,
): {become: Become | undefined; reads: readonly Read[]}[] {
  const {doing, keywords} = task;
  if (doing.do !== 'module' || keywords.delegateTo !== undefined || !run.site.isSelected(task)) return [];
  try {
    const scope = run.site.scopeFor(host.name, play, task, memory);
    const rounds = keywords.loop === undefined ? undefined : known(loopElements(keywords.loop, scope));
    if (rounds !== undefined && rounds.is !== 'known') return [];
    const scopes = rounds === undefined ? [scope] : rounds.value.map((round) => scope.with(round.variables));
    return scopes.flatMap((inner) => foreseeStep(run, play, task, inner));
  } catch {
    // looking ahead only saves a round trip; what is wrong here is said when the task's turn comes
    return [];
  }
}

function foreseeStep(
  run: RunContext,
  play: Play,
  task: Task,
  scope: Scope,
): {become: Become | undefined; reads: readonly Read[]}[] {
  if (task.doing.do !== 'module') return [];
  const {module} = task.doing;
  for (const condition of task.keywords.when) {
    const answer = known(scope.evaluateExpression(condition));
    if (answer.is === 'wrong' || (answer.is === 'known' && !isTrue(answer.value))) return [];
  }
  const raw: unknown = task.params === undefined ? {} : valueOr(scope.evaluate(task.params), undefined);
  if (raw === undefined || findUnknown(raw) !== undefined) return [];
  const given = isMapping(raw) ? raw : module.freeForm === undefined ? {} : {[module.freeForm]: raw};
  const bound = run.site.bind(module, given, run.site.resolverFor(scope, task));
  if (bound.bound !== 'values') return [];
  const become = run.becomeOf(task, play, scope);
  if (become !== undefined && 'problem' in become) return [];
  try {
    return [{become, reads: module.probe(bound.values).reads}];
  } catch (problem) {
    // said when the task's turn has come
    if (problem instanceof ModuleFault) return [];
    throw problem;
  }
}
