import test from 'ava';
import {editIni, iniSections, iniValues, parseIni, printIni} from '../../../src/formats/ini.ts';
import type {IniEdit} from '../../../src/formats/ini.ts';

const ini = `top=1
; about
[a]
x = 1
# y = 0
y=2
y=3

# about b
[b]
#z=9
flag

[a]
w = 1
`;

function edited(edit: IniEdit, text = ini): string {
  return printIni(editIni(parseIni(text), edit));
}

test('options, flags, duplicates and repeated sections are read', (t) => {
  const file = parseIni(ini);
  t.deepEqual(iniSections(file), ['a', 'b']);
  t.deepEqual(iniValues(file, undefined, 'top'), ['1']);
  t.deepEqual(iniValues(file, 'a', 'y'), ['2', '3']);
  t.deepEqual(iniValues(file, 'a', 'w'), ['1']);
  t.deepEqual(iniValues(file, 'b', 'flag'), [undefined]);
  t.deepEqual(iniValues(file, 'b', 'z'), []);
});

const table: readonly [what: string, edit: IniEdit, expected: string][] = [
  ['same value, other spaces', {section: 'a', option: 'x', values: ['1'], noExtraSpaces: true}, ini],
  ['changed value', {section: 'a', option: 'x', values: ['5']}, ini.replace('x = 1', 'x = 5')],
  ['exclusive: one of two stays', {section: 'a', option: 'y', values: ['3']}, ini.replace('y=2\n', '')],
  ['exclusive: other value', {section: 'a', option: 'y', values: ['7']}, ini.replace('y=2\ny=3\n', 'y = 7\n')],
  [
    'not exclusive: added',
    {section: 'a', option: 'y', values: ['7'], exclusive: false},
    ini.replace('y=3\n', 'y=3\ny = 7\n'),
  ],
  ['not exclusive: there', {section: 'a', option: 'y', values: ['3', '2'], exclusive: false}, ini],
  ['several values', {section: 'a', option: 'y', values: ['2', '3', '4']}, ini.replace('y=3\n', 'y=3\ny = 4\n')],
  [
    'a commented option is taken over',
    {section: 'b', option: 'z', values: ['1'], noExtraSpaces: true},
    ini.replace('#z=9', 'z=1'),
  ],
  ['an active option is preferred to a comment', {section: 'a', option: 'y', values: ['2', '3']}, ini],
  [
    'new option at the end of its section',
    {section: 'b', option: 'n', values: ['1']},
    ini.replace('flag\n', 'flag\nn = 1\n'),
  ],
  ['new section', {section: 'c', option: 'n', values: ['1']}, `${ini}[c]\nn = 1\n`],
  ['section alone', {section: 'c'}, `${ini}[c]\n`],
  ['no section', {option: 'n', values: ['1']}, ini.replace('top=1\n', 'top=1\nn = 1\n')],
  ['flag there', {section: 'b', option: 'flag', allowNoValue: true}, ini],
  ['flag new', {section: 'b', option: 'other', allowNoValue: true}, ini.replace('flag\n', 'flag\nother\n')],
  ['flag gets a value', {section: 'b', option: 'flag', values: ['on']}, ini.replace('flag\n', 'flag = on\n')],
  ['absent option', {section: 'a', option: 'y', state: 'absent'}, ini.replace('y=2\ny=3\n', '')],
  [
    'absent value',
    {section: 'a', option: 'y', values: ['3'], exclusive: false, state: 'absent'},
    ini.replace('y=3\n', ''),
  ],
  ['absent section', {section: 'b', state: 'absent'}, ini.replace(/\[b\][^[]*/, '')],
  ['absent and not there', {section: 'q', option: 'y', state: 'absent'}, ini],
  ['empty value', {section: 'a', option: 'x', values: ['']}, ini.replace('x = 1', 'x = ')],
];

for (const [what, edit, expected] of table) {
  test(`ini: ${what}`, (t) => {
    t.is(edited(edit), expected);
    t.is(edited(edit, expected), expected, 'a second run changes nothing');
  });
}

test('ini: empty files and missing newlines', (t) => {
  t.is(edited({section: 's', option: 'o', values: ['1']}, ''), '[s]\no = 1\n');
  t.is(edited({option: 'o', values: ['1']}, ''), 'o = 1\n');
  t.is(edited({section: 's', option: 'o', values: ['2']}, '[s]\no=1'), '[s]\no = 2\n');
  t.is(edited({section: 's', option: 'p', values: ['2']}, '[s]\r\no=1\r\n'), '[s]\r\no=1\r\np = 2\n');
});
