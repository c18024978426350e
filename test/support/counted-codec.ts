import type { Transform } from 'node:stream';
import type { Codec, CodecStream } from '../../lib/compression/codec.js';

/** A codec that tells how many streams of its own there are, and were at most: those too that are destroyed, but not yet at rest. */
export interface CountedCodec extends Codec {
  countAlive(): number;
  readonly mostAlive: number;
}

/** The codec, whose streams must be zlib's. */
export function counted(codec: Codec): CountedCodec {
  let lives: (() => boolean)[] = [];
  let mostAlive = 0;
  const countAlive = (): number => (lives = lives.filter((isAlive) => isAlive())).length;
  const count = (parts: CodecStream): CodecStream => {
    lives.push(lifeOf(parts.stream as Transform));
    mostAlive = Math.max(mostAlive, countAlive());
    return parts;
  };
  return {
    ...codec,
    countAlive,
    get mostAlive() {
      return mostAlive;
    },
    createCompressStream: (options) => count(codec.createCompressStream!(options)),
    createDecompressStream: (options) => count(codec.createDecompressStream!(options)),
  };
}

/** Once it is destroyed, zlib says that it rests by what it was given to call back, and frees what it holds only then. */
function lifeOf(stream: Transform): () => boolean {
  const transform = stream._transform.bind(stream);
  let isAtWork = false;
  stream._transform = (chunk, encoding, done) => {
    isAtWork = true;
    transform(chunk, encoding, (error, output) => {
      isAtWork = false;
      done(error, output);
    });
  };
  return () => isAtWork || !stream.destroyed;
}
