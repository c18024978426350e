import { describe, expect, it } from '@jest/globals';
import { joined, ownMemoryOf } from './own-memory.js';

describe('joined', () => {
  it('puts chunks one behind another, into memory of their own however few they are', () => {
    const output = joined([Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')], 6);
    expect(output.toString()).toBe('onetwo');
    expect(output.buffer.byteLength).toBe(6);
    expect(joined([], 0)).toHaveLength(0);
  });
});

describe('ownMemoryOf', () => {
  it('copies a part of something larger', () => {
    const slab = Buffer.alloc(100, 7);
    const own = ownMemoryOf(slab.subarray(10, 20));
    slab.fill(0);
    expect(own).toEqual(Buffer.alloc(10, 7));
    expect(own.buffer.byteLength).toBe(10);
  });

  it('copies nothing that is whole', () => {
    const whole = Buffer.alloc(100_000);
    expect(ownMemoryOf(whole)).toBe(whole);
  });
});
