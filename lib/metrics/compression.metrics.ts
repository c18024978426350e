import type { Observable } from 'rxjs';
import type { CodecCall } from '../compression/codec-calls.js';
import type { ResourcePool } from '../core/resource-pool.js';
import type { Instrument, InstrumentKind } from './instrument.js';
import type { MetricFamily } from './metric-family.js';

const POOL_NAME = 'nestjs.pool.name';
const ALGORITHM = 'nestjs.pool.compression.algorithm';
const DIRECTION = 'nestjs.pool.compression.direction';
const STATE = 'nestjs.pool.compression.context.state';
const ERROR_TYPE = 'error.type';

const OF_POOL = [POOL_NAME, ALGORITHM];
const OF_CALL = [...OF_POOL, DIRECTION];

const DURATION = instrument(
  'duration',
  'histogram',
  's',
  'The time that a call of compress() or decompress() took, with its wait for a context.',
  [...OF_CALL, ERROR_TYPE],
);
const INPUT_SIZE = instrument('input.size', 'histogram', 'By', 'The size of what calls were given.', OF_CALL);
const OUTPUT_SIZE = instrument('output.size', 'histogram', 'By', 'The size of what came of it.', OF_CALL);

const CONTEXTS = instrument(
  'context.count',
  'up-down-counter',
  '{context}',
  'The number of contexts that are currently in state described by the `state` attribute.',
  [...OF_POOL, STATE],
);
const MAX = instrument(
  'context.max',
  'up-down-counter',
  '{context}',
  'The maximum number of contexts allowed.',
);
const PENDING = instrument(
  'context.pending_requests',
  'up-down-counter',
  '{request}',
  'The number of callers who wait for a context.',
);
const TIMEOUTS = instrument(
  'context.timeouts',
  'counter',
  '{timeout}',
  'The number of callers who gave up waiting for a context at their deadline.',
);

/** Pools of compression contexts, which are no database connections and so have a namespace of their own. */
export const compressionMetrics: MetricFamily = {
  instruments: [DURATION, INPUT_SIZE, OUTPUT_SIZE, CONTEXTS, MAX, PENDING, TIMEOUTS],

  attributesOf: ({ name, description: { algorithm = 'unknown' } }) => ({
    [POOL_NAME]: name,
    [ALGORITHM]: algorithm,
  }),

  read(pool, attributes) {
    const { idle, leased, waiting, max, timeouts } = pool.stats();
    const inState = (state: string) => ({ ...attributes, [STATE]: state });
    return [
      { instrument: CONTEXTS, value: idle, attributes: inState('idle') },
      { instrument: CONTEXTS, value: leased, attributes: inState('used') },
      { instrument: MAX, value: max, attributes },
      { instrument: PENDING, value: waiting, attributes },
      { instrument: TIMEOUTS, value: timeouts, attributes },
    ];
  },

  listen(pool, attributes, recorderOf) {
    const recorders = (direction: CodecCall['direction']) => {
      const own = { ...attributes, [DIRECTION]: direction };
      return {
        took: recorderOf(DURATION, own),
        given: recorderOf(INPUT_SIZE, own),
        came: recorderOf(OUTPUT_SIZE, own),
        failed: (error: unknown) => recorderOf(DURATION, { ...own, [ERROR_TYPE]: errorType(error) }),
      };
    };
    const of = { compress: recorders('compress'), decompress: recorders('decompress') };
    return (pool as Compressing).calls$.subscribe(
      ({ direction, durationMs, inputBytes, outputBytes, error }) => {
        const { took, given, came, failed } = of[direction];
        const seconds = durationMs / 1_000;
        if (outputBytes === undefined) return failed(error)(seconds);
        took(seconds);
        given(inputBytes);
        came(outputBytes);
      },
    );
  },
};

/** A pool that tells how its calls went. Its events tell of every lease as well, which would cost each call something for nothing. */
type Compressing = ResourcePool<unknown> & { readonly calls$: Observable<CodecCall> };

/** The code of an error, or its class: a word of few, whatever the message says. */
function errorType(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.name : '_OTHER';
}

function instrument(
  name: string,
  kind: InstrumentKind,
  unit: string,
  description: string,
  attributes = OF_POOL,
): Instrument {
  return { name: `nestjs.pool.compression.${name}`, kind, unit, description, attributes };
}
