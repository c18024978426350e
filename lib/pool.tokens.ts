/**
 * The injection token of the pool registered under `name`. The name is taken as it is: `cache` and `Cache` are two pools.
 *
 * @publicApi
 * @example
 * Test.createTestingModule({ imports: [AppModule] }).overrideProvider(getPoolToken('cache')).useValue(fakeCache);
 */
export const getPoolToken = (name: string): string => `POOL:${name}`;
