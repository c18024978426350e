import { channel, tracingChannel, type Channel, type TracingChannel } from 'node:diagnostics_channel';
import type { PoolEvent, PoolHappening } from './pool.events.js';
import type { Priority } from './waiting-line.js';

/** What every traced operation of a pool tells. `error` is set before `error`, `asyncStart` and `asyncEnd` are published. */
export interface PoolOperation {
  readonly pool: string;
  /** Why it failed. */
  error?: unknown;
}

/** A call of `acquire()`, or of what acquires inside: `use()`, a command that blocks, `compress()`. */
export interface AcquireOperation extends PoolOperation {
  readonly priority: Priority;
}

/** A call of the factory's `create()`, in the async context of no caller. */
export type CreateOperation = PoolOperation;

/** A call of `compress()` or `decompress()`, the wait for a context included. */
export interface CodecOperation extends PoolOperation {
  readonly algorithm: string;
  readonly inputBytes: number;
  /** Set when it has succeeded. */
  outputBytes?: number;
}

/**
 * What is published on the library's channels of `node:diagnostics_channel`, by the name of the channel. The first four are tracing
 * channels (`start`, `end`, `asyncStart`, `asyncEnd`, `error`), whose five messages about one operation are the same object; it never
 * shows what came of the operation, for a connection knows its password. The others are plain, and publish the pool's events.
 *
 * Nothing is built while nobody subscribes. As everywhere in Node, a subscriber that throws ends the process.
 *
 * @publicApi
 * @example
 * import { subscribe } from 'node:diagnostics_channel';
 * subscribe('nestjs-pool:leak', (message) => alarm((message as PoolChannels['nestjs-pool:leak']).acquiredAt));
 */
export interface PoolChannels {
  'nestjs-pool:acquire': AcquireOperation;
  'nestjs-pool:create': CreateOperation;
  'nestjs-pool:compress': CodecOperation;
  'nestjs-pool:decompress': CodecOperation;
  /** A lease is held for longer than `leakThresholdMs`, or was forgotten. */
  'nestjs-pool:leak': EventOf<'leaked'>;
  /** A resource was closed; `reason` says why. */
  'nestjs-pool:evict': EventOf<'destroyed'>;
  /** A pool was drained; `report` says how that went. */
  'nestjs-pool:drain': EventOf<'drained'>;
  'nestjs-pool:breaker': EventOf<'breaker-opened' | 'breaker-closed'>;
}

type EventOf<Type extends PoolHappening['type']> = Extract<PoolEvent, { readonly type: Type }>;

/** The channel of one kind of operation. */
export type OperationChannel<Operation extends PoolOperation> = TracingChannel<unknown, Operation>;

const operationChannel = <Operation extends PoolOperation>(name: keyof PoolChannels) =>
  tracingChannel<unknown, Operation>(name);

export const acquiring: OperationChannel<AcquireOperation> = operationChannel('nestjs-pool:acquire');
export const creating: OperationChannel<CreateOperation> = operationChannel('nestjs-pool:create');
export const compressing: OperationChannel<CodecOperation> = operationChannel('nestjs-pool:compress');
export const decompressing: OperationChannel<CodecOperation> = operationChannel('nestjs-pool:decompress');

const eventChannel = (name: keyof PoolChannels): Channel => channel(name);

const breaker = eventChannel('nestjs-pool:breaker');

/** Where events are published for the whole process, beside `pool.events$`. */
export const EVENT_CHANNELS: Readonly<Partial<Record<PoolHappening['type'], Channel>>> = {
  leaked: eventChannel('nestjs-pool:leak'),
  destroyed: eventChannel('nestjs-pool:evict'),
  drained: eventChannel('nestjs-pool:drain'),
  'breaker-opened': breaker,
  'breaker-closed': breaker,
};

/**
 * Does `work`, which must not throw but reject, and publishes its course. To be called only when somebody subscribes. It does as
 * `tracePromise()` of the channel does, but for the outcome, which that would put into the message.
 */
export function traced<Operation extends PoolOperation, R>(
  channel: OperationChannel<Operation>,
  operation: Operation,
  work: () => Promise<R>,
): Promise<R> {
  const settled = () => {
    channel.asyncStart.publish(operation);
    channel.asyncEnd.publish(operation);
  };
  return channel.start.runStores(operation, () => {
    const working = work();
    channel.end.publish(operation);
    return working.then(
      (value) => {
        settled();
        return value;
      },
      (error: unknown) => {
        operation.error = error;
        channel.error.publish(operation);
        settled();
        throw error;
      },
    );
  });
}
