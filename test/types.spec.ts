import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { compile } from './support/compile.js';

const TYPE_TESTS = 'test/types/pool-module.types.ts';

describe('The types of PoolModule', () => {
  const source = readFileSync(new URL('types/pool-module.types.ts', import.meta.url), 'utf8');

  it('accept what is right and refuse what is wrong', () => {
    expect(compile({ [TYPE_TESTS]: source })).toEqual([]);
  });

  it('find each of the mistakes in the type tests, and nothing else', () => {
    const mistakes = source.match(/@ts-expect-error/g)?.length;
    expect(compile({ [TYPE_TESTS]: source.replaceAll('@ts-expect-error', '') })).toHaveLength(mistakes ?? 0);
  });
});
