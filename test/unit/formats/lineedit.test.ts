import test from 'ava';
import {blockInFile, lineInFile, replaceInText} from '../../../src/formats/lineedit.ts';
import type {BlockEdit, LineEdit, ReplaceEdit} from '../../../src/formats/lineedit.ts';
import {pythonRegExp} from '../../../src/formats/python-regexp.ts';
import type {PythonFlags} from '../../../src/formats/python-regexp.ts';

function re(source: string, flags: PythonFlags = {ascii: true}): RegExp {
  const result = pythonRegExp(source, flags);
  if (!result.ok) throw new Error(result.problems[0].message);
  return result.value;
}

// Measured with the module of ansible-core 2.14, but for the one marked case.
const lines: readonly [what: string, text: string, edit: LineEdit, expected: string][] = [
  ['the last match is replaced', 'a=1\nb\na=2\n', {regexp: re('^a='), line: 'a=3'}, 'a=1\nb\na=3\n'],
  ['firstmatch', 'a=1\nb\na=2\n', {regexp: re('^a='), line: 'a=3', firstMatch: true}, 'a=3\nb\na=2\n'],
  ['a match without newline gets one', 'a=1', {regexp: re('^a='), line: 'a=1'}, 'a=1\n'],
  ['$ matches before the newline', 'ab\na\n', {regexp: re('a$'), line: 'x'}, 'ab\nx\n'],
  ['search string', 'a.b\naxb\n', {searchString: 'a.b', line: 'c'}, 'c\naxb\n'],
  ['no match: at the end', 'x\n', {regexp: re('^a'), line: 'a'}, 'x\na\n'],
  ['no match, no last newline', 'x', {regexp: re('^a'), line: 'a'}, 'x\na\n'],
  ['empty file', '', {line: 'a'}, 'a\n'],
  ['the line is there', 'a\nx\n', {line: 'a'}, 'a\nx\n'],
  ['the line is there though regexp misses it', 'a\nx\n', {regexp: re('^zz'), line: 'a'}, 'a\nx\n'],
  ['the line is there with a carriage return', 'a\r\n', {line: 'a'}, 'a\n'],
  ['insertafter: last match', 'b\nc\nb\nd\n', {line: 'a', insertAfter: re('^b')}, 'b\nc\nb\na\nd\n'],
  ['insertafter: first match', 'b\nc\nb\n', {line: 'a', insertAfter: re('^b'), firstMatch: true}, 'b\na\nc\nb\n'],
  ['insertafter without match', 'b\n', {line: 'a', insertAfter: re('^zz')}, 'b\na\n'],
  [
    'insertafter is ignored when regexp matches',
    'b\na1\n',
    {regexp: re('^a'), line: 'a2', insertAfter: re('^b')},
    'b\na2\n',
  ],
  ['insertafter BOF', 'b\n', {line: 'a', insertAfter: 'BOF'}, 'a\nb\n'],
  ['insertbefore', 'b\nc\nb\n', {line: 'a', insertBefore: re('^b')}, 'b\nc\na\nb\n'],
  ['insertbefore BOF', 'b\n', {line: 'a', insertBefore: 'BOF'}, 'a\nb\n'],
  ['insertbefore EOF', 'b\n', {line: 'a', insertBefore: 'EOF'}, 'b\na\n'],
  ['insertbefore without match', 'b\n', {line: 'a', insertBefore: re('^zz')}, 'b\na\n'],
  [
    'a line further down is not seen with firstmatch',
    'b\nc\na\n',
    {line: 'a', insertAfter: re('^b'), firstMatch: true},
    'b\na\nc\na\n',
  ],
  ['backrefs', 'k = v\n', {regexp: re('^(\\w+) = (?P<v>.*)$'), line: '\\g<v> is \\1', backrefs: true}, 'v is k\n'],
  ['backrefs without match do nothing', 'x\n', {regexp: re('^(a)'), line: '\\1', backrefs: true}, 'x\n'],
  ['without backrefs the line is literal', 'ax\n', {regexp: re('^(a)'), line: '\\1'}, '\\1\n'],
  ['absent by regexp', 'a1\nb\na2\n', {state: 'absent', regexp: re('^a')}, 'b\n'],
  ['absent by line', 'a\nab\na', {state: 'absent', line: 'a'}, 'ab\n'],
  ['absent by search string', 'a.b\nab\n', {state: 'absent', searchString: '.'}, 'ab\n'],
  // Ansible glues the two lines together ("ba") here.
  ['insertafter a last line without newline', 'b', {line: 'a', insertAfter: re('^b')}, 'b\na\n'],
];

for (const [what, text, edit, expected] of lines) {
  test(`lineinfile: ${what}`, (t) => {
    t.deepEqual(lineInFile(text, edit), {ok: true, value: expected});
  });
}

