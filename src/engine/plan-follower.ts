import {Unknown} from '../base/unknown.ts';
import type {Module} from '../kit/module.ts';
import type {Read} from '../kit/reads.ts';
import type {RunContext} from './context.ts';
import {HostMoved, type Moved} from './host-moved.ts';
import type {HostState} from './host.ts';
import type {Known} from './known.ts';
import {isSameWitness} from './moves.ts';
import {planFor} from './plan-for.ts';
import {judgeMoves} from './plan-judge.ts';
import type {DecidedStep, PlanFollow, PlanPart, PlannedStep} from './plan-part.ts';
import type {HostDecisions, Once} from './plan-recorder.ts';
import {predictOps} from './predict.ts';

/** What was decided, and where to find what it speaks of. */
export type PlanToFollow = {
  readonly hosts: ReadonlyMap<string, HostDecisions>;
  readonly onces: readonly Once[];
  readonly exact: boolean;
  readonly moduleOf: (name: string) => Module | undefined;
  /** why nothing of the plan can be done on a host, whatever its state */
  readonly unfit: ReadonlyMap<string, string>;
  /** hosts that this plan was applied to before, to its end */
  readonly applied: ReadonlySet<string>;
};

/** Says, while a plan is applied, what was decided. */
export class PlanFollower implements PlanPart {
  readonly follow: PlanFollow;
  readonly #plan: PlanToFollow;
  /** steps that were as planned before anything was changed: `HOST PLACE` */
  readonly #compared = new Set<string>();
  /** as the whole plan leaves them */
  readonly #done = new Set<string>();
  /** and it was this plan that left them so */
  readonly #over = new Set<string>();

  constructor(plan: PlanToFollow, run: () => RunContext) {
    this.#plan = plan;
    this.follow = {
      exact: plan.exact,
      reads: (host) => this.#reads(host),
      admit: (host) => {
        const reason = plan.unfit.get(host) ?? (plan.hosts.has(host) ? undefined : 'it is not part of the plan');
        if (reason !== undefined) throw new HostMoved([], {message: reason});
      },
      compare: (host) => this.#compare(run(), host),
      wasCompared: (host, place) => this.#compared.has(`${host} ${place}`),
      isDone: (host) => this.#done.has(host),
      skips: (host, place) => this.#over.has(host) && this.#skips(host, place),
    };
  }

  evaluation<T>(host: string, place: string, evaluate: () => Promise<Known<T>>): Promise<Known<T>> {
    const evaluations = this.#plan.hosts.get(host)?.evaluations;
    if (evaluations?.has(place) !== true) return evaluate();
    return Promise.resolve({is: 'known', value: evaluations.get(place) as T});
  }

  note(): void {
    // what is decided while applying is no part of the plan
  }

  planned(host: string, place: string): PlannedStep | undefined {
    return this.#plan.hosts.get(host)?.steps.get(place);
  }

  once(host: string, place: string): string {
    return this.#plan.onces.find((one) => one.place === place && one.batch.includes(host))?.owner ?? host;
  }

  recalled(host: string, names: readonly string[]): readonly string[] {
    const planned = this.#plan.hosts.get(host)?.recalled ?? [];
    return names.filter((name) => planned.includes(name));
  }

  #own(host: HostState): readonly DecidedStep[] {
    return [...(this.#plan.hosts.get(host.name)?.steps.values() ?? [])].filter(
      (step): step is DecidedStep => (step.does === 'change' || step.does === 'nothing') && step.where === host.name,
    );
  }

  #reads(host: HostState): readonly {step: DecidedStep; reads: readonly Read[]}[] {
    return this.#own(host).flatMap((step) => {
      const module = this.#plan.moduleOf(step.module);
      return module === undefined ? [] : [{step, reads: module.probe(step.values).reads}];
    });
  }

  /** Goes through the host's plan on what was just read, each step on what the earlier ones will leave. */
  #compare(run: RunContext, host: HostState): void {
    const world = host.world.fork();
    const nowS = Math.floor(run.now().getTime() / 1000);
    const moved: Moved[] = [];
    let already = false;
    for (const [place, step] of this.#plan.hosts.get(host.name)?.steps ?? []) {
      if (step.does === 'later')
        world.predict(step.doubts.map((key) => ({key, value: new Unknown(step.cause), cause: step.cause})));
      if ((step.does !== 'change' && step.does !== 'nothing') || step.where !== host.name) continue;
      const module = this.#plan.moduleOf(step.module);
      if (module === undefined) throw new HostMoved([{step, reasons: [`there is no module ${step.module} any more`]}]);
      const probe = module.probe(step.values);
      const sight = world.see(step.account, probe);
      // what cannot be told yet is compared when its turn comes
      if (sight.sight !== 'known') continue;
      // what builds on a step that moved says nothing new
      if (moved.length > 0 && step.saw.some(({from}) => from === 'plan')) continue;
      const become = step.account === '' ? undefined : ({method: 'sudo', user: step.account} as const);
      const now = planFor(run, host, {become}, module, step.values, sight.state);
      const judged = judgeMoves(step, world.movesOf(step.account, probe, step.saw), now);
      if (judged.is === 'already') already = true;
      if (judged.is === 'as-planned') this.#compared.add(`${host.name} ${place}`);
      if (judged.is === 'moved') moved.push({step, reasons: judged.reasons});
      if (step.does === 'change' && judged.is === 'as-planned')
        world.predict(predictOps(step.ops, (key) => world.valueOf(step.account, key), `task "${step.task}"`, nowS));
    }
    const hasState = this.#own(host).some((step) => step.does === 'change' && !step.everyRun);
    if (moved.length > 0) {
      const wasApplied = this.#plan.applied.has(host.name);
      if (!this.#isAtItsEnd(run, host)) throw new HostMoved(moved, {wasApplied});
      this.#done.add(host.name);
    }
    if (this.#plan.applied.has(host.name) && (moved.length > 0 || already || !hasState)) this.#over.add(host.name);
  }

  #skips(host: string, place: string): boolean {
    const {steps, evaluations} = this.#plan.hosts.get(host) ?? {};
    const step = steps?.get(place);
    if (step !== undefined) return step.does === 'later' || (step.does === 'change' && step.everyRun);
    // it was left out, has no elements, or is an include that was decided
    return !['when', 'loop', 'file'].some((what) => evaluations?.has(`${place} ${what}`) === true);
  }

  /** Whether the host is as the whole plan leaves it. What the plan could not foresee has to be as declared. */
  #isAtItsEnd(run: RunContext, host: HostState): boolean {
    const decisions = this.#plan.hosts.get(host.name);
    return [...(decisions?.steps ?? [])].every(([place, step]) => {
      if ((step.does !== 'change' && step.does !== 'nothing') || step.where !== host.name) return true;
      if (step.does === 'change' && step.everyRun) return true;
      const probe = this.#plan.moduleOf(step.module)?.probe(step.values);
      const ends = decisions?.ends.get(place);
      if (probe === undefined || ends === undefined) return false;
      const now = host.world.sawOf(step.account, probe);
      if (now.every(({witness}, i) => isSame(ends[i], witness))) return true;
      const sight = host.world.see(step.account, probe);
      if (sight.sight !== 'known') return false;
      const become = step.account === '' ? undefined : ({method: 'sudo', user: step.account} as const);
      return (
        planFor(run, host, {become}, this.#plan.moduleOf(step.module)!, step.values, sight.state).kind === 'converged'
      );
    });
  }
}

function isSame(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && isSameWitness(one, other);
}
