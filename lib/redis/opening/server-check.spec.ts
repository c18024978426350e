import { describe, expect, it, jest } from '@jest/globals';
import { CapacityAccount } from './server-capacity.js';
import { ServerCheck } from './server-check.js';

function checkOf({ expectsReplica = false, account = new CapacityAccount() } = {}) {
  const warn = jest.fn<(message: string) => void>();
  const demand = { pool: 'cache', max: 10 };
  return { warn, check: new ServerCheck({ demand, expectsReplica, warn, account }) };
}

describe('The server of a pool', () => {
  it.each([
    [{ redis_version: '7.0.15', redis_mode: 'standalone', role: 'master', run_id: 'a', maxclients: '10000' }],
    [{ redis_version: '6.0.0' }],
    [{ redis_version: '10.1.0' }],
    [{}],
  ])('is not spoken of when it is as it should be: %j', (info) => {
    const { check, warn } = checkOf();
    check.inspect(info);
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([
    [{ redis_mode: 'cluster' }, /use the option cluster/],
    [{ role: 'slave' }, /is a replica/],
    [{ redis_version: '5.0.14' }, /older than Redis 6.*5\.0\.14/],
    [{ run_id: 'a', maxclients: '9' }, /10 connections/],
  ])('is spoken of once: %j', (info, warning) => {
    const { check, warn } = checkOf();
    check.inspect(info);
    check.inspect(info);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(warning)]]);
  });

  it('may be a replica where that is meant', () => {
    const { check, warn } = checkOf({ expectsReplica: true });
    check.inspect({ role: 'slave' });
    expect(warn).not.toHaveBeenCalled();
  });

  it('must not be a Sentinel', () => {
    expect(() => checkOf().check.inspect({ redis_mode: 'sentinel' })).toThrow(/is a Sentinel/);
  });

  it.each([
    [{ redis_version: '5.0.14' }, /^node a:1 of the cluster: .*older than Redis 6/],
    [{ run_id: 'a', maxclients: '9' }, /^node a:1 of the cluster: .*10 connections/],
  ])('is named where it is a node of the cluster, the first of those alike: %j', (info, warning) => {
    const { check, warn } = checkOf();
    check.inspectNode('a:1', info);
    check.inspectNode('b:1', { ...info, run_id: 'b' });
    expect(warn.mock.calls).toEqual([[expect.stringMatching(warning)]]);
  });

  it('may be a replica, and of a cluster, where it is a node of one', () => {
    const { check, warn } = checkOf();
    check.inspectNode('a:1', { redis_mode: 'cluster', role: 'slave', run_id: 'a', maxclients: '10' });
    expect(warn).not.toHaveBeenCalled();
  });

  it('may be one of many nodes, each of which is asked for max connections', () => {
    const account = new CapacityAccount();
    const pools = [1, 2].map(() => checkOf({ account }));
    for (const { check } of pools)
      for (const node of ['a', 'b']) check.inspectNode(node, { run_id: node, maxclients: '20' });
    pools[0]!.check.inspectNode('c', { run_id: 'c', maxclients: '9' });
    expect(pools.map(({ warn }) => warn.mock.calls)).toEqual([
      [[expect.stringMatching(/^node c of the cluster: .*10 connections.* accepts 9 /)]],
      [],
    ]);
  });

  it('is another one at the address of a node that was started anew', () => {
    const account = new CapacityAccount();
    const { check } = checkOf({ account });
    check.inspectNode('a', { run_id: 'first', maxclients: '10' });
    check.inspectNode('a', { run_id: 'second', maxclients: '10' });
    const other = { pool: 'other', max: 10 };
    expect(account.enter(other, { run_id: 'first', maxclients: '10' })).toBeUndefined();
    expect(account.enter(other, { run_id: 'second', maxclients: '10' })).toContain('20 connections');
  });

  it('is not asked for anything by a pool that is closed', () => {
    const account = new CapacityAccount();
    const { check } = checkOf({ account });
    check.inspectNode('b', { run_id: 'b', maxclients: '10' });
    check.end();
    check.inspect({ run_id: 'a', maxclients: '10' });
    check.inspectNode('c', { run_id: 'c', maxclients: '10' });
    for (const id of ['a', 'b', 'c'])
      expect(account.enter({ pool: 'other', max: 10 }, { run_id: id, maxclients: '10' })).toBeUndefined();
  });
});
