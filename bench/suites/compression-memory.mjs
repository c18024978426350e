import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createGunzip, createGzip, gunzipSync, gzipSync } from 'node:zlib';
import { defineSuite } from '../harness/suite.mjs';
import { MIB, operationOf } from './support/algorithms.mjs';
import { oneShot, openPool, piscina } from './support/compressors.mjs';
import { rows } from './support/payloads.mjs';

/** Memory is the same at all levels, and this one takes a third of the time. */
const STREAM_LEVEL = 1;

/** Inputs are windows of one text, each one step further: all distinct, and none with memory of its own. */
async function manyGzips(compress, share) {
  const [calls, inputBytes, stepBytes, checkEvery] = [10_000, 16_384, 101, 100];
  const text = share(rows(calls * stepBytes + inputBytes));
  const compressOne = async (call) => {
    const input = text.subarray(call * stepBytes, call * stepBytes + inputBytes);
    const output = await compress(input);
    if (call % checkEvery === 0 && !gunzipSync(output).equals(input))
      throw new Error('a call got a wrong output');
  };
  await Promise.all(Array.from({ length: calls }, (_, call) => compressOne(call)));
}

/** Each is 10 MB that stand for 10 GB, and is refused once it has opened to 1 MiB. */
async function manyBombs(open, share) {
  const [bombs, members, memberBytes] = [1_000, 640, 16 * MIB];
  const member = gzipSync(Buffer.alloc(memberBytes));
  const bomb = share(Buffer.alloc(members * member.length, member));
  const outcomes = await Promise.allSettled(Array.from({ length: bombs }, () => open(bomb)));
  const ends = new Set(outcomes.map(({ reason }) => reason?.code ?? reason?.name));
  if (ends.size !== 1 || !REFUSALS.has([...ends][0]))
    throw new Error(`the bombs ended with ${[...ends].join(', ')}`);
}

/** Of zlib, of which a thread hands on no more than the name, and of the pool. */
const REFUSALS = new Set(['ERR_BUFFER_TOO_LARGE', 'RangeError', 'ERR_POOL_OUTPUT_TOO_LARGE']);

async function oneStream(openBoth) {
  const [totalBytes, chunkBytes] = [1_024 * MIB, 65_536];
  const text = rows(4 * MIB);
  const sums = { sent: 0, got: 0, bytes: 0 };
  function* chunks() {
    for (let sent = 0; sent < totalBytes; sent += chunkBytes) {
      const chunk = text.subarray(sent % text.length, (sent % text.length) + chunkBytes);
      sums.sent = crc32(chunk, sums.sent);
      yield chunk;
    }
  }
  const sink = new Writable({
    write(chunk, _, done) {
      sums.got = crc32(chunk, sums.got);
      sums.bytes += chunk.length;
      done();
    },
  });
  await pipeline(Readable.from(chunks(), { objectMode: false }), ...openBoth(), sink);
  if (sums.bytes !== totalBytes || sums.sent !== sums.got)
    throw new Error('other bytes came out than went in');
}

const GZIPS = '10,000 gzips of 16 KiB';
const BOMBS = '1,000 bombs of 10 MB';
const STREAM = 'a stream of 1 GiB';

const WORK = { [GZIPS]: manyGzips, [BOMBS]: manyBombs, [STREAM]: oneStream };

const compressing = operationOf('gzip', 'compress');
const opening = { ...operationOf('gzip', 'decompress'), options: { maxOutputLength: MIB } };

/** What does the work, of each contender. `share` makes inputs what threads can have without a copy. */
const contenders = {
  'Node alone': {
    how: 'a process that does nothing, to know what the others began with',
    source: 'bench/harness/contender.mjs',
    isControl: true,
  },
  zlib: {
    ...oneShot,
    how:
      '`promisify(zlib.gzip)(input)`, `promisify(zlib.gunzip)(bomb, { maxOutputLength: 1048576 })`, `zlib.createGzip({ level: 1 })` and ' +
      '`zlib.createGunzip()`',
    ways: {
      [GZIPS]: () => oneShot.make(compressing),
      [BOMBS]: () => oneShot.make(opening),
      [STREAM]: () => () => [createGzip({ level: STREAM_LEVEL }), createGunzip()],
    },
  },
  'piscina, zlib sync': {
    ...piscina,
    how:
      '`zlib.gzipSync` and `zlib.gunzipSync` in `new Piscina({ filename, maxThreads: availableParallelism() })`; outputs are moved, and ' +
      'inputs are in shared memory, so that they are not copied either',
    missing: ({ name }) => (name === STREAM ? 'a task is given all of its input' : undefined),
    share: shared,
    ways: { [GZIPS]: () => piscina.make(compressing), [BOMBS]: () => piscina.make(opening) },
  },
  'nestjs-pool': {
    how:
      "`new CompressionPool(name, { type: 'compression', algorithm: 'gzip', acquireTimeoutMs: 0 })`, so that nobody gives up waiting; " +
      '`decompress(bomb, { maxOutputBytes: 1048576 })`, with `maxQueuedBytes: 0`, for the bombs are 10 GB; the stream with `level: 1`',
    source: 'docs/compression.md#limits',
    ways: {
      [GZIPS]: async () => {
        const pool = await openPool({ algorithm: 'gzip', acquireTimeoutMs: 0 });
        return (input) => pool.compress(input);
      },
      [BOMBS]: async () => {
        const pool = await openPool({ algorithm: 'gzip', acquireTimeoutMs: 0, maxQueuedBytes: 0 });
        return (bomb) => pool.decompress(bomb, { maxOutputBytes: MIB });
      },
      [STREAM]: async () => {
        const pool = await openPool({ algorithm: 'gzip', level: STREAM_LEVEL });
        return () => [pool.createCompress(), pool.createDecompress()];
      },
    },
  },
};

function shared(bytes) {
  const copy = Buffer.from(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

const itself = (bytes) => bytes;

async function open(name, { ways, share = itself }) {
  const task = await ways?.[name]();
  return async () => {
    const startedAt = performance.now();
    if (task !== undefined) await WORK[name](task, share);
    return { seconds: (performance.now() - startedAt) / 1_000 };
  };
}

const beside = (name, atMost) => ({
  of: (scenario) => scenario.name === name,
  ours: 'nestjs-pool',
  rival: 'zlib',
  atMost,
});

export default defineSuite({
  name: 'compression-memory',
  title: 'Memory at its peak, of the whole process',
  about:
    'What a process has taken at most, Node and the library included, when 10,000 callers have had 16 KiB compressed each at the same ' +
    'moment; when 1,000 have opened a bomb each, 10 MB that stand for 10 GB; and when 1 GiB has gone through a compressor and a ' +
    'decompressor. Each round is a process of its own. Less is better. NestJS is not in it: a process that has it, has it anyway.',
  metrics: [
    { key: 'peakMb', title: 'peak MB' },
    { key: 'seconds', title: 's', digits: 2 },
  ],
  baseline: 'zlib',
  rounds: 3,
  freshProcess: true,
  contenders: Object.fromEntries(
    Object.entries(contenders).map(([name, { ways, share, ...contender }]) => [
      name,
      { ...contender, open: (scenario) => open(scenario.name, { ways, share }) },
    ]),
  ),
  scenarios: Object.keys(WORK).map((name) => ({ name })),
  expectations: [beside(GZIPS, 0.06), beside(BOMBS, 0.25), beside(STREAM, 1.3)],
});
