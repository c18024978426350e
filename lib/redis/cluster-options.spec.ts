import { describe, expect, it } from '@jest/globals';
import { clusterOptionProblems, leasedClusterOptions, sharedClusterOptions } from './cluster-options.js';

const nodes = [{ host: 'redis-1', port: 6379 }];

describe('The options of a pool for a cluster', () => {
  it('are fine with nodes alone, and without a cluster', () => {
    expect(clusterOptionProblems({ cluster: { nodes } })).toEqual([]);
    expect(clusterOptionProblems({ url: 'redis://localhost' })).toEqual([]);
    expect(clusterOptionProblems({ cluster: { nodes }, connection: { db: 0, password: 'secret' } })).toEqual(
      [],
    );
  });

  it('are refused, each for its reason, when they are of one server or break a promise', () => {
    const problems = clusterOptionProblems({
      url: 'redis://localhost',
      cluster: { nodes: [], options: { redisOptions: {}, lazyConnect: false }, node: 'redis-1' },
      connection: { host: 'redis-1', db: 3, sentinels: [] },
    });
    expect(problems).toEqual([
      'cluster.node is not known; cluster has nodes and options',
      'cluster.nodes must be a list of at least one node',
      'cluster.options.redisOptions must be left out: give them as connection',
      expect.stringContaining('cluster.options.lazyConnect must be left out'),
      'url must be left out: name the nodes in cluster.nodes',
      'connection.host must be left out: name the nodes in cluster.nodes',
      'connection.sentinels must be left out: a cluster has no sentinels',
      'connection.db must be left out: a cluster has only database 0',
    ]);
  });

  it('have leased clients never send anything again that may have been executed', () => {
    const options = leasedClusterOptions({ clusterRetryStrategy: () => 1, retryDelayOnFailover: 50 }, {});
    expect(options).toMatchObject({ clusterRetryStrategy: null, retryDelayOnFailover: 0, lazyConnect: true });
  });

  it('have shared clients try again for as long as a command may take', () => {
    const { maxRedirections = 0, retryDelayOnFailover = 0 } = sharedClusterOptions({}, {}, 20_000);
    expect(maxRedirections * retryDelayOnFailover).toBeGreaterThanOrEqual(20_000);
  });

  it('give the scripts of a connection to the cluster as a whole', () => {
    const scripts = { add: { lua: 'return 1', numberOfKeys: 1 } };
    const options = sharedClusterOptions({}, { scripts, password: 'secret' }, 0);
    expect(options).toMatchObject({ scripts, redisOptions: { password: 'secret' } });
    expect(options.redisOptions).not.toHaveProperty('scripts');
  });
});
