import type { Redis } from 'ioredis';

/**
 * What a Redis pool lends: a client of ioredis, one connection.
 *
 * @publicApi
 */
export type RedisConnection = Redis;
