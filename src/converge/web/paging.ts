import {markup, type Markup} from '../../report/html-text.ts';

/** *units*: rows. */
const perPage = 100;

/** A part of many rows, by `page=` of the address. */
export type Page<T> = {readonly rows: readonly T[]; readonly links: Markup};

/** The rows of the page that an address asks for, and links to the others. Beyond the end is the last page. */
export function pageOf<T>(all: readonly T[], url: URL): Page<T> {
  const pages = Math.max(1, Math.ceil(all.length / perPage));
  const asked = Number.parseInt(url.searchParams.get('page') ?? '1', 10);
  const page = Math.min(pages, Math.max(1, Number.isNaN(asked) ? 1 : asked));
  const rows = all.slice((page - 1) * perPage, page * perPage);
  if (pages === 1) return {rows, links: markup``};
  const to = (number: number, text: string): Markup => {
    const query = new URLSearchParams(url.searchParams);
    query.set('page', String(number));
    return markup`<li><a href="${url.pathname}?${query.toString()}">${text}</a></li>`;
  };
  return {
    rows,
    links: markup`<nav aria-label="Pages of this list">
      <ul>
        <li>${(page - 1) * perPage + 1} to ${(page - 1) * perPage + rows.length} of ${all.length}</li>
        ${page > 1 ? to(page - 1, 'Previous') : undefined} ${page < pages ? to(page + 1, 'Next') : undefined}
      </ul>
    </nav>`,
  };
}
