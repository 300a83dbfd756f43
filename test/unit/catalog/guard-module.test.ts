// Whatever a module's author gets wrong at run time is a ModuleFault that names the module, the phase and the place in its file.
import test from 'ava';
import {guardModule} from '../../../src/catalog/guard-module.ts';
import {converged, defineModule, nothing, read, sh, type Module} from '../../../src/kit/index.ts';
import {ModuleFault} from '../../../src/kit/module-fault.ts';

const whole = {name: 'mine', summary: 's', params: {}, examples: ['- mine:\n'] as const};
const host = {facts: {}, now: new Date(0), connection: {user: 'a', from: ''}} as never;
const broken = (): never => {
  throw new TypeError('no such thing\nat all');
};
const reply = {exit: 0, stdout: new Uint8Array(), stderr: new Uint8Array()};

function use(module: Module): unknown {
  const guarded = guardModule(module, 'modules/guard-module.test.ts', false);
  const probe = guarded.probe({});
  const values = probe.reads.map((one) => (one.read === 'raw' ? one.parse(reply) : undefined));
  const state = probe.join(values);
  guarded.plan({}, state, host);
  return guarded.result?.({}, state, state, []);
}

const cases: readonly (readonly [name: string, phase: string, Module])[] = [
  ['a probe that throws', 'probe', defineModule({...whole, probe: broken, plan: () => converged()})],
  ['no probe', 'probe', defineModule({...whole, probe: () => undefined as never, plan: () => converged()})],
  [
    'a reply that cannot be read',
    'parse',
    defineModule({...whole, probe: () => read(sh`true`, broken, {dependsOn: []}), plan: () => converged()}),
  ],
  [
    'a join that throws',
    'probe',
    defineModule({...whole, probe: () => ({reads: [], join: broken}), plan: () => converged()}),
  ],
  ['a plan that throws', 'plan', defineModule({...whole, probe: () => nothing(1), plan: broken})],
  ['no plan', 'plan', defineModule({...whole, probe: () => nothing(1), plan: () => undefined as never})],
  [
    'a change without ops',
    'plan',
    defineModule({
      ...whole,
      probe: () => nothing(1),
      plan: () => ({kind: 'change', changes: [{what: 'x', before: 'a', after: 'b'}], ops: []}) as never,
    }),
  ],
  [
    'a result that throws',
    'result',
    defineModule({...whole, probe: () => nothing(1), plan: () => converged(), result: broken}),
  ],
];

for (const [name, phase, module] of cases)
  test(name, (t) => {
    const fault = t.throws(() => use(module), {instanceOf: ModuleFault});
    t.regex(fault.message, new RegExp(`^the module mine broke in its ${phase}: TypeError: `));
    if (fault.message.includes('no such thing'))
      t.regex(fault.message, /no such thing \(modules\/guard-module\.test\.ts:\d+:\d+\)$/);
    t.is(fault.help, 'mend the module: modules/guard-module.test.ts');
  });

test('a check that throws is a problem of the task', (t) => {
  const module = defineModule({...whole, probe: () => nothing(1), plan: () => converged(), check: broken});
  const [problem] = guardModule(module, 'modules/mine.ts', true).check?.({}) ?? [];
  t.is(problem?.code, 'module-fault');
  t.regex(problem?.help ?? '', /a fault in tsplay itself/);
});

test('what is right passes unchanged', (t) => {
  const module = defineModule({
    ...whole,
    probe: () => read(sh`true`, ({exit}) => exit, {dependsOn: []}),
    plan: (_, exit) => (exit === 0 ? converged() : broken()),
    result: () => ({a: 1}),
  });
  t.deepEqual(use(module), {a: 1});
});
