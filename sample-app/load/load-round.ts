import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectPool, type RedisPool } from 'nestjs-pool';
import { SnippetsService } from '../snippets/snippets.service.js';
import { textOf } from './load-text.js';

const TTL_SECONDS = 5;

/** One round in so many borrows a connection for itself instead, as transactions and blocking commands do. */
const LEASE_EVERY = 8;
const HOLD_MS = { least: 20, most: 200 };

/** What the load does over and over: it stores a snippet, as a client would, and reads it back; or it borrows a connection. */
@Injectable()
export class LoadRound {
  private rounds = 0;

  constructor(
    private readonly snippets: SnippetsService,
    @InjectPool('cache') private readonly cache: RedisPool,
  ) {}

  async run(bytes: number): Promise<void> {
    if (++this.rounds % LEASE_EVERY === 0) await this.holdConnection();
    else await this.storeAndReadBack(bytes);
  }

  private async storeAndReadBack(bytes: number): Promise<void> {
    const { id } = await this.snippets.store({ text: textOf(bytes), ttlSeconds: TTL_SECONDS });
    await this.snippets.unzip(await this.snippets.find(id));
  }

  private holdConnection(): Promise<string> {
    return this.cache.use(async (connection) => {
      await sleep(HOLD_MS.least + Math.random() * (HOLD_MS.most - HOLD_MS.least));
      return connection.ping();
    });
  }
}
