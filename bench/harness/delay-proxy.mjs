import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROXY = fileURLToPath(new URL('delay-proxy.process.mjs', import.meta.url));

/** A proxy, in a process of its own, through which a round trip to the server at `port` takes so much longer. */
export async function startDelayProxy({ port, delayMs }) {
  const child = fork(PROXY, [port, delayMs].map(String));
  const exited = once(child, 'exit');
  const [answer] = await Promise.race([once(child, 'message'), exited]);
  if (answer?.port === undefined) throw new Error('the proxy did not start');
  return {
    url: `redis://127.0.0.1:${answer.port}`,
    stop: () => {
      child.kill('SIGKILL');
      return exited;
    },
  };
}
