import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { compile } from './support/compile.js';

describe.each([
  ['PoolModule', 'pool-module.types.ts'],
  ['RedisPool', 'redis-pool.types.ts'],
])('The types of %s', (_what, file) => {
  const path = `test/types/${file}`;
  const source = readFileSync(new URL(`types/${file}`, import.meta.url), 'utf8');

  it('accept what is right and refuse what is wrong', () => {
    expect(compile({ [path]: source })).toEqual([]);
  });

  it('find each of the mistakes in the type tests, and nothing else', () => {
    const mistakes = source.match(/@ts-expect-error/g)?.length;
    expect(compile({ [path]: source.replaceAll('@ts-expect-error', '') })).toHaveLength(mistakes ?? 0);
  });
});
