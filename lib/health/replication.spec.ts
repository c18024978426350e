import { describe, expect, it } from '@jest/globals';
import { readReplication } from './replication.js';

const info = (...lines: string[]) => ['# Replication', ...lines, ''].join('\r\n');

describe('INFO replication', () => {
  it.each([
    ['a primary', info('role:master', 'connected_slaves:1'), { role: 'primary' }],
    [
      'a replica',
      info('role:slave', 'master_link_status:up', 'master_last_io_seconds_ago:4'),
      { role: 'replica', link: 'up', lagMs: 4_000 },
    ],
    [
      'a replica that has lost its primary',
      info(
        'role:slave',
        'master_link_status:down',
        'master_last_io_seconds_ago:-1',
        'master_link_down_since_seconds:90',
      ),
      { role: 'replica', link: 'down', lagMs: 90_000 },
    ],
    [
      'a replica that never had one',
      info('role:slave', 'master_link_status:down', 'master_link_down_since_seconds:-1'),
      { role: 'replica', link: 'down' },
    ],
    ['something else', info('role:sentinel'), { role: 'unknown' }],
    ['nothing', '', { role: 'unknown' }],
  ])('of %s is understood', (_whom, text, replication) => {
    expect(readReplication(text)).toEqual(replication);
  });
});
