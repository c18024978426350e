import lz4 from 'lz4-napi';
import snappyBlock from 'snappy';
import { CompressionError, type Codec, type Coder, type CoderOptions } from 'nestjs-pool';

/** Blocks of snappy begin with the length of their content, seven bits to a byte. */
export const snappy: Codec = {
  name: 'snappy',
  createCompressor: () => coder((input) => snappyBlock.compress(input)),
  createDecompressor: (options) =>
    decoder(
      'snappy',
      options,
      contentBytes,
      async (input) => (await snappyBlock.uncompress(input)) as Buffer,
    ),
};

/** Blocks of lz4 as lz4-napi writes them: the length of their content, in four bytes, stands in front. */
export const lz4Block: Codec = {
  name: 'lz4',
  createCompressor: () => coder((input) => lz4.compress(input)),
  createDecompressor: (options) =>
    decoder(
      'lz4',
      options,
      (input) => (input.length < 4 ? 0 : Buffer.from(input.buffer, input.byteOffset).readUInt32LE()),
      (input) => lz4.uncompress(input),
    ),
};

/** Neither keeps anything between two inputs, nor can it be stopped: to close it is to wait until it rests. */
function coder(work: (input: Uint8Array, maxOutputBytes: number) => Promise<Buffer>): Coder {
  let rest: Promise<unknown> = Promise.resolve();
  return {
    run(input, maxOutputBytes) {
      const output = work(input, maxOutputBytes);
      rest = output.catch(() => undefined);
      return output;
    },
    close: async () => void (await rest),
  };
}

/** Refuses what would open to more than it may, before it is opened. */
function decoder(
  name: string,
  { pool }: CoderOptions,
  contentBytesOf: (input: Uint8Array) => number,
  decode: (input: Uint8Array) => Promise<Buffer>,
): Coder {
  return coder(async (input, maxOutputBytes) => {
    if (contentBytesOf(input) > maxOutputBytes)
      throw new CompressionError('ERR_POOL_OUTPUT_TOO_LARGE', pool, `larger than ${maxOutputBytes} bytes`);
    try {
      return await decode(input);
    } catch (cause) {
      throw new CompressionError('ERR_POOL_INPUT_CORRUPT', pool, `the input is no valid ${name}`, { cause });
    }
  });
}

function contentBytes(block: Uint8Array): number {
  const last = block.findIndex((byte) => byte < 0x80);
  return block.subarray(0, last + 1).reduceRight((bytes, byte) => bytes * 128 + (byte & 0x7f), 0);
}
