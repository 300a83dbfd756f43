import type {Json} from '../base/json.ts';
import type {NonEmpty} from '../base/nonempty.ts';
import type {Unknown} from '../base/unknown.ts';
import type {Host} from './host.ts';
import type {Plan} from './plan.ts';
import type {Probe} from './probe.ts';
import type {Problem} from './problem.ts';
import type {Reply} from './reads.ts';
import type {Params, Values} from './schema.ts';

/**
 * One managed thing. `probe` describes reads, `plan` decides (pure and total: every state gets an answer), the engine carries out.
 * The module never gets the means to write, so check mode cannot lie.
 */
export type ModuleSpec<S extends Params = Params, State = never> = {
  /** snake_case, the key in YAML and the file's name */
  readonly name: string;
  /** one line for `tsplay doc` */
  readonly summary: string;
  readonly params: S;
  /** parameter that takes a plain string: `command: uptime` */
  readonly freeForm?: keyof S & string;
  /** has no state to compare: `changed` in every run, `would run` in check */
  readonly everyRun?: true | ((values: Values<S>) => boolean);
  /** facts that its result brings, below `ansible_facts`: they join the host's */
  readonly facts?: readonly string[];
  /** other names that playbooks use: Ansible's `systemd_service` for `systemd` */
  readonly aliases?: readonly string[];
  /** tasks in YAML (without a leading `tasks:`), shown by `tsplay doc` and executed by the tests */
  readonly examples: NonEmpty<string>;
  /** cross-field rules, before any connection */
  readonly check?: (values: Values<S>) => readonly Problem[];
  readonly probe: (values: Values<S>) => Probe<State>;
  readonly plan: (values: Values<S>, now: State, host: Host) => Plan;
  /** what `register` gets besides changed/failed/diff, in check mode too (then `after` may be unknown) */
  readonly result?: (
    values: Values<S>,
    before: State,
    after: State | Unknown,
    outputs: readonly Reply[],
  ) => Readonly<Record<string, Json>>;
};

/** A module as the engine sees it, its own types forgotten. */
export type Module = ModuleSpec;

/** Declares a module; its file's default export. */
export function defineModule<const S extends Params, State>(spec: ModuleSpec<S, State>): Module {
  return spec as unknown as Module;
}
