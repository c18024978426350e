import type { PoolStats } from '../core/pool.stats.js';
import type { Instrument, InstrumentKind } from './instrument.js';
import type { MetricFamily } from './metric-family.js';

const POOL_NAME = 'db.client.connection.pool.name';
const STATE = 'db.client.connection.state';
const SERVER_ADDRESS = 'server.address';
const SERVER_PORT = 'server.port';

const ATTRIBUTES = [POOL_NAME, SERVER_ADDRESS, SERVER_PORT];

const COUNT = instrument(
  'count',
  'up-down-counter',
  '{connection}',
  'The number of connections that are currently in state described by the `state` attribute.',
  [...ATTRIBUTES, STATE],
);
const IDLE_MAX = connections('idle.max', 'The maximum number of idle open connections allowed.');
const IDLE_MIN = connections('idle.min', 'The minimum number of idle open connections allowed.');
const MAX = connections('max', 'The maximum number of open connections allowed.');
/** What the conventions call `max` from 1.45 on. */
const LIMIT = connections('limit', MAX.description);
const PENDING = instrument(
  'pending_requests',
  'up-down-counter',
  '{request}',
  'The number of current pending requests for an open connection.',
);
const TIMEOUTS = instrument(
  'timeouts',
  'counter',
  '{timeout}',
  'The number of connection timeouts that have occurred trying to obtain a connection from the pool.',
);
const CREATE_TIME = seconds('create_time', 'The time it took to create a new connection.');
const WAIT_TIME = seconds('wait_time', 'The time it took to obtain an open connection from the pool.');
const USE_TIME = seconds('use_time', 'The time between borrowing a connection and returning it to the pool.');

/**
 * Pools of connections, by the semantic conventions of OpenTelemetry for database clients. A shared connection of a Redis pool is in
 * use as long as it is open, since nobody can be lent it; so all are used when `max` are.
 */
export const connectionMetrics: MetricFamily = {
  instruments: [COUNT, IDLE_MAX, IDLE_MIN, MAX, LIMIT, PENDING, TIMEOUTS, CREATE_TIME, WAIT_TIME, USE_TIME],

  attributesOf({ name, description: { server } }) {
    return {
      [POOL_NAME]: name,
      ...(server !== undefined && { [SERVER_ADDRESS]: server.address }),
      ...(server?.port !== undefined && { [SERVER_PORT]: server.port }),
    };
  },

  read(pool, attributes) {
    const { idle, leased, waiting, min, max, timeouts, shared = 0 } = pool.stats() as ConnectionStats;
    const lendable = max - (pool.description.shared ?? 0);
    const inState = (state: string) => ({ ...attributes, [STATE]: state });
    return [
      { instrument: COUNT, value: idle, attributes: inState('idle') },
      { instrument: COUNT, value: leased + shared, attributes: inState('used') },
      { instrument: IDLE_MAX, value: lendable, attributes },
      { instrument: IDLE_MIN, value: Math.min(min, lendable), attributes },
      { instrument: MAX, value: max, attributes },
      { instrument: LIMIT, value: max, attributes },
      { instrument: PENDING, value: waiting, attributes },
      { instrument: TIMEOUTS, value: timeouts, attributes },
    ];
  },

  listen(pool, attributes, recorderOf) {
    const waited = recorderOf(WAIT_TIME, attributes);
    const used = recorderOf(USE_TIME, attributes);
    const created = recorderOf(CREATE_TIME, attributes);
    return pool.events$.subscribe((event) => {
      if (event.type === 'acquired') waited(event.waitMs / 1_000);
      else if (event.type === 'released') used(event.useMs / 1_000);
      else if (event.type === 'created') created(event.createMs / 1_000);
    });
  },
};

/** Pools of Redis connections have shared ones. */
type ConnectionStats = PoolStats & { readonly shared?: number };

function connections(name: string, description: string): Instrument {
  return instrument(name, 'up-down-counter', '{connection}', description);
}

function seconds(name: string, description: string): Instrument {
  return instrument(name, 'histogram', 's', description);
}

function instrument(
  name: string,
  kind: InstrumentKind,
  unit: string,
  description: string,
  attributes = ATTRIBUTES,
): Instrument {
  return { name: `db.client.connection.${name}`, kind, unit, description, attributes };
}
