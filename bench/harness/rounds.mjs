/** What the rounds of most suites have in common. */

/**
 * A round in which so many callers call again and again for as long as a round lasts. `call` is given its number, from 0 on, and so is
 * `check`, which throws when the result is wrong.
 * @returns {import('./suite.mjs').Round}
 */
export function throughput(call, { callers, roundMs, check = () => undefined }) {
  return async () => {
    let calls = 0;
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now();
    const caller = async () => {
      do {
        const nth = calls++;
        check(await call(nth), nth);
      } while (performance.now() - startedAt < roundMs);
    };
    await Promise.all(Array.from({ length: callers }, caller));
    const ms = performance.now() - startedAt;
    const { user, system } = process.cpuUsage(cpuBefore);
    return { callsPerSecond: (calls / ms) * 1_000, cpuMicroseconds: (user + system) / calls };
  };
}

export const CALLS_PER_SECOND = { key: 'callsPerSecond', title: 'calls/s' };
export const CPU_PER_CALL = { key: 'cpuMicroseconds', title: 'CPU µs/call', digits: 1 };

export function expectEqual(got, wanted) {
  if (got !== wanted) throw new Error(`a wrong result: ${String(got).slice(0, 100)}`);
}
