import {Unknown} from '../base/unknown.ts';
import type {Module} from '../kit/module.ts';
import type {Read} from '../kit/reads.ts';
import type {RunContext} from './context.ts';
import {HostMoved, type Moved} from './host-moved.ts';
import type {HostState} from './host.ts';
import type {Known} from './known.ts';
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
  /** commands that have run already when this plan was applied before: `HOST PLACE` */
  readonly ran: ReadonlySet<string>;
  readonly onRan: (host: string, place: string) => void;
};

/** Says, while a plan is applied, what was decided. */
export class PlanFollower implements PlanPart {
  readonly follow: PlanFollow;
  readonly #plan: PlanToFollow;

  constructor(plan: PlanToFollow, run: () => RunContext) {
    this.#plan = plan;
    this.follow = {
      exact: plan.exact,
      reads: (host) => this.#reads(host),
      admit: (host) => {
        const reason = plan.unfit.get(host) ?? (plan.hosts.has(host) ? undefined : 'it is not part of the plan');
        if (reason !== undefined) throw new HostMoved([], reason);
      },
      compare: (host) => this.#compare(run(), host),
      hasRun: (host, place) => plan.ran.has(`${host} ${place}`),
      ran: plan.onRan,
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
    for (const step of this.#plan.hosts.get(host.name)?.steps.values() ?? []) {
      if (step.does === 'later')
        world.predict(step.doubts.map((key) => ({key, value: new Unknown(step.cause), cause: step.cause})));
      if ((step.does !== 'change' && step.does !== 'nothing') || step.where !== host.name) continue;
      const module = this.#plan.moduleOf(step.module);
      if (module === undefined) throw new HostMoved([{step, reasons: [`there is no module ${step.module} any more`]}]);
      const probe = module.probe(step.values);
      const sight = world.see(step.account, probe);
      // what cannot be told yet is compared when its turn comes
      if (sight.sight !== 'known') continue;
      const become = step.account === '' ? undefined : ({method: 'sudo', user: step.account} as const);
      const now = planFor(run, host, {become}, module, step.values, sight.state);
      const judged = judgeMoves(step, world.movesOf(step.account, probe, step.saw), now);
      if (judged.is === 'moved') moved.push({step, reasons: judged.reasons});
      if (step.does === 'change' && judged.is === 'as-planned')
        world.predict(predictOps(step.ops, (key) => world.valueOf(step.account, key), `task "${step.task}"`, nowS));
    }
    if (moved.length > 0) throw new HostMoved(moved);
  }
}
