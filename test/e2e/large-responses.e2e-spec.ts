import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import { text } from '../../lib/compression/payloads.fake.js';
import { startChromium } from './chromium.js';

/** The first start on a machine may have to install a browser. */
const START_WITHIN_MS = 15 * 60_000;

jest.setTimeout(60_000);

const PAGE = text(2 ** 20);

/** Browsers take the first gzip member of a body for all of it, without a word. */
describe('A response that several contexts have compressed', () => {
  const pool = new CompressionPool('pages', {
    type: 'compression',
    algorithm: 'gzip',
    max: 3,
    parallel: { aboveBytes: 65_536, blockBytes: 65_536 },
  });
  const answers: Record<string, (response: ServerResponse) => Promise<unknown>> = {
    '/whole': async (response) => response.end(await pool.compress(PAGE)),
    '/stream': (response) => pipeline(Readable.from(pieces()), pool.createCompress(), response),
  };
  let browser: Browser;
  let server: Server;
  let url: string;

  beforeAll(async () => {
    browser = await startChromium();
    server = createServer((request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Encoding': 'gzip' });
      void answers[request.url!]?.(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }, START_WITHIN_MS);

  afterAll(async () => {
    await browser.close();
    server.closeAllConnections();
    server.close();
    await pool.drain();
  });

  function* pieces(): Iterable<Buffer> {
    for (let at = 0; at < PAGE.length; at += 16_384) yield PAGE.subarray(at, at + 16_384);
  }

  it.each(Object.keys(answers))('is shown by a browser to its end: %s', async (path) => {
    const page = await browser.newPage();
    await page.goto(url + path);
    const shown = await page.locator('body').evaluate('document.body.textContent');
    expect(shown === PAGE.toString()).toBe(true);
    await page.close();
  });
});
