import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** What is in the cells: for how long to sleep, in microseconds, or 0; and nothing ever, to sleep by. */
const ORDER = 0;
const NOTHING = 1;

/** Rings once after it was set, to a few hundredths of a millisecond: Node's timers count whole ones. A thread sleeps for it. */
export class Alarm {
  #cells = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));

  constructor(ring) {
    new Worker(new URL(import.meta.url), { workerData: this.#cells }).on('message', ring);
  }

  /** Not again before it has rung. */
  set(ms) {
    Atomics.store(this.#cells, ORDER, Math.max(1, Math.round(ms * 1_000)));
    Atomics.notify(this.#cells, ORDER);
  }
}

function sleepAndRing(cells) {
  for (;;) {
    Atomics.wait(cells, ORDER, 0);
    const microseconds = Atomics.exchange(cells, ORDER, 0);
    Atomics.wait(cells, NOTHING, 0, microseconds / 1_000);
    parentPort.postMessage('it is time');
  }
}

if (!isMainThread) sleepAndRing(workerData);
