import {visible} from '../base/visible.ts';

/** Markup that was made here, of escaped parts only. */
export type Markup = {readonly markup: string};

/** The tag of templates of markup (not named `html`, for formatters would change the blanks in it): what is put in is escaped unless it is markup itself, so that no host's words become any. */
export function markup(parts: TemplateStringsArray, ...values: readonly Piece[]): Markup {
  return {markup: parts.map((part, i) => part + (i < values.length ? put(values[i]) : '')).join('')};
}

/** What may stand in a template; undefined leaves nothing. */
export type Piece = string | number | Markup | readonly Markup[] | undefined;

function put(value: Piece): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  return 'markup' in value ? value.markup : value.map((piece) => piece.markup).join('');
}

function escapeText(text: string): string {
  return visible(text.toWellFormed())
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
