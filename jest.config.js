/** @type {import('jest').Config} */
export default {
  // Much of the time tests wait for servers, so that each core can have a worker.
  maxWorkers: '100%',
  // A test that hangs is ended; how quick one is says more about the machine than about the library.
  testTimeout: 30_000,
  testEnvironment: '<rootDir>/test/support/hygiene.environment.mjs',
  roots: ['<rootDir>/lib', '<rootDir>/test', '<rootDir>/sample-app'],
  testMatch: ['**/*.spec.ts', '**/*.e2e-spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^nestjs-pool$': '<rootDir>/lib/index.ts',
    '^nestjs-pool/health$': '<rootDir>/lib/health/index.ts',
    '^nestjs-pool/metrics$': '<rootDir>/lib/metrics/index.ts',
  },
  transform: {
    '^.+\\.ts$': ['ts-jest', { useESM: true, tsconfig: 'tsconfig.jest.json' }],
  },
};
