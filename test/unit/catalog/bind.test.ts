import test from 'ava';
import {bindAction, bindModule, bindParams} from '../../../src/catalog/bind.ts';
import {Unresolved} from '../../../src/catalog/unresolved.ts';
import {error} from '../../../src/base/diagnostic.ts';
import {Secret} from '../../../src/base/secret.ts';
import {Unknown} from '../../../src/base/unknown.ts';
import {converged, defineModule, nothing, p} from '../../../src/kit/index.ts';
import type {Resolver} from '../../../src/kit/wrap.ts';

const resolver: Resolver = {
  file: (path) => ({type: 'missing', path, searched: []}),
  template: (path) => {
    throw new Unresolved(path === 'later' ? new Unknown('fact x') : [error('template-syntax', 'broken')]);
  },
};

const params = {
  path: p.path('where', {required: true, aliases: ['dest', 'name']}),
  on: p.boolean('a switch', {default: true}),
  count: p.integer('how many'),
  list: p.list(p.string('each'), 'some'),
  password: p.secret('hidden'),
  text: p.text('a text'),
  src: p.template('a template'),
};

const values: readonly [title: string, given: Record<string, unknown>, bound: Record<string, unknown>][] = [
  ['defaults', {path: '/a'}, {path: '/a', on: true}],
  ['aliases', {dest: '/a'}, {path: '/a', on: true}],
  [
    'lenient reading',
    {path: '/a//b/', on: 'no', count: '3', list: 'a, b'},
    {path: '/a/b', on: false, count: 3, list: ['a', 'b']},
  ],
  ['null is not given', {path: '/a', count: null}, {path: '/a', on: true}],
];
for (const [title, given, expected] of values) {
  test(`values: ${title}`, (t) => {
    const bound = bindParams('m', params, given, resolver);
    t.is(bound.bound, 'values');
    const present =
      bound.bound === 'values'
        ? Object.fromEntries(Object.entries(bound.values).filter(([, v]) => v !== undefined))
        : {};
    t.deepEqual(present, expected);
  });
}

test('secrets: a password is wholly secret, a text keeps its ranges', (t) => {
  const text = Secret.join(['user ', Secret.of('geheim')]);
  const bound = bindParams('m', params, {path: '/a', password: 'pw', text}, resolver);
  if (bound.bound !== 'values') return t.fail();
  t.is(String(bound.values['password']), '********');
  t.is(bound.values['text'], text);
});

test('problems name the parameter as the user spelled it', (t) => {
  const bound = bindParams('m', params, {dest: 'a', lst: 1}, resolver);
  t.deepEqual(bound.bound === 'problems' ? bound.problems.map(({pointer, at, code}) => [pointer, at, code]) : [], [
    ['/dest', 'value', 'bad-param'],
    ['/lst', 'key', 'unknown-param'],
  ]);
});

test('what is not known yet is neither judged nor missing, and mistakes beside it are found', (t) => {
  const later = new Unknown('fact x');
  t.deepEqual(bindParams('m', params, {dest: later}, resolver), {bound: 'unknown', cause: 'fact x'});
  t.like(bindParams('m', params, {dest: later, count: 'x'}, resolver), {bound: 'problems'});
  t.deepEqual(bindParams('m', params, {dest: '/a', list: ['a', later]}, resolver), {bound: 'unknown', cause: 'fact x'});
  t.like(bindParams('m', params, {dest: '/a', nope: later}, resolver), {bound: 'problems'});
});

test('templates that cannot be rendered', (t) => {
  t.deepEqual(bindParams('m', params, {path: '/a', src: 'later'}, resolver), {bound: 'unknown', cause: 'fact x'});
  const bound = bindParams('m', params, {path: '/a', src: 'broken'}, resolver);
  t.like(bound.bound === 'problems' ? bound.problems[0] : undefined, {pointer: '/src', code: 'template-syntax'});
});

test('rules between parameters are asked last; unknown names do not keep them away', (t) => {
  const module = defineModule({
    name: 'm',
    summary: 's',
    params,
    examples: ['- m:\n'],
    check: (v) => (v.count === undefined ? [{code: 'bad-combination', message: 'count it', param: '/count'}] : []),
    probe: () => nothing(null),
    plan: () => converged(),
  });
  const bound = bindModule(module, {path: '/a', extra: 1}, resolver);
  t.deepEqual(bound.bound === 'problems' ? bound.problems.map(({code}) => code) : [], [
    'unknown-param',
    'bad-combination',
  ]);
  t.is(bindModule(module, {path: '/a', count: 1}, resolver).bound, 'values');
});

test('actions: keys of the user’s own pass, expressions are left alone', (t) => {
  const action = {
    name: 'a',
    summary: 's',
    params: {that: p.any('conditions', {required: true}), on: p.boolean('x')},
    anyKeys: true as const,
    expressions: ['that'],
    examples: [],
  };
  t.deepEqual(bindAction(action, {on: 'yes', mine: [1], later: new Unknown('t')}).bound, 'unknown');
  t.deepEqual(bindAction(action, {on: 'yes', mine: [1]}), {bound: 'values', values: {on: true, mine: [1]}});
});
