// The judge speaks for the schema: whatever ajv accepts it accepts, and nothing else.
import {Ajv} from 'ajv';
import fc from 'fast-check';
import test from 'ava';
import {judgeParams} from '../../../src/catalog/judge.ts';
import {schemaOfParams} from '../../../src/kit/json-schema.ts';
import {p} from '../../../src/kit/schema.ts';
import type {Params} from '../../../src/kit/schema.ts';

const params: Params = {
  name: p.string('a name', {required: true, pattern: '^[a-z]+$'}),
  long: p.string('two characters', {minLength: 2}),
  text: p.text('a text'),
  password: p.secret('a secret'),
  on: p.boolean('a switch'),
  count: p.integer('a number', {min: 1, max: 9}),
  ratio: p.number('a ratio', {max: 1}),
  mode: p.mode('a mode'),
  path: p.path('a path'),
  state: p.choice(['present', 'absent'], 'a state'),
  tags: p.list(p.string('a tag'), 'tags', {nonEmpty: true}),
  rule: p.object({type: p.choice(['auth'], 'type', {required: true}), port: p.integer('a port')}, 'a rule'),
  env: p.map(p.string('a value'), 'variables'),
  free: p.any('anything'),
  file: p.controllerFile('a file'),
  either: p.either(p.integer('a number'), p.choice(['none'], 'none'), 'a number or none'),
  source: p.either(p.string('one'), p.list(p.string('each'), 'several'), 'one or several'),
};

const ajv = new Ajv({strict: true, allErrors: true, allowUnionTypes: true});
const validate = ajv.compile(schemaOfParams(params));

const value = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    'a',
    'ab',
    'Ab',
    '0644',
    'u=rw',
    '9',
    '/a',
    'a/b',
    'present',
    'none',
    'auth',
    true,
    false,
    0,
    1,
    5,
    10,
    0.5,
    1.5,
    null,
  ),
  fc.array(fc.constantFrom<unknown>('a', 1, true), {maxLength: 2}),
  fc.dictionary(fc.constantFrom('type', 'port', 'x'), fc.constantFrom<unknown>('auth', 'b', 3)),
);

test('the judge and ajv agree', (t) => {
  const given = fc.dictionary(fc.constantFrom(...Object.keys(params), 'unknown'), value, {maxKeys: 4});
  fc.assert(
    fc.property(given, fc.boolean(), (some, named) => {
      const values: Record<string, unknown> = named ? {name: 'abc', ...some} : {...some};
      t.is(judgeParams('m', params, values).length === 0, validate(values), JSON.stringify(values));
    }),
    {numRuns: 3000},
  );
});

const sentences: readonly [values: Record<string, unknown>, message: string, help?: string][] = [
  [{}, 'm: the parameter name is missing', 'name: a name'],
  [{name: 'a', stat: 1}, 'm: there is no parameter stat', 'did you mean state?'],
  [{name: 'a', state: 'presnt'}, 'm.state: expected one of present, absent', 'did you mean present?'],
  [{name: 'a', mode: 420}, 'm.mode: expected a quoted octal string such as "0644"'],
  [{name: 'a', count: 10}, 'm.count: expected an integer from 1 to 9'],
  [{name: 'a', tags: []}, 'm.tags: expected a list with at least one element (each: a string)'],
  [{name: 'a', tags: ['x', 1]}, 'm.tags[1]: expected a string'],
  [{name: 'a', rule: {type: 'auth', prt: 1}}, 'm.rule: there is no parameter prt', 'did you mean port?'],
  [{name: 'a', rule: {}}, 'm.rule: the parameter type is missing', 'type: type'],
  [{name: 'a', either: 'x'}, 'm.either: expected an integer, or `none`'],
  [{name: 'a', source: [1]}, 'm.source[0]: expected a string'],
  [
    {name: 'a', path: '~/x'},
    'm.path: expected an absolute path',
    'write the home folder out: there is no ~ on the host',
  ],
];
for (const [values, message, help] of sentences) {
  test(`sentence: ${message}`, (t) => {
    const [misfit, ...more] = judgeParams('m', params, values);
    t.deepEqual(more, []);
    t.is(misfit?.message, message);
    t.is(misfit?.help, help);
  });
}
