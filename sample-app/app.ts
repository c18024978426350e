import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Response } from 'express';
import { AppModule } from './app.module.js';

const require = createRequire(import.meta.url);
const folderOf = (file: string) => dirname(require.resolve(file));

/** The application as `main.ts` serves it and as the tests look at it. */
export async function createApp(): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, { bodyParser: false });
  app.useBodyParser('json', { limit: '1mb' });
  app.useStaticAssets(join(import.meta.dirname, 'public'), {
    // What its own <meta> cannot say: nobody else's page may hold this one in a frame and have its visitors press the buttons.
    setHeaders: (response: Response) =>
      void response.setHeader('Content-Security-Policy', "frame-ancestors 'none'"),
  });
  app.useStaticAssets(folderOf('uplot/dist/uPlot.esm.js'), { prefix: '/uplot' });
  app.useStaticAssets(folderOf('@picocss/pico/css/pico.min.css'), { prefix: '/pico' });
  return app;
}
