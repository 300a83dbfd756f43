// What a plan holds comes back as it was: every value, and every decision of every module that the project's own examples call for.
import '../../support/fixed-seed.ts';
import test from 'ava';
import fc from 'fast-check';
import {Secret} from '../../../src/base/secret.ts';
import {Unknown} from '../../../src/base/unknown.ts';
import {NotKeepable, PlanWriter, unpack} from '../../../src/store/plan-codec.ts';
import {Float, NamedTuple, Tuple} from '../../../src/template/values.ts';
import {bindModule} from '../../../src/catalog/bind.ts';
import {everyModule, exampleParams} from '../../laws/every-module.ts';

function throughText(value: unknown): unknown {
  const writer = new PlanWriter();
  const packed = writer.finish(writer.pack(value));
  const {data, texts, blobs} = JSON.parse(JSON.stringify(packed)) as typeof packed;
  return unpack(data, {texts, blobs});
}

/** Secrets compare by their text and ranges, which a deep comparison does not see. */
function open(value: unknown): unknown {
  if (value instanceof Secret) return {theSecret: value.parts()};
  if (value instanceof Uint8Array) return {theBytes: [...value]};
  if (Array.isArray(value)) return value.map(open);
  if (value instanceof Map) return [...value].map(open);
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .map(([key, one]) => [key, open(one)]),
    );
  return value;
}

const long = 'x'.repeat(500);
const values: readonly (readonly [what: string, value: unknown])[] = [
  ['null', null],
  ['an empty list', []],
  ['an empty mapping', {}],
  ['a long text', long],
  ['the same long text twice', [long, long]],
  ['a secret', Secret.of('geheim')],
  ['an empty secret', Secret.of('')],
  ['text around a secret', Secret.join(['user=', Secret.of('geheim'), '\n'])],
  ['two secrets side by side', Secret.join([Secret.of('a'), Secret.of('b')])],
  ['a long secret', Secret.of(long)],
  ['bytes', new Uint8Array([0, 255, 10])],
  ['no bytes', new Uint8Array()],
  ['unknown', new Unknown('task "x"')],
  ['a list with a hole', [undefined, 1]],
  ['NaN and infinity', [NaN, Infinity, -Infinity]],
  ['a large integer', 2n ** 80n],
  ['a float', new Float(2)],
  ['a tuple', Tuple.from_([1, 'a'])],
  ['a named tuple', NamedTuple.of_(['key', 'list'], ['k', [1]])],
  [
    'a mapping with keys of any kind',
    new Map<unknown, unknown>([
      [1, 'a'],
      [true, Secret.of('b')],
    ]),
  ],
  ['a set', new Set([1, 2])],
  ['a date', new Date('2026-01-01T00:00:00Z')],
  ['keys that look like ours', {$secret: 'no', $t: 5}],
  ['a key that is a trap', JSON.parse('{"__proto__": {"polluted": true}}')],
];
for (const [what, value] of values)
  test(`comes back: ${what}`, (t) => {
    const back = throughText(value);
    t.deepEqual(open(back), open(value));
    t.is(Object.getPrototypeOf(back ?? {}), Object.getPrototypeOf(value ?? {}));
  });

test('any data comes back', (t) => {
  fc.assert(
    fc.property(
      fc.anything({
        withBoxedValues: false,
        maxDepth: 4,
        values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)],
      }),
      (value) => {
        t.deepEqual(open(throughText(value)), open(value));
      },
    ),
  );
});

test('secrets come back with their ranges', (t) => {
  const piece = fc.tuple(fc.string(), fc.boolean());
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const value = Secret.join(pieces.map(([text, secret]) => (secret ? Secret.of(text) : text)));
      const back = throughText(value);
      t.deepEqual(open(back), open(value));
      t.is(String(back), String(value));
    }),
  );
});

test('a function is not keepable, and nobody is told that it was kept', (t) => {
  t.throws(() => new PlanWriter().pack({a: [() => 1]}), {instanceOf: NotKeepable});
  t.throws(() => new PlanWriter().pack(new URL('http://a/')), {instanceOf: NotKeepable});
});

test('the parameters of every example of every module come back, and ask for the same reads', (t) => {
  let count = 0;
  for (const [name, module] of everyModule)
    for (const given of exampleParams(module)) {
      const bound = bindModule(module, given, {
        file: (path) => ({type: 'missing', path, searched: []}),
        template: (path) => ({path, text: Secret.join(['a ', Secret.of('b')])}),
      });
      if (bound.bound !== 'values') continue;
      const back = throughText(bound.values) as Record<string, unknown>;
      t.deepEqual(open(back), open(bound.values), name);
      const keys = (values: unknown): string[] => module.probe(values as never).reads.map(({key}) => key);
      t.deepEqual(keys(back), keys(bound.values), name);
      count++;
    }
  t.true(count > 50, String(count));
});
