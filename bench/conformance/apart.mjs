import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sleep } from './check.mjs';

const CHILD = fileURLToPath(new URL('./child.mjs', import.meta.url));
const LIMIT_MS = 12_000;
/** A process that has not told within its limit and this is not able to. */
const GRACE_MS = 3_000;

/** The verdict on one behaviour of one pool, found in a process of its own: what blocks or kills that ends nothing else. */
export async function verdictOf(adapter, behaviour, env) {
  const missing = behaviour.needs?.find((need) => need in adapter.outside || need in adapter.lacks);
  if (missing in adapter.outside) return { verdict: 'n/a', why: adapter.outside[missing] };
  if (missing in adapter.lacks) return { verdict: 'not offered', why: adapter.lacks[missing] };

  const limitMs = behaviour.limitMs ?? LIMIT_MS;
  const child = fork(CHILD, [adapter.name, behaviour.name, limitMs], {
    env: { ...process.env, ...env },
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ended = once(child, 'exit');
  try {
    const verdict = await firstWord(child, ended, limitMs + GRACE_MS);
    const mustEnd = behaviour.endsByItself && verdict.verdict === 'pass';
    if (!mustEnd || (await inTime(ended, GRACE_MS))) return verdict;
    return { verdict: 'fail', why: 'something kept the process alive' };
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

async function firstWord(child, ended, limitMs) {
  const word = once(child, 'message').then(([verdict]) => verdict);
  const died = ended.then(() => ({ verdict: 'fail', why: 'the process died' }));
  return (
    (await inTime(Promise.race([word, died]), limitMs)) ?? {
      verdict: 'fail',
      why: 'it blocked the event loop',
    }
  );
}

/** What `promise` gives, or nothing when it takes longer. */
async function inTime(promise, ms) {
  const given = new AbortController();
  const late = sleep(ms, undefined, given).catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    given.abort();
  }
}
