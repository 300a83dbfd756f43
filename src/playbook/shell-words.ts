import type {Result} from '../base/result.ts';
import {bad, ok} from '../base/result.ts';
import {error} from '../base/diagnostic.ts';
import type {Source} from '../base/diagnostic.ts';

/** A word of a line, without its quotes. *units*: UTF-16 offsets of the quoted form in the source. */
export type Word = {readonly text: string; readonly start: number; readonly end: number};

/**
 * Splits a stretch of a source into words as a POSIX shell would, without any expansion; an unquoted `#` begins a comment.
 * *errors*: `unclosed-quote`.
 */
export function splitWords(source: Source, from: number, to: number): Result<readonly Word[]> {
  const words: Word[] = [];
  const {text} = source;
  let i = from;
  while (i < to) {
    if (/\s/.test(text[i] ?? '')) {
      i++;
      continue;
    }
    if (text[i] === '#') break;
    const start = i;
    let word = '';
    while (i < to && !/\s/.test(text[i] ?? '')) {
      const c = text[i] ?? '';
      if (c === "'" || c === '"') {
        const opened = i++;
        while (i < to && text[i] !== c) {
          if (c === '"' && text[i] === '\\' && (text[i + 1] === '"' || text[i + 1] === '\\')) i++;
          word += text[i++] ?? '';
        }
        if (i >= to)
          return bad(
            error('unclosed-quote', 'this quote is not closed', {span: {source, start: opened, end: opened + 1}}),
          );
        i++;
      } else if (c === '\\' && i + 1 < to) {
        word += text[i + 1] ?? '';
        i += 2;
      } else if (c === '#') {
        // Python's shlex, which reads Ansible's inventories, begins a comment inside a word too
        return ok([...words, {text: word, start, end: i}]);
      } else {
        word += c;
        i++;
      }
    }
    words.push({text: word, start, end: i});
  }
  return ok(words);
}
