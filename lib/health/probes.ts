import type { ResourcePool } from '../core/resource-pool.js';

/** What the server of a pool is asked. */
export interface Question<Answer> {
  readonly name: string;
  /** Rejects when there is no answer, within `timeoutMs` at best. */
  ask(pool: ResourcePool<unknown>, timeoutMs: number): Promise<Answer>;
}

interface Probe {
  readonly outcome: Promise<unknown>;
  settledAt?: number;
}

/** What knows its own deadline says best why there is no answer, so that it gets the chance to. */
const GRACE_MS = 100;

/** Asks servers, each question once at a time, and keeps the answers as long as they may be kept. */
export class Probes {
  readonly #probes = new WeakMap<object, Map<string, Probe>>();

  /** @throws why there is no answer, at the latest shortly after `timeoutMs` */
  ask<Answer>(
    pool: ResourcePool<unknown>,
    question: Question<Answer>,
    { timeoutMs, cacheForMs }: { readonly timeoutMs: number; readonly cacheForMs: number },
  ): Promise<Answer> {
    const ofPool = this.#probes.get(pool) ?? new Map<string, Probe>();
    this.#probes.set(pool, ofPool);
    const key = `${question.name} ${timeoutMs}`;
    let probe = ofPool.get(key);
    if (probe === undefined || !isFresh(probe, cacheForMs)) {
      probe = probeFor(inTime(question, pool, timeoutMs));
      ofPool.set(key, probe);
    }
    return probe.outcome as Promise<Answer>;
  }
}

const isFresh = ({ settledAt }: Probe, cacheForMs: number): boolean =>
  settledAt === undefined || performance.now() - settledAt < cacheForMs;

function probeFor(outcome: Promise<unknown>): Probe {
  const probe: Probe = { outcome };
  const settled = () => {
    probe.settledAt = performance.now();
  };
  outcome.then(settled, settled);
  return probe;
}

async function inTime<Answer>(
  question: Question<Answer>,
  pool: ResourcePool<unknown>,
  timeoutMs: number,
): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = () => reject(new Error(`no answer to ${question.name} within ${timeoutMs} ms`));
    timer = setTimeout(error, timeoutMs + GRACE_MS);
  });
  try {
    return await Promise.race([question.ask(pool, timeoutMs), late]);
  } finally {
    clearTimeout(timer);
  }
}
