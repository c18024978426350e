// Ten minutes of mixed work with faults, and nothing may grow: `npm run soak` (`SOAK_MINUTES=2 npm run soak` for a short one).
//
// Pools of all kinds are used, broken and replaced all the time; see soak/. Each minute prints what is left after a garbage collection
// and what was done. At the end everything is drained, and the process exits with 1 when
// - heap or memory is not flat: the median of the last three samples is above that of the first three (the very first apart, while
//   code is still being compiled) by more than GROWTH;
// - a socket, a server, a timer or anything else that keeps the process alive is left, or sockets were ever more than connections
//   may be;
// - a rejection was not handled, a caller never heard, somebody got what was not his own, or the event loop was blocked.
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { liveWithCompressionPools } from './soak/compression-pools.mjs';
import { liveWithCorePools } from './soak/core-pools.mjs';
import { done, errors, onTheWay, problem, problems } from './soak/record.mjs';
import { liveWithRedisPools, MOST_CONNECTIONS } from './soak/redis-pools.mjs';
import { watchEventLoop } from './soak/watchdog.mjs';

const MINUTES = Number(process.env.SOAK_MINUTES ?? 10);
const SAMPLES = Math.max(10, Math.round(MINUTES));
const GROWTH = { heap: 3, rss: 40 };
/** What makes trouble has a connection of its own, and closed ones take a moment to go. */
const OTHER_SOCKETS = 8;
const END_WITHIN_MS = 30_000;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

process.on('unhandledRejection', (reason) => problem(`unhandled rejection: ${reason?.stack ?? reason}`));
process.on('warning', ({ name, message }) => {
  if (name.startsWith('MaxListeners')) problem(message);
});

console.log(`${MINUTES} minutes on Node ${process.versions.node}`);
watchEventLoop();
let isEnding = false;
const isOver = () => isEnding;
const before = handles();
const lives = Promise.all(
  [liveWithCorePools, liveWithRedisPools, liveWithCompressionPools].map((live) => live(isOver)),
);

const samples = [];
for (let each = 1; each <= SAMPLES; each += 1) {
  await sleep((MINUTES / SAMPLES) * 60_000);
  const sample = await measure();
  samples.push(sample);
  console.log(`${((each * MINUTES) / SAMPLES).toFixed(1)} min: ${describe(sample)} | ${list(done)}`);
}

isEnding = true;
const inTime = await Promise.race([lives.then(() => true), sleep(END_WITHIN_MS, false, { ref: false })]);
if (!inTime) problem('the pools do not come to an end');
await sleep(1_000);
const after = await measure();
console.log(`at the end: ${describe(after)}; before: ${list(before)}\nerrors: ${list(errors)}`);
judge();

async function measure() {
  for (let round = 0; round < 3; round += 1) {
    collectGarbage();
    await sleep(20);
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed / 1e6, rss: rss / 1e6, handles: handles() };
}

function handles() {
  const counts = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function judge() {
  for (const [what, most] of Object.entries(GROWTH)) {
    const values = samples.map((sample) => sample[what]);
    const [first, last] = [median(values.slice(1, 4)), median(values.slice(-3))];
    console.log(`${what}: from ${first.toFixed(1)} to ${last.toFixed(1)} MB, may grow by ${most}`);
    if (last - first > most) problem(`${what} grew by ${(last - first).toFixed(1)} MB`);
  }
  const sockets = Math.max(...samples.map(({ handles }) => handles.TCPSocketWrap ?? 0));
  if (sockets > MOST_CONNECTIONS + OTHER_SOCKETS)
    problem(`${sockets} sockets, of ${MOST_CONNECTIONS} connections`);
  for (const [kind, count] of Object.entries(after.handles))
    if (count > (before[kind] ?? 0)) problem(`${count - (before[kind] ?? 0)} ${kind} left`);
  if (onTheWay > 0) problem(`${onTheWay} callers never heard`);
  for (const text of problems) console.error(`PROBLEM ${text}`);
  console.log(problems.size === 0 ? 'nothing grew, and nothing was left' : `${problems.size} problems`);
  process.exitCode = problems.size === 0 ? 0 : 1;
  setTimeout(endByForce, 5_000).unref();
}

/** Only what is left keeps the process alive until this is called. */
function endByForce() {
  console.error('PROBLEM the process does not end by itself');
  process.exit(1);
}

function median(values) {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];
}

function describe({ heap, rss, handles }) {
  return `heap ${heap.toFixed(1)} MB, rss ${rss.toFixed(0)} MB, ${list(handles)}`;
}

function list(counts) {
  return Object.entries(counts)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');
}
