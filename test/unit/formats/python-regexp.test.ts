import test from 'ava';
import {expandTemplate, pythonRegExp} from '../../../src/formats/python-regexp.ts';
import type {PythonFlags} from '../../../src/formats/python-regexp.ts';

// What `re.search` of Python 3.11 finds: offset and text, or nothing.
const found: readonly [
  source: string,
  text: string,
  match: readonly [number, string] | undefined,
  flags?: PythonFlags,
][] = [
  ['a$', 'a\n', [0, 'a']],
  ['a$', 'a\nb', undefined],
  ['a\\Z', 'a\n', undefined],
  ['^b', 'a\nb', undefined],
  ['^b', 'a\nb', [2, 'b'], {multiline: true}],
  ['(?m)^b$', 'a\nb\n', [2, 'b']],
  ['\\Ab', 'a\nb', undefined, {multiline: true}],
  ['a$', 'a\r\n', undefined, {multiline: true}],
  ['a.b', 'a\rb', [0, 'a\rb']],
  ['a.b', 'a\nb', undefined],
  ['(?s)a.b', 'a\nb', [0, 'a\nb']],
  ['(?s:a.)b', 'a\nb', [0, 'a\nb']],
  ['(?i)ÄB', 'äb', [0, 'äb']],
  ['a(?i:b)c', 'aBc', [0, 'aBc']],
  ['(?i)a(?-i:b)', 'AB', undefined],
  ['(?P<k>\\w+)=(?P=k)', 'x=y a=a', [4, 'a=a']],
  ['\\w+', 'é', [0, 'é']],
  ['\\w+', 'é', undefined, {ascii: true}],
  ['\\bé', ' é', [1, 'é']],
  ['a{,2}b', 'aaab', [1, 'aab']],
  ['{x}a{', '{x}a{', [0, '{x}a{']],
  ['[]a]+', 'b]a', [1, ']a']],
  ['[^]a]+', ']ab', [2, 'b']],
  ['[[a&&b-]+', '[a&b-', [0, '[a&b-']],
  ['[\\w.-]+@', 'a.b-c@', [0, 'a.b-c@']],
  ['[\\]\\-\\n]+', 'a]-\n', [1, ']-\n']],
  ['\\x41\\u00e9\\060', 'Aé0', [0, 'Aé0']],
  ['\\/\\-\\ \\"\\#', '/- "#', [0, '/- "#']],
  ['a(?#note)*b', 'aab', [0, 'aab']],
  ['(a)(b)\\2\\1', 'abba', [0, 'abba']],
  ['(?<=a)b(?!c)', 'bc ab', [4, 'b']],
  ['x*?$', '', [0, '']],
];

for (const [source, text, match, flags] of found) {
  test(`finds ${JSON.stringify(source)} in ${JSON.stringify(text)} ${JSON.stringify(flags ?? {})}`, (t) => {
    const result = pythonRegExp(source, flags);
    if (!result.ok) return t.fail(result.problems[0].message);
    const here = result.value.exec(text);
    t.deepEqual(here === null ? undefined : [here.index, here[0]], match);
  });
}

const refused: readonly [source: string, reason: RegExp][] = [
  ['(a', /unterminated subpattern at offset 2/],
  ['a)', /unbalanced parenthesis at offset 1/],
  ['[a', /unterminated character set/],
  ['*a', /nothing to repeat/],
  ['a**', /multiple repeat/],
  ['a++', /possessive/],
  ['(?>a)', /atomic/],
  ['(?x)a b', /verbose/],
  ['(?(1)a|b)', /conditional/],
  ['(?<k>a)', /\(\?P<name>/],
  ['a(?i)b', /not at the start/],
  ['\\q', /bad escape \\q/],
  ['a\\', /end of pattern/],
  ['[z-a]', /regular expression/],
  ['[\\d-z]', /bad character range/],
  ['(?P<a>x)(?P<a>y)', /regular expression/],
  ['(?P=a)', /regular expression/],
  ['\\1', /regular expression/],
];

for (const [source, reason] of refused) {
  test(`refuses ${source}`, (t) => {
    const result = pythonRegExp(source);
    if (result.ok) return t.fail(String(result.value));
    t.is(result.problems[0].code, 'regexp-invalid');
    t.regex(result.problems[0].message, reason);
  });
}

test('MULTILINE can be asked of the result', (t) => {
  const multiline = (source: string): boolean | undefined => {
    const result = pythonRegExp(source);
    return result.ok ? result.value.multiline : undefined;
  };
  t.true(multiline('(?m)a'));
  t.false(multiline('a'));
});

test('replacement texts', (t) => {
  const match = /(?<k>a)(b)?(c)/.exec('xac')!;
  const expand = (template: string): string => {
    const result = expandTemplate(template, match);
    return result.ok ? result.value : result.problems[0].code;
  };
  const table: [template: string, text: string][] = [
    ['\\1\\3', 'ac'],
    ['[\\2]', '[]'],
    ['\\g<k>0\\g<1>0\\g<0>', 'a0a0ac'],
    ['\\n\\t\\\\1', '\n\t\\1'],
    ['\\.\\-$1$&', '\\.\\-$1$&'],
    ['\\0601', '01'],
    ['\\101', 'A'],
    ['\\9', 'replacement-invalid'],
    ['\\g<zz>', 'replacement-invalid'],
    ['\\q', 'replacement-invalid'],
    ['a\\', 'replacement-invalid'],
  ];
  for (const [template, text] of table) t.is(expand(template), text, template);
});
