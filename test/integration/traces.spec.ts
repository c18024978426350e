import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { CompressionPool, RedisPool } from 'nestjs-pool';
import { tracePools } from '../recipes/pool-spans.js';
import { useRedisServer } from '../support/redis-server.js';

const redis = useRedisServer();
const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer('the application');

let cache: RedisPool;
let archive: CompressionPool;
let stop: () => void;

beforeAll(() => {
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

beforeEach(() => {
  exporter.reset();
  stop = tracePools();
  cache = new RedisPool('cache', { type: 'redis', url: redis.url, max: 3 });
  archive = new CompressionPool('archive', { type: 'compression', algorithm: 'gzip', max: 1 });
});

afterEach(async () => {
  await Promise.all([cache.drain(), archive.drain()]);
  stop();
});

afterAll(async () => {
  await provider.shutdown();
  trace.disable();
  context.disable();
});

/** Runs `work` as a request is run, below a span of its own. */
const request = <R>(name: string, work: () => Promise<R>): Promise<R> =>
  tracer.startActiveSpan(name, async (span) => {
    try {
      return await work();
    } finally {
      expect(trace.getActiveSpan()).toBe(span); // also after everything that was awaited
      span.end();
    }
  });

/** Each span with the one it is below. */
function tree(): string[] {
  const spans = exporter.getFinishedSpans();
  const nameOf = new Map(spans.map((span) => [span.spanContext().spanId, span.name]));
  const parentOf = ({ parentSpanContext }: ReadableSpan) =>
    nameOf.get(parentSpanContext?.spanId ?? '') ?? '-';
  return spans.map((span) => `${parentOf(span)} > ${span.name}`).sort();
}

const spanOf = (name: string) => exporter.getFinishedSpans().find((span) => span.name === name);

describe('The recipe that makes spans of what the pools publish', () => {
  it('puts them below the span of the caller, and what is opened below nobody', async () => {
    await request('GET /', () => cache.use((connection) => connection.ping()));
    expect(tree()).toEqual(['- > GET /', '- > pool create', 'GET / > pool acquire']);
    expect(spanOf('pool acquire')?.attributes).toEqual({ 'db.client.connection.pool.name': 'cache' });
  });

  it('puts the wait for a context below the call that waits', async () => {
    await request('POST /', async () => archive.decompress(await archive.compress('x')));
    expect(tree()).toEqual([
      '- > POST /',
      '- > pool create',
      'POST / > pool compress',
      'POST / > pool decompress',
      'pool compress > pool acquire',
      'pool decompress > pool acquire',
    ]);
  });

  it('keeps callers apart who wait for one another', async () => {
    const visit = (name: string) =>
      request(name, () =>
        archive.use(async () => {
          expect((trace.getActiveSpan() as unknown as ReadableSpan).name).toBe(name);
          await new Promise(setImmediate);
          expect((trace.getActiveSpan() as unknown as ReadableSpan).name).toBe(name);
        }),
      );
    await Promise.all(['one', 'two', 'three'].map(visit));
    expect(tree().filter((each) => each.endsWith('acquire'))).toEqual([
      'one > pool acquire',
      'three > pool acquire',
      'two > pool acquire',
    ]);
  });

  it('marks what failed', async () => {
    await expect(request('POST /', () => archive.decompress(Buffer.from('no gzip')))).rejects.toThrow();
    expect(spanOf('pool decompress')?.status.code).toBe(SpanStatusCode.ERROR);
    expect(spanOf('pool decompress')?.events[0]?.name).toBe('exception');
    expect(spanOf('pool acquire')?.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('makes none of ordinary commands, which are those of the client', async () => {
    await cache.commands.ping();
    exporter.reset();
    await request('GET /', () => cache.commands.get('key'));
    expect(tree()).toEqual(['- > GET /']);
  });

  it('makes none at all once it was stopped', async () => {
    stop();
    await request('GET /', () => cache.use((connection) => connection.ping()));
    expect(tree()).toEqual(['- > GET /']);
  });
});

describe('The channels', () => {
  it('never show a connection, which knows its password', async () => {
    const secret = new RedisPool('secret', {
      type: 'redis',
      url: redis.url,
      connection: { connectionName: 'hush-hush' },
    });
    const seen: unknown[] = [];
    const note = (message: unknown) => void seen.push({ ...(message as object) });
    const handlers = { start: note, end: note, asyncStart: note, asyncEnd: note, error: note };
    for (const name of ['acquire', 'create']) tracingChannel(`nestjs-pool:${name}`).subscribe(handlers);
    for (const name of ['evict', 'drain']) subscribe(`nestjs-pool:${name}`, note);
    await secret.use((connection) => connection.ping());
    await secret.drain();
    for (const name of ['acquire', 'create']) tracingChannel(`nestjs-pool:${name}`).unsubscribe(handlers);
    for (const name of ['evict', 'drain']) unsubscribe(`nestjs-pool:${name}`, note);
    expect(seen).toHaveLength(4 + 4 + 1 + 1);
    expect(JSON.stringify(seen)).not.toContain('hush-hush');
    expect(Object.values(seen.map((message) => (message as { result?: unknown }).result))).toEqual(
      Array<undefined>(10).fill(undefined),
    );
  });

  it('bind a store that lasts as long as the operation, and is not the caller’s after it', async () => {
    const store = new AsyncLocalStorage<string>();
    const channel = tracingChannel<string, object>('nestjs-pool:compress');
    channel.start.bindStore(store, () => 'inside');
    const seen: (string | undefined)[] = [];
    const note = () => void seen.push(store.getStore());
    channel.asyncEnd.subscribe(note);
    await store.run('outside', async () => {
      await archive.compress('x');
      seen.push(store.getStore());
    });
    channel.asyncEnd.unsubscribe(note);
    channel.start.unbindStore(store);
    expect(seen).toEqual(['inside', 'outside']);
  });
});
