import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Browser, Page } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { useRedisServer } from '../support/redis-server.js';
import { startChromium } from './chromium.js';
import { ask } from './http-client.js';
import { newLastDrainFile, startApp } from './sample-app.here.js';
import { numberIn, runInPage } from './page-looks.js';

/** The first start on a machine may have to install a browser, and a Redis server. */
const START_WITHIN_MS = 15 * 60_000;

jest.setTimeout(60_000);

describe('The page of the sample application', () => {
  const redis = useRedisServer();
  const lastDrainFile = newLastDrainFile();
  let browser: Browser;
  let app: NestExpressApplication;
  let url: string;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await startChromium();
    ({ app, url } = await startApp(undefined, { lastDrainFile }));
  }, START_WITHIN_MS);
  afterAll(async () => {
    await browser.close();
    await app.close();
  });

  beforeEach(async () => {
    page = await browser.newPage({ viewport: { width: 1_280, height: 900 } });
    complaints = [];
    page.on('console', (message) => message.type() !== 'log' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await visit(url);
  });
  afterEach(async () => {
    await ask(`${url}/load`, { method: 'DELETE' });
    await page.close();
  });

  const visit = async (address: string) => {
    await page.goto(address);
    await pool('archive').getByText('breaker closed').waitFor();
  };
  const pool = (name: string) => page.locator(`[data-pool=${name}]`);
  const button = (name: string) => page.getByRole('button', { name });
  /** What the caption of a chart says that its line is at. */
  const lineOf = (name: string, line: string) => numberIn(pool(name).locator(`[data-name="${line}"]`));
  const shows = (text: string | RegExp, what = page.locator('body')) =>
    eventually(`the page shows ${String(text)}`, async () => (await what.innerText()).search(text) >= 0);

  it('moves while there is load, rests without, and complains of nothing', async () => {
    expect(await lineOf('cache', 'commands/s')).toBe(0);
    await button('Start the load').click();
    await eventually(
      'everything moves',
      async () =>
        (await lineOf('cache', 'commands/s')) > 0 &&
        (await lineOf('cache', 'leases/s')) > 0 &&
        (await lineOf('archive', 'leases/s')) > 0 &&
        (await lineOf('archive', 'use p99, ms')) > 0,
    );
    const ratio = pool('archive').locator('dl div', { hasText: 'ratio' }).locator('dd');
    expect(await numberIn(ratio)).toBeGreaterThan(2);
    expect(await pool('archive').locator('.slots i').count()).toBeGreaterThan(0);

    await button('Stop the load').click();
    await eventually('nothing moves', async () => (await lineOf('cache', 'commands/s')) === 0);
    expect(complaints).toEqual([]);
  });

  it('shows that Redis is gone, and that it heals', async () => {
    await button('Start the load').click();
    await eventually('there is work', async () => (await lineOf('cache', 'leases/s')) > 0);
    await page.getByRole('slider', { name: 'For' }).fill('3');
    await button('Stop Redis').click();
    await shows('breaker open', pool('cache'));
    expect(await page.locator('#fault-status').innerText()).toMatch(/Redis is stopped, for \d s more/);
    expect(await button('Cut connections').getAttribute('aria-disabled')).toBe('true');
    await shows('breaker closed', pool('cache'));
    await eventually('there is work again', async () => (await lineOf('cache', 'leases/s')) > 0);
    await button('Stop the load').click();
    await shows(/closed its breaker[^]*Redis is stopped for 3 s/, page.locator('#happenings'));
    expect(complaints).toEqual([]);
  });

  it('shows how long commands take while Redis is paused', async () => {
    await button('Start the load').click();
    await eventually('there is work', async () => (await lineOf('cache', 'commands/s')) > 0);
    await page.getByRole('slider', { name: 'For' }).fill('1');
    await button('Pause Redis').click();
    await eventually('it is seen', async () => (await lineOf('cache', 'command p99, ms')) > 500);
    await button('Cut connections').click({ force: true });
    await shows('The embedded Redis is well', page.locator('#fault-status'));
    await button('Cut connections').click();
    await shows('the connections to Redis are cut', page.locator('#happenings'));
    await button('Stop the load').click();
  });

  it('takes up its stream when the server is back, says so, and shows what the drain did', async () => {
    await app.close();
    await shows('reconnecting', page.locator('#connection'));
    ({ app, url } = await startApp(undefined, { lastDrainFile, port: Number(new URL(url).port) }));
    await shows('Reconnected: the server was started anew', page.locator('#notice'));
    expect(await page.locator('#connection').innerText()).toMatch('live');
    await shows(/The server shut down at .* All work was done/, page.locator('#drain'));
    const pools = page.locator('#drain tbody th');
    expect(await pools.allInnerTexts()).toEqual(['cache', 'archive']);
    await button('Start the load').click();
    await eventually('there is work', async () => (await lineOf('cache', 'commands/s')) > 0);
    await button('Stop the load').click();
  });

  it('is used by the keyboard alone', async () => {
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    const focused = () => page.locator(':focus').innerText();
    await page.getByRole('slider', { name: 'Rounds per second' }).focus();
    await press('End', 'ArrowLeft', 'Tab', 'Tab', 'Enter');
    await shows('Stop the load');
    await shows('490', page.locator('#per-second-shown'));
    expect(await focused()).toBe('Stop the load');
    await press('Space');
    await shows('Start the load');

    await press('Tab', 'Home', 'Tab', 'Enter');
    await shows('Redis is paused, for 1 s more', page.locator('#fault-status'));
    expect(await focused()).toBe('Pause Redis');
    await shows('The embedded Redis is well', page.locator('#fault-status'));

    await pool('cache').locator('summary').focus();
    await press('Enter');
    const table = pool('cache').getByRole('table', { name: 'The last minute' });
    expect(await table.getByRole('columnheader').allInnerTexts()).toContain('commands/s');
    await eventually('there is a row', async () => (await table.locator('tbody tr').count()) > 0);
  });

  it('knows the minute before it came', async () => {
    const once = { perSecond: 2, p50: 1, p99: 1 };
    const past = Array.from({ length: 6 }, (_, at) => ({
      at: Date.now() + (at - 6) * 5_000,
      pools: [
        { stats: { name: 'late', leased: at, waiting: 0, max: 9 }, waitMs: once, useMs: once, redis: null },
      ],
    }));
    const greeting = `event: greeting\ndata: ${JSON.stringify({ startedAt: 1, lastDrain: null, past })}\n\n`;
    await page.route('**/live', (route) =>
      route.fulfill({ contentType: 'text/event-stream', body: greeting }),
    );
    await page.reload();
    await pool('late').locator('summary').click();
    const leased = pool('late').locator('.history tbody td:nth-of-type(1)');
    expect((await leased.allInnerTexts()).filter((text) => text !== '–')).toEqual(['5', '4', '3', '2', '1']);
  });

  it('stores a text and reads it back', async () => {
    await page.getByLabel('Text to store').fill('hello '.repeat(100));
    await button('Store').click();
    await shows(/Stored 600 bytes as \d\d bytes of gzip/);
    await page.getByRole('button', { name: 'Read', exact: true }).click();
    await shows(/^(hello ?){100}$/, page.locator('#snippet'));
    await page.getByLabel('Read back by id').fill('nonsense');
    await page.getByRole('button', { name: 'Read', exact: true }).click();
    await shows('400: Validation failed');
  });

  it('runs no script and loads no picture but its own', async () => {
    const outcome = await runInPage(page, 'smuggle');
    expect(outcome).toEqual({
      refusedBy: ['img-src', 'script-src-elem', 'style-src-elem'],
      ran: false,
    });
  });

  it.each(['light', 'dark'] as const)('can be read in the %s scheme, and on a phone', async (colorScheme) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 360, height: 780 });
    const fits = () => page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth');
    await eventually('it fits', fits);
    expect(await runInPage(page, 'event-of-long-words')).toBe(true);
    expect(await runInPage(page, 'lowest-contrast')).toBeGreaterThanOrEqual(4.5);
  });

  it('keeps the colours that mean something where the visitor has chosen his own', async () => {
    const key = `document.querySelector('.legend [data-state=idle]')`;
    const colour = () => page.evaluate<string>(`getComputedStyle(${key}, '::before').backgroundColor`);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const own = await colour();
    await page.emulateMedia({ forcedColors: 'active' });
    expect(await colour()).toBe(own);
  });

  it('offers no fault where the Redis is not its own', async () => {
    const other = await startApp(redis.url);
    await visit(other.url);
    await shows('not its own to disturb');
    expect(await button('Pause Redis').isVisible()).toBe(false);
    await page.goto('about:blank');
    await other.app.close();
  });
});
