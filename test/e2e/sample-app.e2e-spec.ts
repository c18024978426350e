import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import {
  getPoolToken,
  PoolClosedError,
  PoolQueueFullError,
  PoolUnavailableError,
  type CompressionPool,
  type PoolStats,
  type RedisPool,
} from 'nestjs-pool';
import { ask, jsonOf, post } from './http-client.js';
import { startApp } from './sample-app.here.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const UNKNOWN_ID = '6a1b4f0e-52f6-4c0e-9d57-0c5f3f7d9f11';
const DAY_SECONDS = 86_400;

describe('The sample application', () => {
  let app: NestExpressApplication;
  let url: string;
  let cache: RedisPool;
  let archive: CompressionPool;

  beforeAll(async () => {
    ({ app, url } = await startApp());
    cache = app.get(getPoolToken('cache'));
    archive = app.get(getPoolToken('archive'));
  }, 15 * 60_000);
  afterAll(() => app.close());

  const store = async (snippet: object) =>
    jsonOf<{ id: string; bytes: number; storedBytes: number }>(await post(`${url}/snippets`, snippet));

  describe('POST /snippets', () => {
    it('stores the text in gzip, for a day if nothing else is asked for', async () => {
      const text = 'Grüße '.repeat(1_000);
      const answer = await post(`${url}/snippets`, { text });
      const { id, bytes, storedBytes } = jsonOf<{ id: string; bytes: number; storedBytes: number }>(answer);
      const stored = await cache.commands.getBuffer(`snippet:${id}`);
      expect(answer.status).toBe(201);
      expect(bytes).toBe(8_000);
      expect(stored).toHaveLength(storedBytes);
      expect(gunzipSync(stored!).toString()).toBe(text);
      expect(await cache.commands.ttl(`snippet:${id}`)).toBeGreaterThan(DAY_SECONDS - 60);
      expect(await cache.commands.ttl(`snippet:${id}`)).toBeLessThanOrEqual(DAY_SECONDS);
    });

    it('keeps the text for as long as it is told', async () => {
      const { id } = await store({ text: 'short-lived', ttlSeconds: 60 });
      expect(await cache.commands.ttl(`snippet:${id}`)).toBeGreaterThan(0);
      expect(await cache.commands.ttl(`snippet:${id}`)).toBeLessThanOrEqual(60);
    });

    it.each([
      ['broken JSON', '{"text": "a"', /JSON/],
      ['no text', '{}', /text/],
      ['an empty text', '{"text":""}', /text/],
      ['a text of another type', '{"text":5}', /text/],
      ['half of a surrogate pair', '{"text":"\\ud83d"}', /text/],
      ['a negative time to live', '{"text":"a","ttlSeconds":-1}', /ttlSeconds/],
      ['no time to live', '{"text":"a","ttlSeconds":0}', /ttlSeconds/],
      ['a broken time to live', '{"text":"a","ttlSeconds":1.5}', /ttlSeconds/],
      ['a time to live that is too long', `{"text":"a","ttlSeconds":${31 * DAY_SECONDS}}`, /ttlSeconds/],
      ['a time to live of another type', '{"text":"a","ttlSeconds":"60"}', /ttlSeconds/],
      ['an unknown key', '{"text":"a","ttl":60}', /ttl/],
      ['a list', '[]', /object/],
      ['a word', '"text"', /JSON/],
      ['nothing', '', /text/],
    ])('answers %s with 400 and says what is wrong', async (_, body, words) => {
      const answer = await ask(`${url}/snippets`, { method: 'POST', headers: JSON_TYPE, body });
      expect(answer.status).toBe(400);
      expect(String(jsonOf(answer).message)).toMatch(words);
    });

    it('answers a body of more than 1 MiB with 413', async () => {
      const answer = await post(`${url}/snippets`, { text: 'a'.repeat(1_048_576) });
      expect(answer.status).toBe(413);
    });

    it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1'])(
      'answers a body in %s with 415',
      async (type) => {
        const headers = { 'Content-Type': type };
        const answer = await ask(`${url}/snippets`, { method: 'POST', headers, body: '{"text":"a"}' });
        expect(answer.status).toBe(415);
      },
    );
  });

  describe('GET /snippets/:id', () => {
    it('sends the stored bytes as they are to who accepts gzip', async () => {
      const text = 'hello '.repeat(100);
      const { id, storedBytes } = await store({ text });
      const answer = await ask(`${url}/snippets/${id}`, { headers: { 'Accept-Encoding': 'gzip' } });
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        'content-encoding': 'gzip',
        'content-length': String(storedBytes),
        'content-type': 'text/plain; charset=utf-8',
        vary: 'Accept-Encoding',
      });
      expect(answer.body).toEqual(await cache.commands.getBuffer(`snippet:${id}`));
      expect(gunzipSync(answer.body).toString()).toBe(text);
    });

    it('sends the text itself to everybody else', async () => {
      const { id } = await store({ text: 'Grüße' });
      const answer = await ask(`${url}/snippets/${id}`);
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        'content-length': '7',
        'content-type': 'text/plain; charset=utf-8',
        vary: 'Accept-Encoding',
      });
      expect(answer.headers).not.toHaveProperty('content-encoding');
      expect(answer.body.toString()).toBe('Grüße');
    });

    it.each([
      ['gzip, deflate, br', 'gzip'],
      ['br, gzip;q=0.1', 'gzip'],
      ['*', 'gzip'],
      ['gzip;q=0', undefined],
      ['*;q=0.5, gzip;q=0', undefined],
      ['gzip;q=0.5, identity', undefined],
      ['identity', undefined],
      ['br', undefined],
      ['', undefined],
    ])('takes "Accept-Encoding: %s" for %s', async (accepted, encoding) => {
      const { id } = await store({ text: 'hello' });
      const answer = await ask(`${url}/snippets/${id}`, { headers: { 'Accept-Encoding': accepted } });
      expect(answer.headers['content-encoding']).toBe(encoding);
      expect((encoding ? gunzipSync(answer.body) : answer.body).toString()).toBe('hello');
    });

    it('answers 404 when there is no such snippet', async () => {
      expect((await ask(`${url}/snippets/${UNKNOWN_ID}`)).status).toBe(404);
    });

    it.each(['1', 'pools', `${UNKNOWN_ID}0`, '%00', '%ff'])('answers 400 to the id %s', async (id) => {
      expect((await ask(`${url}/snippets/${id}`)).status).toBe(400);
    });

    it('keeps to itself what is wrong when it cannot read what it stored', async () => {
      await cache.commands.set(`snippet:${UNKNOWN_ID}`, 'no gzip', 'EX', 60);
      const answer = await ask(`${url}/snippets/${UNKNOWN_ID}`);
      expect(answer.status).toBe(500);
      expect(jsonOf(answer)).toEqual({ statusCode: 500, message: 'Internal server error' });
      await cache.commands.del(`snippet:${UNKNOWN_ID}`);
    });
  });

  describe('when a pool cannot serve a request', () => {
    it.each([
      new PoolQueueFullError('archive', 'too many wait'),
      new PoolClosedError('archive', 'draining'),
      new PoolUnavailableError('archive', 'cannot be opened', new Error('connect to 10.0.0.7')),
    ])('answers $name with 503 and Retry-After, and nothing of its words', async (error) => {
      jest.spyOn(archive, 'compress').mockRejectedValueOnce(error);
      const answer = await post(`${url}/snippets`, { text: 'a' });
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toBe('1');
      expect(jsonOf(answer)).toEqual({
        statusCode: 503,
        error: 'Service Unavailable',
        message: 'Busy at the moment: try again',
      });
    });
  });

  describe('GET /pools', () => {
    it('shows what each pool is doing', async () => {
      const stats = jsonOf<PoolStats[]>(await ask(`${url}/pools`));
      expect(stats).toMatchObject([
        { name: 'cache', state: 'open' },
        { name: 'archive', state: 'open' },
      ]);
    });

    it('streams it as server-sent events', async () => {
      const answer = await fetch(`${url}/pools/stream`);
      const names = new Set<string>();
      const decoder = new TextDecoder();
      for await (const chunk of answer.body as ReadableStream<Uint8Array>) {
        for (const [, data] of decoder.decode(chunk).matchAll(/^data: (.*)$/gm)) {
          names.add((JSON.parse(data!) as PoolStats).name);
        }
        if (names.size === 2) break;
      }
      expect(answer.headers.get('content-type')).toBe('text/event-stream');
      expect([...names]).toEqual(['cache', 'archive']);
    });
  });

  describe('GET /health', () => {
    it('is up while the pools are', async () => {
      const answer = await ask(`${url}/health`);
      expect(answer.status).toBe(200);
      expect(jsonOf(answer)).toMatchObject({ status: 'ok', info: { pools: { status: 'up' } } });
    });

    it.each(['live', 'ready'])('has /%s for whoever runs it', async (which) => {
      const answer = await ask(`${url}/health/${which}`);
      expect(answer.status).toBe(200);
      expect(jsonOf(answer)).toMatchObject({ status: 'ok' });
    });
  });

  describe('GET /', () => {
    it('is a page whose every part is served from here', async () => {
      const page = await ask(`${url}/`);
      const html = page.body.toString();
      const parts = [...html.matchAll(/<(?:script|link)[^>]+(?:src|href)="([^"]+)"/g)].map(
        ([, part]) => part!,
      );
      const answers = await Promise.all(parts.map((part) => ask(new URL(part, url).href)));
      expect(page.headers['content-type']).toMatch('text/html');
      expect(html).not.toMatch(/https?:/);
      expect(parts).toHaveLength(5);
      expect(answers.map(({ status }) => status)).toEqual(parts.map(() => 200));
    });
  });
});
