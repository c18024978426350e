import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createApp } from '../../sample-app/app.js';

/** A file of this test run's own: what others leave for their next process is theirs. */
export const newLastDrainFile = () => join(mkdtempSync(join(tmpdir(), 'sample-app-')), 'last-drain.json');

interface Place {
  /** Default: a free one. */
  port?: number;
  /** Where the process before left what its drain did. Default: nowhere. */
  lastDrainFile?: string;
}

/** The sample application in this process, silent, on a port of its own and the Redis at `redisUrl` or an embedded one. */
export async function startApp(
  redisUrl?: string,
  { port = 0, lastDrainFile = newLastDrainFile() }: Place = {},
): Promise<{ app: NestExpressApplication; url: string }> {
  Logger.overrideLogger(false);
  process.env.LAST_DRAIN_FILE = lastDrainFile;
  if (redisUrl === undefined) delete process.env.REDIS_URL;
  else process.env.REDIS_URL = redisUrl;
  const app = await createApp();
  await app.listen(port, '127.0.0.1');
  return { app, url: await app.getUrl() };
}
