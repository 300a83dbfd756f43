// A template reaches nothing but its variables, and cannot take the controller down.
import fc from 'fast-check';
import test from 'ava';
import {contextOf} from '../../../src/template/environment.ts';
import {standardEnvironment} from '../../../src/template/standard.ts';
import {parseExpression, parseTemplate} from '../../../src/template/template.ts';

const environment = standardEnvironment({budget: 200_000});
const variables = {
  s: 'text',
  l: [1, 2],
  d: {a: 1},
  fact: '{{ 7 * 7 }}{% set x = 1 %}',
  own: JSON.parse('{"__proto__": "own", "constructor": "mine"}') as unknown,
  native: (): number => 1,
  date: new Date(0),
};
const context = contextOf(variables);

function evaluate(text: string): {value: unknown} | {code: string} {
  const parsed = parseExpression(text);
  if (!parsed.ok) return {code: parsed.errors[0].code};
  const rendered = parsed.value.evaluate(context, environment);
  return rendered.ok ? {value: rendered.value} : {code: rendered.error.code};
}

const prototypeRows = [
  "''.constructor",
  "s['constructor']",
  's.__proto__',
  "d['__proto__']",
  'd.constructor',
  'd.hasOwnProperty',
  'd.toString',
  'l.constructor',
  "l['__proto__']",
  'l.length',
  'l.push',
  'l.__class__',
  '[].__class__.__mro__',
  "''.__class__.__base__.__subclasses__()",
  '(1).constructor',
  '(1.5).toFixed',
  'true.constructor',
  'none.__class__',
  'range.constructor',
  'range.call',
  'range.__globals__',
  's.upper.constructor',
  'namespace(a=1).constructor',
  'namespace(a=1).__proto__',
  "dict(a=1)['__proto__']",
  "d | attr('__class__')",
  "l | attr('constructor')",
  "[d] | map(attribute='__proto__') | first",
  "[d] | map(attribute='constructor.name') | list",
  "'{0.__class__}'.format(d)",
  "'{0[__proto__]}'.format(d)",
  "'%(__proto__)s' % d",
  "'a' | regex_replace('(?P<constructor>a)', '\\\\g<__proto__>')",
  'date.getTime',
  'toString',
  '__proto__',
  'constructor',
  'globalThis',
  'process',
  'native()',
];

for (const text of prototypeRows) {
  test(`nothing but own data is reached: ${text}`, (t) => {
    const outcome = evaluate(text);
    t.true('code' in outcome, JSON.stringify(outcome));
  });
}

test('own keys of any name are plain data', (t) => {
  t.deepEqual(evaluate("own['__proto__']"), {value: 'own'});
  t.deepEqual(evaluate('own.constructor'), {value: 'mine'});
  const made = evaluate("{'__proto__': 1, 'a': 2}");
  t.true('value' in made && made.value instanceof Map);
  t.deepEqual(evaluate("({'__proto__': {'polluted': 1}} | combine({'a': 1}, recursive=true)).polluted is defined"), {
    value: false,
  });
  t.is(({} as Record<string, unknown>)['polluted'], undefined);
});

test('values are never evaluated as templates', (t) => {
  t.deepEqual(evaluate('fact'), {value: variables.fact});
  t.deepEqual(evaluate("fact ~ ''"), {value: variables.fact});
  t.deepEqual(evaluate("[fact] | join('')"), {value: variables.fact});
  const parsed = parseTemplate('<{{ fact }}>{% for i in [fact] %}{{ i }}{% endfor %}');
  t.true(parsed.ok);
  if (parsed.ok)
    t.deepEqual(parsed.value.render(context, environment), {ok: true, value: `<${variables.fact}>${variables.fact}`});
});

