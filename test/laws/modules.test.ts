// Laws that every module keeps, whatever it manages: nothing here names a module, so a new file in modules/ is held to them at once.
import {Ajv} from 'ajv';
import test from 'ava';
import fc from 'fast-check';
import {bindModule} from '../../src/catalog/bind.ts';
import {Secret} from '../../src/base/secret.ts';
import {predictOps} from '../../src/engine/predict.ts';
import type {Host, Kind, Module, Op, Params, Plan, Probe} from '../../src/kit/index.ts';
import {schemaOfParams} from '../../src/kit/json-schema.ts';
import {lowerOp} from '../../src/remote/lower.ts';
import {Redactor} from '../../src/secrets/redactor.ts';
import {everyModule, exampleParams, exampleTasks} from './every-module.ts';
import {stateOf} from './state-arbitrary.ts';
import {controller, paramsFor, withSecrets} from './values-arbitrary.ts';

const runs = Number(process.env['TSPLAY_LAW_RUNS'] ?? 100);
const statesEach = 6;

const hosts: readonly Host[] = ['Debian', 'Suse', 'RedHat', 'Alpine', undefined].map((family): Host => ({
  name: 'h1',
  facts: family === undefined ? {} : {os_family: family, distribution: family, hostname: 'h1', fqdn: 'h1.lab'},
  now: new Date('2026-01-01T00:00:00Z'),
  connection: {user: 'admin', from: '192.0.2.9', keySha256: 'SHA256:abc', become: 'root'},
}));

for (const [name, module] of everyModule) {
  test(`${name}: its name is its file's, and all is documented`, (t) => {
    t.is(module.name, name);
    t.regex(module.summary, /^\S.{3,}[^.\s]$/);
    t.true(module.examples.length > 0);
    for (const [path, doc] of docsOf(module.params)) t.regex(doc, /\S{2,}/, path);
    t.notThrows(() => new Ajv({strict: true}).compile(schemaOfParams(module.params)));
  });

  test(`${name}: its examples are tasks that use it and bind without problems`, (t) => {
    for (const example of module.examples) t.true(exampleTasks(example).length > 0);
    const given = exampleParams(module);
    t.true(given.length > 0, 'no example uses the module');
    for (const params of given) {
      const bound = bindModule(module, params, controller);
      t.is(bound.bound, 'values', JSON.stringify(bound));
    }
  });

  test(`${name}: plan is total, deterministic, leaves its inputs alone and shows no secret`, (t) => {
    let bindings = 0;
    const kinds = new Set<Plan['kind']>();
    fc.assert(
      fc.property(paramsFor(module), fc.infiniteStream(fc.nat(0x7fffffff)), (params, seeds) => {
        const bound = bindModule(module, params, controller);
        if (bound.bound !== 'values') return;
        bindings++;
        holds(module, bound.values, seeds, kinds);
      }),
      {numRuns: runs, seed: 20_260_101, endOnFailure: true, includeErrorInReport: true},
    );
    for (const params of exampleParams(module)) {
      const bound = bindModule(module, withSecrets(module.params, params), controller);
      if (bound.bound !== 'values') return t.fail(JSON.stringify(bound));
      for (let seed = 0; seed < 10; seed++) holds(module, bound.values, streamFrom(seed * 1000), kinds);
      bindings++;
    }
    t.true(kinds.size > 0);
    t.true(bindings > runs / 20, `only ${bindings} of the generated parameters were bound`);
  });
}

function* streamFrom(start: number): Generator<number> {
  for (let n = start; ; n++) yield n;
}

