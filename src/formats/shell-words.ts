/**
 * Splits a command line into words as a POSIX shell would without expanding anything: blanks separate, single and double quotes group,
 * a backslash quotes the next character. Undefined where a quote is not closed. *source*: POSIX.1-2017 XCU 2.2.
 */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (quote === "'") {
      if (c === "'") quote = undefined;
      else word = (word ?? '') + c;
    } else if (c === '\\' && (quote === undefined || '"\\$`'.includes(line[i + 1] ?? ''))) {
      i++;
      if (line[i] !== '\n') word = (word ?? '') + (line[i] ?? '\\');
    } else if (quote === '"') {
      if (c === '"') quote = undefined;
      else word = (word ?? '') + c;
    } else if (c === '"' || c === "'") {
      quote = c;
      word ??= '';
    } else if (/\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + c;
  }
  if (quote !== undefined) return undefined;
  if (word !== undefined) words.push(word);
  return words;
}
