import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RedisPoolOptions } from '../../lib/redis/redis.options.js';
import { RedisPool } from '../../lib/redis/redis-pool.js';
import { startRedisServer, type RedisServer } from '../../scripts/redis-server.mjs';

/** As for `useRedisServer()`: the first start on a machine may have to install a server. */
const START_WITHIN_MS = 15 * 60_000;

/** Makes a certificate for 127.0.0.1, signed by itself, with the `openssl` program. */
function makeCertificate(directory: string): { cert: string; key: string } {
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const request =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1'.split(' ');
  const files = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
  try {
    execFileSync('openssl', [...request, ...files], { stdio: 'pipe' });
  } catch (cause) {
    throw new Error('The certificate is made by the openssl program, which is missing or failed', { cause });
  }
  return { cert, key };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await once(probe.listen(0, '127.0.0.1'), 'listening');
  const { port } = probe.address() as AddressInfo;
  await once(probe.close(), 'close');
  return port;
}

/** A server that speaks TLS at its port, and nothing else. */
async function startTlsServer({ cert, key }: { cert: string; key: string }): Promise<RedisServer> {
  const port = await freePort();
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
  const args = ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...files];
  return startRedisServer({ port, password: 'secret', args });
}

let directory: string;
let ca: Buffer;
let server: RedisServer | undefined;
let pool: RedisPool | undefined;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'redis-tls-'));
  const files = makeCertificate(directory);
  ca = readFileSync(files.cert);
  server = await startTlsServer(files);
}, START_WITHIN_MS);

afterEach(() => pool?.drain({ timeoutMs: 100 }));

afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true });
});

function poolOf(options: Omit<RedisPoolOptions, 'type'>): RedisPool {
  pool = new RedisPool('cache', { type: 'redis', max: 3, min: 1, ...options });
  return pool;
}

describe('Over TLS', () => {
  it.each([
    [
      'by a rediss:// url',
      () => ({ url: `rediss://:secret@127.0.0.1:${server?.port}`, connection: { tls: { ca } } }),
    ],
    [
      'by options alone',
      () => ({ connection: { host: '127.0.0.1', port: server?.port, password: 'secret', tls: { ca } } }),
    ],
  ])('shared and leased connections work, %s', async (_how, options) => {
    const secure = poolOf(options());
    await secure.start();
    await expect(secure.commands.set('key', 'value')).resolves.toBe('OK');
    await expect(secure.use((redis) => redis.get('key'))).resolves.toBe('value');
    await expect(secure.drain()).resolves.toMatchObject({ clean: true, closed: 2, closeFailures: 0 });
  });

  it('a lease is broken when its connection is lost', async () => {
    const secure = poolOf({ url: `rediss://:secret@127.0.0.1:${server?.port}`, connection: { tls: { ca } } });
    const used = secure.use(async (redis) => {
      const id = await redis.client('ID');
      await Promise.all([redis.blpop('nothing', 0), secure.commands.client('KILL', 'ID', id)]);
    });
    await expect(used).rejects.toMatchObject({ code: 'ERR_POOL_LEASE_BROKEN' });
  });

  it.each<[string, () => Omit<RedisPoolOptions, 'type'>, RegExp]>([
    [
      'a certificate that nobody vouches for',
      () => ({ url: `rediss://:secret@127.0.0.1:${server?.port}` }),
      /self.signed/,
    ],
    [
      'a certificate for another host',
      () => ({ url: `rediss://:secret@localhost:${server?.port}?family=4`, connection: { tls: { ca } } }),
      /does not match certificate/,
    ],
    [
      'a client that does not speak TLS',
      () => ({ url: `redis://:secret@127.0.0.1:${server?.port}` }),
      /does it speak TLS/,
    ],
  ])('start() fails with the real cause for %s', async (_what, options, cause) => {
    const started = poolOf(options()).start({ timeoutMs: 200 });
    await expect(started).rejects.toMatchObject({
      code: 'ERR_POOL_UNAVAILABLE',
      cause: { message: expect.stringMatching(cause) as unknown },
    });
  });
});
