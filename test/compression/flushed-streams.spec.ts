import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { CompressionAlgorithm } from '../../lib/compression/codecs.js';
import { CompressionPool } from '../../lib/compression/compression-pool.js';
import type { CompressionPoolOptions } from '../../lib/compression/compression.options.js';
import { ALGORITHMS, text } from '../../lib/compression/payloads.fake.js';
import type { PooledStream } from '../../lib/compression/pooled-stream.js';
import { ensureTools, runTool, type OutsideTool } from '../integration/outside-tools.js';
import { inBlocksOf, JOINABLE } from '../support/joinable.js';
import { bytesOfPayload, hunt, huntMs, ONE_SHOT, payloads, type Payload } from '../support/payloads.js';
import { unpackSoFar } from '../support/payloads.so-far.js';
import { Sink, turns } from '../support/payloads.streams.js';

/** The first run on a machine may have to install the programs. */
const INSTALL_WITHIN_MS = 5 * 60_000;

const RUNS = 40;
jest.setTimeout(huntMs(RUNS));

let pool: CompressionPool;
afterEach(async () => {
  expect(await pool.drain()).toMatchObject({ clean: true, closeFailures: 0 });
});

function open(
  algorithm: CompressionPoolOptions['algorithm'],
  options?: Partial<CompressionPoolOptions>,
): CompressionPool {
  pool = new CompressionPool('flushed', { type: 'compression', algorithm, ...options });
  return pool;
}

/** What is done with a stream: pieces are written, and flushes asked for, at once or after the one before. */
type Step = { readonly write: Payload } | { readonly flushes: number; readonly isAwaited: boolean };

const steps = fc.array(
  fc.oneof(
    fc.record({ write: payloads }),
    fc.record({ flushes: fc.integer({ min: 1, max: 3 }), isAwaited: fc.boolean() }),
  ),
  { maxLength: 12 },
);

