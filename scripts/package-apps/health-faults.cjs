// What the health checks of the packed library say while its Redis server is slow, frozen, gone, and while a pool is exhausted or drained:
// on Terminus 12, and on Terminus 11, which has no `degraded`. Kills the server.
const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');

const TIMEOUT_MS = 1_000;
const HEALED_WITHIN_MS = 20_000;

exports.examine = async ({ get, terminus, health, PoolRegistry }) => {
  const checks = get(terminus.HealthCheckService);
  const indicator = get(health.PoolHealthIndicator);
  const cache = get(PoolRegistry).get('cache');
  const archive = get(PoolRegistry).get('archive');
  const asked = { pool: 'cache', timeoutMs: TIMEOUT_MS };

  /** The status of each check, by its key; `isDown` is what the endpoint answers. */
  async function ask() {
    const all = checks.check([
      () => indicator.pingCheck('redis', asked),
      () => indicator.saturationCheck('codecs', { pool: 'archive' }),
      () => indicator.waitCheck('waits', { pool: 'archive' }),
      () => indicator.breakerCheck('breaker', { pool: 'archive' }),
      () => indicator.replicationCheck('replication', asked),
      () => indicator.checkAll('pools', { timeoutMs: TIMEOUT_MS }),
      () => indicator.readinessCheck('ready', { optional: ['archive'], timeoutMs: TIMEOUT_MS }),
      () => indicator.livenessCheck('alive'),
    ]);
    const { isDown, details } = await all.then(
      (result) => ({ isDown: false, details: result.details }),
      (error) => ({ isDown: true, details: error.getResponse().details }),
    );
    // On Terminus 11 what is degraded is up, with a note.
    const statusOf = (it) => (it.status === 'up' && it.degraded === true ? 'degraded' : it.status);
    const found = Object.fromEntries(Object.entries(details).map(([key, it]) => [key, statusOf(it)]));
    assert.equal(found.alive, 'up');
    return { isDown, ...found };
  }

  async function expectUp() {
    const giveUpAt = performance.now() + HEALED_WITHIN_MS;
    let found = await ask();
    for (; found.redis !== 'up' || found.isDown; found = await ask()) {
      assert(performance.now() < giveUpAt, `it stays ${JSON.stringify(found)}`);
      await sleep(50);
    }
    assert.equal(found.pools, 'up');
  }

  async function expectDown(...keys) {
    const found = await ask();
    for (const key of keys) assert.equal(found[key], 'down', `${key} of ${JSON.stringify(found)}`);
    assert(found.isDown);
  }

  const ASK_THE_SERVER = ['redis', 'replication', 'pools', 'ready'];
  const [, processId] = /process_id:(\d+)/.exec(await cache.commands.info('server'));
  const signal = (name) => process.kill(Number(processId), name);

  await expectUp();

  await cache.commands.client('PAUSE', TIMEOUT_MS * 0.7, 'ALL');
  const slow = await ask();
  assert.deepEqual([slow.redis, slow.isDown], ['degraded', false]);
  await expectUp();

  const lease = await archive.acquire();
  archive.resize({ max: 1 });
  const exhausted = await ask();
  assert.deepEqual([exhausted.codecs, exhausted.isDown], ['degraded', false]);
  await lease.release();

  signal('SIGSTOP');
  await expectDown(...ASK_THE_SERVER).finally(() => signal('SIGCONT'));
  await expectUp();

  signal('SIGKILL');
  await expectDown(...ASK_THE_SERVER);

  await archive.drain();
  await expectDown('codecs', 'breaker', 'pools');
};
