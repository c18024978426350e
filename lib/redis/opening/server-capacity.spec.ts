import { describe, expect, it } from '@jest/globals';
import { CapacityAccount } from './server-capacity.js';

const SERVER = { run_id: 'one', maxclients: '100' };

describe('What the pools of a process ask of a server', () => {
  it('is told once when it is more than the server accepts', () => {
    const account = new CapacityAccount();
    expect(account.enter({ pool: 'cache', max: 60 }, SERVER)).toBeUndefined();
    expect(account.enter({ pool: 'jobs', max: 40 }, SERVER)).toBeUndefined();
    const told = account.enter({ pool: 'locks', max: 1 }, SERVER);
    expect(told).toMatch(/may open 101 connections .*"cache" 60, "jobs" 40, "locks" 1.* accepts 100 /);
    expect(account.enter({ pool: 'more', max: 1 }, SERVER)).toBeUndefined();
  });

  it('counts each pool once, with what it may have now', () => {
    const account = new CapacityAccount();
    const demand = { pool: 'cache', max: 60 };
    for (let times = 0; times < 3; times += 1) expect(account.enter(demand, SERVER)).toBeUndefined();
    demand.max = 101;
    expect(account.enter(demand, SERVER)).toContain('101 connections');
  });

  it('counts pools of the same name, as two applications in a process may have', () => {
    const account = new CapacityAccount();
    account.enter({ pool: 'cache', max: 60 }, SERVER);
    expect(account.enter({ pool: 'cache', max: 60 }, SERVER)).toContain('"cache" 60, "cache" 60');
  });

  it('is counted for each server, and a pool is at one: the latest', () => {
    const account = new CapacityAccount();
    const other = { run_id: 'other', maxclients: '100' };
    const mover = { pool: 'mover', max: 60 };
    account.enter(mover, SERVER);
    expect(account.enter({ pool: 'cache', max: 60 }, other)).toBeUndefined();
    expect(account.enter(mover, other)).toContain('120 connections');
    expect(account.enter({ pool: 'jobs', max: 60 }, SERVER)).toBeUndefined();
  });

  it('is less in a cluster, whose nodes count each other as clients', () => {
    const account = new CapacityAccount();
    const node = { ...SERVER, cluster_connections: '10' };
    expect(account.enter({ pool: 'cache', max: 90 }, node)).toBeUndefined();
    expect(account.enter({ pool: 'jobs', max: 1 }, node)).toMatch(/91 .* accepts 90 .*maxclients, less 10 /);
  });

  it('is less when a pool is closed', () => {
    const account = new CapacityAccount();
    const closed = { pool: 'cache', max: 60 };
    account.enter(closed, SERVER);
    account.leave(closed);
    expect(account.enter({ pool: 'jobs', max: 60 }, SERVER)).toBeUndefined();
  });

  it.each([{}, { run_id: 'one' }, { maxclients: '1' }, { run_id: 'one', maxclients: '0' }])(
    'is not known where the server tells only %j',
    (info) => {
      expect(new CapacityAccount().enter({ pool: 'cache', max: 60 }, info)).toBeUndefined();
    },
  );
});
