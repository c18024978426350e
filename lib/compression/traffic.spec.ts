import { describe, expect, it } from '@jest/globals';
import { Traffic } from './traffic.js';

describe('Traffic', () => {
  it('begins with nothing', () => {
    expect(new Traffic('compress').read()).toEqual({ bytesIn: 0, bytesOut: 0, ratio: 0, bytesPerSecond: 0 });
  });

  it('adds up what is compressed', () => {
    const traffic = new Traffic('compress');
    traffic.count(700, 150, 1);
    traffic.count(100, 50, 1);
    expect(traffic.read()).toEqual({ bytesIn: 800, bytesOut: 200, ratio: 4, bytesPerSecond: 400_000 });
  });

  it('means the same by ratio and speed where it decompresses', () => {
    const traffic = new Traffic('decompress');
    traffic.count(200, 800, 2);
    expect(traffic.read()).toEqual({ bytesIn: 200, bytesOut: 800, ratio: 4, bytesPerSecond: 400_000 });
  });
});
