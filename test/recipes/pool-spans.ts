import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { context, SpanStatusCode, trace, type Context, type Span } from '@opentelemetry/api';
import type { AcquireOperation, CodecOperation, CreateOperation } from 'nestjs-pool';

type Operation = AcquireOperation | CreateOperation | CodecOperation;

const OPERATIONS = ['acquire', 'create', 'compress', 'decompress'] as const;

const ignore = (): void => undefined;

/** Makes a span of each operation of the pools, below the span that is active where it was called. What it returns stops that. */
export function tracePools(): () => void {
  const tracer = trace.getTracer('nestjs-pool');
  const spans = new WeakMap<Operation, Span>();
  const inside = new AsyncLocalStorage<Context>();

  const stops = OPERATIONS.map((name) => {
    const channel = tracingChannel<Context, Operation>(`nestjs-pool:${name}`);
    const start = (operation: Operation): Context => {
      const parent = inside.getStore() ?? context.active();
      const attributes = { 'db.client.connection.pool.name': operation.pool };
      const span = tracer.startSpan(`pool ${name}`, { attributes }, parent);
      spans.set(operation, span);
      return trace.setSpan(parent, span);
    };
    const error = (operation: Operation): void => {
      spans.get(operation)?.recordException(operation.error as Error);
      spans.get(operation)?.setStatus({ code: SpanStatusCode.ERROR });
    };
    const asyncEnd = (operation: Operation): void => spans.get(operation)?.end();

    // What create() opens lives on, and must not take its span along.
    const livesOn = name === 'create';
    if (!livesOn) channel.start.bindStore(inside, start);
    const others = { start: livesOn ? start : ignore, end: ignore, asyncStart: ignore };
    const handlers = { ...others, error, asyncEnd };
    channel.subscribe(handlers);
    return () => {
      channel.start.unbindStore(inside);
      channel.unsubscribe(handlers);
    };
  });
  return () => stops.forEach((stop) => stop());
}
