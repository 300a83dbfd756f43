import test from 'ava';
import fc from 'fast-check';
import {dump, load} from 'js-yaml';
import {placeOf, positionOf} from '../../../src/base/diagnostic.ts';
import type {Node} from '../../../src/playbook/node.ts';
import {spanWithin} from '../../../src/playbook/scalar-place.ts';
import {parseYaml} from '../../../src/playbook/yaml.ts';

const parse = (text: string): ReturnType<typeof parseYaml> => parseYaml({path: 'f.yml', text});

function plain(node: Node | undefined): unknown {
  if (node === undefined) return undefined;
  if (node.kind === 'list') return node.items.map(plain);
  if (node.kind === 'map') return Object.fromEntries(node.entries.map(({key, value}) => [key, plain(value)]));
  return node.value;
}

const meanings: readonly [yaml: string, value: unknown][] = [
  ['', undefined],
  ['a: 1', {a: 1}],
  ['mode: 0644', {mode: 644}],
  ['a: no\nb: yes\nc: true\nd: ~\ne:', {a: 'no', b: 'yes', c: true, d: null, e: null}],
  ['a: 1.10\nb: 1_000\nc: 0x1f\nd: 0o17\ne: 12:30', {a: 1.1, b: '1_000', c: 31, d: 15, e: '12:30'}],
  ['- a\n- [b, {c: d}]\n-\n', ['a', ['b', {c: 'd'}], null]],
  ["a: 'it''s'\nb: \"x\\ty\"", {a: "it's", b: 'x\ty'}],
  ['a: |\n  x\n   y\n\nb: >-\n  p\n  q\n', {a: 'x\n y\n', b: 'p q'}],
  ['base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}', {base: {x: 1, y: 2}, use: {x: 1, y: 3}}],
  ['a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc:\n  <<: [*a, *b]\n', {a: {x: 1}, b: {x: 2, y: 2}, c: {x: 1, y: 2}}],
  ['a: !!str 5\nb: !!int "7"\nc: !!float 1', {a: '5', b: 7, c: 1}],
  ['a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  00\n', {a: {vault: '$ANSIBLE_VAULT;1.1;AES256\n00\n'}}],
  ['8080: x\ntrue: y', {8080: 'x', true: 'y'}],
  ['{"a": [1, "b\\u0041"], "c": null}', {a: [1, 'bA'], c: null}],
];
for (const [yaml, value] of meanings) {
  test(`means: ${JSON.stringify(yaml)}`, (t) => {
    const {node, problems} = parse(yaml);
    t.deepEqual(problems, []);
    t.deepEqual(plain(node), value);
  });
}

