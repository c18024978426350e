import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { useRedisServer } from '../support/redis-server.js';
import { eventually } from '../support/eventually.js';
import { firstEvent } from './event-stream.js';
import { ask, type Answer } from './http-client.js';
import { newLastDrainFile, startApp } from './sample-app.here.js';

const START_WITHIN_MS = 15 * 60_000;
const MODEST_LOAD = { perSecond: 50, bytes: 1_024 };

interface Greeting {
  past: Pick<Beat, 'pools'>[];
  canFail: boolean;
  lastDrain: { at: number; reports: { pool: string; clean: boolean }[] } | null;
}

interface Beat {
  pools: { stats: { name: string; leased: number }; redis: { isConnected: boolean } | null }[];
  load: { order: object | null; inFlight: number; done: number; failed: number };
  fault: { kind: string } | null;
  happenings: { source: string; text: string }[];
}

const send = (url: string, method: string, value: unknown): Promise<Answer> =>
  ask(url, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) });

describe('The controls of the sample application', () => {
  const redis = useRedisServer();
  const lastDrainFile = newLastDrainFile();
  let app: NestExpressApplication;
  let url: string;

  beforeAll(async () => {
    ({ app, url } = await startApp(undefined, { lastDrainFile }));
  }, START_WITHIN_MS);
  afterAll(() => app.close());
  afterEach(async () => {
    await ask(`${url}/load`, { method: 'DELETE' });
    await eventually('no fault is on', async () => (await beat()).fault === null);
  });

  const beat = () => firstEvent<Beat>(`${url}/live`, 'beat');
  const greeting = () => firstEvent<Greeting>(`${url}/live`, 'greeting');

  describe('PUT and DELETE /load', () => {
    it('begin and end work for the pools', async () => {
      expect((await send(`${url}/load`, 'PUT', MODEST_LOAD)).status).toBe(204);
      await eventually('there is work', async () => (await beat()).load.done > 0);
      expect((await beat()).load).toMatchObject({ order: MODEST_LOAD, failed: 0 });
      expect((await ask(`${url}/load`, { method: 'DELETE' })).status).toBe(204);
      await eventually('all of it is done', async () => (await beat()).load.inFlight === 0);
      expect((await beat()).load.order).toBeNull();
    });

    it.each([
      { perSecond: 501, bytes: 1_024 },
      { perSecond: 0, bytes: 1_024 },
      { perSecond: 10, bytes: 65_537 },
      { perSecond: 10, bytes: 0 },
      { perSecond: 10 },
      { perSecond: 10, bytes: 1_024, forever: true },
      null,
    ])('refuse %j', async (order) => {
      expect((await send(`${url}/load`, 'PUT', order)).status).toBe(400);
      expect((await beat()).load.order).toBeNull();
    });

    it('take no form of another site, which browsers send without asking', async () => {
      const headers = { 'Content-Type': 'text/plain' };
      const answer = await ask(`${url}/load`, { method: 'PUT', headers, body: JSON.stringify(MODEST_LOAD) });
      expect(answer.status).toBe(415);
    });
  });

  describe('POST /faults', () => {
    it('pauses the embedded Redis for a while, and does nothing else meanwhile', async () => {
      expect((await send(`${url}/faults`, 'POST', { kind: 'pause', seconds: 1 })).status).toBe(204);
      expect((await beat()).fault).toMatchObject({ kind: 'pause' });
      expect((await send(`${url}/faults`, 'POST', { kind: 'cut' })).status).toBe(409);
      await eventually('it is over', async () => (await beat()).fault === null);
      expect((await ask(`${url}/health`)).status).toBe(200);
    });

    it('stops it, and starts it again where it was', async () => {
      await send(`${url}/faults`, 'POST', { kind: 'stop', seconds: 1 });
      await eventually('it is gone', async () => (await beat()).pools[0]?.redis?.isConnected === false);
      await eventually('it is back', async () => (await beat()).pools[0]?.redis?.isConnected === true);
      await eventually('all is well', async () => (await ask(`${url}/health`)).status === 200);
    });

    it('cuts its connections', async () => {
      expect((await send(`${url}/faults`, 'POST', { kind: 'cut' })).status).toBe(204);
      expect((await beat()).happenings).toContainEqual(
        expect.objectContaining({ source: 'fault', text: 'the connections to Redis are cut' }),
      );
      await eventually('all is well', async () => (await ask(`${url}/health`)).status === 200);
    });

    it.each([{ kind: 'flood' }, { kind: 'pause', seconds: 11 }, { kind: 'pause', seconds: 0 }, {}])(
      'refuses %j',
      async (order) => expect((await send(`${url}/faults`, 'POST', order)).status).toBe(400),
    );

    it("leaves somebody else's Redis alone, and does not offer to disturb it", async () => {
      const other = await startApp(redis.url);
      const answers = await Promise.all(
        ['pause', 'stop', 'cut'].map((kind) => send(`${other.url}/faults`, 'POST', { kind })),
      );
      const { canFail } = await firstEvent<Greeting>(`${other.url}/live`, 'greeting');
      await other.app.close();
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
      expect(canFail).toBe(false);
      expect((await greeting()).canFail).toBe(true);
    });

    it('heals at once when the application shuts down, so that it drains', async () => {
      const other = await startApp();
      await send(`${other.url}/load`, 'PUT', MODEST_LOAD);
      await send(`${other.url}/faults`, 'POST', { kind: 'pause', seconds: 10 });
      const startedAt = performance.now();
      await other.app.close();
      expect(performance.now() - startedAt).toBeLessThan(9_000);
    }, 30_000);
  });

  describe('The last drain', () => {
    it('is left in a file for the next process to show', async () => {
      expect((await greeting()).lastDrain).toBeNull();
      await app.close();
      ({ app, url } = await startApp(undefined, { lastDrainFile }));
      const { lastDrain } = await greeting();
      expect(lastDrain).toEqual(JSON.parse(await readFile(lastDrainFile, 'utf8')));
      expect(lastDrain?.reports).toMatchObject([
        { pool: 'cache', clean: true },
        { pool: 'archive', clean: true },
      ]);
    });

    it.each([
      ['spoilt', () => newLastDrainFile()],
      ['impossible', () => '/dev/null/last-drain.json'],
    ])('is nothing that an application with a file that is %s depends on', async (_, makeFile) => {
      const file = makeFile();
      await writeFile(file, '{').catch(() => undefined);
      const other = await startApp(redis.url, { lastDrainFile: file });
      const { lastDrain } = await firstEvent<Greeting>(`${other.url}/live`, 'greeting');
      await other.app.close();
      expect(lastDrain).toBeNull();
    });
  });

  describe('GET /metrics', () => {
    it('tells the state of every pool in the format of Prometheus', async () => {
      await send(`${url}/load`, 'PUT', MODEST_LOAD);
      await eventually('there is work', async () => (await beat()).load.done > 8);
      const answer = await ask(`${url}/metrics`);
      const lines = answer.body.toString().split('\n');
      const valueOf = (start: string) =>
        Number(
          lines
            .find((line) => line.startsWith(start))
            ?.split(' ')
            .at(-1),
        );
      expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(lines).toContain('# TYPE db_client_connection_wait_time histogram');
      expect(valueOf('db_client_connection_max{db_client_connection_pool_name="cache"')).toBe(10);
      expect(
        valueOf('db_client_connection_use_time_count{db_client_connection_pool_name="cache"'),
      ).toBeGreaterThan(0);
      expect(valueOf('nestjs_pool_compression_input_size_sum{')).toBeGreaterThan(8 * MODEST_LOAD.bytes - 1);
    });
  });

  it('tells a page that comes what was before', async () => {
    await beat();
    const { past } = await greeting();
    expect(past.at(-1)?.pools.map(({ stats }) => stats.name)).toEqual(['cache', 'archive']);
  });

  it('sends its page with the word that no other page may frame it', async () => {
    const { headers } = await ask(url);
    expect(headers['content-security-policy']).toBe("frame-ancestors 'none'");
  });
});
