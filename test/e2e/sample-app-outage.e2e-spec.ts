import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { startRedisServer, type RedisServer } from '../../scripts/redis-server.mjs';
import { ask, jsonOf, post } from './http-client.js';
import { startApp } from './sample-app.here.js';

/** The first start on a machine may have to install a server. */
const START_WITHIN_MS = 15 * 60_000;

describe('The sample application, when its Redis goes away', () => {
  const password = 'a-secret-of-redis';
  let redis: RedisServer;
  let app: NestExpressApplication;
  let url: string;
  let id: string;

  beforeEach(async () => {
    redis = await startRedisServer({ password });
    ({ app, url } = await startApp(redis.url));
    ({ id } = jsonOf<{ id: string }>(await post(`${url}/snippets`, { text: 'a' })));
  }, START_WITHIN_MS);
  afterEach(async () => {
    await app.close();
    await redis.stop();
  });

  const askForAll = () =>
    Promise.all([post(`${url}/snippets`, { text: 'a' }), ask(`${url}/snippets/${id}`), ask(`${url}/health`)]);

  it('answers 503 and is no longer healthy, and is itself again when Redis is back', async () => {
    await redis.stop();
    const answers = await askForAll();
    const [live, ready] = await Promise.all([ask(`${url}/health/live`), ask(`${url}/health/ready`)]);
    redis = await startRedisServer({ password, port: redis.port });
    let afterwards = await post(`${url}/snippets`, { text: 'b' });
    while (afterwards.status === 503) afterwards = await post(`${url}/snippets`, { text: 'b' });

    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(answers[0].headers['retry-after']).toBe('1');
    expect([live.status, ready.status]).toEqual([200, 503]);
    expect(answers.map(({ body }) => body.toString()).join()).not.toContain(password);
    expect(afterwards.status).toBe(201);
  }, 60_000);

  it('does the same when Redis hangs', async () => {
    redis.kill('SIGSTOP');
    const answers = await askForAll();
    redis.kill('SIGCONT');
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect((await ask(`${url}/snippets/${id}`)).body.toString()).toBe('a');
  }, 60_000);
});
