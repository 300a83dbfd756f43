import type {Module} from '../kit/module.ts';
import type {HostState} from './host.ts';
import type {Known} from './known.ts';
import type {PlanPart, PlannedStep} from './plan-part.ts';

/** Everything that was decided for one host, in order. */
export type HostDecisions = {
  readonly steps: Map<string, PlannedStep>;
  /** values of conditions, loops and names of included files */
  readonly evaluations: Map<string, unknown>;
  /** handlers that an earlier run had left to be run */
  recalled: readonly string[];
  /** by step: what its reads will answer once the whole plan is applied, as witnesses; undefined where only applying will tell */
  readonly ends: Map<string, readonly (string | undefined)[]>;
};

/** Which host does a task that runs once, and for whom. */
export type Once = {readonly place: string; readonly owner: string; readonly batch: readonly string[]};

/** Takes notes while a plan is made. */
export class PlanRecorder implements PlanPart {
  readonly hosts = new Map<string, HostDecisions>();
  readonly onces: Once[] = [];
  readonly follow = undefined;

  async evaluation<T>(host: string, place: string, evaluate: () => Promise<Known<T>>): Promise<Known<T>> {
    const answer = await evaluate();
    if (answer.is === 'known') this.#of(host).evaluations.set(place, answer.value);
    return answer;
  }

  note(host: string, place: string, step: PlannedStep): void {
    this.#of(host).steps.set(place, step);
  }

  planned(): undefined {
    return undefined;
  }

  once(host: string, place: string, batch: readonly string[]): string {
    const known = this.onces.find((one) => one.place === place && one.batch.includes(host));
    if (known !== undefined) return known.owner;
    this.onces.push({place, owner: host, batch});
    return host;
  }

  recalled(host: string, names: readonly string[]): readonly string[] {
    this.#of(host).recalled = names;
    return names;
  }

  /** At the end of planning: looks at what the whole plan leaves. */
  conclude(hosts: ReadonlyMap<string, HostState>, moduleOf: (name: string) => Module | undefined): void {
    for (const {steps, ends} of this.hosts.values()) {
      for (const [place, step] of steps) {
        if (step.does !== 'change' && step.does !== 'nothing') continue;
        const world = hosts.get(step.where)?.world;
        const probe = moduleOf(step.module)?.probe(step.values);
        if (world === undefined || probe === undefined) continue;
        ends.set(
          place,
          world.sawOf(step.account, probe).map(({witness}) => witness),
        );
      }
    }
  }

  #of(host: string): HostDecisions {
    let known = this.hosts.get(host);
    if (known === undefined)
      this.hosts.set(host, (known = {steps: new Map(), evaluations: new Map(), recalled: [], ends: new Map()}));
    return known;
  }
}
