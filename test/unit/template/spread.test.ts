// How secrets and unknown values pass through templates.
import test from 'ava';
import {Secret, masked} from '../../../src/base/secret.ts';
import {Unknown} from '../../../src/base/unknown.ts';
import {contextOf} from '../../../src/template/environment.ts';
import {standardEnvironment} from '../../../src/template/standard.ts';
import {parseExpression, parseTemplate} from '../../../src/template/template.ts';

const environment = standardEnvironment();
const later = new Unknown('task "install"');
const context = contextOf({
  u: later,
  partly: {known: 1, rest: later},
  some: [1, later, 3],
  p: Secret.of('hunter2'),
  pin: Secret.of('1234'),
  login: {name: 'ann', password: Secret.of('hunter2')},
  users: [
    {name: 'ann', password: Secret.of('pw1')},
    {name: 'ben', password: Secret.of('pw2')},
  ],
  n: 1,
  s: 'text',
});

function value(text: string): unknown {
  const parsed = text.includes('{{') || text.includes('{%') ? parseTemplate(text) : parseExpression(text);
  if (!parsed.ok) throw new Error(parsed.errors[0].message);
  const rendered =
    'render' in parsed.value ? parsed.value.render(context, environment) : parsed.value.evaluate(context, environment);
  if (!rendered.ok) throw new Error(rendered.error.message);
  return rendered.value;
}

function condition(text: string): unknown {
  const parsed = parseExpression(text);
  if (!parsed.ok) throw new Error(parsed.errors[0].message);
  const rendered = parsed.value.condition(context, environment);
  if (!rendered.ok) throw new Error(rendered.error.message);
  return rendered.value;
}

const unknownRows = [
  'u',
  'u.stdout',
  "u['x'][0]",
  'u + 1',
  '1 + u',
  'u ~ "x"',
  'u | upper',
  'u | default("x")',
  's | replace("t", u)',
  'u == 1',
  '1 in u',
  'u in [1]',
  '-u',
  'u[1:]',
  's[u:]',
  'u.split()',
  's.replace("t", u)',
  '[1, 2][u]',
  'range(u)',
  '1 if u else 2',
  'u is none',
  'u is failed',
  'u is search("x")',
  's is search(u)',
  'u.stdout is defined',
  'some | sum',
  'some | join(",")',
  'some | to_json',
  'some | sort',
  '2 in some',
  'partly | to_yaml',
  'u | length',
  'u | combine({})',
  '{"a": 1} | combine(u)',
  '[u] == [1]',
  'u or "x"',
  'u and "x"',
  'not u',
  'u > 5',
  'some | difference([1])',
  '"%s" | format(u)',
  'partly.rest.deep.er',
  'u(1)',
  'text {{ u }} more',
  '{{ u }}',
  '{% if u %}a{% endif %}',
  '{% for i in u %}a{% endfor %}',
  '{% set x %}{{ u }}{% endset %}{{ x }}',
  '{{ some }} text',
  '{% macro m(a) %}{{ a }}{% endmacro %}{{ m(u) }}',
  '{% filter upper %}{{ u }}{% endfilter %}',
  '{% for i in some if i > 1 %}x{% endfor %}',
];

for (const text of unknownRows) {
  test(`unknown spreads: ${text}`, (t) => t.is(value(text), later));
}

const knownRows: readonly (readonly [string, unknown])[] = [
  ['u is defined', true],
  ['u is not defined', false],
  ['partly.rest is defined', true],
  ['partly.none is defined', false],
  ['partly.known', 1],
  ['some | length', 3],
  ['some[0]', 1],
  ['1 in some', true],
  ['some | first', 1],
  ['{"a": u}.a is defined', true],
  ['[u, 1] | last', 1],
  ['1 if n else u', 1],
  ['n == 1 or u == 2', true],
  ['u == 2 or n == 1', true],
  ['n == 2 and u == 2', false],
  ['u == 2 and n == 2', false],
  ['{% if n %}a{% else %}{{ u }}{% endif %}', 'a'],
  ['partly | combine({"rest": 2})', {known: 1, rest: 2}],
  ['u.a is defined and missing_anyway is undefined and false', false],
];

for (const [text, wanted] of knownRows) {
  test(`what is known stays known: ${text}`, (t) => t.deepEqual(value(text), wanted));
}

const conditionRows: readonly (readonly [string, unknown])[] = [
  ['u', later],
  ['not u', later],
  ['u and n', later],
  ['n and u', later],
  ['u and n == 2', false],
  ['u or n', true],
  ['u.rc is defined and u.rc == 0', later],
  ['u is defined and n', true],
  ['(u or n) and not (u and n == 2)', true],
  ['u.ok and u.missing.thing > 3 and n == 5', false],
  ['n', true],
  ['""', false],
];

