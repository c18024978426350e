import { quantile } from 'simple-statistics';
import { setTimeout as sleep } from 'node:timers/promises';
import { contendersOf, defineSuite } from '../harness/suite.mjs';
import { POOLS } from './support/pools.mjs';

const CONNECT_MS = 150;
const QUERY_MS = 2;
const MIN = 5;
const MAX = 50;
const CALLERS = 50;

/** What opens resources slowly, and counts them. */
class Server {
  created = 0;
  alive = 0;
  #underway = 0;

  factory = {
    create: async () => {
      this.created += 1;
      this.#underway += 1;
      await sleep(CONNECT_MS);
      this.#underway -= 1;
      this.alive += 1;
      return { isHeld: false };
    },
    destroy: async () => {
      this.alive -= 1;
    },
  };

  /** Resolves when nothing is being opened, and nothing begins to be. */
  async settles() {
    do await sleep(CONNECT_MS / 3);
    while (this.#underway > 0);
  }
}

async function query(resource) {
  if (resource.isHeld) throw new Error('two callers hold one resource');
  resource.isHeld = true;
  await sleep(QUERY_MS);
  resource.isHeld = false;
}

/** A pool that holds its minimum, and a round in which everybody comes at once. */
async function open(openPool, { queries }) {
  const server = new Server();
  const { visit } = await openPool(server.factory, { min: MIN, max: MAX });
  await Promise.all(Array.from({ length: MIN }, () => visit(query)));
  await server.settles();
  if (server.alive !== MIN) throw new Error(`${server.alive} are open, in place of ${MIN}`);
  return async () => {
    const waits = [];
    const startedAt = performance.now();
    const caller = async () => {
      for (let each = 0; each < queries; each += 1) {
        const askedAt = performance.now();
        await visit((resource) => {
          waits.push(performance.now() - askedAt);
          return query(resource);
        });
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    const totalMs = performance.now() - startedAt;
    if (waits.length !== CALLERS * queries) throw new Error('not everybody was served');
    await server.settles();
    const [p50Ms, p99Ms] = [quantile(waits, 0.5), quantile(waits, 0.99)];
    return { totalMs, p50Ms, p99Ms, size: server.alive, created: server.created };
  };
}

export default defineSuite({
  name: 'spike',
  title: 'A spike of callers where connecting is slow',
  about:
    `Opening a resource takes ${CONNECT_MS} ms, a query ${QUERY_MS} ms. A pool of at least ${MIN} and at most ${MAX} has its ${MIN} open ` +
    `when ${CALLERS} callers come at once, as in the ` +
    '[spike test of HikariCP](https://github.com/brettwooldridge/HikariCP/blob/dev/documents/Welcome-To-The-Jungle.md). What counts is ' +
    'how soon all are served, and how many resources a server has to bear afterwards for it. Where each caller asks once, those that ' +
    'are open serve everybody before a new one could be of use; where each asks twenty times, more of them help.',
  metrics: [
    { key: 'totalMs', title: 'ms until all are served', digits: 1 },
    { key: 'p50Ms', title: 'median wait, ms', digits: 1 },
    { key: 'p99Ms', title: 'p99 wait, ms', digits: 1 },
    { key: 'size', title: 'open in the end' },
    { key: 'created', title: 'opened in all' },
  ],
  baseline: 'generic-pool',
  rounds: 9,
  freshProcess: true,
  contenders: contendersOf(POOLS, open),
  scenarios: [
    { name: `${CALLERS} callers, a query each`, queries: 1 },
    { name: `${CALLERS} callers, 20 queries each`, queries: 20 },
  ],
  expectations: [
    {
      of: ({ queries }) => queries === 1,
      ours: 'nestjs-pool',
      rival: 'generic-pool',
      atMost: 1.1,
    },
    {
      of: ({ queries }) => queries === 1,
      ours: 'nestjs-pool',
      rival: 'generic-pool',
      metric: 'size',
      atMost: 0.5,
    },
  ],
});
