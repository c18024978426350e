import type { Cluster, Redis } from 'ioredis';

/**
 * What a Redis pool lends: a client of ioredis with one connection, or where the pool has a `cluster`, one with a connection to each
 * node it talks to.
 *
 * @publicApi
 */
export type RedisConnection = Redis | Cluster;
