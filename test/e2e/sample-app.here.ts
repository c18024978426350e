import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createApp } from '../../sample-app/app.js';

/** The sample application in this process, silent, on a port of its own and the Redis at `redisUrl` or an embedded one. */
export async function startApp(redisUrl?: string): Promise<{ app: NestExpressApplication; url: string }> {
  Logger.overrideLogger(false);
  if (redisUrl === undefined) delete process.env.REDIS_URL;
  else process.env.REDIS_URL = redisUrl;
  const app = await createApp();
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl() };
}
