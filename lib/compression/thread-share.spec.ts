import { describe, expect, it } from '@jest/globals';
import { ThreadShare, threadsOf } from './thread-share.js';

describe('ThreadShare', () => {
  it('warns when pools together may take every thread, and says what to do', () => {
    const share = new ThreadShare(4);
    expect(share.join({ name: 'pages', max: 2 })).toBeUndefined();
    expect(share.join({ name: 'archive', max: 2 })).toBe(
      'compression ("pages", "archive": max 4 together) may take all 4 threads of libuv, and then fs, dns.lookup() ' +
        'and crypto wait for it: start Node with UV_THREADPOOL_SIZE=8, or lower max',
    );
  });

  it('warns once', () => {
    const share = new ThreadShare(4);
    expect(share.join({ name: 'pages', max: 8 })).toBeDefined();
    expect(share.join({ name: 'archive', max: 8 })).toBeUndefined();
  });

  it('counts no pool that is gone', () => {
    const share = new ThreadShare(4);
    const gone = { name: 'pages', max: 3 };
    share.join(gone);
    share.leave(gone);
    expect(share.join({ name: 'archive', max: 3 })).toBeUndefined();
  });
});

describe('threadsOf', () => {
  it.each([
    [undefined, 4],
    ['16', 16],
    [' 8 ', 8],
    ['2.5', 2],
    ['1e3', 1],
    ['0', 1],
    ['', 1],
    ['many', 1],
    ['5000', 1_024],
  ])('reads %p as %p threads', (setting, threads) => {
    expect(threadsOf(setting)).toBe(threads);
  });
});
