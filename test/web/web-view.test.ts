// The web view in a real browser, over a history of a thousand hosts.
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {Browser, BrowserContextOptions, Page} from 'playwright-core';
import {historyFleet} from '../../src/converge/web/history-fleet.ts';
import {webRoutes} from '../../src/converge/web/routes.ts';
import {History} from '../../src/store/history.ts';
import {result} from '../unit/report/sample-run.ts';
import {browserMissing, openBrowser, serve} from './browser.ts';
import {begin, hostile, recordCheck, statusOf} from './recorded-fleet.ts';

/** What has the focus, and how that shows. */
const focusedElement = `document.activeElement.tagName + ' ' + getComputedStyle(document.activeElement).outlineStyle`;

/** The contrast of each text with the ground that it stands on. *source*: WCAG 2.2, relative luminance and contrast ratio. */
const contrasts = `[...document.querySelectorAll('.badge, a, th, td, h1, p, label')].slice(0, 200).map((element) => {
  const parse = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (colour) => {
    const [r, g, b] = parse(colour).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let ground = element;
  while (ground.parentElement !== null && parse(getComputedStyle(ground).backgroundColor)[3] === 0) ground = ground.parentElement;
  if (parse(getComputedStyle(ground).backgroundColor)[3] === 0) ground = document.body;
  const [low, high] = [light(getComputedStyle(element).color), light(getComputedStyle(ground).backgroundColor)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
})`;

const hosts = [...Array.from({length: 1000}, (_, i) => `web${String(i).padStart(4, '0')}`), hostile];
const state = mkdtempSync(join(tmpdir(), 'tsplay-web-'));
const history = new History(state);
let browser: Browser;
let site: {origin: string; stop: () => void};

