// YAML wants the lines of a quoted text or of a bracketed list to be indented more than what they belong to. The parser that playbooks have been written
// for does not look, so closing quotes and brackets stand below their key everywhere. What is meant is clear: it is read as if it were indented.
import {getScalarValue, parseEvents} from 'js-yaml';
import type {Repair} from './yaml-mistakes.ts';
import {unclosedBracket, unclosedQuote} from './yaml-mistakes.ts';

/**
 * The text with one such place made readable, at the same length so that all offsets stay; undefined where something else is wrong at `position`, where
 * the parser found too little indentation.
 */
export function loosen(text: string, position: number): {readonly text: string; readonly repair?: Repair} | undefined {
  return loosenQuote(text, position) ?? loosenBracket(text, position);
}

function loosenQuote(text: string, position: number): {readonly text: string; readonly repair: Repair} | undefined {
  const start = unclosedQuote(text, position);
  if (start < 0) return undefined;
  const style = text[start] === '"' ? 'double' : 'single';
  const whole = style === 'double' ? /"(?:[^"\\]|\\[^])*"/y : /'(?:[^']|'')*'/y;
  whole.lastIndex = start;
  const found = whole.exec(text)?.[0];
  if (found === undefined) return undefined;
  const end = start + found.length;
  // a quote that opens the next value closes nothing
  if (end <= position || !/^[^\S\n]*(?:\r?\n|$|#|[,\]}])/.test(text.slice(end))) return undefined;
  const value = valueOf(found);
  if (value === undefined) return undefined;
  return {
    text: text.slice(0, start) + 'x'.repeat(end - start) + text.slice(end),
    repair: {start, end, value, style},
  };
}

function valueOf(quoted: string): string | undefined {
  const alone = `- ${quoted.replaceAll(/\n[ \t]*/g, '\n  ')}`;
  try {
    const scalar = parseEvents(alone, {}).find((event) => event.type === 4);
    if (scalar === undefined) return undefined;
    return scalar.fast ? alone.slice(scalar.valueStart, scalar.valueEnd) : getScalarValue(alone, scalar);
  } catch {
    return undefined;
  }
}

/** Between brackets a line break means no more than a blank. */
function loosenBracket(text: string, position: number): {readonly text: string} | undefined {
  if (unclosedBracket(text, position) < 0) return undefined;
  const lineBreak = text.lastIndexOf('\n', position - 1);
  if (lineBreak < 0 || text.slice(lineBreak + 1, position).trim() !== '') return undefined;
  const lineStart = text.lastIndexOf('\n', lineBreak - 1) + 1;
  const line = text.slice(lineStart, lineBreak);
  const comment = /(?:^|\s)#/.exec(line);
  if (comment !== null && /["']/.test(line)) return undefined;
  const kept = comment === null ? line.replace(/\r$/, ' ') : line.slice(0, comment.index).padEnd(line.length);
  return {text: `${text.slice(0, lineStart)}${kept} ${text.slice(lineBreak + 1)}`};
}
