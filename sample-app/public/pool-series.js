/** Which numbers of a pool are kept for a minute, and which charts are drawn of them. */

/** By name, how a reading becomes a number. */
export function columnsOf({ redis }) {
  const columns = {
    leased: ({ stats }) => stats.leased,
    waiting: ({ stats }) => stats.waiting,
    max: ({ stats }) => stats.max,
    'leases/s': ({ waitMs }) => waitMs.perSecond,
    'wait p99, ms': ({ waitMs }) => waitMs.p99,
    'use p99, ms': ({ useMs }) => useMs.p99,
  };
  if (redis === null) return columns;
  return {
    ...columns,
    'commands/s': ({ redis }) => redis.commandMs.perSecond,
    'command p99, ms': ({ redis }) => redis.commandMs.p99,
  };
}

/** The lines of each chart, by name, with their colours. */
export function chartsOf({ redis }) {
  const isRedis = redis !== null;
  return [
    {
      title: 'Demand',
      series: { max: 'line-max', leased: 'leased', waiting: 'waiting' },
      filled: 'leased',
    },
    {
      title: 'Throughput',
      series: { ...(isRedis && { 'commands/s': 'shared' }), 'leases/s': 'leased' },
      filled: isRedis ? 'commands/s' : 'leases/s',
    },
    {
      title: 'Latency',
      series: {
        ...(isRedis && { 'command p99, ms': 'shared' }),
        'use p99, ms': 'leased',
        'wait p99, ms': 'waiting',
      },
    },
  ];
}