if (browserMissing !== undefined) test.skip(`web view: ${browserMissing}`, () => undefined);
else {
  test.before(async (t) => {
    t.timeout(60_000);
    recordCheck(history, 'r1', '2026-01-01T00:00:00.000Z', hosts, () => 'ok');
    recordCheck(history, 'r2', '2026-01-02T00:00:00.000Z', hosts, (i) => (i === 1000 ? 'changed' : statusOf(i)));
    const schedules = [
      {
        name: 'nightly',
        cron: '0 3 * * *',
        timezone: 'Europe/Berlin',
        words: ['check', hostile],
        paused: false,
        next: '2026-01-03T02:00:00.000Z',
      },
    ];
    site = await serve(webRoutes(historyFleet(history, {schedules: () => Promise.resolve(schedules)})));
    browser = await openBrowser();
  });
  test.after.always(async () => {
    site.stop();
    await browser.close();
    rmSync(state, {recursive: true, force: true});
  });

  /** Opens a page; anything that the policy had to stop, or that failed, is in `troubles`. */
  const opened = async (
    path: string,
    options: BrowserContextOptions = {},
  ): Promise<{page: Page; troubles: string[]; close: () => Promise<void>}> => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('favicon')) troubles.push(message.text());
    });
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(site.origin)) troubles.push(request.url());
    });
    await page.goto(site.origin + path);
    return {page, troubles, close: () => context.close()};
  };

  test.serial('from the fleet to a finding and its diff, without JavaScript', async (t) => {
    const {page, close} = await opened('/', {javaScriptEnabled: false});
    t.is(await page.locator('tbody tr').count(), 100);
    t.regex(await page.locator('main').innerText(), /1001 of 1001/);
    await page.getByRole('link', {name: '101 drifted'}).click();
    t.regex(await page.locator('main').innerText(), /101 of 1001/);
    await page.getByRole('link', {name: 'Next'}).click();
    t.is(await page.locator('tbody tr').count(), 1);
    await page.goto(`${site.origin}/?q=web0013`);
    await page.getByRole('link', {name: 'web0013'}).click();
    t.regex(await page.locator('#drift + *').innerText(), /in sync[^]*drifted/);
    await page.locator('section[aria-labelledby=drift]').getByRole('link', {name: 'r2'}).click();
    t.is(await page.locator('del').count(), 2);
    t.true((await page.locator('pre').innerText()).includes(hostile));
    await page.getByRole('link', {name: 'Runs', exact: true}).click();
    t.deepEqual(await page.locator('tbody th').allInnerTexts(), ['r2', 'r1']);
    await page.getByRole('link', {name: 'Schedules'}).click();
    t.regex(await page.locator('main').innerText(), /nightly\s+2026-01-03 02:00:00/);
    await close();
  });

  test.serial('hostile names, messages and diffs stay text, on every page', async (t) => {
    const name = encodeURIComponent(hostile);
    for (const path of [
      '/?state=drifted&page=2',
      `/?q=${name}`,
      `/host?name=${name}`,
      '/run?id=r2',
      `/run?id=r2&host=${name}`,
      '/schedules',
      '/runs',
    ]) {
      const {page, troubles, close} = await opened(path);
      t.deepEqual(troubles, [], path);
      t.not(await page.title(), 'owned');
      t.is(await page.locator('img, main script').count(), 0);
      await close();
    }
    const {page, close} = await opened(`/host?name=${name}`);
    t.is(await page.locator('h1').innerText(), hostile);
    await page.locator('section[aria-labelledby=state]').getByRole('link', {name: 'r2'}).click();
    t.true((await page.locator('pre').innerText()).includes(hostile));
    await close();
  });

  test.serial(
    'what nobody knows is not found, and every answer has a policy that allows no script of the page itself',
    async (t) => {
      for (const [path, status] of [
        ['/', 200],
        ['/host?name=nobody', 404],
        ['/run?id=../../etc/passwd', 404],
        ['/run', 404],
        ['/events?id=none', 404],
      ] as const) {
        const response = await fetch(site.origin + path);
        t.is(response.status, status, path);
        if (path !== '/events?id=none')
          t.regex(response.headers.get('content-security-policy') ?? '', /default-src 'none'.*script-src 'self'/);
        t.notRegex(await response.text(), /<script(?! src="\/live\.js" defer>)|<[^>]*\s(?:on\w+|style)=|unsafe/);
      }
    },
  );

  test.serial('a run that goes on is followed as it happens, and its page changes when it is over', async (t) => {
    t.timeout(30_000);
    const started = '2026-01-03T00:00:00.000Z';
    const recorder = begin(history, 'r3', started, 'run');
    recorder.on({event: 'play-started', play: 'site', hosts: ['web0001'], at: 'site.yml:1:3'});
    const {page, troubles, close} = await opened('/run?id=r3');
    recorder.on({
      event: 'task-finished',
      result: result({
        host: 'web0001',
        task: hostile,
        status: 'changed',
        changes: [{what: 'mode', before: '0644', after: '0600'}],
      }),
    });
    await page.locator('#live-list li').first().waitFor();
    t.is(await page.locator('#live-list li').first().innerText(), `web0001: ${hostile}: changed`);
    const summary = {
      ok: 0,
      changed: 1,
      failed: 0,
      skipped: 0,
      refused: 0,
      unknown: 0,
      ignored: 0,
      roundTrips: 2,
      status: 'changed',
    } as const;
    recorder.on({event: 'host-finished', host: 'web0001', summary});
    recorder.on({
      event: 'run-finished',
      outcome: {
        run: {id: 'r3', mode: 'run', playbooks: ['site.yml'], started, durationMs: 5, exit: 0},
        hosts: {web0001: summary},
      },
    });
    recorder.close(0);
    await page.locator('#live-list').waitFor({state: 'detached'});
    t.regex(await page.locator('main').innerText(), /exit status 0/);
    t.deepEqual(troubles, []);
    t.not(await page.title(), 'owned');
    await close();
  });

  test.serial('by keyboard: the first key leads to the content, every link can be reached and shows it', async (t) => {
    const {page, close} = await opened('/');
    await page.keyboard.press('Tab');
    t.is(await page.evaluate<string>('document.activeElement.textContent'), 'To the content');
    const seen = new Set<string>();
    for (let i = 0; i < 14; i++) {
      await page.keyboard.press('Tab');
      const focus = await page.evaluate<string>(focusedElement);
      seen.add(focus);
    }
    t.true(
      seen.has('A solid') && seen.has('INPUT solid') && seen.has('SELECT solid') && seen.has('BUTTON solid'),
      [...seen].join(),
    );
    await page.locator('#q').fill('web0007');
    await page.keyboard.press('Enter');
    await page.waitForURL(/q=web0007/);
    t.is(await page.locator('tbody tr').count(), 1);
    await close();
  });

  for (const colorScheme of ['light', 'dark'] as const)
    test.serial(
      `on a phone nothing is wider than the screen, and badges keep a contrast of 4.5:1: ${colorScheme}`,
      async (t) => {
        for (const path of ['/', '/host?name=web0013', '/run?id=r2&host=web0013', '/runs', '/schedules']) {
          const {page, close} = await opened(path, {viewport: {width: 375, height: 740}, isMobile: true, colorScheme});
          t.true((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 375, path);
          const ratios = await page.evaluate<number[]>(contrasts);
          t.true(ratios.length > 0 && Math.min(...ratios) >= 4.5, `${path}: ${Math.min(...ratios)}`);
          await close();
        }
      },
    );
}