const budgetRows = [
  'range(10**9)',
  "'x' * 10**9",
  '[1] * 10**9',
  "('x' * 10**7) * 10",
  '2 ** (10 ** 9)',
  '10 ** 100000',
  "'%1000000000d' % 1",
  "'{:1000000000}'.format(1)",
  "'x'.center(10**9)",
  "'x' | center(10**9)",
  "'x'.ljust(10**10)",
  "'1'.zfill(10**9)",
  "'x' | indent(10**10)",
  "'a\\tb'.expandtabs(10**9)",
  'range(1000) | product(repeat=5) | list',
  'range(50) | permutations | list',
  'range(100) | combinations(50) | list',
  '[1] | slice(10**9) | list',
  "('x' * 10**6).replace('x', 'y' * 10**6)",
  "('x' * 10**6) | regex_replace('x', 'y' * 1000)",
  "range(999999) | map('string') | list",
  "range(999999) | select('odd') | list",
  '('.repeat(1000) + '1' + ')'.repeat(1000),
  '['.repeat(5000),
  'not '.repeat(5000) + 'true',
  `${'-'.repeat(5000)}1`,
];

for (const text of budgetRows) {
  test(`too much work is refused: ${text.slice(0, 50)}`, (t) => {
    const outcome = evaluate(text);
    t.true(
      'code' in outcome && ['template-budget', 'template-syntax'].includes(outcome.code),
      JSON.stringify(outcome).slice(0, 200),
    );
  });
}

const endless = [
  '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}',
  '{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}',
  '{% for a in range(1000) if a > 5000 %}{% endfor %}{% for a in range(200000) %}{% endfor %}',
  '{% set l = [1] %}{% for i in range(100) %}{% set _ = l.extend(l) %}{% endfor %}',
  '{% set ns = namespace(s="x") %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}',
  '{% set l = [] %}{% set _ = l.append(l) %}{{ l }}',
  '{% include "self" %}',
  '{% extends "self" %}',
  '{% for x in [[[]]] recursive %}{{ loop([x]) }}{% endfor %}',
];

for (const text of endless) {
  test(`it ends: ${text}`, (t) => {
    const parsed = parseTemplate(text);
    t.true(parsed.ok);
    const loop = standardEnvironment({budget: 200_000, load: (path) => ({text, path})});
    if (parsed.ok) {
      const rendered = parsed.value.renderText(context, loop);
      t.is(rendered.ok ? 'rendered' : rendered.error.code, 'template-budget');
    }
  });
}

test('law: any text gives a value or a located error, never an exception', (t) => {
  const piece = fc.constantFrom(
    '{{',
    '}}',
    '{%',
    '%}',
    '{#',
    '#}',
    ' ',
    'if',
    'for',
    'x',
    'in',
    'd',
    '.',
    '|',
    '(',
    ')',
    '[',
    ']',
    "'",
    '"',
    '1',
    '-',
    '+',
    '~',
    ':',
    ',',
    'is',
    'not',
    'else',
    'endif',
    'endfor',
    'set',
    '=',
    '\n',
    'raw',
    'endraw',
    'upper',
    'default',
    '**',
    '\\',
    'é',
    '{',
    '}',
  );
  fc.assert(
    fc.property(fc.array(piece, {maxLength: 25}), (pieces) => {
      const text = pieces.join('');
      const parsed = parseTemplate(text);
      if (parsed.ok) {
        const rendered = parsed.value.render(context, environment);
        if (rendered.ok) return true;
        return (
          rendered.error.start >= 0 && rendered.error.end <= text.length && rendered.error.start <= rendered.error.end
        );
      }
      const [{start, end}] = parsed.errors;
      return start >= 0 && start <= end && end <= text.length;
    }),
    {numRuns: 3000},
  );
  t.pass();
});

test('law: text without tags comes back as it is', (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      if (/\{[{%#]|\r/.test(text)) return true;
      const parsed = parseTemplate(text);
      if (!parsed.ok || !parsed.value.isConstant) return false;
      const rendered = parsed.value.render(context, environment);
      return rendered.ok && rendered.value === text;
    }),
  );
  t.pass();
});
