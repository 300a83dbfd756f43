import {markup, type Markup} from '../../report/html-text.ts';
import type {RecordedStatus} from '../../store/records.ts';
import type {Standing} from './fleet-view.ts';

/** Nothing from elsewhere, no script or style in the page itself, nothing that acts. */
export const contentSecurityPolicy =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const places = [
  ['/', 'Fleet'],
  ['/schedules', 'Schedules'],
  ['/runs', 'Runs'],
] as const;

/** A whole page. `live`: it follows something, and says what in `data-` attributes. */
export function webPage(page: {
  readonly title: string;
  readonly path: string;
  readonly main: Markup;
  readonly live?: true;
}): string {
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${page.title} · tsplay</title>
        <link rel="stylesheet" href="/style.css" />
        ${page.live === true ? markup`<script src="/live.js" defer></script>` : undefined}
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <header>
          <nav aria-label="Pages">
            <ul>
              ${places.map(
                ([path, name]) =>
                  markup`<li><a href="${path}"${page.path === path ? markup` aria-current="page"` : undefined}>${name}</a></li>`,
              )}
            </ul>
          </nav>
          <h1>${page.title}</h1>
        </header>
        <main id="main">${page.main}</main>
      </body>
    </html>`.markup;
}

const standingStyles: Readonly<Record<Standing, readonly [style: string, sign: string]>> = {
  'in sync': ['ok', '✓'],
  drifted: ['changed', '≠'],
  fixed: ['running', '↻'],
  failed: ['failed', '✗'],
  unreachable: ['unreachable', '!'],
};

/** A host's state, with a sign: colour alone says nothing. */
export function standingBadge(state: Standing, count?: number): Markup {
  const [style, sign] = standingStyles[state];
  return badge(style, sign, count === undefined ? state : `${count} ${state}`);
}

const statusStyles: Readonly<Record<RecordedStatus, readonly [style: string, sign: string]>> = {
  running: ['running', '…'],
  ok: ['ok', '✓'],
  changed: ['changed', '≠'],
  failed: ['failed', '✗'],
  unreachable: ['unreachable', '!'],
  interrupted: ['unreachable', '■'],
  'cut-off': ['unreachable', '■'],
  refused: ['failed', '✗'],
};

/** How a run stands. */
export function statusBadge(status: RecordedStatus): Markup {
  const [style, sign] = statusStyles[status];
  return badge(style, sign, status);
}

const resultStyles: Readonly<Record<string, readonly [style: string, sign: string]>> = {
  ok: ['ok', '✓'],
  changed: ['changed', '≠'],
  skipped: ['none', '–'],
  failed: ['failed', '✗'],
  refused: ['failed', '✗'],
  unknown: ['changed', '?'],
  ignored: ['none', '~'],
  unreachable: ['unreachable', '!'],
};

/** How a task ended on a host, or a host in a run. */
export function resultBadge(status: string): Markup {
  const [style, sign] = resultStyles[status] ?? ['none', '·'];
  return badge(style, sign, status);
}

function badge(style: string, sign: string, text: string): Markup {
  return markup`<span class="badge s-${style}"><span aria-hidden="true">${sign} </span>${text}</span>`;
}

/** The page of a host. */
export function hostLink(host: string): Markup {
  return markup`<a href="/host?name=${encodeURIComponent(host)}">${host}</a>`;
}

/** The page of a run, of one host in it where one is given. */
export function runLink(id: string, host?: string): Markup {
  const query = host === undefined ? '' : `&host=${encodeURIComponent(host)}`;
  return markup`<a href="/run?id=${encodeURIComponent(id)}${query}">${id}</a>`;
}

/** A moment in UTC; a dash where there is none. */
export function moment(iso: string | undefined): Markup {
  if (iso === undefined) return markup`<span class="dim">–</span>`;
  return markup`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')}</time>`;
}

/** A table that scrolls by itself on a narrow screen. */
export function table(label: string, heads: readonly string[], rows: readonly Markup[]): Markup {
  return markup`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
    <table class="wide">
      <thead><tr>${heads.map((head) => markup`<th scope="col">${head}</th>`)}</tr></thead>
      <tbody>${rows}</tbody>
    </table>
  </div>`;
}