test('lineinfile: a wrong backreference is a problem', (t) => {
  t.false(lineInFile('a\n', {regexp: re('^a'), line: '\\1', backrefs: true}).ok);
});

const block = '# BEGIN ANSIBLE MANAGED BLOCK\nx\n# END ANSIBLE MANAGED BLOCK\n';
const blocks: readonly [what: string, text: string, edit: BlockEdit, expected: string][] = [
  ['at the end', 'a', {block: 'x'}, `a\n${block}`],
  ['into nothing', '', {block: 'x\n'}, block],
  ['in place', `a\n${block.replace('x', 'y\nz')}b\n`, {block: 'x', insertBefore: 'BOF'}, `a\n${block}b\n`],
  ['same', `a\n${block}b`, {block: 'x'}, `a\n${block}b`],
  ['marker without newline is not seen', block.slice(0, -1), {block: 'x'}, `${block}${block}`],
  ['BOF', 'a\n', {block: 'x', insertBefore: 'BOF'}, `${block}a\n`],
  ['after the last match', 'a\nb\na\nc\n', {block: 'x', insertAfter: re('^a')}, `a\nb\na\n${block}c\n`],
  ['before the last match', 'a\nb\na\nc\n', {block: 'x', insertBefore: re('^a')}, `a\nb\n${block}a\nc\n`],
  [
    'multi-line anchor: the first match',
    'a\nb\nc\na\nb\n',
    {block: 'x', insertAfter: re('(?m)^a\nb$')},
    `a\nb\n${block}c\na\nb\n`,
  ],
  ['no match', 'a\n', {block: 'x', insertBefore: re('zz')}, `a\n${block}`],
  ['absent', `a\n${block}b\n`, {state: 'absent'}, 'a\nb\n'],
  ['empty block', `a\n${block}b\n`, {block: ''}, 'a\nb\n'],
  [
    'own markers',
    'a\n',
    {block: 'x', marker: '// {mark} y', markerBegin: 'open', markerEnd: 'close'},
    'a\n// open y\nx\n// close y\n',
  ],
  ['blank line before', 'a\n', {block: 'x', prependNewline: true}, `a\n\n${block}`],
  ['blank line before is there', `a\n\n${block}`, {block: 'x', prependNewline: true}, `a\n\n${block}`],
  ['no blank line at the top', 'a\n', {block: 'x', prependNewline: true, insertBefore: 'BOF'}, `${block}a\n`],
  ['blank line behind', 'a\n', {block: 'x', appendNewline: true, insertBefore: 'BOF'}, `${block}\na\n`],
  ['no blank line at the end', 'a\n', {block: 'x', appendNewline: true}, `a\n${block}`],
];

for (const [what, text, edit, expected] of blocks) {
  test(`blockinfile: ${what}`, (t) => {
    t.is(blockInFile(text, edit), expected);
  });
}

const m = (source: string): RegExp => re(source, {multiline: true});
const s = (source: string): RegExp => re(source, {dotAll: true});
const replacements: readonly [what: string, text: string, edit: ReplaceEdit, expected: string, count: number][] = [
  ['every match', 'a1\na2\n', {regexp: m('^a(\\d)$'), replace: 'b\\1'}, 'b1\nb2\n', 2],
  ['named group', 'k=v', {regexp: m('(?P<k>\\w)=(?P<v>\\w)'), replace: '\\g<v>=\\g<k>'}, 'v=k', 1],
  ['removal', 'a\nb\n', {regexp: m('^a\n')}, 'b\n', 1],
  ['empty matches', 'axb', {regexp: m('x*'), replace: '-'}, '-a--b-', 4],
  ['dollar signs are nothing special', 'a', {regexp: m('a'), replace: '$&$1'}, '$&$1', 1],
  ['after', 'x\nM\nx\nx\n', {regexp: m('x'), replace: 'y', after: s('M')}, 'x\nM\ny\ny\n', 2],
  ['before: the last one', 'x\nM\nx\nM\nx\n', {regexp: m('x'), replace: 'y', before: s('M')}, 'y\nM\ny\nM\nx\n', 2],
  [
    'between: the nearest',
    'x\nA\nx\nB\nx\nB\n',
    {regexp: m('x'), replace: 'y', after: s('A'), before: s('B')},
    'x\nA\ny\nB\nx\nB\n',
    1,
  ],
];

for (const [what, text, edit, expected, count] of replacements) {
  test(`replace: ${what}`, (t) => {
    t.deepEqual(replaceInText(text, edit), {ok: true, value: {text: expected, replacements: count, bounded: true}});
  });
}

test('replace: bounds that are not there', (t) => {
  t.deepEqual(replaceInText('x', {regexp: m('x'), replace: 'y', after: s('zz')}), {
    ok: true,
    value: {text: 'x', replacements: 0, bounded: false},
  });
  t.false(replaceInText('x', {regexp: m('x'), replace: '\\2'}).ok);
});
