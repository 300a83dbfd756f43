// The engine trusts no author: what a module throws, or gives instead of a probe or a plan, becomes a fault of that module with the place in its file,
// and costs one task on one host instead of the run.
import type {Module, ModuleSpec} from '../kit/module.ts';
import {ModuleFault} from '../kit/module-fault.ts';
import type {Plan} from '../kit/plan.ts';
import type {Probe} from '../kit/probe.ts';
import type {Problem} from '../kit/problem.ts';
import type {Read, Reply} from '../kit/reads.ts';

/** What a `parse` threw: thrown again where the reply is used, because replies of many tasks are read together. */
class ParseFailure {
  readonly fault: ModuleFault;

  constructor(fault: ModuleFault) {
    this.fault = fault;
  }
}

/** The same module, whose functions throw nothing but ModuleFault. `shown`: its file as messages name it; `own`: it is one of the package's. */
export function guardModule(module: Module, shown: string, own: boolean): Module {
  const spec = module as unknown as ModuleSpec<ModuleSpec['params'], unknown>;
  const help = own
    ? 'this is a fault in tsplay itself, not in the playbook; please report it with this message'
    : `mend the module: ${shown}`;
  const fault = (phase: string, cause: unknown): ModuleFault =>
    cause instanceof ModuleFault
      ? cause
      : new ModuleFault(`the module ${spec.name} broke in its ${phase}: ${told(cause, shown)}`, help);
  const guarded = <T>(phase: string, call: () => T): T => {
    try {
      return call();
    } catch (cause) {
      throw fault(phase, cause);
    }
  };
  const {check, result} = spec;
  const made: ModuleSpec<ModuleSpec['params'], unknown> = {
    ...spec,
    probe: (values) => guarded('probe', () => guardProbe(wellFormedProbe(spec.probe(values)), fault)),
    plan: (values, now, host) => guarded('plan', () => wellFormedPlan(spec.plan(values, now, host))),
    ...(check === undefined ? {} : {check: (values) => checked(() => check(values), fault)}),
    ...(result === undefined
      ? {}
      : {
          result: (values, before, after, outputs) => guarded('result', () => result(values, before, after, outputs)),
        }),
  };
  return made as unknown as Module;
}

function checked(
  call: () => readonly Problem[],
  fault: (phase: string, cause: unknown) => ModuleFault,
): readonly Problem[] {
  try {
    return call();
  } catch (cause) {
    const {message, help} = fault('check', cause);
    return [{code: 'module-fault', message, help}];
  }
}

function guardProbe(probe: Probe<unknown>, fault: (phase: string, cause: unknown) => ModuleFault): Probe<unknown> {
  const reads = probe.reads.map((read): Read => {
    if (read.read !== 'raw') return read;
    const {parse} = read;
    return {
      ...read,
      parse: (reply: Reply) => {
        try {
          return parse(reply);
        } catch (cause) {
          return new ParseFailure(fault('parse', cause));
        }
      },
    };
  });
  return {
    reads,
    join: (values) => {
      for (const value of values) if (value instanceof ParseFailure) throw value.fault;
      try {
        return probe.join(values);
      } catch (cause) {
        throw fault('probe', cause);
      }
    },
  };
}

function wellFormedProbe(probe: unknown): Probe<unknown> {
  const {reads, join} = (probe ?? {}) as Partial<Probe<unknown>>;
  if (!Array.isArray(reads) || typeof join !== 'function')
    throw new TypeError('it gives no probe (use read(), file(), all() … of the kit)');
  return probe as Probe<unknown>;
}

function wellFormedPlan(plan: unknown): Plan {
  const given = (plan ?? {}) as Partial<Record<string, unknown>>;
  const full = (list: unknown): boolean => Array.isArray(list) && list.length > 0;
  const good =
    given['kind'] === 'converged' ||
    (given['kind'] === 'change' && full(given['changes']) && full(given['ops'])) ||
    (given['kind'] === 'refuse' && full(given['problems']));
  if (!good) throw new TypeError('it gives no plan (use converged(), change() or refuse() of the kit)');
  return plan as Plan;
}

/** What was thrown, with the place in the module's file where the stack tells it. */
function told(cause: unknown, shown: string): string {
  if (!(cause instanceof Error)) return String(cause);
  const file = shown.split('/').at(-1) ?? shown;
  const at = (cause.stack ?? '')
    .split('\n')
    .map((line) => /:(\d+:\d+)\)?$/.exec(line.split(`/${file}`)[1] ?? '')?.[1])
    .find((place) => place !== undefined);
  const message = cause.message.split('\n')[0] ?? '';
  return `${cause.name}: ${message}${at === undefined ? '' : ` (${shown}:${at})`}`;
}
