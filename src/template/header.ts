// The first line `#jinja2: trim_blocks: False, …` of a template file.
import {nearestName} from '../base/nearest.ts';
import {Fault} from './fault.ts';
import type {Syntax} from './lexer.ts';

const BOOLEANS = {
  trim_blocks: 'trimBlocks',
  lstrip_blocks: 'lstripBlocks',
  keep_trailing_newline: 'keepTrailingNewline',
} as const;
const STRINGS = {
  variable_start_string: 'outputStart',
  variable_end_string: 'outputEnd',
  block_start_string: 'blockStart',
  block_end_string: 'blockEnd',
  comment_start_string: 'commentStart',
  comment_end_string: 'commentEnd',
} as const;

const known: readonly string[] = [...Object.keys(BOOLEANS), ...Object.keys(STRINGS), 'newline_sequence'];

/** The syntax that the header asks for, and where the template begins. *errors*: Fault. */
export function readHeader(text: string, syntax: Syntax): {syntax: Syntax; start: number} {
  if (!text.startsWith('#jinja2:')) return {syntax, start: 0};
  const lineEnd = text.indexOf('\n');
  const end = lineEnd < 0 ? text.length : lineEnd;
  let result: Syntax = syntax;
  let at = '#jinja2:'.length;
  for (const pair of text.slice(at, end).split(',')) {
    const place = {start: at, end: at + pair.length};
    at += pair.length + 1;
    const [, name = '', value = ''] = /^\s*(\w+)\s*:\s*(.*?)\s*$/.exec(pair) ?? [];
    if (name in BOOLEANS && Object.hasOwn(BOOLEANS, name)) {
      const word = value.toLowerCase();
      if (word !== 'true' && word !== 'false')
        throw new Fault({code: 'template-header', message: `${name} must be True or False, not "${value}"`, ...place});
      result = {...result, [BOOLEANS[name as keyof typeof BOOLEANS]]: word === 'true'};
    } else if (Object.hasOwn(STRINGS, name)) {
      const mark = value.replace(/^(['"])(.*)\1$/, '$2');
      if (mark === '') throw new Fault({code: 'template-header', message: `${name} must not be empty`, ...place});
      result = {...result, [STRINGS[name as keyof typeof STRINGS]]: mark};
    } else if (!known.includes(name)) {
      const near = nearestName(name, known);
      const problem = {
        code: 'template-header',
        message: `the header has no setting "${name || pair.trim()}"`,
        ...place,
      };
      throw new Fault(near === undefined ? problem : {...problem, help: `did you mean "${near}"?`});
    }
  }
  return {syntax: result, start: Math.min(end + 1, text.length)};
}
