// A file of a site holds one YAML document. Whatever stands behind a second `---` would be ignored without a word.
import {error} from '../base/diagnostic.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import type {Parsed} from './yaml.ts';

/** The problems of a parsed file, with one more where it holds several documents. */
export function problemsOfFile({documents, problems}: Parsed): readonly Diagnostic[] {
  const second = documents[1];
  if (second === undefined) return problems;
  const {source, start} = second.span;
  const line = source.text.lastIndexOf('\n---', start) + 1;
  const span = line > 0 ? {source, start: line, end: line + 3} : second.span;
  const help = 'remove this line, or make two files of it';
  return [
    ...problems,
    error('yaml-documents', 'a second document begins here, and nothing would read it', {span, help}),
  ];
}
