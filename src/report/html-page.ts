import {createHash} from 'node:crypto';
import {htmlStyle} from './html-style.ts';
import {markup, type Markup} from './html-text.ts';

/** A whole page that opens offline. It holds no script, and its content security policy allows nothing but its own style. */
export function standalonePage(title: string, header: Markup, main: Markup): string {
  const hash = createHash('sha256').update(htmlStyle).digest('base64');
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"
        />
        <meta name="referrer" content="no-referrer" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${{markup: `<style>${htmlStyle}</style>`}}
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <header>${header}</header>
        <main id="main">${main}</main>
      </body>
    </html>`.markup;
}
