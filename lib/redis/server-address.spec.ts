import { describe, expect, it } from '@jest/globals';
import type { RedisOptions } from 'ioredis';
import { serverAddress } from './server-address.js';

describe('The address of the server', () => {
  it.each<[what: string, connection: RedisOptions, address: unknown]>([
    ['what was given', { host: 'redis-1', port: 7000 }, { address: 'redis-1', port: 7000 }],
    ['what ioredis takes by default', {}, { address: 'localhost', port: 6379 }],
    ['the path of a socket', { path: '/run/redis.sock' }, { address: '/run/redis.sock' }],
    [
      'nothing behind sentinels',
      { sentinels: [{ host: 's', port: 26379 }], name: 'm', host: 'other' },
      undefined,
    ],
  ])('is %s', (_what, connection, address) => {
    expect(serverAddress({ connection, cluster: undefined })).toEqual(address);
  });

  it('is nothing for a cluster', () => {
    expect(serverAddress({ connection: {}, cluster: { nodes: [{ host: 'node-1' }] } })).toBeUndefined();
  });
});
