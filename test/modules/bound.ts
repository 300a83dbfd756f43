// Binds a module's parameters as YAML users write them, and plans on a state that a test made up.
import {bindModule} from '../../src/catalog/bind.ts';
import type {Host, Module, Plan} from '../../src/kit/index.ts';
import type {Resolver} from '../../src/kit/wrap.ts';

const noFiles: Resolver = {
  file: (path) => ({type: 'missing', path: `/site/${path}`, searched: [`/site/${path}`]}),
  template: () => {
    throw new Error('no templates here');
  },
};

/** A Debian host at a fixed time, reached as admin who becomes root. */
export const debianHost: Host = {
  name: 'h1',
  facts: {os_family: 'Debian'},
  now: new Date('2026-01-01T00:00:00Z'),
  connection: {user: 'admin', from: '192.0.2.9', become: 'root'},
};
export const suseHost: Host = {...debianHost, facts: {os_family: 'Suse'}};

/** The values that the module gets. *errors*: throws where the parameters are wrong. */
export function bound(module: Module, given: Record<string, unknown>, resolver: Resolver = noFiles): never {
  const result = bindModule(module, given, resolver);
  if (result.bound !== 'values') throw new Error(JSON.stringify(result));
  return result.values as never;
}

/** Codes of what is wrong with parameters, with the pointer: `no-realm /realm`. Warnings too. */
export function mistakes(module: Module, given: Record<string, unknown>): string[] {
  const result = bindModule(module, given, noFiles);
  if (result.bound === 'problems') return result.problems.map((p) => `${p.code} ${p.pointer}`.trim());
  return result.bound === 'values' ? (result.warnings ?? []).map((p) => `${p.code} ${p.pointer}`.trim()) : ['unknown'];
}

export function planned(module: Module, given: Record<string, unknown>, state: unknown, host: Host = debianHost): Plan {
  return module.plan(bound(module, given), state as never, host);
}

/** A plan in one line a fact: `converged`, `refuse CODE`, or the changes as `what: before -> after`. */
export function told(plan: Plan): string[] {
  if (plan.kind === 'converged') return ['converged'];
  if (plan.kind === 'refuse') return plan.problems.map((p) => `refuse ${p.code}`);
  const show = (value: unknown): string => (value === undefined ? 'absent' : String(value));
  return plan.changes.map((c) => `${c.what}: ${show(c.before)} -> ${show(c.after)}`);
}

/** The commands that a plan runs and the files that it writes, guarded ones too. */
export function doing(plan: Plan): string[] {
  if (plan.kind !== 'change') return [];
  return plan.ops
    .flatMap((op) => (op.op === 'guarded' ? op.ops : [op]))
    .map((op) =>
      op.op === 'run'
        ? op.argv.map((word) => (typeof word === 'string' ? word : '%s')).join(' ')
        : `${op.op} ${op.path}`,
    );
}

/** A regular file's state. */
export function fileState(text: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const content = new TextEncoder().encode(text);
  return {
    type: 'file',
    content,
    sizeBytes: content.length,
    sha256: 'x',
    mode: 0o644,
    owner: 'root',
    group: 'root',
    uid: 0,
    gid: 0,
    mtimeS: 1000,
    ...more,
  };
}
export const absent = {type: 'absent'} as const;
