import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { createApp } from './app.js';
import type { Environment } from './environment.js';

async function bootstrap(): Promise<void> {
  const app = await createApp();
  // Without this no hook runs on a signal, and the pools would not be drained.
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
  const config = app.get<ConfigService<Environment, true>>(ConfigService);
  await app.listen(config.get('PORT'));
  new Logger('SnippetStore').log(`Listening on ${(await app.getUrl()).replace('[::1]', 'localhost')}`);
}

void bootstrap();
