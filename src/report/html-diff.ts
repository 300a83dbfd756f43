import {markup, type Markup} from './html-text.ts';

/** A unified diff, its lines marked by their signs and by what they are. */
export function diffMarkup(diff: string): Markup {
  const lines = diff
    .trimEnd()
    .split('\n')
    .map((line) => {
      if (/^(?:---|\+\+\+) "?(?:before|after): /.test(line)) return markup`${line}\n`;
      if (line.startsWith('+')) return markup`<ins>${line}</ins>\n`;
      return line.startsWith('-') ? markup`<del>${line}</del>\n` : markup`${line}\n`;
    });
  return markup`<pre>${lines}</pre>`;
}
