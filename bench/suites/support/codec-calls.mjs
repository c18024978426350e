// Rounds of calls of one algorithm in one direction, in the contenders' processes.
import { throughput } from '../../harness/rounds.mjs';
import { algorithmMissing, MIB, operationOf, packed, sizeName, unpacked } from './algorithms.mjs';
import { records } from './payloads.mjs';

const DISTINCT_BYTES = 8 * MIB;
/** There are many scenarios, and in this time thousands of small calls. */
const SHARE_OF_ROUND = 2 / 3;
const SIZE_TOLERANCE = 0.01;

/** Contenders whose `make(operation)` gives what turns an input into an output. */
export const callers = (direction, ways) =>
  Object.fromEntries(
    Object.entries(ways).map(([name, { make, missing, ...way }]) => [
      name,
      {
        ...way,
        missing: (scenario) => algorithmMissing(scenario) ?? missing?.(scenario),
        open: (scenario, { roundMs }) =>
          open({ direction, make, ...scenario, roundMs: roundMs * SHARE_OF_ROUND }),
      },
    ]),
  );

export const scenarioOf = (algorithm, bytes, callers) => ({
  name: `${algorithm}, ${sizeName(bytes)}, ${callers === 1 ? '1 caller' : `${callers.toLocaleString('en')} callers`}`,
  algorithm,
  bytes,
  callers,
});

async function open({ direction, make, algorithm, bytes, callers, roundMs }) {
  const run = await make(operationOf(algorithm, direction));
  const texts = textsOf(bytes, callers);
  const oneShot = await Promise.all(texts.map((text) => packed(algorithm, text)));
  const isPacking = direction === 'compress';
  const inputs = isPacking ? texts : oneShot.map(owned);
  const outputs = await Promise.all(inputs.map(run));
  const results = isPacking ? outputs.map((output) => unpacked(algorithm, output)) : outputs;
  if (results.some((result, index) => texts[index].compare(result) !== 0))
    throw new Error('a call got a wrong output');
  const call = (index) => run(inputs[index % inputs.length]);
  const round = throughput(call, { callers, roundMs, check: sizeChecked(outputs) });
  const outputPercent = (bytesOf(outputs) / bytesOf(isPacking ? oneShot : texts)) * 100;
  return async () => {
    const figures = await round();
    return { ...figures, megabytesPerSecond: (figures.callsPerSecond * bytes) / 1e6, outputPercent };
  };
}

function textsOf(bytes, callers) {
  const distinct = Math.max(1, Math.min(callers, Math.floor(DISTINCT_BYTES / bytes)));
  return Array.from({ length: distinct }, (_, index) => records(bytes, index + 1));
}

/** What is sent to a thread takes all the memory with it that its buffer is a part of. */
const owned = (bytes) => Buffer.from(new Uint8Array(bytes).buffer);

const bytesOf = (outputs) => outputs.reduce((total, { byteLength }) => total + byteLength, 0);

/** What takes no time, and finds an output that was cut off or is another's. Cut into blocks, which depends on who else is about, it is a little larger. */
function sizeChecked(outputs) {
  const sizes = outputs.map(({ byteLength }) => byteLength);
  return ({ byteLength }, nth) => {
    const expected = sizes[nth % sizes.length];
    if (Math.abs(byteLength / expected - 1) > SIZE_TOLERANCE)
      throw new Error(`an output of ${byteLength} bytes, in place of ${expected}`);
  };
}

export const MEGABYTES_PER_SECOND = { key: 'megabytesPerSecond', title: 'MB/s', digits: 1 };
export const OUTPUT_PERCENT = { key: 'outputPercent', title: "output, % of one-shot's", digits: 2 };