/** How many bytes had been written, and how many had come out, when a flush was called back. */
interface Flush {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Takes the steps, and ends the stream. */
async function take(steps: readonly Step[], stream: PooledStream, sink: Sink) {
  const reading = pipeline(stream, sink);
  const pieces: Buffer[] = [];
  const flushes: Flush[] = [];
  const flush = (bytesIn: number) =>
    new Promise<void>((resolve, reject) =>
      stream.flush((error) => {
        flushes.push({ bytesIn, bytesOut: stream.bytesOut });
        if (error) reject(error);
        else resolve();
      }),
    );
  for (const step of steps) {
    if ('write' in step) {
      const piece = bytesOfPayload(step.write);
      pieces.push(piece);
      stream.write(piece);
    } else {
      const bytesIn = pieces.reduce((bytes, { length }) => bytes + length, 0);
      const flushing = Promise.all(Array.from({ length: step.flushes }, () => flush(bytesIn)));
      if (step.isAwaited) await flushing;
    }
  }
  stream.end();
  await reading;
  return { input: Buffer.concat(pieces), packed: sink.bytes, flushes };
}

const flushesIn = (steps: readonly Step[]) =>
  steps.reduce((sum, step) => sum + ('flushes' in step ? step.flushes : 0), 0);

const TOOLS: Partial<Record<CompressionAlgorithm, OutsideTool>> = {
  gzip: 'gzip',
  brotli: 'brotli',
  zstd: 'zstd',
};

describe.each(ALGORITHMS)('a flushed stream of %s', (algorithm) => {
  const tool = TOOLS[algorithm];
  beforeAll(() => ensureTools(tool === undefined ? [] : [tool]), INSTALL_WITHIN_MS);

  it('can be read as far as it was written before each flush, however it is written and read', async () => {
    open(algorithm, { max: 1 });
    const property = fc.asyncProperty(steps, fc.nat(3), async (steps, pace) => {
      const { input, packed, flushes } = await take(steps, pool.createCompress(), new Sink(pace));
      expect(ONE_SHOT[algorithm].unpack(packed).equals(input)).toBe(true);
      expect(flushes).toHaveLength(flushesIn(steps));
      for (const { bytesIn, bytesOut } of flushes) {
        const soFar = unpackSoFar(algorithm, packed.subarray(0, bytesOut));
        expect(soFar.length).toBeGreaterThanOrEqual(bytesIn);
        expect(soFar.equals(input.subarray(0, soFar.length))).toBe(true);
      }
    });
    await fc.assert(property, hunt(RUNS));
    expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
  });

  if (tool !== undefined)
    it(`is read by the program ${tool}`, async () => {
      open(algorithm);
      const write = { kind: 'text', bytes: 30_000, seed: 1 } as const;
      const flush = { flushes: 2, isAwaited: true };
      const stream = pool.createCompress();
      const { input, packed } = await take([{ write }, flush, { write }, flush], stream, new Sink());
      expect((await runTool(tool, ['-dc'], packed)).equals(input)).toBe(true);
    });
});

describe.each(JOINABLE)(
  'a flushed stream of $algorithm that is compressed in blocks',
  ({ algorithm, unpack }) => {
    it('can be read as far as it was written before each flush, however it is written and read', async () => {
      const large: Step = { write: { kind: 'text', bytes: 60_000, seed: 1 } };
      let leases = 0;
      const property = fc.asyncProperty(steps, fc.nat(3), async (steps, pace) => {
        open(inBlocksOf(algorithm), { max: 3, parallel: { aboveBytes: 50_000, blockBytes: 16_384 } });
        const { input, packed, flushes } = await take(
          [large, ...steps],
          pool.createCompress(),
          new Sink(pace),
        );
        expect(unpack(packed).equals(input)).toBe(true);
        expect(flushes).toHaveLength(flushesIn(steps));
        for (const { bytesIn, bytesOut } of flushes) {
          const soFar = unpack(packed.subarray(0, bytesOut), false);
          expect(soFar.length).toBeGreaterThanOrEqual(bytesIn);
          expect(soFar.equals(input.subarray(0, soFar.length))).toBe(true);
        }
        leases += pool.stats().acquired - 1;
        expect(pool.stats().destroyed).toBe(0);
        expect(await pool.drain()).toMatchObject({ clean: true });
      });
      await fc.assert(property, hunt(RUNS));
      expect(leases).toBeGreaterThan(0); // helpers came
    });
  },
);

/** Each event as soon as it has come whole. */
async function* eventsOf({ body }: Response): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let heard = '';
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    const events = (heard + decoder.decode(chunk, { stream: true })).split(/(?<=\n\n)/);
    heard = events.at(-1)?.endsWith('\n\n') ? '' : (events.pop() ?? '');
    yield* events;
  }
}

describe('a flushed stream over HTTP', () => {
  let server: Server;
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  /** A server of one stream of events, compressed by gzip. */
  async function serve(begin: (events: PooledStream) => void): Promise<string> {
    open('gzip', { max: 1 });
    server = createServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Content-Encoding': 'gzip' });
      const events = pool.createCompress();
      pipeline(events, response).catch(() => undefined);
      begin(events);
    }).listen(0);
    await once(server, 'listening');
    return `http://localhost:${(server.address() as AddressInfo).port}`;
  }

  it('brings each event before the next one is written', async () => {
    const told = ['first', 'second', text(50_000).toString(), 'last'].map((data) => `data: ${data}\n\n`);
    const heard: string[] = [];
    let events!: PooledStream;
    const tellNext = (): void => {
      const next = told[heard.length];
      if (next === undefined) return void events.end();
      events.write(next);
      events.flush();
    };
    const url = await serve((stream) => {
      events = stream;
      tellNext();
    });
    for await (const event of eventsOf(await fetch(url))) {
      heard.push(event);
      tellNext();
    }
    expect(heard).toEqual(told);
  });

  it('gives its context back when the client goes away', async () => {
    const url = await serve((events) => {
      events.write('data: first\n\n');
      events.flush();
    });
    const controller = new AbortController();
    const { body } = await fetch(url, { signal: controller.signal });
    await body!.getReader().read();
    expect(pool.stats().leased).toBe(1);
    controller.abort();
    while (pool.stats().leased > 0) await turns(1);
    expect(ONE_SHOT.gzip.unpack(await pool.compress('the next one')).toString()).toBe('the next one');
  });
});
