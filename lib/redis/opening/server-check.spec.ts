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

  it('is not asked for anything by a pool that is closed', () => {
    const account = new CapacityAccount();
    const { check } = checkOf({ account });
    check.end();
    check.inspect({ run_id: 'a', maxclients: '10' });
    expect(account.enter({ pool: 'other', max: 10 }, { run_id: 'a', maxclients: '10' })).toBeUndefined();
  });
});
