import { randomUUID } from 'node:crypto';
import { Injectable, NotFoundException } from '@nestjs/common';
import { CompressionPool, InjectPool, RedisPool } from 'nestjs-pool';
import type { NewSnippet, StoredSnippet } from './snippet.dto.js';

@Injectable()
export class SnippetsService {
  constructor(
    @InjectPool('cache') private readonly cache: RedisPool,
    @InjectPool('archive') private readonly archive: CompressionPool,
  ) {}

  async store({ text, ttlSeconds }: NewSnippet): Promise<StoredSnippet> {
    const id = randomUUID();
    const gzipped = await this.archive.compress(text);
    await this.cache.commands.set(keyOf(id), gzipped, 'EX', ttlSeconds);
    return { id, bytes: Buffer.byteLength(text), storedBytes: gzipped.length };
  }

  /** The snippet as it is stored, in gzip. */
  async find(id: string): Promise<Buffer> {
    const gzipped = await this.cache.commands.getBuffer(keyOf(id));
    if (gzipped === null) throw new NotFoundException('There is no such snippet, or no longer');
    return gzipped;
  }

  unzip(gzipped: Buffer): Promise<Buffer> {
    return this.archive.decompress(gzipped);
  }
}

const keyOf = (id: string) => `snippet:${id}`;
