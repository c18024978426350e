import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { useRedisServer } from '../support/redis-server.js';
import { ask, beginPost, jsonOf, post } from './http-client.js';
import { SampleAppBuild, type SampleApp } from './sample-app.process.js';

const BUILD_WITHIN_MS = 5 * 60_000;

describe('The process of the sample application', () => {
  const redis = useRedisServer();
  let build: SampleAppBuild;
  let app: SampleApp;

  beforeAll(async () => {
    build = await SampleAppBuild.make();
  }, BUILD_WITHIN_MS);
  afterAll(() => build.remove());
  afterEach(() => app.kill());

  it.each([
    ['SIGTERM', 'by itself'],
    ['SIGINT', 'by itself'],
    ['SIGTERM', 'by npm'],
    ['SIGINT', 'by npm'],
  ] as const)(
    'drains its pools, stops its Redis and exits with 0 on %s when started %s',
    async (signal, by) => {
      app = await (by === 'by npm' ? build.startByNpm() : build.start());
      await post(`${app.url}/snippets`, { text: 'hello' });
      const children = await app.descendants();
      app.signal(signal);
      expect(await app.exited).toBe(0);
      expect(app.output).toMatch(/Pool "cache" drained in \d+ ms: .* failed to close 0/);
      expect(app.output).toMatch(/Pool "archive" drained in \d+ ms: .* failed to close 0/);
      expect(children.length).toBeGreaterThan(0);
      await haveEnded(children);
    },
  );

  it('answers the requests that are open, although signals go on coming', async () => {
    app = await build.start({ REDIS_URL: redis.url });
    const texts = Array.from({ length: 8 }, (_, at) => `text ${at} `.repeat(1_000));
    const posts = await Promise.all(
      texts.map((text) => beginPost(`${app.url}/snippets`, JSON.stringify({ text }))),
    );
    app.signal('SIGTERM');
    await refusesConnections(app.url);
    app.signal('SIGTERM');
    app.signal('SIGINT');
    const answers = await Promise.all(posts.map((each) => each.finish()));
    expect(await app.exited).toBe(0);

    const ids = answers.map((answer) => jsonOf<{ id: string }>(answer).id);
    expect(answers.map(({ status }) => status)).toEqual(texts.map(() => 201));
    expect(answers.map(({ headers }) => headers.connection)).toEqual(texts.map(() => 'close'));
    expect(await storedTexts(redis.url, ids)).toEqual(texts);
    expect(app.output.match(/Pool "cache" drained/g)).toHaveLength(1);
  });

  it('tells those who keep a connection that it ends, with an answer, and resets none', async () => {
    app = await build.start({ REDIS_URL: redis.url });
    const agent = new Agent({ keepAlive: true });
    const urls = Array.from({ length: 100 }, () => `${app.url}/pools`);
    await Promise.all(urls.map((url) => ask(url, { agent }))); // all connections are there
    const last = urls.map((url) => asksUntilTold(url, agent));
    app.signal('SIGTERM');
    expect(await Promise.all(last)).toEqual(urls.map(() => 200));
    expect(await app.exited).toBe(0);
    agent.destroy();
  });

  it('ends the streams of those who watch the pools, and waits for no idle connection', async () => {
    app = await build.start({ REDIS_URL: redis.url });
    const stream = await fetch(`${app.url}/pools/stream`);
    const watched = stream.text(); // rejects when the connection is cut
    const silent = connect(Number(new URL(app.url).port));
    await once(silent, 'connect');
    await ask(`${app.url}/health`, { headers: { Connection: 'keep-alive' } });
    app.signal('SIGTERM');
    expect(await app.exited).toBe(0);
    expect(await watched).toMatch(/"name":"archive"/);
    silent.destroy();
  });

  it('serves its page, with the chart and style libraries that it needs', async () => {
    app = await build.start({ REDIS_URL: redis.url });
    const [page, chart, style] = await Promise.all(
      ['/', '/uplot/uPlot.esm.js', '/pico/pico.min.css'].map((path) => ask(`${app.url}${path}`)),
    );
    expect(page!.body.toString()).toMatch('<title>Snippet store</title>');
    expect(chart!.headers['content-type']).toMatch('text/javascript');
    expect(style!.headers['content-type']).toMatch('text/css');
  });

  it('leaves no Redis behind when it is killed', async () => {
    app = await build.start();
    const children = await app.descendants();
    app.signal('SIGKILL');
    expect(await app.exited).toBe('SIGKILL');
    expect(children.length).toBeGreaterThan(0);
    await haveEnded(children);
  });

  it('does not start with an environment that makes no sense, and tells every fault but no secret', async () => {
    const start = build.start({ PORT: 'http', REDIS_URL: 'http://user:secret@localhost' });
    await expect(start).rejects.toThrow(/PORT: .*\n.*REDIS_URL: /);
    await expect(start).rejects.not.toThrow(/secret/);
  });
});

/** Asks again and again; resolves to the last status, when that came with the word that there is no connection for more. */
async function asksUntilTold(url: string, agent: Agent): Promise<number> {
  for (;;) {
    const { status, headers } = await ask(url, { agent });
    if (headers.connection === 'close') return status;
  }
}

/** Resolves when nobody listens there any more. */
async function refusesConnections(url: string): Promise<void> {
  for (;;) {
    const socket = connect(Number(new URL(url).port));
    const refused = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(false));
      socket.once('error', () => resolve(true));
    });
    socket.destroy();
    if (refused) return;
    await sleep(10);
  }
}

async function storedTexts(url: string, ids: readonly string[]): Promise<string[]> {
  const client = new Redis(url);
  const stored = await client.mgetBuffer(ids.map((id) => `snippet:${id}`));
  client.disconnect();
  return stored.map((gzipped) => (gzipped === null ? '' : gunzipSync(gzipped).toString()));
}

/** Resolves when all have ended and been reaped, which the system does a moment after they were orphaned. */
async function haveEnded(pids: number[]): Promise<void> {
  while (pids.some(isAlive)) await sleep(20);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
