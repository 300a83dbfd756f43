import type {Known} from './known.ts';
import type {PlanPart, PlannedStep} from './plan-part.ts';

/** Everything that was decided for one host, in order. */
export type HostDecisions = {
  readonly steps: Map<string, PlannedStep>;
  /** values of conditions, loops and names of included files */
  readonly evaluations: Map<string, unknown>;
  /** handlers that an earlier run had left to be run */
  recalled: readonly string[];
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

  #of(host: string): HostDecisions {
    let known = this.hosts.get(host);
    if (known === undefined) this.hosts.set(host, (known = {steps: new Map(), evaluations: new Map(), recalled: []}));
    return known;
  }
}