for (const [text, wanted] of conditionRows) {
  test(`condition: ${text}`, (t) => t.is(condition(text), wanted));
}

const secretRows: readonly (readonly [text: string, masked: string, real: string])[] = [
  ['{{ p }}', '********', 'hunter2'],
  ['user {{ s }} pass {{ p }}!', 'user text pass ********!', 'user text pass hunter2!'],
  ['p ~ "-" ~ s', '********-text', 'hunter2-text'],
  ['p + "x"', '********x', 'hunter2x'],
  ['p | upper', '********', 'HUNTER2'],
  ['p.upper()', '********', 'HUNTER2'],
  ['p[0:3]', '********', 'hun'],
  ['p[0]', '********', 'h'],
  ['p | b64encode', '********', 'aHVudGVyMg=='],
  ['s | replace("text", p)', '********', 'hunter2'],
  ['"%s:%s" % (s, p)', '********', 'text:hunter2'],
  ['"{}".format(p)', '********', 'hunter2'],
  ['[s, p] | join(":")', 'text:********', 'text:hunter2'],
  ['":".join([s, p])', 'text:********', 'text:hunter2'],
  ['login | to_json', '********', '{"name": "ann", "password": "hunter2"}'],
  ['login.password', '********', 'hunter2'],
  ['login ~ ""', "{'name': 'ann', 'password': '********'}", "{'name': 'ann', 'password': 'hunter2'}"],
  ['p | default("x")', '********', 'hunter2'],
  ['missing | default(p)', '********', 'hunter2'],
  ['p if n else s', '********', 'hunter2'],
  ['p | quote', '********', 'hunter2'],
  ['p | password_hash("sha512", "salt", rounds=5000) | length | string', '94', '94'],
  ['p | trim | string', '********', 'hunter2'],
  ['{% for u in users %}{{ u.name }}={{ u.password }};{% endfor %}', 'ann=********;ben=********;', 'ann=pw1;ben=pw2;'],
  ['{% set x %}{{ p }}{% endset %}<{{ x }}>', '<********>', '<hunter2>'],
  ['{% filter upper %}{{ p }}{% endfilter %}', '********', 'HUNTER2'],
  ['{% macro m(a) %}[{{ a }}]{% endmacro %}{{ m(p) }}', '[********]', '[hunter2]'],
  ['p * 2', '****************', 'hunter2hunter2'],
  ['users | map(attribute="password") | join(",")', '********,********', 'pw1,pw2'],
  ['users | map(attribute="password") | map("upper") | first', '********', 'PW1'],
  ['{"a": p} | combine({"b": 1}) | dict2items | map(attribute="value") | first', '********', 'hunter2'],
];

for (const [text, shown, real] of secretRows) {
  test(`secrets stay secret: ${text}`, (t) => {
    const result = value(text);
    if (!(result instanceof Secret)) return t.is(result, shown);
    t.is(masked(result), shown);
    return t.is(result.reveal(), real);
  });
}

const plainRows: readonly (readonly [string, unknown])[] = [
  ['p == "hunter2"', true],
  ['p != s', true],
  ['p | length', 7],
  ['"hunt" in p', true],
  ['p in ["hunter2"]', true],
  ['p is string', true],
  ['p is search("^hunt")', true],
  ['p is defined', true],
  ['p.startswith("h")', true],
  ['pin | int + 1', 1235],
  ['login.name', 'ann'],
  ['login | length', 2],
  ['users | map(attribute="name") | list', ['ann', 'ben']],
  ['p > "a"', true],
  ['{"hunter2": 5}[p]', 5],
];

for (const [text, wanted] of plainRows) {
  test(`what does not show a secret is plain: ${text}`, (t) => t.deepEqual(value(text), wanted));
}

test('an error message never shows a secret', (t) => {
  for (const text of [
    'p + 1',
    'p.nosuch',
    '{}[p]',
    'p | from_json',
    'p | to_datetime',
    'p | urlsplit("x")',
    'p | human_to_bytes',
    '1 is version(p, "==", version_type="semver")',
    'p | regex_replace("(", "")',
    's | regex_replace(p ~ "(", "")',
  ]) {
    const parsed = parseExpression(text);
    t.true(parsed.ok);
    if (!parsed.ok) continue;
    const rendered = parsed.value.evaluate(context, environment);
    t.false(rendered.ok, text);
    if (!rendered.ok) t.false(JSON.stringify(rendered.error).includes('hunter2'), `${text}: ${rendered.error.message}`);
  }
});
