// A loop that never yields would keep the soak from ever saying so: a thread of its own watches the main one, and ends the process
// when that has not answered for a while.
import { writeSync } from 'node:fs';
import { setInterval } from 'node:timers';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const PATIENCE_MS = 30_000;
const BEAT_MS = 500;

/** From now on a blocked event loop ends the process. The watchdog itself does not keep it alive. */
export function watchEventLoop() {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  new Worker(new URL(import.meta.url), { workerData: beats }).unref();
  setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS).unref();
}

function watch(beats) {
  const seen = Atomics.load(beats, 0);
  setTimeout(() => {
    if (Atomics.load(beats, 0) !== seen) return watch(beats);
    writeSync(2, `PROBLEM the event loop was blocked for ${PATIENCE_MS / 1_000} s\n`);
    process.kill(process.pid, 'SIGKILL');
  }, PATIENCE_MS);
}

if (!isMainThread) watch(workerData);
