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

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes a certificate for 127.0.0.1 and redis.test, signed by itself. */
function makeCertificate(name: string): Certificate {
  const { cert, key } = fileNames(name);
  openssl('req -x509 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1,DNS:redis.test', [
    ...NEW_KEY,
    ...['-keyout', key, '-out', cert],
  ]);
  return { cert, key };
}

/** As the other, and it expired yesterday. */
function makeExpiredCertificate(name: string): Certificate {
  const { cert, key } = fileNames(name);
  const request = join(directory, `${name}.csr`);
  openssl('req -nodes -subj /CN=127.0.0.1', [...NEW_KEY, '-keyout', key, '-out', request]);
  openssl('x509 -req -days -1', ['-in', request, '-signkey', key, '-out', cert]);
  return { cert, key };
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

const fileNames = (name: string): Certificate => ({
  cert: join(directory, `${name}.pem`),
  key: join(directory, `${name}-key.pem`),
});

function openssl(command: string, files: readonly string[]): void {
  try {
    execFileSync('openssl', [...command.split(' '), ...files], { stdio: 'pipe' });
  } catch (cause) {
    throw new Error('Certificates are made by the openssl program, which is missing or failed', { cause });
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await once(probe.listen(0, '127.0.0.1'), 'listening');
  const { port } = probe.address() as AddressInfo;
  await once(probe.close(), 'close');
  return port;
}

/** A server that speaks TLS at its port, and nothing else; with `clients`, only to those who have that certificate. */
async function startTlsServer({ cert, key }: Certificate, clients?: Certificate): Promise<RedisServer> {
  const port = await freePort();
  const files = [
    '--tls-cert-file',
    cert,
    '--tls-key-file',
    key,
    '--tls-ca-cert-file',
    (clients ?? { cert }).cert,
  ];
  const asks = clients === undefined ? 'no' : 'yes';
  const args = ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', asks, ...files];
  return startRedisServer({ port, password: 'secret', args });
}

let directory: string;
let ca: Buffer;
let server: RedisServer | undefined;
/** For those only who have the client's certificate. */
let strictServer: RedisServer | undefined;
let expiredServer: RedisServer | undefined;
let client: { cert: Buffer; key: Buffer };
let pool: RedisPool | undefined;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'redis-tls-'));
  const certificate = makeCertificate('server');
  ca = readFileSync(certificate.cert);
  server = await startTlsServer(certificate);
  const clients = makeCertificate('client');
  client = { cert: readFileSync(clients.cert), key: readFileSync(clients.key) };
  strictServer = await startTlsServer(certificate, clients);
  expiredServer = await startTlsServer(makeExpiredCertificate('expired'));
}, START_WITHIN_MS);

afterEach(() => pool?.drain({ timeoutMs: 100 }));

afterAll(async () => {
  for (const each of [server, strictServer, expiredServer]) await each?.stop();
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
    [
      'by a valkeys:// url',
      () => ({ url: `valkeys://:secret@127.0.0.1:${server?.port}`, connection: { tls: { ca } } }),
    ],
    [
      'with credentials()',
      () => ({
        url: `rediss://127.0.0.1:${server?.port}`,
        connection: { tls: { ca } },
        credentials: () => Promise.resolve({ password: 'secret' }),
      }),
    ],
    [
      'by another name than that of the certificate',
      () => ({
        url: `rediss://:secret@localhost:${server?.port}?family=4`,
        connection: { tls: { ca, servername: 'redis.test' } },
      }),
    ],
    [
      'to a server that wants a certificate of the client',
      () => ({
        url: `rediss://:secret@127.0.0.1:${strictServer?.port}`,
        connection: { tls: { ca, ...client } },
      }),
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
      /nobody whom this process trusts.*self.signed/,
    ],
    [
      'a certificate for another host',
      () => ({ url: `rediss://:secret@localhost:${server?.port}?family=4`, connection: { tls: { ca } } }),
      /is for another name.*does not match certificate/,
    ],
    [
      'a client that does not speak TLS',
      () => ({ url: `redis://:secret@127.0.0.1:${server?.port}` }),
      /does it speak TLS/,
    ],
    [
      'a certificate that has expired',
      () => ({
        url: `rediss://:secret@127.0.0.1:${expiredServer?.port}`,
        connection: { tls: { ca: readFileSync(fileNames('expired').cert) } },
      }),
      /has expired/,
    ],
    [
      'a server that wants a certificate and gets none',
      () => ({ url: `rediss://:secret@127.0.0.1:${strictServer?.port}`, connection: { tls: { ca } } }),
      /wants a certificate of the client/,
    ],
    [
      'a server that wants a certificate and gets none, in TLS 1.2',
      () => ({
        url: `rediss://:secret@127.0.0.1:${strictServer?.port}`,
        connection: { tls: { ca, maxVersion: 'TLSv1.2' } },
      }),
      /wants a certificate of the client/,
    ],
    [
      'a server that wants a certificate and gets one that it does not trust',
      () => ({
        url: `rediss://:secret@127.0.0.1:${strictServer?.port}`,
        connection: {
          tls: { ca, cert: ca, key: readFileSync(fileNames('server').key) },
        },
      }),
      /wants a certificate of the client/,
    ],
  ])('start() fails with the real cause for %s', async (_what, options, cause) => {
    const started = poolOf(options()).start({ timeoutMs: 1_000 });
    await expect(started).rejects.toMatchObject({
      code: 'ERR_POOL_UNAVAILABLE',
      cause: { message: expect.stringMatching(cause) as unknown },
    });
  });
});
