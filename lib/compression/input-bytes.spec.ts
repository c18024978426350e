import { describe, expect, it } from '@jest/globals';
import { byteLengthOf, bytesOf, countedBytesOf, type Bytes } from './input-bytes.js';

const numbers = [1, 2, 3, 4, 5, 6, 7, 8];

const NO_LONGER_THERE = expect.objectContaining({ code: 'ERR_POOL_INPUT_TYPE', pool: 'test' });

const VIEWS = [
  (buffer: ArrayBuffer): Bytes => buffer,
  (buffer: ArrayBuffer): Bytes => new Uint8Array(buffer),
  (buffer: ArrayBuffer): Bytes => Buffer.from(buffer),
  (buffer: ArrayBuffer): Bytes => new DataView(buffer),
];

const VIEWS_WITHIN = [
  (buffer: ArrayBuffer): Bytes => new Uint8Array(buffer, 4, 2),
  (buffer: ArrayBuffer): Bytes => new Uint16Array(buffer, 4, 2),
  (buffer: ArrayBuffer): Bytes => new DataView(buffer, 4, 2),
];

function transfer(input: Bytes): void {
  const buffer = ArrayBuffer.isView(input) ? input.buffer : input;
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
}

describe('bytesOf', () => {
  it('takes a Buffer as it is', () => {
    const buffer = Buffer.from(numbers);
    expect(bytesOf(buffer)).toBe(buffer);
  });

  it('sees exactly the bytes of a view, without a copy', () => {
    const { buffer } = Uint8Array.from(numbers);
    for (const view of [new DataView(buffer, 2, 4), new Uint16Array(buffer, 2, 2)]) {
      const bytes = bytesOf(view);
      expect([...bytes]).toEqual([3, 4, 5, 6]);
      expect(bytes.buffer).toBe(buffer);
    }
  });

  it('takes an ArrayBuffer', () => {
    expect([...bytesOf(Uint8Array.from(numbers).buffer)]).toEqual(numbers);
  });

  it('copies what another thread could change', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    shared.set(numbers);
    for (const input of [shared, shared.buffer, Buffer.from(shared.buffer), new DataView(shared.buffer)]) {
      const bytes = bytesOf(input);
      expect([...bytes]).toEqual(numbers);
      expect(bytes.buffer).not.toBe(shared.buffer);
    }
  });

  it('copies what could be cut short', () => {
    const resizable = Reflect.construct(ArrayBuffer, [8, { maxByteLength: 16 }]) as ArrayBuffer;
    for (const input of [resizable, new Uint8Array(resizable), Buffer.from(resizable)]) {
      const bytes = bytesOf(input);
      expect(bytes).toHaveLength(8);
      expect(bytes.buffer).not.toBe(resizable);
    }
  });

  it('takes a string as UTF-8', () => {
    expect([...bytesOf('grün')]).toEqual([0x67, 0x72, 0xc3, 0xbc, 0x6e]);
  });
});

describe('byteLengthOf', () => {
  it('counts what bytesOf gives', () => {
    const { buffer } = Uint8Array.from(numbers);
    const inputs = [
      'grün',
      buffer,
      new SharedArrayBuffer(3),
      Buffer.from(numbers),
      new Uint16Array(buffer, 2, 2),
      new Float64Array(1),
      new DataView(buffer, 1, 6),
    ];
    for (const input of inputs) expect(byteLengthOf(input, 'test')).toBe(bytesOf(input).byteLength);
  });

  it.each([undefined, null, 42, [1, 2], { length: 2 }])('refuses %p', (input) => {
    expect(() => byteLengthOf(input as unknown as Bytes, 'test')).toThrow(
      expect.objectContaining({ code: 'ERR_POOL_INPUT_TYPE', pool: 'test' }),
    );
  });

  it('refuses what was transferred, and takes what is just empty', () => {
    for (const make of VIEWS) {
      const input = make(new ArrayBuffer(8));
      transfer(input);
      expect(() => byteLengthOf(input, 'test')).toThrow(NO_LONGER_THERE);
      expect(byteLengthOf(make(new ArrayBuffer(0)), 'test')).toBe(0);
    }
    expect(byteLengthOf(new BigInt64Array(0), 'test')).toBe(0);
  });

  it('refuses a view whose memory was cut off', () => {
    for (const make of VIEWS_WITHIN) {
      const resizable = Reflect.construct(ArrayBuffer, [8, { maxByteLength: 8 }]) as ArrayBuffer;
      const input = make(resizable);
      (resizable as ArrayBuffer & { resize(length: number): void }).resize(3);
      expect(() => byteLengthOf(input, 'test')).toThrow(NO_LONGER_THERE);
    }
  });
});

describe('countedBytesOf', () => {
  it('is bytesOf for what is as long as it was', () => {
    const buffer = Buffer.from(numbers);
    expect(countedBytesOf(buffer, 8, 'test')).toBe(buffer);
    expect(countedBytesOf('grün', 5, 'test')).toHaveLength(5);
    expect(countedBytesOf(Buffer.alloc(0), 0, 'test')).toHaveLength(0);
  });

  it('refuses what was transferred meanwhile', () => {
    for (const make of VIEWS) {
      const input = make(new ArrayBuffer(8));
      transfer(input);
      expect(() => countedBytesOf(input, 8, 'test')).toThrow(NO_LONGER_THERE);
    }
  });

  it('refuses what was cut short meanwhile', () => {
    for (const make of VIEWS) {
      const resizable = Reflect.construct(ArrayBuffer, [8, { maxByteLength: 8 }]) as ArrayBuffer;
      const input = make(resizable);
      (resizable as ArrayBuffer & { resize(length: number): void }).resize(3);
      expect(() => countedBytesOf(input, 8, 'test')).toThrow(NO_LONGER_THERE);
    }
  });
});