// place: what the problem points to; text: what stands there
const mistakes: readonly [yaml: string, code: string, place: string, text: string, says: RegExp][] = [
  ['a: {{ x }}\n', 'unquoted-template', '1:4', '{{ x }}', /quote it: "\{\{ x \}\}"/],
  ['- a: {{ x }}/y # z\n', 'unquoted-template', '1:6', '{{ x }}/y', /quote it: "\{\{ x \}\}\/y"/],
  ['a: {{ x["k"] }}\n', 'unquoted-template', '1:4', '{{ x["k"] }}', /quote it: '\{\{ x\["k"\] \}\}'/],
  ['a: [{{ x }}, 1]\n', 'unquoted-template', '1:5', '{{ x }}', /must be quoted/],
  ['a:\n\tb: 1\n', 'yaml-tab', '2:1', '\t', /spaces/],
  ['a: b: c\n', 'yaml-syntax', '1:5', ':', /colon and a space.*"b: c"/],
  ['a: "b" c\n', 'yaml-syntax', '1:8', 'c', /closing quote.*'"b" c'/],
  ['a: @b\n', 'yaml-syntax', '1:4', '@b', /cannot begin with @/],
  ['a: %b\n', 'yaml-syntax', '1:4', '%b', /cannot begin with %/],
  ['a: "\\d"\n', 'yaml-syntax', '1:5', '\\d', /escape.*single quotes/],
  ['a: "b\nc: d\n', 'yaml-syntax', '1:4', '"', /not closed/],
  ['a: [1, 2\nb: 3\n', 'yaml-syntax', '1:4', '[', /not closed/],
  ['a:\n  b\n    c: 1\n', 'yaml-syntax', '2:3', 'b', /colon is missing/],
  ['a:b\nc: 1\n', 'yaml-syntax', '1:2', ':', /space is missing/],
  ['a: 1\n b: 2\n', 'yaml-indentation', '2:2', 'b: 2', /column 2.*column 1/],
  ['- a\nb: 1\n', 'yaml-indentation', '2:1', 'b: 1', /neither/],
  ['a: 1\nb: 2\na: 3\n', 'duplicate-key', '3:1', 'a', /given twice.*f\.yml:1:1/],
  ['a: *b\n', 'yaml-alias', '1:4', '*b', /no anchor &b/],
  ['a: &a [*a]\n', 'yaml-alias', '1:8', '*a', /inside its own anchor/],
  ['? [a]\n: b\n', 'yaml-key', '1:3', '[a]', /key must be text/],
  ['a: !foo b\n', 'yaml-tag', '1:4', '!foo', /unknown YAML tag/],
  ['a: {<<: 5}\n', 'yaml-merge', '1:5', '<<', /mapping/],
  ['a: x\0y\n', 'yaml-syntax', '1:5', '\0', /U\+0000/],
];
for (const [yaml, code, place, text, says] of mistakes) {
  test(`mistake: ${JSON.stringify(yaml)}`, (t) => {
    const {problems} = parse(yaml);
    t.is(problems.length, 1, JSON.stringify(problems.map((p) => p.message)));
    const [problem] = problems;
    const span = problem?.span;
    t.is(problem?.code, code);
    t.is(span && placeOf(span), `f.yml:${place}`);
    t.is(span && yaml.slice(span.start, span.end), text);
    t.regex(`${problem?.message ?? ''} ${problem?.help ?? ''}`, says);
  });
}

test('mistakes whose meaning is clear are reported together, and the rest is read', (t) => {
  const {node, problems} = parse('a: {{ x }} y\nb: @c\nd: "e" f\ng: h: i\nj: 1\nj: 2\n');
  t.deepEqual(
    problems.map((p) => p.span && positionOf(p.span.source.text, p.span.start).line),
    [1, 2, 3, 4, 6],
  );
  t.deepEqual(plain(node), {a: '{{ x }} y', b: '@c', d: '"e" f', g: 'h: i', j: 2});
});

const places: readonly [yaml: string, value: string][] = [
  ["a: 'it''s {{ b }} c'", '{{ b }}'],
  ['a: "\\t\\u0041 {{ b }}"', '{{ b }}'],
  ['a: "x\n  y {{ b }}\n\n  z"', '{{ b }}'],
  ['a: x {{ b }} y', '{{ b }}'],
  ['a: x\n  {{ b }}\n  y', '{{ b }}'],
  ['a: |\n    x\n      y\n\n    {{ b }}\n', '{{ b }}'],
  ['a: >+\n  x\n  y\n\n  z {{ b }}\n    w\n  v\n\n', '{{ b }}'],
  ['a: |2-\n    x {{ b }}', '{{ b }}'],
  ['a: >\r\n  x\r\n  {{ b }}\r\n', '{{ b }}'],
];
for (const [yaml, part] of places) {
  test(`place within ${JSON.stringify(yaml)}`, (t) => {
    const {node} = parse(yaml);
    const scalar = node?.kind === 'map' ? node.entries[0]?.value : undefined;
    if (scalar?.kind !== 'scalar' || typeof scalar.value !== 'string') return t.fail();
    const start = scalar.value.indexOf(part);
    const span = spanWithin(scalar, start, start + part.length);
    t.is(yaml.slice(span.start, span.end), part);
    t.is(span.start, yaml.indexOf(part));
  });
}

