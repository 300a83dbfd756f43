// SELinux labels: the same four parameters for every module that writes one file. Where SELinux is off they mean nothing, as with Ansible.
import {Unknown} from '../base/unknown.ts';
import type {Module} from './module.ts';
import type {Op} from './op.ts';
import {change, type Change, type Plan} from './plan.ts';
import {all, type Probe} from './probe.ts';
import {read, stdoutText} from './reads.ts';
import {p} from './schema.ts';
import {sh} from './shell.ts';

const labelParams = {
  seuser: p.string('SELinux user; `_default` or nothing: what the policy says'),
  serole: p.string('SELinux role'),
  setype: p.string('SELinux type'),
  selevel: p.string('SELinux level', {aliases: ['serange']}),
  attributes: p.string('not supported: use `command: chattr`', {aliases: ['attr']}),
  unsafe_writes: p.boolean('accepted for compatibility: files are always replaced as a whole'),
};
const parts = ['seuser', 'serole', 'setype', 'selevel'] as const;
const flags = {seuser: '-u', serole: '-r', setype: '-t', selevel: '-l'} as const;

type Wanted = readonly (readonly [part: (typeof parts)[number], value: string])[];
/** The label that a file has; undefined = SELinux is off. */
type Label = readonly string[] | undefined;
type State = {readonly inner: unknown; readonly label: Label};

/** A module with the parameters for a label. `param`: the one that holds the path. */
export function labelled(module: Module, param: string): Module {
  const own = module as unknown as {
    check?: (values: object) => readonly object[];
    probe: (values: object) => Probe<unknown>;
    plan: (values: object, now: unknown, host: unknown) => Plan;
    result?: (values: object, before: unknown, after: unknown, outputs: unknown) => object;
  };
  const {result} = own;
  return {
    ...module,
    params: {...module.params, ...labelParams},
    check: (values: object) => [...(own.check?.(values) ?? []), ...mistakes(values)],
    probe: (values: object) =>
      wantedOf(values).length === 0
        ? own.probe(values)
        : all({inner: own.probe(values), label: labelOf(pathOf(values, param))}),
    plan: (values: object, now: unknown, host: unknown): Plan => {
      const wanted = wantedOf(values);
      if (wanted.length === 0) return own.plan(values, now, host);
      const {inner, label} = now as State;
      return withLabel(own.plan(values, inner, host), pathOf(values, param), wanted, label);
    },
    ...(result === undefined
      ? {}
      : {
          result: (values: object, before: unknown, after: unknown, outputs: unknown): object => {
            const plain = wantedOf(values).length === 0;
            const last = plain || after instanceof Unknown ? after : (after as State).inner;
            return result(values, plain ? before : (before as State).inner, last, outputs);
          },
        }),
  } as unknown as Module;
}

function pathOf(values: object, param: string): string {
  return String((values as Record<string, unknown>)[param] ?? '');
}

function wantedOf(values: object): Wanted {
  const given = values as Partial<Record<string, unknown>>;
  return parts.flatMap((part) => {
    const value = given[part];
    return typeof value === 'string' && value !== '' && value !== '_default' ? [[part, value] as const] : [];
  });
}

function mistakes(values: object): readonly object[] {
  const {attributes} = values as {attributes?: string};
  return attributes === undefined || attributes === ''
    ? []
    : [
        {
          code: 'unsupported',
          message: '`attributes` is not supported',
          param: '/attributes',
          help: 'use `command: chattr …` behind this task',
        },
      ];
}

function labelOf(path: string): Probe<Label> {
  return read(
    sh`[ -e /sys/fs/selinux/enforce ] || exit 0; echo on; stat -c %C -- ${path} 2>/dev/null`,
    (reply): Label => {
      const [on = '', context = ''] = stdoutText(reply).split('\n');
      return on === 'on' ? [...context.split(':').slice(0, 3), context.split(':').slice(3).join(':')] : undefined;
    },
    {dependsOn: [`file:${path}`]},
  );
}

/** What a plan does and, behind it, the label: a file that is replaced gets a new one. */
function withLabel(plan: Plan, path: string, wanted: Wanted, label: Label): Plan {
  if (label === undefined || plan.kind === 'refuse') return plan;
  const changes: Change[] = wanted.flatMap(([part, value]) => {
    const before = label[parts.indexOf(part)];
    return before === value ? [] : [{what: part, before: before === '' ? undefined : before, after: value}];
  });
  if (plan.kind === 'converged' && changes.length === 0) return plan;
  const op: Op = {
    op: 'run',
    argv: ['chcon', ...wanted.flatMap(([part, value]) => [flags[part], value]), '--', path],
    affects: [`file:${path}`],
  };
  if (plan.kind === 'converged') return {...plan, ...change(changes, [op])};
  return {...plan, changes: [...plan.changes, ...changes], ops: [...plan.ops, op]};
}
