// The engine's own promises: native types, located errors, static knowledge, lazy variables.
import test from 'ava';
import {error} from '../../../src/base/diagnostic.ts';
import {Unknown} from '../../../src/base/unknown.ts';
import {contextOf, type Context, type Filter} from '../../../src/template/environment.ts';
import {Fault, Misuse, type TemplateProblem} from '../../../src/template/fault.ts';
import {toPlain} from '../../../src/template/plain.ts';
import {standardEnvironment} from '../../../src/template/standard.ts';
import {
  looksLikeTemplate,
  parseExpression,
  parseTemplate,
  type ParseOptions,
  type Template,
} from '../../../src/template/template.ts';
import {Float, Func, Undefined} from '../../../src/template/values.ts';

const environment = standardEnvironment();
const variables = {
  n: 7,
  text: 'a text',
  list: [1, 2],
  host: {name: 'kvm1', address: '10.0.0.1'},
  inventory_hostname: 'kvm1',
  nothing: null,
};
const context = contextOf(variables);

function template(text: string, options: ParseOptions = {}): Template {
  const parsed = parseTemplate(text, options);
  if (!parsed.ok) throw new Error(parsed.errors[0].message);
  return parsed.value;
}

function rendered(text: string, options: ParseOptions = {}): unknown {
  const result = template(text, options).render(context, environment);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function problem(text: string): TemplateProblem {
  const parsed = parseTemplate(text);
  if (!parsed.ok) return parsed.errors[0];
  const result = parsed.value.render(context, environment);
  if (result.ok) throw new Error(`no error but ${JSON.stringify(result.value)}`);
  return result.error;
}

const nativeRows: readonly (readonly [string, unknown])[] = [
  ['{{ n }}', 7],
  ['{{ list }}', [1, 2]],
  ['{{ host }}', variables.host],
  ['{{ nothing }}', null],
  ['{{ n > 5 }}', true],
  ['{{ 4 / 2 }}', new Float(2)],
  [' {{ n }}', ' 7'],
  ['{{ n }}\n', '7\n'],
  ['{{ n }}{{ n }}', '77'],
  ['{{ "[1, 2]" }}', '[1, 2]'],
  ['[{{ n }}]', '[7]'],
  ['{{ "7" }}', '7'],
  ['{% set x = n %}{{ x }}', 7],
  ['{% if n %}{{ list }}{% endif %}', [1, 2]],
  ['{% for i in [5] %}{{ i }}{% endfor %}', '5'],
  ['{% if not n %}{{ n }}{% endif %}', ''],
  ['{# why #}{{ n }}', 7],
  ['{{ nothing }} x', ' x'],
  ["{{ 'x' if nothing }}", ''],
  ['', ''],
];

for (const [text, wanted] of nativeRows) {
  test(`a single expression keeps its type: ${JSON.stringify(text)}`, (t) => t.deepEqual(rendered(text), wanted));
}

test('a template file is always text', (t) => {
  const result = template('{{ n }}', {file: true}).renderText(context, environment);
  t.deepEqual(result, {ok: true, value: '7'});
});

const problemRows: readonly (readonly [text: string, code: string, at: string, help: string | undefined])[] = [
  ['{{ hst.name }}', 'undefined-variable', 'hst', 'did you mean "host"?'],
  ['a {{ inventory_hostnam }} b', 'undefined-variable', 'inventory_hostnam', 'did you mean "inventory_hostname"?'],
  ['{{ host.adress }}', 'undefined-attribute', 'adress', 'did you mean "address"?'],
  ["{{ host['adress'] }}", 'undefined-attribute', "host['adress']", 'did you mean "address"?'],
  ['{{ text.uper() }}', 'undefined-attribute', 'uper', 'did you mean "upper"?'],
  ['{{ n | defalt(1) }}', 'unknown-filter', 'defalt', 'did you mean "default"?'],
  ['{{ n is defind }}', 'unknown-test', 'n is defind', 'did you mean "defined"?'],
  ['{{ text | truncate(lenght=3) }}', 'bad-argument', 'text | truncate(lenght=3)', 'did you mean "length"?'],
  ['{{ n + text }}', 'template-type', 'n + text', 'join text with ~, or turn text into a number with | int'],
  ['{{ 1 + (2 / 0) }}', 'division-by-zero', '(2 / 0)', undefined],
  ['{{ list[9] }}', 'undefined-attribute', 'list[9]', undefined],
  ['{{ upper(text) }}', 'undefined-variable', 'upper', '"upper" is a filter: write VALUE | upper'],
  ['{{ n & 1 }}', 'template-syntax', '&', 'write "and"'],
  ['{{ (n }}', 'template-syntax', '(', undefined],
  ['{{ n ', 'template-syntax', '{{', 'close it with }}'],
  ['x {% if n %} y', 'template-syntax', 'if', 'close it with {% endif %}'],
  ['{% fro i in list %}', 'template-syntax', 'fro', 'did you mean "for"?'],
  ['{% if n %}{% endfor %}', 'template-syntax', 'endfor', undefined],
  ["{{ 'abc }}", 'template-syntax', "'", "close it with '"],
  ['{% for a, b in [1] %}{% endfor %}', 'template-type', 'a, b', undefined],
  ['{% set list.x = 1 %}', 'template-type', 'list.x', undefined],
  ["{{ 'a' | regex_search('(') }}", 'bad-regex', "'a' | regex_search('(')", undefined],
  [
    '{{ text | mandatory }}{{ missing | mandatory("set it") }}',
    'undefined-variable',
    'missing | mandatory("set it")',
    undefined,
  ],
];

for (const [text, code, at, help] of problemRows) {
  test(`an error says where and what: ${text}`, (t) => {
    const found = problem(text);
    t.is(found.code, code, found.message);
    t.is(text.slice(found.start, found.end), at);
    if (help !== undefined) t.is(found.help, help);
  });
}

test('a mistake in an included template has its own place as origin', (t) => {
  const text = '{% include "inner" %}';
  const inner = 'x\n{{ nope }}';
  const withLoader = standardEnvironment({
    load: (name) => (name === 'inner' ? {text: inner, path: 'templates/inner.j2'} : undefined),
  });
  const result = template(text).render(context, withLoader);
  t.false(result.ok);
  if (result.ok) return;
  t.is(text.slice(result.error.start, result.error.end), text);
  const span = result.error.origin?.span;
  t.is(span?.source.path, 'templates/inner.j2');
  t.is(inner.slice(span?.start, span?.end), 'nope');
});

test('the names a template takes from outside, and which uses are guarded', (t) => {
  const text = `{% set own = a %}{{ own }}{{ b.c['d'][0].e }}{{ g | default(h) }}{{ i.j is defined }}
{% if k is defined and k.l %}{{ k.m }}{% else %}{{ k }}{% endif %}{{ o if o is defined else p }}
{% for q in r %}{{ q }}{{ loop.index }}{% endfor %}{% macro s(u) %}{{ u }}{{ v }}{% endmacro %}{{ s(1) }}{{ (w.x | default({})).y }}
{% if z is not defined %}none{% else %}{{ z }}{% endif %}{{ aa is undefined or aa.bb }}`;
  const found = template(text).freeVariables;
  for (const {name, start, end} of found) t.is(text.slice(start, end), name);
  t.deepEqual(
    found.map(({name, path, guarded}) => `${[name, ...path].join('.')}${guarded ? '?' : ''}`),
    [
      'a',
      'b.c.d.0.e',
      'g?',
      'h',
      'i.j?',
      'k?',
      'k.l?',
      'k.m?',
      'k',
      'o?',
      'o?',
      'p',
      'r',
      'v',
      'w.x?',
      'z?',
      'z?',
      'aa?',
      'aa.bb?',
    ],
  );
});

test('filters, tests and lookups used, and the unknown ones as errors before anything runs', (t) => {
  const text =
    "{{ a | upper | nosuch }}{{ b is odd }}{% if c is strnge %}{{ lookup('file', 'x') ~ query('env', 'Y') ~ q(z) }}{% endif %}{% filter lowr %}{% endfilter %}";
  const parsed = template(text);
  t.deepEqual(
    parsed.filtersUsed.map(({name}) => name),
    ['nosuch', 'upper', 'lowr'],
  );
  t.deepEqual(
    parsed.testsUsed.map(({name}) => name),
    ['odd', 'strnge'],
  );
  t.deepEqual(
    parsed.lookupsUsed.map(({name, start, end}) => [name, text.slice(start, end)]),
    [
      ['file', "'file'"],
      ['env', "'env'"],
    ],
  );
  const problems = parsed.check(environment);
  t.deepEqual(
    problems.map(({code, start, end}) => [code, text.slice(start, end)]),
    [
      ['unknown-filter', 'nosuch'],
      ['unknown-filter', 'lowr'],
      ['unknown-test', 'strnge'],
    ],
  );
  t.is(problems[1]?.help, 'did you mean "lower"?');
});

test('names with their collection are the same filters and tests', (t) => {
  t.is(rendered("{{ 'yes' | ansible.builtin.bool }}"), true);
  t.is(rendered("{{ '10.0.0.1/8' | ansible.utils.ipaddr('prefix') }}"), 8);
  t.is(rendered('{{ n is ansible.builtin.odd }}'), true);
  t.is(problem('{{ n | some.other.upper }}').code, 'unknown-filter');
});

test('text without tags is constant', (t) => {
  t.true(template('plain } text').isConstant);
  t.false(template('{{ 1 }}').isConstant);
  t.false(looksLikeTemplate('plain'));
  t.true(looksLikeTemplate('a {% b %}'));
});

test('backslashes in YAML values are literal, in template files they are escapes', (t) => {
  t.is(rendered(String.raw`{{ 'a\nb' }}`), String.raw`a\nb`);
  t.is(rendered(String.raw`{{ 'x1y2' | regex_replace('(\d)', '<\1>') }}`), 'x<1>y<2>');
  t.is(rendered(String.raw`{{ 'a\nb' }}`, {file: true}), 'a\nb');
  t.is(rendered(String.raw`{% set x = 'a\nb' %}{{ x }}`), 'a\nb');
});

test('the #jinja2: line of a template file sets its syntax', (t) => {
  const text =
    "#jinja2: trim_blocks: False, variable_start_string: '[%', variable_end_string: '%]'\n{% if n %}\n[% n %] {{ n }}\n{% endif %}\n";
  t.is(rendered(text, {file: true}), '\n7 {{ n }}\n\n');
  t.is(rendered('#jinja2: lstrip_blocks: True\n  {% if n %}\nx\n  {% endif %}\n', {file: true}), 'x\n');
  const bad = parseTemplate('#jinja2: trim_block: True\n', {file: true});
  t.false(bad.ok);
  if (!bad.ok) t.is(bad.errors[0].help, 'did you mean "trim_blocks"?');
});

test('variables are asked for only when they are used', (t) => {
  const asked: string[] = [];
  const lazy: Context = {
    get: (name) => {
      asked.push(name);
      return name === 'a' ? 1 : name === 'b' ? 2 : undefined;
    },
    names: () => ['a', 'b'],
  };
  const result = template('{{ a if a else b }}{% if not a %}{{ b }}{% endif %}').render(lazy, environment);
  t.deepEqual(result, {ok: true, value: 1});
  t.deepEqual([...new Set(asked)], ['a']);
});

test('a variable whose own template is undefined counts as undefined and tells its own problem', (t) => {
  const origin = error('undefined-variable', '"inner" is undefined');
  const inner = new Undefined(() => ({
    code: 'undefined-variable',
    message: '"inner" is undefined',
    start: 0,
    end: 0,
    origin,
  }));
  const context = contextOf({outer: inner});
  t.deepEqual(template('{{ outer | default("x") }}').render(context, environment), {ok: true, value: 'x'});
  t.deepEqual(template('{{ outer is defined }}').render(context, environment), {ok: true, value: false});
  const result = template('{{ outer ~ "x" }}').render(context, environment);
  t.is(result.ok ? undefined : result.error.origin, origin);
});

test('a resolver may stop a cycle with a fault of its own', (t) => {
  const context: Context = {
    get: () => {
      throw new Fault({code: 'variable-cycle', message: 'a uses b uses a', start: 3, end: 4});
    },
    names: () => [],
  };
  const result = template('{{ a | default(1) }}').render(context, environment);
  t.is(result.ok ? undefined : result.error.code, 'variable-cycle');
});

test('callers add filters, functions and lookups of their own', (t) => {
  const shout: Filter = {
    params: ['times'],
    apply: (_site, value, times: unknown = 1) => String(value) + '!'.repeat(Number(times)),
  };
  const picky: Filter = {
    params: [],
    apply: () => {
      throw new Misuse('never', 'too-picky', 'do not use it');
    },
  };
  const lookup = new Func(
    'lookup',
    ([name, ...terms], named) => `${String(name)}(${terms.join()})${named.has('x') ? 'x' : ''}`,
    {raw: true},
  );
  const own = standardEnvironment({
    filters: [
      ['shout', shout],
      ['picky', picky],
    ],
    globals: [['lookup', lookup]],
  });
  t.deepEqual(template('{{ text | shout(times=2) }}').render(context, own), {ok: true, value: 'a text!!'});
  t.deepEqual(template("{{ lookup('env', 'HOME', x=1) }}").render(context, own), {ok: true, value: 'env(HOME)x'});
  const result = template('{{ text | picky }}').render(context, own);
  t.deepEqual(result, {
    ok: false,
    error: {code: 'too-picky', message: 'never', help: 'do not use it', start: 3, end: 15},
  });
});

test('rich values become plain data at the edge', (t) => {
  t.deepEqual(toPlain(rendered("{{ [4 / 2, (1, 'a'), {1: 'x', '2': 3}, 2 ** 60] }}")), [
    2,
    [1, 'a'],
    {1: 'x', 2: 3},
    2 ** 60,
  ]);
  const later = new Unknown('x');
  t.deepEqual(toPlain({a: later}), {a: later});
});

test('without clock, randomness and files what needs them is refused', (t) => {
  for (const text of [
    '{{ now() }}',
    "{{ '%Y' | strftime }}",
    '{{ 5 | random }}',
    "{{ 'x' | password_hash }}",
    "{{ '/x' is exists }}",
    "{{ '~' | expanduser }}",
  ])
    t.is(problem(text).code, 'not-available', text);
  const own = standardEnvironment({
    now: () => new Date('2024-03-01T10:20:30Z'),
    randomBytes: (count) => new Uint8Array(count),
  });
  t.deepEqual(template("{{ now(utc=true, fmt='%Y-%m-%d') }} {{ now(true).year }}").render(context, own), {
    ok: true,
    value: '2024-03-01 2024',
  });
  t.true(template('{{ 5 | random }}').render(context, own).ok);
});

test('conditions are true or false as Python sees them', (t) => {
  const rows: readonly (readonly [string, unknown])[] = [
    ['n', true],
    ['""', false],
    ['list', true],
    ['[]', false],
    ['nothing', false],
    ['0.0', false],
    ['"false"', true],
    ['host.name == "kvm1"', true],
  ];
  for (const [text, wanted] of rows) {
    const parsed = parseExpression(text);
    t.true(parsed.ok);
    if (parsed.ok) t.deepEqual(parsed.value.condition(context, environment), {ok: true, value: wanted});
  }
});