test('every text that js-yaml writes is read as js-yaml reads it, and every character of a text has its place', (t) => {
  const text = fc.string({
    unit: fc.constantFrom('a', ' ', '\n', '"', "'", ':', '{', '#', '\\', 'é', '😀', '-', '\t'),
    maxLength: 25,
  });
  const data = fc.letrec((tie) => ({
    node: fc.oneof({depthSize: 'small'}, text, fc.integer(), fc.boolean(), fc.constant(null), tie('list'), tie('map')),
    list: fc.array(tie('node'), {maxLength: 4}),
    map: fc.dictionary(fc.string({unit: fc.constantFrom('a', 'b', 'c'), minLength: 1}), tie('node'), {maxKeys: 4}),
  })).map;
  fc.assert(
    fc.property(data, fc.constantFrom(20, 80, -1), (value, lineWidth) => {
      const yaml = dump(value, {lineWidth});
      const {node, problems} = parse(yaml);
      t.deepEqual(problems, []);
      t.deepEqual(plain(node), load(yaml));
      checkPlaces(node);
    }),
    {numRuns: 300},
  );
  function checkPlaces(node: Node | undefined): void {
    if (node === undefined) return;
    if (node.kind === 'list') node.items.forEach(checkPlaces);
    else if (node.kind === 'map') node.entries.forEach(({value}) => checkPlaces(value));
    else if (typeof node.value === 'string') {
      for (let i = 0; i < node.value.length; i++) {
        if (!/[a-zé{#:-]/.test(node.value[i] ?? '')) continue;
        const span = spanWithin(node, i, i + 1);
        t.is(span.source.text.slice(span.start, span.end), node.value[i] ?? '');
      }
    }
  }
});

test('any text gives a value or located problems, and problems exactly where js-yaml has an error or a key stands twice', (t) => {
  const piece = fc.constantFrom(
    'a',
    'b:',
    ': ',
    '- ',
    '\n',
    '\n  ',
    '"',
    "'",
    '{{ x }}',
    '{',
    '}',
    '[',
    ']',
    ',',
    '#',
    '&a ',
    '*a',
    '|\n',
    '>-\n',
    '!!str ',
    '\t',
    '? ',
    '%',
    '@',
    '\\',
    '---\n',
  );
  fc.assert(
    fc.property(fc.array(piece, {maxLength: 12}), (pieces) => {
      const text = pieces.join('');
      const {problems} = parse(text);
      for (const {span} of problems)
        t.true(span !== undefined && span.start <= span.end && span.end <= text.length, text);
      let fails = false;
      try {
        load(`${text}\n`);
      } catch (cause) {
        fails = !/expected a document|single document|empty/i.test(String(cause));
      }
      if (fails && !/^\s*---|\n---/.test(text)) t.true(problems.length > 0, text);
    }),
    {numRuns: 2000},
  );
});

test('aliases of aliases do not explode', (t) => {
  let yaml = 'l0: &l0 [x,x,x,x,x,x,x,x,x,x]\n';
  for (let i = 1; i < 12; i++)
    yaml += `l${String(i)}: &l${String(i)} [${Array(10)
      .fill(`*l${String(i - 1)}`)
      .join(',')}]\n`;
  t.true(parse(yaml).problems.some((p) => p.code === 'yaml-alias'));
});

test('unsafe texts are marked, inside of lists and mappings too', (t) => {
  const {node} = parse('a: !unsafe "{{ x }}"\nb: !unsafe [p, {q: r}]\n');
  const marks: (string | undefined)[] = [];
  const walk = (n: Node): void => {
    if (n.kind === 'scalar') marks.push(n.tag);
    else (n.kind === 'list' ? n.items : n.entries.map((e) => e.value)).forEach(walk);
  };
  if (node !== undefined) walk(node);
  t.deepEqual(marks, ['!unsafe', '!unsafe', '!unsafe']);
});
