// A TCP proxy that holds back whatever the server answers, in order: `fork(…, [port of the server, milliseconds])` tells its own port.
import { connect, createServer } from 'node:net';
import process from 'node:process';
import { Alarm } from './alarm.mjs';

const HOST = '127.0.0.1';
/** What is due within this is due now: one alarm rings for many. */
const SOON_MS = 0.03;

const [port, delayMs] = process.argv.slice(2).map(Number);

/** Of all connections, the oldest first. While there are any, the alarm is set for that one. */
const held = [];
const alarm = new Alarm(release);

function hold(near, chunk) {
  held.push({ near, chunk, due: performance.now() + delayMs });
  if (held.length === 1) alarm.set(delayMs);
}

function release() {
  const soon = performance.now() + SOON_MS;
  while (held.length > 0 && held[0].due <= soon) {
    const { near, chunk } = held.shift();
    if (near.writable) near.write(chunk);
  }
  if (held.length > 0) alarm.set(held[0].due - performance.now());
}

const server = createServer({ noDelay: true }, (near) => {
  const far = connect({ host: HOST, port, noDelay: true });
  near.pipe(far);
  far.on('data', (chunk) => hold(near, chunk));
  for (const [one, other] of [
    [near, far],
    [far, near],
  ]) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
});

process.on('disconnect', () => process.exit());
server.listen(0, HOST, () => process.send({ port: server.address().port }));
