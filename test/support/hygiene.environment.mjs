import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { TestEnvironment } from 'jest-environment-node';

/** Node's names for sockets, servers, pipes and child processes. Timers are not among them: Jest has its own. */
const HANDLES = ['TCPSocketWrap', 'TCPServerWrap', 'PipeWrap', 'PipeServerWrap', 'ProcessWrap'];
const GRACE_MS = 2_000;
const POLL_MS = 50;

/**
 * Jest's Node environment, which fails a test file that leaves a handle open, and gives a late rejection the time to
 * fail the test it comes from.
 *
 * It is an environment because Jest runs the `afterAll` of a setup file before those of the test file, and because
 * the test file's fake timers do not reach here.
 */
export default class HygieneEnvironment extends TestEnvironment {
  #openBefore = new Map();

  async setup() {
    await super.setup();
    openStandardStreams();
    this.#openBefore = countHandles();
  }

  async handleTestEvent(event) {
    const hooksAreDone = event.name === 'run_describe_finish' && event.describeBlock.parent === undefined;
    if (!hooksAreDone) return;
    const leaks = await this.#leaksAfterGrace();
    if (leaks !== '') await failTestFile(`This file leaves open: ${leaks} (see --detectOpenHandles)`);
  }

  async #leaksAfterGrace() {
    let leaks = '';
    for (let waitedMs = 0; waitedMs < GRACE_MS; waitedMs += POLL_MS) {
      await sleep(POLL_MS);
      leaks = this.#leaks();
      if (leaks === '') break;
    }
    return leaks;
  }

  #leaks() {
    return [...countHandles()]
      .map(([kind, count]) => [kind, count - (this.#openBefore.get(kind) ?? 0)])
      .filter(([, surplus]) => surplus > 0)
      .map(([kind, surplus]) => `${surplus} ${kind}`)
      .join(', ');
  }
}

/** Node opens them when they are first used, which is nobody's leak. In Jest's workers they are pipes. */
function openStandardStreams() {
  return [process.stdout, process.stderr];
}

function countHandles() {
  const counts = new Map();
  for (const kind of process.getActiveResourcesInfo()) {
    if (HANDLES.includes(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** As an uncaught error it fails the file beside its tests; thrown at Jest, it would hide how those went. */
async function failTestFile(message) {
  const error = Object.assign(new Error(message), { stack: message });
  process.nextTick(() => {
    throw error;
  });
  await nextTurn();
}
