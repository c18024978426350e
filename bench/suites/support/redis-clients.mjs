const CONNECTIONS = 10;
/** For those that have one at all; long enough never to be reached. */
const DEADLINE_MS = 10_000;

/*
 * The clients of Redis, by the same names whatever they call it: `get`, `getBytes` and `set` a value, `getAll` values in one pipeline,
 * and `pop` an element of a list, for which it blocks.
 */

const byIoredis = (lend) => ({
  get: (key) => lend((redis) => redis.get(key)),
  getBytes: (key) => lend((redis) => redis.getBuffer(key)),
  set: (key, value) => lend((redis) => redis.set(key, value)),
  getAll: async (keys) => {
    const replies = await lend((redis) => chained(redis.pipeline(), keys).exec());
    return replies.map(([, value]) => value);
  },
  pop: async (key) => {
    const [, element] = await lend((redis) => redis.blpop(key, 0));
    return element;
  },
});

const chained = (chain, keys) => keys.reduce((rest, key) => rest.get(key), chain);

const openConnection = async (url, options) => {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, options);
  return byIoredis((work) => work(redis));
};

export const rawConnection = {
  how: '`new Redis(url)`, one for all callers',
  source: 'https://github.com/redis/ioredis#connect-to-redis',
  open: (url) => openConnection(url, {}),
};

export const autopipelining = {
  how: '`new Redis(url, { enableAutoPipelining: true })`, one for all callers',
  source: 'https://github.com/redis/ioredis#autopipelining',
  open: (url) => openConnection(url, { enableAutoPipelining: true }),
};

async function openPool(url, options) {
  const { RedisPool } = await import('../../../dist/redis/redis-pool.js');
  const pool = new RedisPool('bench', { type: 'redis', url, ...options });
  await pool.start();
  return pool;
}

/** Through `commands`. */
export const ourCommands = ({ how, ...options }) => ({
  how,
  source: 'docs/redis.md#commands',
  open: async (url) => {
    const { commands } = await openPool(url, options);
    return byIoredis((work) => work(commands));
  },
});

/** Through `use()`, a lease for each piece of work. */
export const ourLeases = ({ how, ...options }) => ({
  how,
  source: 'docs/redis.md#leases',
  open: async (url) => {
    const pool = await openPool(url, { max: CONNECTIONS, shared: 0, ...options });
    return byIoredis((work) => pool.use(work));
  },
});

export const genericPool = ({ connections = CONNECTIONS } = {}) => ({
  how: `\`createPool({ create: async () => new Redis(url), destroy }, { max: ${connections} })\`, a lease for each call`,
  source: 'https://github.com/coopernurse/node-pool#example',
  open: async (url) => {
    const [{ Redis }, { default: generic }] = await Promise.all([import('ioredis'), import('generic-pool')]);
    const factory = { create: async () => new Redis(url), destroy: (redis) => redis.quit() };
    const pool = generic.createPool(factory, { max: connections });
    return byIoredis(async (work) => {
      const redis = await pool.acquire();
      try {
        return await work(redis);
      } finally {
        pool.release(redis);
      }
    });
  },
});

const byNodeRedis = (nodeRedis, redis) => {
  const bytes = redis.withTypeMapping({ [nodeRedis.RESP_TYPES.BLOB_STRING]: Buffer });
  return {
    get: (key) => redis.get(key),
    getBytes: (key) => bytes.get(key),
    set: (key, value) => redis.set(key, value),
    getAll: (keys) => chained(redis.multi(), keys).execAsPipeline(),
    pop: async (key) => (await redis.blPop(key, 0)).element,
  };
};

/** It sends what is asked of it in the same tick together. */
export const nodeRedisClient = {
  how: '`createClient({ url })`, one for all callers',
  source: 'https://github.com/redis/node-redis#auto-pipelining',
  open: async (url) => {
    const nodeRedis = await import('@redis/client');
    const client = nodeRedis.createClient({ url });
    await client.connect();
    return byNodeRedis(nodeRedis, client);
  },
};

async function openNodeRedisPool({ createClientPool }, url, connections) {
  const limits = { minimum: connections, maximum: connections, acquireTimeout: DEADLINE_MS };
  const pool = createClientPool({ url }, limits);
  await pool.connect();
  return pool;
}

const nodeRedisLimits = (connections) =>
  `\`createClientPool({ url }, { minimum: ${connections}, maximum: ${connections}, acquireTimeout: ${DEADLINE_MS} })\``;

export const nodeRedisPool = ({ connections = CONNECTIONS } = {}) => ({
  how: `${nodeRedisLimits(connections)}, and its commands, each of which takes a client`,
  source: 'https://github.com/redis/node-redis/blob/master/docs/pool.md#the-simple-scenario',
  open: async (url) => {
    const nodeRedis = await import('@redis/client');
    return byNodeRedis(nodeRedis, await openNodeRedisPool(nodeRedis, url, connections));
  },
});

export const nodeRedisLeases = {
  how: `${nodeRedisLimits(CONNECTIONS)}, and \`execute(task)\``,
  source: 'https://github.com/redis/node-redis/blob/master/docs/pool.md#transactions',
  open: async (url) => {
    const pool = await openNodeRedisPool(await import('@redis/client'), url, CONNECTIONS);
    return {
      get: (key) => pool.execute((redis) => redis.get(key)),
      set: (key, value) => pool.execute((redis) => redis.set(key, value)),
    };
  },
};

/** As many as may be in flight; the default of 1,000 would be what a suite has callers. */
const GLIDE_IN_FLIGHT = 2_000;

async function openGlide({ GlideClient }, url) {
  const { hostname: host, port } = new URL(url);
  return GlideClient.createClient({
    addresses: [{ host, port: Number(port) }],
    requestTimeout: DEADLINE_MS,
    inflightRequestsLimit: GLIDE_IN_FLIGHT,
  });
}

export const glide = {
  how: `\`GlideClient.createClient({ addresses, requestTimeout: ${DEADLINE_MS}, inflightRequestsLimit: ${GLIDE_IN_FLIGHT} })\`, one for all callers; another for each command that blocks; a pipeline is a \`Batch\``,
  source: 'https://github.com/valkey-io/valkey-glide/wiki/General-Concepts#connection-management',
  open: async (url) => {
    const library = await import('@valkey/valkey-glide');
    const { Batch, Decoder } = library;
    const client = await openGlide(library, url);
    const bytes = { decoder: Decoder.Bytes };
    const idle = [];
    return {
      get: (key) => client.get(key),
      getBytes: (key) => client.get(key, bytes),
      set: (key, value) => client.set(key, value),
      getAll: (keys) => client.exec(chained(new Batch(false), keys), true),
      pop: async (key) => {
        const own = idle.pop() ?? (await openGlide(library, url));
        const [, element] = await own.blpop([key], 0);
        idle.push(own);
        return element;
      },
    };
  },
};
