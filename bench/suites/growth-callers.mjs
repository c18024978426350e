import { contendersOf, defineSuite } from '../harness/suite.mjs';
import { POOLS } from './support/pools.mjs';

const RESOURCES = 10;
/** So many visits at least between two looks at the clock. */
const VISITS = 1_000;

const factory = { create: async () => ({}), destroy: async () => undefined };

async function open(openPool, { callers }, { roundMs }) {
  const { visit } = await openPool(factory, { min: 0, max: RESOURCES });
  const seen = new Set(await Promise.all(Array.from({ length: callers }, () => visit())));
  if (seen.size > RESOURCES) throw new Error(`${seen.size} resources, in place of ${RESOURCES} at most`);
  const visitsOfEach = Math.ceil(VISITS / callers);
  const caller = async () => {
    for (let each = 0; each < visitsOfEach; each += 1) await visit();
  };
  return async () => {
    let visits = 0;
    const startedAt = performance.now();
    for (; performance.now() - startedAt < roundMs; visits += callers * visitsOfEach)
      await Promise.all(Array.from({ length: callers }, caller));
    return { nanoseconds: ((performance.now() - startedAt) / visits) * 1e6 };
  };
}

export default defineSuite({
  name: 'growth-callers',
  title: 'Acquire and release, as the callers grow',
  about:
    `What one of so many callers at once costs, who all want one of ${RESOURCES} resources and give it back at once. ` +
    'A line that stays flat is good: nobody pays for the length of the queue.',
  metrics: [{ key: 'nanoseconds', title: 'ns per visit' }],
  baseline: 'generic-pool',
  curve: { x: 'callers at once', metric: 'nanoseconds' },
  rounds: 11,
  contenders: contendersOf(POOLS, open),
  scenarios: [1, 10, 100, 1_000, 10_000].map((callers) => ({
    name: `${callers.toLocaleString('en')} ${callers === 1 ? 'caller' : 'callers'}`,
    x: callers,
    callers,
  })),
});
