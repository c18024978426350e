import { gunzip } from 'node:zlib';
import type { CodecStream } from './codec.js';
import { trailing, type CompressionError, type Culprit } from './compression.errors.js';
import { explain, type Explain, type ZlibError } from './stream-coder.js';

const MAGIC = [0x1f, 0x8b] as const;

/** A member's header and trailer, with nothing between them. */
const LEAST_MEMBER_BYTES = 20;

/** What one byte of deflated data can stand for at most, and a little more. */
const MOST_OUTPUT_PER_BYTE = 1_040;

/**
 * zlib takes what follows a member for the next one and finds no header there; the first member's it did find, or the input would not
 * begin with gzip's magic number. A single byte more is too little for it to tell, and looks to it like an input that was cut off.
 */
export const explainGunzip: Explain = (culprit, error, { input, maxOutputBytes }) => {
  if (isNextMember(input, error)) return trailing(culprit, { cause: error });
  const explained = explain(culprit, error);
  if (explained.code !== 'ERR_POOL_INPUT_TRUNCATED' || !mayBeOneByteTooLong(input)) return explained;
  return isWholeWithoutLastByte(input, maxOutputBytes).then((isWhole): CompressionError =>
    isWhole ? trailing(culprit, { cause: error }) : explained,
  );
};

function isNextMember(head: Uint8Array, error: ZlibError): boolean {
  return head[0] === MAGIC[0] && head[1] === MAGIC[1] && error.message === 'incorrect header check';
}

/** The same for an input in pieces, of which only the head is remembered: there a single byte more looks like an input that was cut off. */
export function explainingGunzip(culprit: Culprit, parts: CodecStream): CodecStream {
  let head = Buffer.alloc(0);
  return {
    ...parts,
    renew: () => {
      head = Buffer.alloc(0);
      parts.renew?.();
    },
    cut: (piece) => {
      if (head.length < MAGIC.length) head = Buffer.concat([head, piece.subarray(0, MAGIC.length)]);
      return [piece];
    },
    explain: (cause: ZlibError) =>
      isNextMember(head, cause) ? trailing(culprit, { cause }) : explain(culprit, cause),
  };
}

/** A member ends with the length of what it stands for; in an input that was really cut off, other bytes stand there. */
function mayBeOneByteTooLong(input: Uint8Array): boolean {
  const length = input.byteLength;
  if (length <= LEAST_MEMBER_BYTES || input[length - 1] === MAGIC[0]) return false;
  const outputBytes = new DataView(input.buffer, input.byteOffset).getUint32(length - 5, true);
  return outputBytes <= length * MOST_OUTPUT_PER_BYTE;
}

function isWholeWithoutLastByte(input: Uint8Array, maxOutputLength: number): Promise<boolean> {
  return new Promise((resolve) => {
    gunzip(input.subarray(0, -1), { maxOutputLength: Math.max(1, maxOutputLength) }, (error) =>
      resolve(error === null),
    );
  });
}
