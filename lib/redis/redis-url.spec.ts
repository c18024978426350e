import { describe, expect, it } from '@jest/globals';
import { readRedisUrl, redisUrlProblem } from './redis-url.js';

describe('A Redis url', () => {
  it.each([
    ['redis://localhost', { host: 'localhost' }],
    ['redis://localhost:6380', { host: 'localhost', port: 6380 }],
    ['redis://localhost:6380/2', { host: 'localhost', port: 6380, db: 2 }],
    ['redis://localhost/', { host: 'localhost' }],
    ['redis://localhost?db=3&family=6', { host: 'localhost', db: 3, family: 6 }],
    ['redis://:pass@localhost', { host: 'localhost', password: 'pass' }],
    [
      'redis://user:p%40ss%2Fw%23rd@localhost',
      { host: 'localhost', username: 'user', password: 'p@ss/w#rd' },
    ],
    ['redis://[::1]:6379', { host: '::1', port: 6379 }],
    ['rediss://redis.example.com', { host: 'redis.example.com', tls: {} }],
    ['valkey://localhost:6380/2', { host: 'localhost', port: 6380, db: 2 }],
    ['valkeys://valkey.example.com', { host: 'valkey.example.com', tls: {} }],
    ['unix:///run/redis.sock', { path: '/run/redis.sock' }],
    ['redis+unix:///run/my%20redis.sock?db=3', { path: '/run/my redis.sock', db: 3 }],
    [
      'unix:///run/redis.sock?username=app&password=p%40ss%2Fw%23rd',
      { path: '/run/redis.sock', username: 'app', password: 'p@ss/w#rd' },
    ],
  ])('%s is understood', (url, options) => {
    expect(redisUrlProblem(url)).toBeUndefined();
    expect(readRedisUrl(url)).toEqual(options);
  });

  it.each([
    ['http://localhost:6379', 'redis://'],
    ['localhost:6379', 'redis://'],
    ['', 'redis://'],
    [42, 'redis://'],
    ['redis://', 'a host'],
    ['redis://:se#cret@localhost', 'percent-encoded'],
    ['redis://:se%cret@localhost', 'percent-encoded'],
    ['redis://localhost/cache', 'the number of a database'],
    ['redis://localhost?db=zero', 'only db and family'],
    ['redis://localhost?password=secret', 'only db and family'],
    ['unix://run/redis.sock', 'three slashes'],
    ['unix:///', 'three slashes'],
    ['unix://:secret@/run/redis.sock', 'unix:///path/to/redis.sock?db=0&username='],
    ['unix:///run/redis.sock?family=6&password=secret', 'only db (a number), username and password'],
    ['unix:///run/redis.sock?db=&password=secret', 'only db (a number), username and password'],
    ['unix:///run/%zz', 'percent-encoded'],
  ])('%s is refused with advice, and never quoted', (url, advice) => {
    const problem = redisUrlProblem(url);
    expect(problem).toContain(advice);
    expect(problem).not.toMatch(/secret|cret@|localhost|run\//);
  });
});
