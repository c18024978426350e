import { describe, expect, it } from '@jest/globals';
import { FakeFactory } from '../../test/support/fake-factory.js';
import { advance, useFakeTime, watch } from '../../test/support/fake-time.js';
import { ResourcePool } from './resource-pool.js';

useFakeTime();

describe('renew()', () => {
  it('closes idle resources at once and refills min', async () => {
    const factory = new FakeFactory();
    const pool = new ResourcePool('p', factory, { min: 2 });
    await pool.start();
    const reasons: string[] = [];
    pool.events$.subscribe((event) => event.type === 'destroyed' && reasons.push(event.reason));
    pool.renew();
    await advance(0);
    expect(reasons).toEqual(['outdated', 'outdated']);
    expect(factory.destroyed).toEqual(factory.created.slice(0, 2));
    expect(pool.stats()).toMatchObject({ idle: 2, size: 2 });
  });

  it('leaves a leased resource to its holder, and closes it when it comes back', async () => {
    const factory = new FakeFactory();
    const pool = new ResourcePool('p', factory, { max: 1 });
    const lease = await pool.acquire();
    pool.renew();
    await advance(1_000);
    expect(lease.resource).toBe(factory.created[0]);
    await lease.release();
    expect(factory.destroyed).toEqual([factory.created[0]]);
    await pool.use((resource) => expect(resource).toBe(factory.created[1]));
  });

  it('lends what is opened afterwards as ever', async () => {
    const factory = new FakeFactory();
    const pool = new ResourcePool('p', factory);
    pool.renew();
    await pool.use(() => undefined);
    await pool.use(() => undefined);
    expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0, idle: 1 });
  });

  it('does not lend what is being opened, for that began with what was true before', async () => {
    const factory = new FakeFactory();
    factory.creates.ms = 50;
    const pool = new ResourcePool('p', factory, { max: 1 });
    const caller = watch(pool.acquire());
    await advance(10);
    pool.renew();
    await advance(100);
    expect(factory.destroyed).toEqual([factory.created[0]]);
    expect(caller.value?.resource).toBe(factory.created[1]);
  });
});