/** The laws for one set of values, over some states. */
function holds(
  module: Module,
  values: Readonly<Record<string, unknown>>,
  seeds: Iterator<number>,
  kinds: Set<Plan['kind']>,
): void {
  const typed = deepFreeze(values) as never;
  const probe = module.probe(typed);
  const again = module.probe(typed);
  const show = (p: Probe<unknown>): string => JSON.stringify(p.reads.map(({key, read}) => [key, read]));
  if (show(probe) !== show(again)) throw new Error('probe is not deterministic');
  const redactor = new Redactor();
  for (const secret of secretsIn(values)) redactor.add(secret);
  for (const read of probe.reads) {
    hidden(redactor, read.key, 'a key');
    if (read.read !== 'raw') continue;
    hidden(redactor, read.fragment.shell, 'a fragment');
    if (typeof read.stdin === 'string') hidden(redactor, read.stdin, 'a plain stdin');
  }
  for (let i = 0; i < statesEach; i++) {
    const seed = (seeds.next().value as number | undefined) ?? i;
    const [state] = fc.sample(stateOf(probe), {numRuns: 1, seed}) as readonly unknown[] as [unknown];
    for (const secret of secretsIn(state)) redactor.add(secret);
    const host = hosts[seed % hosts.length]!;
    deepFreeze(state);
    const plan = module.plan(typed, state as never, host);
    kinds.add(plan.kind);
    const second = module.plan(typed, state as never, host);
    if (written(plan) !== written(second)) throw new Error('plan is not deterministic');
    if (plan.kind === 'change' && (plan.changes.length === 0 || plan.ops.length === 0))
      throw new Error('an empty change');
    if (plan.kind === 'refuse' && plan.problems.length === 0) throw new Error('a refusal without a reason');
    hidden(
      redactor,
      JSON.stringify([plan.pending, plan.findings, plan.kind === 'refuse' ? plan.problems : []]),
      'a message',
    );
    const result = module.result?.(typed, state as never, state as never, []);
    if (result !== undefined) JSON.stringify(result);
    if (plan.kind !== 'change') continue;
    hidden(redactor, JSON.stringify(plan.changes), 'a change');
    for (const op of plan.ops.flatMap((one): readonly Op[] =>
      one.op === 'guarded' ? [one, ...one.ops, ...one.undo] : [one],
    ))
      judgeOp(redactor, op);
    predictOps(plan.ops, () => undefined, 'task', 1_800_000_000);
  }
}

function judgeOp(redactor: Redactor, op: Op): void {
  hidden(redactor, JSON.stringify([op.sees, op.affects, (op.predicts ?? []).map(({key}) => key)]), 'a key of an op');
  if (op.op === 'guarded') return;
  if (op.op === 'run') {
    hidden(redactor, JSON.stringify(op.argv), 'argv');
    for (const [what, text] of Object.entries({stdin: op.stdin, script: op.script, ...op.environment}))
      if (typeof text === 'string') hidden(redactor, text, `${what} as plain text`);
  } else hidden(redactor, op.path, 'a path');
  const fragments = lowerOp(op, {
    backupDir: '/var/lib/tsplay/backup/run',
    group: 1,
    onFailure: 'stop',
    label: 'x',
    timeoutMs: 1000,
    content: op.op === 'write' && (typeof op.content === 'string' || op.content instanceof Secret) ? op.content : '',
  });
  for (const fragment of fragments) {
    hidden(redactor, fragment.label, 'a label');
    hidden(redactor, fragment.shell, 'a lowered script');
  }
}

function hidden(redactor: Redactor, text: string, where: string): void {
  if (redactor.redact(text) !== text) throw new Error(`a secret stands in ${where}: ${text.slice(0, 500)}`);
}

/** A plan as text, with what its secrets say. */
function written(plan: Plan): string {
  return JSON.stringify(plan, function (this: Record<string, unknown>, key, value: unknown) {
    const raw = this[key];
    return raw instanceof Secret ? raw.reveal() : raw instanceof Uint8Array ? [...raw] : value;
  });
}

function secretsIn(value: unknown, into: Secret[] = []): Secret[] {
  if (value instanceof Secret) into.push(value);
  else if (value !== null && typeof value === 'object' && !(value instanceof Uint8Array))
    for (const element of Object.values(value)) secretsIn(element, into);
  return into;
}

function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array || Object.isFrozen(value))
    return value;
  Object.freeze(value);
  for (const element of Object.values(value)) deepFreeze(element);
  return value;
}

/** Every parameter's documentation, inner ones too. */
function docsOf(params: Params, path = ''): readonly (readonly [path: string, doc: string])[] {
  return Object.entries(params).flatMap(([name, {doc, kind}]) => [
    [`${path}/${name}`, doc] as const,
    ...innerDocs(kind, `${path}/${name}`),
  ]);
}
function innerDocs(kind: Kind, path: string): readonly (readonly [string, string])[] {
  if (kind.kind === 'object') return docsOf(kind.params, path);
  if (kind.kind === 'list' || kind.kind === 'map') return innerDocs(kind.of, path);
  return kind.kind === 'either' ? kind.of.flatMap((one) => innerDocs(one, path)) : [];
}
